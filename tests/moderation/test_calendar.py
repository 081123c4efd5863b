"""The statutory clock of a counter-notice."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest

from moderation.calendar import business_days_after, reinstatement_window


def test_christmas_and_new_year_do_not_count():
    window = reinstatement_window(date(2026, 12, 18))

    assert window.not_before == date(2027, 1, 5)
    assert window.at_latest == date(2027, 1, 11)


@pytest.mark.parametrize(
    ("received_on", "not_before", "at_latest"),
    [
        (date(2026, 3, 2), date(2026, 3, 16), date(2026, 3, 20)),  # no holiday between
        (date(2026, 3, 7), date(2026, 3, 20), date(2026, 3, 26)),  # a Saturday
        (date(2026, 6, 26), date(2026, 7, 13), date(2026, 7, 17)),  # 4 July, kept on Friday the 3rd
        (date(2026, 11, 10), date(2026, 11, 25), date(2026, 12, 2)),  # Veterans Day and Thanksgiving
    ],
)
def test_the_window_leaves_out_weekends_and_federal_holidays(received_on, not_before, at_latest):
    window = reinstatement_window(received_on)

    assert (window.not_before, window.at_latest) == (not_before, at_latest)


def test_the_day_after_receipt_is_the_first_and_days_only_go_forward():
    days = business_days_after(date(2026, 2, 27))
    first_year = [next(days) for _ in range(250)]

    assert first_year[0] == date(2026, 3, 2)
    assert all(earlier < later and later.weekday() < 5 for earlier, later in pairwise(first_year))

"""Dates are read in every shape; what is no date is none."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.formats.dates import read_date

NOON = datetime(2026, 2, 3, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        "Tue, 03 Feb 2026 12:00:00 GMT",
        "Tue, 03 Feb 2026 12:00:00 +0000",
        "Tue, 3 Feb 2026 13:00:00 +0100",
        "Tue, 03 Feb 2026 07:00:00 EST",
        "Tue, 03 Feb 26 12:00:00 Z",
        "Tuesday, 03 February 2026 12:00 GMT",
        "Wed, 03 Feb 2026 12:00:00 GMT",
        "03 Feb 2026 12:00:00",
        "Tue Feb  3 12:00:00 2026",
        "Tue Feb 3 12:00:00 UTC 2026",
        "2026-02-03T12:00:00Z",
        "2026-02-03T12:00:00.123456Z",
        "2026-02-03T12:00Z",
        "2026-02-03 12:00:00",
        "2026-02-03T14:00:00+02:00",
        "2026-02-03T14:00:00+0200",
        "2026-02-03 12:00:00 UTC",
        "2026-2-3T12:00:00",
        "20260203T120000Z",
        "Tue, 03 Feb 2026 14:00:00 GMT+2",
        "Tue, 03 Feb 2026 14:00:00 GMT+02:00",
        "  Tue,\n 03 Feb 2026   12:00:00 GMT ",
        "3 febrero 2026 12:00",
        "03. Februar 2026 13:00 MEZ",
        "Di, 03 Feb 2026 12:00:00 +0000",
        "3 février 2026 12:00",
        "3 февраля 2026 15:00 MSK",
        "Feb 3, 2026 12:00 PM",
        "February 3, 2026, 12:00 pm UTC",
        "Tue, 03 Feb 2026 13:00:00 +01:00",
        "Dienstag, 3. Februar 2026, 12:00 Uhr",
        "2026年2月3日 12:00",
        "1770120000",
        "1770120000000",
    ],
)
def test_a_date_is_read(written: str) -> None:
    found = read_date(written)

    assert found is not None
    assert found.replace(microsecond=0) == NOON


def test_a_day_without_an_hour_begins_at_midnight_utc() -> None:
    assert read_date("2026-02-03") == datetime(2026, 2, 3, tzinfo=UTC)
    assert read_date("3 Feb 2026") == datetime(2026, 2, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    ["", "yesterday", "Tue", "1. tammikuuta 2026", "1 2026 tomorrow 12:00",
     "12:00", "0000-00-00T00:00:00Z", "2026-13-45", "31 Feb 2026 12:00", "9999-99-99",
     "99999999999999999999", "2026-02-03T99:99:99Z", "-1", "\x00", "1" * 500, "Thu, 01 Jan 0001 00:00:00 GMT"],
)  # fmt: skip
def test_what_is_no_date_is_none(written: str) -> None:
    assert read_date(written) is None


@given(st.text(max_size=90) | st.from_regex(r"[0-9A-Za-z:,+ TZ./-]{1,60}"))
def test_no_text_raises(written: str) -> None:
    found = read_date(written)

    assert found is None or found.tzinfo is UTC

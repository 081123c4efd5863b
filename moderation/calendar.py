"""Business days as 17 U.S.C. 512(g) counts them: no weekends, no federal holidays of the United States."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

from django.utils import timezone

if TYPE_CHECKING:
    from holidays import HolidayBase

FIRST, LAST = 10, 14


@dataclass(frozen=True, slots=True)
class Window:
    """Between these two days, both included, a countered article comes back."""

    not_before: date
    at_latest: date


def reinstatement_window(received_on: date) -> Window:
    """Ten to fourteen business days; the day after receipt is the first that counts."""
    days = list(islice(business_days_after(received_on), LAST))
    return Window(not_before=days[FIRST - 1], at_latest=days[LAST - 1])


def business_days_after(day: date) -> Iterator[date]:
    """Every business day that follows, the day itself not included."""
    while True:
        day += timedelta(days=1)
        if day.weekday() < 5 and day not in _federal_holidays():
            yield day


def start_of(day: date) -> datetime:
    """The moment the day begins where the site is."""
    return timezone.make_aware(datetime(day.year, day.month, day.day))  # noqa: DTZ001 (made aware here)


@lru_cache(maxsize=1)
def _federal_holidays() -> HolidayBase:
    import holidays  # Of all countries: two megabytes that only a counter-notice needs.

    return holidays.country_holidays("US")

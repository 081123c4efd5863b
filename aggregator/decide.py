"""What an attempt means for a feed: when to come again, whether it moved, whether it is gone. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import pairwise
from statistics import median
from typing import Any

from aggregator.documents import FeedDocument
from aggregator.fetch import Outcome

SHORTEST = timedelta(minutes=5)
LONGEST = timedelta(hours=24)
USUAL = timedelta(minutes=30)
PATIENCE_MOST = timedelta(days=7)
BUSY_FIRST = timedelta(minutes=15)
JITTER = 0.1
# A hub that brought something is trusted for a day; meanwhile the feed itself is asked once an hour at most.
PUSHES_TRUSTED = timedelta(days=1)
BESIDE_PUSHES = timedelta(hours=1)
RHYTHM_ENTRIES = 20
# Longer than a weekend, and than twice the longest silence that its entries show.
SILENCE_LEAST = timedelta(days=3)
SILENCE_GAPS = 8
PERMANENT = frozenset({301, 308})
MOVE_HOPS = 3
MOVE_TIME = timedelta(days=3)
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class Standing:
    """What a feed's row says before the attempt."""

    url: str
    interval: timedelta = USUAL
    failures: int = 0
    last_entry_at: datetime | None = None
    moved_to: str = ""
    moved_since: datetime | None = None
    moved_hops: int = 0


def changes(before: Standing, outcome: Outcome, *, at: datetime, chance: float) -> dict[str, Any]:
    """The new values of the feed's columns. `chance` (0 to 1) spreads feeds that would come due together."""
    new: dict[str, Any] = {
        "last_status": outcome.status,
        "last_error": outcome.error[:500],
        "last_fetched_at": at,
        "not_before": retry_after(outcome.headers, at=at) if outcome.status in (429, 503) else None,
        **_movement(before, outcome, at=at),
    }
    if outcome.error:
        return new | _after_failure(before, outcome, new["not_before"], at=at, chance=chance)
    return new | _after_success(before, outcome, at=at, chance=chance)


def _after_failure(
    before: Standing, outcome: Outcome, not_before: datetime | None, *, at: datetime, chance: float
) -> dict[str, Any]:
    failures = before.failures + 1
    wait = failure_wait(before.interval, failures, outcome.status)
    due_at = at + _spread(wait, chance)
    new: dict[str, Any] = {"failures": failures, "due_at": max(due_at, not_before) if not_before else due_at}
    if outcome.status == 410:
        new["gone_at"] = at
    return new


def failure_wait(interval: timedelta, failures: int, status: int | None) -> timedelta:
    """Twice as long after each failure, up to a day."""
    first = max(interval, BUSY_FIRST) if status in (429, 503) else max(interval / 2, SHORTEST)
    return min(LONGEST, first * float(1 << min(failures, 12)))


def _after_success(before: Standing, outcome: Outcome, *, at: datetime, chance: float) -> dict[str, Any]:
    newest = newest_entry(outcome.document, at) if outcome.document else None
    last_entry_at = max(filter(None, (newest, before.last_entry_at)), default=None)
    wanted = rhythm(outcome.document, at) if outcome.document else before.interval
    wait = _with_hints(_slowed(wanted, last_entry_at, at), outcome, at)
    new = {
        "failures": 0,
        "last_success_at": at,
        "last_entry_at": last_entry_at,
        "interval_seconds": int(wait.total_seconds()),
        "due_at": _allowed_hour(at + _spread(wait, chance), outcome.document),
        # Verbatim, on 200 and 304 alike; a 304 that repeats none leaves what stands.
        "etag": _validator(outcome, "etag", 500),
        "last_modified": _validator(outcome, "last-modified", 100),
        "body_hash": outcome.body_hash,
    }
    if outcome.document and last_entry_at:
        new["silent_after"] = silent_after(outcome.document, last_entry_at, at)
    return {name: value for name, value in new.items() if value is not None}


def silent_after(document: FeedDocument, last_entry_at: datetime, at: datetime) -> datetime | None:
    """When a feed has been silent for longer than it ever is by its own rhythm; None when it has none yet."""
    gaps = _gaps(document, at)
    if len(gaps) < 3:
        return None
    return last_entry_at + max(
        SILENCE_LEAST, SILENCE_GAPS * timedelta(seconds=median(gaps)), timedelta(seconds=2 * max(gaps))
    )


def _gaps(document: FeedDocument, at: datetime) -> list[float]:
    """Seconds between one of the newest entries and the next."""
    moments = sorted(_moments(document, at), reverse=True)[:RHYTHM_ENTRIES]
    return [(newer - older).total_seconds() for newer, older in pairwise(moments)]


def _validator(outcome: Outcome, name: str, most: int) -> str | None:
    value = outcome.headers.get(name, "")
    if outcome.status == 304 and not value:
        return None
    # One too long to be sent back whole is of no use.
    return value if len(value) <= most else ""


def rhythm(document: FeedDocument, at: datetime) -> timedelta:
    """Half the usual gap between the newest entries; what the feed says of itself can only make it longer."""
    gaps = _gaps(document, at)
    found = timedelta(seconds=median(gaps)) / 2 if gaps else USUAL
    declared = max(timedelta(minutes=document.ttl_minutes), timedelta(seconds=document.update_seconds))
    return _clamped(max(_clamped(found), declared))


def newest_entry(document: FeedDocument, at: datetime) -> datetime | None:
    """When the feed last brought something."""
    return max(_moments(document, at), default=None)


def _moments(document: FeedDocument, at: datetime) -> list[datetime]:
    found = (entry.published or entry.updated for entry in document.entries)
    return [moment for moment in found if moment and moment <= at]


def _slowed(wanted: timedelta, last_entry_at: datetime | None, at: datetime) -> timedelta:
    """A feed long silent is asked less often than its old rhythm suggests."""
    return _clamped(max(wanted, (at - last_entry_at) / 20)) if last_entry_at else _clamped(wanted)


def _with_hints(wait: timedelta, outcome: Outcome, at: datetime) -> timedelta:
    return _clamped(max(wait, cache_hint(outcome.headers, at=at)))


def _clamped(span: timedelta) -> timedelta:
    return min(LONGEST, max(SHORTEST, span))


def _spread(span: timedelta, chance: float) -> timedelta:
    return span * (1 + JITTER * (2 * chance - 1))


def cache_hint(headers: dict[str, str], *, at: datetime) -> timedelta:
    """How long the server says its answer stays fresh; nothing when it does not say, or says nonsense."""
    found = re.search(r"max-age\s*=\s*\"?(\d{1,9})", headers.get("cache-control", "")[:500], re.IGNORECASE)
    if found:
        return timedelta(seconds=min(int(found[1]), 10**7))
    expires, sent = _http_date(headers.get("expires", "")), _http_date(headers.get("date", ""))
    return max(timedelta(), min(expires - (sent or at), PATIENCE_MOST)) if expires else timedelta()


def retry_after(headers: dict[str, str], *, at: datetime) -> datetime | None:
    """Until when to stay away, by seconds or by date; at most a week, whatever the server says."""
    value = headers.get("retry-after", "").strip()[:60]
    if value.isascii() and value.isdecimal():
        return at + timedelta(seconds=min(int(value), int(PATIENCE_MOST.total_seconds())))
    until, sent = _http_date(value), _http_date(headers.get("date", ""))
    if until is None:
        return None
    # By the server's own clock, when it shows it: ours may differ.
    wait = until - (sent or at)
    return at + min(wait, PATIENCE_MOST) if wait > timedelta() else None


def _http_date(value: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(value[:60])
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _allowed_hour(due_at: datetime, document: FeedDocument | None) -> datetime:
    """The first moment from `due_at` on that is in none of the hours and days the feed asks to skip."""
    if document is None or len(document.skip_hours) > 20 or len(document.skip_days) > 5:
        return due_at
    for hours in range(24 * 7):
        moment = due_at + timedelta(hours=hours)
        if moment.hour not in document.skip_hours and DAYS[moment.weekday()] not in document.skip_days:
            return moment
    return due_at


def _movement(before: Standing, outcome: Outcome, *, at: datetime) -> dict[str, Any]:
    """A permanent redirect is believed after several hops over days: a broken server takes them back."""
    target = "" if outcome.error else moved_to(before.url, outcome)
    if not target:
        return {"moved_to": "", "moved_since": None, "moved_hops": 0} if not outcome.error else {}
    since, hops = (before.moved_since or at, before.moved_hops + 1) if target == before.moved_to else (at, 1)
    return {"moved_to": target, "moved_since": since, "moved_hops": min(hops, 1000)}


def moved_to(url: str, outcome: Outcome) -> str:
    """Where the unbroken row of permanent redirects from the feed's address leads; never from https to http."""
    hops = [*outcome.hops]
    count = next((index for index, hop in enumerate(hops) if hop.status not in PERMANENT), len(hops))
    target = "" if not count else hops[count].url if count < len(hops) else outcome.url
    is_downgrade = url.startswith("https:") and target.startswith("http:")
    return "" if is_downgrade or target == url or len(target) > 2000 else target


def has_moved(new: dict[str, Any], at: datetime) -> bool:
    """Whether the move has been seen often enough and long enough."""
    since = new.get("moved_since")
    return bool(new.get("moved_to") and since and new["moved_hops"] >= MOVE_HOPS and at - since >= MOVE_TIME)

"""What an attempt means for a feed is decided from values alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator import decide
from aggregator.decide import LONGEST, PATIENCE_MOST, SHORTEST, Standing, changes, retry_after
from aggregator.documents import Entry, FeedDocument
from aggregator.fetch import Outcome
from webclient.client import Hop

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
URL = "https://harbour.example/feed"


def after(outcome: Outcome, before: Standing | None = None, chance: float = 0.5) -> dict[str, object]:
    return changes(before or Standing(URL), outcome, at=NOON, chance=chance)


def document(*hours_ago: float, **parts: object) -> FeedDocument:
    entries = tuple(Entry(published=NOON - timedelta(hours=ago)) for ago in hours_ago)
    return FeedDocument("RSS 2.0", entries=entries, **parts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        ("999999999999", 7 * 86400),
        ("Mon, 02 Mar 2026 13:00:00 GMT", 3600),
        ("Mon, 02 Mar 2076 13:00:00 GMT", 7 * 86400),
        ("Mon, 02 Mar 2020 13:00:00 GMT", None),
        ("-5", None),
        ("soon", None),
        ("", None),
        ("1e9", None),
        ("１２", None),
    ],
)
def test_retry_after_is_read_and_absurd_values_are_not_obeyed(value: str, seconds: int | None) -> None:
    found = retry_after({"retry-after": value}, at=NOON)

    assert found == (None if seconds is None else NOON + timedelta(seconds=seconds))


def test_a_date_to_wait_for_is_read_by_the_servers_clock() -> None:
    headers = {"retry-after": "Mon, 02 Mar 2026 15:10:00 GMT", "date": "Mon, 02 Mar 2026 15:00:00 GMT"}

    assert retry_after(headers, at=NOON) == NOON + timedelta(minutes=10)


@given(st.text(max_size=70), st.text(max_size=70))
def test_no_header_raises(value: str, date: str) -> None:
    headers = {"retry-after": value, "date": date, "expires": value, "cache-control": f"max-age={value}"}
    found = retry_after(headers, at=NOON)

    assert found is None or NOON <= found <= NOON + PATIENCE_MOST
    assert decide.cache_hint(headers, at=NOON) >= timedelta()


@pytest.mark.parametrize(
    ("found", "shortest", "longest"),
    [
        (document(*range(20)), timedelta(minutes=29), timedelta(minutes=31)),
        (document(*(n / 60 for n in range(20))), SHORTEST, SHORTEST),
        (document(*range(0, 2000, 100)), LONGEST, LONGEST),
        (document(1), timedelta(minutes=29), timedelta(minutes=31)),
        (document(), timedelta(minutes=29), timedelta(minutes=31)),
        (document(0, 1, 2, ttl_minutes=240), timedelta(hours=4), timedelta(hours=4)),
        (document(0, 1, 2, ttl_minutes=10**9), LONGEST, LONGEST),
        (document(0, 1, 2, ttl_minutes=0), timedelta(minutes=29), timedelta(minutes=31)),
        (document(0, 1, 2, update_seconds=86400), LONGEST, LONGEST),
        (document(-500, -400, 0, 1, 2), timedelta(minutes=29), timedelta(minutes=31)),
        (document(2000, 2001, 2002), timedelta(hours=23), LONGEST),
    ],
)
def test_the_next_turn_follows_the_feeds_rhythm(
    found: FeedDocument, shortest: timedelta, longest: timedelta
) -> None:
    new = after(Outcome(200, document=found))

    assert shortest <= new["due_at"] - NOON <= longest  # type: ignore[operator]


def test_turns_are_spread_and_a_servers_freshness_is_respected() -> None:
    early, late = (
        after(Outcome(200, document=document(0, 1, 2)), chance=chance)["due_at"] for chance in (0, 1)
    )
    fresh = after(Outcome(304, headers={"cache-control": "public, max-age=7200"}))

    assert timedelta(minutes=5) < late - early < timedelta(minutes=10)  # type: ignore[operator]
    assert fresh["due_at"] == NOON + timedelta(hours=2)


def test_hours_and_days_to_skip_are_skipped() -> None:
    new = after(Outcome(200, document=document(0, 1, 2, skip_hours=(12, 13, 14), skip_days=("tuesday",))))
    wednesday = after(
        Outcome(
            200, document=document(0, 100, skip_hours=tuple(range(12, 20)), skip_days=("monday", "tuesday"))
        )
    )
    never = after(Outcome(200, document=document(0, 1, 2, skip_hours=tuple(range(24)))))

    assert new["due_at"].hour == 15  # type: ignore[attr-defined]
    assert wednesday["due_at"].weekday() == 2  # type: ignore[attr-defined]
    assert never["due_at"] - NOON == timedelta(minutes=30)  # type: ignore[operator]


def test_failures_wait_longer_up_to_a_day_and_a_success_ends_them() -> None:
    waits = [
        after(Outcome(500, error="x"), Standing(URL, failures=n))["due_at"] - NOON  # type: ignore[operator]
        for n in range(40)
    ]

    assert waits == sorted(waits)
    assert waits[-1] == LONGEST
    assert after(Outcome(304), Standing(URL, failures=7))["failures"] == 0


def test_what_was_known_stays_through_a_failure() -> None:
    new = after(Outcome(500, error="A fault."))

    assert {"etag", "last_modified", "body_hash", "interval_seconds", "gone_at"}.isdisjoint(new)


@pytest.mark.parametrize(
    ("hops", "final", "target"),
    [
        ([], URL, ""),
        ([(URL, 301)], "https://new.example/feed", "https://new.example/feed"),
        ([(URL, 308)], "https://new.example/feed", "https://new.example/feed"),
        ([(URL, 302)], "https://new.example/feed", ""),
        ([(URL, 301), ("https://mid.example/", 302)], "https://new.example/feed", "https://mid.example/"),
        ([(URL, 302), ("https://mid.example/", 301)], "https://new.example/feed", ""),
        ([(URL, 301)], "http://new.example/feed", ""),
        ([(URL, 301)], URL, ""),
    ],
)
def test_only_an_unbroken_row_of_permanent_redirects_is_a_move(
    hops: list[tuple[str, int]], final: str, target: str
) -> None:
    outcome = Outcome(200, url=final, hops=tuple(Hop(*hop) for hop in hops))

    assert decide.moved_to(URL, outcome) == target


def test_a_move_counts_from_its_first_sight_and_begins_anew_when_it_changes() -> None:
    moved = Outcome(304, url="https://new.example/feed", hops=(Hop(URL, 301),))
    since = NOON - timedelta(days=4)
    known = Standing(URL, moved_to="https://new.example/feed", moved_since=since, moved_hops=2)

    proved = after(moved, known)
    other = after(moved, Standing(URL, moved_to="https://else.example/", moved_since=since, moved_hops=9))
    taken_back = after(Outcome(200, url=URL, document=document()), known)

    assert decide.has_moved(proved, NOON)
    assert not decide.has_moved(other, NOON)
    assert (taken_back["moved_to"], taken_back["moved_hops"]) == ("", 0)

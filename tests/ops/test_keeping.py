"""Keys of backups, and which of the backups are kept; no database takes part."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from hypothesis import given
from hypothesis import strategies as st

from newsroom import envelope, vault

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
CLOSES = envelope.make_key()[1]


def output(*command: str) -> str:
    said = StringIO()
    call_command(*command, stdout=said)
    return said.getvalue()


def test_a_new_pair_of_keys_fits_together() -> None:
    closes, opens = [line for line in output("make_backup_key").splitlines() if not line.startswith("#")]

    assert envelope.read_keys(f"{closes}, {opens}") == [closes, opens]


@pytest.mark.parametrize(
    "word",
    ["correct horse battery staple", "AGE-SECRET-KEY-1", CLOSES[:-1], f"{CLOSES},secret"],
    ids=["a phrase", "cut short", "a letter short", "a key and more"],
)
def test_a_key_somebody_thought_up_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match="is not an age key"):
        envelope.read_keys(word)


@given(st.lists(st.integers(0, 24 * 60), max_size=80), st.integers(2, 60))
def test_what_may_go_leaves_one_of_each_day_and_week(hours: list[int], kept: int) -> None:
    moments = {
        f"newsroom-{(NOON - timedelta(hours=age)).strftime(vault.STAMP)}.tar.age": age for age in hours
    }

    gone = vault.expired([*moments, "ledger.jsonl", "holiday.jpg"], at=NOON, kept=timedelta(days=kept))

    stays = {name: age for name, age in moments.items() if name not in gone}
    assert set(gone) <= set(moments)
    assert {name for name, age in moments.items() if age < 48} <= set(stays)
    assert not moments or min(moments.values()) in stays.values()
    assert sum(age > kept * 24 for age in stays.values()) <= 1
    days = {(NOON - timedelta(hours=age)).date() for age in moments.values() if age < 24 * min(7, kept)}
    assert days <= {(NOON - timedelta(hours=age)).date() for age in stays.values()}


def test_backups_of_many_years_stay_few() -> None:
    names: list[str] = []
    for day in range(400):
        at = NOON + timedelta(days=day)
        names.append(f"newsroom-{at.strftime(vault.STAMP)}.tar.age")
        names = sorted(set(names) - set(vault.expired(names, at=at, kept=timedelta(days=35))))

    assert 9 <= len(names) <= 13

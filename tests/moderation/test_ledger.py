"""The removal ledger: one unbroken chain, in the database and in a file outside it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.db import transaction

from moderation import ledger
from moderation.models import LedgerEntry

AT = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


@pytest.fixture
def chain(transactional_db) -> list[LedgerEntry]:
    """Five entries, in the database and in the file."""
    for number in range(1, 6):
        with transaction.atomic():
            ledger.append(kind="upheld", payload={"claim": f"NR-{number}/1", "näme": number}, at=AT)
    return list(LedgerEntry.objects.order_by("seq"))


def file_lines() -> list[bytes]:
    return settings.LEDGER_PATH.read_bytes().splitlines(keepends=True)


def test_entries_are_numbered_without_a_gap_and_each_follows_the_one_before(chain):
    assert [entry.seq for entry in chain] == [1, 2, 3, 4, 5]
    assert [entry.previous for entry in chain] == [ledger.GENESIS, *(entry.hash for entry in chain[:-1])]


def test_the_file_has_every_committed_entry(chain):
    assert [ledger.parse(line).hash for line in file_lines()] == [entry.hash for entry in chain]
    assert ledger.verify() is None

"""The removal ledger: one unbroken chain, in the database and in a file outside it."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from moderation import certificates, ledger
from moderation.ledger import Head, LedgerBehind
from moderation.models import LedgerEntry

TABLE = "moderation_ledgerentry"
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


def past_the_triggers(statement: str, table: str = TABLE) -> None:
    """What somebody does who may do anything in the database."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET session_replication_role = replica")
            cursor.execute(statement)
            cursor.execute("SET session_replication_role = origin")
            return
        cursor.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s", [table]
        )
        triggers = cursor.fetchall()
        for name, _ in triggers:
            cursor.execute(f"DROP TRIGGER {name}")
        cursor.execute(statement)
        for _, sql in triggers:
            cursor.execute(sql)


@pytest.mark.parametrize(
    ("statement", "first_bad", "reason"),
    [
        (f"UPDATE {TABLE} SET payload = '{{}}' WHERE seq = 3", 3, "changed"),
        (f"UPDATE {TABLE} SET kind = 'refused' WHERE seq = 2", 2, "changed"),
        (f"UPDATE {TABLE} SET at = '2020-01-01 00:00:00' WHERE seq = 4", 4, "changed"),
        (f"DELETE FROM {TABLE} WHERE seq = 2", 2, "missing; entry 3"),
        (f"DELETE FROM {TABLE} WHERE seq > 3", 4, "missing; the file has it"),
        (f"DELETE FROM {TABLE}", 1, "missing; the file has it"),
        (f"UPDATE {TABLE} SET payload = 'not JSON' WHERE seq = 5", 5, "not JSON"),
        (f"UPDATE {TABLE} SET previous = hash WHERE seq = 2", 2, "does not follow"),
    ],
)
def test_a_change_by_sql_is_named_by_its_first_bad_entry(chain, statement, first_bad, reason):
    past_the_triggers(statement)

    fault = ledger.verify()

    assert fault is not None
    assert (fault.seq, fault.where) == (first_bad, "database")
    assert reason in fault.reason


@pytest.mark.parametrize(
    ("edit", "first_bad", "reason"),
    [
        (lambda lines: [*lines[:1], lines[1].replace(b"NR-2", b"NR-9"), *lines[2:]], 2, "changed"),
        (lambda lines: [lines[0], *lines[2:]], 2, "missing; entry 3"),
        (lambda lines: [lines[0], lines[2], lines[1], *lines[3:]], 2, "missing; entry 3"),
        (lambda lines: lines[:3], 4, "missing; the database has it"),
        (lambda lines: [], 1, "missing; the database has it"),
        (lambda lines: [*lines[:4], lines[4][:40]], 5, "cut off"),
        (lambda lines: [*lines[:2], b"hello\n", *lines[2:]], 3, "not a line"),
        (lambda lines: [*lines[:2], b"[1]\n", *lines[2:]], 3, "not a line"),
        (lambda lines: [*lines[:4], lines[4].replace(b"{", b"{ ", 1)], 5, "do not say the same"),
    ],
)
def test_a_change_in_an_editor_is_named_by_its_first_bad_entry(chain, edit, first_bad, reason):
    settings.LEDGER_PATH.write_bytes(b"".join(edit(file_lines())))

    fault = ledger.verify()

    assert fault is not None
    assert fault.seq == first_bad
    assert reason in fault.reason


def test_a_ledger_cut_off_or_rewritten_in_both_places_is_found_by_a_published_head(chain):
    published = Head(chain[4].seq, chain[4].hash)
    past_the_triggers(f"DELETE FROM {TABLE} WHERE seq > 3")
    settings.LEDGER_PATH.write_bytes(b"".join(file_lines()[:3]))

    assert ledger.verify() is None
    assert ledger.verify(expected=published).seq == 4

    for _ in range(2):
        with transaction.atomic():
            ledger.append(kind="upheld", payload={"claim": "NR-OTHER/1"}, at=AT)
    assert ledger.verify() is None
    assert ledger.verify(expected=published).seq == 5


def test_what_was_rolled_back_reaches_neither(chain):
    with transaction.atomic():
        ledger.append(kind="upheld", payload={}, at=AT)
        transaction.set_rollback(True)

    assert (LedgerEntry.objects.count(), len(file_lines())) == (5, 5)


def test_an_entry_needs_a_transaction(transactional_db):
    with pytest.raises(RuntimeError, match="transaction"):
        ledger.append(kind="upheld", payload={}, at=AT)


def test_what_a_crash_left_out_of_the_file_is_made_good(chain):
    settings.LEDGER_PATH.write_bytes(b"".join(file_lines()[:3]) + file_lines()[3][:25])
    assert not ledger.is_behind()

    assert ledger.sync() == 2

    assert ledger.verify() is None
    assert ledger.sync() == 0


def test_killed_between_commit_and_file_the_next_entry_brings_both(transactional_db):
    program = (
        "import os, django; django.setup()\n"
        "from django.db import connection, transaction\n"
        "from django.utils import timezone\n"
        "from moderation import ledger\n"
        f"connection.settings_dict['NAME'] = {connection.settings_dict['NAME']!r}\n"
        "with transaction.atomic():\n"
        "    ledger.append(kind='upheld', payload={'claim': 'NR-KILLED/1'}, at=timezone.now())\n"
        "    connection.run_on_commit.insert(0, (set(), lambda: os.kill(os.getpid(), 9), False))\n"
    )
    environ = os.environ | {
        "DJANGO_SETTINGS_MODULE": "newsroom.settings", "LEDGER_PATH": str(settings.LEDGER_PATH)
    }  # fmt: skip
    killed = subprocess.run([sys.executable, "-c", program], cwd=settings.BASE_DIR, env=environ, timeout=60)
    assert killed.returncode == -9
    assert not settings.LEDGER_PATH.exists()

    with transaction.atomic():
        ledger.append(kind="upheld", payload={"claim": "NR-NEXT/1"}, at=AT)

    assert [ledger.parse(line).payload["claim"] for line in file_lines()] == ["NR-KILLED/1", "NR-NEXT/1"]
    assert ledger.verify() is None


def test_a_database_without_the_files_last_entry_is_behind_and_takes_no_new_one(chain):
    assert not ledger.is_behind()
    past_the_triggers(f"DELETE FROM {TABLE} WHERE seq = 5")

    assert ledger.is_behind()
    with pytest.raises(LedgerBehind), transaction.atomic():
        ledger.append(kind="upheld", payload={}, at=AT)
    with pytest.raises(LedgerBehind):
        ledger.sync()


def test_a_database_with_another_entry_of_the_same_number_is_behind_too(chain):
    past_the_triggers(f"UPDATE {TABLE} SET hash = 'f' WHERE seq = 5")

    assert ledger.is_behind()


def test_a_file_that_cannot_be_read_closes_the_site(chain):
    with settings.LEDGER_PATH.open("ab") as file:
        file.write(b"hello\n")

    assert ledger.is_behind()


def test_the_head_is_read_again_when_the_file_grew(chain):
    before = ledger.file_head()
    with transaction.atomic():
        ledger.append(kind="upheld", payload={"claim": "x" * 200_000}, at=AT)

    assert before.seq == 5
    assert ledger.file_head().seq == 6


def test_eight_threads_write_one_unbroken_chain(transactional_db):
    def write(number: int) -> None:
        try:
            for turn in range(5):
                with transaction.atomic():
                    ledger.append(kind="upheld", payload={"claim": f"NR-{number}/{turn}"}, at=AT)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))

    assert LedgerEntry.objects.count() == len(file_lines()) == 40
    assert ledger.verify() is None


def test_the_file_and_the_signing_key_are_their_owners_alone(chain):
    certificates.public_key_pem()

    for name in ("ledger.jsonl", "signing_key.pem"):
        assert (settings.LEDGER_PATH.parent / name).stat().st_mode & 0o777 == 0o600


def test_the_command_says_what_it_found_and_fails_when_it_is_bad(chain, capsys):
    call_command("verify_ledger")
    assert "5 entries, unbroken" in capsys.readouterr().out
    call_command("verify_ledger", "--expect", f"5:{chain[4].hash}")

    past_the_triggers(f"UPDATE {TABLE} SET payload = '{{}}' WHERE seq = 3")
    with pytest.raises(CommandError, match="entry 3 in the database"):
        call_command("verify_ledger")
    with pytest.raises(CommandError, match="as it is published"):
        call_command("verify_ledger", "--expect", "nonsense")

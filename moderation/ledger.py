"""The removal ledger: append-only, hash-chained, in the database and in a file outside it.

Each entry carries the SHA-256 of itself and of the one before, so none can be edited, removed or
moved without every later one telling. The database is written first, in the transaction of the
change; the file follows after the commit. A database that lacks an entry of the file was restored
from an older copy: it is *behind*, and nothing public is served until it was replayed.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from itertools import zip_longest
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.db import connection, transaction

from articles.durable import sync_folder
from articles.models import BlockedWork, Hold, SurfaceSerial
from moderation.models import Claim, LedgerEntry

GENESIS = "0" * 64
TAIL = 64 * 1024
HOLDS_AT_ONCE = 5_000


class LedgerBehind(RuntimeError):
    """The database lacks entries that the file has; nothing may be added before it was replayed."""


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry: its number and its hash, which vouches for all before it."""

    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class Line:
    """One entry as it stands in the file."""

    seq: int
    at: str
    kind: str
    payload: dict[str, Any]
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class Fault:
    """The first entry that is not as it was written."""

    seq: int
    where: str
    reason: str

    def __str__(self) -> str:
        return f"entry {self.seq} in the {self.where}: {self.reason}"


# --- writing ----------------------------------------------------------------------------------


def append(*, kind: str, payload: dict[str, Any], at: datetime) -> LedgerEntry:
    """Add one entry, in the caller's transaction; the file follows after its commit.

    `payload` holds strings, whole numbers, lists and objects, and never personal data: the ledger
    outlives every erasure. Raises LedgerBehind when the database is an older copy.
    """
    return append_all(entries=[(kind, payload)], at=at)[0]


def append_all(*, entries: Iterable[tuple[str, dict[str, Any]]], at: datetime) -> list[LedgerEntry]:
    """Add several entries, pairs of kind and payload, in this order and for the price of one."""
    if not connection.in_atomic_block:
        raise RuntimeError("ledger.append() belongs into the transaction of the change")
    # The lock every change to something public takes anyway, so the two cannot wait for each other.
    # SQLite needs none: a transaction that writes is alone.
    SurfaceSerial.objects.select_for_update().filter(pk=1).first()
    last = _database_head()
    _refuse_older_copy(last)
    rows = []
    for kind, payload in entries:
        rows.append(_entry(kind, payload, at, last))
        last = Head(rows[-1].seq, rows[-1].hash)
    LedgerEntry.objects.bulk_create(rows, batch_size=200)
    if _copy not in [waiting[1] for waiting in connection.run_on_commit]:
        transaction.on_commit(_copy, robust=True)
    return rows


def held(claims: Sequence[Claim]) -> list[tuple[str, dict[str, Any]]]:
    """The entries that say these claims' works are withheld; their blocks are read by the thousand."""
    blocks: dict[int | None, list[tuple[str, str]]] = defaultdict(list)
    ids = [claim.hold_id for claim in claims]
    for start in range(0, len(ids), HOLDS_AT_ONCE):
        some = BlockedWork.objects.filter(hold__in=ids[start : start + HOLDS_AT_ONCE])
        for hold_id, kind, key in some.values_list("hold_id", "kind", "key"):
            blocks[hold_id].append((kind, key))
    return [("held", facts(claim, claim.hold, blocks[claim.hold_id])) for claim in claims]


def facts(claim: Claim, hold: Hold | None, blocks: Iterable[tuple[str, str]] | None = None) -> dict[str, Any]:
    """What the ledger says of a claim: no person, no text, only names and keys that can be compared.

    `blocks` are its hold's, where they were read before.
    """
    payload: dict[str, Any] = {
        "claim": str(claim),
        "article": str(claim.article.key),
        "received_at": moment(claim.notice.received_at),
        "deadline_at": moment(claim.deadline_at),
    }
    if hold is not None:
        payload["effective_at"] = moment(hold.effective_at)
        payload["blocks"] = sorted(hold.blocks.values_list("kind", "key") if blocks is None else blocks)
    return payload


def moment(at: datetime) -> str:
    """A moment as the ledger writes it: UTC, with microseconds."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def canonical(value: Any) -> str:
    """The one spelling of a value, so that its hash is always the same."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _entry(kind: str, payload: dict[str, Any], at: datetime, last: Head | None) -> LedgerEntry:
    seq, previous = (last.seq + 1, last.hash) if last else (1, GENESIS)
    text = canonical(payload)
    digest = digest_of(seq=seq, at=moment(at), kind=kind, payload=json.loads(text), previous=previous)
    return LedgerEntry(seq=seq, at=at, kind=kind, payload=text, previous=previous, hash=digest)


def digest_of(*, seq: int, at: str, kind: str, payload: Any, previous: str) -> str:
    """The hash of an entry: SHA-256 over its canonical JSON, the hash before it included."""
    whole = canonical({"seq": seq, "at": at, "kind": kind, "payload": payload, "previous": previous})
    return hashlib.sha256(whole.encode()).hexdigest()


def _database_head() -> Head | None:
    last = LedgerEntry.objects.order_by("-seq").values_list("seq", "hash").first()
    return Head(*last) if last else None


def _refuse_older_copy(last: Head | None) -> None:
    head = file_head()
    if head is not None and head != last and not knows(head):
        raise LedgerBehind("The database is behind its ledger. Run manage.py replay_ledger.")


# --- the file ---------------------------------------------------------------------------------


def sync() -> int:
    """Bring the file up to the database; returns how many entries it lacked. Safe at any time, from any process."""
    with locked_file() as file:
        head = _mend(file)
        if head is not None and not knows(head):
            raise LedgerBehind("The database is behind its ledger. Run manage.py replay_ledger.")
        missing = LedgerEntry.objects.filter(seq__gt=head.seq if head else 0).order_by("seq")
        lines = [line_of(entry) for entry in missing]
        if lines:
            file.write(b"".join(lines))
            file.flush()
            os.fsync(file.fileno())
    return len(lines)


def _copy() -> None:
    sync()


def line_of(entry: LedgerEntry) -> bytes:
    """An entry as the file has it: one line of JSON."""
    whole = {
        "seq": entry.seq, "at": moment(entry.at), "kind": entry.kind, "payload": json.loads(entry.payload),
        "previous": entry.previous, "hash": entry.hash,
    }  # fmt: skip
    return canonical(whole).encode() + b"\n"


def parse(line: bytes) -> Line:
    """The entry a line of the file holds; ValueError when it holds none."""
    try:
        whole = json.loads(line)
        return Line(**whole)
    except (TypeError, ValueError) as error:
        raise ValueError("not a line of the ledger") from error


@contextmanager
def locked_file() -> Iterator[BinaryIO]:
    """The file, open to read and to append, while no other process or thread has it."""
    path = Path(settings.LEDGER_PATH)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open(path.with_suffix(".lock"), "ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        new = not path.exists()
        with open(os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600), "r+b", buffering=0) as file:
            if new:
                sync_folder(path.parent)
            yield file


def _mend(file: BinaryIO) -> Head | None:
    """Cut off a last line that a crash left half written; the database has it whole."""
    tail, start = _tail(file)
    whole = tail[: tail.rfind(b"\n") + 1]
    if len(whole) < len(tail):
        os.ftruncate(file.fileno(), start + len(whole))
    return _head_in(whole)


def _tail(file: BinaryIO) -> tuple[bytes, int]:
    """The end of the file with at least one whole line, if it has any, and where that end begins."""
    size, reach = os.fstat(file.fileno()).st_size, TAIL
    while True:
        start = max(0, size - reach)
        tail = os.pread(file.fileno(), size - start, start)
        if start == 0 or tail.count(b"\n") > 1:
            return tail, start
        reach *= 4


def _head_in(tail: bytes) -> Head | None:
    lines = tail[: tail.rfind(b"\n") + 1].splitlines()
    if not lines:
        return None
    try:
        last = parse(lines[-1])
    except ValueError:
        # Somebody wrote into the file. Nothing in any database answers to this head, so the site
        # stays closed until verify_ledger was read by a person.
        return Head(-1, "unreadable")
    return Head(last.seq, last.hash)


# --- comparing --------------------------------------------------------------------------------


def is_behind() -> bool:
    """True when the file outside knows of removals that this database does not.

    A stat of the file and, when there is one, one look-up by primary key: nothing about the database
    is remembered, so one that is swapped under a running process is noticed at once.
    """
    head = file_head()
    return head is not None and not knows(head)


def file_head() -> Head | None:
    """The file's last entry, read again only when the file changed.

    A database that has no row with this `seq` and `hash` in moderation_ledgerentry is behind.
    """
    try:
        found = os.stat(settings.LEDGER_PATH)
    except FileNotFoundError:
        return None
    return _read_head(str(settings.LEDGER_PATH), found.st_mtime_ns, found.st_size, found.st_ino)


@lru_cache(maxsize=8)
def _read_head(path: str, mtime_ns: int, size: int, inode: int) -> Head | None:
    with open(path, "rb") as file:
        return _head_in(_tail(file)[0])


# The same question inside another statement, with `seq` and `hash` as its parameters.
KNOWS = "EXISTS (SELECT 1 FROM moderation_ledgerentry WHERE seq = %s AND hash = %s)"


def knows(head: Head) -> bool:
    """True when the database has this very entry."""
    return LedgerEntry.objects.filter(seq=head.seq, hash=head.hash).exists()


def arrival_of(reference: str) -> str:
    """When the notice with this reference arrived, as the file has it; "" when the file does not know it."""
    for line in file_lines():
        if reference.encode() in line:
            entry = parse(line)
            if entry.kind == "received" and entry.payload.get("reference") == reference:
                return str(entry.payload["received_at"])
    return ""


def verify(*, expected: Head | None = None) -> Fault | None:
    """The first entry that is not as it was written, in the database or in the file; None when all are.

    `expected` is a head seen earlier, such as one published on /transparency/: with it even a ledger
    rewritten or cut off in both places at once is found out.
    """
    previous, seq = GENESIS, 0
    pairs = zip_longest(LedgerEntry.objects.order_by("seq").iterator(2000), file_lines())
    for seq, (entry, line) in enumerate(pairs, 1):
        fault = (
            _fault_in_database(entry, seq, previous)
            or _fault_in_file(line, seq, previous)
            or _difference(entry, line, seq)
            or _surprise(entry, seq, expected)
        )
        if fault:
            return fault
        previous = entry.hash
    if expected and expected.seq > seq:
        return Fault(seq + 1, "database and file", f"cut off; entry {expected.seq} was published")
    return None


def file_lines() -> Iterator[bytes]:
    """The file's lines as they stand; the last may be half of one."""
    try:
        with open(settings.LEDGER_PATH, "rb") as file:
            yield from file
    except FileNotFoundError:
        return


def _fault_in_database(entry: LedgerEntry | None, seq: int, previous: str) -> Fault | None:
    if entry is None:
        return Fault(seq, "database", "missing; the file has it")
    try:
        payload = json.loads(entry.payload)
    except ValueError:
        return Fault(seq, "database", "its payload is not JSON")
    stored = Line(entry.seq, moment(entry.at), entry.kind, payload, entry.previous, entry.hash)
    return fault_in(stored, seq, previous, "database")


def _fault_in_file(line: bytes | None, seq: int, previous: str) -> Fault | None:
    if line is None:
        return Fault(seq, "file", "missing; the database has it")
    if not line.endswith(b"\n"):
        return Fault(seq, "file", "cut off in the middle of the line")
    try:
        return fault_in(parse(line), seq, previous, "file")
    except ValueError as error:
        return Fault(seq, "file", str(error))


def fault_in(line: Line, seq: int, previous: str, where: str) -> Fault | None:
    """What is wrong with this line as entry `seq` after the one with the hash `previous`, if anything is."""
    if line.seq != seq:
        return Fault(seq, where, f"missing; entry {line.seq} stands in its place")
    if line.previous != previous:
        return Fault(seq, where, "does not follow the entry before it")
    whole = {"seq": line.seq, "at": line.at, "kind": line.kind, "payload": line.payload}
    if line.hash != digest_of(**whole, previous=line.previous):  # type: ignore[arg-type]
        return Fault(seq, where, "changed after it was written")
    return None


def fault_in_lines(lines: Iterable[bytes], seq: int = 0, previous: str = GENESIS) -> Fault | None:
    """The first fault in these lines of the file, which follow entry `seq` with the hash `previous`."""
    for number, line in enumerate(lines, seq + 1):
        if fault := _fault_in_file(line, number, previous):
            return fault
        previous = parse(line).hash
    return None


def _difference(entry: LedgerEntry | None, line: bytes | None, seq: int) -> Fault | None:
    if entry is None or line is None or line_of(entry) == line:
        return None
    return Fault(seq, "database and file", "the two do not say the same")


def _surprise(entry: LedgerEntry | None, seq: int, expected: Head | None) -> Fault | None:
    if expected and entry and expected.seq == seq and expected.hash != entry.hash:
        return Fault(seq, "database and file", "not the entry that was published")
    return None

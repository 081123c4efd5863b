"""What SQLite's full-text indexes still know of words that are gone, and how they are made to forget it.

Until its parts are merged, FTS5 keeps the words (not the text) of a row that was changed or deleted. It keeps those
parts on levels, newer ones on lower levels, and a merge of all puts what is left on a level of its own above. At 2,000
levels it calls itself malformed, and nothing can be indexed or removed any more: after some thousand removals. A level
without parts says nothing, so those are taken out of the record of the structure. Its form is told in SQLite's
ext/fts5/fts5_index.c ("Structure Record"): a cookie of four bytes, then numbers of variable length: levels, parts,
writes; for each level how many of its parts are being merged and how many there are; for each part three numbers.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

TABLES = (
    "articles_searchindex",
    "articles_media_words",
    "articles_contributor_words",
    "articles_contributorname_words",
    "articles_story_words",
)
MOST = 200
_COOKIE, _STRUCTURE = 4, 10
# After the cookie of a record of another form, which only versions write that bound their levels themselves.
_OTHER_FORM = b"\xff\x00\x00\x01"


def forget() -> None:
    """Let the indexes drop the words of rows that are gone, in the transaction that changed them. PostgreSQL did."""
    if connection.vendor != "sqlite":
        return
    trimmed = False
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"INSERT INTO {table} ({table}, rank) VALUES ('merge', -500)")  # noqa: S608
            trimmed |= _trim(cursor, table)
    if trimmed:
        # What is undone makes a connection forget the structures that it keeps in memory.
        transaction.savepoint_rollback(transaction.savepoint())


def _trim(cursor: CursorWrapper, table: str) -> bool:
    """Whether an index had too many levels, and has few now."""
    cursor.execute(f"SELECT block FROM {table}_data WHERE id = %s", [_STRUCTURE])  # noqa: S608
    before = bytes(cursor.fetchone()[0])
    after = without_empty_levels(before)
    if after != before:
        cursor.execute(f"UPDATE {table}_data SET block = %s WHERE id = %s", [after, _STRUCTURE])  # noqa: S608
    return after != before


def without_empty_levels(record: bytes) -> bytes:
    """The same structure on as few levels as can be, when it has more than `MOST`; else the record as it is."""
    if record[_COOKIE:].startswith(_OTHER_FORM):
        return record
    numbers = _numbers(record[_COOKIE:])
    count, parts, writes = next(numbers), next(numbers), next(numbers)
    if count <= MOST:
        return record
    levels = [_level(numbers) for _ in range(count)]
    filled = [level for level in levels if level[1]]
    said = [len(filled), parts, writes, *(number for level in filled for number in level)]
    return record[:_COOKIE] + b"".join(map(_written, said))


def _level(numbers: Iterator[int]) -> list[int]:
    merging, parts = next(numbers), next(numbers)
    return [merging, parts, *(next(numbers) for _ in range(3 * parts))]


def _numbers(data: bytes) -> Iterator[int]:
    """SQLite's numbers: seven bits a byte, the highest first, the eighth bit set on all but the last."""
    number = 0
    for byte in data:
        number = number << 7 | byte & 0x7F
        if byte < 0x80:
            yield number
            number = 0


def _written(number: int) -> bytes:
    groups = [number & 0x7F]
    while number := number >> 7:
        groups.append(number & 0x7F | 0x80)
    return bytes(reversed(groups))

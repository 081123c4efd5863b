"""Every place where words may be left: each column of each table of the database, each file, unpacked."""

from __future__ import annotations

import base64
import binascii
import gzip
import re
import unicodedata
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import brotli
from django.contrib.sessions.models import Session
from django.db import connection

_ESCAPED = re.compile(r"\\u([0-9a-f]{4})", re.I)


def places_with(phrases: list[str], *folders: Path) -> dict[str, set[str]]:
    """Where each phrase can still be read, whatever the letters' case."""
    found: dict[str, set[str]] = {}
    for place, text in [*_database(), *_sessions(), *_files(*folders)]:
        for phrase in phrases:
            if phrase.casefold() in text:
                found.setdefault(phrase, set()).add(place)
    return found


def _database() -> Iterator[tuple[str, str]]:
    with connection.cursor() as cursor:
        for table in sorted(tables(cursor)):
            # Not through the models: a table no model knows of may keep words as well.
            cursor.execute(f'SELECT * FROM "{table}"')
            columns = [column[0] for column in cursor.description]
            for row in cursor.fetchall():
                for column, value in zip(columns, row, strict=True):
                    yield from ((f"{table}.{column}", text) for text in _readings(value))


def tables(cursor: Any) -> list[str]:
    if connection.vendor == "sqlite":
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    else:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
    return [name for (name,) in cursor.fetchall()]


def _sessions() -> Iterator[tuple[str, str]]:
    for session in Session.objects.all():
        yield "a session", str(session.get_decoded()).casefold()


def _files(*folders: Path) -> Iterator[tuple[str, str]]:
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file():
                yield from ((str(path), text) for text in _readings(path.read_bytes()))


def _readings(value: Any) -> Iterator[str]:
    """The value as text in every packing we know, folded as a search would fold it."""
    if value is None:
        return
    raw = bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
    for unpack in (bytes, gzip.decompress, brotli.decompress, zlib.decompress, _from_base64):
        try:
            text = unpack(raw).decode("utf-8", "ignore")
        except (OSError, EOFError, zlib.error, brotli.error, binascii.Error, ValueError):
            continue
        yield text.casefold()
        if "\\u" in text:
            yield _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text).casefold()
        if "%" in text:
            yield unquote_plus(text).casefold()
        yield unicodedata.normalize("NFKC", text).casefold()


def _from_base64(raw: bytes) -> bytes:
    return base64.b64decode(raw, validate=True)

"""Pictures, people and stories by their words, from an index of the database's own, for the desk's lists.

Migration 0029 makes it: on SQLite an FTS5 table that triggers keep, on PostgreSQL an index over the expression below.
"""

from __future__ import annotations

import re
from typing import Any

from django.db import connection
from django.db.models import Model, QuerySet
from django.db.models.expressions import RawSQL

from articles.models import Contributor, ContributorName, Media, Story

# Of a common word so many rows are looked through, and so many of the newest of them are found.
LOOKED_THROUGH, FOUND, MOST_WORDS = 20_000, 500, 8
COLUMNS: dict[type[Model], tuple[str, ...]] = {
    Media: ("alt", "caption", "credit", "holder"),
    Contributor: ("name", "name_key"),
    ContributorName: ("name", "name_key"),
    Story: ("headline",),
}
_WORDS = re.compile(r"\w+")


def having(rows: QuerySet[Any], typed: str) -> QuerySet[Any]:
    """Of these rows the newest that have each of the words, or one that begins with it."""
    words = _WORDS.findall(typed.lower())[:MOST_WORDS]
    return rows.filter(pk__in=_found(rows.model, words)) if words else rows.none()


def _found(model: type[Model], words: list[str]) -> RawSQL:
    table = model._meta.db_table
    if connection.vendor == "sqlite":
        match = " ".join(f'"{word}"*' for word in words)
        found = (
            f"SELECT rowid FROM {table}_words WHERE {table}_words MATCH %s ORDER BY rowid DESC LIMIT {FOUND}"  # noqa: S608
        )
        return RawSQL(f"SELECT rowid FROM ({found})", [match])  # noqa: S608, S611
    match = " & ".join(f"{word}:*" for word in words)
    condition = f"{vector(COLUMNS[model])} @@ to_tsquery('simple', %s)"
    some = f"SELECT id FROM {table} WHERE {condition} LIMIT {LOOKED_THROUGH}"  # noqa: S608
    return RawSQL(f"SELECT id FROM ({some}) AS matched ORDER BY id DESC LIMIT {FOUND}", [match])  # noqa: S608, S611


def vector(columns: tuple[str, ...]) -> str:
    """What PostgreSQL's index is over; a question in other words would not be answered from it."""
    text = " || ' ' || ".join(columns)
    return f"to_tsvector('simple', {text})"

# ruff: noqa: S608
"""An index over the words of pictures, people and stories, for searches at the desk."""

from __future__ import annotations

from typing import Any

from django.db import migrations

# The statements below are built from constants alone.
INDEXED = {
    "articles_media": ("alt", "caption", "credit", "holder"),
    "articles_contributor": ("name", "name_key"),
    "articles_contributorname": ("name", "name_key"),
    "articles_story": ("headline",),
}


def of_sqlite(table: str, columns: tuple[str, ...]) -> list[str]:
    index, listed = f"{table}_words", ", ".join(columns)
    new, old = (", ".join(f"{row}.{name}" for name in ("id", *columns)) for row in ("new", "old"))
    gone = f"INSERT INTO {index} ({index}, rowid, {listed}) VALUES ('delete', {old});"
    come = f"INSERT INTO {index} (rowid, {listed}) VALUES ({new});"
    changed = f"AFTER UPDATE OF {listed} ON {table}"
    return [
        f"CREATE VIRTUAL TABLE {index} USING fts5({listed}, content='{table}', content_rowid='id',"
        " tokenize=\"unicode61 remove_diacritics 2\", prefix='2 3', columnsize=0, detail=none)",
        f"INSERT INTO {index} ({index}) VALUES ('rebuild')",
        f"CREATE TRIGGER {index}_insert AFTER INSERT ON {table} BEGIN {come} END",
        f"CREATE TRIGGER {index}_delete AFTER DELETE ON {table} BEGIN {gone} END",
        f"CREATE TRIGGER {index}_update {changed} BEGIN {gone} {come} END",
    ]


def of_postgresql(table: str, columns: tuple[str, ...]) -> list[str]:
    text = " || ' ' || ".join(columns)
    return [f"CREATE INDEX {table}_words ON {table} USING gin (to_tsvector('simple', {text}))"]


def add(apps: Any, schema_editor: Any) -> None:
    make = of_sqlite if schema_editor.connection.vendor == "sqlite" else of_postgresql
    for table, columns in INDEXED.items():
        for statement in make(table, columns):
            schema_editor.execute(statement, params=None)


def remove(apps: Any, schema_editor: Any) -> None:
    for table in INDEXED:
        if schema_editor.connection.vendor == "sqlite":
            for change in ("insert", "delete", "update"):
                schema_editor.execute(f"DROP TRIGGER {table}_words_{change}", params=None)
            schema_editor.execute(f"DROP TABLE {table}_words", params=None)
        else:
            schema_editor.execute(f"DROP INDEX {table}_words", params=None)


class Migration(migrations.Migration):
    dependencies = [("articles", "0028_illustrations")]
    operations = [migrations.RunPython(add, remove)]

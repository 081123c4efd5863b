# ruff: noqa: S608
"""Full-text search: a row of folded words an article, and over it the database's own index."""

from __future__ import annotations

from typing import Any

import django.db.models.deletion
from django.db import Error, migrations, models, transaction

# The statements below are built from constants alone.
COLUMNS = "headline, names, standfirst, body, facets"
NEW = "new.article_id, new.headline, new.names, new.standfirst, new.body, new.facets"
OLD = NEW.replace("new.", "old.")
SQLITE = [
    f"""
    CREATE VIRTUAL TABLE articles_searchindex USING fts5(
        {COLUMNS}, content='articles_searchrow', content_rowid='article_id',
        tokenize="unicode61 remove_diacritics 0", prefix='2 3', columnsize=0
    )
    """,
    "CREATE VIRTUAL TABLE articles_searchwords USING fts5vocab('articles_searchindex', 'row')",
    f"""
    CREATE TRIGGER articles_search_insert AFTER INSERT ON articles_searchrow BEGIN
        INSERT INTO articles_searchindex (rowid, {COLUMNS}) VALUES ({NEW});
    END
    """,
    f"""
    CREATE TRIGGER articles_search_delete AFTER DELETE ON articles_searchrow BEGIN
        INSERT INTO articles_searchindex (articles_searchindex, rowid, {COLUMNS}) VALUES ('delete', {OLD});
    END
    """,
    f"""
    CREATE TRIGGER articles_search_update AFTER UPDATE ON articles_searchrow BEGIN
        INSERT INTO articles_searchindex (articles_searchindex, rowid, {COLUMNS}) VALUES ('delete', {OLD});
        INSERT INTO articles_searchindex (rowid, {COLUMNS}) VALUES ({NEW});
    END
    """,
]
# Two vectors: what stands on top of an article is small, so that its statistics are its own.
POSTGRESQL = [
    """
    ALTER TABLE articles_searchrow
        ADD COLUMN top tsvector GENERATED ALWAYS AS (
            setweight(to_tsvector('simple', headline), 'A') || setweight(to_tsvector('simple', names), 'B')
            || setweight(to_tsvector('simple', standfirst), 'C')
        ) STORED,
        ADD COLUMN whole tsvector GENERATED ALWAYS AS (
            to_tsvector('simple', headline || ' ' || names || ' ' || standfirst || ' ' || body || ' ' || facets)
        ) STORED
    """,
    "CREATE INDEX articles_search_top ON articles_searchrow USING gin (top)",
    "CREATE INDEX articles_search_whole ON articles_searchrow USING gin (whole)",
]
SPELLING = [
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    "CREATE INDEX articles_search_spelling ON articles_searchrow USING gin ((headline || ' ' || names) gin_trgm_ops)",
]


def add(apps: Any, schema_editor: Any) -> None:
    vendor = schema_editor.connection.vendor
    for statement in SQLITE if vendor == "sqlite" else POSTGRESQL:
        schema_editor.execute(statement, params=None)
    if vendor == "sqlite":
        _secure_delete(schema_editor)
        return
    try:
        with transaction.atomic(using=schema_editor.connection.alias):
            for statement in SPELLING:
                schema_editor.execute(statement, params=None)
    except Error:
        # Without the extension, or the right to make it, search finds all but the misspelt.
        pass


def _secure_delete(schema_editor: Any) -> None:
    import sqlite3

    if sqlite3.sqlite_version_info >= (3, 42):
        schema_editor.execute(
            "INSERT INTO articles_searchindex (articles_searchindex, rank) VALUES ('secure-delete', 1)", params=None
        )


def remove(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "sqlite":
        for table in ("articles_searchwords", "articles_searchindex"):
            schema_editor.execute(f"DROP TABLE {table}")


class Migration(migrations.Migration):
    dependencies = [("articles", "0003_ready_pages")]
    operations = [
        migrations.CreateModel(
            name="SearchRow",
            fields=[
                (
                    "article",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="articles.article",
                    ),
                ),
                ("headline", models.TextField()),
                ("names", models.TextField(help_text="Contributors, tags and source.")),
                ("standfirst", models.TextField()),
                ("body", models.TextField()),
                ("facets", models.TextField(help_text="Language, source and tags as single words.")),
            ],
        ),
        migrations.RunPython(add, remove),
    ]

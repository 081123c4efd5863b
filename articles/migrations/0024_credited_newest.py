"""A person's newest articles in the order of one index: the date is copied beside the credit, by the database itself."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models

FILL = """
UPDATE articles_contribution SET published_at =
    (SELECT published_at FROM articles_article WHERE id = articles_contribution.article_id)
"""
SQLITE = (
    """
    CREATE TRIGGER articles_credited_insert AFTER INSERT ON articles_contribution
    WHEN NEW.published_at IS NULL
    BEGIN
        UPDATE articles_contribution SET published_at =
            (SELECT published_at FROM articles_article WHERE id = NEW.article_id)
        WHERE id = NEW.id;
    END
    """,
    """
    CREATE TRIGGER articles_credited_move AFTER UPDATE OF published_at ON articles_article
    WHEN NEW.published_at IS NOT OLD.published_at
    BEGIN
        UPDATE articles_contribution SET published_at = NEW.published_at WHERE article_id = NEW.id;
    END
    """,
)
POSTGRESQL = (
    """
    CREATE FUNCTION articles_credited_date() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.published_at IS NULL THEN
            SELECT published_at INTO NEW.published_at FROM articles_article WHERE id = NEW.article_id;
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER articles_credited_insert BEFORE INSERT ON articles_contribution
        FOR EACH ROW EXECUTE FUNCTION articles_credited_date()
    """,
    """
    CREATE FUNCTION articles_credited_dates() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        UPDATE articles_contribution SET published_at = NEW.published_at WHERE article_id = NEW.id;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER articles_credited_move AFTER UPDATE OF published_at ON articles_article
        FOR EACH ROW WHEN (NEW.published_at IS DISTINCT FROM OLD.published_at)
        EXECUTE FUNCTION articles_credited_dates()
    """,
)


def add(apps: Any, schema_editor: Any) -> None:
    schema_editor.execute(FILL, params=None)
    for statement in POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE:
        schema_editor.execute(statement, params=None)


def remove(apps: Any, schema_editor: Any) -> None:
    on_postgresql = schema_editor.connection.vendor == "postgresql"
    for name, table in (("insert", "contribution"), ("move", "article")):
        schema_editor.execute(
            f"DROP TRIGGER articles_credited_{name}" + (f" ON articles_{table}" if on_postgresql else "")
        )
    if on_postgresql:
        schema_editor.execute("DROP FUNCTION articles_credited_date()")
        schema_editor.execute("DROP FUNCTION articles_credited_dates()")


class Migration(migrations.Migration):
    lock_note = "Credits are narrow rows and are all written anew here anyway; the index is made in the same go."
    dependencies = [("articles", "0023_story_addresses")]
    operations = [
        migrations.RemoveIndex(model_name="contribution", name="contribution_of"),
        migrations.AddField(
            model_name="contribution",
            name="published_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.RunPython(add, remove),
        migrations.AddIndex(
            model_name="contribution",
            index=models.Index(fields=["contributor", "-published_at", "-article"], name="credited_newest"),
        ),
    ]

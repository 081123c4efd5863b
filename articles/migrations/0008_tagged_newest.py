"""A tag's newest articles in the order of one index: the date is copied beside the tag, by the database itself."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models

FILL = """
UPDATE articles_taggedarticle SET published_at =
    (SELECT published_at FROM articles_article WHERE id = articles_taggedarticle.content_object_id)
"""
SQLITE = (
    """
    CREATE TRIGGER articles_tagged_insert AFTER INSERT ON articles_taggedarticle
    WHEN NEW.published_at IS NULL
    BEGIN
        UPDATE articles_taggedarticle SET published_at =
            (SELECT published_at FROM articles_article WHERE id = NEW.content_object_id)
        WHERE id = NEW.id;
    END
    """,
    """
    CREATE TRIGGER articles_tagged_move AFTER UPDATE OF published_at ON articles_article
    WHEN NEW.published_at IS NOT OLD.published_at
    BEGIN
        UPDATE articles_taggedarticle SET published_at = NEW.published_at WHERE content_object_id = NEW.id;
    END
    """,
)
POSTGRESQL = (
    """
    CREATE FUNCTION articles_tagged_date() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.published_at IS NULL THEN
            SELECT published_at INTO NEW.published_at FROM articles_article WHERE id = NEW.content_object_id;
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER articles_tagged_insert BEFORE INSERT ON articles_taggedarticle
        FOR EACH ROW EXECUTE FUNCTION articles_tagged_date()
    """,
    """
    CREATE FUNCTION articles_tagged_dates() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        UPDATE articles_taggedarticle SET published_at = NEW.published_at WHERE content_object_id = NEW.id;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER articles_tagged_move AFTER UPDATE OF published_at ON articles_article
        FOR EACH ROW WHEN (NEW.published_at IS DISTINCT FROM OLD.published_at)
        EXECUTE FUNCTION articles_tagged_dates()
    """,
)


def add(apps: Any, schema_editor: Any) -> None:
    schema_editor.execute(FILL, params=None)
    for statement in POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE:
        schema_editor.execute(statement, params=None)


def remove(apps: Any, schema_editor: Any) -> None:
    on_postgresql = schema_editor.connection.vendor == "postgresql"
    for name, table in (("insert", "taggedarticle"), ("move", "article")):
        schema_editor.execute(
            f"DROP TRIGGER articles_tagged_{name}" + (f" ON articles_{table}" if on_postgresql else "")
        )
    if on_postgresql:
        schema_editor.execute("DROP FUNCTION articles_tagged_date()")
        schema_editor.execute("DROP FUNCTION articles_tagged_dates()")


class Migration(migrations.Migration):
    dependencies = [("articles", "0007_guid_key")]
    operations = [
        migrations.RemoveIndex(model_name="taggedarticle", name="tagged_by_tag"),
        migrations.AddField(
            model_name="taggedarticle",
            name="published_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.RunPython(add, remove),
        migrations.AddIndex(
            model_name="taggedarticle",
            index=models.Index(fields=["tag", "-published_at", "-content_object"], name="tagged_newest"),
        ),
    ]

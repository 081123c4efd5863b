"""What pages need of an article's text, kept beside it; any change to the text deletes it."""

from __future__ import annotations

from typing import Any

import django.db.models.deletion
from django.db import migrations, models

CHANGED = " OR ".join(f"NEW.{name} {{differs}} OLD.{name}" for name in ("headline", "standfirst", "body"))
SQLITE = (
    f"""
    CREATE TRIGGER articles_prepared_stale AFTER UPDATE OF headline, standfirst, body ON articles_article
    WHEN {CHANGED.format(differs="IS NOT")}
    BEGIN
        DELETE FROM articles_prepared WHERE article_id = NEW.id;
    END
    """,  # noqa: S608
)
POSTGRESQL = (
    """
    CREATE FUNCTION articles_prepared_stale() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        DELETE FROM articles_prepared WHERE article_id = NEW.id;
        RETURN NULL;
    END $$
    """,
    f"""
    CREATE TRIGGER articles_prepared_stale AFTER UPDATE OF headline, standfirst, body ON articles_article
        FOR EACH ROW WHEN ({CHANGED.format(differs="IS DISTINCT FROM")})
        EXECUTE FUNCTION articles_prepared_stale()
    """,
)


def add(apps: Any, schema_editor: Any) -> None:
    for statement in POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE:
        schema_editor.execute(statement, params=None)


def remove(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP TRIGGER articles_prepared_stale ON articles_article")
        schema_editor.execute("DROP FUNCTION articles_prepared_stale()")
    else:
        schema_editor.execute("DROP TRIGGER articles_prepared_stale")


class Migration(migrations.Migration):
    dependencies = [("articles", "0016_rights_signals")]
    operations = [
        migrations.CreateModel(
            name="Prepared",
            fields=[
                (
                    "article",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="prepared",
                        serialize=False,
                        to="articles.article",
                    ),
                ),
                ("opening", models.TextField(help_text="The first words, as plain text.")),
                ("minutes", models.PositiveSmallIntegerField(default=0)),
                ("read_next", models.JSONField(help_text="Keys of articles near this one, nearest first.", null=True)),
                ("read_next_at", models.DateTimeField(null=True)),
                ("due_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="prepared_due"
                    )
                ]
            },
        ),
        migrations.RunPython(add, remove),
    ]

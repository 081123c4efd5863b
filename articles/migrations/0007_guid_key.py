"""The feed's identifier as a key of its own, by which the database keeps a withheld work out too."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models

MATCHES = """
    EXISTS (
        SELECT 1 FROM articles_blockedwork b JOIN articles_hold h ON h.id = b.hold_id
        WHERE b.article_id <> COALESCE(NEW.id, 0)
          AND ((b.kind = 'address' AND b.key = NEW.url_key)
            OR (b.kind = 'guid' AND NEW.guid_key <> '' AND b.key = NEW.guid_key)
            OR (b.kind = 'text' AND NEW.text_key <> '' AND b.key = NEW.text_key)
            OR (b.kind = 'title_day' AND NEW.title_day_key <> '' AND b.key = NEW.title_day_key))
          AND h.released_at IS NULL
          AND (h.latched_at IS NOT NULL OR h.effective_at <= {now})
    )
"""
MESSAGE = "this work was removed at its owner''s request"
KEYS = "url_key, guid_key, text_key, title_day_key"
SQLITE = """
CREATE TRIGGER articles_block_{when} BEFORE {event} ON articles_article
WHEN {matches}
BEGIN SELECT RAISE(ABORT, '{message}'); END
"""
POSTGRESQL = """
CREATE OR REPLACE FUNCTION articles_block() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF {matches} THEN
        RAISE EXCEPTION '{message}' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
DROP TRIGGER articles_block_update ON articles_article;
CREATE TRIGGER articles_block_update BEFORE UPDATE OF {keys} ON articles_article
    FOR EACH ROW EXECUTE FUNCTION articles_block();
"""


def add(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        matches = MATCHES.format(now="statement_timestamp()")
        schema_editor.execute(POSTGRESQL.format(matches=matches, message=MESSAGE, keys=KEYS), params=None)
        return
    matches = MATCHES.format(now="STRFTIME('%Y-%m-%d %H:%M:%f', 'NOW')")
    for when, event in {"insert": "INSERT", "update": f"UPDATE OF {KEYS}"}.items():
        schema_editor.execute(f"DROP TRIGGER IF EXISTS articles_block_{when}", params=None)
        schema_editor.execute(
            SQLITE.format(when=when, event=event, matches=matches, message=MESSAGE), params=None
        )


class Migration(migrations.Migration):
    dependencies = [("articles", "0006_newest_first")]
    operations = [
        migrations.AddField(
            model_name="article",
            name="guid_key",
            field=models.CharField(
                blank=True,
                default="",
                editable=False,
                help_text="SHA-256 of the identifier its feed gave it.",
                max_length=64,
            ),
        ),
        migrations.AddIndex(
            model_name="article",
            index=models.Index(
                condition=models.Q(("guid_key", ""), _negated=True), fields=["guid_key"], name="article_guid"
            ),
        ),
        migrations.RunPython(add, migrations.RunPython.noop),
    ]

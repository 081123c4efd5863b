"""The one serial row, and the triggers by which the database itself keeps a withheld work out."""

from __future__ import annotations

from typing import Any

from django.db import migrations

MATCHES = """
    EXISTS (
        SELECT 1 FROM articles_blockedwork b JOIN articles_hold h ON h.id = b.hold_id
        WHERE b.article_id <> COALESCE(NEW.id, 0)
          AND ((b.kind = 'address' AND b.key = NEW.url_key)
            OR (b.kind = 'text' AND NEW.text_key <> '' AND b.key = NEW.text_key)
            OR (b.kind = 'title_day' AND NEW.title_day_key <> '' AND b.key = NEW.title_day_key))
          AND h.released_at IS NULL
          AND (h.latched_at IS NOT NULL OR h.effective_at <= {now})
    )
"""
MESSAGE = "this work was removed at its owner's request"
SQLITE = """
CREATE TRIGGER articles_block_{when} BEFORE {event} ON articles_article
WHEN {matches}
BEGIN SELECT RAISE(ABORT, '{message}'); END
"""
POSTGRESQL = """
CREATE FUNCTION articles_block() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF {matches} THEN
        RAISE EXCEPTION '{message}' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER articles_block_insert BEFORE INSERT ON articles_article
    FOR EACH ROW EXECUTE FUNCTION articles_block();
CREATE TRIGGER articles_block_update BEFORE UPDATE OF url_key, text_key, title_day_key ON articles_article
    FOR EACH ROW EXECUTE FUNCTION articles_block();
"""


def add(apps: Any, schema_editor: Any) -> None:
    apps.get_model("articles", "SurfaceSerial").objects.create(pk=1)
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            POSTGRESQL.format(matches=MATCHES.format(now="statement_timestamp()"), message=MESSAGE.replace("'", "''"))
        )
        return
    matches = MATCHES.format(now="STRFTIME('%Y-%m-%d %H:%M:%f', 'NOW')")
    events = {"insert": "INSERT", "update": "UPDATE OF url_key, text_key, title_day_key"}
    for when, event in events.items():
        schema_editor.execute(
            SQLITE.format(when=when, event=event, matches=matches, message=MESSAGE.replace("'", "''")), params=None
        )


def remove(apps: Any, schema_editor: Any) -> None:
    table = " ON articles_article" if schema_editor.connection.vendor == "postgresql" else ""
    for when in ("insert", "update"):
        schema_editor.execute(f"DROP TRIGGER articles_block_{when}{table}")
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP FUNCTION articles_block()")


class Migration(migrations.Migration):
    dependencies = [("articles", "0001_initial")]
    operations = [migrations.RunPython(add, remove)]

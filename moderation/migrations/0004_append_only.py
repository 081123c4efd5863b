"""History is written once: the database itself refuses to change or delete a row of it."""

from __future__ import annotations

from typing import Any

from django.db import migrations

TABLES = ("moderation_ledgerentry", "moderation_claimevent", "moderation_decision")
EVENTS = ("UPDATE", "DELETE")
MESSAGE = "rows of this table are written once"
SQLITE = """
CREATE TRIGGER {table}_no_{event} BEFORE {event} ON {table}
BEGIN SELECT RAISE(ABORT, '{message}'); END
"""
FUNCTION = """
CREATE FUNCTION moderation_written_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '{message}' USING ERRCODE = 'integrity_constraint_violation';
END $$
"""
POSTGRESQL = """
CREATE TRIGGER {table}_no_{event} BEFORE {event} ON {table}
    FOR EACH ROW EXECUTE FUNCTION moderation_written_once()
"""


def add(apps: Any, schema_editor: Any) -> None:
    postgresql = schema_editor.connection.vendor == "postgresql"
    if postgresql:
        schema_editor.execute(FUNCTION.format(message=MESSAGE), params=None)
    trigger = POSTGRESQL if postgresql else SQLITE
    for table in TABLES:
        for event in EVENTS:
            schema_editor.execute(trigger.format(table=table, event=event, message=MESSAGE), params=None)


def remove(apps: Any, schema_editor: Any) -> None:
    postgresql = schema_editor.connection.vendor == "postgresql"
    for table in TABLES:
        for event in EVENTS:
            on = f" ON {table}" if postgresql else ""
            schema_editor.execute(f"DROP TRIGGER {table}_no_{event}{on}", params=None)
    if postgresql:
        schema_editor.execute("DROP FUNCTION moderation_written_once()", params=None)


class Migration(migrations.Migration):
    dependencies = [("moderation", "0003_probe_plans")]
    operations = [migrations.RunPython(add, remove)]

"""Standing rules of owners who opted out, and the triggers by which the database itself obeys them."""

from __future__ import annotations

import uuid
from typing import Any

import django.db.models.deletion
from django.db import migrations, models

MATCHES = """
    NEW.state <> 'erased' AND EXISTS (
        SELECT 1 FROM articles_optout o LEFT JOIN articles_source s ON s.id = NEW.source_id
        WHERE o.lifted_at IS NULL
          AND (o.domain = s.domain OR {ends_with_domain})
          AND (o.kind = 'source' OR (o.kind = 'path' AND SUBSTR({path}, 1, LENGTH(o.value)) = o.value))
    )
"""
MESSAGE = "its owner does not want this shown here"
CHANGED = "NEW.canonical_url <> OLD.canonical_url OR NEW.source_id IS {other} OLD.source_id"
SQLITE = """
CREATE TRIGGER articles_opted_out_{when} BEFORE {event} ON articles_article
WHEN {changed} {matches}
BEGIN SELECT RAISE(ABORT, '{message}'); END
"""
POSTGRESQL = """
CREATE FUNCTION articles_opted_out() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NOT ({changed}) THEN
            RETURN NEW;
        END IF;
    END IF;
    IF {matches} THEN
        RAISE EXCEPTION '{message}' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER articles_opted_out_insert BEFORE INSERT ON articles_article
    FOR EACH ROW EXECUTE FUNCTION articles_opted_out();
CREATE TRIGGER articles_opted_out_update BEFORE UPDATE OF canonical_url, source_id ON articles_article
    FOR EACH ROW EXECUTE FUNCTION articles_opted_out();
"""


def _matches(find: str, ends_with_domain: str) -> str:
    """The condition with this database's words for finding a text in another."""
    rest = f"SUBSTR(NEW.canonical_url, {find.format('NEW.canonical_url', '://')} + 3)"
    authority = f"SUBSTR({rest}, 1, {find.format(f'{rest} || {chr(39)}/{chr(39)}', '/')} - 1)"
    host = f"SUBSTR({authority}, 1, {find.format(f'{authority} || {chr(39)}:{chr(39)}', ':')} - 1)"
    path = f"SUBSTR({rest}, {find.format(f'{rest} || {chr(39)}/{chr(39)}', '/')})"
    path = f"SUBSTR({path}, 1, {find.format(f'{path} || {chr(39)}?{chr(39)}', '?')} - 1)"
    return MATCHES.format(
        ends_with_domain=ends_with_domain.format(host=f"('.' || LOWER({host}))"),
        path=f"(LOWER({path}) || '/')",
    )


def add(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        matches = _matches("STRPOS({}, '{}')", "RIGHT({host}, LENGTH(o.domain) + 1) = '.' || o.domain")
        changed = CHANGED.format(other="DISTINCT FROM")
        schema_editor.execute(
            POSTGRESQL.format(matches=matches, message=MESSAGE, changed=changed), params=None
        )
        return
    matches = _matches("INSTR({}, '{}')", "SUBSTR({host}, -(LENGTH(o.domain) + 1)) = '.' || o.domain")
    changed = f"({CHANGED.format(other='NOT')}) AND"
    for when, event, only in (
        ("insert", "INSERT", ""),
        ("update", "UPDATE OF canonical_url, source_id", changed),
    ):
        schema_editor.execute(
            SQLITE.format(when=when, event=event, changed=only, matches=matches, message=MESSAGE), params=None
        )


def remove(apps: Any, schema_editor: Any) -> None:
    table = " ON articles_article" if schema_editor.connection.vendor == "postgresql" else ""
    for when in ("insert", "update"):
        schema_editor.execute(f"DROP TRIGGER articles_opted_out_{when}{table}")
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP FUNCTION articles_opted_out()")


class Migration(migrations.Migration):
    dependencies = [("articles", "0008_tagged_newest")]
    operations = [
        migrations.CreateModel(
            name="OptOut",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("domain", models.CharField(max_length=253)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("source", "Everything"),
                            ("author", "One author"),
                            ("path", "Everything under a path"),
                        ],
                        max_length=8,
                    ),
                ),
                (
                    "value",
                    models.CharField(
                        blank=True,
                        help_text="An author's hashed name, or a path that begins and ends in /.",
                        max_length=500,
                    ),
                ),
                ("since", models.DateTimeField()),
                ("lifted_at", models.DateTimeField(blank=True, null=True)),
                (
                    "contributor",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="articles.contributor",
                    ),
                ),
            ],
            options={
                "ordering": ["domain", "since", "pk"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("domain", ""), _negated=True), name="opt_out_has_a_domain"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["source", "author", "path"])),
                        name="opt_out_kind_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "source"), ("value", "")),
                            models.Q(
                                models.Q(("kind", "source"), _negated=True),
                                models.Q(("value", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="opt_out_says_of_what",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("lifted_at__isnull", True)),
                        fields=("domain", "kind", "value"),
                        name="opt_out_once",
                    ),
                ],
            },
        ),
        migrations.RunPython(add, remove),
    ]

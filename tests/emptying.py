"""After a test with real transactions: what it wrote is emptied, what the migrations put there stays.

Django's own flush empties all tables and makes every permission and group anew: most of such a test's time.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import TransactionTestCase

from articles.models import SurfaceSerial

KEPT = {
    model._meta.db_table for model in (ContentType, Permission, Group, Group.permissions.through)
}  # fmt: skip
flush_all = TransactionTestCase._fixture_teardown


class Emptier:
    """Empties databases as the first test found them; any change of a kept table brings Django's own flush."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}
        self.tables: dict[str, list[str]] = {}

    def remember(self, alias: str) -> None:
        names = connections[alias].introspection.django_table_names(only_existing=True, include_views=False)
        self.tables[alias] = sorted(set(names) - KEPT)
        # Without the right to lift PostgreSQL's triggers nothing equals what is kept, and all is flushed.
        self.kept[alias] = _kept_rows(alias) if _may_lift_guards(connections[alias]) else None

    def __call__(self, case: Any) -> None:
        for alias in case._databases_names(include_mirrors=False):
            if alias not in self.tables:
                self.remember(alias)
            if _kept_rows(alias) != self.kept[alias]:
                flush_all(case)
                return
            _empty(connections[alias], self.tables[alias])
            SurfaceSerial.objects.using(alias).get_or_create(pk=1)


def _kept_rows(alias: str) -> tuple[Any, ...]:
    groups = Group.objects.using(alias).order_by(
        "name", "permissions__codename", "permissions__content_type__model"
    )
    return (
        list(groups.values_list("name", "permissions__codename", "permissions__content_type__model")),
        Permission.objects.using(alias).count(),
        ContentType.objects.using(alias).count(),
    )


def _empty(connection: BaseDatabaseWrapper, tables: list[str]) -> None:
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute(
            " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {name})" for name in tables)
        )
        filled = [name for (name,) in cursor.fetchall()]
        guards = _lift_guards(connection, cursor, filled)
        for name in filled:
            cursor.execute(f"DELETE FROM {name}")
        for sql in guards:
            cursor.execute(sql)


def _may_lift_guards(connection: BaseDatabaseWrapper) -> bool:
    if connection.vendor == "sqlite":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('is_superuser') = 'on'")
        return bool(cursor.fetchone()[0])


def _lift_guards(connection: BaseDatabaseWrapper, cursor: Any, filled: list[str]) -> list[str]:
    """Some tables keep their rows by trigger. Returns what puts the triggers back."""
    if connection.vendor != "sqlite":
        cursor.execute("SET LOCAL session_replication_role = replica")
        return []
    cursor.execute(
        "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger' AND sql LIKE '%BEFORE DELETE%'"
    )
    guards = [(name, sql) for name, table, sql in cursor.fetchall() if table in filled]
    for name, _ in guards:
        cursor.execute(f"DROP TRIGGER {name}")
    return [sql for _, sql in guards]

"""After a test with real transactions: what it wrote is emptied, what the migrations put there stays.

Django's own flush empties all tables and makes every permission and group anew: most of such a test's time.
"""

from __future__ import annotations

import sys
import time
from functools import cache
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model
from django.test import TransactionTestCase

KEPT = {
    model._meta.db_table for model in (ContentType, Permission, Group, Group.permissions.through)
}  # fmt: skip
flush_all = TransactionTestCase._fixture_teardown


# What migrations wrote into the tables that are emptied, by database and model.
_of_migrations: dict[str, dict[type[Model], list[dict[str, Any]]]] = {}


class Emptier:
    """Empties databases as the first test found them; any change of a kept table brings Django's own flush."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}

    def remember(self, alias: str) -> None:
        emptied = [
            model
            for model in apps.get_models(include_auto_created=True)
            if model._meta.db_table in _tables(alias) and not model._meta.proxy
        ]
        rows = {model: list(model._base_manager.using(alias).values()) for model in emptied}
        _of_migrations[alias] = {model: found for model, found in rows.items() if found}
        self.kept[alias] = _kept_rows(alias)

    def __call__(self, case: Any) -> None:
        for alias in case._databases_names(include_mirrors=False):
            if alias not in self.kept:
                self.remember(alias)
            empty(alias)
            if _kept_rows(alias) != self.kept[alias]:
                _flush(alias)


def _kept_rows(alias: str) -> tuple[Any, ...]:
    groups = Group.objects.using(alias).order_by(
        "name", "permissions__codename", "permissions__content_type__model"
    )
    return (
        list(groups.values_list("name", "permissions__codename", "permissions__content_type__model")),
        Permission.objects.using(alias).count(),
        ContentType.objects.using(alias).count(),
    )


@cache
def _tables(alias: str) -> list[str]:
    names = connections[alias].introspection.django_table_names(only_existing=True, include_views=False)
    return sorted(set(names) - KEPT)


def empty(alias: str) -> None:
    """Take every row out of the tables that have some, and put back what every database has."""
    tables, connection = _tables(alias), connections[alias]
    if not _may_lift_guards(connection):
        _flush(alias)
        return
    with transaction.atomic(using=alias), connection.cursor() as cursor:
        cursor.execute(
            " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {name})" for name in tables)
        )
        filled = [name for (name,) in cursor.fetchall()]
        guards = _lift_guards(connection, cursor, filled)
        for name in filled:
            cursor.execute(f"DELETE FROM {name}")
        for sql in guards:
            cursor.execute(sql)
        for model, rows in _of_migrations.get(alias, {}).items():
            model._base_manager.using(alias).bulk_create([model(**row) for row in rows])


def _flush(alias: str) -> None:
    call_command("flush", verbosity=0, interactive=False, database=alias)


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


def end_sessions(alias: str, *, seconds: float = 20) -> None:
    """PostgreSQL drops no database that somebody uses: sessions of programs just stopped may end, then are ended."""
    connection = connections[alias]
    if connection.vendor != "postgresql":
        return
    others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    until = time.monotonic() + seconds
    with connection.cursor() as cursor:
        while time.monotonic() < until:
            cursor.execute(f"SELECT count(*) {others}")
            if not cursor.fetchone()[0]:
                return
            time.sleep(0.1)
        cursor.execute(
            f"SELECT state, query, pg_terminate_backend(pid) {others} AND backend_type = 'client backend'"
        )
        for state, query, _ in cursor.fetchall():
            print(f"A test left a session open ({state}): {query}", file=sys.__stderr__)

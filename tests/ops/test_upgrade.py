"""The database of every released version comes up to date, and nothing locks a table for long on the way."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.migrations import operations as kinds
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation

from tests.ops.upgrading import INDEXES, TRIGGERS, names

ROOT = Path(__file__).resolve().parents[2]
RELEASED = ROOT / "tests" / "ops" / "released"

pytestmark = pytest.mark.skipif(
    not shutil.which("pg_dump"), reason="PostgreSQL's client programs are not installed"
)


@pytest.fixture
def empty_database(tmp_path: Path) -> Iterator[str]:
    """The address of a database of our own with nothing in it."""
    if connection.vendor == "sqlite":
        yield f"sqlite:///{tmp_path}/newsroom.sqlite3"
        return
    known = connection.settings_dict
    name = f"{known['NAME']}_upgraded"
    with connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
    yield f"postgres://{known['USER']}:{known['PASSWORD']}@{known['HOST']}:{known['PORT'] or 5432}/{name}"
    with connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def upgraded(version: str, database: str, folder: Path) -> dict[str, Any]:
    """What is in a database of that version once it was restored and migrated."""
    stored = RELEASED / f"{version}-{connection.vendor}.tar.gz"
    backup = folder / "old.tar"
    backup.write_bytes(gzip.decompress(stored.read_bytes()))
    environment = {
        "PATH": os.environ["PATH"],
        "VAR_DIR": str(folder),
        "DATABASE_URL": database,
        "LOG_LEVEL": "ERROR",
    }
    command = [sys.executable, "-m", "tests.ops.upgrading", str(backup)]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("version", sorted({path.name.split("-")[0] for path in RELEASED.glob("*.tar.gz")}))
def test_an_old_database_comes_up_to_date_with_everything_in_it(
    version: str, empty_database: str, tmp_path: Path
) -> None:
    found = upgraded(version, empty_database, tmp_path)

    assert "older version: run manage.py migrate" in found["said"]
    assert (found["articles"], found["ledger"], found["letters"], found["credits"], found["tags"]) == (
        6,
        10,
        5,
        5,
        5,
    )
    assert found["claims"] == {
        "the-thaw": "upheld",
        "a-ferry-named-petronella": "erased",
        "the-mayors-letter": "refused",
        "what-the-tram-said": "received",
        "lights-on-the-pier": "withdrawn",
    }
    # What was received has its deadline a day after the backup was made, whenever that was.
    assert set(found["public"]) - {"what-the-tram-said"} == {
        "the-harbour-freezes-over", "the-mayors-letter", "lights-on-the-pier",
    }  # fmt: skip
    assert (found["fault"], found["behind"], found["the ledger can be rewritten"]) == ("None", False, False)
    assert found["triggers"] == names(TRIGGERS)
    assert found["indexes"] == names(INDEXES)


# --- what a migration may not do --------------------------------------------------------------

# The last migrations of the first version: what came before has locked nobody's table.
FIRST = {
    "accounts": "0002", "aggregator": "0006", "articles": "0022", "moderation": "0013", "readers": "0001",
}  # fmt: skip
LARGE = {
    "article", "contribution", "entryrecord", "fetch", "hold", "blockedwork", "media", "readypage", "readypagekey",
    "taggedarticle", "claim", "notice", "ledgerentry", "letter",
}  # fmt: skip
NOTE = "lock_note"


def faults(operation: Operation) -> Iterator[str]:
    """Why this operation would stop a large table, or the version that still runs while it is replaced."""
    table = getattr(operation, "model_name_lower", "") or getattr(operation, "name_lower", "")
    if isinstance(operation, (kinds.RenameField, kinds.RenameModel, kinds.RemoveField, kinds.DeleteModel)):
        yield "takes away what the version before still reads; stop using it first, drop it one version later"
    if table not in LARGE:
        return
    if isinstance(operation, kinds.AddField):
        field = operation.field
        if not field.null and not field.has_db_default():
            yield "adds a column that must be filled at once; make it nullable or give it db_default"
    if isinstance(operation, kinds.AlterField):
        yield "alters a column: the table is rewritten, on SQLite with its triggers"
    if isinstance(operation, (kinds.AddIndex, kinds.AddConstraint)):
        yield "reads the whole table under a lock that stops writers"


def later_migrations() -> list[Any]:
    loader = MigrationLoader(connection=None)
    return [
        migration
        for (app, name), migration in sorted(loader.disk_migrations.items())
        if app in FIRST and name[:4] > FIRST[app]
    ]


def test_no_migration_locks_for_long_without_saying_why_it_may() -> None:
    found = [
        f"{migration}, {operation}: {fault}. If it may, say why in `{NOTE}`."
        for migration in later_migrations()
        if not getattr(migration, NOTE, "")
        for operation in migration.operations
        for fault in faults(operation)
    ]

    assert not found


@pytest.mark.parametrize("name", ["RemoveField", "AlterField", "AddIndex", "AddField"])
def test_the_operations_that_lock_are_known(name: str) -> None:
    from django.db import models

    operation = {
        "RemoveField": kinds.RemoveField("tag", "name"),
        "AlterField": kinds.AlterField("article", "body", models.TextField()),
        "AddIndex": kinds.AddIndex("hold", models.Index(fields=["kind"], name="x")),
        "AddField": kinds.AddField("claim", "why", models.TextField(default="")),
    }[name]

    assert list(faults(operation))
    assert not list(faults(kinds.AddField("claim", "why", models.TextField(null=True))))

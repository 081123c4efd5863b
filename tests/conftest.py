"""Fixtures for every test: files of its own, an empty cache, and a real Redis for those that ask."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import AppConfig
from django.conf import settings as django_settings
from django.core.cache import cache
from django.db import connections
from django.db.models.signals import post_migrate

from articles.models import SurfaceSerial


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """SQLite lives in a file, as in production: threads and processes then meet its real locks."""
    database = connections["default"].settings_dict
    if connections["default"].vendor == "sqlite":
        database["TEST"]["NAME"] = str(django_settings.VAR_DIR / "test.sqlite3")


@pytest.fixture(scope="session", autouse=True)
def rows_of_migrations() -> Iterator[None]:
    """Tests with real transactions empty every table afterwards; what a migration put there comes back."""

    def put_back(sender: AppConfig, using: str, **kwargs: Any) -> None:
        if sender.name == "articles":
            SurfaceSerial.objects.using(using).get_or_create(pk=1)

    post_migrate.connect(put_back)
    yield
    post_migrate.disconnect(put_back)


@pytest.fixture(scope="session", autouse=True)
def rows_written_once() -> Iterator[None]:
    """Tables whose rows a trigger protects are emptied after such tests like all others."""
    if connections["default"].vendor != "sqlite":
        yield  # TRUNCATE asks no row
        return
    # The class, not one connection: a test that drives a browser may meet another connection.
    operations = type(connections["default"].ops)
    flush = operations.execute_sql_flush

    def empty(self: Any, statements: list[str]) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute(
                "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND sql LIKE '%DELETE%'"
            )
            triggers = cursor.fetchall()
            for name, _ in triggers:
                cursor.execute(f"DROP TRIGGER {name}")
            flush(self, statements)
            for _, sql in triggers:
                cursor.execute(sql)

    operations.execute_sql_flush = empty
    yield
    operations.execute_sql_flush = flush


@pytest.fixture(autouse=True)
def own_files(settings, tmp_path: Path) -> None:
    """Each test has its own folder for ledger, media and mail, and starts with an empty cache."""
    settings.LEDGER_PATH = tmp_path / "ledger" / "ledger.jsonl"
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.EMAIL_FILE_PATH = str(tmp_path / "mail")
    # The slow hashers are for attackers; one test of accounts asks for the real ones.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    cache.clear()


def unavailable(what: str) -> None:
    """A part that cannot run is skipped for a developer and fails where the result counts."""
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, process: subprocess.Popen[bytes], seconds: float = 20) -> None:
    """The program listens on the port when this returns; fails when it ends or takes too long."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if process.poll() is not None:
            pytest.fail(f"{process.args!r} ended with status {process.returncode}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail(f"{process.args!r} does not listen on port {port}")


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real Redis server that lives as long as the session and keeps nothing."""
    program = shutil.which("redis-server")
    if not program:
        unavailable("redis-server is not installed (Debian: apt-get install redis-server)")
    port = free_port()
    folder = tmp_path_factory.mktemp("redis")
    options = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(folder)]
    process = subprocess.Popen(
        [program, "--port", str(port), *options, "--logfile", str(folder / "log")], stdin=subprocess.DEVNULL
    )
    try:
        wait_for_port(port, process)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait(timeout=10)

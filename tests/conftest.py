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
from django.conf import settings as django_settings
from django.core.cache import cache
from django.db import connections
from django.test import TransactionTestCase

from tests import emptying


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """SQLite lives in a file, as in production: threads and processes then meet its real locks."""
    database = connections["default"].settings_dict
    if connections["default"].vendor == "sqlite":
        database["TEST"]["NAME"] = str(django_settings.VAR_DIR / "test.sqlite3")


MEETS_THE_DATABASE = {"db", "transactional_db", "django_db_setup"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What never meets the database need not run on each."""
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if not item.get_closest_marker("django_db") and not fixtures & MEETS_THE_DATABASE:
            item.add_marker("once")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """What a test with real transactions wrote is emptied after it; what the migrations put there stays."""
    empty = emptying.Emptier()
    with django_db_blocker.unblock():
        empty.remember("default")
    TransactionTestCase._fixture_teardown = lambda case: empty(case)
    yield
    TransactionTestCase._fixture_teardown = emptying.flush_all
    with django_db_blocker.unblock():
        emptying.end_sessions("default")


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


def wait_for_port(port: int, process: subprocess.Popen[bytes], seconds: float = 60) -> None:
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
        process.wait(timeout=60)

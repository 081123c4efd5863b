"""The same work on Celery: a real Redis, real worker processes, one of them killed in the middle."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone

from aggregator.actions import register
from aggregator.models import Feed, Fetch
from articles.models import Article, Heartbeat
from tests.loopback import web_server

pytest.importorskip("celery", reason="requirements-scale.txt is not installed")
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.server]

ROOT = Path(__file__).resolve().parent.parent.parent
RSS = b"""<?xml version="1.0"?>
<rss version="2.0"><channel><title>The Quay</title><link>https://quay.example/</link>
<item><title>The ferry is late</title><link>https://quay.example/ferry</link>
<guid>ferry</guid><pubDate>Mon, 04 May 2026 08:00:00 GMT</pubDate>
<description>Passengers waited an hour at the pier.</description></item></channel></rss>"""


@pytest.fixture
def environment(redis_url: str, settings, tmp_path: Path) -> dict[str, str]:
    """What a process needs to work on this test's database, over this test's Redis."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        url = f"sqlite:///{database['NAME']}"
    else:
        url = f"postgres://{database['USER']}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
    return os.environ | {
        "DATABASE_URL": url,
        "REDIS_URL": redis_url,
        "WORK_ENGINE": "celery",
        "VAR_DIR": str(django_settings.VAR_DIR),
        "LEDGER_PATH": str(settings.LEDGER_PATH),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


@contextmanager
def running(*command: str, environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process and all it starts, ended on leaving."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(timeout=60)


def celery_worker(environment: dict[str, str], log: Path):
    options = ["--pool", "prefork", "--concurrency", "1", "--loglevel", "INFO"]
    return running("-m", "celery", "--app", "newsroom", "worker", *options, environment=environment, log=log)


def ticker(environment: dict[str, str], log: Path):
    return running("manage.py", "work", "--engine", "celery", environment=environment, log=log)


def wait_for(condition: Callable[[], bool], what: str, *logs: Path, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return
        time.sleep(0.1)
    pytest.fail(f"{what} did not happen\n" + "\n".join(log.read_text() for log in logs))


def expired_session(key: str) -> None:
    Session.objects.create(session_key=key, session_data="", expire_date=timezone.now() - timedelta(days=1))


def the_next_turn_comes() -> None:
    Heartbeat.objects.filter(name__startswith="turn: ").update(at=timezone.now() - timedelta(days=1))


def test_a_tick_reaches_a_worker_on_another_host_which_does_the_work(environment, tmp_path: Path) -> None:
    expired_session("old")

    with celery_worker(environment, tmp_path / "worker"), ticker(environment, tmp_path / "ticker"):
        wait_for(
            lambda: not Session.objects.exists(), "the pruning", tmp_path / "worker", tmp_path / "ticker"
        )

    assert Heartbeat.objects.filter(name="prune").exists()


def test_a_feed_whose_worker_was_killed_is_fetched_by_another_once_the_lease_ran_out(
    environment, tmp_path: Path
) -> None:
    began, killed = threading.Event(), threading.Event()

    def hang(connection: socket.socket) -> None:
        began.set()
        killed.wait(60)

    with web_server() as web, ticker(environment, tmp_path / "ticker"):
        feed = register(url=web.play("/feed.rss", hang), at=timezone.now(), title="The Quay")
        with celery_worker(environment, tmp_path / "first") as first:
            wait_for(began.is_set, "the first fetch", tmp_path / "first", tmp_path / "ticker")
            os.killpg(first.pid, signal.SIGKILL)
            first.wait(timeout=60)
        killed.set()
        assert Article.objects.count() == 0
        assert Feed.objects.get(pk=feed.pk).lease_until > timezone.now()

        web.put("/feed.rss", RSS, headers=[("Content-Type", "application/rss+xml")])
        Feed.objects.filter(pk=feed.pk).update(lease_until=timezone.now())
        with celery_worker(environment, tmp_path / "second"):
            wait_for(
                lambda: Article.objects.exists(), "the second fetch", tmp_path / "second", tmp_path / "ticker"
            )

    assert Article.objects.get().headline == "The ferry is late"


def test_two_workers_fetch_each_feed_once(environment, tmp_path: Path) -> None:
    with web_server() as web:
        paths = [f"/{number}.rss" for number in range(12)]
        for path in paths:
            register(url=web.put(path, RSS.replace(b"ferry", path.encode())), at=timezone.now(), title=path)
        with (
            celery_worker(environment, tmp_path / "first"),
            celery_worker(environment, tmp_path / "second"),
            ticker(environment, tmp_path / "ticker"),
        ):
            wait_for(
                lambda: Fetch.objects.count() >= len(paths),
                "fetching",
                tmp_path / "first",
                tmp_path / "second",
            )

        assert sorted(path for path in web.paths() if path in paths) == sorted(paths)


def test_work_goes_on_with_the_worker_that_is_left_when_one_is_killed(environment, tmp_path: Path) -> None:
    with ticker(environment, tmp_path / "ticker"), celery_worker(environment, tmp_path / "first") as first:
        expired_session("before")
        wait_for(lambda: not Session.objects.exists(), "the pruning", tmp_path / "first")

        os.killpg(first.pid, signal.SIGKILL)
        first.wait(timeout=60)
        expired_session("after")
        the_next_turn_comes()
        with celery_worker(environment, tmp_path / "second"):
            wait_for(lambda: not Session.objects.exists(), "the pruning", tmp_path / "second")

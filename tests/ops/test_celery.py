"""Many machines: Celery on a real Redis, and all that the compose file starts, half of it killed in the middle."""

from __future__ import annotations

import getpass
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from django.conf import settings as django_settings
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone

from aggregator.actions import register
from aggregator.models import Feed, Fetch
from articles.models import Article, Heartbeat
from moderation.models import Notice
from tests.conftest import free_port, wait_for_port
from tests.loopback import web_server

pytest.importorskip("celery", reason="requirements-scale.txt is not installed")
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.server]

ROOT = Path(__file__).resolve().parent.parent.parent
DEPLOY = ROOT / "deploy"
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


# --- the whole of deploy/docker-compose.yml ---------------------------------------------------


def words_of(service: str) -> list[str]:
    """What a service of the compose file runs, as a module of this Python; by default what its image does."""
    services = yaml.safe_load((DEPLOY / "docker-compose.yml").read_text())["services"]
    image = re.search(r"^CMD (.+)$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    words = services[service].get("command", "").split() or json.loads(image[1])  # type: ignore[index]
    return words[1:] if words[0] == "python" else ["-m", *words]


@contextmanager
def nginx(port: int, webs: list[int], folder: Path) -> Iterator[None]:
    """deploy/nginx-compose.conf on loopback; the containers' name server is a list of addresses here."""
    text = (DEPLOY / "nginx-compose.conf").read_text()
    text = re.sub(r"^resolver .*$", "", text, flags=re.MULTILINE)
    text = text.replace("http://web:8000", "http://web").replace("listen 80;", f"listen 127.0.0.1:{port};")
    text = text.replace("/var/lib/newsroom/static", str(django_settings.STATIC_ROOT))
    text = text.replace("/etc/nginx/newsroom_proxy.conf", str(DEPLOY / "newsroom_proxy.conf"))
    hosts = "".join(f"server 127.0.0.1:{web};" for web in webs)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    (folder / "nginx.conf").write_text(
        f"daemon off; user {getpass.getuser()}; pid {folder}/nginx.pid; events {{}}"
        f" http {{ access_log off; {temporary} upstream web {{ {hosts} }} {text} }}"
    )
    command = ["nginx", "-c", folder / "nginx.conf", "-g", f"error_log {folder}/nginx.log;"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        wait_for_port(port, process)
        yield
    finally:
        process.terminate()
        process.wait(timeout=60)


def ask(port: int, path: str, notice: dict[str, object] | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        body, form = json.dumps(notice) if notice else None, {"Content-Type": "application/json"}
        connection.request("POST" if notice else "GET", path, body, form if notice else {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_what_the_compose_file_starts_works_and_goes_on_when_half_of_it_is_killed(
    environment, tmp_path: Path
) -> None:
    """Two web processes, two workers, the ticker, Redis, PostgreSQL and nginx, each by its own words."""
    port, webs = free_port(), [free_port(), free_port()]
    notice = {"urls": ["https://quay.example/ferry"], "email": "olena@owner.example", "work": "My report"}
    paths = [f"/{number}.rss" for number in range(6)]
    with ExitStack() as stack:
        feeds = stack.enter_context(web_server())
        for path in paths:
            register(url=feeds.put(path, RSS.replace(b"ferry", path.encode())), at=timezone.now(), title=path)

        def start(service: str, name: str, **more: str) -> subprocess.Popen[bytes]:
            words = [*words_of(service), *(["--concurrency", "1"] if service == "worker" else [])]
            return stack.enter_context(running(*words, environment=environment | more, log=tmp_path / name))

        sites = [
            start("web", f"web-{web}", BIND=f"127.0.0.1:{web}", FORWARDED_ALLOW_IPS="*", WEB_WORKERS="1")
            for web in webs
        ]
        workers = [start("worker", f"worker-{number}") for number in (1, 2)]
        start("tick", "tick")
        for web, site in zip(webs, sites, strict=True):
            wait_for_port(web, site)
        stack.enter_context(nginx(port, webs, tmp_path))
        logs = [tmp_path / "worker-1", tmp_path / "worker-2", tmp_path / "tick"]

        assert ask(port, "/")[0] == 200
        assert ask(port, "/readyz")[0] == 403
        assert ask(port, "/api/notices/", notice)[0] == 202
        wait_for(lambda: Fetch.objects.count() >= len(paths), "fetching", *logs)
        assert sorted(path for path in feeds.paths() if path in paths) == sorted(paths)

        for half in (sites[0], workers[0]):
            os.killpg(half.pid, signal.SIGKILL)
            half.wait(timeout=60)
        expired_session("after")
        the_next_turn_comes()
        answers = [ask(port, f"/?again={number}")[0] for number in range(4)]
        second = ask(port, "/api/notices/", notice | {"email": "bo@owner.example"})
        wait_for(lambda: not Session.objects.exists(), "the pruning", *logs)

    assert answers == [200] * 4
    assert second[0] == 202
    assert Notice.objects.filter(reference=json.loads(second[1])["reference"]).exists()
    assert Article.objects.count() == len(paths)

"""A cache in front of the site: what it may keep, and that a removal empties it. The Varnish is a real one."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from articles import announcements, cdn, surfaces
from articles.actions import place_hold
from articles.models import Announcement, Heartbeat, HoldKind
from moderation import actions, probes
from newsroom.alarms import alarms
from tests.conftest import free_port, unavailable, wait_for_port
from tests.factories import ArticleFactory, UserFactory
from tests.front_door import FrontDoor
from tests.loopback import web_server
from tests.moderation.cases import notice_about
from tests.site_server import Site, serving

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Front:
    """Varnish with the site behind it."""

    port: int
    site: Site
    process: subprocess.Popen[bytes]

    def get(self, path: str) -> tuple[int, str]:
        """Status and text of a page as a reader gets it."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=60)


@pytest.fixture
def front(transactional_db, settings, tmp_path) -> Iterator[Front]:
    """A Varnish with the configuration we ship, in front of the site we ship."""
    program = shutil.which("varnishd", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    if not program:
        unavailable("varnishd is not installed (Debian: apt-get install varnish varnish-modules)")
    port = free_port()
    settings.CDN = cdn.read(f"varnish://127.0.0.1:{port}")
    settings.SITE_URL = f"http://127.0.0.1:{port}"
    with serving() as site:
        vcl = tmp_path / "newsroom.vcl"
        shipped = (ROOT / "deploy" / "varnish.vcl").read_text()
        vcl.write_text(shipped.replace('"8000"', f'"{site.port}"'))
        command = [program, "-F", "-j", "none", "-n", str(tmp_path / "varnish"), "-a", f"127.0.0.1:{port}"]
        process = subprocess.Popen(
            [*command, "-f", str(vcl), "-s", "malloc,16m", "-T", "none"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            wait_for_port(port, process)
            # It listens a moment before its child answers.
            _until(lambda: Front(port, site, process).get("/healthz")[0] == 200)
            yield Front(port, site, process)
        finally:
            process.kill()
            process.wait(timeout=60)


def _until(done, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.02)


def test_what_varnish_keeps_is_gone_with_the_decision(front):
    article = ArticleFactory(headline="Ferries sail from quay nine again")
    own = article.get_absolute_url()
    paths = [own, "/", "/feeds/latest.atom", article.source.get_absolute_url()]
    for path in paths:
        assert "quay nine" in front.get(path)[1]
    front.site.asked.clear()
    assert all("quay nine" in front.get(path)[1] for path in paths)
    assert front.site.asked == []  # all of it came from Varnish

    claim = notice_about(article).claims.get()
    for path in paths:
        front.get(path)
    actions.uphold(claim_id=claim.pk, at=timezone.now(), by=None)

    status, text = front.get(own)
    assert (status, "quay nine" in text) == (451, False)
    assert not any("quay nine" in front.get(path)[1] for path in paths)
    actions.withdraw(claim_id=claim.pk, at=timezone.now())
    announcements.send_due(100, timezone.now())
    assert front.get(own)[0] == 200  # that it was away is kept by nobody


def test_a_case_is_not_proved_before_the_cache_has_acknowledged(front, client):
    for beat in ("worker", "send letters", "prove removals"):
        Heartbeat.objects.create(name=beat, at=timezone.now())
    article = ArticleFactory(headline="Ferries sail from quay nine again")
    claim = notice_about(article).claims.get()
    front.stop()

    actions.uphold(claim_id=claim.pk, at=timezone.now(), by=None)

    row = Announcement.objects.get(reference=claim.reference, settled_at__isnull=True, acknowledged_at=None)
    assert "No connection" in row.last_error
    assert row.due_at > timezone.now() - timedelta(seconds=5)
    with serving() as direct:
        seen = probes.probe(claim.plan, at=timezone.now(), base_url=f"http://127.0.0.1:{direct.port}")
    assert [(one.surface, one.url, one.found) for one in seen if not one.is_clean] == [
        ("shared cache", "Varnish", "not acknowledged")
    ]
    claim.refresh_from_db()
    assert claim.proved_at is None
    later = timezone.now() + timedelta(minutes=2)
    assert [alarm.name for alarm in alarms(later)] == ["caches"]
    Announcement.objects.update(created_at=timezone.now() - timedelta(minutes=2))
    assert "cache does not listen" in client.get("/readyz").json()["alarms"][0]
    client.force_login(UserFactory(superuser=True))
    assert "cache does not listen" in client.get("/admin/").content.decode()


@pytest.mark.django_db
def test_a_cache_is_told_twice_and_settled_only_then(settings):
    with web_server() as web:
        settings.CDN = cdn.read(f"varnish://127.0.0.1:{web.port}")
        web.put("/newsroom-purge")
        article = ArticleFactory()
        now = timezone.now()
        place_hold(
            article=article, kind=HoldKind.LEGAL, reference="claim:7", effective_at=now, at=now, by=None
        )

        announcements.send_due(100, timezone.now())
        told = Announcement.objects.get(reference="claim:7")
        assert told.acknowledged_at is not None
        assert not announcements.is_settled("claim:7")

        announcements.send_due(100, timezone.now() + announcements.SETTLE + timedelta(seconds=1))
        assert announcements.is_settled("claim:7")
        dropped = [asked.headers["X-Key-Purge"].split() for asked in web.asked]
        assert len(dropped) == 2
        assert all(f"article:{article.pk}" in keys and surfaces.LATEST in keys for keys in dropped)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("url", "path", "body", "header", "told"),
    [
        ("fastly://t0ken@SVC1?api=http://127.0.0.1:{port}", "/service/SVC1/purge",
         {"surrogate_keys": ["article:1", "list:latest"]}, "Fastly-Key", "t0ken"),
        ("cloudflare://t0ken@zone1?api=http://127.0.0.1:{port}", "/client/v4/zones/zone1/purge_cache",
         {"tags": ["article:1", "list:latest"]}, "Authorization", "Bearer t0ken"),
    ],
)  # fmt: skip
def test_what_the_services_are_sent(url, path, body, header, told):
    with web_server() as web:
        front = cdn.read(url.format(port=web.port))
        web.put(path, b"{}")

        front.purge(["article:1", "list:latest"])

        (asked,) = web.asked
        assert (asked.method, asked.path, json.loads(asked.body), asked.headers[header]) == (
            "POST", path, body, told,
        )  # fmt: skip
        assert "t0ken" not in repr(front)
        for status in (401, 429, 500, 503):
            web.put(path, status=status)
            with pytest.raises(cdn.NotAcknowledged, match=str(status)):
                front.purge(["article:1"])
        asked_before = len(web.asked)
        web.put(path)
        front.purge([f"article:{number}" for number in range(600)])
        sizes = [len(next(iter(json.loads(one.body).values()))) for one in web.asked[asked_before:]]
        assert sum(sizes) == 600
        assert max(sizes) <= 256


@pytest.mark.django_db
def test_only_what_is_the_same_for_all_may_be_kept_and_never_past_a_deadline(settings):
    settings.CDN = cdn.read("fastly://token@SVC1")
    door = FrontDoor()
    article, due = ArticleFactory(), ArticleFactory()
    now = timezone.now()
    place_hold(
        article=due, kind=HoldKind.LEGAL, reference="claim:1", effective_at=now + timedelta(seconds=20),
        at=now, by=None,
    )  # fmt: skip

    kept = door.get(article.get_absolute_url()).headers
    assert f"article:{article.pk}" in kept["Surrogate-Key"].split()
    assert announcements.EVERYTHING in kept["Surrogate-Key"].split()
    soon = door.get(due.get_absolute_url()).headers
    assert 0 < int(soon["Surrogate-Control"].removeprefix("max-age=")) <= 20
    again = door.get(article.get_absolute_url(), HTTP_ACCEPT_ENCODING="br").headers
    assert again["Surrogate-Key"] == kept["Surrogate-Key"]
    for path in ("/search/?q=ferry", "/removal/", "/admin/login/", "/articles/never-was/", "/readyz"):
        headers = door.get(path).headers
        assert "no-store" in headers["Surrogate-Control"], path
        assert "Surrogate-Key" not in headers
    cookie = f"{settings.SESSION_COOKIE_NAME}=x"
    assert "no-store" in door.get(article.get_absolute_url(), HTTP_COOKIE=cookie).headers["Surrogate-Control"]


@pytest.mark.django_db
def test_without_a_cache_named_nothing_is_said_and_nothing_is_owed(client: Client):
    article = ArticleFactory()

    headers = FrontDoor().get(article.get_absolute_url()).headers

    assert not {"Surrogate-Key", "Surrogate-Control", "xkey", "Cache-Tag", "X-Keys"} & set(headers)
    assert headers["Cache-Control"] == "no-cache"
    assert not Announcement.objects.exists()


@pytest.mark.parametrize(
    "wrong", ["varnish://", "fastly://SVC1", "fastly://token@", "akamai://token@zone", "http://127.0.0.1"]
)
def test_a_cache_we_cannot_purge_is_refused(wrong):
    with pytest.raises(ValueError, match="."):
        cdn.read(wrong)

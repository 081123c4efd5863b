"""No address that leads inside is reached, by whichever door its spelling is handed to us."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from aggregator import actions as feeds
from aggregator.models import Feed
from articles.media import fetch_pictures
from articles.models import Media
from moderation import proof
from moderation.references import proof_token
from tests.factories import ArticleFactory, MediaFactory, SourceFactory
from tests.loopback import Answer, Asked, WebServer, web_server
from tests.moderation.intake import address_of, send
from tests.nameserver import name_server
from webclient.client import Client, default_client
from webclient.errors import OutgoingError

pytestmark = pytest.mark.django_db

HOSTS = [
    line
    for line in Path(__file__).with_name("inside_addresses.txt").read_text().splitlines()
    if line[0] != "#"
]


@pytest.fixture
def inside(web: WebServer, settings: Any) -> Iterator[WebServer]:
    """A listener on this machine, while nothing but public addresses is allowed."""
    settings.FETCH_ALLOW_NETWORKS = []
    yield web
    default_client()._kept.close()


def spellings(port: int) -> list[str]:
    return [f"http://{host}{end}/secret" for host in HOSTS for end in ("", f":{port}")]


def test_there_are_enough_forms_of_forbidden_addresses() -> None:
    assert len(set(HOSTS)) >= 60


def test_as_the_address_of_a_feed_none_is_reached(inside: WebServer) -> None:
    for url in spellings(inside.port):
        with pytest.raises(CommandError):
            call_command("add_feed", url)

    assert (inside.connections, Feed.objects.count()) == (0, 0)


def test_as_the_target_of_a_redirect_none_is_reached(web: WebServer) -> None:
    """The feed's own server is allowed by its address, and leads to another on a machine that is not."""
    targets = [url for url in spellings(0) if ":0/" not in url and not _is_loopback(url)]
    with web_server() as secret:
        allowed = Client(_loopback_alone())
        wanted = [*targets, f"http://[::ffff:127.0.0.2]:{secret.port}/", f"http://127.0.0.2:{secret.port}/"]
        for number, url in enumerate(wanted):
            for status in (302, 307):
                web.decide(f"/{number}", lambda asked, url=url, status=status: _redirect(asked, url, status))
                with pytest.raises(OutgoingError):
                    allowed.get(web.url(f"/{number}"))
        allowed.close()
        assert secret.connections == 0
    assert len(set(web.paths())) == len(wanted)


def _is_loopback(url: str) -> bool:
    """The one address this test allows, as such and mapped into IPv6."""
    return "127.0.0.1" in url or "::ffff:7f00:1]" in url


def _loopback_alone() -> list[Any]:
    return [ipaddress.ip_network("127.0.0.1/32")]


def _redirect(asked: Asked, url: str, status: int) -> Answer:
    return Answer(status, headers=[("Location", url.encode().decode("latin-1"))])


def test_as_the_address_of_a_picture_none_is_reached(inside: WebServer) -> None:
    now = timezone.now()
    for url in spellings(inside.port):
        MediaFactory(original_url=url, due_at=now)

    fetch_pictures(500, now)

    assert inside.connections == 0
    assert not Media.objects.exclude(file="").exists()


def test_as_a_domain_to_be_proved_none_is_reached(inside: WebServer, settings: Any) -> None:
    with name_server() as names:
        settings.DNS_RESOLVER = names.address
        _prove_every_domain(inside)

    assert inside.connections == 0


def _prove_every_domain(inside: WebServer) -> None:
    for host in HOSTS[:30]:
        domain = host.strip("[]")[:200]
        source = SourceFactory(domain=domain, homepage=inside.url("/"))
        notice = send(address_of(ArticleFactory(source=source)), email=f"a{len(host)}@{len(domain)}.example")
        token = proof_token(notice.reference, domain)
        inside.put(proof.FILE, token.encode())
        assert not proof.check(notice=notice, domain=domain, at=timezone.now())


def test_a_feed_already_read_reaches_none_either(inside: WebServer) -> None:
    now = timezone.now()
    feed = feeds.register(url="https://public.example/feed", at=now)
    for url in spellings(inside.port)[:40]:
        Feed.objects.filter(pk=feed.pk).update(url=url, due_at=now, lease_until=None)
        list(feeds.fetch_pass(at=now, only=[feed.pk]))

    assert inside.connections == 0

"""A real hub on the loopback: it verifies us, pushes with a signature, and is renewed before it forgets us."""

from __future__ import annotations

import hashlib
import hmac
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
from django.utils import timezone

from aggregator import websub
from aggregator.models import Feed, Fetch, Subscription, SubscriptionState
from articles.models import Article
from tests.aggregator.conftest import NOON, fetch_once, item, rss
from tests.loopback import Answer, Asked, WebServer

Outlet = Callable[..., Feed]


class Hub:
    """What a hub does: remembers who subscribed once their callback answers its challenge, and pushes."""

    def __init__(self, web: WebServer) -> None:
        self.url = web.decide("/hub", self.asked)
        self.subscribed: dict[str, Any] = {}
        self.lease = "864000"
        self.refuses = False

    def asked(self, asked: Asked) -> Answer:
        form = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
        mode = "denied" if self.refuses else form["hub.mode"]
        query = {"hub.mode": mode, "hub.topic": form["hub.topic"], "hub.challenge": "abc123"}
        status, body = call(f"{form['hub.callback']}?{urlencode(query | {'hub.lease_seconds': self.lease})}")
        if (status, body) == (200, b"abc123") and not self.refuses:
            self.subscribed = form
        return Answer(202)

    def push(self, body: bytes, *, secret: str = "", method: str = "sha256") -> int:
        key = (secret or self.subscribed["hub.secret"]).encode()
        signature = hmac.new(key, body, getattr(hashlib, method)).hexdigest()
        headers = {"Content-Type": "application/rss+xml", "X-Hub-Signature": f"{method}={signature}"}
        return call(self.subscribed["hub.callback"], body, headers)[0]


def call(url: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
    request = urllib.request.Request(url, data=body, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def naming(hub: str, topic: str, *items: str) -> bytes:
    links = f'<a:link xmlns:a="http://www.w3.org/2005/Atom" rel="hub" href="{hub}"/>'
    links += f'<a:link xmlns:a="http://www.w3.org/2005/Atom" rel="self" href="{topic}"/>'
    return rss(links, *items)


@pytest.fixture
def hub(web: WebServer, live_server: Any, settings: Any) -> Hub:
    settings.SITE_URL = live_server.url
    return Hub(web)


@pytest.mark.django_db(transaction=True)
def test_a_hub_is_subscribed_to_and_what_it_pushes_comes_in(hub: Hub, outlet: Outlet, web: WebServer) -> None:
    feed = outlet(body=naming(hub.url, "https://harbour.example/topic", item(1)))
    fetch_once(feed, timezone.now())

    assert websub.subscribe_due(10, timezone.now()) == 1
    found = Subscription.objects.get()
    assert (found.state, found.topic) == (SubscriptionState.ACTIVE, "https://harbour.example/topic")
    assert hub.subscribed["hub.callback"].endswith(f"/websub/{found.token}/")
    assert websub.subscribe_due(10, timezone.now()) == 0

    assert hub.push(rss(item(2))) == 202
    assert hub.push(rss(item(2)), method="sha1") == 202
    assert sorted(Article.objects.values_list("canonical_url", flat=True)) == [
        "https://harbour.example/1",
        "https://harbour.example/2",
    ]
    assert list(Fetch.objects.order_by("pk").values_list("created", "skipped")) == [(1, 0), (1, 0), (0, 1)]

    # Fetching goes on beside it, less often.
    fetch_once(feed, timezone.now())
    assert feed.due_at
    assert feed.due_at > timezone.now() + timedelta(minutes=50)


@pytest.mark.django_db(transaction=True)
def test_what_is_not_signed_with_our_secret_or_not_ours_stays_out(
    hub: Hub, outlet: Outlet, live_server: Any
) -> None:
    # Named in a header instead of the document.
    links = f'<{hub.url}>; rel="hub", <https://harbour.example/topic>; rel="self"'
    fetch_once(outlet(body=rss(), Link=links), timezone.now())
    websub.subscribe_due(10, timezone.now())
    found = Subscription.objects.get()

    assert hub.push(rss(item(2)), secret="guessed") == 202
    assert call(hub.subscribed["hub.callback"], rss(item(2)))[0] == 202
    assert not Article.objects.exists()
    assert "wrong signature" in Subscription.objects.get().last_error
    assert hub.push(b"<html>no feed") == 202

    verify = {"hub.mode": "subscribe", "hub.topic": "https://else.example/", "hub.challenge": "x"}
    assert call(f"{websub.callback(found)}?{urlencode(verify)}")[0] == 404
    verify |= {"hub.mode": "unsubscribe", "hub.topic": found.topic}
    assert call(f"{websub.callback(found)}?{urlencode(verify)}")[0] == 404

    found.feed.delete()
    assert hub.push(rss(item(2))) == 410


@pytest.mark.django_db(transaction=True)
def test_a_subscription_is_renewed_and_a_silent_or_unwilling_hub_is_asked_again_later(
    hub: Hub, outlet: Outlet, web: WebServer
) -> None:
    hub.lease = "3600"
    fetch_once(outlet(body=naming(hub.url, "https://harbour.example/topic")), timezone.now())
    websub.subscribe_due(10, timezone.now())
    assert websub.subscribe_due(10, timezone.now() + timedelta(minutes=47)) == 0
    assert websub.subscribe_due(10, timezone.now() + timedelta(minutes=49)) == 1
    assert Subscription.objects.get().state == SubscriptionState.ACTIVE

    Subscription.objects.all().delete()
    web.put("/hub", status=500)
    at = timezone.now()
    assert websub.subscribe_due(10, at) == 1
    found = Subscription.objects.get()
    assert (found.state, found.last_error) == (SubscriptionState.ASKED, "The hub answers with 500.")
    assert found.due_at
    assert found.due_at > at + timedelta(minutes=59)

    hub.refuses = True
    web.decide("/hub", hub.asked)
    websub.subscribe_due(10, found.due_at)
    found.refresh_from_db()
    assert found.state == SubscriptionState.DENIED


@pytest.mark.django_db
def test_a_removed_work_does_not_come_back_by_a_push(outlet: Outlet) -> None:
    from articles.actions import place_hold
    from articles.models import HoldKind

    feed = outlet(body=rss(item(1)))
    fetch_once(feed)
    place_hold(
        article=Article.objects.get(),
        kind=HoldKind.LEGAL,
        reference="claim:1",
        at=NOON,
        effective_at=NOON,
        by=None,
    )
    found = Subscription.objects.create(
        feed=feed, hub="https://hub.example/", topic="t", token="k", secret="s"
    )
    body = rss(item(1, link="https://harbour.example/again", title="Quite other words"))
    signature = f"sha512={hmac.new(b's', body, hashlib.sha512).hexdigest()}"

    report = websub.receive(
        token=found.token, body=body, signature=signature, content_type="", at=timezone.now()
    )

    assert (report.created, report.blocked) == (0, 1)


def test_only_known_methods_of_signing_count() -> None:
    assert not websub.is_signed("s", b"x", "")
    assert not websub.is_signed("s", b"x", f"md5={hmac.new(b's', b'x', hashlib.md5).hexdigest()}")
    assert websub.is_signed("s", b"x", f"sha1={hmac.new(b's', b'x', hashlib.sha1).hexdigest()}")

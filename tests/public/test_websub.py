"""A hub passes our feeds on: each feed names it, and it is told of every change, removals included."""

from __future__ import annotations

import json
from urllib.parse import parse_qs

import pytest
from django.conf import settings as site
from django.utils import timezone
from lxml import etree

from articles import announcements
from articles.actions import place_hold
from articles.models import Announcement, HoldKind
from tests.factories import ArticleFactory
from tests.loopback import web_server

pytestmark = pytest.mark.django_db

ATOM = "{http://www.w3.org/2005/Atom}link"


@pytest.fixture
def hub(settings):
    with web_server() as web:
        settings.WEBSUB_HUB = f"http://127.0.0.1:{web.port}/hub"
        web.put("/hub", status=204)
        yield web


def withhold(article) -> None:
    now = timezone.now()
    place_hold(article=article, kind=HoldKind.LEGAL, reference="claim:1", effective_at=now, at=now, by=None)


def test_every_form_of_a_feed_names_the_hub_and_itself(hub, client, settings):
    ArticleFactory(tags=["Climate"])
    for path in ("/feeds/latest", "/tags/climate/feed"):
        for form in ("rss", "atom"):
            answer = client.get(f"{path}.{form}")
            links = {e.get("rel"): e.get("href") for e in etree.fromstring(answer.content).iter(ATOM)}
            assert links["hub"] == settings.WEBSUB_HUB
            assert links["self"] == f"{site.SITE_URL}{path}.{form}"
            assert answer.headers["Link"] == (
                f'<{settings.WEBSUB_HUB}>; rel="hub", <{site.SITE_URL}{path}.{form}>; rel="self"'
            )
        assert json.loads(client.get(f"{path}.json").content)["hubs"] == [
            {"type": "WebSub", "url": settings.WEBSUB_HUB}
        ]


def test_the_hub_is_told_once_of_each_feed_from_which_something_was_removed(hub):
    articles = [ArticleFactory(tags=["Climate"]) for _ in range(2)]
    Announcement.objects.all().delete()
    for article in articles:
        withhold(article)

    announcements.send_due(100, timezone.now())

    (asked,) = hub.asked
    said = parse_qs(asked.body.decode())
    wanted = [
        "/feeds/latest",
        "/tags/climate/feed",
        *(a.source.get_absolute_url() + "feed" for a in articles),
    ]
    assert said["hub.mode"] == ["publish"]
    assert {f"{site.SITE_URL}{stem}.{form}" for stem in wanted for form in ("rss", "atom", "json")} <= set(
        said["hub.url"]
    )
    assert len(said["hub.url"]) == len(set(said["hub.url"]))
    assert not Announcement.objects.filter(settled_at__isnull=True).exists()


def test_a_hub_that_fails_is_told_again_and_without_a_hub_nothing_is_owed(hub, settings):
    hub.put("/hub", status=503)
    withhold(ArticleFactory())

    announcements.send_due(100, timezone.now())

    waiting = Announcement.objects.filter(kind="hub", due_at__gt=timezone.now())
    assert waiting.exists()
    assert "503" in waiting[0].last_error
    Announcement.objects.all().delete()
    settings.WEBSUB_HUB = ""
    withhold(ArticleFactory())
    assert not Announcement.objects.filter(kind="hub").exists()


def test_feeds_without_a_hub_name_none(client):
    for form in ("rss", "atom", "json"):
        assert b"hub" not in client.get(f"/feeds/latest.{form}").content

"""Search engines are told which of our addresses are new or gone, when the operator named one."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.conf import settings as site
from django.utils import timezone

from articles import announcements, indexnow
from articles.actions import place_hold, place_holds, publish, release_hold
from articles.models import Announcement, HoldKind
from tests.factories import ArticleFactory, correct
from tests.loopback import web_server

pytestmark = pytest.mark.django_db


@pytest.fixture
def engine(settings):
    with web_server() as web:
        settings.INDEXNOW = indexnow.read(f"http://k3yk3yk3y@127.0.0.1:{web.port}/indexnow")
        web.put("/indexnow", status=202)
        yield web


def own(**fields):
    """An article of our own."""
    return ArticleFactory(source=None, canonical_url="", url_key=None, copyright_holder="", **fields)


def test_a_removal_and_our_own_publication_are_announced(engine, client):
    removed, with_it, written = ArticleFactory(), ArticleFactory(), own(state="approved", published_at=None)
    foreign = ArticleFactory(state="approved")
    now = timezone.now()
    wanted = [(article, f"claim:{article.pk}", now) for article in (removed, with_it)]
    hold = place_holds(wanted=wanted, kind=HoldKind.LEGAL, at=now, by=None)[removed.pk]
    assert len(Announcement.objects.get().about) == 2
    publish(article=written, at=now, by=None)
    publish(article=foreign, at=now, by=None)

    announcements.send_due(100, timezone.now())

    (asked,) = engine.asked
    said = json.loads(asked.body)
    assert sorted(said["urlList"]) == sorted(
        site.SITE_URL + article.get_absolute_url() for article in (removed, with_it, written)
    )
    assert said["host"] in site.SITE_URL
    key = client.get(said["keyLocation"].removeprefix(site.SITE_URL))
    assert (key.status_code, key.content.decode()) == (200, said["key"])
    release_hold(hold=hold, at=now, by=None)
    announcements.send_due(100, timezone.now())
    assert json.loads(engine.asked[-1].body)["urlList"] == [site.SITE_URL + removed.get_absolute_url()]
    correct(article=written, at=now, by=None, note="Ten.", headline="Ten ferries")
    announcements.send_due(100, timezone.now())
    assert json.loads(engine.asked[-1].body)["urlList"] == [site.SITE_URL + written.get_absolute_url()]
    assert not Announcement.objects.filter(settled_at__isnull=True).exists()


def test_what_is_not_taken_is_tried_again_and_waits_longer_each_time(engine):
    engine.put("/indexnow", status=429)
    now = timezone.now()
    place_hold(
        article=ArticleFactory(), kind=HoldKind.LEGAL, reference="claim:1", effective_at=now, at=now, by=None
    )

    announcements.send_due(100, timezone.now())

    row = Announcement.objects.get()
    assert "429" in row.last_error
    assert row.settled_at is None
    first = row.due_at
    announcements.send_due(100, first + timedelta(seconds=1))
    row.refresh_from_db()
    assert row.due_at - first > timedelta(seconds=5)
    engine.put("/indexnow", status=200)
    announcements.send_due(100, row.due_at)
    row.refresh_from_db()
    assert row.settled_at is not None


def test_a_deadline_to_come_is_nobodys_business_and_without_an_engine_nothing_is(client, settings):
    now = timezone.now()
    settings.INDEXNOW = indexnow.read("https://k3yk3yk3y@indexnow.example/indexnow")
    place_hold(
        article=ArticleFactory(), kind=HoldKind.LEGAL, reference="claim:1",
        effective_at=now + timedelta(hours=23), at=now, by=None,
    )  # fmt: skip
    settings.INDEXNOW = None
    place_hold(
        article=ArticleFactory(), kind=HoldKind.LEGAL, reference="claim:2", effective_at=now, at=now, by=None
    )

    assert not Announcement.objects.exists()
    assert client.get("/indexnow.txt").status_code == 404

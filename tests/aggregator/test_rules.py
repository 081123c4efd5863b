"""Rules of the desk for what feeds bring; an address tried before it is saved; how feeds did."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from aggregator import actions, rules
from aggregator.decide import silent_after
from aggregator.documents import Entry, FeedDocument
from aggregator.models import Feed, FeedRule, Fetch, RuleAction
from aggregator.opml import Outline
from articles.models import Article, ArticleState, Source
from tests.aggregator.conftest import NOON, fetch_once, item, rss
from tests.loopback import WebServer

pytestmark = pytest.mark.django_db
Outlet = Callable[..., Feed]

SPORT = item(1, title="The harbour team won the cup", category="Sport")
CITY = item(2, title="Council meets about the bridge", category="City")
AD = item(3, title="Sponsored: the best umbrellas", author="Partner Desk Adverts")


def rule(**given: Any) -> FeedRule:
    return FeedRule.objects.create(name="A rule", enabled_at=NOON, **given)


def states() -> dict[str, str]:
    return dict(Article.objects.values_list("headline", "state"))


@pytest.mark.parametrize(
    ("condition", "left"),
    [
        ({"words": "best umbrellas\nnothing"}, {1, 2}),
        ({"words": "HARBOUR TEAM"}, {2, 3}),
        ({"words": "harb"}, {1, 2, 3}),
        ({"tags": "sport\ncity"}, {3}),
        ({"authors": "Partner Desk Adverts"}, {1, 2, 3}),
        ({"languages": "de, en"}, set()),
        ({"languages": "de"}, {1, 2, 3}),
        ({"words": "cup", "tags": "City"}, {1, 2, 3}),
        ({"tags": "City", "otherwise": True}, {2}),
    ],
)
def test_what_meets_every_condition_is_left_out(
    outlet: Outlet, condition: dict[str, Any], left: set[int]
) -> None:
    rule(action=RuleAction.DROP, **condition)

    report = fetch_once(outlet(body=rss(SPORT, CITY, AD)))

    found = {int(url.rpartition("/")[2]) for url in Article.objects.values_list("canonical_url", flat=True)}
    assert found == left
    assert (report.created, report.skipped) == (len(left), 3 - len(left))


def test_the_first_rule_that_applies_counts_and_goes_before_the_feeds_own_choice(outlet: Outlet) -> None:
    feed = outlet(body=rss(SPORT, CITY, AD))
    Feed.objects.update(review=True)
    rule(position=1, words="cup", action=RuleAction.PUBLISH, feed=feed)
    rule(position=2, words="sponsored", action=RuleAction.DROP, source=feed.source)
    rule(position=3, words="cup\nsponsored", action=RuleAction.REVIEW)

    fetch_once(feed)

    assert states() == {
        "The harbour team won the cup": ArticleState.PUBLISHED,
        "Council meets about the bridge": ArticleState.REVIEW,
    }


def test_a_rule_of_another_feed_or_one_that_is_off_does_nothing(outlet: Outlet) -> None:
    other = outlet("/other", rss(link="https://other.example/"))
    rule(words="cup", action=RuleAction.DROP, feed=other)
    FeedRule.objects.create(name="Off", words="bridge", action=RuleAction.DROP)

    fetch_once(outlet(body=rss(SPORT, CITY)))

    assert len(states()) == 2


def test_a_rule_without_a_condition_is_none() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        rule(action=RuleAction.DROP)


def test_a_rule_is_tried_before_it_is_switched_on(outlet: Outlet, admin_client: Client) -> None:
    feed = outlet(body=rss(SPORT, CITY))
    fetch_once(feed)
    typed = {"name": "No sport", "position": 1, "feed": feed.pk, "tags": "Sport", "action": "drop"}
    answer = admin_client.post("/admin/aggregator/feedrule/add/", typed, follow=True)
    made = FeedRule.objects.get()
    page = answer.content.decode()
    assert "Of the last 2 articles" in page
    assert "The harbour team won the cup" in page
    assert "Council meets" not in page
    assert made.enabled_at is None
    assert len(rules.tried(made)) == 2

    admin_client.post(f"/admin/aggregator/feedrule/{made.pk}/try/", {"on": "1"})
    made.refresh_from_db()
    assert made.enabled_at

    admin_client.post(f"/admin/aggregator/feedrule/{made.pk}/change/", typed | {"tags": "City"})
    made.refresh_from_db()
    assert made.enabled_at is None


def test_an_address_is_tried_before_it_is_saved(web: WebServer, admin_client: Client) -> None:
    url = web.put("/feed", rss(SPORT, AD))
    home = web.put(
        "/", f'<html><link rel="alternate" type="application/rss+xml" href="{url}"></html>'.encode()
    )

    page = admin_client.post("/admin/aggregator/feed/try/", {"url": home}).content.decode()
    assert "The harbour team won the cup" in page
    assert "The Harbour Post" in page
    assert not Feed.objects.exists()
    assert not Article.objects.exists()

    admin_client.post("/admin/aggregator/feed/try/", {"url": home, "save": "1", "review": "on"})
    feed = Feed.objects.get()
    assert (feed.url, feed.review) == (url, True)

    page = admin_client.post("/admin/aggregator/feed/try/", {"url": url}).content.decode()
    assert "read already" in page
    page = admin_client.post("/admin/aggregator/feed/try/", {"url": web.url("/none")}).content.decode()
    assert "There is no feed at this address" in page


def test_lists_of_feeds_go_in_and_out_at_the_desk(admin_client: Client) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    text = b'<opml><body><outline xmlUrl="https://a.example/rss" text="A"/><outline xmlUrl="ftp://b"/></body></opml>'
    page = admin_client.post("/admin/aggregator/feed/import/", {"file": SimpleUploadedFile("l.opml", text)})

    assert "Feeds added: 1." in page.content.decode()
    assert "ftp://b" in page.content.decode()
    assert b"https://a.example/rss" in admin_client.get("/admin/aggregator/feed/export/").content
    bad = admin_client.post("/admin/aggregator/feed/import/", {"file": SimpleUploadedFile("l.opml", b"no")})
    assert "no OPML document" in bad.content.decode()
    none = admin_client.post(
        "/admin/aggregator/feed/import/", {"file": SimpleUploadedFile("a.opml", b"<opml><body/></opml>")}
    )
    assert "names no feed" in none.content.decode()


def test_the_list_shows_how_each_feed_did_without_a_query_for_each(
    outlet: Outlet, admin_client: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(4):
        feed = outlet(f"/{number}")
        Fetch.objects.create(feed=feed, started_at=timezone.now() - timedelta(days=number), created=7)
    late = timezone.now() - timedelta(days=9)
    Feed.objects.filter(title="0").update(silent_after=late, last_entry_at=late, last_success_at=late)

    with django_assert_max_num_queries(16):
        page = admin_client.get("/admin/aggregator/feed/").content.decode()

    assert page.count("<polyline") == 4
    assert "0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7" in page
    assert "style=" not in re.findall(r"<svg.*?</svg>", page, re.DOTALL)[0]
    assert "longer than ever" in page
    assert 'feeds due, <a href="?health=busy">0 being fetched</a>' in page
    silent = admin_client.get("/admin/aggregator/feed/?health=silent").content.decode()
    assert silent.count("<polyline") == 1


def test_a_feed_is_silent_by_its_own_rhythm() -> None:
    def brought(*hours: int) -> FeedDocument:
        return FeedDocument("RSS", entries=tuple(Entry(published=NOON - timedelta(hours=h)) for h in hours))

    hourly, weekly = brought(0, 1, 2, 3), brought(0, 168, 336, 504)
    assert silent_after(hourly, NOON, NOON) == NOON + timedelta(days=3)
    assert silent_after(weekly, NOON, NOON) == NOON + timedelta(days=56)
    assert silent_after(brought(0, 1), NOON, NOON) is None


def test_an_editor_says_who_is_an_outlet_of_its_own_on_a_shared_host(
    admin_client: Client, web: WebServer
) -> None:
    def add(name: str, **ticked: str) -> tuple[str, str]:
        home = f"https://platform.example/{name}"
        url = web.put(
            f"/{name}",
            rss(item(name, link=f"{home}/1"), link=home).replace(b"The Harbour Post", name.encode()),
        )
        page = admin_client.post("/admin/aggregator/feed/try/", {"url": url}).content.decode()
        admin_client.post("/admin/aggregator/feed/try/", {"url": url, "save": "1", **ticked})
        return page, str(Feed.objects.get(title=name).source)

    page, credited = add("bob")
    assert "new to us" in page
    assert "of its own" not in page
    assert credited == "bob"
    page, credited = add("cars", apart="on")
    assert "It is an outlet of its own, not bob" in page
    assert credited == "cars"
    assert add("cars/old")[1] == "cars"
    assert add("carsten")[1] == "bob"

    lines = [
        Outline(f"https://x.example/{n}", homepage=f"https://www.platform.example/{n}/")
        for n in ("cars", "z")
    ]
    actions.import_outlines(outlines=lines, at=NOON)
    assert [str(feed.source) for feed in Feed.objects.order_by("pk")[4:]] == ["cars", "bob"]


def test_of_two_outlets_on_one_host_neither_changes_what_the_other_wrote(web: WebServer) -> None:
    for name in ("bob", "cars"):
        home = f"https://platform.example/{name}"
        url = web.put(
            f"/{name}", rss(item(1, f"{name} wrote this", link="https://platform.example/bob/1"), link=home)
        )
        fetch_once(actions.register(url=url, homepage=home, title=name, at=NOON, apart=True))

    assert Article.objects.get().headline == "bob wrote this"


def test_what_an_agency_brought_is_changed_only_by_the_outlet_it_stands_with(web: WebServer) -> None:
    def brings(name: str, home: str) -> None:
        url = web.put(
            f"/{name}", rss(item(1, f"As {name} has it", link="https://platform.example/cars/1"), link=home)
        )
        fetch_once(actions.register(url=url, homepage=home, title=name, at=NOON, apart=True))

    actions.source_of(url="https://platform.example/cars", name="cars")
    for name, home in (("agency", "https://agency.example/"), ("bob", "https://platform.example/bob")):
        brings(name, home)
        assert Article.objects.get().headline == "As agency has it"
    brings("cars", "https://platform.example/cars")
    assert Article.objects.get().headline == "As cars has it"


@pytest.mark.parametrize(("usage", "shown"), [("headline", "headline"), ("full", "excerpt")])
def test_a_blog_apart_from_its_host_begins_under_the_limits_of_the_outlet_it_was_in(
    outlet: Outlet, usage: str, shown: str
) -> None:
    before = Source.objects.create(
        name="Alice", slug="alice", domain="wordpress.com", homepage="https://alice.wordpress.com/", usage=usage,
        terms="Twenty words of each.", excerpt_words=20, agreement_prevails=True,
        suspended_at=NOON, suspended_reason="A court's order",
    )  # fmt: skip

    fetch_once(outlet(body=rss(CITY, link="https://bob.wordpress.com/")))

    made = Article.objects.get().source
    assert (made.domain, made.usage, made.terms) == ("bob.wordpress.com", shown, before.terms)
    assert (made.excerpt_words, made.agreement_prevails) == (20, None)
    assert (made.suspended_at, made.suspended_reason) == (NOON, "A court's order")
    assert not Article.objects.public().exists()
    told = [entry.changes for entry in LogEntry.objects.get_for_object(made)]
    assert {"limited as": ["", "Alice (wordpress.com)"]} in told
    assert any("suspended_at" in changes for changes in told)


def test_an_outlet_below_no_other_begins_as_any(outlet: Outlet) -> None:
    Source.objects.create(name="O", slug="o", domain="example.org", terms="No.", suspended_at=NOON)

    fetch_once(outlet(body=rss(CITY, link="https://b.example.net/")))

    made = Article.objects.get().source
    assert (made.terms, LogEntry.objects.get_for_object(made).count()) == ("", 0)


def test_the_outlet_an_editor_chose_stays_whatever_the_feed_names(outlet: Outlet) -> None:
    feed = outlet(body=rss(SPORT))
    feed.source = actions.source_of(url="https://chosen.example/", name="Chosen")
    feed.save()

    fetch_once(feed)

    assert Article.objects.get().source.name == "Chosen"


def test_a_feed_that_moved_is_read_where_it_is(admin_client: Client, web: WebServer) -> None:
    web.redirect("/old", web.put("/feed", rss(SPORT)), status=301)

    admin_client.post("/admin/aggregator/feed/try/", {"url": web.url("/old"), "save": "1"})
    page = admin_client.post("/admin/aggregator/feed/try/", {"url": web.url("/old")}).content.decode()

    assert Feed.objects.get().url == web.url("/feed")
    assert "This feed is read already" in page


def test_previewing_stores_nothing(web: WebServer) -> None:
    found = actions.preview(url=web.put("/feed", rss(SPORT)), at=NOON)

    assert [draft.headline for draft in found.drafts] == ["The harbour team won the cup"]
    assert not Feed.objects.exists()

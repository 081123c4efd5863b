"""Whole texts are read from articles' pages where the terms allow it, and nowhere else."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from aggregator import fulltext, rights
from aggregator.hosts import Turns
from aggregator.models import Feed, PageReading
from aggregator.normalise import whole_text
from aggregator.pages import read_page
from aggregator.sandbox import default_sandbox
from articles.actions import place_hold
from articles.models import Article, HoldKind, Source, UsagePolicy
from tests.aggregator.conftest import NOON, fetch_once, item, rss
from tests.factories import ArticleFactory
from tests.loopback import WebServer
from webclient.client import default_client

Outlet = Callable[..., Feed]
SOON = NOON + timedelta(minutes=1)
LATER = NOON + timedelta(hours=1)
TEXT = "".join(
    f"<p>Number {count}: the ship was met by a pilot and two tugs, and the crew went home.</p>"
    for count in range(12)
)


def json_ld(author: object, kind: object = "NewsArticle") -> str:
    said = json.dumps({"@type": kind, "author": author})
    return f'<script type="application/ld+json">{said}</script>'


GRAPH = """<script type="application/ld+json">{"@graph": [{"@type": "Article", "author": {"@id": "#2"}},
{"@type": "Person", "@id": "#2", "name": "Ann Lee"}]}</script>"""
BYLINE = json_ld({"name": "Ann Ó Briain"})


def page(head: str = BYLINE, text: str = TEXT, end: str = "") -> bytes:
    return (
        f'<html lang="en"><head><meta charset="utf-8"><title>A ship</title>{head}</head><body>'
        '<nav><a href="/">Home</a></nav>'
        f"<article><h1>A ship came in</h1>{text}{end}</article><footer>All rights reserved</footer></body></html>"
    ).encode()


@pytest.fixture
def article(web: WebServer, outlet: Outlet) -> Callable[..., Article]:
    """An article that a feed of openings brought, of a source whose terms allow everything."""
    fulltext._robots.cache_clear()

    def make(
        body: bytes,
        *,
        usage: str = UsagePolicy.FULL,
        robots: bytes = b"",
        said: str = "",
        prevails: bool = False,
        **headers: str,
    ) -> Article:
        given = [(name.replace("_", "-"), value) for name, value in headers.items()]
        web.put("/robots.txt", robots)
        link = web.put("/1", body, headers=[("Content-Type", "text/html"), *given])
        entry = item(1, link=link).replace("</item>", f"{said}</item>")
        feed = outlet(body=rss(entry, link=web.url("/")))
        Feed.objects.update(full_text=True)
        Source.objects.update(usage=usage, terms="Agreed by letter.", agreement_prevails=prevails)
        feed.refresh_from_db()
        fetch_once(feed)
        return Article.objects.get()

    return make


def whole(found: Article) -> str:
    fulltext.read_due(5, SOON)
    found.refresh_from_db()
    return str(found.body)


@pytest.mark.django_db
def test_the_whole_text_its_authors_and_the_credits_at_its_end_come_in(
    article: Callable[..., Article], outlet: Outlet, web: WebServer
) -> None:
    end = "<p>Reporting was contributed by Bo Li and Cy Diaz.</p>"
    found = article(page(end=end))
    body = whole(found)
    assert "Number 0" in body
    assert "Number 11" in body
    assert "contributed" not in body
    credits = [(one.contributor.name, one.role) for one in found.contributions.all()]
    assert credits == [
        ("Ann Ó Briain", "author"),
        ("Bo Li", "contributing_reporter"),
        ("Cy Diaz", "contributing_reporter"),
    ]
    assert PageReading.objects.get().read_at == SOON

    # The feed's opening never takes the text's place again; what the page changed is kept as a revision.
    web.put("/1", page(text=TEXT.replace("two tugs", "three tugs")), headers=[("Content-Type", "text/html")])
    changed = rss(item(1, "A ship left", link=web.url("/1")), link=web.url("/"))
    fetch_once(outlet(body=changed), LATER)
    fulltext.read_due(5, LATER + timedelta(minutes=1))
    found.refresh_from_db()
    assert found.headline == "A ship left"
    assert "three tugs" in found.body
    kept = [one.snapshot for one in found.revisions.order_by("number")]
    assert kept[0]["headline"] != "A ship left"
    assert "two tugs" in kept[-1]["body"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"robots": b"User-agent: *\nDisallow: /*1$\n"}, "robots.txt"),
        ({"TDM_Reservation": "1"}, "TDM-Reservation"),
        ({"X_Robots_Tag": "noai"}, "noai"),
        ({"head": '<meta name="tdm-reservation" content="1">'}, "TDM-Reservation"),
        ({"head": '<meta name="robots" content="nosnippet">'}, "nosnippet"),
        ({"text": "<p>Short.</p>"}, "no more text"),
    ],
)
def test_what_is_reserved_is_left_alone(
    article: Callable[..., Article], given: dict[str, Any], why: str
) -> None:
    made = {name: given.pop(name) for name in ("head", "text") if name in given}
    found = article(page(**made), **given)
    assert "Number 1:" not in whole(found)
    assert why in PageReading.objects.get().last_error


@pytest.mark.django_db
def test_no_page_is_asked_for_where_the_terms_do_not_allow_it(
    article: Callable[..., Article], web: WebServer
) -> None:
    found = article(page(), usage=UsagePolicy.EXCERPT)
    assert "Number 1:" not in whole(found)
    assert not PageReading.objects.exists()
    # Terms that were taken back meanwhile count too.
    fulltext.ask_for([found.pk], at=NOON)
    assert "Number 1:" not in whole(found)
    assert "/1" not in web.paths()


@pytest.mark.django_db
@pytest.mark.parametrize("prevails", [False, True])
def test_what_one_entry_reserves_is_left_alone_unless_an_agreement_prevails(
    article: Callable[..., Article], prevails: bool
) -> None:
    terms = (
        '<rsl:content xmlns:rsl="https://rslstandard.org/rsl"><rsl:license><rsl:prohibits type="usage">all'
    )
    found = article(page(), said=f"{terms}</rsl:prohibits></rsl:license></rsl:content>", prevails=prevails)
    assert found.usage_terms == "prohibits usage: all"
    assert ("Number 1:" in whole(found)) == prevails


@pytest.mark.django_db
def test_a_withheld_article_is_not_completed(article: Callable[..., Article]) -> None:
    found = article(page())
    place_hold(
        article=found,
        kind=HoldKind.LEGAL,
        reference="claim:1",
        effective_at=NOON,
        at=NOON,
        by=None,
    )
    assert "Number 1:" not in whole(found)


def test_robots_rules_have_wildcards_and_the_longest_counts() -> None:
    rules = "User-agent: *\nDisallow: /*?print=\nDisallow: /news/\nAllow: /news/*.html$\n"
    asked = {"/a?print=1": False, "/news/x": False, "/news/x.html": True, "/news/x.html?y": False, "/": True}
    assert {path: rights.may_read_page(rules, f"https://a.example{path}") for path in asked} == asked


@pytest.mark.parametrize(
    ("head", "text", "said"),
    [
        ('<meta name="author" content="Ann Lee">', TEXT, ("Ann Lee",)),
        ("", f'<p><a rel="author" href="/ann">Ann Lee</a></p>{TEXT}', ("Ann Lee",)),
        ("", f'<div class="article byline">By Ann Lee</div>{TEXT}', ("By Ann Lee",)),
        (json_ld([{"name": "A B"}, "C D"], ["NewsArticle"]), TEXT, ("A B", "C D")),
        (json_ld({"@type": "Organization", "name": "Post"}), TEXT, ()),
    ],
)
def test_a_page_names_its_authors(head: str, text: str, said: tuple[str, ...]) -> None:
    assert read_page(page(head, text), url="https://a.example/1").bylines[:1] == ((said,) if said else ())


@pytest.mark.parametrize(
    ("head", "line"),
    [
        ('<meta name="author" content="The Post">', '<p class="byline">By Ann Lee <time>4 May</time></p>'),
        (GRAPH, ""),
        ("", '<p>By <a href="/authors/1">Ann Lee</a></p>'),
        ("", "<address>By Ann Lee</address>"),
        ("", "<p>4 May</p><p>By Ann Lee</p>"),
    ],
)
def test_the_surest_place_that_names_a_person_counts(head: str, line: str) -> None:
    found = read_page(page(head, f"<h1>A quay</h1>{line}{TEXT}"), url="https://a.example/1")

    _, credits = whole_text(found, url="https://a.example/1", language="en", outlet="The Post")

    assert [credit.name for credit in credits] == ["Ann Lee"]


@pytest.mark.django_db
def test_pages_of_a_host_that_wants_a_pause_wait_for_it() -> None:
    delay = {
        "kind": "Crawl-delay",
        "value": "9 seconds",
        "where": "https://slow.example/robots.txt",
        "since": "",
    }
    article = ArticleFactory(canonical_url="https://slow.example/1")
    Source.objects.filter(pk=article.source_id).update(signals=[delay])
    row = PageReading.objects.create(article=Article.objects.get(pk=article.pk), due_at=NOON)
    token = PageReading.objects.claim(row.pk, at=NOON, seconds=60)
    turns = Turns()
    turns.was_asked("slow.example", at=NOON)

    fulltext._read(row, token, turns, at=NOON, client=default_client(), reader=default_sandbox())

    row.refresh_from_db()
    assert row.due_at == NOON + timedelta(seconds=9)

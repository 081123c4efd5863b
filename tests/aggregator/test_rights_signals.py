"""What sites signal by machine is read, kept with where and when it was seen, and obeyed by what we show."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from aggregator import rights, signals
from aggregator.models import Feed
from aggregator.parse import parse
from articles.display import teaser_of, text_of
from articles.models import Article, Source, Walk
from tests.aggregator.conftest import NOON, fetch_once, item, rss
from tests.loopback import WebServer

Outlet = Callable[..., Feed]
HERE = "https://a.example/feed"
LONG = "The ship was met by a pilot and two tugs. " * 20


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("noai, noimageai", ["noai", "noimageai"]),
        ("noindex, follow", []),
        ("googlebot: nosnippet", []),
        ("newsroom: nosnippet, max-snippet: 50", ["nosnippet", "max-snippet:50"]),
        ("otherbot: nosnippet, newsroom: noarchive", ["noarchive"]),
        ("max-snippet:120, max-image-preview:none", ["max-snippet:120", "max-image-preview:none"]),
    ],
)
def test_only_what_is_meant_for_us_is_read(header: str, said: list[str]) -> None:
    assert [one.value for one in rights.of_headers({"x-robots-tag": header}, HERE)] == said


@pytest.mark.parametrize(
    ("values", "left"),
    [
        (["noai"], ("", None, True)),
        (["max-snippet:120", "max-snippet:80"], ("excerpt", 80, True)),
        (["max-snippet:0"], ("headline", None, True)),
        (["nosnippet", "noimageindex"], ("headline", None, False)),
        (["max-snippet:-1", "max-image-preview:none"], ("", None, False)),
    ],
)
def test_the_strictest_signal_counts(values: list[str], left: tuple[Any, ...]) -> None:
    assert rights.limits(rights.Signal("X-Robots-Tag", value, HERE) for value in values) == left


def test_robots_txt_and_the_tdm_file_are_read() -> None:
    text = "User-agent: *\nDisallow: /\n\nUser-agent: Newsroom\nDisallow: /closed\n\nLicense: https://a.example/rsl.xml\n"
    found = list(rights.of_robots(text, HERE, ["/feed", "/closed/feed"]))
    assert [one.value for one in found] == [
        "Disallow for newsroom: /closed/feed",
        "https://a.example/rsl.xml",
    ]
    slow = "User-agent: *\nCrawl-delay: 2.5\n"
    said = [one._asdict() for one in rights.of_robots(slow, "https://a.example/robots.txt", ["/"])]
    assert rights.pause_asked(said, "a.example") == 2.5
    assert rights.pause_asked(said, "b.example") == 0

    reserved = b'[{"location": "/img/*", "tdm-reservation": 1}, {"location": "/*", "tdm-reservation": 1}]'
    assert [one.value for one in rights.of_tdmrep(reserved, HERE)] == ["reserved"]
    for nothing in (b"", b"{}", b"[3]", b'[{"location": "/", "tdm-reservation": 0}]', b"<html>"):
        assert not list(rights.of_tdmrep(nothing, HERE))


LICENCE = (
    '<rsl:content xmlns:rsl="https://rslstandard.org/rsl" url="/"><rsl:license>'
    '<rsl:permits type="usage">search</rsl:permits><rsl:prohibits type="usage">train-ai</rsl:prohibits>'
    "</rsl:license></rsl:content>"
)


def test_terms_in_a_feed_are_read() -> None:
    document = parse(rss(LICENCE, item(1)))
    of_one = parse(rss(item(1).replace("</item>", f"{LICENCE}</item>"), item(2)))

    assert document.rsl == ("permits usage: search", "prohibits usage: train-ai")
    assert [entry.rsl for entry in of_one.entries] == [document.rsl, ()]


@pytest.mark.django_db
def test_a_signal_of_the_feed_shortens_what_is_shown_until_it_is_gone(outlet: Outlet, web: WebServer) -> None:
    feed = outlet(body=rss(item(1, description=LONG)), X_Robots_Tag="max-snippet:60", TDM_Reservation="1")
    fetch_once(feed)
    article = Article.objects.select_related("source").get()
    source = feed.source

    assert 20 < len(text_of(article).excerpt) <= 60
    assert len(teaser_of(article)) <= 60
    assert {(said["kind"], said["where"]) for said in source.signals or ()} == {
        ("X-Robots-Tag", feed.url),
        ("TDM-Reservation", feed.url),
    }

    Source.objects.update(agreement_prevails=True)
    assert len(text_of(Article.objects.get()).excerpt) > 100

    Source.objects.update(agreement_prevails=False)
    Walk.objects.all().delete()
    web.put("/feed", rss(item(1, description=LONG)), headers=[("X-Robots-Tag", "nosnippet")])
    fetch_once(feed, NOON + timedelta(hours=1))
    assert Walk.objects.get().source_id == source.pk
    assert (text_of(Article.objects.get()).excerpt, teaser_of(Article.objects.get())) == ("", "")

    web.put("/feed", rss(LICENCE, item(1, description=LONG)))
    for hours in (2, 3):  # the same document again says the same still
        fetch_once(feed, NOON + timedelta(hours=hours))
        kept = Source.objects.get(pk=source.pk).signals or ()
        assert [said["value"] for said in kept] == ["permits usage: search", "prohibits usage: train-ai"]
    assert len(text_of(Article.objects.get()).excerpt) > 100


@pytest.mark.django_db
def test_the_sites_files_are_read_once_a_day_and_obeyed(
    outlet: Outlet, web: WebServer, admin_client: Any
) -> None:
    closed, open_ = outlet("/closed/feed", rss()), outlet("/feed", rss())
    Source.objects.update(homepage=web.url("/"))
    web.put("/robots.txt", b"User-agent: newsroom\nDisallow: /closed\n")
    web.put("/.well-known/tdmrep.json", b'[{"location":"/","tdm-reservation":1}]')

    assert signals.read_due(10, NOON) == 1
    assert signals.read_due(10, NOON + timedelta(hours=23)) == 0

    closed.refresh_from_db()
    open_.refresh_from_db()
    assert (closed.pause_reason, open_.paused_at) == (signals.REFUSED, None)
    page = admin_client.get(f"/admin/articles/source/{closed.source_id}/change/").content.decode()
    assert "TDM-Reservation" in page
    assert web.url("/robots.txt") in page

    web.put("/robots.txt", status=500)
    web.put("/.well-known/tdmrep.json", status=404)
    signals.read_due(10, NOON + timedelta(days=2))
    kinds = [said["kind"] for said in Source.objects.get(pk=closed.source_id).signals or ()]
    assert kinds == ["robots.txt"]

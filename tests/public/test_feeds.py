"""Feeds and sitemaps by the rules of their formats."""

from __future__ import annotations

import json
from datetime import timedelta

import feedparser
import pytest
from django.conf import settings
from django.utils import timezone
from lxml import etree

from articles import interface, sitemaps, surfaces
from articles.actions import ingest
from articles.canonical import address_key
from articles.drafts import Draft
from articles.models import Article, Source
from tests.factories import ArticleFactory, ContributionFactory, HoldFactory, SourceFactory
from tests.front_door import FrontDoor

pytestmark = pytest.mark.django_db

NS = {
    "atom": "http://www.w3.org/2005/Atom",
    "dc": "http://purl.org/dc/elements/1.1/",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "at": "http://purl.org/atompub/tombstones/1.0",
    "media": "http://search.yahoo.com/mrss/",
    "x": "http://www.w3.org/1999/xhtml",
    "s": "http://www.sitemaps.org/schemas/sitemap/0.9",
    "news": "http://www.google.com/schemas/sitemap-news/0.9",
}
FORMS = ["rss", "atom", "json"]
LISTS = [
    "/feeds/latest", "/tags/climate/feed", "/contributors/quillon-zebedee/feed",
]  # fmt: skip


def xml(client, path: str) -> etree._Element:
    response = client.get(path)
    assert response.status_code == 200
    return etree.fromstring(response.content)


def text(client, path: str) -> str:
    return client.get(path).content.decode()


def test_atom_says_which_entries_are_gone_and_nothing_else_of_them(client, somewhere_everywhere):
    source = somewhere_everywhere.source
    paths = ["/feeds/latest.atom", f"{source.get_absolute_url()}feed.atom"]
    never_shown = ArticleFactory(state="draft", published_at=None, source=source)
    other = ArticleFactory(headline="Of another outlet")
    assert all(not xml(client, path).findall("at:deleted-entry", NS) for path in paths)

    for article in (somewhere_everywhere, never_shown, other):
        HoldFactory(article=article)
    HoldFactory(article=somewhere_everywhere)

    identity = f"urn:uuid:{somewhere_everywhere.key}"
    for path, number in zip(paths, (2, 1), strict=True):
        gone = {one.get("ref"): one for one in xml(client, path).findall("at:deleted-entry", NS)}
        assert len(gone) == number
        assert set(gone[identity].keys()) == {"ref", "when"}
        assert not feedparser.parse(client.get(path).content).bozo
        assert somewhere_everywhere.slug not in text(client, path)
        assert somewhere_everywhere.headline not in text(client, path)
    for form in ("rss", "json"):
        assert str(somewhere_everywhere.key) not in text(client, f"/feeds/latest.{form}")


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("form", ["rss", "atom"])
def test_another_reader_understands_the_feed(path, form, client, somewhere_everywhere):
    parsed = feedparser.parse(client.get(f"{path}.{form}").content)

    assert not parsed.bozo
    entry = next(e for e in parsed.entries if e.title == somewhere_everywhere.headline)
    assert entry.link == settings.SITE_URL + somewhere_everywhere.get_absolute_url()
    assert entry.id == f"urn:uuid:{somewhere_everywhere.key}"
    assert any(link.href == somewhere_everywhere.canonical_url for link in entry.links if link.rel == "via")


def test_each_form_tells_of_an_article_its_makers_its_source_and_its_text(client, somewhere_everywhere):
    headline, makers = somewhere_everywhere.headline, ["Quillon Zebedee", "Ada Vance"]
    Source.objects.filter(pk=somewhere_everywhere.source_id).update(feed_url="https://lesk.example/rss")
    rss = xml(client, "/feeds/latest.rss").xpath(f"//item[title = '{headline}']")[0]
    atom = xml(client, "/feeds/latest.atom").find(
        f"atom:entry[atom:id='urn:uuid:{somewhere_everywhere.key}']", NS
    )
    items = json.loads(client.get("/feeds/latest.json").content)["items"]
    item = next(item for item in items if item["title"] == headline)

    assert [e.text for e in rss.findall("dc:creator", NS)] == makers
    assert rss.find("source").get("url") == "https://lesk.example/rss"
    assert item["external_url"] == somewhere_everywhere.canonical_url
    assert rss.find("source").text == somewhere_everywhere.source.name
    assert "counted at dawn" in rss.findtext("content:encoded", namespaces=NS)
    assert atom.findtext("atom:contributor/atom:name", namespaces=NS) == "Ada Vance"
    assert atom.get("{http://www.w3.org/XML/1998/namespace}lang") == "en"
    assert [author["name"] for author in item["authors"]] == makers


@pytest.mark.parametrize("form", FORMS)
def test_feeds_obey_the_usage_policy(form, client):
    body = "".join(f"<p>word{n}</p>" for n in range(60))
    ArticleFactory(source=SourceFactory(usage="headline"), standfirst="Hidden one", body="<p>Hidden two</p>")
    ArticleFactory(source=SourceFactory(usage="excerpt", excerpt_words=10), standfirst="", body=body)
    ArticleFactory(source=SourceFactory(usage="full"), body="<p>All of it</p>")

    feed = text(client, f"/feeds/latest.{form}")

    assert "Hidden" not in feed
    assert "word9…" in feed
    assert "word10" not in feed
    assert "All of it" in feed


@pytest.mark.parametrize("form", FORMS)
def test_a_feed_survives_any_text(form, client):
    awkward = "]]> & <b>\"'\x0b\ufffe </title> \u2028 ü 日本"
    article = ArticleFactory(headline=awkward, tags=["A & B"])
    ContributionFactory(article=article, contributor__name="Ann <& Bo>", contributor__slug="ann-bo")

    content = client.get(f"/feeds/latest.{form}").content

    if form == "json":
        assert json.loads(content)["items"][0]["title"] == awkward
    else:
        assert feedparser.parse(content).entries
        assert "日本" in etree.fromstring(content).xpath("string()")


@pytest.mark.parametrize("form", FORMS)
def test_an_empty_feed_is_a_valid_feed(form, client):
    content = client.get(f"/feeds/latest.{form}").content
    assert json.loads(content)["items"] == [] if form == "json" else not feedparser.parse(content).bozo


@pytest.mark.parametrize("form", FORMS)
def test_embargoed_drafted_and_held_articles_are_in_no_feed(form, client):
    hidden = [
        ArticleFactory(draft=True),
        ArticleFactory(published_at=timezone.now() + timedelta(hours=1)),
        HoldFactory().article,
    ]

    feed = text(client, f"/feeds/latest.{form}")

    assert not [article for article in hidden if article.slug in feed]


def test_the_sitemap_index_leads_to_every_article(client, monkeypatch):
    monkeypatch.setattr(sitemaps, "PER_PART", 3)
    monkeypatch.setattr(surfaces, "PER_PART", 3)
    articles = ArticleFactory.create_batch(8)
    held = HoldFactory().article

    parts = [loc.text for loc in xml(client, "/sitemap.xml").iterfind(".//s:loc", NS)]
    responses = [client.get(part.removeprefix(settings.SITE_URL)) for part in parts]
    maps = [etree.fromstring(r.content) for r in responses if r.status_code == 200]
    listed = {loc.text for one in maps for loc in one.iterfind(".//s:loc", NS)}

    assert {settings.SITE_URL + article.get_absolute_url() for article in articles} <= listed
    assert settings.SITE_URL + held.get_absolute_url() not in listed


def test_articles_that_come_in_reach_the_sitemap_that_lies_ready(monkeypatch):
    door = FrontDoor()
    monkeypatch.setattr(sitemaps, "PER_PART", 3)
    monkeypatch.setattr(surfaces, "PER_PART", 3)
    (part,) = sitemaps.at_parts(ArticleFactory())
    urls = [f"https://outlet.example/{n}" for n in range(3)]
    drafts = [Draft(url, address_key(url), "", headline="New") for url in urls]
    for path in ("/sitemap.xml", part):
        door.get(path)

    outcomes = ingest(source=SourceFactory(), drafts=drafts, at=timezone.now())

    for article in Article.objects.filter(pk__in=[one.article_id for one in outcomes]):
        (part,) = sitemaps.at_parts(article)
        assert f"{part}<" in door.get("/sitemap.xml").text
        assert f"/{article.slug}/" in door.get(part).text


def test_the_sitemap_names_each_page_of_ours_in_every_language(client):
    urls = xml(client, "/sitemaps/pages.xml").findall("s:url", NS)
    named = {
        url.findtext("s:loc", namespaces=NS): {
            link.get("hreflang"): link.get("href") for link in url.findall("x:link", NS)
        }
        for url in urls
    }

    assert named[f"{settings.SITE_URL}/ar/languages/"]["de"] == f"{settings.SITE_URL}/de/languages/"
    assert named[f"{settings.SITE_URL}/languages/"]["x-default"] == f"{settings.SITE_URL}/languages/"
    assert set(named[f"{settings.SITE_URL}/"]) == {*interface.TONGUES, "x-default"}


def test_the_news_sitemap_holds_two_days_and_names_language_and_title(client):
    fresh = ArticleFactory(language="de")
    stale = ArticleFactory(published_at=timezone.now() - timedelta(days=3))

    urls = xml(client, "/news-sitemap.xml").findall("s:url", NS)

    assert [url.findtext("s:loc", namespaces=NS) for url in urls] == [
        settings.SITE_URL + fresh.get_absolute_url()
    ]
    assert urls[0].findtext("news:news/news:title", namespaces=NS) == fresh.headline
    assert urls[0].findtext("news:news/news:publication/news:language", namespaces=NS) == "de"
    assert stale.slug not in text(client, "/news-sitemap.xml")


def test_the_news_sitemap_stops_at_its_limit(client, monkeypatch):
    monkeypatch.setattr(sitemaps, "NEWS_URLS", 3)
    ArticleFactory.create_batch(5)
    assert len(xml(client, "/news-sitemap.xml").findall("s:url", NS)) == 3


def test_robots_leads_to_the_sitemaps_and_away_from_the_desk(client):
    robots = text(client, "/robots.txt")
    assert "Disallow: /admin/" in robots
    assert f"Sitemap: {settings.SITE_URL}/sitemap.xml" in robots


def test_addresses_in_other_scripts_are_escaped_for_machines(client):
    article = ArticleFactory(slug="порт-відкрито", tags=["Порт"])
    ContributionFactory(article=article)

    for path in ("/feeds/latest.rss", "/feeds/latest.json", "/sitemaps/0.xml"):
        content = text(client, path)
        assert "/articles/%D0%BF%D0%BE%D1%80%D1%82" in content
    assert client.get(f"/tags/{article.tags.get().slug}/feed.atom").status_code == 200

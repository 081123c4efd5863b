"""Outlets without a feed are read by the sitemap they publish for search engines."""

from __future__ import annotations

import pytest

from aggregator import actions
from aggregator.discovery import linked, news_sitemaps, sitemaps_listed
from aggregator.models import Feed
from aggregator.parse import NotAFeed, parse
from articles.models import Article
from tests.aggregator.conftest import NOON, fetch_once
from tests.loopback import WebServer

NEWS = b"""<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"
        xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"
        xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">
<url><loc>https://quay.example/about</loc></url>
<url><loc>https://quay.example/1</loc><news:news>
  <news:publication><news:name>The Quay</news:name><news:language>de</news:language></news:publication>
  <news:publication_date>2026-03-01T09:00:00+01:00</news:publication_date>
  <news:title>Older &amp; wiser</news:title></news:news></url>
<url><loc>https://quay.example/2</loc><news:news>
  <news:publication><news:name>The Quay</news:name><news:language>de</news:language></news:publication>
  <news:publication_date>2026-03-02T09:00:00Z</news:publication_date>
  <news:title>The ferry is back</news:title><news:keywords>Ferries, Harbour</news:keywords></news:news>
  <image:image><image:loc>https://quay.example/2.jpg</image:loc><image:caption>A ferry</image:caption>
  </image:image></url>
</urlset>"""


def test_a_news_sitemap_is_read_as_a_feed() -> None:
    document = parse(NEWS, url="https://quay.example/news.xml")

    assert (document.format, document.title, document.link) == (
        "News sitemap",
        "The Quay",
        "https://quay.example/",
    )
    assert [entry.title for entry in document.entries] == ["The ferry is back", "Older & wiser"]
    newest = document.entries[0]
    assert (newest.link, newest.language) == ("https://quay.example/2", "de")
    assert [category.term for category in newest.categories] == ["Ferries", "Harbour"]
    assert newest.picture
    assert newest.picture.caption == "A ferry"


def test_a_sitemap_without_news_is_refused_in_words() -> None:
    with pytest.raises(NotAFeed, match="names no news"):
        parse(
            b'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url><loc>https://a.example/</loc></url></urlset>'
        )


def test_an_index_lists_news_first_and_then_what_changed_last() -> None:
    listed = "".join(
        f"<sitemap><loc>{name}</loc><lastmod>{day}</lastmod></sitemap>"
        for name, day in [
            ("/old.xml", "2020-01-01"),
            ("/new.xml?a=1&amp;b=2", "2026-01-01"),
            ("/news.xml", "2019-01-01"),
        ]
    )
    assert sitemaps_listed(f"<sitemapindex>{listed}</sitemapindex>".encode(), "https://a.example/i.xml") == [
        "https://a.example/news.xml",
        "https://a.example/new.xml?a=1&b=2",
        "https://a.example/old.xml",
    ]


def test_link_headers_name_hubs() -> None:
    header = '<https://hub.example/>; rel="hub", </feed>;rel=self, <https://other.example/>; title="a, b"'
    header += '; rel="next hub"'
    assert linked(header, "https://a.example/x") == {
        "hub": ["https://hub.example/", "https://other.example/"],
        "self": ["https://a.example/feed"],
        "next": ["https://other.example/"],
    }
    assert linked("<" * 9_000 + '; rel="hub"', "https://a.example/") == {}


def test_robots_txt_names_news_sitemaps() -> None:
    text = "Sitemap: https://a.example/pages.xml\nsitemap:https://a.example/news-sitemap.xml\nSitemap: javascript:news"

    assert news_sitemaps(text) == ["https://a.example/news-sitemap.xml"]


@pytest.mark.django_db
def test_a_site_without_a_feed_is_read_by_the_sitemap_it_names(web: WebServer) -> None:
    home = web.put("/", b"<!doctype html><html>No feed here</html>")
    web.put("/2026.xml", NEWS)
    listed = "".join(f"<sitemap><loc>{path}</loc></sitemap>" for path in ("/no.xml", "/2026.xml"))
    index = f"<?xml version='1.0'?><sitemapindex>{listed}</sitemapindex>"
    sitemap = web.put("/news-sitemap.xml", index.encode(), headers=[("ETag", '"1"')])
    web.put("/robots.txt", f"User-agent: *\nSitemap: {sitemap}\n".encode())

    feed = actions.add_feed(url=home, at=NOON)
    report = fetch_once(feed)
    assert feed.etag == ""

    assert Feed.objects.get().url == sitemap
    assert report.created == 2
    assert set(Article.objects.values_list("headline", "language")) == {
        ("The ferry is back", "de"),
        ("Older & wiser", "de"),
    }

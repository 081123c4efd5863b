"""Outlets without a feed are read by the sitemap they publish for search engines."""

from __future__ import annotations

import pytest

from aggregator import actions
from aggregator.discovery import news_sitemaps
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


def test_robots_txt_names_news_sitemaps() -> None:
    text = "Sitemap: https://a.example/pages.xml\nsitemap:https://a.example/news-sitemap.xml\nSitemap: javascript:news"

    assert news_sitemaps(text) == ["https://a.example/news-sitemap.xml"]


@pytest.mark.django_db
def test_a_site_without_a_feed_is_read_by_the_sitemap_it_names(web: WebServer) -> None:
    home = web.put("/", b"<!doctype html><html>No feed here</html>")
    sitemap = web.put("/news-sitemap.xml", NEWS)
    web.put("/robots.txt", f"User-agent: *\nSitemap: {sitemap}\n".encode())

    feed = actions.add_feed(url=home, at=NOON)
    report = fetch_once(feed)

    assert Feed.objects.get().url == sitemap
    assert report.created == 2
    assert set(Article.objects.values_list("headline", "language")) == {
        ("The ferry is back", "de"),
        ("Older & wiser", "de"),
    }

"""News sitemaps: what outlets without a feed publish for search engines, read as a feed."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from aggregator.documents import Category, Entry, FeedDocument, Picture
from aggregator.formats import caps
from aggregator.formats.dates import read_date
from aggregator.formats.names import first, parts_of
from aggregator.formats.text import address, line, plain


class NoNews(Exception):
    """A sitemap that lists pages, none of them as news."""


def read_sitemap(root: Any, url: str = "") -> FeedDocument:
    """The news in a sitemap, newest first. Raises NoNews where it names none."""
    pages = [(parts_of(page), page) for page in parts_of(root).get("url", ())]
    news = [(parts, parts_of(parts["news:news"][0])) for parts, _ in pages if "news:news" in parts]
    if not news:
        raise NoNews("This is a list of a site's pages (a sitemap) that names no news.")
    entries = [_entry(parts, said, url) for parts, said in news[: 4 * caps.ENTRIES]]
    found = sorted((entry for entry in entries if entry.link), key=_moment, reverse=True)
    publication = parts_of(news[0][1]["news:publication"][0]) if "news:publication" in news[0][1] else {}
    home = urlsplit(found[0].link) if found else urlsplit(url)
    return FeedDocument(
        format="News sitemap",
        title=plain(first(publication, "news:name")),
        link=f"{home.scheme}://{home.netloc}/" if home.netloc else "",
        language=line(first(publication, "news:language"), 35),
        entries=tuple(found[: caps.ENTRIES]),
        cut_off=len(news) > caps.ENTRIES,
    )


def _moment(entry: Entry) -> float:
    return entry.published.timestamp() if entry.published else 0.0


def _entry(parts: dict[str, list[Any]], said: dict[str, list[Any]], base: str) -> Entry:
    link = address(first(parts, "loc"), base)
    publication = parts_of(said["news:publication"][0]) if "news:publication" in said else {}
    words = [line(word, caps.NAME) for word in first(said, "news:keywords").split(",")[: caps.CATEGORIES]]
    return Entry(
        id=link,
        link=link,
        title=plain(first(said, "news:title")),
        base=base,
        published=read_date(first(said, "news:publication_date")),
        language=line(first(publication, "news:language"), 35),
        categories=tuple(Category(word) for word in words if word),
        picture=_picture(parts, base),
    )


def _picture(parts: dict[str, list[Any]], base: str) -> Picture | None:
    for image in parts.get("image:image", ()):
        said = parts_of(image)
        if found := address(first(said, "image:loc"), base):
            return Picture(url=found, caption=plain(first(said, "image:caption", "image:title")))
    return None

"""Feeds that a web page names."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

from aggregator.formats.text import address

TYPES = {
    "application/rss+xml",
    "application/atom+xml",
    "application/rdf+xml",
    "application/feed+json",
    "application/json",
    "application/xml",
    "text/xml",
}
LONGEST_PAGE = 1_000_000
MOST = 20


def feeds_named(page: bytes, url: str) -> list[str]:
    """The addresses of feeds in the page's head, in its order, feeds of comments last."""
    reader = _Head(url)
    reader.feed(page[:LONGEST_PAGE].decode("utf-8", "replace"))
    found = list(dict.fromkeys(reader.found))[:MOST]
    return sorted(found, key=lambda one: "comment" in one.lower())


LOCATED = re.compile(r"<loc>\s*([^<>]+?)\s*</loc>")
CHANGED = re.compile(r"<lastmod>\s*([0-9T:Z.+\-]{4,40})\s*</lastmod>")
LINK = re.compile(r"<([^<>]*)>([^<]*)")
RELATION = re.compile(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^\s;,\"]+))", re.I)
LONGEST_HEADER = 8_000
SITEMAP = re.compile(r"^[ \t]*sitemap[ \t]*:[ \t]*(\S+)", re.I | re.M)


def news_sitemaps(robots: str) -> list[str]:
    """The sitemaps a robots.txt names, those that call themselves news alone."""
    named = [address(found) for found in SITEMAP.findall(robots[:200_000])]
    return [url for url in dict.fromkeys(named) if url and "news" in url.lower()][:3]


def sitemaps_listed(index: bytes, url: str) -> list[str]:
    """The sitemaps that an index lists, those that call themselves news first, then the latest changed."""
    blocks = index[:LONGEST_PAGE].decode("utf-8", "replace").split("<sitemap>")[1:]
    found = {}
    for block in blocks:
        located, changed = LOCATED.search(block), CHANGED.search(block)
        if located and (named := address(unescape(located[1]), url)):
            found[named] = ("news" in named.lower(), changed[1] if changed else "")
    return sorted(found, key=lambda named: found[named], reverse=True)


def linked(header: str, base: str) -> dict[str, list[str]]:
    """What a Link header (RFC 8288) leads to, by relation."""
    found: dict[str, list[str]] = {}
    for target, parameters in LINK.findall(header[:LONGEST_HEADER]):
        named = RELATION.search(parameters)
        for relation in (named[1] or named[2]).lower().split() if named else ():
            if url := address(target, base):
                found.setdefault(relation, []).append(url)
    return found


class _Head(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__()
        self.base = url
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs[:50]}
        if tag == "base" and given.get("href"):
            self.base = address(given["href"], self.base) or self.base
        if tag == "link" and "alternate" in given.get("rel", "").lower().split():
            kind = given.get("type", "").partition(";")[0].strip().lower()
            target = address(given.get("href"), self.base) if kind in TYPES else ""
            if target and "wp-json" not in target:
                self.found.append(target)

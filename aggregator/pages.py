"""An article's own page: its text, whom it names as authors, and what it reserves. Pure; read in the sandbox."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from aggregator.documents import Page

LONGEST = 4 * 1024 * 1024
LONGEST_NAME = 300
MOST_BLOCKS = 30
MOST_NAMES = 20
MOST_METAS = 200
# Where a page names its authors, the surest first; an element's text, or an attribute that holds it.
BYLINES = (
    '//meta[@name="author" or @property="author" or @name="parsely-author"]/@content',
    '//meta[@name="dc.creator" or @name="DC.creator" or @name="DC.Creator"]/@content',
    '//meta[@name="sailthru.author" or @name="byl" or @property="og:article:author"]/@content',
    '//*[@itemprop="author"]//*[@itemprop="name"]',
    '//*[@rel="author"]',
    '//*[@itemprop="author" and not(.//*[@itemprop="name"])]',
    '//*[contains(concat(" ", @class, " "), " byline ") or contains(@class, "byline__name")'
    ' or contains(@class, "author-name") or contains(@class, "author__name")]',
)
ARTICLES = ("Article", "BlogPosting", "Report", "Review", "LiveBlogPosting")


class NotAPage(Exception):
    """There is no article's text in the document; the text says why."""


def read_page(data: bytes, *, url: str) -> Page:
    """What the page says. Raises NotAPage."""
    import trafilatura  # a second and forty megabytes that a child which reads feeds alone is spared

    if len(data) > LONGEST:
        raise NotAPage(f"The page is larger than {LONGEST // 2**20} MiB.")
    tree = trafilatura.load_html(data)
    if tree is None:
        raise NotAPage("The address answers with something else than a web page.")
    names, metas = tuple(_names(tree)), tuple(_metas(tree))
    text = trafilatura.extract(
        tree, url=url, fast=True, output_format="html", include_comments=False, include_links=True
    )
    if not text:
        raise NotAPage("No article's text was found on the page.")
    return Page(html=text, bylines=names, metas=metas)


def _metas(tree: Any) -> Iterator[tuple[str, str]]:
    for meta in tree.xpath("//meta[@name]")[:MOST_METAS]:
        yield meta.get("name").lower()[:LONGEST_NAME], (meta.get("content") or "")[:LONGEST_NAME]


def _names(tree: Any) -> Iterator[str]:
    """The names of the surest place that gives any: structured data, then what the page marks as its byline."""
    if named := list(dict.fromkeys(_structured(tree)))[:MOST_NAMES]:
        yield from named
        return
    for path in BYLINES:
        found = [_said(one) for one in tree.xpath(path)[:MOST_NAMES]]
        if named := [name for name in dict.fromkeys(found) if name and "://" not in name]:
            yield from named
            return


def _said(found: Any) -> str:
    text = found if isinstance(found, str) else found.text_content()
    return " ".join(text.split())[:LONGEST_NAME]


def _structured(tree: Any) -> Iterator[str]:
    """Authors in the page's JSON-LD."""
    for block in tree.xpath('//script[@type="application/ld+json"]/text()')[:MOST_BLOCKS]:
        try:
            said = json.loads(block, strict=False)
        except (ValueError, RecursionError):
            continue
        for thing in _things(said):
            if str(thing.get("@type")).find("Article") >= 0 or thing.get("@type") in ARTICLES:
                yield from _people(thing.get("author"))


def _things(said: Any) -> Iterator[dict[str, Any]]:
    several = said if isinstance(said, list) else said.get("@graph", [said]) if isinstance(said, dict) else []
    yield from (thing for thing in several if isinstance(thing, dict)) if isinstance(several, list) else ()


def _people(authors: Any) -> Iterator[str]:
    for author in authors if isinstance(authors, list) else [authors]:
        name = author.get("name") if isinstance(author, dict) else author
        is_person = not isinstance(author, dict) or author.get("@type", "Person") == "Person"
        for one in name if isinstance(name, list) else [name]:
            if is_person and isinstance(one, str) and one.strip() and "://" not in one:
                yield " ".join(one.split())[:LONGEST_NAME]

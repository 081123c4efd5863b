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
    '//meta[@name="dc.creator" or @name="DC.creator" or @name="DC.Creator" or @name="authors"]/@content',
    '//meta[@name="sailthru.author" or @name="byl" or @name="citation_author"]/@content',
    '//meta[@property="article:author" or @property="og:article:author"]/@content',
    '//meta[@name="twitter:label1" and contains(@content, "ritten")]/following-sibling::meta[@name="twitter:data1"]'
    "/@content",
    '//*[@itemprop="author"]//*[@itemprop="name"]',
    '//*[@rel="author"]',
    '//*[@itemprop="author" and not(.//*[@itemprop="name"])]',
    '//*[contains(@class, "byline__name") or contains(@class, "author-name") or contains(@class, "author__name")]',
    '//*[contains(concat(" ", @class, " "), " byline ")]//li',
    '//*[contains(concat(" ", @class, " "), " byline ")]',
    '//*[contains(@class, "byline") and not(ancestor::*[contains(@class, "byline")])]',
)
# What follows the headline up to the first long paragraph, where a page without marks names its authors.
# What stands beside the article, or belongs to a picture, names others.
AFTER_HEADLINE = (
    "(//h1)[1]/following::*[not(ancestor-or-self::*"
    "[self::figure or self::aside or self::nav or self::footer or self::form or self::button])]"
)
MOST_AFTER = 60
LONG = 160
# Words in the class, id or test id of what holds names, whatever a design system calls it.
MARKS = ("author", "byline", "credit", "writer", "reporter", "autor", "auteur", "contributor")
PHRASING = frozenset({"a", "abbr", "b", "br", "em", "i", "img", "small", "span", "strong", "svg", "time"})
AUTHOR_LINKS = ("/author/", "/authors/", "/people/", "/profile/", "/reporter/", "/autor/", "/auteur/", "/by/")
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
    near = list(_after_headline(tree))
    names, metas = tuple(_names(tree, near)), tuple(_metas(tree))
    opening, marked = tuple(_lines(near)), tuple(_lines(_marked(near)))
    text = trafilatura.extract(
        tree, url=url, fast=True, output_format="html", include_comments=False, include_links=True
    )
    if not text:
        raise NotAPage("No article's text was found on the page.")
    return Page(html=text, bylines=names, marked=marked, opening=opening, metas=metas)


def _metas(tree: Any) -> Iterator[tuple[str, str]]:
    for meta in tree.xpath("//meta[@name]")[:MOST_METAS]:
        yield meta.get("name").lower()[:LONGEST_NAME], (meta.get("content") or "")[:LONGEST_NAME]


def _names(tree: Any, near: list[Any]) -> Iterator[tuple[str, ...]]:
    """The names by place: structured data, then what the page marks as its byline, then links to authors."""
    yield from filter(None, [tuple(dict.fromkeys(_structured(tree)))[:MOST_NAMES]])
    linked = [one for one in near if any(path in (one.get("href") or "") for path in AUTHOR_LINKS)]
    for found in (*(tree.xpath(path) for path in BYLINES), linked):
        said = dict.fromkeys(_said(one) for one in found[:MOST_NAMES])
        if named := tuple(name for name in said if name and "://" not in name):
            yield named


def _after_headline(tree: Any) -> Iterator[Any]:
    for element in tree.xpath(AFTER_HEADLINE)[:MOST_AFTER]:
        if element.tag == "p" and len(_said(element)) > LONG:
            return
        yield element


def _marked(near: list[Any]) -> list[Any]:
    """Those that their mark says to be about the author, or where they have none that of what they stand in."""
    return [one for one in near if _is_marked(one) and all(_is_marked(part) for part in one if _marks(part))]


def _is_marked(element: Any) -> bool:
    said = _marks(element) or _marks(element.getparent())
    return any(mark in said for mark in MARKS)


def _marks(element: Any) -> str:
    said = map(element.get, ("class", "id", "data-testid", "itemprop"))
    return " ".join(filter(None, said)).lower() if element.tag != "body" else ""


def _lines(elements: list[Any]) -> Iterator[str]:
    """Their short texts in order, each of an element that holds no more than words."""
    for element in elements:
        is_leaf = isinstance(element.tag, str) and all(child.tag in PHRASING for child in element)
        if is_leaf and (said := _said(element)) and len(said) <= LONG:
            yield said


def _said(found: Any) -> str:
    """The text of an element or attribute, without the dates in it."""
    if isinstance(found, str):
        return " ".join(found.split())[:LONGEST_NAME]
    pieces = (
        found.xpath(".//text()[not(ancestor::time)]")
        if found.find(".//time") is not None
        else found.itertext()
    )
    return " ".join("".join(pieces).split())[:LONGEST_NAME]


def _structured(tree: Any) -> Iterator[str]:
    """Authors in the page's JSON-LD."""
    for block in tree.xpath('//script[@type="application/ld+json"]/text()')[:MOST_BLOCKS]:
        try:
            said = json.loads(block, strict=False)
        except (ValueError, RecursionError):
            continue
        for thing in _things(said):
            if str(thing.get("@type")).find("Article") >= 0 or thing.get("@type") in ARTICLES:
                yield from _people(_named_there(thing.get("author") or thing.get("creator"), said))


def _named_there(author: Any, said: Any) -> list[Any]:
    """The authors, those given by reference looked up among the other things the page describes."""
    known = {thing.get("@id"): thing for thing in _things(said) if isinstance(thing.get("@id"), str)}
    wanted = author if isinstance(author, list) else [author]
    return [
        known.get(one.get("@id"), one) if isinstance(one, dict) and "name" not in one else one
        for one in wanted
    ]


def _things(said: Any) -> Iterator[dict[str, Any]]:
    """What a block describes, and what that says it is mainly about."""
    for thing in _listed(said):
        yield thing
        yield from (inner for inner in [thing.get("mainEntity")] if isinstance(inner, dict))


def _listed(said: Any) -> Iterator[dict[str, Any]]:
    several = said if isinstance(said, list) else said.get("@graph", [said]) if isinstance(said, dict) else []
    yield from (thing for thing in several if isinstance(thing, dict)) if isinstance(several, list) else ()


def _people(authors: Any) -> Iterator[str]:
    for author in authors if isinstance(authors, list) else [authors]:
        name = author.get("name") if isinstance(author, dict) else author
        is_person = not isinstance(author, dict) or author.get("@type", "Person") == "Person"
        for one in name if isinstance(name, list) else [name]:
            if is_person and isinstance(one, str) and one.strip() and "://" not in one:
                yield " ".join(one.split())[:LONGEST_NAME]

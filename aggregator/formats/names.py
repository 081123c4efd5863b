"""Elements by one spelling: "dc:creator" whatever prefix, namespace variant or case the feed used."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from lxml import etree

Parts = dict[str, list[Any]]

PREFIX_OF = {
    "www.w3.org/2005/atom": "atom",
    "purl.org/atom/ns#": "atom",
    "purl.org/atom/ns": "atom",
    "purl.org/net/rss1.1#": "",
    "purl.org/rss/1.0": "",
    "channel.netscape.com/rdf/simple/0.9": "",
    "my.netscape.com/rdf/simple/0.9": "",
    "my.netscape.com/publish/formats/rss-0.91.dtd": "",
    "backend.userland.com/rss": "",
    "backend.userland.com/rss2": "",
    "backend.userland.com/rss091": "",
    "blogs.law.harvard.edu/tech/rss": "",
    "cyber.law.harvard.edu/rss": "",
    "purl.org/dc/elements/1.1": "dc",
    "purl.org/dc/elements/1.0": "dc",
    "purl.org/dc/terms": "dcterms",
    "purl.org/rss/1.0/modules/content": "content",
    "purl.org/rss/1.0/modules/syndication": "sy",
    "purl.org/rss/1.0/modules/slash": "slash",
    "search.yahoo.com/mrss": "media",
    "www.rssboard.org/media-rss": "media",
    "www.itunes.com/dtds/podcast-1.0.dtd": "itunes",
    "example.com/dtds/podcast-1.0.dtd": "itunes",
    "rssnamespace.org/feedburner/ext/1.0": "feedburner",
    "backend.userland.com/creativecommonsrssmodule": "cc",
    "cyber.law.harvard.edu/rss/creativecommonsrssmodule.html": "cc",
    "web.resource.org/cc": "cc",
    "creativecommons.org/ns#": "cc",
    "www.w3.org/1999/xhtml": "xhtml",
    "rslstandard.org/rsl": "rsl",
    "www.sitemaps.org/schemas/sitemap/0.9": "",
    "www.google.com/schemas/sitemap/0.9": "",
    "www.google.com/schemas/sitemap/0.84": "",
    "www.google.com/schemas/sitemap-news/0.9": "news",
    "www.google.com/schemas/sitemap-image/1.1": "image",
    "www.w3.org/1999/02/22-rdf-syntax-ns#": "rdf",
}
# What an undeclared prefix means where a feed forgot its declaration.
BARE_PREFIXES = {
    "atom": "atom", "a10": "atom", "dc": "dc", "dcterms": "dcterms", "content": "content", "sy": "sy",
    "media": "media", "itunes": "itunes", "feedburner": "feedburner", "creativecommons": "cc", "cc": "cc",
    "rdf": "rdf", "rss": "", "xhtml": "xhtml", "rsl": "rsl", "news": "news", "image": "image",
}  # fmt: skip
XML_BASE = "{http://www.w3.org/XML/1998/namespace}base"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


@lru_cache(maxsize=8192)
def key(tag: Any) -> str:
    """The element's one name. What is no element, or of an unknown kind, has a name nothing asks for."""
    if not isinstance(tag, str):
        return "?"
    space, _, local = tag[1:].partition("}") if tag.startswith("{") else ("", "", tag)
    local = local.lower()
    if not space:
        bare, colon, rest = local.partition(":")
        prefix = BARE_PREFIXES.get(bare, bare) if colon else ""
        return _joined(prefix, rest if colon else local)
    return _joined(_prefix(space), local)


def _prefix(space: str) -> str:
    bare = space.strip().lower().removeprefix("https://").removeprefix("http://").rstrip("/")
    return PREFIX_OF.get(bare, "?")


def _joined(prefix: str, local: str) -> str:
    return f"{prefix}:{local}" if prefix else local


def parts_of(element: Any) -> Parts:
    """The element's children by name, in order."""
    parts: Parts = {}
    for child in element:
        parts.setdefault(key(child.tag), []).append(child)
    return parts


def inner(element: Any) -> str:
    """What stands in the element: its text, or its markup where tags stand in it unescaped."""
    if not len(element):
        return element.text or ""
    for child in element.iter():
        if isinstance(child.tag, str) and "}" in child.tag:
            child.tag = child.tag.rpartition("}")[2]
    etree.cleanup_namespaces(element)
    pieces = [etree.tostring(child, encoding="unicode", method="html", with_tail=True) for child in element]
    return _escaped(element.text or "") + "".join(pieces)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


def first(parts: Parts, *names: str) -> str:
    """What stands in the first of the named elements that is not empty."""
    for name in names:
        for element in parts.get(name, ()):
            found = inner(element).strip()
            if found:
                return found
    return ""

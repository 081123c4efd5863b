"""Atom 0.3 and 1.0."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any

from aggregator.documents import Credit, Entry, FeedDocument, Origin, Picture
from aggregator.formats import caps
from aggregator.formats.media import enclosures, lead_picture, media_credits
from aggregator.formats.names import XML_BASE, XML_LANG, Parts, first, inner, key, parts_of
from aggregator.formats.people import distinct, person
from aggregator.formats.rss import categories, first_date, licence, rsl
from aggregator.formats.text import address, line, markup, plain


def read_atom(root: Any, url: str = "") -> FeedDocument:
    """What an Atom feed says, or a document that is one entry alone."""
    parts = _plain_names(parts_of(root))
    entries = [root] if key(root.tag) in ("atom:entry", "entry") else parts.get("entry", [])
    base = address(root.get(XML_BASE), url) or url
    link = page_link(parts, base)
    language = line(root.get(XML_LANG) or first(parts, "dc:language"), 35)
    read = [read_entry(entry, base or link, language) for entry in entries[: caps.ENTRIES]]
    return FeedDocument(
        format="Atom 0.3" if "purl.org/atom" in str(root.tag) else "Atom 1.0",
        title=words(parts, "title"),
        link=link,
        description=words(parts, "subtitle", "tagline", limit=caps.TEXT),
        language=language,
        updated=first_date(parts, "updated", "modified"),
        credits=distinct(_people(parts)),
        categories=categories(parts),
        picture=_logo(parts, base),
        rights=words(parts, "rights", "copyright", "dc:rights", limit=caps.TEXT),
        licence=_licence(parts, base),
        generator=words(parts, "generator", limit=caps.NAME),
        self_link=related(parts, "self", base),
        rsl=rsl(parts),
        hubs=tuple(dict.fromkeys(_all_related(parts, "hub", base)))[:5],
        entries=tuple(read),
        cut_off=len(entries) > caps.ENTRIES,
    )


def read_entry(entry: Any, base: str, language: str) -> Entry:
    """One entry. `base` is what its relative addresses are relative to."""
    parts = _plain_names(parts_of(entry))
    base = address(entry.get(XML_BASE), base) or base
    summary, content = _text(parts, "summary"), _text(parts, "content", "content:encoded")
    identity = line(first(parts, "id"), caps.ADDRESS)
    link = page_link(parts, base) or address(_content_address(parts), base) or address(identity)
    return Entry(
        id=identity or link,
        link=link,
        original_link=address(first(parts, "feedburner:origlink")),
        title=words(parts, "title", "media:title") or plain(_group(parts, "media:title")),
        summary=summary or _group(parts, "media:description"),
        content=content,
        base=_own_base(parts, base),
        published=first_date(
            parts, "published", "issued", "created", "dc:date", "dcterms:created", "pubdate"
        ),
        updated=first_date(parts, "updated", "modified", "dcterms:modified", "dc:date"),
        language=line(_own_language(parts) or entry.get(XML_LANG) or first(parts, "dc:language"), 35)
        or language,
        credits=distinct(_people(parts)),
        categories=categories(parts),
        picture=lead_picture(parts, base, content or summary),
        enclosures=enclosures({**parts, "atom:link": parts.get("link", [])}, base),
        source=_source(parts, base),
        rights=words(parts, "rights", "copyright", "dc:rights", "media:copyright", limit=caps.TEXT),
        licence=_licence(parts, base),
        rsl=rsl(parts),
    )


def _plain_names(parts: Parts) -> Parts:
    """Atom's own elements without their prefix; "category" stays findable under the name RSS readers use."""
    named: Parts = {}
    for name, elements in parts.items():
        bare = name.removeprefix("atom:")
        named[bare] = [*named.get(bare, []), *elements]
    if "category" in named:
        named["atom:category"] = named.pop("category")
    return named


def words(parts: Parts, *names: str, limit: int = caps.TITLE) -> str:
    """A short text construct as plain text, by what its type says it holds."""
    for name in names:
        for element in parts.get(name, ()):
            found = _words(element, limit)
            if found:
                return found
    return ""


def _words(element: Any, limit: int) -> str:
    kind = (element.get("type") or "text").lower()
    if kind in ("text", "text/plain") and not len(element) and element.get("mode") != "base64":
        return line(element.text or "", limit)
    return plain(_markup(element), limit)


def _text(parts: Parts, *names: str) -> str:
    """A long text construct as HTML."""
    for name in names:
        for element in parts.get(name, ()):
            found = _markup(element)
            if found.strip():
                return markup(found)
    return ""


def _markup(element: Any) -> str:
    kind = (element.get("type") or "text").lower()
    if element.get("mode") == "base64" or (kind not in TEXTUAL and "/" in kind and not len(element)):
        return _decoded(element.text or "")
    if kind in ("text", "text/plain") and not len(element) and not element.get("mode"):
        return _unmarked(element.text or "")
    return inner(element)


TEXTUAL = frozenset({"text/plain", "text/html", "application/xhtml+xml", "application/xml", "text/xml"})


def _unmarked(text: str) -> str:
    """Text said to be plain, as HTML. Many feeds put HTML there and forget to say so: that stays HTML."""
    if "</" in text or "<br" in text or "<p>" in text or "<img" in text:
        return text
    return text.replace("&", "&amp;").replace("<", "&lt;")


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text[: caps.MARKUP], validate=False).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""


def page_link(parts: Parts, base: str) -> str:
    """The page an entry or feed stands for: its alternate link, of several the HTML one."""
    found = ""
    for element in parts.get("link", ()):
        relation = (element.get("rel") or "alternate").lower()
        if relation != "alternate":
            continue
        target = address(element.get("href") or element.text, base)
        if target and (element.get("type") or "text/html").lower() in ("text/html", "application/xhtml+xml"):
            return target
        found = found or target
    return found or _any_page(parts, base)


def _any_page(parts: Parts, base: str) -> str:
    for element in parts.get("link", ()):
        if (element.get("rel") or "").lower() in ("via", "related", "canonical"):
            return address(element.get("href"), base)
    return ""


def related(parts: Parts, relation: str, base: str) -> str:
    """The first link of this relation."""
    return next(_all_related(parts, relation, base), "")


def _all_related(parts: Parts, relation: str, base: str) -> Iterator[str]:
    for element in parts.get("link", ()):
        if (element.get("rel") or "alternate").lower() == relation:
            found = address(element.get("href"), base)
            if found:
                yield found


def _licence(parts: Parts, base: str) -> str:
    return related(parts, "license", base) or licence(parts)


def _content_address(parts: Parts) -> str:
    return next((element.get("src") or "" for element in parts.get("content", ())), "")


def _own_base(parts: Parts, base: str) -> str:
    for element in (*parts.get("content", ()), *parts.get("summary", ())):
        if element.get(XML_BASE):
            return address(element.get(XML_BASE), base) or base
        for child in element[:1]:
            return address(child.get(XML_BASE), base) or base
    return base


def _own_language(parts: Parts) -> str:
    return next((element.get(XML_LANG) or "" for element in parts.get("content", ())), "")


def _group(parts: Parts, name: str) -> str:
    for group in parts.get("media:group", ())[:1]:
        return first(parts_of(group), name)
    return ""


def _people(parts: Parts) -> Iterator[Credit | None]:
    for role in ("author", "contributor"):
        for element in parts.get(role, ()):
            yield _person(element, role)
    for element in parts.get("dc:creator", ()):
        yield person(inner(element), "author")
    for element in parts.get("dc:contributor", ()):
        yield person(inner(element), "contributor")
    yield from media_credits(parts)


def _person(element: Any, role: str) -> Credit | None:
    own = _plain_names(parts_of(element))
    written = first(own, "name") or ("" if own else element.text or "")
    url = address(first(own, "uri", "url", "homepage"), element.base or "")
    email = line(first(own, "email"), caps.NAME)
    found = person(written, role, url)
    if found is None:
        return Credit("", role, email, url) if email else None
    return Credit(found.name, role, found.email or email, url)


def _source(parts: Parts, base: str) -> Origin | None:
    for element in parts.get("source", ())[:1]:
        own = _plain_names(parts_of(element))
        return Origin(words(own, "title"), page_link(own, base) or related(own, "self", base))
    return None


def _logo(parts: Parts, base: str) -> Picture | None:
    url = address(first(parts, "logo", "icon"), base)
    return Picture(url) if url else None

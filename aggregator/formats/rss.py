"""RSS 0.9x, 1.0 and 2.0, and RDF, with the modules newsrooms put into them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any

from aggregator.documents import Category, Credit, Entry, FeedDocument, Origin, Picture
from aggregator.formats import caps
from aggregator.formats.dates import read_date
from aggregator.formats.media import enclosures, lead_picture, media_credits
from aggregator.formats.names import XML_BASE, XML_LANG, Parts, first, inner, key, parts_of
from aggregator.formats.people import distinct, person
from aggregator.formats.text import address, line, markup, number, plain

RDF_ABOUT = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about"
RDF_RESOURCE = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}resource"
SECONDS_OF = {"hourly": 3600, "daily": 86400, "weekly": 604800, "monthly": 2592000, "yearly": 31536000}
AUTHOR_NAMES = ("author", "dc:creator", "itunes:author", "atom:author", "dcterms:creator")
CONTRIBUTOR_NAMES = ("dc:contributor", "atom:contributor", "dcterms:contributor", "contributor")


def read_rss(root: Any, url: str = "") -> FeedDocument:
    """What an RSS or RDF document says. Items may stand in the channel, beside it or outside."""
    around = parts_of(root)
    channel = around["channel"][0] if "channel" in around else root
    parts = parts_of(channel)
    items = [*parts.get("item", ()), *(around.get("item", ()) if channel is not root else ())]
    # RSS 1.1 has them in a list of their own.
    items += [item for some in parts.get("items", ()) for item in parts_of(some).get("item", ())]
    base = address(root.get(XML_BASE) or channel.get(XML_BASE), url)
    link = _channel_link(parts, base or url)
    language = _language(parts, channel.get(XML_LANG) or root.get(XML_LANG))
    entries = [read_item(item, base or url or link, language) for item in items[: caps.ENTRIES]]
    return FeedDocument(
        format=_format(root),
        title=plain(first(parts, "title", "dc:title")),
        link=link,
        description=plain(first(parts, "description", "itunes:subtitle", "itunes:summary"), caps.TEXT),
        language=language,
        updated=first_date(parts, "lastbuilddate", "pubdate", "dc:date", "atom:updated"),
        credits=distinct(_channel_people(parts)),
        categories=categories(parts),
        picture=_logo(parts, around, link),
        rights=plain(
            first(parts, "copyright", "dc:rights", "rights", "dcterms:rights", "media:copyright"), caps.TEXT
        ),
        licence=licence(parts),
        generator=plain(first(parts, "generator"), caps.NAME),
        self_link=_related(parts, "self", base or url),
        moved_to=address(first(parts, "itunes:new-feed-url")),
        hubs=_hubs(parts),
        rsl=rsl(parts),
        ttl_minutes=number(first(parts, "ttl")),
        skip_hours=_skip_hours(parts),
        skip_days=_skip_days(parts),
        update_seconds=_update_seconds(parts),
        entries=tuple(entries),
        cut_off=len(items) > caps.ENTRIES,
    )


def read_item(item: Any, base: str, language: str) -> Entry:
    """One item. `base` is what its relative addresses are relative to."""
    parts = parts_of(item)
    base = address(item.get(XML_BASE), base) or base
    summary, content = _texts(parts)
    guid, guid_link = _guid(parts, item)
    link = _item_link(parts, base) or guid_link
    return Entry(
        id=guid or link,
        link=link,
        original_link=address(first(parts, "feedburner:origlink")),
        title=plain(first(parts, "title", "dc:title", "media:title", "itunes:title")),
        summary=summary,
        content=content,
        base=_own_base(parts, base),
        published=first_date(
            parts, "pubdate", "dcterms:issued", "dcterms:created", "atom:published", "dc:date", "date"
        ),
        updated=first_date(parts, "atom:updated", "dcterms:modified", "lastbuilddate", "dc:date"),
        language=_language(parts, item.get(XML_LANG)) or language,
        credits=distinct(_people(parts)),
        categories=categories(parts),
        picture=lead_picture(parts, base, content or summary),
        enclosures=enclosures(parts, base),
        source=_source(parts, base),
        rights=plain(
            first(parts, "dc:rights", "copyright", "rights", "dcterms:rights", "media:copyright"), caps.TEXT
        ),
        licence=licence(parts),
        rsl=rsl(parts),
    )


def _format(root: Any) -> str:
    name = key(root.tag)
    if name == "rdf:rdf":
        spaces = " ".join(str(space) for space in root.nsmap.values())
        return "RSS 0.90" if "netscape.com" in spaces else "RSS 1.0"
    version = line(root.get("version") or "", 10)
    return f"RSS {version}" if version else "RSS"


def _channel_link(parts: Parts, base: str) -> str:
    for element in parts.get("link", ()):
        found = address(element.text or element.get("href"), base)
        if found:
            return found
    return _related(parts, "alternate", base)


def _item_link(parts: Parts, base: str) -> str:
    for element in parts.get("link", ()):
        found = address(element.text or element.get("href") or element.get(RDF_RESOURCE), base)
        if found:
            return found
    return _related(parts, "alternate", base)


def _related(parts: Parts, relation: str, base: str) -> str:
    for element in parts.get("atom:link", ()):
        if (element.get("rel") or "alternate").lower() == relation:
            found = address(element.get("href"), base)
            if found:
                return found
    return ""


def _hubs(parts: Parts) -> tuple[str, ...]:
    links = [*parts.get("atom:link", ()), *parts.get("link", ())]
    found = [address(link.get("href")) for link in links if (link.get("rel") or "").lower() == "hub"]
    return tuple(dict.fromkeys(hub for hub in found if hub))[:5]


def _guid(parts: Parts, item: Any) -> tuple[str, str]:
    """The item's identifier, and the address it is where it does not say it is none."""
    for name in ("guid", "id", "atom:id"):
        for element in parts.get(name, ()):
            written = line(element.text or "", caps.ADDRESS)
            if written:
                permanent = (element.get("isPermaLink") or element.get("ispermalink") or "true").lower()
                return written, address(written) if permanent != "false" else ""
    about = line(item.get(RDF_ABOUT) or item.get("about") or "", caps.ADDRESS)
    return (about, address(about)) if about else (line(first(parts, "dc:identifier"), caps.ADDRESS), "")


def _texts(parts: Parts) -> tuple[str, str]:
    """Summary and full text; the longer of two is the text, when a feed gives no more than that."""
    content = markup(first(parts, "content:encoded", "xhtml:body", "xhtml:div", "fulltext", "content"))
    if not content and "atom:content" in parts:
        content = markup(inner(parts["atom:content"][0]))
    summary = first(parts, "description", "dc:description", "atom:summary", "itunes:summary")
    if not summary and not content:
        summary = first(parts, "itunes:subtitle", "dcterms:abstract", "media:description")
    return markup(summary), content


def _own_base(parts: Parts, base: str) -> str:
    for name in ("content:encoded", "description"):
        for element in parts.get(name, ()):
            if element.get(XML_BASE):
                return address(element.get(XML_BASE), base) or base
    return base


def _people(parts: Parts) -> Iterator[Credit | None]:
    for name in AUTHOR_NAMES:
        for element in parts.get(name, ()):
            yield _named(element, "author")
    for name in CONTRIBUTOR_NAMES:
        for element in parts.get(name, ()):
            yield _named(element, "contributor")
    yield from media_credits(parts)


def _named(element: Any, role: str) -> Credit | None:
    """A person written as text, or in parts as Atom does."""
    own = parts_of(element) if len(element) else {}
    name = first(own, "atom:name", "name", "title")
    if not name:
        return person(inner(element), role)
    found = person(name, role, address(first(own, "atom:uri", "uri", "url", "atom:url")))
    email = line(first(own, "atom:email", "email"), caps.NAME)
    return Credit(found.name, role, found.email or email, found.url) if found else None


def _channel_people(parts: Parts) -> Iterator[Credit | None]:
    for element in parts.get("managingeditor", ()):
        yield person(inner(element), "editor")
    yield from _people(parts)


def categories(parts: Parts) -> tuple[Category, ...]:
    """Subjects under every name feeds give them, each once."""
    found: dict[tuple[str, str], Category] = {}
    for one in _categories(parts):
        if one.term and len(found) < caps.CATEGORIES:
            found.setdefault((one.scheme, one.term.casefold()), one)
    return tuple(found.values())


def _categories(parts: Parts) -> Iterator[Category]:
    for name in ("category", "dc:subject", "media:category", "dcterms:subject"):
        for element in parts.get(name, ()):
            scheme = line(element.get("domain") or element.get("scheme") or "", caps.NAME)
            yield Category(
                plain(inner(element), caps.NAME), scheme, line(element.get("label") or "", caps.NAME)
            )
    for element in (*parts.get("atom:category", ()), *parts.get("itunes:category", ())):
        term = line(element.get("term") or element.get("text") or element.text or "", caps.NAME)
        scheme = line(element.get("scheme") or "", caps.NAME)
        yield Category(term, scheme, line(element.get("label") or "", caps.NAME))
    for name in ("itunes:keywords", "media:keywords"):
        for term in first(parts, name)[: caps.TEXT].split(","):
            yield Category(plain(term, caps.NAME))


def licence(parts: Parts) -> str:
    """The address, or else the words, of the licence an entry or feed is under."""
    for name in ("cc:license", "license", "dcterms:license", "media:license"):
        for element in parts.get(name, ()):
            written = element.get(RDF_RESOURCE) or element.get("href") or element.text
            found = address(written) or line(written or "", caps.NAME)
            if found:
                return found
    return _related(parts, "license", "")


def rsl(parts: Parts) -> tuple[str, ...]:
    """The terms a feed states in RSL, each as one line such as "prohibits usage: train-ai"."""
    said: list[str] = []
    for name in ("rsl:rsl", "rsl:content", "rsl:license"):
        for element in parts.get(name, ()):
            for rule in islice(element.iter(), caps.CATEGORIES):
                what = key(rule.tag).rpartition(":")[2]
                if what in ("permits", "prohibits", "payment", "legal"):
                    text = line(rule.text or "", caps.NAME)
                    said.append(
                        " ".join(filter(None, (what, f"{rule.get('type') or ''}:", text))).strip(": ")
                    )
            if source := address(element.get("url") if name == "rsl:license" else element.get("href")):
                said.append(f"terms at {source}")
    return tuple(dict.fromkeys(said))[:10]


def _source(parts: Parts, base: str) -> Origin | None:
    for element in parts.get("source", ()):
        return Origin(plain(element.text or "", caps.NAME), address(element.get("url"), base))
    named = first(parts, "dc:source")
    return Origin("" if address(named) else plain(named, caps.NAME), address(named)) if named else None


def _language(parts: Parts, attribute: str | None) -> str:
    return line(first(parts, "language", "dc:language") or attribute or "", 35)


def first_date(parts: Parts, *names: str) -> datetime | None:
    """The first of these elements, in this order, that can be read as a moment."""
    for name in names:
        for element in parts.get(name, ()):
            found = read_date(element.text or "")
            if found:
                return found
    return None


def _logo(parts: Parts, around: Parts, base: str) -> Picture | None:
    for element in (*parts.get("image", ()), *around.get("image", ())):
        url = address(first(parts_of(element), "url"), base)
        if url:
            return Picture(url)
    for element in parts.get("itunes:image", ()):
        url = address(element.get("href") or element.text, base)
        if url:
            return Picture(url)
    return None


def _skip_hours(parts: Parts) -> tuple[int, ...]:
    hours = [number(hour.text) for block in parts.get("skiphours", ())[:1] for hour in block[:24]]
    return tuple(sorted({hour % 24 for hour in hours if hour <= 24}))


def _skip_days(parts: Parts) -> tuple[str, ...]:
    days = [line(day.text or "", 10).lower() for block in parts.get("skipdays", ())[:1] for day in block[:7]]
    return tuple(day for day in days if day)


def _update_seconds(parts: Parts) -> int:
    period = SECONDS_OF.get(first(parts, "sy:updateperiod").lower(), 0)
    return period // max(1, number(first(parts, "sy:updatefrequency"))) if period else 0

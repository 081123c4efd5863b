"""JSON Feed 1.0 and 1.1."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from aggregator.documents import Category, Credit, Enclosure, Entry, FeedDocument, Picture
from aggregator.formats import caps
from aggregator.formats.dates import read_date
from aggregator.formats.media import described, picture_in
from aggregator.formats.people import distinct, person
from aggregator.formats.text import address, clean, line, markup, plain


class NotJsonFeed(Exception):
    """The JSON holds no feed."""


def read_json_feed(text: str, url: str = "") -> FeedDocument:
    """What a JSON Feed says. Values of a wrong kind count as absent."""
    try:
        feed = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotJsonFeed("The document begins like JSON but cannot be read as such.") from error
    if not isinstance(feed, dict) or not isinstance(feed.get("items"), list):
        raise NotJsonFeed("The document is JSON, but no JSON Feed: it has no list of items.")
    items = [item for item in feed["items"] if isinstance(item, dict)]
    base = address(_text(feed, "feed_url")) or url
    language = line(_text(feed, "language"), 35)
    return FeedDocument(
        format=f"JSON Feed {_text(feed, 'version').rpartition('/')[2][:4]}".rstrip(),
        title=plain(_text(feed, "title")),
        link=address(_text(feed, "home_page_url"), base),
        description=plain(_text(feed, "description"), caps.TEXT),
        language=language,
        credits=distinct(_people(feed)),
        picture=_picture(feed, "icon", "favicon", base=base),
        self_link=base,
        hubs=_hubs(feed),
        entries=tuple(_entry(item, base, language) for item in items[: caps.ENTRIES]),
        cut_off=len(items) > caps.ENTRIES,
    )


def _entry(item: dict[str, Any], base: str, language: str) -> Entry:
    link = address(_text(item, "url"), base)
    content = markup(_text(item, "content_html")) or _paragraphs(_text(item, "content_text"))
    identity = line(_text(item, "id"), caps.ADDRESS)
    return Entry(
        id=identity or link,
        link=link or address(_text(item, "external_url"), base) or address(identity),
        title=plain(_text(item, "title")),
        summary=_escaped(_text(item, "summary")),
        content=content,
        base=base,
        published=_date(item, "date_published"),
        updated=_date(item, "date_modified"),
        language=line(_text(item, "language"), 35) or language,
        credits=distinct(_people(item)),
        categories=_categories(item),
        picture=_lead_picture(item, content, base),
        enclosures=_enclosures(item, base),
    )


def _text(holder: dict[str, Any], name: str) -> str:
    value = holder.get(name)
    if isinstance(value, str):
        return clean(value)
    # Some publishers give numbers as identifiers.
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def _escaped(text: str) -> str:
    return markup(text.replace("&", "&amp;").replace("<", "&lt;"))


def _paragraphs(text: str) -> str:
    blocks = [block.strip() for block in text[: caps.MARKUP].split("\n\n")]
    return markup("".join(f"<p>{_escaped(block)}</p>" for block in blocks if block))


def _list(holder: dict[str, Any], name: str) -> list[Any]:
    value = holder.get(name)
    return value if isinstance(value, list) else []


def _people(holder: dict[str, Any]) -> Iterator[Credit | None]:
    for author in [*_list(holder, "authors"), holder.get("author")][: caps.CREDITS]:
        if isinstance(author, dict):
            yield person(_text(author, "name"), "author", address(_text(author, "url")))
        elif isinstance(author, str):
            yield person(clean(author))


def _categories(item: dict[str, Any]) -> tuple[Category, ...]:
    terms = [
        plain(clean(tag), caps.NAME) for tag in _list(item, "tags")[: caps.CATEGORIES] if isinstance(tag, str)
    ]
    return tuple(Category(term) for term in dict.fromkeys(terms) if term)


def _picture(holder: dict[str, Any], *names: str, base: str) -> Picture | None:
    for name in names:
        url = address(_text(holder, name), base)
        if url:
            return Picture(url)
    return None


def _lead_picture(item: dict[str, Any], content: str, base: str) -> Picture | None:
    picture = _picture(item, "image", "banner_image", base=base)
    return described(picture, content, base) if picture else picture_in(content, base)


def _enclosures(item: dict[str, Any], base: str) -> tuple[Enclosure, ...]:
    found = []
    for file in _list(item, "attachments")[: caps.ENCLOSURES]:
        url = address(_text(file, "url"), base) if isinstance(file, dict) else ""
        if url:
            size = file.get("size_in_bytes")
            found.append(
                Enclosure(url, line(_text(file, "mime_type"), 100), size if isinstance(size, int) else 0)
            )
    return tuple(found)


def _hubs(feed: dict[str, Any]) -> tuple[str, ...]:
    hubs = [hub for hub in _list(feed, "hubs")[:5] if isinstance(hub, dict)]
    return tuple(url for url in (address(_text(hub, "url")) for hub in hubs) if url)


def _date(item: dict[str, Any], name: str) -> datetime | None:
    return read_date(_text(item, name))

"""The least that taking feeds in can cost: the same documents into the same tables of SQLite, written by hand.

Items are read without tolerance and nothing is decided: no credits understood, no copies or removals looked for, no
address made plain, no language found. Markup is made safe, as nobody may leave that out.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
import time
import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, NamedTuple

import nh3
from lxml import etree

CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"
CREATOR = "{http://purl.org/dc/elements/1.1/}creator"
MARKUP = re.compile(r"<[^>]*>")
WORDS_SHOWN = 60
ARTICLE = (
    "id", "key", "state", "slug", "headline", "standfirst", "body", "byline", "dateline", "language", "canonical_url",
    "url_key", "guid_key", "text_key", "title_day_key", "copyright_holder", "usage_terms", "licence_url",
    "published_at", "fetched_at", "created_at", "version", "source_id",
)  # fmt: skip


class Item(NamedTuple):
    """One item, read."""

    title: str
    link: str
    guid: str
    summary: str
    body: str
    text: str
    people: list[str]
    topics: list[str]
    published: str


def take_in(database: Path, documents: Sequence[bytes], *, feed: int, source: int) -> tuple[float, float]:
    """CPU-seconds for an entry: to read and write it, and to write its search row."""
    connection = sqlite3.connect(database, isolation_level=None)
    connection.executescript("PRAGMA synchronous=FULL; PRAGMA secure_delete=ON; PRAGMA foreign_keys=ON")
    began = time.process_time()
    items = [item for document in documents for item in _items(document)]
    first = connection.execute("SELECT COALESCE(MAX(id), 0) + 1 FROM articles_article").fetchone()[0]
    connection.execute("BEGIN IMMEDIATE")
    _write(connection, items, first, feed=feed, source=source)
    connection.execute("COMMIT")
    stored = time.process_time()
    connection.execute("BEGIN IMMEDIATE")
    _insert(
        connection,
        "articles_searchrow",
        ("article_id", "headline", "names", "standfirst", "body", "facets"),
        [_found(first + place, item) for place, item in enumerate(items)],
    )
    connection.execute("COMMIT")
    ended = time.process_time()
    return (stored - began) / len(items), (ended - stored) / len(items)


def _items(document: bytes) -> Iterable[Item]:
    for item in etree.fromstring(document).iterfind("channel/item"):
        body = nh3.clean(item.findtext(CONTENT) or "")
        yield Item(
            item.findtext("title") or "",
            item.findtext("link") or "",
            item.findtext("guid") or "",
            item.findtext("description") or "",
            body,
            " ".join(MARKUP.sub(" ", body).split()),
            [one.text or "" for one in item.iterfind(CREATOR)],
            [one.text or "" for one in item.iterfind("category")],
            parsedate_to_datetime(item.findtext("pubDate") or "")
            .astimezone(UTC)
            .strftime("%Y-%m-%d %H:%M:%S"),
        )


def _write(
    connection: sqlite3.Connection, items: Sequence[Item], first: int, *, feed: int, source: int
) -> None:
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
    keys = [(_hash(item.link), _hash(item.guid)) for item in items]
    rows = [
        (
            first + place, uuid.uuid4().hex, "published", f"{item.title.replace(' ', '-')[:90]}-{url[:6]}", item.title,
            item.summary, item.body, ", ".join(item.people), "", "en", item.link, url, guid, _hash(item.text.lower()),
            _hash(item.title + item.published[:10]), "", "", "", item.published, now, now, 1, source,
        )
        for place, (item, (url, guid)) in enumerate(zip(items, keys, strict=True))
    ]  # fmt: skip
    _insert(connection, "articles_article", ARTICLE, rows)
    tags = _named(
        connection,
        "articles_tag",
        "slug",
        ("name", "slug", "description", "featured", "position"),
        [(name, name.lower(), "", 0, 0) for item in items for name in item.topics],
    )
    people = _named(
        connection,
        "articles_contributor",
        "name_key",
        ("name", "slug", "name_key", "is_agency", "about", "homepage"),
        [(name, name.lower(), name.lower(), 0, "", "") for item in items for name in item.people],
    )
    numbered = list(enumerate(items, first))
    _insert(
        connection,
        "articles_taggedarticle",
        ("content_object_id", "tag_id", "published_at"),
        [
            (pk, tags[name.lower()], one.published)
            for pk, one in numbered
            for name in dict.fromkeys(one.topics)
        ],
    )
    _insert(
        connection,
        "articles_contribution",
        ("article_id", "contributor_id", "role", "position", "published_at"),
        [
            (pk, people[name.lower()], "author", place, one.published)
            for pk, one in numbered
            for place, name in enumerate(dict.fromkeys(one.people))
        ],
    )
    _insert(
        connection,
        "articles_prepared",
        ("article_id", "opening", "minutes"),
        [(pk, " ".join(one.text.split(None, 36)[:36]), one.text.count(" ") // 230) for pk, one in numbered],
    )
    _insert(
        connection,
        "aggregator_entryrecord",
        ("feed_id", "guid_key", "url_key", "content_hash", "article_id", "first_seen_at", "blocked"),
        [
            (feed, guid, url, _hash(one.body), pk, now, 0)
            for (pk, one), (url, guid) in zip(numbered, keys, strict=True)
        ],
    )


def _named(
    connection: sqlite3.Connection,
    table: str,
    key: str,
    columns: Sequence[str],
    rows: Iterable[tuple[Any, ...]],
) -> dict[str, int]:
    """The keys of named rows by what they are known by, written where they are new."""
    known = dict(connection.execute(f"SELECT {key}, id FROM {table}"))
    place = columns.index(key)
    new = {row[place]: row for row in rows if row[place] not in known}
    _insert(connection, table, columns, list(new.values()))
    return dict(connection.execute(f"SELECT {key}, id FROM {table}"))


def _insert(
    connection: sqlite3.Connection, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    marks = ", ".join("?" * len(columns))
    connection.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)


def _found(pk: int, item: Item) -> tuple[Any, ...]:
    names = " ".join([*item.people, *item.topics]).lower()
    body = " ".join(item.text.split(None, WORDS_SHOWN)[:WORDS_SHOWN]).lower()
    return (pk, item.title.lower(), names, item.summary.lower(), body, "xxlanguageen")


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

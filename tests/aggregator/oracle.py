"""What feedparser reads in a feed beside what we read: the yardstick for tolerance, used by tests alone."""

from __future__ import annotations

import calendar
import html
import re
import unicodedata
from datetime import UTC, datetime
from typing import Any

import feedparser

from aggregator.documents import Entry
from aggregator.parse import NotAFeed, parse

TAG = re.compile(r"<[A-Za-z/!?][^<>]*>")


def differences(data: bytes) -> list[str]:
    """One line for each field in which we say less than, or other than, feedparser."""
    theirs = feedparser.parse(data, sanitize_html=False)
    try:
        ours = parse(data).entries
    except NotAFeed as error:
        return (
            [f"not read by us ({error}), {len(theirs.entries)} entries by the oracle"]
            if theirs.entries
            else []
        )
    found = []
    if len(ours) < min(len(theirs.entries), 500):
        found.append(f"{len(ours)} entries for {len(theirs.entries)}")
    for number, (mine, other) in enumerate(zip(ours, theirs.entries, strict=False)):
        found += [f"entry {number}: {line}" for line in _entry_differences(mine, other)]
    return found


def _entry_differences(mine: Entry, other: Any) -> list[str]:
    pairs = [
        ("title", _folded(mine.title), _folded(other.get("title", ""))),
        ("link", _address(mine.link), _address(other.get("link", ""))),
        ("id", _folded(mine.id), _folded(other.get("id", ""))),
    ]
    found = [f"{name} {ours!r} for {theirs!r}" for name, ours, theirs in pairs if theirs and ours != theirs]
    if mine.original_link and _address(mine.original_link) == pairs[1][2]:
        found = [one for one in found if not one.startswith("link ")]
    dates = {_minute(mine.published), _minute(mine.updated)} - {None}
    for name in ("published_parsed", "updated_parsed"):
        if other.get(name) and _oracle_minute(other[name]) not in dates:
            found.append(f"{name} {other.get(name.removesuffix('_parsed'))!r}, ours {dates}")
    return found + _missing_names(mine, other)


def _missing_names(mine: Entry, other: Any) -> list[str]:
    ours = " | ".join(_folded(f"{credit.name} {credit.email}") for credit in mine.credits)
    wanted = [author.get("name", "") for author in other.get("authors", [])]
    wanted += [person.get("name", "") for person in other.get("contributors", [])]
    wanted += [credit.get("content", "") for credit in other.get("media_credit", [])]
    names = [_folded(name) for name in wanted if name]
    return [f"name {name!r} missing in {ours!r}" for name in names if not _is_covered(name, ours)]


def _is_covered(name: str, ours: str) -> bool:
    words = [word for word in re.split(r"[\s()<>,:]+", name) if word and word not in PREFIXES]
    return name in ours or all(word in ours for word in words)


PREFIXES = {"photo", "photograph", "image", "foto", "mailto"}


def _folded(text: str | None) -> str:
    text = html.unescape(TAG.sub("", html.unescape(text or "")))
    kept = "".join(c for c in text if unicodedata.category(c) not in ("Cc", "Cs", "Cf"))
    return " ".join(kept.casefold().split())


def _address(text: str | None) -> str:
    return (text or "").strip().rstrip("/")


def _minute(moment: datetime | None) -> int | None:
    return int(moment.timestamp()) // 60 if moment else None


def _oracle_minute(parsed: Any) -> int:
    return int(datetime.fromtimestamp(calendar.timegm(parsed), UTC).timestamp()) // 60

"""Which addresses a claimant named, out of whatever was pasted, and what each of them is to us."""

from __future__ import annotations

import hashlib
import html
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from unicodedata import normalize
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext_noop

from articles.canonical import NotAnAddress, canonical_url
from articles.models import (
    Article,
    ArticleState,
    BlockedWork,
    BlockKind,
    Hold,
    HoldKind,
    Illustration,
    Media,
    Rendition,
    SlugRedirect,
)
from moderation.models import OPEN_STATES, Claim, Verdict

MAX_LINES = 20_000
MAX_TEXT = 2_000
BATCH = 5_000

_WRAPPED = re.compile(r"<\s*((?:https?|hxxps?)://[^<>]{1,4000})>", re.I)
_ADDRESS = re.compile(r"(?:https?|hxxps?):/{1,3}[^\s<>\"“”«»|\\^`{}]+", re.I)
_ANY_MARK = re.compile(r"[./:]|[0-9a-f]{8}-", re.I)
_LIKE_AN_ADDRESS = re.compile(r"://|\bwww\.|\bhttps?\b", re.I)
_GLUE = re.compile(r"(?=(?:https?|hxxps?)://)", re.I)
_BARE = re.compile(
    r"(?<![\w@./:-])(?:[\w-]+\.)+[a-z]{2,24}(?::\d{1,5})?/[^\s<>\"“”«»|]+|(?<![\w@./:-])www\.[^\s<>\"“”«»|,;]+",
    re.I,
)
_OWN_PATH = re.compile(r"(?<![\w./-])/articles/[^\s<>\"“”,;|]+", re.I)
_INTERNAL = re.compile(
    r"\b(?:tag:[\w.@-]+,\d{4}[\w-]*:\S+|urn:\S+|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})", re.I
)
_TRAILING = ".,;:!?'\"*_~…’”»"
_PAIRS = {")": "(", "]": "[", "}": "{"}
_CELL_END = re.compile(r"[,;]")
PROSE_WORDS = 7
HEADING = 40


@dataclass(frozen=True, slots=True)
class Pasted:
    """What a text contained: the lines to judge, and how many lines of prose stood around them."""

    lines: tuple[str, ...]
    prose: int = 0
    unread: int = 0


@dataclass(slots=True)
class Judged:
    """One line with its verdict. Several articles only where one picture leads several."""

    text: str
    verdict: Verdict
    articles: tuple[Article, ...] = ()
    note: str = ""


# --- splitting --------------------------------------------------------------------------------


def split(text: str, *, letter: bool = False) -> Pasted:
    """Every address in a pasted list, table or letter, in order, and every line that should have been one.

    In a letter, sentences without an address are prose and not lines; in a list, each line counts.
    What has a sentence in it is a letter.
    """
    entries: list[tuple[str, bool]] = []
    rows = _WRAPPED.sub(lambda m: f" {''.join(m[1].split())} ", text.replace("\0", "")).splitlines()
    for row in rows[1:] if _has_heading(rows) else rows:
        row = row.strip(" \t>")
        addresses = list(addresses_in(row)) if _ANY_MARK.search(row) else []
        if addresses:
            entries.extend((address, True) for address in addresses)
        elif row:
            entries.append((row, False))
    kept = _without_prose(entries, letter=letter)
    return Pasted(tuple(kept[:MAX_LINES]), len(entries) - len(kept), max(0, len(kept) - MAX_LINES))


def _has_heading(rows: Sequence[str]) -> bool:
    """Whether the first row names the columns of a table: short cells, and an address only in the row below."""
    first, second = ([*rows[:2], "", ""])[:2]
    cells = next((mark for mark in ";\t," if mark in first), "")
    if not cells or first.count(cells) > second.count(cells):
        return False
    if max(len(cell) for cell in first.split(cells)) > HEADING:
        return False
    return not any(True for _ in addresses_in(first)) and any(True for _ in addresses_in(second))


def addresses_in(row: str) -> Iterator[str]:
    """The addresses in one row of text; one written twice, as in a link and its label, comes once."""
    seen: set[str] = set()
    for match in _ADDRESS.finditer(row):
        for piece in _GLUE.split(match[0]):
            address = _trimmed(piece)
            if address and address not in seen:
                seen.add(address)
                yield address
    rest = _ADDRESS.sub(" ", row)
    for pattern in (_BARE, _OWN_PATH, _INTERNAL):
        for match in pattern.finditer(rest):
            address = _trimmed(match[0])
            if address and address not in seen and not seen & {f"https://{address}", f"http://{address}"}:
                seen.add(address)
                yield address
        rest = pattern.sub(" ", rest)


def _trimmed(address: str) -> str:
    """Without what a sentence, a bracket or a link's label put behind it."""
    address = address.partition("](")[0]
    while address and len(address) <= 2 * MAX_TEXT:
        last = address[-1]
        closes_nothing = last in _PAIRS and address.count(last) > address.count(_PAIRS[last])
        if last not in _TRAILING and not closes_nothing:
            break
        address = address[:-1]
    return address if address.rpartition("://")[2] else ""


def _without_prose(entries: Sequence[tuple[str, bool]], *, letter: bool) -> list[str]:
    """The addresses, and the rows that were meant as one; a letter without any address is one line."""
    rows = [row for row, is_address in entries if not is_address]
    letter = letter or any(len(row.split(None, PROSE_WORDS)) > PROSE_WORDS for row in rows)
    if letter and len(rows) == len(entries):
        return [" ".join(rows)] if rows else []
    return [text for text, is_address in entries if is_address or not letter or _looks_like_an_address(text)]


def _looks_like_an_address(row: str) -> bool:
    return bool(_LIKE_AN_ADDRESS.search(row)) or ("/" in row and " " not in row)


# --- judging ----------------------------------------------------------------------------------


@dataclass(slots=True)
class _Reading:
    """The ways one line can be read; the first that leads to an article is taken."""

    slugs: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    guid: str = ""
    is_address: bool = False
    on_our_site: bool = False
    reason: str = ""


def judge(lines: Sequence[str]) -> list[Judged]:
    """A verdict for every line, with the same few queries for ten lines as for ten thousand."""
    readings = [_read(line) for line in lines]
    known = _Known(readings)
    judged = [_verdict(line, reading, known) for line, reading in zip(lines, readings, strict=True)]
    _mark_open_cases(judged)
    return judged


def own_hosts() -> frozenset[str]:
    """The names under which this site is reached, as `canonical_url` would spell them."""
    named = {urlsplit(settings.SITE_URL).hostname or "", *settings.ALLOWED_HOSTS}
    return frozenset(host.strip("[].").lower().removeprefix("www.") for host in named if host != "*")


def _read(line: str) -> _Reading:
    reading = _Reading(guid=_sha256(line))
    if line.startswith("/"):
        line = settings.SITE_URL + line
    for variant in _variants(line):
        try:
            spelled = canonical_url(variant)
        except NotAnAddress as error:
            reading.reason = reading.reason or str(error)
            continue
        reading.is_address = True
        _read_address(reading, variant, spelled)
    return reading


def _read_address(reading: _Reading, variant: str, spelled: str) -> None:
    parts = urlsplit(spelled)
    if (parts.hostname or "").removeprefix("www.") in own_hosts():
        reading.on_our_site = True
        _read_own_path(reading, unquote(parts.path))
    else:
        reading.keys.extend(_sha256(address) for address in _with_and_without_www(spelled))
        reading.pictures.extend([variant, spelled])


def _read_own_path(reading: _Reading, path: str) -> None:
    steps = [step for step in normalize("NFC", path).split("/") if step]
    if len(steps) > 1 and steps[0].lower() == "articles":
        slug = steps[1].removesuffix(".html")
        reading.slugs.extend(dict.fromkeys([slug, slug.lower()]))
    elif len(steps) > 1:
        reading.files.extend(["/".join(steps[1:]), "/".join(steps[2:])])
        reading.pictures.extend(re.findall(r"[0-9a-f]{32}", path.lower()))


def _variants(line: str) -> Iterator[str]:
    """A line as it stands, and as it reads when a table, a mask or HTML left marks in it."""
    address = re.sub(r"^hxxp", "http", line.strip(), flags=re.I).replace("[.]", ".")
    address = re.sub(r"^(https?):/+", r"\1://", address, flags=re.I)
    if (
        not re.match(r"https?://", address, re.I)
        and ("." in address.partition("/")[0])
        and " " not in address
    ):
        address = f"https://{address}"
    seen = [address]
    if "&" in address:
        seen.append(html.unescape(address))
    if _CELL_END.search(address):
        seen.append(_CELL_END.split(address, maxsplit=1)[0])
    yield from dict.fromkeys(seen)


def _with_and_without_www(spelled: str) -> list[str]:
    bare = spelled.removeprefix("https://")
    other = bare.removeprefix("www.") if bare.startswith("www.") else f"www.{bare}"
    return [spelled, f"https://{other}"]


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


class _Known:
    """Everything the database knows of the lines' readings, fetched at once."""

    def __init__(self, readings: Iterable[_Reading]) -> None:
        readings = list(readings)
        self.by_slug: dict[str, Article] = {}
        self.by_key: dict[str, Article] = {}
        self.by_picture: dict[str, list[Article]] = defaultdict(list)
        self._find_slugs({slug for reading in readings for slug in reading.slugs})
        self._find_keys({key for reading in readings for key in (*reading.keys, reading.guid)})
        pictures = {picture for reading in readings for picture in reading.pictures}
        self._find_pictures(pictures, {name for reading in readings for name in reading.files})
        self.withheld = self._find_withheld()

    def articles_for(self, reading: _Reading) -> tuple[Article, ...]:
        for slug in reading.slugs:
            if article := self.by_slug.get(slug):
                return (article,)
        for key in (*reading.keys, reading.guid):
            if article := self.by_key.get(key):
                return (article,)
        for picture in (*reading.pictures, *reading.files):
            if picture in self.by_picture:
                return tuple(self.by_picture[picture])
        return ()

    def _find_slugs(self, slugs: set[str]) -> None:
        for moved in _batched(SlugRedirect.objects.select_related("article__source"), "slug", slugs):
            self.by_slug[moved.slug] = moved.article
        for article in _batched(_articles(), "slug", slugs):
            self.by_slug[article.slug] = article

    def _find_keys(self, keys: set[str]) -> None:
        blocked = BlockedWork.objects.filter(
            kind__in=[BlockKind.ADDRESS, BlockKind.GUID], hold__released_at=None
        )
        for block in _batched(blocked.select_related("article__source"), "key", keys):
            self.by_key[block.key] = block.article
        for article in _batched(_articles(), "url_key", keys):
            self.by_key[str(article.url_key)] = article

    def _find_pictures(self, names: set[str], files: set[str]) -> None:
        called: dict[int, set[str]] = defaultdict(set)
        for attribute, wanted in (("original_url", names), ("token", names), ("file", files)):
            for media in _batched(Media.objects.only("pk", attribute), attribute, wanted):
                called[media.pk].add(str(getattr(media, attribute)))
        for rendition in _batched(Rendition.objects.all(), "file", files):
            called[rendition.media_id].add(str(rendition.file))
        for article in _batched(_articles(), "lead_media_id", set(called)):
            for name in called[article.lead_media_id or 0]:
                self.by_picture[name].append(article)
        inside = Illustration.objects.select_related("article").defer("article__body")
        for row in _batched(inside, "media_id", set(called)):
            for name in called[row.media_id]:
                self.by_picture[name].append(row.article)

    def _find_withheld(self) -> set[int]:
        ids = {article.pk for article in (*self.by_slug.values(), *self.by_key.values())}
        ids |= {article.pk for articles in self.by_picture.values() for article in articles}
        held = Hold.objects.in_effect().filter(kind=HoldKind.LEGAL)
        return {hold.article_id for hold in _batched(held, "article_id", ids)}


def _articles() -> QuerySet[Article]:
    # A long notice names few sources: each is read once, not with every article of it.
    return Article.objects.prefetch_related("source").defer("body", "standfirst", "signature")


def _batched(rows: QuerySet[Any], name: str, wanted: set[Any]) -> Iterator[Any]:
    values = sorted(value for value in wanted if value)
    for start in range(0, len(values), BATCH):
        yield from rows.filter(**{f"{name}__in": values[start : start + BATCH]})


def _verdict(line: str, reading: _Reading, known: _Known) -> Judged:
    articles = known.articles_for(reading)
    standing = tuple(article for article in articles if article.state != ArticleState.ERASED)
    if articles and not standing:
        return Judged(line, Verdict.GONE, note=gettext_noop("It was removed for good before."))
    if standing and all(article.pk in known.withheld for article in standing):
        return Judged(
            line,
            Verdict.GONE,
            standing,
            gettext_noop("Nobody can read it now. Your request counts should that ever end."),
        )
    if standing:
        note = f"A picture in {len(standing)} articles." if len(standing) > 1 else ""
        return Judged(line, Verdict.OURS, standing, note)
    if reading.on_our_site:
        return Judged(
            line,
            Verdict.UNRECOGNISED,
            note=gettext_noop("A page of this site, but no article. Name the articles."),
        )
    if reading.is_address:
        return Judged(line, Verdict.NOT_OURS, note=gettext_noop("We show no article from this address."))
    return Judged(
        line, Verdict.UNRECOGNISED, note=f"No web address: {reading.reason or 'it cannot be read'}."[:300]
    )


def _mark_open_cases(judged: Sequence[Judged]) -> None:
    """An article in another open case is said to be; the new request counts beside it all the same."""
    ours = [line for line in judged if line.verdict == Verdict.OURS]
    ids = {article.pk for line in ours for article in line.articles}
    claims = Claim.objects.filter(state__in=OPEN_STATES)
    open_ids = {claim.article_id for claim in _batched(claims.only("article_id"), "article_id", ids)}
    for line in ours:
        if all(article.pk in open_ids for article in line.articles):
            line.verdict = Verdict.DUPLICATE
            line.note = gettext_noop("Another open case names it too. Yours counts on its own.")

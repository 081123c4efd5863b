"""Articles as other systems write them down: WordPress' export (WXR), IPTC ninjs, tables (CSV). Pure: no database.

Each reader yields what it finds in the order of the file, in memory that does not grow with it.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, BinaryIO

from lxml import etree

from aggregator.normalise import guid_key
from articles.bylines import Credit, Role, parse_byline
from articles.canonical import NotAnAddress, address_key, domain_of, readable_url
from articles.drafts import Draft
from articles.fields import clean_html
from articles.fingerprint import is_telling, text_fingerprint, title_day_key
from articles.language import guess_language, normalise_language
from articles.models import ArticleState
from articles.sanitise import clean_text, to_text
from articles.taglines import tag_names

MAX_LINE_BYTES = 16 * 1024 * 1024
MAX_JSON_BYTES = 256 * 1024 * 1024
WORDPRESS_STATES = {
    "publish": ArticleState.PUBLISHED,
    "future": ArticleState.PUBLISHED,
    "pending": ArticleState.REVIEW,
    "draft": ArticleState.DRAFT,
    "private": ArticleState.DRAFT,
}
NINJS_STATES = {"usable": ArticleState.PUBLISHED, "withheld": ArticleState.DRAFT}
CSV_STATES = {"": ArticleState.PUBLISHED} | {
    state.value: state
    for state in (ArticleState.DRAFT, ArticleState.REVIEW, ArticleState.APPROVED, ArticleState.PUBLISHED)
}
CSV_COLUMNS = (
    "id", "url", "headline", "standfirst", "body", "byline", "dateline", "tags", "language", "published_at", "state",
    "source", "copyright_holder", "usage_terms",
)  # fmt: skip
CSV_PLAIN = (
    "headline", "url", "standfirst", "body", "byline", "dateline", "language", "copyright_holder", "usage_terms",
)  # fmt: skip
_NO_XML = bytes(32 if code < 32 and code not in (9, 10, 13) else code for code in range(256))
_SHORTCODE = re.compile(
    r"\[/?(?:caption|wp_caption|gallery|embed|audio|video|playlist)(?:\s[^\]]*)?\]", re.IGNORECASE
)
_BLOCK = re.compile(
    r"\s*</?(?:p|h[1-6]|ul|ol|li|blockquote|figure|table|pre|div|hr|section|dl)\b", re.IGNORECASE
)
_BLANK_LINE = re.compile(r"\r?\n[ \t]*(?:\r?\n[ \t]*)+")


class NotReadable(Exception):
    """The file is not what it should be, or breaks off; the text says what and where."""


class Unusable(Exception):
    """This one cannot become an article; the text says why."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One article as its file has it: HTML not yet cleaned, its identifier as it was there.

    `outlet` is the domain of who published it first, where the file says so.
    """

    number: int
    identity: str
    headline: str
    url: str = ""
    standfirst: str = ""
    body: str = ""
    byline: str = ""
    dateline: str = ""
    language: str = ""
    credits: tuple[Credit, ...] = ()
    tags: tuple[str, ...] = ()
    published_at: datetime | None = None
    state: ArticleState = ArticleState.PUBLISHED
    outlet: str = ""
    copyright_holder: str = ""
    usage_terms: str = ""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """One that is no article, or a bad one (`is_fault`)."""

    number: int
    title: str
    why: str
    is_fault: bool = False


Found = Piece | LeftOut


def draft_of(piece: Piece, *, outlet: str, outlet_name: str, is_foreign: bool, at: datetime) -> Draft:
    """The piece as a draft for ingestion, cleaned and with its keys. `outlet` is its source's slug.

    Unusable without a headline or identifier, and without a web address where it is another's.
    """
    headline = clean_text(piece.headline, max_length=300)
    if not headline:
        raise Unusable("it has no headline")
    if not piece.identity.strip():
        raise Unusable("it has no identifier and no address to know it by when it comes again")
    try:
        url, url_key = (readable_url(piece.url), address_key(piece.url)) if piece.url else ("", "")
    except NotAnAddress as error:
        raise Unusable(f"its address cannot be used: {error}") from error
    if is_foreign and not url:
        raise Unusable("it has no address of the original to link to")
    body = clean_html(as_paragraphs(piece.body), base_url=url)
    text = to_text(body)
    language = normalise_language(piece.language) or guess_language(f"{headline} {text[:8_000]}")
    byline = clean_text(piece.byline, max_length=500)
    moment = piece.published_at or at
    return Draft(
        canonical_url=url,
        url_key=url_key,
        guid_key=guid_key(piece.identity, domain_of(url)),
        headline=headline,
        standfirst=to_text(clean_html(piece.standfirst)).strip(),
        body=body,
        byline=byline,
        dateline=clean_text(piece.dateline, max_length=120),
        language=language,
        credits=piece.credits or parse_byline(byline, language=language, outlet=outlet_name),
        tags=tag_names(piece.tags, synonyms={}, blocked=()),
        published_at=piece.published_at,
        copyright_holder=clean_text(piece.copyright_holder, max_length=200),
        usage_terms=clean_text(piece.usage_terms, max_length=500),
        text_key=text_fingerprint(text) if is_telling(text) else "",
        title_day_key=title_day_key(outlet, headline, moment.date()) if is_foreign else "",
    )


def as_paragraphs(text: str) -> str:
    """HTML in which blank lines make paragraphs, as WordPress shows what it stored; what has its own keeps them."""
    text = _SHORTCODE.sub("", text)
    if re.search(r"<p\b", text, re.IGNORECASE):
        return text
    parts = (part.strip() for part in _BLANK_LINE.split(text))
    return "\n".join(
        part if _BLOCK.match(part) else f"<p>{'<br>'.join(part.splitlines())}</p>" for part in parts if part
    )


# --- WordPress --------------------------------------------------------------------------------


class _XMLCharacters:
    """The file without the control characters that WordPress exports and XML forbids."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        return self.file.read(size).translate(_NO_XML)


def read_wordpress(file: BinaryIO) -> Iterator[Found]:
    """The posts of a WordPress export (WXR 1.0 to 1.2). Comments are passed over, pictures and pages named."""
    events = etree.iterparse(
        _XMLCharacters(file),
        tag=("{*}wxr_version", "{*}author", "{*}item", "{*}comment", "language"),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
    )
    names: dict[str, str] = {}
    language, number, is_export = "", 0, False
    try:
        for _, element in events:
            kind = etree.QName(element).localname
            if element.getroottree().docinfo.doctype:
                raise NotReadable("The file declares a document type, as no WordPress export does.")
            if kind == "wxr_version":
                is_export = True
            elif kind == "language":
                language = element.text or ""
            elif kind == "author":
                facts = _facts(element)
                names[facts.get("author_login", "")] = facts.get("author_display_name", "")
            elif kind == "item":
                if not is_export:
                    break
                number += 1
                yield _wordpress_item(number, element, names, language)
            _let_go(element, kind)
    except etree.XMLSyntaxError as error:
        raise NotReadable(f"The file breaks off or is damaged after article {number}: {error}.") from error
    if not is_export:
        raise NotReadable("The file is no WordPress export (WXR): it does not say its version.")


def _let_go(element: Any, kind: str) -> None:
    """Free what was read; of a file of any length there is one item in memory."""
    element.clear()
    if kind == "item":
        while element.getprevious() is not None:
            del element.getparent()[0]


def _facts(element: Any) -> dict[str, str]:
    """The element's children by name; WordPress calls two of them `encoded`."""
    found: dict[str, str] = {}
    for child in element.iterchildren(etree.Element):
        name = etree.QName(child)
        is_excerpt = name.localname == "encoded" and "excerpt" in (name.namespace or "")
        found.setdefault("excerpt" if is_excerpt else name.localname, child.text or "")
    return found


def _wordpress_item(number: int, item: Any, names: dict[str, str], language: str) -> Found:
    facts = _facts(item)
    title, kind, status = (
        facts.get("title", ""),
        facts.get("post_type", "post"),
        facts.get("status", "publish"),
    )
    if kind == "attachment":
        return LeftOut(number, title, f"a picture or file, not fetched: {facts.get('attachment_url', '')}")
    if kind != "post":
        return LeftOut(number, title, f"no article but {clean_text(kind, max_length=40)}")
    if status not in WORDPRESS_STATES:
        return LeftOut(number, title, f"its state is {clean_text(status, max_length=40)}")
    state = WORDPRESS_STATES[status]
    login = facts.get("creator", "")
    return Piece(
        number=number,
        identity=facts.get("guid") or facts.get("link") or facts.get("post_id", ""),
        url=facts.get("link", ""),
        headline=title,
        standfirst=facts.get("excerpt", ""),
        body=facts.get("encoded", ""),
        byline=names.get(login) or login,
        language=language,
        tags=_wordpress_tags(item),
        published_at=_wordpress_moment(facts),
        # What a password kept from readers there is not for everybody here.
        state=ArticleState.DRAFT if facts.get("post_password") else state,
    )


def _wordpress_tags(item: Any) -> tuple[str, ...]:
    found = (
        one.text or ""
        for one in item.iterchildren("category")
        if one.get("domain") in ("category", "post_tag") and one.get("nicename") != "uncategorized"
    )
    return tuple(found)


def _wordpress_moment(facts: dict[str, str]) -> datetime | None:
    """When it was published; a draft's date of noughts is none."""
    try:
        return datetime.fromisoformat(facts.get("post_date_gmt", "").strip()).replace(tzinfo=UTC)
    except ValueError:
        pass
    try:
        found = parsedate_to_datetime(facts.get("pubDate", ""))
    except ValueError:
        return None
    # Drafts carry "Mon, 30 Nov -0001" or the year 1.
    return (found if found.tzinfo else found.replace(tzinfo=UTC)) if found.year > 1970 else None


# --- ninjs ------------------------------------------------------------------------------------


def read_ninjs(file: BinaryIO) -> Iterator[Found]:
    """Articles in IPTC ninjs 1.3 to 2.1: one object, an array of them, or one on each line."""
    for number, written in enumerate(_objects(file), 1):
        if not isinstance(written, dict):
            yield LeftOut(number, "", "this is no JSON object", is_fault=True)
            continue
        try:
            yield _ninjs_piece(number, written)
        except Unusable as error:
            yield LeftOut(number, _words(written, "headline", "headlines"), str(error), is_fault=True)


def _objects(file: BinaryIO) -> Iterator[Any]:
    """The objects of the file; a line that is none is None."""
    first = file.readline(MAX_LINE_BYTES)
    parsed = _json_line(first)
    if parsed is None and first.strip():
        # Not one object on each line: then the whole is one.
        rest = file.read(MAX_JSON_BYTES)
        if len(rest) == MAX_JSON_BYTES:
            raise NotReadable("The file is too large to be one JSON text; write one article on each line.")
        try:
            parsed = json.loads(first + rest)
        except (ValueError, RecursionError) as error:
            raise NotReadable(f"The file is no JSON: {error}.") from error
    yield from parsed if isinstance(parsed, list) else [parsed] if first.strip() else []
    while line := file.readline(MAX_LINE_BYTES):
        if line.strip():
            yield _json_line(line)


def _json_line(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _ninjs_piece(number: int, facts: dict[str, Any]) -> Found:
    status = str(facts.get("pubStatus") or facts.get("pubstatus") or "usable")
    title = _words(facts, "headline", "headlines") or _words(facts, "title", "titles")
    if str(facts.get("type", "text")) not in ("text", "composite"):
        return LeftOut(number, title, f"no article but {clean_text(str(facts['type']), max_length=40)}")
    if status not in NINJS_STATES:
        raise Unusable(f"who published it calls it {clean_text(status, max_length=40)}")
    original = next(
        (
            str(one.get("value", ""))
            for one in _rows(facts, "altIds", "altids")
            if one.get("role") == "original"
        ),
        "",
    )
    uri = str(facts.get("uri", ""))
    return Piece(
        number=number,
        identity=uri or original,
        url=original or (uri if uri.startswith(("http://", "https://")) else ""),
        headline=title,
        standfirst=_words(facts, "description_text", "descriptions"),
        body=_words(facts, "body_html", "bodies")
        or _words(facts, "body_xhtml")
        or _words(facts, "body_text"),
        byline=str(facts.get("by") or facts.get("byline") or ""),
        dateline=str(facts.get("located") or ""),
        language=str(facts.get("language") or ""),
        credits=_ninjs_credits(facts),
        tags=tuple(str(one.get("name", "")) for one in _rows(facts, "subjects", "subject")),
        published_at=_moment(
            facts, "embargoed", "firstCreated", "firstcreated", "versionCreated", "versioncreated"
        ),
        state=NINJS_STATES[status],
        outlet=domain_of(original),
        copyright_holder=str(facts.get("copyrightHolder") or facts.get("copyrightholder") or ""),
        usage_terms=str(facts.get("usageTerms") or facts.get("usageterms") or ""),
    )


def _words(facts: dict[str, Any], *names: str) -> str:
    """A text: by itself as in ninjs 1, or the main one of a list as in ninjs 2."""
    for name in names:
        if isinstance(value := facts.get(name), str) and value:
            return value
    rows = [one for one in _rows(facts, *names) if isinstance(one.get("value"), str)]
    main = [one for one in rows if one.get("role") == "main"]
    return str((main or rows)[0]["value"]) if rows else ""


def _rows(facts: dict[str, Any], *names: str) -> list[dict[str, Any]]:
    lists = (value for name in names if isinstance(value := facts.get(name), list))
    return [row for rows in lists for row in rows if isinstance(row, dict)]


def _ninjs_credits(facts: dict[str, Any]) -> tuple[Credit, ...]:
    """Who made it. Most of ninjs' people are those it is about: only a role of ours tells a maker."""
    rows = _rows(facts, "people", "person", "organisations", "organisation")
    told = (
        (clean_text(str(one.get("name", "")), max_length=200), one.get("role") or one.get("rel"))
        for one in rows
    )
    return tuple(Credit(name, Role(role)) for name, role in told if name and role in list(Role))


def _moment(facts: dict[str, Any], *names: str) -> datetime | None:
    """The first of these moments that is told; UTC where it names no zone."""
    written = next((str(facts[name]).strip() for name in names if facts.get(name)), "")
    if not written:
        return None
    try:
        found = datetime.fromisoformat(written)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        shown = clean_text(written, max_length=40)
        raise Unusable(f"its date cannot be read: {shown} (write it like 2026-01-31T18:00:00Z)") from error


# --- tables -----------------------------------------------------------------------------------


def read_csv(file: BinaryIO) -> Iterator[Found]:
    """The rows of a CSV table in UTF-8 whose first line names the columns; see CSV_COLUMNS."""
    csv.field_size_limit(MAX_LINE_BYTES)
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    rows = csv.DictReader(text)
    try:
        _check_columns(rows.fieldnames or ())
        for number, row in enumerate(rows, 1):
            facts = {name: value or "" for name, value in row.items() if name}
            try:
                yield _csv_piece(number, facts)
            except Unusable as error:
                yield LeftOut(number, facts["headline"], str(error), is_fault=True)
    except (UnicodeDecodeError, csv.Error) as error:
        raise NotReadable(f"The table cannot be read after line {rows.line_num}: {error}.") from error
    finally:
        # The file is closed by who opened it.
        text.detach()


def _check_columns(names: Iterable[str]) -> None:
    unknown = [name for name in names if name not in CSV_COLUMNS]
    if "headline" not in names or unknown:
        odd = f" It names {', '.join(unknown)}." if unknown else ""
        raise NotReadable(
            f"The first line must name columns of these, headline among them: {', '.join(CSV_COLUMNS)}.{odd}"
        )


def _csv_piece(number: int, facts: dict[str, str]) -> Piece:
    state = facts.get("state", "").strip().lower()
    if state not in CSV_STATES:
        raise Unusable(f"its state is none of {', '.join(filter(None, CSV_STATES))}: {state[:40]}")
    return Piece(
        number=number,
        identity=facts.get("id") or facts.get("url", ""),
        tags=tuple(name.strip() for name in facts.get("tags", "").split(";")),
        published_at=_moment(facts, "published_at"),
        state=CSV_STATES[state],
        outlet=facts.get("source", "").strip().lower(),
        **{name: facts.get(name, "").strip() for name in CSV_PLAIN},  # type: ignore[arg-type]
    )

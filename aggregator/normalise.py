"""An entry as a feed wrote it to the draft of an article: pure, no network and no database."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import chain, takewhile

from aggregator.documents import Category, Entry, FeedDocument, Page, Picture
from aggregator.documents import Credit as Named
from articles.bylines import (
    Credit,
    Role,
    credits_in,
    is_label,
    names_in,
    parse_byline,
    split_trailing_credits,
)
from articles.canonical import NotAnAddress, address_key, readable_url
from articles.datelines import split_body_dateline, split_dateline
from articles.drafts import Draft, DraftPicture
from articles.fields import CleanHTML, clean_html
from articles.fingerprint import is_telling, text_fingerprint, title_day_key
from articles.language import guess_language
from articles.sanitise import clean_text, excerpt, to_text
from articles.taglines import tag_names

FUTURE_ALLOWED = timedelta(minutes=10)
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
HEADLINE_WORDS = 14
STANDFIRST_WORDS = 60
# What says nothing, beside what tag_names leaves out by itself.
SAYS_NOTHING = frozenset({"general", "news", "home"})
LOCAL_ID = re.compile(r"(?:https?:|tag:|urn:uuid:)", re.IGNORECASE)
# A page's text begins with its headline, which we have.
_HEADING = re.compile(r"^<h2>.*?</h2>\s*", re.DOTALL)
# What stands between the names and the date, the section or the reading time in one line.
_PIECES = re.compile(r" ?[|•·\n] ?| [–—] ")
ROLE_OF = {
    "contributor": Role.CONTRIBUTING_REPORTER,
    "photographer": Role.PHOTOGRAPHER,
    "illustrator": Role.ILLUSTRATOR,
    "editor": Role.EDITOR,
    "translator": Role.TRANSLATOR,
}


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The desk's words for tags: by slug, the name to use instead, and the words that become none."""

    synonyms: Mapping[str, str] = field(default_factory=dict)
    refused: Collection[str] = SAYS_NOTHING


@dataclass(frozen=True, slots=True)
class Outlet:
    """What of a feed and its source shapes the drafts."""

    key: str
    name: str
    domain: str
    language: str = ""
    tags: tuple[str, ...] = ()
    vocabulary: Vocabulary = field(default_factory=lambda: Vocabulary())


@dataclass(frozen=True, slots=True)
class Offer:
    """One entry as offered by a feed: by what it is known, and whether it changed."""

    guid_key: str
    content_hash: str
    entry: Entry


def offers(document: FeedDocument, *, domain: str) -> list[Offer]:
    """The document's entries with their identities; of two that are one, the first."""
    ids = Counter(entry.id for entry in document.entries)
    found: dict[str, Offer] = {}
    for entry in document.entries:
        # Some feeds give every entry one identifier; then the address tells them apart.
        identity = entry.id if entry.id and ids[entry.id] == 1 else f"{entry.id}\n{entry.link or entry.title}"
        key = guid_key(identity, domain)
        found.setdefault(key, Offer(key, _content_hash(entry), entry))
    return list(found.values())


def guid_key(identity: str, domain: str) -> str:
    """The hash of a feed's identifier. One that is only unique within its outlet is kept apart by domain."""
    scope = "" if LOCAL_ID.match(identity) else domain
    return _sha256(scope, identity)


def _content_hash(entry: Entry) -> str:
    names = (f"{credit.role}:{credit.name}" for credit in entry.credits)
    picture = entry.picture.url if entry.picture else ""
    return _sha256(entry.title, entry.link, entry.summary, entry.content, picture, *names)


def _sha256(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "replace")).hexdigest()


def draft(offer: Offer, document: FeedDocument, outlet: Outlet, *, at: datetime) -> Draft | None:
    """The entry as an article's draft; None when it has no address of an original to link to."""
    entry = offer.entry
    given = entry.original_link or entry.link
    try:
        url_key = address_key(given)
    except NotAnAddress:
        return None
    found = clean_html(entry.content or entry.summary, base_url=entry.base or given)
    language = _language(entry, outlet, found)
    body, trailing = split_trailing_credits(found, language=language)
    dateline, body = split_body_dateline(body)
    # What was cut is cleaned again; what was not is known to be clean.
    body = found if body == found else clean_html(body)
    text = to_text(body)
    headline = _headline(entry, text)
    if not headline:
        return None
    standfirst_dateline, standfirst = split_dateline(_standfirst(entry, text))
    published_at = _published(entry, at)
    named = _named(entry, document)
    return Draft(
        canonical_url=readable_url(given),
        url_key=url_key,
        guid_key=offer.guid_key,
        headline=headline,
        standfirst=standfirst,
        body=body,
        byline=", ".join(one.name for one in named if one.name and one.role == "author")[:500],
        dateline=(dateline or standfirst_dateline)[:120],
        language=language,
        credits=tuple(dict.fromkeys(chain(_credits(named, language, outlet.name), trailing))),
        tags=_tags(entry.categories, outlet),
        published_at=published_at,
        usage_terms=clean_text(_terms(entry, document), max_length=500),
        licence_url=_web(entry.licence or document.licence),
        picture=_picture(entry.picture),
        text_key=text_fingerprint(text) if is_telling(text) else "",
        title_day_key=title_day_key(outlet.key, headline, (published_at or at).date()),
        other_url_keys=_other_keys(entry, given, url_key),
        text=text,
    )


def _terms(entry: Entry, document: FeedDocument) -> str:
    """What an entry says of its use, in RSL and in words, else what its feed says in words."""
    said = (*entry.rsl, entry.rights) if entry.rsl else (entry.rights or document.rights,)
    return "; ".join(filter(None, said))


def whole_text(page: Page, *, url: str, language: str, outlet: str) -> tuple[CleanHTML, tuple[Credit, ...]]:
    """A page's text made ours, and whom its byline and the end of the text name."""
    found = clean_html(page.html, base_url=url)
    body, trailing = split_trailing_credits(_HEADING.sub("", found), language=language)
    _, body = split_body_dateline(body)
    return clean_html(body), tuple(dict.fromkeys(chain(_named_by(page, language, outlet), trailing)))


def _named_by(page: Page, language: str, outlet: str) -> list[Credit]:
    """The people of the surest place that names any, else of the lines under the headline.

    There in a piece that is a byline and no more, in lines under a label, or in those that are marked.
    """
    for lines in page.bylines:
        read = (parse_byline(line, language=language, outlet=outlet) for line in lines)
        if named := list(chain.from_iterable(read)):
            return named
    pieces = [piece for line in page.opening for piece in _PIECES.split(line)]
    told = next(filter(None, (credits_in(piece, language=language) for piece in pieces)), ())
    labelled = told or tuple(_under_label(page.opening, language, outlet))
    return list(labelled or _by_mark(page.marked, language, outlet))


def _under_label(lines: Sequence[str], language: str, outlet: str) -> Iterable[Credit]:
    """The names in the lines that follow one which says "By", "Author:" or the like and no more."""
    start = next((number for number, line in enumerate(lines, 1) if is_label(line)), len(lines))
    read = (names_in(line, language=language, outlet=outlet) for line in lines[start:])
    return chain.from_iterable(takewhile(bool, read)) if start < len(lines) else ()


def _by_mark(lines: Iterable[str], language: str, outlet: str) -> Iterable[Credit]:
    return chain.from_iterable(names_in(line, language=language, outlet=outlet) for line in lines)


def _language(entry: Entry, outlet: Outlet, body: str) -> str:
    """The language declared, else the one the words are in."""
    declared = (entry.language or outlet.language).replace("_", "-").lower()[:12]
    return declared or guess_language(f"{clean_text(entry.title)} {to_text(body[:8_000])}")


def _headline(entry: Entry, text: str) -> str:
    return clean_text(entry.title, max_length=300) if entry.title else excerpt(text, HEADLINE_WORDS)[:300]


def _standfirst(entry: Entry, text: str) -> str:
    """The summary, unless the text is nothing else or begins with it."""
    if not entry.summary or not entry.content:
        return ""
    lead = excerpt(entry.summary, STANDFIRST_WORDS)
    opening = " ".join(text[: len(lead) + 100].split())
    return "" if opening.startswith(lead.rstrip("….").strip()[:80]) else lead


def _published(entry: Entry, at: datetime) -> datetime | None:
    """The declared moment. One that cannot be is none; one just ahead is a clock that differs."""
    moment = entry.published or entry.updated
    if moment is None or moment < EARLIEST or moment > at + FUTURE_ALLOWED:
        return None
    return min(moment, at)


def _named(entry: Entry, document: FeedDocument) -> list[Named]:
    """Whom the entry names. In Atom an entry without authors has those of its feed."""
    named = list(entry.credits)
    if document.format.startswith("Atom") and not any(one.role == "author" for one in named):
        named = [
            one for one in document.credits if one.role == "author" and one.name != document.title
        ] + named
    return named


def _credits(named: Iterable[Named], language: str, outlet: str) -> Iterator[Credit]:
    for one in named:
        for credit in parse_byline(one.name, language=language, outlet=outlet):
            role = _role(one.role, credit.role)
            yield credit if role == credit.role else replace(credit, role=role)


def _role(feed_role: str, byline_role: Role) -> Role:
    """The byline's own word for it counts before the element it stood in."""
    return ROLE_OF.get(feed_role, byline_role) if byline_role == Role.AUTHOR else byline_role


def _tags(categories: Iterable[Category], outlet: Outlet) -> tuple[str, ...]:
    words = chain(outlet.tags, (one.label or one.term for one in categories))
    return tag_names(words, synonyms=outlet.vocabulary.synonyms, blocked=outlet.vocabulary.refused)


def tags_of_folders(folders: Sequence[str]) -> list[str]:
    """What of a list's folders says what its feeds are about."""
    return list(tag_names(folders, synonyms={}, blocked=SAYS_NOTHING))


def _picture(picture: Picture | None) -> DraftPicture | None:
    if picture is None or len(picture.url) > 2000:
        return None
    return DraftPicture(
        picture.url,
        alt=clean_text(picture.alt or picture.caption, max_length=500),
        caption=clean_text(picture.caption, max_length=1000),
        credit=clean_text(picture.credit, max_length=300),
        holder=clean_text(picture.holder, max_length=300),
        terms=clean_text(picture.licence, max_length=1000),
    )


def _web(licence: str) -> str:
    return licence if licence.startswith(("http://", "https://")) and len(licence) <= 500 else ""


def _other_keys(entry: Entry, given: str, url_key: str) -> tuple[str, ...]:
    """Further addresses under which the same work is known."""
    others = {
        url for url in (entry.link, entry.id) if url != given and url.startswith(("http://", "https://"))
    }
    keys = []
    for url in sorted(others):
        try:
            keys.append(address_key(url))
        except NotAnAddress:
            continue
    return tuple(key for key in dict.fromkeys(keys) if key != url_key)

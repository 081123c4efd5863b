"""What a site says by machine of how it may be used: in headers, pages, robots.txt, tdmrep.json and feeds. Pure.

Sources of the rules: RFC 9309 (robots.txt), Google's robots meta and X-Robots-Tag rules (nosnippet,
max-snippet, max-image-preview), the W3C community group's TDM Reservation Protocol, RSL 1.0, and the
`noai` words that some sites send. A signal limits what we show; none of them forbids a link.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from protego import Protego

from aggregator.documents import FeedDocument
from articles.models import UsagePolicy

AGENT = "newsroom"
LONGEST_VALUE = 300
MOST_SIGNALS = 40
NO_TEXT = frozenset({"nosnippet", "none"})
SAYS_SOMETHING = frozenset({"nosnippet", "noai", "noimageai", "noarchive", "noimageindex"})
RESERVES_TEXT = frozenset({"TDM-Reservation", "RSL", "Content-Usage", "Content-Signal"})
_WITH_A_VALUE = ("max-snippet", "max-image-preview", "unavailable_after")
_OF_ROBOTS = re.compile(
    r"^[ \t]*(License|Content-Usage|Content-Signal)[ \t]*:[ \t]*(\S[^\r\n#]*)", re.I | re.M
)
_NAMES_US = re.compile(rf"^[ \t]*user-agent[ \t]*:[ \t]*{AGENT}\b", re.I | re.M)
_DELAYS = re.compile(r"^[ \t]*crawl-delay[ \t]*:", re.I | re.M)
CRAWL_DELAY = "Crawl-delay"
_EVERYWHERE = frozenset({"/", "/*", "*", "**", "/**"})


class Signal(NamedTuple):
    """One thing a site said: by which means, in its own words, and at which address."""

    kind: str
    value: str
    where: str


class Limits(NamedTuple):
    """The most that signals leave to show: usage ("" for no limit), characters of text, and whether pictures."""

    usage: str = ""
    chars: int | None = None
    pictures: bool = True


def of_headers(headers: Mapping[str, str], where: str) -> Iterator[Signal]:
    """What an answer's headers (names in small letters) say of it."""
    if words := headers.get("x-robots-tag"):
        for word in _for_us(words):
            yield Signal("X-Robots-Tag", word, where)
    if headers.get("tdm-reservation", "").strip() == "1":
        yield Signal("TDM-Reservation", _reserved(headers.get("tdm-policy", "")), where)
    if usage := headers.get("content-usage"):
        yield Signal("Content-Usage", usage.strip()[:LONGEST_VALUE], where)


def of_meta(metas: Iterable[tuple[str, str]], where: str) -> Iterator[Signal]:
    """What a page's meta elements (name in small letters, content) say of it."""
    said = list(metas)
    policy = next((content for name, content in said if name == "tdm-policy"), "")
    for name, content in said:
        if name in ("robots", AGENT):
            for word in _for_us(content):
                yield Signal("X-Robots-Tag", word, where)
        elif name == "tdm-reservation" and content.strip() == "1":
            yield Signal("TDM-Reservation", _reserved(policy), where)


def refusal(signals: Iterable[Signal]) -> str:
    """In words, what forbids to take whole texts from pages; "" where nothing does."""
    for signal in signals:
        word = signal.value.partition(":")[0]
        if signal.kind in RESERVES_TEXT or (
            signal.kind == "X-Robots-Tag" and word in (*NO_TEXT, "noai", "noarchive", "max-snippet")
        ):
            return f"The text is reserved ({signal.kind}: {signal.value})."
    return ""


def may_read_page(robots: str, url: str) -> bool:
    """Whether a robots.txt lets us read this page: our group's longest rule, else everybody's (RFC 9309)."""
    return bool(Protego.parse(robots[:500_000]).can_fetch(url, AGENT))


def _reserved(policy: str) -> str:
    return f"reserved, terms at {policy.strip()}"[:LONGEST_VALUE] if policy.strip() else "reserved"


def _for_us(words: str) -> Iterator[str]:
    """The directives of an X-Robots-Tag that are for everybody or name us; "otherbot: noindex" is not."""
    agent = ""
    for part in words[:2000].lower().split(","):
        name, colon, value = (piece.strip() for piece in part.partition(":"))
        if colon and name not in _WITH_A_VALUE:
            agent, name, colon, value = name, *(piece.strip() for piece in value.partition(":"))
        if agent not in ("", AGENT):
            continue
        if name in SAYS_SOMETHING or (name == "none" and agent):
            yield name
        elif name in _WITH_A_VALUE and value:
            yield f"{name}:{value}"[:LONGEST_VALUE]


# What a document says, and says still where its server sent the same one again.
OF_DOCUMENTS = frozenset({"Licence", "RSL"})


def of_document(document: FeedDocument, where: str) -> Iterator[Signal]:
    """What a feed says of its own licence."""
    if document.licence:
        yield Signal("Licence", document.licence[:LONGEST_VALUE], where)
    for terms in document.rsl:
        yield Signal("RSL", terms[:LONGEST_VALUE], where)


def of_robots(text: str, where: str, paths: Iterable[str]) -> Iterator[Signal]:
    """What a robots.txt says to us by name of these paths, and what it says of pauses and licences to all.

    A group for everybody ("*") is meant for crawlers of pages; a feed is offered to be fetched.
    """
    text = text[:500_000]
    rules = Protego.parse(text if _NAMES_US.search(text) else "")
    refused = [path for path in paths if not rules.can_fetch(path, AGENT)]
    for path in refused:
        yield Signal("robots.txt", f"Disallow for {AGENT}: {path}"[:LONGEST_VALUE], where)
    delay = Protego.parse(text).crawl_delay(AGENT) if _DELAYS.search(text) else None
    if delay and delay > 0:
        yield Signal(CRAWL_DELAY, f"{delay:g} seconds", where)
    for name, value in _OF_ROBOTS.findall(text)[:MOST_SIGNALS]:
        kind = "RSL" if name.lower() == "license" else name.title()
        yield Signal(kind, value.strip()[:LONGEST_VALUE], where)


def pause_asked(signals: Iterable[Mapping[str, str]], host: str) -> float:
    """How many seconds its robots.txt wants between two requests to this host, of what is kept of it."""
    return max(
        (
            float(said["value"].partition(" ")[0])
            for said in signals
            if said["kind"] == CRAWL_DELAY and said["where"].partition("://")[2] == f"{host}/robots.txt"
        ),
        default=0.0,
    )


def of_tdmrep(data: bytes, where: str) -> Iterator[Signal]:
    """Whether the site's TDM file reserves the whole of it."""
    try:
        found: Any = json.loads(data)
    except ValueError:
        return
    for rule in found if isinstance(found, list) else [found]:
        if not isinstance(rule, dict) or str(rule.get("tdm-reservation")) != "1":
            continue
        if str(rule.get("location", "/")).strip() in _EVERYWHERE:
            yield Signal("TDM-Reservation", _reserved(str(rule.get("tdm-policy") or "")), where)
            return


def limits(signals: Iterable[Signal]) -> Limits:
    """The strictest of what all these allow."""
    headline, chars, pictures = False, [], True
    for signal in signals:
        if signal.kind != "X-Robots-Tag":
            continue
        name, _, value = signal.value.partition(":")
        headline = headline or name in NO_TEXT or (name == "max-snippet" and value.strip() == "0")
        if name == "max-snippet" and value.isdecimal():
            chars.append(min(int(value[:9]), 32_000))
        pictures = pictures and name != "noimageindex" and signal.value != "max-image-preview:none"
    if headline:
        return Limits(UsagePolicy.HEADLINE.value, None, pictures)
    return Limits(UsagePolicy.EXCERPT.value if chars else "", min(chars, default=None), pictures)

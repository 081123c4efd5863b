"""One feed over the network to an outcome. Touches no database."""

from __future__ import annotations

import hashlib
import re
import time
from dataclasses import dataclass, field
from typing import Protocol

from aggregator.discovery import sitemaps_listed
from aggregator.documents import FeedDocument
from aggregator.formats import caps
from aggregator.parse import NotAFeed
from articles.canonical import same_site
from webclient.client import Client, Hop, Response
from webclient.errors import OutgoingError

ACCEPT = (
    "application/atom+xml, application/rss+xml;q=0.9, application/feed+json;q=0.9, application/rdf+xml;q=0.8, "
    "application/xml;q=0.7, text/xml;q=0.7, */*;q=0.1"
)
INDEX = re.compile(rb"\s*(?:\xef\xbb\xbf)?(?:<\?xml[^>]*>\s*|<!--.{0,500}?-->\s*)*<sitemapindex\b", re.DOTALL)
PARTS = 3
NO_ORIGINALS = "None of its entries has the address of an original to link to, so nothing of it can be shown."
VALIDATORS = frozenset({"etag", "last-modified"})
REASONS = {
    400: "The server does not understand the request (400).",
    401: "The feed asks for a password (401).",
    402: "The feed has to be paid for (402).",
    403: "The server refuses to give us the feed (403).",
    404: "There is no feed at this address (404).",
    406: "The server has no form of the feed that we read (406).",
    410: "The feed was ended by its publisher (410).",
    429: "We ask too often, the server says (429).",
    451: "The feed is withheld for legal reasons (451).",
    500: "The server has a fault of its own (500).",
    502: "The server behind this address does not answer (502).",
    503: "The server is overloaded or being repaired (503).",
    504: "The server behind this address is too slow (504).",
}


class Parser(Protocol):
    """What turns bytes into a document: the sandbox, or the parser itself."""

    def parse(self, data: bytes, *, content_type: str = "", url: str = "") -> FeedDocument: ...


@dataclass(frozen=True, slots=True)
class Known:
    """What we know of a feed before we ask for it."""

    url: str
    etag: str = ""
    last_modified: str = ""
    body_hash: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one attempt. Without `error` it is a document, or the word that nothing changed."""

    status: int | None = None
    error: str = ""
    document: FeedDocument | None = None
    headers: dict[str, str] = field(default_factory=dict)
    url: str = ""
    hops: tuple[Hop, ...] = ()
    bytes: int = 0
    body_hash: str = ""
    seconds: float = 0.0

    @property
    def is_unchanged(self) -> bool:
        return not self.error and self.document is None


def fetch(known: Known, client: Client, parser: Parser) -> Outcome:
    """Ask for the feed, conditionally, and read what comes. Never raises for what a server or a feed does."""
    started = time.monotonic()
    try:
        answer = client.get(known.url, headers=request_headers(known))
    except OutgoingError as error:
        return Outcome(error=str(error), seconds=time.monotonic() - started)
    return _outcome(answer, known, client, parser, started)


def request_headers(known: Known) -> dict[str, str]:
    """The validators exactly as the server gave them."""
    headers = {"Accept": ACCEPT}
    if known.etag:
        headers["If-None-Match"] = known.etag
    if known.last_modified:
        headers["If-Modified-Since"] = known.last_modified
    return headers


def _outcome(answer: Response, known: Known, client: Client, parser: Parser, started: float) -> Outcome:
    document: FeedDocument | None
    document, error, body_hash = None, "", known.body_hash
    if answer.status == 200:
        body_hash = hashlib.sha256(answer.body).hexdigest()
        if body_hash != known.body_hash:
            try:
                kind = answer.headers.get("content-type") or ""
                document = parser.parse(answer.body, content_type=kind, url=answer.url)
            except NotAFeed as reason:
                error = str(reason)
            if (
                document
                and document.entries
                and not any(one.link or one.original_link for one in document.entries)
            ):
                document, error = None, NO_ORIGINALS
            if document is None and INDEX.match(answer.body[:1000]):
                # Its parts change without it, so neither its validators nor its hash say that nothing is new.
                document, error, body_hash = *_of_parts(answer, client, parser), ""
    elif answer.status != 304:
        error = REASONS.get(answer.status) or _kind_of_refusal(answer.status)
    elif not (known.etag or known.last_modified):
        error = "The server says that nothing changed, and was not asked whether anything did (304)."
    return Outcome(
        status=answer.status,
        error=error,
        document=document,
        headers=_headers(answer, keeps_validators=bool(body_hash)),
        url=answer.url,
        hops=answer.hops,
        bytes=len(answer.body),
        body_hash=body_hash,
        seconds=time.monotonic() - started,
    )


def _kind_of_refusal(status: int) -> str:
    if status < 300:
        return f"The server gives no feed, only a sign that it heard us ({status})."
    if status < 400:
        return f"The server passes us on without saying where to ({status})."
    return f"The server {'refuses to give us the feed' if status < 500 else 'has a fault of its own'} ({status})."


def _headers(answer: Response, *, keeps_validators: bool) -> dict[str, str]:
    # Asked by name, a header that came several times is one, with commas between.
    found = {name.lower(): answer.headers[name] for name in answer.headers}
    return found if keeps_validators else {k: value for k, value in found.items() if k not in VALIDATORS}


def _of_parts(index: Response, client: Client, parser: Parser) -> tuple[FeedDocument | None, str]:
    """The news in the sitemaps that an index lists, as one document; or why there is none."""
    found: list[FeedDocument] = []
    listed = sitemaps_listed(index.body, index.url)
    # Whoever writes the list does not choose whom else we ask.
    for url in [part for part in listed if same_site(part, index.url)][:PARTS]:
        try:
            answer = client.get(url, headers={"Accept": ACCEPT})
            found.append(parser.parse(answer.body, url=answer.url))
        except (OutgoingError, NotAFeed):
            continue
    if not found:
        return None, "This is a list of sitemaps, and none of the first of them names news."
    entries = tuple(entry for document in found for entry in document.entries)
    newest = sorted(
        entries, key=lambda entry: entry.published.timestamp() if entry.published else 0, reverse=True
    )
    return found[0]._replace(entries=tuple(newest[: caps.ENTRIES])), ""

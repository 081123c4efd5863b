"""Whole texts from articles' own pages, where the feed gives the opening alone and the source's terms allow all of it.

Asked only of feeds for which the desk switched it on. What a page, its robots.txt or the source's signals
reserve is left alone, unless terms agreed with the owner prevail.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Protocol
from urllib.parse import urljoin

from django.db.models import QuerySet

from aggregator.documents import Page
from aggregator.hosts import Turns, host_of
from aggregator.models import PageReading
from aggregator.normalise import whole_text
from aggregator.parse import NotAFeed
from aggregator.rights import Signal, may_read_page, of_headers, of_meta, pause_asked, refusal
from aggregator.sandbox import default_sandbox
from articles import bulk
from articles.actions import NotAllowed, complete_text
from articles.canonical import same_site
from articles.leases import back_off
from articles.models import Article, Source, UsagePolicy
from webclient.client import Client, Limits, default_client
from webclient.errors import OutgoingError

logger = logging.getLogger(__name__)

LEASE_SECONDS = 180
MOST_ATTEMPTS = 5
PAGE = Limits(seconds=30, wire_bytes=4 * 1024 * 1024, body_bytes=4 * 1024 * 1024)
ROBOTS = Limits(seconds=15)
ROBOTS_KEPT = timedelta(hours=6)


class Reader(Protocol):
    """What makes a page of bytes: the sandbox."""

    def read_page(self, data: bytes, *, url: str) -> Page: ...


class Reserved(Exception):
    """The text may not be taken, now or later; the message says why."""


class NotNow(Exception):
    """The page could not be read; it may be another time."""


def is_allowed(source: Source) -> bool:
    """Whether the source's terms, with what its site signals, allow whole texts."""
    if source.shown_usage != UsagePolicy.FULL or source.suspended_at:
        return False
    said = (Signal(one["kind"], one["value"], one["where"]) for one in source.signals or ())
    return bool(source.agreement_prevails) or not refusal(said)


def ask_for(article_ids: Iterable[int], *, at: datetime) -> None:
    """Have these articles' pages read, anew where they were read before; in the caller's transaction."""
    bulk.insert(
        PageReading,
        ("article_id", "due_at"),
        [(pk, at) for pk in article_ids],
        conflicts="(article_id) DO UPDATE SET due_at = excluded.due_at, attempts = 0",
    )


def texts_of(article_ids: Collection[int]) -> dict[int, str]:
    """The whole texts that stand already: what a feed changes is never an opening in their place."""
    read = PageReading.objects.filter(article__in=article_ids, read_at__isnull=False)
    return dict(read.values_list("article_id", "article__body")) if article_ids else {}


def waiting(at: datetime) -> QuerySet[PageReading]:
    """Pages whose turn it is."""
    found: QuerySet[PageReading] = PageReading.objects.claimable(at)
    return found


def read_due(limit: int, at: datetime, *, client: Client | None = None, reader: Reader | None = None) -> int:
    """Read at most `limit` pages that are due, no host's before its pause is over; returns how many were tried."""
    turns = Turns()
    tried = 0
    try:
        for row in waiting(at).select_related("article__source").order_by("due_at")[:limit]:
            token = PageReading.objects.claim(row.pk, at=at, seconds=LEASE_SECONDS)
            if token:
                tried += 1
                _read(
                    row,
                    token,
                    turns,
                    at=at,
                    client=client or default_client(),
                    reader=reader or default_sandbox(),
                )
    finally:
        turns.give_back()
    return tried


def _read(
    row: PageReading, token: str, turns: Turns, *, at: datetime, client: Client, reader: Reader
) -> None:
    host, source = host_of(row.article.canonical_url), row.article.source
    pause = pause_asked((source and source.signals) or (), host)
    if wait := turns.seconds_to_wait(host, at=at, pause=pause):
        PageReading.objects.finish(row.pk, token, due_at=at + timedelta(seconds=wait), attempts=row.attempts)
        return
    turns.was_asked(host, at=at)
    try:
        _complete(row, client, reader, at=at)
    except (Reserved, NotAllowed, NotAFeed) as reason:
        PageReading.objects.finish(row.pk, token, due_at=None, last_error=str(reason)[:300])
    except (NotNow, OutgoingError) as reason:
        _failed(row, token, str(reason), at=at)
    except Exception:
        # Whatever one page did, the others have their turn.
        logger.exception("page of article %s could not be stored", row.article_id)
        _failed(row, token, "The text could not be stored; the log says why.", at=at)
    else:
        PageReading.objects.finish(row.pk, token, due_at=None, last_error="", read_at=at, attempts=0)


def _failed(row: PageReading, token: str, error: str, *, at: datetime) -> None:
    attempts = row.attempts + 1
    again = at + back_off(attempts, first=300, most=86_400) if attempts < MOST_ATTEMPTS else None
    PageReading.objects.finish(row.pk, token, due_at=again, last_error=error[:300])


def _complete(row: PageReading, client: Client, reader: Reader, *, at: datetime) -> None:
    article: Article = row.article
    source = article.source
    if source is None or not is_allowed(source):
        raise Reserved("The source's terms do not allow full text.")
    page = _page(article.canonical_url, client, reader, obeys=not source.agreement_prevails, at=at)
    body, credits = whole_text(page, url=article.canonical_url, language=article.language, outlet=source.name)
    complete_text(article_id=article.pk, body=body, credits=credits, again=row.read_at is not None, at=at)


def _page(url: str, client: Client, reader: Reader, *, obeys: bool, at: datetime) -> Page:
    robots = urljoin(url, "/robots.txt")
    if obeys and not may_read_page(
        _robots(client, robots, int(at.timestamp() // ROBOTS_KEPT.total_seconds())), url
    ):
        raise Reserved("The site's robots.txt asks us not to read this page.")
    answer = client.get(url, headers={"Accept": "text/html,application/xhtml+xml"}, limits=PAGE)
    if answer.status in (429, 500, 502, 503, 504):
        raise NotNow(f"The server answers with {answer.status}.")
    if answer.status != 200:
        raise Reserved(f"The page cannot be read: the server answers with {answer.status}.")
    if not same_site(url, answer.url):
        raise Reserved("The page leads to another site.")
    headers = {name.lower(): answer.headers[name] for name in answer.headers}
    _obey(of_headers(headers, url), obeys)
    page = reader.read_page(answer.body, url=answer.url)
    _obey(of_meta(page.metas, url), obeys)
    return page


def _obey(signals: Iterable[Signal], obeys: bool) -> None:
    if obeys and (reason := refusal(signals)):
        raise Reserved(reason)


@lru_cache(maxsize=512)
def _robots(client: Client, url: str, _hours: int) -> str:
    """The site's robots.txt, kept for hours. One that cannot be had forbids nothing, one that fails is asked later."""
    answer = client.get(url, limits=ROBOTS)
    if answer.status >= 500 or answer.status == 429:
        raise NotNow(f"The site's robots.txt cannot be read: the server answers with {answer.status}.")
    return answer.body.decode("utf-8", "replace") if answer.status == 200 else ""

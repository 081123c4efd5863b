"""Telling machines outside of a change: caches what to drop, search engines which address changed.

What is to be told is a row, written in the transaction of the change. It is sent right after the commit and
again by the worker until it was taken. Nobody is told anything unless the operator named them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.db.models import Min
from django.utils import timezone

from articles import cdn, indexnow, websub
from articles.canary import is_canary
from articles.leases import back_off
from articles.models import Announcement, AnnouncementKind, Article
from webclient.errors import OutgoingError

logger = logging.getLogger(__name__)

# An answer that was on its way when a cache dropped the page has arrived by then; it is dropped again.
SETTLE = timedelta(seconds=30)
# An outage leaves many: beyond so many keys everything is dropped at once.
MOST_KEYS = 2_000
EVERYTHING = "site"
LEASE_SECONDS = 60
LONGEST_WAIT = 300
KEPT = timedelta(days=7)
# A response with more keys than one header holds is not kept by anybody.
MOST_BYTES = 7_000

Headers = list[tuple[str, str]]


# --- what a response allows -------------------------------------------------------------------


def cache() -> cdn.Cache | None:
    """The cache in front of the site, if there is one."""
    found: cdn.Cache | None = settings.CDN
    return found


def label(keys: Iterable[str]) -> str:
    """The keys as they travel with a page; "" when they are too many for one header."""
    text = " ".join(sorted({*keys, EVERYTHING}))
    return text if len(text) <= MOST_BYTES else ""


def headers_of(label: str, valid_until: datetime | None) -> Headers:
    """What a page tells the cache: its keys, and how long it may stay. Never past its nearest deadline."""
    front = cache()
    if front is None:
        return []
    seconds: int = settings.CDN_SECONDS
    if valid_until is not None:
        seconds = min(seconds, int((valid_until - timezone.now()).total_seconds()))
    return front.keep(label.split(), seconds) if label and seconds > 0 else front.never()


# --- what is owed -----------------------------------------------------------------------------


def owe_purge(keys: Sequence[str], reference: str = "") -> None:
    """Have the caches drop whatever carries one of the keys; in the caller's transaction.

    With a `reference` somebody waits for it: the caches are told as soon as this is committed.
    """
    if cache() is not None:
        _owe(AnnouncementKind.CACHES, keys, reference)
        if reference:
            transaction.on_commit(_send_at_once, robust=True)


def owe_pings(articles: Iterable[Article], reference: str = "") -> None:
    """Have the search engines look again at these articles' addresses: one row for ten thousand of them."""
    if settings.INDEXNOW is None:
        return
    paths = [article.get_absolute_url() for article in articles if not is_canary(article)]
    for start in range(0, len(paths), indexnow.MOST_URLS):
        _owe(AnnouncementKind.SEARCH_ENGINES, paths[start : start + indexnow.MOST_URLS], reference)


def owe_news(keys: Sequence[str]) -> None:
    """Have the hub fetch the feeds of changed lists again; in the caller's transaction."""
    lists = websub.lists_in(keys) if settings.WEBSUB_HUB else []
    if lists:
        _owe(AnnouncementKind.HUB, lists, "")


def _owe(kind: AnnouncementKind, about: Sequence[str], reference: str) -> None:
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("what is owed belongs into the transaction of the change")
    Announcement.objects.create(kind=kind, about=list(about), reference=reference, due_at=timezone.now())


def is_settled(reference: str) -> bool:
    """Have the caches dropped everything that belonged to this hold or cut?"""
    if cache() is None:
        return True
    waiting = Announcement.objects.filter(
        kind=AnnouncementKind.CACHES, reference=reference, settled_at__isnull=True
    )
    return not waiting.exists()


def oldest_untaken() -> datetime | None:
    """Since when a cache has not taken what it was told; None when all was taken."""
    if cache() is None:
        return None
    waiting = Announcement.objects.filter(
        kind=AnnouncementKind.CACHES, acknowledged_at__isnull=True, due_at__isnull=False
    )
    oldest: datetime | None = waiting.aggregate(at=Min("created_at"))["at"]
    return oldest


# --- sending ----------------------------------------------------------------------------------


def is_waiting(at: datetime) -> bool:
    """Whether anything is to be sent."""
    return bool(Announcement.objects.claimable(at).exists())


def send_due(limit: int, at: datetime) -> int:
    """Send what is due, everything for one receiver together; returns how many rows were taken in hand."""
    return sum(_send_kind(kind, limit, at) for kind in AnnouncementKind)


def _send_at_once() -> None:
    """After a commit somebody waits for. What goes wrong here the worker does again."""
    try:
        _send_kind(AnnouncementKind.CACHES, 100, timezone.now())
    except Exception:
        logger.exception("the caches could not be told at once; the worker will")


def _send_kind(kind: AnnouncementKind, limit: int, at: datetime) -> int:
    rows = Announcement.objects.claimable(at).filter(kind=kind).order_by("due_at", "pk")
    pks = list(rows.values_list("pk", flat=True)[:limit])
    if not pks:
        return 0
    token, mine = Announcement.objects.claim_some(pks, at=at, seconds=LEASE_SECONDS)
    taken = list(Announcement.objects.filter(pk__in=mine).order_by("pk"))
    if not taken:
        return 0
    try:
        _SENDERS[kind](sorted({one for row in taken for one in row.about}))
    except OutgoingError as error:
        _again(taken, token, at, str(error))
    else:
        _taken(taken, token, at)
    return len(taken)


def _again(rows: Sequence[Announcement], token: str, at: datetime, error: str) -> None:
    logger.warning("%d announcements were not taken: %s", len(rows), error)
    for row in rows:
        wait = back_off(row.attempts, first=5, most=LONGEST_WAIT)
        Announcement.objects.finish(row.pk, token, due_at=at + wait, last_error=error[:300])


def _taken(rows: Sequence[Announcement], token: str, at: datetime) -> None:
    for row in rows:
        twice = row.kind == AnnouncementKind.CACHES and row.acknowledged_at is None
        more = {"due_at": at + SETTLE} if twice else {"due_at": None, "settled_at": at}
        told = row.acknowledged_at or at
        Announcement.objects.finish(row.pk, token, acknowledged_at=told, attempts=0, last_error="", **more)


def _purge(keys: list[str]) -> None:
    front = cache()
    if front is not None:
        front.purge([EVERYTHING] if EVERYTHING in keys or len(keys) > MOST_KEYS else keys)


def _ping(paths: list[str]) -> None:
    if settings.INDEXNOW is None:
        return
    host = urlsplit(settings.SITE_URL).netloc
    urls = [settings.SITE_URL + path for path in paths]
    for start in range(0, len(urls), indexnow.MOST_URLS):
        indexnow.tell(settings.INDEXNOW, host=host, urls=urls[start : start + indexnow.MOST_URLS])


def _publish(lists: list[str]) -> None:
    if settings.WEBSUB_HUB:
        websub.tell(settings.WEBSUB_HUB, lists)


_SENDERS: dict[str, Callable[[list[str]], None]] = {
    AnnouncementKind.CACHES: _purge,
    AnnouncementKind.SEARCH_ENGINES: _ping,
    AnnouncementKind.HUB: _publish,
}


def prune(limit: int, at: datetime) -> int:
    """Delete at most `limit` rows that were taken a week ago."""
    old = Announcement.objects.filter(settled_at__lt=at - KEPT).values_list("pk", flat=True)
    pks = list(old[:limit])
    Announcement.objects.filter(pk__in=pks).delete()
    return len(pks)

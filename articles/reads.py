"""What readers read: how often an article's page was asked for on a day, and nothing of who asked.

Counted in the memory of each web process and added up about once a minute, in one statement. No cookie, address
or browser is kept. What programs ask for that say so is left out; so is what a web server in front answers from
page files or its own cache, which we never see.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections import Counter
from datetime import date, datetime, timedelta
from functools import lru_cache
from urllib.parse import unquote

from django.db import DatabaseError, transaction
from django.utils import timezone

from articles import bulk, surfaces
from articles.models import Article, ReadCount

logger = logging.getLogger(__name__)

EVERY_SECONDS = 60.0
KEPT = timedelta(days=400)
ARTICLE = re.compile(r"(?:/[a-z]{2})?/articles/([^/]+)/")
PROGRAMS = re.compile(r"bot|crawl|spider|slurp|preview|monitor|curl|wget|python|java/|go-http|newsroom", re.I)
_MOST = 50_000


@lru_cache(maxsize=1024)
def is_program(agent: str) -> bool:
    """Asked of each page that is sent; most readers share a browser with many others."""
    return bool(PROGRAMS.search(agent))


class Reads:
    """The counts of this process, on their way."""

    def __init__(self) -> None:
        self._waiting: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._next = 0.0
        self.is_on = False

    def start(self) -> None:
        """Count from now on; a process that serves nobody does not."""
        self.is_on, self._next = True, time.monotonic() + EVERY_SECONDS

    def note(self, path: str, agent: str, *, may_write: bool = True) -> None:
        """Count one answer of a page, if it is an article's; once in a while, if time may be taken, write all down."""
        found = ARTICLE.fullmatch(path) if self.is_on else None
        if found and agent and not is_program(agent) and len(self._waiting) < _MOST:
            with self._lock:
                self._waiting[unquote(found[1])] += 1
        if may_write and self.is_on and time.monotonic() >= self._next:
            self.write()

    def write(self) -> None:
        """Add what was counted to the day's numbers. A reader waits for this, so a busy database has it next time."""
        with self._lock:
            self._next = time.monotonic() + EVERY_SECONDS
            counted, self._waiting = self._waiting, Counter()
        try:
            written = surfaces.briefly(lambda: add(counted, on=timezone.localdate()), durable=False)
        except DatabaseError:
            logger.warning("the reads of %d articles were not written down", len(counted))
        else:
            if not written:
                with self._lock:
                    self._waiting.update(counted)


def add(counted: Counter[str], *, on: date) -> bool:
    """Add these counts, by slug, to a day; what is no article any more is left out. True: they are written."""
    if not counted:
        return True
    known = Article.objects.published().filter(slug__in=list(counted))
    rows = sorted(known.values_list("pk", "slug"))
    with transaction.atomic():
        bulk.insert(
            ReadCount,
            ("article_id", "day", "count"),
            [(pk, on, counted[slug]) for pk, slug in rows],
            conflicts="(article_id, day) DO UPDATE SET count = articles_readcount.count + excluded.count",
        )
    return True


def most_read(*, on: date, limit: int) -> list[tuple[Article, int]]:
    """The articles that were read most on a day and are public now, most first."""
    rows = (
        ReadCount.objects.filter(day=on)
        .order_by("-count", "pk")
        .values_list("article_id", "count")[: 4 * limit]
    )
    counts = dict(rows)
    public = Article.objects.public().only("headline").in_bulk(list(counts))
    return [(public[pk], count) for pk, count in counts.items() if pk in public][:limit]


def prune(limit: int, at: datetime) -> int:
    """Forget numbers of more than a year ago; returns how many."""
    old = ReadCount.objects.filter(day__lt=(at - KEPT).date()).values_list("pk", flat=True)[:limit]
    gone, _ = ReadCount.objects.filter(pk__in=list(old)).delete()
    return gone


reads = Reads()

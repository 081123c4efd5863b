"""What has outlived its use: expired sessions, old rows of the fetch log, articles too old to compare."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

from accounts import access, unsaved
from aggregator import hosts
from aggregator.models import Fetch
from articles import comparison, hooks, reads, walks
from newsroom import audit

FETCHES_KEPT = timedelta(days=30)


def prune(limit: int, at: datetime) -> int:
    """Delete at most `limit` rows of each kind; returns how many went."""
    sessions = Session.objects.filter(expire_date__lt=at)
    fetches = Fetch.objects.filter(started_at__lt=at - FETCHES_KEPT).order_by()
    old = comparison.prune(limit, at) + hosts.forget(limit, at)
    ended = UserSession.objects.filter(~Exists(Session.objects.filter(pk=OuterRef("session_key"))))
    gone = sum(_delete_some(rows, limit) for rows in (sessions, fetches, ended))
    old += access.prune(limit, at) + hooks.prune(limit, at) + reads.prune(limit, at)
    return old + unsaved.prune(limit, at) + audit.prune(limit, at) + walks.prune(limit, at) + gone


def empty_journal(limit: int, at: datetime) -> int:
    """Write SQLite's journal into its file and empty it: until then it keeps what was deleted, readable.

    In the file itself deleted text is overwritten at once (`secure_delete`). Does nothing on PostgreSQL,
    whose autovacuum does the same, and leaves it to the next turn while somebody reads.
    """
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return 0


def survey_claims(limit: int, at: datetime) -> int:
    """Tell SQLite how claims are distributed: without that it sorts all open ones for each page of the queue.

    PostgreSQL's autovacuum does the same. A hundred thousand claims take about a second.
    """
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE moderation_claim")
    return 0


def _delete_some(rows: QuerySet[Any], limit: int) -> int:
    keys: list[Any] = list(rows.values_list("pk", flat=True)[:limit])
    rows.model._default_manager.filter(pk__in=keys).delete()
    return len(keys)

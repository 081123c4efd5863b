"""What anybody may know of our removals: every case, the figures, and the ledger's head. No person in any of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import ceil
from typing import Any

from django.core.cache import cache
from django.db.models import Max, OuterRef, Subquery
from django.db.models.functions import TruncDate

from moderation.models import (
    Channel,
    Claim,
    ClaimState,
    Decision,
    Ground,
    LedgerEntry,
    ReasonCode,
)

PAGE = 50
SHEET = 5000
# Figures are about the newest cases, at most this many, and are worked out once in five minutes.
COUNTED = 10_000
DAYS = 365
FIGURES_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Case:
    """One claim as the public log has it."""

    pk: int
    reference: str
    received_at: datetime
    hidden_at: datetime | None
    outcome: str
    reason: str
    ground: str
    by_deadline: bool


@dataclass(frozen=True, slots=True)
class Figures:
    """How the promise was kept in the last year."""

    hidden: int
    median_hours: float | None
    p95_hours: float | None
    longest_hours: float | None
    by_deadline_percent: float | None
    breaches: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DailyHead:
    """The last ledger entry of one day. Who noted it down can tell whether the ledger was rewritten."""

    day: date
    seq: int
    hash: str


COLUMNS = (
    "pk", "number", "state", "notice__reference", "notice__received_at", "notice__ground",
    "hold__effective_at", "hold__latched_at", "reason", "automated",
)  # fmt: skip


def cases(*, at: datetime, before: int | None = None, size: int = PAGE) -> list[Case]:
    """The newest cases, or those before the one with this number. One statement, however far back."""
    latest = Decision.objects.filter(claim=OuterRef("pk")).order_by("-pk")
    rows = (
        Claim.objects.exclude(notice__channel=Channel.DRILL)
        .order_by("-pk")
        .annotate(
            reason=Subquery(latest.values("reason_code")[:1]),
            automated=Subquery(latest.values("automated")[:1]),
        )
    )
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return [_case(row, at) for row in rows.values(*COLUMNS)[:size]]


def _case(row: dict[str, Any], at: datetime) -> Case:
    hidden = hidden_at(row["hold__effective_at"], row["hold__latched_at"], at)
    return Case(
        pk=row["pk"],
        reference=f"{row['notice__reference']}/{row['number']}",
        received_at=row["notice__received_at"],
        hidden_at=hidden,
        outcome=ClaimState(row["state"]).label,
        reason=ReasonCode(row["reason"]).label if row["reason"] else "",
        ground=Ground(row["notice__ground"]).label,
        by_deadline=bool(row["automated"]),
    )


def hidden_at(effective_at: datetime | None, latched_at: datetime | None, at: datetime) -> datetime | None:
    """When the article was gone; None while it is not."""
    moments = [moment for moment in (effective_at, latched_at) if moment is not None and moment <= at]
    return min(moments, default=None)


def figures(*, at: datetime) -> Figures:
    """The year's figures, at most five minutes old."""
    found: Figures | None = cache.get("transparency:figures")
    if found is None:
        found = _figures(at)
        cache.set("transparency:figures", found, FIGURES_SECONDS)
    return found


def _figures(at: datetime) -> Figures:
    rows = (
        Claim.objects.filter(notice__received_at__gte=at - timedelta(days=DAYS), hold__isnull=False)
        .exclude(notice__channel=Channel.DRILL)
        .order_by("-pk")
    )
    hours, breaches, defaults = [], [], 0
    for row in rows.values(*FIGURE_COLUMNS)[:COUNTED]:
        hidden = hidden_at(row["hold__effective_at"], row["hold__latched_at"], at)
        if hidden is None:
            continue
        hours.append(max(0.0, (hidden - row["notice__received_at"]).total_seconds() / 3600))
        if _is_late(row, hidden):
            breaches.append(f"{row['notice__reference']}/{row['number']}")
    for automated in _automated(at):
        defaults += automated
    return Figures(
        hidden=len(hours),
        median_hours=percentile(hours, 50),
        p95_hours=percentile(hours, 95),
        longest_hours=percentile(hours, 100),
        by_deadline_percent=round(100 * defaults / len(hours), 1) if hours else None,
        breaches=tuple(breaches),
    )


FIGURE_COLUMNS = (
    "number", "deadline_at", "notice__reference", "notice__received_at", "notice__confirmed_at",
    "hold__effective_at", "hold__latched_at",
)  # fmt: skip


def _automated(at: datetime) -> Sequence[bool]:
    recent = Decision.objects.filter(outcome=ClaimState.UPHELD, at__gte=at - timedelta(days=DAYS)).exclude(
        claim__notice__channel=Channel.DRILL
    )
    return list(recent.order_by("-pk").values_list("automated", flat=True)[:COUNTED])


def _is_late(row: dict[str, Any], hidden: datetime) -> bool:
    """Later than promised, to somebody who had confirmed the mailbox in time."""
    confirmed: datetime | None = row["notice__confirmed_at"]
    return confirmed is not None and confirmed < row["deadline_at"] < hidden


def percentile(values: Sequence[float], share: int) -> float | None:
    """The smallest value that at least `share` percent do not exceed, to the tenth of an hour."""
    if not values:
        return None
    ordered = sorted(values)
    return round(ordered[ceil(len(ordered) * share / 100) - 1], 1)


def heads(*, at: datetime, days: int = 30) -> list[DailyHead]:
    """The last entry of each of the last days that had one, newest first."""
    recent = LedgerEntry.objects.filter(at__gte=at - timedelta(days=days))
    last = recent.order_by().annotate(day=TruncDate("at")).values("day").annotate(last=Max("seq"))
    numbers = [row["last"] for row in last]
    rows = LedgerEntry.objects.filter(seq__in=numbers).order_by("-seq")
    return [DailyHead(entry.at.date(), entry.seq, entry.hash) for entry in rows]

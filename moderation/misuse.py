"""Whoever often sends manifestly unfounded notices is warned, then suspended (DSA art. 23).

Counted are claims that two moderators refused as manifestly unfounded, sent from a mailbox that was
confirmed: nobody can bring another person's address into disrepute. Suspended means that nothing happens
by itself any more: each notice is still received, answered and read by a person, on the same clock.
What was promised before stays promised.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from moderation import ledger, letters
from moderation.desk_models import Measure, MeasureKind
from moderation.models import OPEN_STATES, Claim, ClaimState, Decision, LetterKind, Notice, ReasonCode

if TYPE_CHECKING:
    from accounts.models import User

COUNTED = timedelta(days=365)
SUSPENDED_FOR = timedelta(days=180)
WARN_AT = 3
# So many more after the warning. Of all that was decided at least this share has to be unfounded.
SUSPEND_AFTER = 3
SHARE = 0.5
DECIDED = (
    ClaimState.UPHELD, ClaimState.REFUSED, ClaimState.REDUCED, ClaimState.ERASED, ClaimState.COUNTERED,
    ClaimState.REINSTATED,
)  # fmt: skip


class NotLifted(ValueError):
    """The measure stays; the message says why."""


@dataclass(frozen=True, slots=True)
class Record:
    """How a mailbox's claims of the last year ended, and what stands against it."""

    claims: int = 0
    decided: int = 0
    refused: int = 0
    unfounded: int = 0
    measure: Measure | None = None

    @property
    def suspended_until(self) -> datetime | None:
        suspended = self.measure and self.measure.kind == MeasureKind.SUSPENDED
        return self.measure.until if self.measure and suspended else None

    @property
    def worth_showing(self) -> bool:
        """Whether there is anything its sender should know."""
        return bool(self.unfounded or self.measure)


# --- asking -----------------------------------------------------------------------------------


def record_of(mailbox: str, *, at: datetime) -> Record:
    """What is known of a confirmed mailbox at this moment; nothing for none."""
    if not mailbox:
        return Record()
    counted = _claims_of(mailbox, notice__received_at__gte=at - COUNTED).aggregate(
        claims=Count("pk"),
        decided=Count("pk", filter=Q(state__in=DECIDED)),
        refused=Count("pk", filter=Q(state=ClaimState.REFUSED)),
    )
    unfounded = _unfounded(mailbox, since=at - COUNTED)
    return Record(**counted, unfounded=unfounded, measure=standing(mailbox, at=at))


def standing(mailbox: str, *, at: datetime) -> Measure | None:
    """The measure in force against a mailbox; of a warning and a suspension the suspension."""
    rows = Measure.objects.filter(mailbox=mailbox.casefold(), until__gt=at, lifted_at__isnull=True)
    suspended = rows.filter(kind=MeasureKind.SUSPENDED).first()
    return suspended or rows.first()


def suspended_until(mailbox: str, *, at: datetime) -> datetime | None:
    """Until when nothing happens by itself at this mailbox's word; None when it is not suspended."""
    measure = standing(mailbox, at=at) if mailbox else None
    return measure.until if measure and measure.kind == MeasureKind.SUSPENDED else None


def _claims_of(mailbox: str, **more: Any) -> QuerySet[Claim]:
    """The claims of its confirmed notices. Nothing is asked of their states, so that no others are read."""
    return Claim.objects.filter(notice__email__mailbox=mailbox, notice__confirmed_at__isnull=False, **more)


def _unfounded(mailbox: str, *, since: datetime) -> int:
    """How many claims stand refused as manifestly unfounded, decided since."""
    last = Decision.objects.filter(outcome=ClaimState.REFUSED, reason_code=ReasonCode.ABUSE, at__gt=since)
    such = Q(Exists(last.filter(claim=OuterRef("pk"))), state=ClaimState.REFUSED)
    return int(_claims_of(mailbox).aggregate(found=Count("pk", filter=such))["found"])


# --- measures ---------------------------------------------------------------------------------


def weigh(*, notice: Notice, at: datetime) -> Measure | None:
    """After a refusal as unfounded, in its transaction: warn or suspend the mailbox when it is due."""
    if not notice.email or notice.confirmed_at is None:
        return None
    known = record_of(notice.email, at=at)
    if known.unfounded < WARN_AT or known.unfounded < SHARE * known.decided:
        return None
    if known.measure is None:
        return _impose(MeasureKind.WARNED, notice, known, until=at + COUNTED, at=at)
    if known.measure.kind == MeasureKind.SUSPENDED:
        return None
    since = _unfounded(notice.email, since=known.measure.at)
    if since < SUSPEND_AFTER:
        return None
    return _impose(MeasureKind.SUSPENDED, notice, known, until=at + SUSPENDED_FOR, at=at)


def _impose(kind: MeasureKind, notice: Notice, known: Record, *, until: datetime, at: datetime) -> Measure:
    measure = Measure.objects.create(
        mailbox=notice.email.casefold(), kind=kind, notice=notice, at=at, until=until,
        unfounded=known.unfounded, decided=known.decided,
    )  # fmt: skip
    ledger.append(kind=kind.value, payload=_facts(measure), at=at)
    told = {"unfounded": measure.unfounded, "decided": measure.decided, "until": until.date().isoformat()}
    letters.owe(kind=LetterKind(kind.value), notice=notice, at=at, context=told, key=f"measure:{measure.pk}")
    return measure


def _facts(measure: Measure) -> dict[str, Any]:
    """What the ledger says of it: whose it is stands in the notice, not here."""
    return {
        "reference": measure.notice.reference,
        "until": ledger.moment(measure.until),
        "unfounded": measure.unfounded,
        "decided": measure.decided,
    }


@transaction.atomic
def lift(*, measure_id: int, by: User, reason: str, at: datetime) -> Measure:
    """A person takes a measure back, and says why. What waits of this mailbox gets the lane it would have had."""
    from moderation import receive

    measure = Measure.objects.select_for_update().select_related("notice").get(pk=measure_id)
    if not reason.strip():
        raise NotLifted("Say why: the reason stays with the record.")
    if measure.lifted_at is not None or measure.until <= at:
        raise NotLifted("This measure does not stand any more.")
    measure.lifted_at, measure.lifted_by, measure.lifted_reason = at, by, reason.strip()
    measure.save(update_fields=["lifted_at", "lifted_by", "lifted_reason"])
    ledger.append(kind="lifted", payload=_facts(measure) | {"measure": measure.kind}, at=at)
    letters.owe(kind=LetterKind.LIFTED, notice=measure.notice, at=at, key=f"lifted:{measure.pk}")
    waiting = Notice.objects.filter(
        email__mailbox=measure.mailbox, closed_at__isnull=True, claims__state__in=OPEN_STATES
    )
    for notice in waiting.distinct().order_by("pk"):
        receive.reassess(notice=notice, at=at)
    return measure


# --- after a restore --------------------------------------------------------------------------


def replay(kind: str, payload: Mapping[str, Any], at: datetime) -> int:
    """Impose again what the copy lacks, where it still knows whose notice led to it."""
    notice = Notice.objects.filter(reference=payload["reference"]).exclude(email="").first()
    if notice is None:
        return 0
    Measure.objects.get_or_create(
        notice=notice, kind=kind, at=at,
        defaults={
            "mailbox": notice.email.casefold(), "until": datetime.fromisoformat(payload["until"]),
            "unfounded": payload["unfounded"], "decided": payload["decided"],
        },
    )  # fmt: skip
    return 1


def replay_lift(payload: Mapping[str, Any], at: datetime) -> int:
    """A lifted measure ends where it was lifted; who did it and why was in the database alone."""
    rows = Measure.objects.filter(
        notice__reference=payload["reference"], kind=payload["measure"], lifted_at__isnull=True
    )
    return rows.update(until=at)

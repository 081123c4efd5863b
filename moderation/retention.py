"""How long we know who asked. After a case has ended and can no longer be complained of, nothing personal stays.

What stays: reference, dates, which articles, what was decided. The ledger has never had anything personal.
What moderators wrote (decisions, events) is history and cannot be changed; they are told to name nobody in it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q, QuerySet

from moderation.desk_models import Complaint, Measure
from moderation.models import CounterNotice, DomainProof, IncomingMail, Letter, Notice, NoticeLine
from moderation.owner_models import ApiKey
from moderation.receive import STANDING_PROOF_DAYS

logger = logging.getLogger(__name__)

# Model, the way from it to its notice, and what of it is personal.
PERSONAL: tuple[tuple[type[models.Model], str, tuple[str, ...]], ...] = (
    (
        Notice, "pk",
        ("name", "email", "organisation", "address", "phone", "role", "rights_holder", "work", "original_urls",
         "explanation", "signature", "letter", "raw", "message_id", "proofs"),
    ),
    (NoticeLine, "notice", ("text", "note")),
    (IncomingMail, "notice", ("sender", "subject", "text", "message_id")),
    (Letter, "notice", ("to", "context", "last_error")),
    (Complaint, "claim__notice", ("text",)),
    (CounterNotice, "claim__notice", ("name", "email", "address", "phone", "statement", "signature")),
)  # fmt: skip


LOOSE_MAIL = {"sender": "", "subject": "", "text": "", "message_id": ""}


class NotForgotten(RuntimeError):
    """Something personal is still there after a purge."""


# --- forgetting -------------------------------------------------------------------------------


def due(at: datetime) -> QuerySet[Notice]:
    """Cases that ended so long ago that nobody needs to know any more who asked."""
    old = at - timedelta(days=settings.NOTICE_KEPT_DAYS)
    return Notice.objects.filter(closed_at__lte=old, forgotten_at__isnull=True).order_by("closed_at")


def forget_due(limit: int, at: datetime) -> int:
    """Forget who asked, in at most `limit` cases; returns in how many."""
    _forget_loose(at)
    done = 0
    for pk in list(due(at).values_list("pk", flat=True)[:limit]):
        done += forget(notice_id=pk, at=at)
    if done:
        logger.info("forgot the claimants of %s closed cases", done)
    return done


def _forget_loose(at: datetime) -> None:
    """Mailboxes that stand beside any case: of mails that were none, and of keys that open nothing any more.

    A key that still opens something keeps its mailbox: answers to what it sends go there.
    """
    old = at - timedelta(days=settings.NOTICE_KEPT_DAYS)
    IncomingMail.objects.filter(notice__isnull=True, received_at__lte=old).exclude(
        sender="", subject="", text="", message_id=""
    ).update(**LOOSE_MAIL)
    dead = Q(revoked_at__lte=old) | Q(created_at__lte=old - timedelta(days=STANDING_PROOF_DAYS))
    ApiKey.objects.filter(dead).exclude(email="").update(email="")
    Measure.objects.filter(until__lte=old).exclude(mailbox="").update(mailbox="")


@transaction.atomic
def forget(*, notice_id: int, at: datetime) -> bool:
    """Empty every personal column of one closed case. False when it was opened again meanwhile.

    Looks afterwards at what is stored and raises NotForgotten, undoing all, when anything is left.
    """
    notice = Notice.objects.select_for_update().get(pk=notice_id)
    if notice.closed_at is None:
        return False
    for model, way, columns in PERSONAL:
        rows = model._default_manager.filter(**{way: notice.pk})
        rows.update(**{name: _nothing(model, name) for name in columns})
    # Nobody answers to a letter that was not sent by now.
    Letter.objects.filter(notice=notice, sent_at__isnull=True).update(due_at=None)
    DomainProof.objects.filter(notice=notice).delete()
    Notice.objects.filter(pk=notice.pk).update(forgotten_at=at)
    if left := list(left_of(notice)):
        raise NotForgotten(f"{notice.reference}: {', '.join(left)}")
    return True


def left_of(notice: Notice) -> Iterator[str]:
    """Every personal column of a case in which something stands."""
    for model, way, columns in PERSONAL:
        rows = list(model._default_manager.filter(**{way: notice.pk}).values(*columns))
        for name in columns:
            if any(row[name] not in ("", None, [], {}) for row in rows):
                yield f"{model._meta.label}.{name}"
    if DomainProof.objects.filter(notice=notice).exists():
        yield DomainProof._meta.label


def _nothing(model: type[models.Model], name: str) -> Any:
    field = model._meta.get_field(name)
    if isinstance(field, models.JSONField):
        return field.get_default()
    return None if isinstance(field, models.BinaryField) else ""


# --- at a person's word -----------------------------------------------------------------------


def cases_of(email: str) -> QuerySet[Notice]:
    """The cases in which this mailbox asked or answered."""
    asked = Q(email__mailbox=email)
    answered = Q(claims__counter_notices__email__mailbox=email) | Q(letters__to__mailbox=email)
    return Notice.objects.filter(asked | answered).distinct().order_by("pk")


def erase_claimant(*, email: str, at: datetime) -> tuple[int, list[str]]:
    """Forget a mailbox in every closed case; returns in how many, and the references of those still open."""
    forgotten, still_open = 0, []
    for pk, reference in list(cases_of(email).values_list("pk", "reference")):
        if forget(notice_id=pk, at=at):
            forgotten += 1
        else:
            still_open.append(reference)
    IncomingMail.objects.filter(notice__isnull=True, sender__iexact=email).update(**LOOSE_MAIL)
    # A key without a mailbox could not be answered, so it ends with it.
    keys = ApiKey.objects.filter(email__mailbox=email)
    keys.filter(revoked_at__isnull=True).update(revoked_at=at)
    keys.update(email="")
    return forgotten, still_open


def export_claimant(email: str) -> dict[str, Any]:
    """Everything kept of a mailbox, ready for JSON: what it sent, what we wrote, what was decided."""
    mails = IncomingMail.objects.filter(notice__isnull=True, sender__iexact=email)
    keys = ApiKey.objects.filter(email__mailbox=email)
    return {
        "email": email,
        "cases": [_case(one, email) for one in cases_of(email).filter(email__mailbox=email)],
        "answers": [_answers(one, email) for one in cases_of(email).exclude(email__mailbox=email)],
        "mails": _values(mails),
        "keys": _values(keys, without=("key_hash",)),
        "measures": _values(Measure.objects.filter(mailbox=email.casefold()), without=("lifted_by_id",)),
    }


def _answers(notice: Notice, email: str) -> dict[str, Any]:
    """What a mailbox said in somebody else's case; nothing of who asked for the removal."""
    own = CounterNotice.objects.filter(claim__notice=notice, email__mailbox=email)
    return {
        "reference": notice.reference,
        "counter_notices": _values(own, without=("digest",)),
        "letters": _letters(notice, email),
    }


def _letters(notice: Notice, email: str) -> list[dict[str, Any]]:
    rows = notice.letters.filter(to__mailbox=email)
    return [dict(row) for row in rows.values("created_at", "sent_at", "kind", "to", "language", "context")]


def _case(notice: Notice, email: str) -> dict[str, Any]:
    case = _values(Notice.objects.filter(pk=notice.pk), without=("secret_hash", "intake_key"))[0]
    claims = [
        {
            "number": claim.number,
            "article": settings.SITE_URL + claim.article.get_absolute_url(),
            "state": claim.state,
            "decisions": list(claim.decisions.values("at", "outcome", "reason_code", "reasons", "automated")),
            "counter_notices": _values(claim.counter_notices.in_force(), without=("digest",)),
            "complaints": list(
                claim.complaints.filter(answer=None).values(
                    "received_at", "text", "decided_at", "granted", "reasons"
                )
            ),
        }
        for claim in notice.claims.select_related("article").order_by("number")
    ]
    return case | {
        "lines": list(notice.lines.values("position", "text", "verdict", "note")),
        "claims": claims,
        "letters": _letters(notice, email),
        "mails": _values(notice.mails.all()),
        "proofs_of_domains": _values(notice.domain_proofs.all(), without=("token",)),
        "events": list(notice.events.values("at", "kind", "note")),
    }


def _values(rows: QuerySet[Any], without: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    names = [field.attname for field in rows.model._meta.concrete_fields if field.attname not in without]
    return [{name: _readable(value) for name, value in row.items()} for row in rows.values(*names)]


def _readable(value: Any) -> Any:
    return bytes(value).decode("utf-8", "replace") if isinstance(value, bytes | memoryview) else value

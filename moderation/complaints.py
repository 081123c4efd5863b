"""Complaints against a decision, within six months, decided by somebody who did not decide before (DSA art. 20).

A claimant complains of what stays; whoever a removal touches objects to what went.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction

from moderation import actions, ledger, letters
from moderation.actions import NotAllowed
from moderation.desk_models import Complaint
from moderation.models import Claim, ClaimEvent, ClaimState, CounterNotice, Ground, LetterKind

if TYPE_CHECKING:
    from accounts.models import User

# The longest six months there are, so that nobody is cut off a day early.
WITHIN = timedelta(days=184)
AGAINST = (ClaimState.REFUSED, ClaimState.REDUCED)
OBJECTED_TO = (ClaimState.UPHELD, ClaimState.ERASED)
LONGEST = 20_000


def may_complain(claim: Claim, at: datetime) -> bool:
    """Whether its claimant can still complain of how this claim was decided."""
    return claim.state in AGAINST and claim.decided_at is not None and at <= claim.decided_at + WITHIN


def may_object(claim: Claim, at: datetime) -> bool:
    """Whether somebody affected can still object to the removal."""
    return claim.state in OBJECTED_TO and claim.decided_at is not None and at <= claim.decided_at + WITHIN


@transaction.atomic
def complain(*, claim_id: int, text: str, at: datetime) -> Complaint:
    """Write a complaint down and owe its receipt. Said twice before it is decided, it is one complaint."""
    claim: Claim = Claim.objects.select_for_update().get(pk=claim_id)
    text = text.replace("\0", "").strip()
    if not text:
        raise NotAllowed("Say why the decision is wrong.")
    if not may_complain(claim, at):
        raise NotAllowed("Only a refusal or a removal in part can be complained of, within six months.")
    waiting = claim.complaints.filter(decided_at=None, answer=None).first()
    if waiting is not None:
        if text not in waiting.text:
            waiting.text = f"{waiting.text}\n\n{text}"[:LONGEST]
            waiting.save(update_fields=["text"])
        return waiting
    complaint = Complaint.objects.create(claim=claim, received_at=at, text=text[:LONGEST])
    _note(claim, at=at, by=None, note="The claimant complained of the decision.")
    letters.owe(
        kind=LetterKind.COMPLAINT, notice=claim.notice, claim=claim, at=at, key=f"complaint:{complaint.pk}"
    )
    actions.close_or_open(claim.notice, at)
    return complaint


@transaction.atomic
def object_to(*, answer_id: int, at: datetime) -> Complaint:
    """The mailbox of somebody affected confirmed its objection, which now waits for a person; twice is once.

    The first one puts the erasure off for as long as an undisputed removal waits for it. Privacy does not wait.
    """
    claim_id = CounterNotice.objects.values_list("claim_id", flat=True).get(pk=answer_id)
    claim: Claim = Claim.objects.select_for_update().get(pk=claim_id)
    answer = CounterNotice.objects.get(pk=answer_id)
    if known := Complaint.objects.filter(answer=answer).first():
        return known
    if not may_object(claim, at):
        raise NotAllowed("This removal can no longer be objected to.")
    first = not claim.complaints.filter(answer__isnull=False).exists()
    if first and claim.due_at is not None and claim.notice.ground != Ground.PRIVACY:
        claim.due_at = max(claim.due_at, at + actions.ERASE_AFTER)
        claim.save(update_fields=["due_at"])
    answer.confirmed_at = at
    answer.save(update_fields=["confirmed_at"])
    complaint = Complaint.objects.create(claim=claim, answer=answer, received_at=at, text=answer.statement)
    _note(claim, at=at, by=None, note="Somebody affected objected to the removal.")
    letters.owe_answerer(kind=LetterKind.ANSWERED, answer=answer, at=at, context={"objection": True})
    actions.close_or_open(claim.notice, at)
    return complaint


@transaction.atomic
def dismiss(*, claim_id: int, by: User, reasons: str, at: datetime, version: int | None = None) -> Complaint:
    """The decision stands. Said by a person who had no part in it, with reasons that whoever complained reads."""
    claim = actions.locked_for(claim_id=claim_id, by=by, at=at, version=version)
    complaint = claim.complaints.filter(decided_at=None).order_by("received_at", "pk").first()
    if complaint is None:
        raise NotAllowed(f"No complaint about {claim} waits for a decision.")
    actions.refuse_the_same_person(claim, by)
    if not reasons.strip():
        raise NotAllowed("A dismissal needs reasons in words: whoever complained will read them.")
    complaint.decided_at, complaint.decided_by, complaint.granted = at, by, False
    complaint.reasons = reasons.strip()
    complaint.save(update_fields=["decided_at", "decided_by", "granted", "reasons"])
    claim.version += 1
    claim.reviewer = claim.reviewer_until = None
    claim.save(update_fields=["version", "reviewer", "reviewer_until"])
    _note(claim, at=at, by=by, note="The complaint was dismissed; the decision stands.")
    ledger.append(kind="complaint_dismissed", payload=ledger.facts(claim, None), at=at)
    _tell(claim, complaint, at)
    actions.close_or_open(claim.notice, at)
    return complaint


def _tell(claim: Claim, complaint: Complaint, at: datetime) -> None:
    context: dict[str, Any] = {"reasons": complaint.reasons}
    if complaint.answer is None:
        key = f"dismissed:{complaint.pk}"
        letters.owe(
            kind=LetterKind.DISMISSED, notice=claim.notice, claim=claim, at=at, key=key, context=context
        )
    else:
        context |= {"shown": False, "objection": True}
        letters.owe_answerer(kind=LetterKind.SETTLED, answer=complaint.answer, at=at, context=context)


def _note(claim: Claim, *, at: datetime, by: User | None, note: str) -> None:
    ClaimEvent.objects.create(claim=claim, before=claim.state, after=claim.state, by=by, at=at, note=note)

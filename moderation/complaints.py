"""Complaints against a decision, within six months, decided by somebody who did not decide before (DSA art. 20)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction

from moderation import actions, ledger, letters
from moderation.actions import NotAllowed
from moderation.desk_models import Complaint
from moderation.models import Claim, ClaimEvent, ClaimState, LetterKind

if TYPE_CHECKING:
    from accounts.models import User

# The longest six months there are, so that nobody is cut off a day early.
WITHIN = timedelta(days=184)
AGAINST = (ClaimState.REFUSED, ClaimState.REDUCED)
LONGEST = 20_000


def may_complain(claim: Claim, at: datetime) -> bool:
    """Whether its claimant can still complain of how this claim was decided."""
    return claim.state in AGAINST and claim.decided_at is not None and at <= claim.decided_at + WITHIN


@transaction.atomic
def complain(*, claim_id: int, text: str, at: datetime) -> Complaint:
    """Write a complaint down and owe its receipt. Said twice before it is decided, it is one complaint."""
    claim: Claim = Claim.objects.select_for_update().get(pk=claim_id)
    text = text.replace("\0", "").strip()
    if not text:
        raise NotAllowed("Say why the decision is wrong.")
    if not may_complain(claim, at):
        raise NotAllowed("Only a refusal or a removal in part can be complained of, within six months.")
    waiting = claim.complaints.filter(decided_at__isnull=True).first()
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
def dismiss(*, claim_id: int, by: User, reasons: str, at: datetime, version: int | None = None) -> Complaint:
    """The decision stands. Said by a person who had no part in it, with reasons the claimant reads."""
    claim = actions.locked_for(claim_id=claim_id, by=by, at=at, version=version)
    complaint = claim.complaints.filter(decided_at__isnull=True).first()
    if complaint is None:
        raise NotAllowed(f"No complaint about {claim} waits for a decision.")
    actions.refuse_the_same_person(claim, by)
    if not reasons.strip():
        raise NotAllowed("A dismissal needs reasons in words: the claimant will read them.")
    complaint.decided_at, complaint.decided_by, complaint.granted = at, by, False
    complaint.reasons = reasons.strip()
    complaint.save(update_fields=["decided_at", "decided_by", "granted", "reasons"])
    claim.version += 1
    claim.reviewer = claim.reviewer_until = None
    claim.save(update_fields=["version", "reviewer", "reviewer_until"])
    _note(claim, at=at, by=by, note="The complaint was dismissed; the decision stands.")
    ledger.append(kind="complaint_dismissed", payload=ledger.facts(claim, None), at=at)
    letters.owe(
        kind=LetterKind.DISMISSED, notice=claim.notice, claim=claim, at=at, key=f"dismissed:{complaint.pk}",
        context={"reasons": complaint.reasons},
    )  # fmt: skip
    actions.close_or_open(claim.notice, at)
    return complaint


def _note(claim: Claim, *, at: datetime, by: User | None, note: str) -> None:
    ClaimEvent.objects.create(claim=claim, before=claim.state, after=claim.state, by=by, at=at, note=note)

"""Every decision on a claim. Keyword-only verbs, each in one transaction under the claim's lock."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_noop

from accounts.models import User
from articles import actions as articles
from articles import cuts, illustrations
from articles.leases import back_off
from articles.models import Article, CutKind, Hold, HoldKind
from articles.sealing import is_sealed
from moderation import escrow, ledger, letters, misuse, probes
from moderation.calendar import reinstatement_window, start_of
from moderation.models import (
    MOVES,
    OPEN_STATES,
    Claim,
    ClaimEvent,
    ClaimState,
    CounterNotice,
    Decision,
    Ground,
    LetterKind,
    Notice,
    ReasonCode,
    RefusalProposal,
)

logger = logging.getLogger(__name__)

S = ClaimState
TAKEN_FOR = timedelta(minutes=10)
ERASE_AFTER = timedelta(days=14)
HOLD_AFTER = timedelta(hours=settings.HOLD_AFTER_HOURS)
BEFORE_DEADLINE = timedelta(hours=settings.PROMISE_HOURS) - HOLD_AFTER
# The last minute belongs to the deadline: a refusal that commits while the hold comes into effect
# would hide the article and show it again.
LAST_MINUTE = timedelta(minutes=1)
LEASE_SECONDS = 120
# How long what fell due is left to the worker before a reader's request does it.
LEFT_TO_THE_WORKER = timedelta(minutes=10)
LIFTED = (S.REFUSED, S.WITHDRAWN, S.REINSTATED, S.REDUCED)
ENDED = (*LIFTED, S.ERASED)
LETTERS = {
    S.UPHELD: LetterKind.REMOVED,
    S.REFUSED: LetterKind.REFUSED,
    S.WITHDRAWN: LetterKind.WITHDRAWN,
    S.COUNTERED: LetterKind.COUNTERED,
    S.REINSTATED: LetterKind.REINSTATED,
    S.ERASED: LetterKind.ERASED,
    S.REDUCED: LetterKind.REDUCED,
}
REFUSAL_REASONS = (
    ReasonCode.LICENSED,
    ReasonCode.NOT_THE_OWNER,
    ReasonCode.NOT_PROTECTED,
    ReasonCode.EXCEPTION,
    ReasonCode.OTHER_WORK,
    ReasonCode.ABUSE,
)


class NotAllowed(Exception):
    """The move is not allowed as things stand; the message says why."""


# --- holds ------------------------------------------------------------------------------------


def _place(claim: Claim, *, effective_at: datetime, at: datetime, by: User | None, note: str = "") -> None:
    claim.hold = articles.place_hold(
        article=claim.article,
        kind=HoldKind.LEGAL,
        reference=claim.reference,
        effective_at=effective_at,
        at=at,
        by=by,
        note=note or gettext_noop("Withheld at the request of its owner."),
    )


def _withhold_now(claim: Claim, *, at: datetime, by: User | None) -> None:
    """In effect when this commits, whatever this machine's clock says: the hold is latched at once."""
    _place(claim, effective_at=at, at=at, by=by)
    Hold.objects.filter(pk=_hold(claim).pk, latched_at__isnull=True).update(latched_at=Now())


def _hold(claim: Claim) -> Hold:
    if claim.hold is None:
        raise NotAllowed(f"Claim {claim} has no hold.")
    return claim.hold


def _release(claim: Claim, *, at: datetime, by: User | None) -> None:
    try:
        escrow.unseal(article=claim.article, without=claim)
        _mend(claim, at)
    except escrow.CannotOpen as error:
        raise NotAllowed(str(error)) from error
    if claim.hold is not None:
        articles.release_hold(hold=claim.hold, at=at, by=by)
    claim.hold = None
    claim.due_at = None
    probes.forget(claim)


def _mend(claim: Claim, at: datetime) -> None:
    """What was removed of an article that else stood is put back."""
    part = cuts.standing_on(claim.article).filter(reference=claim.reference).first()
    destroyed = not escrow.has_part(claim)
    # When everything was withheld after all, the destroyed part stays away and the rest comes back.
    if part is None or (destroyed and claim.state != S.REDUCED):
        return
    _refuse_if_sealed(claim)
    try:
        cuts.mend(cut=part, content=escrow.take_part(claim=claim), at=at)
    except IntegrityError as error:
        raise NotAllowed(
            "Another claim keeps the same text out; this part can wait until that is decided."
        ) from error


def _refuse_if_sealed(claim: Claim) -> None:
    article = Article.objects.get(pk=claim.article_id)
    if is_sealed(article):
        raise NotAllowed(
            "Another claim withholds the whole article; its parts can wait until that is decided."
        )


# --- deciding ---------------------------------------------------------------------------------


@transaction.atomic
def take(*, claim_id: int, by: User, at: datetime) -> Claim:
    """Keep a claim for one moderator for ten minutes, so that two never decide the same."""
    claim = _locked(claim_id)
    _refuse_unless_free(claim, by, at)
    complained = claim.complaints.filter(decided_at__isnull=True).exists()
    if claim.state not in (*OPEN_STATES, S.COUNTERED) and not complained:
        raise NotAllowed(f"Claim {claim} is {claim.get_state_display().lower()}; there is nothing to decide.")
    claim.reviewer, claim.reviewer_until = by, at + TAKEN_FOR
    claim.save(update_fields=["reviewer", "reviewer_until"])
    if claim.state == S.RECEIVED:
        _move(claim, S.UNDER_REVIEW, by=by, at=at)
    return claim


@transaction.atomic
def uphold(
    *,
    claim_id: int,
    at: datetime,
    by: User | None,
    reasons: str = "",
    reason_code: ReasonCode = ReasonCode.OWNER_ASKED,
    version: int | None = None,
) -> Claim:
    """Withhold the article now, not at the deadline, and owe the claimant a letter."""
    claim = _open(claim_id, by=by, at=at, version=version)
    if claim.state in (S.REFUSED, S.REDUCED):
        refuse_the_same_person(claim, by)
    _allow(claim, S.UPHELD)
    _withhold_now(claim, at=at, by=by)
    return _uphold(claim, at=at, by=by, reason_code=reason_code, reasons=reasons)


def _uphold(
    claim: Claim, *, at: datetime, by: User | None, reason_code: str, reasons: str, automated: bool = False
) -> Claim:
    RefusalProposal.objects.filter(claim=claim).delete()
    claim.complaints.filter(decided_at=None, answer=None).update(
        decided_at=at, decided_by=by, granted=True, reasons=reasons
    )
    claim.due_at = at if claim.notice.ground == Ground.PRIVACY else at + ERASE_AFTER
    _plan_proof(claim, at)
    if claim.state == S.COUNTERED:
        _tell_answerer(claim, at=at, shown=False, reasons=reasons)
    else:
        letters.tell_author(claim=claim, at=at, automated=automated)
    _move(claim, S.UPHELD, by=by, at=at, note=reasons)
    _decided(claim, by=by, at=at, automated=automated, reason_code=reason_code, reasons=reasons)
    _seal(claim, at)
    return claim


def _plan_proof(claim: Claim, at: datetime) -> None:
    """Note where the article stands. A surface that cannot say so must not keep the article up."""
    try:
        with transaction.atomic():
            probes.remember(claim, at=at)
    except Exception:
        logger.exception("claim %s: where the article stands could not be noted", claim)


def _plan_proof_of_part(claim: Claim, proposal: RefusalProposal, at: datetime) -> None:
    try:
        with transaction.atomic():
            probes.remember_part(claim, kind=CutKind(proposal.part), name_key=proposal.name_key, at=at)
    except Exception:
        logger.exception("claim %s: where the part stands could not be noted", claim)


def _seal(claim: Claim, at: datetime) -> None:
    """Out of its rows and under a key. Withheld it is in any case; the worker tries again."""
    try:
        escrow.seal(article=claim.article, at=at)
    except Exception:
        logger.exception("claim %s: its article could not be sealed yet", claim)


@transaction.atomic
def propose_refusal(
    *,
    claim_id: int,
    by: User,
    at: datetime,
    reason_code: ReasonCode | str,
    reasons: str,
    version: int | None = None,
    part: str = "",
    name: str = "",
) -> RefusalProposal:
    """Ask a second moderator to let the article stay. Until then nothing changes, and the deadline runs.

    With `part` (and `name`, when the part is one name) only that part goes and the rest stays.
    """
    claim = _open(claim_id, by=by, at=at, version=version)
    _refuse_unless_in_time(claim)
    name_key = _checked(claim, part, name) if part else ""
    reason_code = ReasonCode.PART_ONLY if part else reason_code
    if reason_code not in (*REFUSAL_REASONS, ReasonCode.PART_ONLY) or (
        reason_code == ReasonCode.PART_ONLY and not part
    ):
        raise NotAllowed("A refusal needs one of the reasons for which an article may stay.")
    if not reasons.strip():
        raise NotAllowed("A refusal needs reasons in words: the claimant will read them.")
    if RefusalProposal.objects.filter(claim=claim).exists():
        raise NotAllowed(f"A refusal of {claim} is already proposed; it waits for a second person.")
    if claim.state == S.RECEIVED:
        _move(claim, S.UNDER_REVIEW, by=by, at=at)
    _allow(claim, S.REDUCED if part else S.REFUSED)
    # Another person must be able to open it at once.
    claim.reviewer = claim.reviewer_until = None
    claim.version += 1
    claim.save(update_fields=["reviewer", "reviewer_until", "version"])
    return RefusalProposal.objects.create(
        claim=claim, by=by, at=at, reason_code=reason_code, reasons=reasons.strip(), part=part,
        name_key=name_key,
    )  # fmt: skip


def _checked(claim: Claim, part: str, name: str) -> str:
    """The key of the name that is to go; NotAllowed when the article has no such part."""
    article = claim.article
    if part not in CutKind.values:
        raise NotAllowed("There is no such part of an article.")
    _refuse_if_sealed(claim)
    if part == CutKind.PICTURE:
        return _checked_picture(article, name)
    if part != CutKind.NAME:
        return ""
    named = set(article.contributors.values_list("name", flat=True))
    if name not in named:
        raise NotAllowed("Name a person whom the article credits.")
    return cuts.key_of(name)


def _checked_picture(article: Article, token: str) -> str:
    """The digest of the picture that is meant, where there is more than one."""
    pictures = illustrations.pictures_of(article)
    if not pictures:
        raise NotAllowed("The article has no picture.")
    if len(pictures) == 1:
        return ""
    meant = next((media for media in pictures if media.token == token), None)
    if meant is None or not meant.sha256:
        raise NotAllowed("The article has several pictures: say which is to go.")
    return meant.sha256


@transaction.atomic
def second_refusal(*, claim_id: int, by: User, at: datetime, version: int | None = None) -> Claim:
    """Agree that the article stays. Only now is the hold released."""
    claim = _open(claim_id, by=by, at=at, version=version)
    _refuse_unless_in_time(claim)
    proposal = RefusalProposal.objects.filter(claim=claim).first()
    if proposal is None:
        raise NotAllowed(f"Nobody has proposed to refuse {claim}.")
    if proposal.by_id == by.pk:
        raise NotAllowed("A refusal needs a second person: you proposed it yourself.")
    to = S.REDUCED if proposal.part else S.REFUSED
    _allow(claim, to)
    _release(claim, at=at, by=by)
    more = _reduce(claim, proposal, at) if proposal.part else {}
    _move(
        claim, to, by=by, at=at, note=f"{proposal.get_part_display()}. {proposal.reasons}".removeprefix(". ")
    )
    _decided(
        claim, by=proposal.by, second=by, at=at, reason_code=proposal.reason_code, reasons=proposal.reasons,
        context=more,
    )  # fmt: skip
    if proposal.reason_code == ReasonCode.ABUSE:
        misuse.weigh(notice=claim.notice, at=at)
    proposal.delete()
    return claim


def _reduce(claim: Claim, proposal: RefusalProposal, at: datetime) -> dict[str, str]:
    """Take the part out and under seal; returns what letter and ledger say of it."""
    _refuse_if_sealed(claim)
    _plan_proof_of_part(claim, proposal, at)
    _, taken = cuts.cut(
        article=claim.article, kind=CutKind(proposal.part), reference=claim.reference, at=at,
        name_key=proposal.name_key,
    )  # fmt: skip
    escrow.keep_part(claim=claim, sealed=taken, at=at)
    claim.due_at = at if claim.notice.ground == Ground.PRIVACY else at + ERASE_AFTER
    return {"part": proposal.part, "name_key": proposal.name_key}


@transaction.atomic
def withdraw(
    *, claim_id: int, at: datetime, by: User | None = None, reasons: str = "", version: int | None = None
) -> Claim:
    """The claimant takes the claim back; the article shows again unless something else withholds it."""
    claim = _locked(claim_id)
    _refuse_if_changed(claim, version)
    _allow(claim, S.WITHDRAWN)
    RefusalProposal.objects.filter(claim=claim).delete()
    if claim.state == S.COUNTERED:
        _tell_answerer(claim, at=at, shown=True, withdrawn=True)
    _grant_objections(claim, at=at, by=by, withdrawn=True)
    _release(claim, at=at, by=by)
    _move(claim, S.WITHDRAWN, by=by, at=at, note=reasons)
    return _decided(claim, by=by, at=at, reason_code=ReasonCode.CLAIMANT_WITHDREW, reasons=reasons)


@transaction.atomic
def counter(
    *, claim_id: int, at: datetime, statement: Mapping[str, Any], by: User | None = None
) -> CounterNotice:
    """Record an affected party's counter-notice. The article stays withheld; the statutory clock begins.

    `statement` has the fields of CounterNotice. All three declarations of 17 U.S.C. 512(g)(3) are needed.
    """
    claim = _locked(claim_id)
    _allow(claim, S.COUNTERED)
    refuse_incomplete(statement)
    window = reinstatement_window(timezone.localdate(at))
    answer = CounterNotice.objects.create(
        claim=claim,
        received_at=at,
        confirmed_at=at,
        reinstate_not_before=window.not_before,
        reinstate_due_on=window.at_latest,
        **statement,
    )
    return _countered(claim, answer, at=at, by=by)


def refuse_incomplete(statement: Mapping[str, Any]) -> None:
    """NotAllowed when an element of 17 U.S.C. 512(g)(3) is missing."""
    declared = ("consents_to_court", "accepts_service", "under_penalty")
    if not all(statement.get(name) for name in (*declared, "signature", "statement")):
        raise NotAllowed("A counter-notice needs the statement, the three declarations and a signature.")


@transaction.atomic
def take_up(*, answer_id: int, at: datetime) -> CounterNotice:
    """Its mailbox answered, so a counter-notice takes effect; taken up twice it is taken up once.

    The claimant has the ten business days from now on, when told of it; the fourteen, by which the
    article is back, run from its arrival. Raises NotAllowed when the claim can no longer be answered.
    """
    claim = _locked(CounterNotice.objects.values_list("claim_id", flat=True).get(pk=answer_id))
    answer = CounterNotice.objects.get(pk=answer_id)
    if answer.confirmed_at is not None:
        return answer
    _allow(claim, S.COUNTERED)
    answer.confirmed_at = at
    answer.reinstate_not_before = reinstatement_window(timezone.localdate(at)).not_before
    answer.save(update_fields=["confirmed_at", "reinstate_not_before"])
    return _countered(claim, answer, at=at, by=None)


def _countered(claim: Claim, answer: CounterNotice, *, at: datetime, by: User | None) -> CounterNotice:
    first, last = answer.reinstate_not_before, answer.reinstate_due_on
    if first is None or last is None:
        raise NotAllowed("No clock runs for an objection.")
    claim.due_at = start_of(first)
    days = {"not_before": first.isoformat(), "at_latest": last.isoformat()}
    _move(claim, S.COUNTERED, by=by, at=at)
    _decided(claim, by=by, at=at, reason_code=ReasonCode.COUNTER_NOTICE, reasons="", context=days)
    letters.owe_answerer(kind=LetterKind.ANSWERED, answer=answer, at=at, context=days)
    return answer


@transaction.atomic
def reinstate(
    *, claim_id: int, at: datetime, by: User | None = None, reasons: str = "", version: int | None = None
) -> Claim:
    """Show an article again, byte for byte as it was: countered, not before the tenth business day.

    A removal that was objected to, or a removed part: at the word of somebody who did not decide before.
    """
    claim = _open(claim_id, by=by, at=at, version=version)
    _allow(claim, S.REINSTATED)
    code = ReasonCode.COUNTER_NOTICE if claim.state == S.COUNTERED else ReasonCode.OBJECTION
    if claim.state == S.COUNTERED:
        _refuse_too_early(claim, at)
    else:
        refuse_the_same_person(claim, by)
    if claim.state == S.UPHELD:
        _refuse_without_objection(claim, by, reasons)
    _grant_objections(claim, at=at, by=by, reasons=reasons)
    _release(claim, at=at, by=by)
    _move(claim, S.REINSTATED, by=by, at=at, note=reasons)
    _tell_answerer(claim, at=at, shown=True)
    return _decided(claim, by=by, at=at, reason_code=code, reasons=reasons)


def _refuse_too_early(claim: Claim, at: datetime) -> None:
    answer = claim.counter_notices.in_force().first()
    first = answer.reinstate_not_before if answer else None
    if first and timezone.localdate(at) < first:
        raise NotAllowed(f"{claim} may come back from {first:%d %B %Y} on.")


def _refuse_without_objection(claim: Claim, by: User | None, reasons: str) -> None:
    if by is None or not claim.complaints.filter(decided_at=None, answer__isnull=False).exists():
        raise NotAllowed(f"Nobody has objected to the removal of {claim}.")
    if not reasons.strip():
        raise NotAllowed("Showing it again needs reasons in words: the claimant will read them.")


def _grant_objections(
    claim: Claim, *, at: datetime, by: User | None, reasons: str = "", withdrawn: bool = False
) -> None:
    context = {"shown": True, "reasons": reasons, "withdrawn": withdrawn, "objection": True}
    for complaint in claim.complaints.filter(decided_at=None, answer__isnull=False).select_related("answer"):
        complaint.decided_at, complaint.decided_by = at, by
        complaint.granted, complaint.reasons = True, reasons
        complaint.save(update_fields=["decided_at", "decided_by", "granted", "reasons"])
        if complaint.answer is not None:
            letters.owe_answerer(kind=LetterKind.SETTLED, answer=complaint.answer, at=at, context=context)


def _tell_answerer(
    claim: Claim, *, at: datetime, shown: bool, reasons: str = "", withdrawn: bool = False
) -> None:
    answer = claim.counter_notices.in_force().first()
    if answer is not None:
        context = {"shown": shown, "reasons": reasons, "withdrawn": withdrawn}
        letters.owe_answerer(kind=LetterKind.SETTLED, answer=answer, at=at, context=context)


@transaction.atomic
def erase(*, claim_id: int, at: datetime, by: User | None = None, demanded: bool = False) -> Claim:
    """Destroy the article's content for good, once the window is over or when its owner demands it."""
    claim = _locked(claim_id)
    _allow(claim, S.ERASED)
    if not demanded and (claim.due_at is None or claim.due_at > at):
        when = f"from {claim.due_at:%d %B %Y} on" if claim.due_at else "when its owner demands it"
        raise NotAllowed(f"{claim} can still be answered; it may be erased {when}.")
    article = Article.objects.select_for_update().get(pk=claim.article_id)
    files = escrow.files_of(article)
    claim.due_at = None
    # First the ledger, then the deletion: a copy of the database from in between knows of both.
    _move(claim, S.ERASED, by=by, at=at)
    _decided(claim, by=by, at=at, reason_code=ReasonCode.OWNER_ASKED, reasons="")
    articles.erase(article=article, at=at)
    probes.forget_queries(article)
    escrow.end(article=article, at=at)
    try:
        escrow.delete_files(files)
    except escrow.NotDeleted as error:
        raise NotAllowed(f"{claim} is not erased yet: {error} It stays withheld; try again later.") from error
    return claim


def remove(*, reference: str, at: datetime) -> list[tuple[Claim, str]]:
    """The operator's decision: uphold every claim of a notice now. Returns each claim and what became of it.

    Raises Notice.DoesNotExist for a reference nobody was given.
    """
    notice = Notice.objects.get(reference=reference)
    outcomes = []
    for pk in notice.claims.order_by("number").values_list("pk", flat=True):
        try:
            claim = uphold(claim_id=pk, at=at, by=None, reasons="Decided by the operator.")
            outcomes.append((claim, "withheld now"))
        except NotAllowed:
            claim = Claim.objects.get(pk=pk)
            outcomes.append((claim, f"left as it is: {claim.get_state_display().lower()}"))
    return outcomes


# --- what falls due ---------------------------------------------------------------------------


def settle_overdue(limit: int, at: datetime) -> int:
    """Record as upheld what the deadline has already withheld. Bookkeeping: the hold stands without it."""
    return sum(_settle_one(pk, at) for pk in list(overdue().values_list("pk", flat=True)[:limit]))


def _settle_one(pk: int, at: datetime) -> bool:
    try:
        return settle(claim_id=pk, at=at)
    except Exception:
        logger.exception("claim %s: its deadline could not be written down; the hold stands all the same", pk)
        return False


def overdue() -> Any:
    """Open claims whose deadline withheld the article, by the database's clock."""
    return Claim.objects.open().filter(
        deadline_at__lte=Now() + BEFORE_DEADLINE, hold__in=Hold.objects.in_effect()
    )


@transaction.atomic
def settle(*, claim_id: int, at: datetime) -> bool:
    """Write down that the deadline decided; False when somebody else was faster."""
    claim = _locked(claim_id)
    if not overdue().filter(pk=claim.pk).exists():
        return False
    _withhold_now(claim, at=at, by=None)
    why = "Nobody decided in time, so the promise did."
    _uphold(claim, at=at, by=None, automated=True, reason_code=ReasonCode.OWNER_ASKED, reasons=why)
    return True


def erase_due(limit: int, at: datetime) -> int:
    """Erase what was upheld and can no longer be answered."""
    return _each_due(S.UPHELD, limit, at, lambda pk: erase(claim_id=pk, at=at))


def end_parts_due(limit: int, at: datetime) -> int:
    """Destroy the removed parts whose window is over; they stay away for good."""
    return _each_due(S.REDUCED, limit, at, lambda pk: end_part(claim_id=pk, at=at))


@transaction.atomic
def end_part(*, claim_id: int, at: datetime) -> None:
    """Nothing of the part can be put back from now on."""
    claim = _locked(claim_id)
    escrow.end_part(claim=claim, at=at)
    Claim.objects.filter(pk=claim.pk).update(due_at=None)


def reinstate_due(limit: int, at: datetime) -> int:
    """Show again what was countered and whose claimant went to no court."""
    return _each_due(S.COUNTERED, limit, at, lambda pk: reinstate(claim_id=pk, at=at))


def do_what_fell_due(*, article_id: int, at: datetime | None = None, **signal: Any) -> None:
    """Settle and erase for one article what no worker did: whoever asks for it is enough for deletion, too."""
    at = at or timezone.now()
    late = at - LEFT_TO_THE_WORKER
    waiting = Q(state__in=OPEN_STATES, deadline_at__lte=late) | Q(state=S.UPHELD, due_at__lte=late)
    for pk, state in list(
        Claim.objects.filter(waiting, article_id=article_id).values_list("pk", "state")[:5]
    ):
        if state == S.UPHELD:
            _do_due(pk, at, lambda pk: erase(claim_id=pk, at=at))
        else:
            _settle_one(pk, at)


def _each_due(state: ClaimState, limit: int, at: datetime, act: Callable[[int], object]) -> int:
    due = list(Claim.objects.claimable(at).filter(state=state).values_list("pk", flat=True)[:limit])
    return sum(_do_due(pk, at, act) for pk in due)


def _do_due(pk: int, at: datetime, act: Callable[[int], object]) -> int:
    token = Claim.objects.claim(pk, at=at, seconds=LEASE_SECONDS)
    if not token:
        return 0
    try:
        act(pk)
    except Exception:
        logger.exception("claim %s: what fell due could not be done; it is tried again", pk)
        attempts = Claim.objects.values_list("attempts", flat=True).get(pk=pk)
        Claim.objects.finish(pk, token, due_at=at + back_off(attempts))
        return 0
    Claim.objects.finish(pk, token, attempts=0)
    return 1


# --- after a restore --------------------------------------------------------------------------


def agree(*, claim_id: int, to: ClaimState, hold: Hold | None, at: datetime) -> None:
    """Bring a restored claim to the state its ledger has; letters were sent and entries written back then."""
    claim = _locked(claim_id)
    claim.hold = hold if to not in LIFTED else None
    if to == claim.state:
        claim.save(update_fields=["hold"])
    elif to in MOVES[ClaimState(claim.state)]:
        claim.due_at = at + ERASE_AFTER if to == S.UPHELD else None
        _move(claim, to, by=None, at=at, note="Brought up to the ledger after a restore.")
    close_or_open(claim.notice, at)


# --- the state --------------------------------------------------------------------------------


def _locked(claim_id: int) -> Claim:
    """The claim as it is now; nobody else can change it until this transaction ends."""
    claim: Claim = Claim.objects.select_for_update().get(pk=claim_id)
    return claim


def locked_for(*, claim_id: int, by: User, at: datetime, version: int | None) -> Claim:
    """The claim under its lock, as this person saw it and while nobody else has it."""
    return _open(claim_id, by=by, at=at, version=version)


def _open(claim_id: int, *, by: User | None, at: datetime, version: int | None) -> Claim:
    claim = _locked(claim_id)
    _refuse_if_changed(claim, version)
    if by is not None:
        _refuse_unless_free(claim, by, at)
    return claim


def _refuse_if_changed(claim: Claim, version: int | None) -> None:
    if version is not None and version != claim.version:
        state = claim.get_state_display().lower()
        raise NotAllowed(f"{claim} was changed since you opened it and is now {state}. Please look again.")


def _refuse_unless_free(claim: Claim, by: User, at: datetime) -> None:
    if claim.reviewer_id not in (None, by.pk) and claim.reviewer_until and claim.reviewer_until > at:
        raise NotAllowed(f"{claim.reviewer} has {claim} until {claim.reviewer_until:%H:%M} UTC.")


def in_time(claim: Claim) -> bool:
    """False once the deadline withheld the article, by the database's clock: no refusal shows it again."""
    soon = Now() + BEFORE_DEADLINE + LAST_MINUTE
    passed = Claim.objects.filter(pk=claim.pk, hold__isnull=False, deadline_at__lte=soon)
    latched = Hold.objects.filter(pk=claim.hold_id or 0, latched_at__gte=claim.deadline_at - BEFORE_DEADLINE)
    return not (passed.exists() or latched.exists())


def _refuse_unless_in_time(claim: Claim) -> None:
    if not in_time(claim):
        raise NotAllowed(f"The deadline has withheld the article of {claim}; it can no longer be refused.")


def refuse_the_same_person(claim: Claim, by: User | None) -> None:
    """A complaint goes to somebody who neither decided nor seconded."""
    if by is not None and has_decided(claim, by):
        raise NotAllowed("A complaint is decided by somebody who did not decide before.")


def has_decided(claim: Claim, person: User) -> bool:
    """Whether this person had a part in any decision on the claim."""
    return claim.decisions.filter(Q(by=person) | Q(second=person)).exists()


def _allow(claim: Claim, to: ClaimState) -> None:
    before = ClaimState(claim.state)
    if to not in MOVES[before]:
        raise NotAllowed(f"{claim} is {before.label.lower()}; it cannot become {to.label.lower()}.")


def _move(claim: Claim, to: ClaimState, *, by: User | None, at: datetime, note: str = "") -> ClaimEvent:
    """The only writer of Claim.state. The caller holds the row's lock."""
    _allow(claim, to)
    before, claim.state = claim.state, to
    claim.version += 1
    claim.save(update_fields=["state", "hold", "due_at", "version"])
    return ClaimEvent.objects.create(claim=claim, before=before, after=to, by=by, at=at, note=note)


def _decided(
    claim: Claim,
    *,
    by: User | None,
    at: datetime,
    reason_code: str,
    reasons: str,
    second: User | None = None,
    automated: bool = False,
    context: Mapping[str, Any] | None = None,
) -> Claim:
    """Everything a decision leaves behind: its row, the ledger's entry, and the letter that is owed."""
    claim.decided_at, claim.reviewer, claim.reviewer_until = at, None, None
    claim.save(update_fields=["decided_at", "reviewer", "reviewer_until"])
    decision = Decision.objects.create(
        claim=claim, outcome=claim.state, reason_code=reason_code, reasons=reasons, at=at, by=by, second=second,
        automated=automated,
    )  # fmt: skip
    facts = ledger.facts(claim, claim.hold)
    facts |= {key: value for key, value in (context or {}).items() if key in ("part", "name_key")}
    facts |= {"reason": decision.reason_code, "automated": automated, "ground": claim.notice.ground}
    ledger.append(kind=claim.state, payload=facts, at=at)
    letters.owe(
        kind=LETTERS[ClaimState(claim.state)], notice=claim.notice, claim=claim, at=at,
        context=_for_letter(decision, context), key=f"decision:{decision.pk}",
    )  # fmt: skip
    close_or_open(claim.notice, at)
    return claim


def _for_letter(decision: Decision, more: Mapping[str, Any] | None) -> dict[str, Any]:
    # What the site itself noted down is in English; its letter says the same in the reader's language.
    return {
        "reason_code": decision.reason_code,
        "reasons": decision.reasons if decision.by_id else "",
        "automated": decision.automated,
        **(more or {}),
    }


def close_or_open(notice: Notice, at: datetime) -> None:
    """A case is closed when each of its claims has ended."""
    waiting = notice.claims.exclude(state__in=ENDED).exists()
    waiting = waiting or notice.claims.filter(complaints__isnull=False, complaints__decided_at=None).exists()
    if not waiting:
        Notice.objects.filter(pk=notice.pk, closed_at__isnull=True).update(closed_at=at)
    elif not Notice.objects.filter(intake_key=notice.intake_key, closed_at__isnull=True).exists():
        Notice.objects.filter(pk=notice.pk).update(closed_at=None)

"""A removal notice arrives: it is written down whole, judged line by line, and its clock starts.

Everything of one notice is one transaction: the letter, the lines with their verdicts, the claims,
the holds that need no further decision, the letters we owe and the ledger's entry. Whoever was told
a reference can rely on all of it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from textwrap import shorten
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_noop

from articles import bulk
from articles.actions import place_holds
from articles.canonical import registrable_domain
from articles.models import Article, HoldKind
from moderation import ledger, letters, limits, lines, misuse
from moderation.models import (
    OPEN_STATES,
    Channel,
    Claim,
    ClaimEvent,
    ClaimState,
    DomainProof,
    Ground,
    Lane,
    LetterKind,
    Notice,
    NoticeEvent,
    NoticeLine,
    Verdict,
)
from moderation.references import hash_of, new_reference, secret_of

PERSONAL = ("name", "email", "organisation", "address", "phone", "role", "rights_holder")
STATEMENT = ("ground", "work", "original_urls", "explanation", "good_faith", "accurate", "signature")
FIELDS = (*PERSONAL, *STATEMENT)
STANDING_PROOF_DAYS = 365
METHODS = {
    "dkim": gettext_noop("a signed e-mail"),
    "dns": gettext_noop("a DNS record"),
    "well-known": gettext_noop("a file on its site"),
    "meta": gettext_noop("its front page"),
    "key": gettext_noop("a key given to its owner"),
}


@dataclass(frozen=True, slots=True)
class Submission:
    """What somebody sent us, by whichever channel. `text` names the articles, in any shape."""

    channel: Channel
    text: str
    letter: str = ""
    language: str = "en"
    name: str = ""
    email: str = ""
    organisation: str = ""
    address: str = ""
    phone: str = ""
    role: str = ""
    rights_holder: str = ""
    ground: str = Ground.COPYRIGHT
    work: str = ""
    original_urls: str = ""
    explanation: str = ""
    good_faith: bool = False
    accurate: bool = False
    signature: str = ""
    raw: bytes | None = None
    message_id: str = ""
    confirmed: bool = False
    proved_domain: str = ""
    proved_by: str = "dkim"
    quiet: bool = False
    network: str = ""
    idempotency_key: str = ""


@dataclass(frozen=True, slots=True)
class Received:
    """The notice, and whether this was its first arrival."""

    notice: Notice
    created: bool
    # Whether the sender showed more than anybody may guess: addresses, a name and a mailbox.
    known_to_sender: bool = True

    @property
    def page_is_told(self) -> bool:
        """Whether the answer may name the secret page of the case: not to a repeat once somebody owns the case."""
        return self.created or self.known_to_sender or self.notice.confirmed_at is None


@dataclass(frozen=True, slots=True)
class Standing:
    """The lane of one claim, why in words, and from when its article is withheld without any decision."""

    lane: Lane
    reason: str
    effective_at: datetime | None = None


# --- arrival ----------------------------------------------------------------------------------


def receive(*, submission: Submission, at: datetime) -> Received:
    """Write a notice down; when this returns it has reached the disk. The same notice sent again is the same case.

    `at` is its arrival at our side and starts the clock.
    """
    key = intake_key(submission)
    own = bool(submission.proved_domain or submission.idempotency_key)
    if known := known_notice(submission):
        return Received(known, created=False, known_to_sender=own)
    pasted = lines.split(submission.text, letter=submission.channel == Channel.EMAIL)
    judged = lines.judge(pasted.lines)
    try:
        with transaction.atomic():
            return Received(_store(submission, key, pasted, judged, at=at), created=True)
    except IntegrityError:
        # The same notice, sent at the same moment, was a little faster.
        known = known_notice(submission)
        if known is None:
            raise
        return Received(known, created=False, known_to_sender=own)


def intake_key(submission: Submission) -> str:
    """The hash of what was said, by whom, with which proof, and about what; how it was spaced does not matter."""
    said = {name: getattr(submission, name) for name in FIELDS}
    said |= {"text": submission.text, "key": submission.idempotency_key}
    if submission.proved_domain:
        # Addresses and a mailbox are soon guessed: who sent the same without proof must not share the owner's case.
        said["proved"] = submission.proved_domain
    spelled = {name: " ".join(str(value).split()) for name, value in said.items()}
    spelled["email"] = spelled["email"].casefold()
    return hashlib.sha256(json.dumps(spelled, sort_keys=True).encode()).hexdigest()


def known_notice(submission: Submission) -> Notice | None:
    """The open case of this very notice; with an idempotency key, also a closed one."""
    same = Notice.objects.filter(intake_key=intake_key(submission))
    if not submission.idempotency_key:
        same = same.filter(closed_at__isnull=True)
    return same.first()


def _store(
    submission: Submission, key: str, pasted: lines.Pasted, judged: Sequence[lines.Judged], *, at: datetime
) -> Notice:
    notice = _new_notice(submission, key, at=at)
    notice.missing = missing_elements(notice)
    notice.confirmed_at = at if submission.confirmed else None
    notice.save()
    note_event(notice, "received", at=at, note=f"By {notice.get_channel_display().lower()}.")
    if submission.proved_domain:
        record_proof(notice, domain=submission.proved_domain, method=submission.proved_by, at=at)
    claims = _new_claims(notice, judged, at=at)
    _new_lines(notice, pasted, judged, claims)
    _write_ledger(notice, claims, at=at)
    _answer(notice, quiet=submission.quiet or _is_crowded(notice, submission, at=at), at=at)
    return notice


def _is_crowded(notice: Notice, submission: Submission, *, at: datetime) -> bool:
    """Whether its unconfirmed mailbox was written to enough. Counted with the notice: one sent again counts once."""
    if notice.confirmed_at is not None:
        return False
    return limits.too_many(sender=submission.network, mailbox=notice.email, at=at)


def _new_notice(submission: Submission, key: str, *, at: datetime) -> Notice:
    reference = new_reference()
    told = {name: _fitting(name, getattr(submission, name)) for name in FIELDS}
    message_id = submission.message_id[:500]
    return Notice(
        reference=reference,
        secret_hash=hash_of(secret_of(reference)),
        intake_key=key,
        channel=submission.channel,
        received_at=at,
        deadline_at=at + timedelta(hours=settings.PROMISE_HOURS),
        language=letters.spoken(submission.language),
        letter=(submission.letter or submission.text).replace("\0", ""),
        raw=submission.raw,
        message_id="" if Notice.objects.filter(message_id=message_id).exists() else message_id,
        **told,
    )


def _fitting(name: str, value: Any) -> Any:
    """The value as its column can hold it; the whole of it stays in the letter."""
    if not isinstance(value, str):
        return value
    longest = getattr(Notice._meta.get_field(name), "max_length", None)
    return value.replace("\0", "").strip()[:longest]


def _new_claims(notice: Notice, judged: Iterable[lines.Judged], *, at: datetime) -> dict[int, Claim]:
    """One claim for each article named, by the article's id."""
    named = {article.pk: article for line in judged for article in line.articles}
    domains = proved_domains(notice, at=at)
    until = suspended_until(notice, at=at)
    standings = {
        pk: standing_of(notice, article, domains, at=at, suspended_until=until)
        for pk, article in named.items()
    }
    claims = [
        Claim(
            notice=notice,
            article=article,
            number=number,
            lane=standings[pk].lane,
            lane_reason=shorten(standings[pk].reason, 300, placeholder=" …"),
            deadline_at=notice.deadline_at,
        )
        for number, (pk, article) in enumerate(named.items(), 1)
    ]
    Claim.objects.bulk_create(claims, batch_size=500)
    events = [(claim.pk, ClaimState.RECEIVED.value, at, claim.lane_reason) for claim in claims]
    bulk.insert(ClaimEvent, ["claim_id", "after", "at", "note"], events)
    _hold([(claim, standings[claim.article_id]) for claim in claims], at=at)
    return {claim.article_id: claim for claim in claims}


def _new_lines(
    notice: Notice, pasted: lines.Pasted, judged: Sequence[lines.Judged], claims: Mapping[int, Claim]
) -> None:
    rows = [
        (
            notice.pk,
            position,
            _shortened(line.text),
            line.verdict.value,
            claims[line.articles[0].pk].pk if line.articles else None,
            line.note[:300],
        )
        for position, line in enumerate(judged, 1)
    ]
    bulk.insert(NoticeLine, ["notice_id", "position", "text", "verdict", "claim_id", "note"], rows)
    if pasted.unread:
        _unread_line(notice, pasted).save()


def _shortened(text: str) -> str:
    return text if len(text) <= lines.MAX_TEXT else f"{text[: lines.MAX_TEXT - 20]} … (shortened)"


def _unread_line(notice: Notice, pasted: lines.Pasted) -> NoticeLine:
    text = f"… and {pasted.unread} more"
    note = f"One notice may name {lines.MAX_LINES} addresses. Send these {pasted.unread} in another one."
    return NoticeLine(
        notice=notice, position=len(pasted.lines) + 1, text=text, verdict=Verdict.UNRECOGNISED, note=note
    )


def _write_ledger(notice: Notice, claims: Mapping[int, Claim], *, at: datetime) -> None:
    payload: dict[str, Any] = {
        "reference": notice.reference,
        "channel": notice.channel,
        "received_at": ledger.moment(notice.received_at),
        "claims": [_ledger_line(claim) for claim in claims.values()],
    }
    if notice.channel == Channel.DRILL:
        payload["drill"] = True
    ledger.append(kind="received", payload=payload, at=at)


def _ledger_line(claim: Claim) -> dict[str, str | None]:
    article, hold = claim.article, claim.hold
    return {
        "article": str(article.key),
        "url_key": article.url_key or "",
        "text_key": article.text_key,
        "title_day_key": article.title_day_key,
        "effective_at": ledger.moment(hold.effective_at) if hold else None,
        "lane": claim.lane,
    }


def _answer(notice: Notice, *, quiet: bool, at: datetime) -> None:
    """Owe the one letter that says where the sender stands."""
    if quiet:
        return
    if notice.confirmed_at is None:
        kind = LetterKind.CONFIRM
    else:
        kind = LetterKind.INCOMPLETE if notice.missing else LetterKind.RECEIVED
    until = suspended_until(notice, at=at)
    told = {"suspended_until": until.date().isoformat()} if until else {}
    letters.owe(kind=kind, notice=notice, at=at, context=told)


# --- lanes ------------------------------------------------------------------------------------


def missing_elements(notice: Notice) -> list[str]:
    """Which legal elements a notice lacks (17 U.S.C. 512(c)(3), DSA art. 16), by name."""
    present = {
        "name": bool(notice.name),
        "email": bool(notice.email),
        "work": bool(notice.work or notice.original_urls or notice.explanation),
        "good_faith": notice.good_faith,
        "accurate": notice.accurate,
        "signature": bool(notice.signature),
    }
    return [name for name, there in present.items() if not there]


MISSING_WORDS = {
    "name": gettext_noop("your full name"),
    "email": gettext_noop("an e-mail address for our answers"),
    "work": gettext_noop("which work this is about, where the original is, or why it is yours"),
    "good_faith": gettext_noop("the statement that you believe in good faith that the use is not allowed"),
    "accurate": gettext_noop("the statement that the notice is accurate and that you may act for the owner"),
    "signature": gettext_noop("your signature (your typed name)"),
}


def suspended_until(notice: Notice, *, at: datetime) -> datetime | None:
    """Until when its mailbox is suspended, once it is known that the mailbox wrote it."""
    return misuse.suspended_until(notice.email, at=at) if notice.confirmed_at else None


def standing_of(
    notice: Notice,
    article: Article,
    domains: Mapping[str, str],
    *,
    at: datetime,
    suspended_until: datetime | None = None,
) -> Standing:
    """The lane of this article in this notice: what was proved decides, never a guess (promise 7)."""
    if suspended_until is not None:
        reason = f"The mailbox is suspended until {suspended_until:%d %B %Y} after unfounded notices: a person decides."
        return Standing(Lane.C, reason)
    for domain in domains_of(article):
        if domain in domains:
            reason = f"Control of {domain} was proved by {METHODS.get(domains[domain], domains[domain])}."
            return Standing(Lane.A, reason, at)
    if notice.confirmed_at and not notice.missing:
        due = notice.received_at + timedelta(hours=settings.HOLD_AFTER_HOURS)
        return Standing(Lane.B, "The mailbox is confirmed and the notice is complete.", max(due, at))
    lacks = [] if notice.confirmed_at else ["The mailbox is not confirmed."]
    if notice.missing:
        lacks.append(f"Missing: {'; '.join(MISSING_WORDS[name] for name in notice.missing)}.")
    return Standing(Lane.C, " ".join(lacks))


def domains_of(article: Article) -> set[str]:
    """The registered domains whose owner published this article: its source's and its original's."""
    host = urlsplit(article.canonical_url).hostname or ""
    source = article.source.domain.lower() if article.source else ""
    return {registrable_domain(name) for name in (host, source) if name}


def proved_domains(notice: Notice, *, at: datetime) -> dict[str, str]:
    """Domain to method: what was proved for this notice, and by its confirmed mailbox within the last year."""
    mine = Q(notice=notice) | Q(pk__in=proofs_by_mailbox(notice, at=at))
    return dict(DomainProof.objects.filter(mine, proved_at__isnull=False).values_list("domain", "method"))


def proofs_by_mailbox(notice: Notice, *, at: datetime) -> QuerySet[DomainProof]:
    """What this notice's confirmed mailbox proved within the last year.

    Only in cases it confirmed: anybody may name another's mailbox in a notice, or mistype their own.
    """
    if not notice.confirmed_at or not notice.email:
        return DomainProof.objects.none()
    since = at - timedelta(days=STANDING_PROOF_DAYS)
    return DomainProof.objects.filter(
        email__mailbox=notice.email, proved_at__gte=since, notice__confirmed_at__isnull=False
    )


def _hold(wanted: Sequence[tuple[Claim, Standing]], *, at: datetime) -> None:
    """Withhold what its lane withholds, from the lane's moment on, and tell the ledger."""
    moments = {claim.pk: standing.effective_at for claim, standing in wanted}
    held = [claim for claim, standing in wanted if standing.effective_at is not None]
    holds = place_holds(
        wanted=[(claim.article, claim.reference, moment) for claim in held if (moment := moments[claim.pk])],
        kind=HoldKind.LEGAL, at=at, by=None, note=gettext_noop("Withheld at the request of its owner."),
    )  # fmt: skip
    for claim in held:
        claim.hold = holds[claim.article_id]
    if held:
        bulk.update(Claim, ["hold_id"], [(claim.hold_id, claim.pk) for claim in held])
        ledger.append_all(entries=ledger.held(held), at=at)


# --- what follows -----------------------------------------------------------------------------


@transaction.atomic
def confirm(*, notice: Notice, at: datetime) -> Notice:
    """The mailbox answered. The clock does not start again; what that changes takes effect at once."""
    notice = _locked(notice)
    if notice.confirmed_at is None:
        notice.confirmed_at = at
        notice.save(update_fields=["confirmed_at"])
        note_event(notice, "confirmed", at=at, note="The mailbox was confirmed.")
        reassess(notice=notice, at=at)
        _answer(notice, quiet=False, at=at)
    return notice


@transaction.atomic
def complete(*, notice: Notice, given: Mapping[str, Any], at: datetime) -> Notice:
    """Add what the notice lacked. What was said stays as it was said; only gaps are filled."""
    notice = _locked(notice)
    filled = [name for name, value in given.items() if name in FIELDS and value and not getattr(notice, name)]
    for name in filled:
        setattr(notice, name, _fitting(name, given[name]))
    if filled:
        notice.missing = missing_elements(notice)
        notice.save(update_fields=[*filled, "missing"])
        note_event(notice, "completed", at=at, note=f"Added: {', '.join(filled)}.")
        reassess(notice=notice, at=at)
    return notice


@transaction.atomic
def prove(*, notice: Notice, domain: str, method: str, at: datetime) -> Notice:
    """Control of a domain was proved: that source's articles in the notice are withheld now, no other's."""
    notice = _locked(notice)
    record_proof(notice, domain=domain, method=method, at=at)
    reassess(notice=notice, at=at)
    return notice


@transaction.atomic
def reassess(*, notice: Notice, at: datetime) -> int:
    """Look again at the lanes of a notice's open claims; returns how many moved. A hold only ever comes sooner."""
    domains = proved_domains(notice, at=at)
    until = suspended_until(notice, at=at)
    claims = notice.claims.filter(state__in=OPEN_STATES).select_related("article__source").order_by("pk")
    moved = []
    for claim in claims.select_for_update(of=("self",)):
        claim.notice = notice
        standing = standing_of(notice, claim.article, domains, at=at, suspended_until=until)
        if standing.lane < claim.lane or (standing.lane == claim.lane == Lane.C):
            claim.lane, claim.lane_reason = standing.lane, shorten(standing.reason, 300, placeholder=" …")
            moved.append((claim, standing))
    Claim.objects.bulk_update([claim for claim, _ in moved], ["lane", "lane_reason"], batch_size=200)
    _hold(moved, at=at)
    return len(moved)


def record_proof(notice: Notice, *, domain: str, method: str, at: datetime) -> None:
    """Keep a proof with the notice and, for its mailbox, for later notices."""
    proof, _ = DomainProof.objects.get_or_create(
        notice=notice,
        domain=domain,
        method=method,
        defaults={"email": notice.email, "token": "", "asked_at": at},
    )
    if proof.proved_at is None:
        proof.proved_at, proof.email = at, notice.email
        proof.save(update_fields=["proved_at", "email"])
        notice.proofs = [*notice.proofs, {"domain": domain, "method": method, "at": at.isoformat()}]
        notice.save(update_fields=["proofs"])
        note_event(notice, "proved", at=at, note=f"Control of {domain} by {METHODS.get(method, method)}.")


def note_event(notice: Notice, kind: str, *, at: datetime, note: str) -> None:
    NoticeEvent.objects.create(notice=notice, kind=kind, at=at, note=note[:300])


def _locked(notice: Notice) -> Notice:
    """The notice as it stands, its claims locked first: a decision takes the locks in the same order."""
    list(Claim.objects.select_for_update().filter(notice=notice).order_by("pk").values_list("pk", flat=True))
    return Notice.objects.select_for_update().get(pk=notice.pk)

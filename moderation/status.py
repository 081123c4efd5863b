"""What the page of a case shows: where each claim stands, in words, and what happened so far."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from articles.models import Hold
from articles.templatetags.reading import written
from moderation.complaints import may_complain
from moderation.desk_models import Complaint
from moderation.exports import action_taken
from moderation.models import (
    OPEN_STATES,
    TAKEN_BACK_FROM,
    TO_THE_AFFECTED,
    Claim,
    ClaimState,
    LetterKind,
    Notice,
    NoticeLine,
    Probe,
)
from moderation.receive import MISSING_WORDS

LINES_A_PAGE = 200


@dataclass(frozen=True, slots=True)
class ClaimStatus:
    """One article of the case as its claimant sees it."""

    claim: Claim
    named: str
    words: str
    moment: datetime | None = None
    more: str = ""
    reasons: str = ""
    withdrawable: bool = False
    complainable: bool = False
    complaint: Complaint | None = None
    probes: tuple[Probe, ...] = ()


@dataclass(frozen=True, slots=True)
class Happened:
    """One line of the case's history."""

    at: datetime
    words: str


@dataclass(slots=True)
class Case:
    """Everything the page needs, read once."""

    notice: Notice
    claims: list[ClaimStatus] = field(default_factory=list)
    lines: list[NoticeLine] = field(default_factory=list)
    next_from: int | None = None
    history: list[Happened] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    asked_to_confirm: bool = False
    outcome: str = ""

    @property
    def is_undecided(self) -> bool:
        """Whether the deadline still has something to decide."""
        return not self.claims or any(status.claim.state in OPEN_STATES for status in self.claims)

    @property
    def runs_by_itself(self) -> bool:
        """Whether what is ours is withheld at the deadline without anybody deciding."""
        return bool(self.claims) and all(status.claim.lane != "C" for status in self.claims)

    @property
    def is_left_to_a_person(self) -> bool:
        """Whether nothing is withheld by itself although nothing is missing: its mailbox is suspended."""
        return bool(self.notice.confirmed_at) and not self.missing and not self.runs_by_itself

    @property
    def is_late(self) -> bool:
        """Whether the deadline is over, so that what is still missing takes effect at once when it comes."""
        return self.notice.deadline_at <= timezone.now()


def case_of(notice: Notice, *, start: int = 1) -> Case:
    """The case as it stands now, with a page of its lines from position `start` on."""
    lines = list(notice.lines.filter(position__gte=start).select_related("claim")[: LINES_A_PAGE + 1])
    return Case(
        notice=notice,
        claims=_claims(notice, start=start),
        lines=lines[:LINES_A_PAGE],
        next_from=lines[LINES_A_PAGE].position if len(lines) > LINES_A_PAGE else None,
        history=sorted(_history(notice), key=lambda happened: happened.at),
        missing=[MISSING_WORDS[name] for name in notice.missing],
        asked_to_confirm=notice.letters.filter(kind=LetterKind.CONFIRM).exists(),
        outcome=_outcome(notice) if notice.closed_at else "",
    )


def _outcome(notice: Notice) -> str:
    states = set(notice.claims.order_by().values_list("state", flat=True).distinct())
    words = AS_A_WHOLE.get(action_taken(states))
    return _(words) if words else ""


AS_A_WHOLE = {
    "Yes": gettext_noop("What is ours and was named here was removed."),
    "Partial": gettext_noop("Part of what is ours and was named here was removed."),
    "No": gettext_noop("Nothing was removed."),
}


def _claims(notice: Notice, *, start: int) -> list[ClaimStatus]:
    rows = notice.claims.select_related("hold", "article").prefetch_related(
        "decisions", "counter_notices", "probes", "complaints"
    )
    claims = list(rows.filter(number__gte=start).order_by("number")[:LINES_A_PAGE])
    named: dict[int | None, str] = {}
    for line in notice.lines.filter(claim__in=claims).order_by("-position"):
        named[line.claim_id] = line.text
    in_effect = set(
        Hold.objects.in_effect().filter(pk__in=[c.hold_id for c in claims]).values_list("pk", flat=True)
    )
    return [_status_of(claim, named.get(claim.pk, ""), held=claim.hold_id in in_effect) for claim in claims]


def _status_of(claim: Claim, named: str, *, held: bool) -> ClaimStatus:
    words, moment, more = _words(claim, held=held)
    decision = next(iter(claim.decisions.all()), None)
    reasons = f"{_(decision.get_reason_code_display())}. {decision.reasons}" if decision else ""
    complaint = next((one for one in claim.complaints.all() if one.answer_id is None), None)
    return ClaimStatus(
        claim=claim,
        named=named or claim.article.get_absolute_url(),
        words=words,
        moment=moment,
        more=more,
        reasons=reasons.strip(),
        withdrawable=claim.state in TAKEN_BACK_FROM,
        complainable=not (complaint and complaint.decided_at is None) and may_complain(claim, timezone.now()),
        complaint=complaint,
        probes=tuple(_newest(claim.probes.all())),
    )


def _newest(probes: Iterable[Probe]) -> list[Probe]:
    """The last look at each address."""
    by_url: dict[str, Probe] = {}
    for probe in probes:
        by_url.setdefault(probe.url, probe)
    return sorted(by_url.values(), key=lambda probe: (probe.surface, probe.url))


def _words(claim: Claim, *, held: bool) -> tuple[str, datetime | None, str]:
    """Where a claim stands, from when, and what comes next."""
    state = ClaimState(claim.state)
    hold_at = claim.hold.effective_at if claim.hold else None
    because = _(claim.lane_reason) if claim.lane_reason else ""
    if state in OPEN_STATES and held:
        return _("Withheld from readers since"), hold_at, _("A moderator still looks at it.")
    if state in OPEN_STATES and hold_at:
        more = _("A moderator may decide sooner.")
        return _("Withheld at the latest from"), hold_at, f"{because} {more}"
    if state in OPEN_STATES:
        # What is missing stands above, in the reader's language; the reason is kept in words for moderators.
        return _("Not withheld by itself"), None, _("A moderator may still decide.")
    if state == ClaimState.COUNTERED:
        return _countered(claim)
    if state == ClaimState.UPHELD:
        more = _("Its text is erased when nobody can answer any more.")
        return _("Removed; withheld since"), hold_at, more
    return _(ENDED[state]), claim.decided_at, ""


def _countered(claim: Claim) -> tuple[str, datetime | None, str]:
    answer = next((one for one in claim.counter_notices.all() if one.confirmed_at), None)
    words = _("Withheld; somebody answered your request on")
    if answer is None or answer.reinstate_not_before is None:
        return words, None, ""
    until = _("It shows again from {day} on unless you go to court.")
    return words, answer.received_at, until.format(day=written(answer.reinstate_not_before, "date"))


ENDED = {
    ClaimState.ERASED: gettext_noop("Erased for good on"),
    ClaimState.REFUSED: gettext_noop("Stays, as decided on"),
    ClaimState.REDUCED: gettext_noop("Removed in part; the rest stays, as decided on"),
    ClaimState.WITHDRAWN: gettext_noop("You took it back on"),
    ClaimState.REINSTATED: gettext_noop("Shows again since"),
}
# What a case's own events are called. Their notes are kept as they were written.
EVENTS = {
    "received": gettext_noop("Received"),
    "confirmed": gettext_noop("Confirmed"),
    "completed": gettext_noop("Completed"),
    "proved": gettext_noop("Proved"),
    "mail": gettext_noop("Mail"),
    "opted_out": gettext_noop("Left out"),
    "opted_in": gettext_noop("Allowed again"),
    "key_made": gettext_noop("Key made"),
    "key_revoked": gettext_noop("Key revoked"),
}

# What else is stored in words and shown: reasons and notes that are the same in each case.
STORED = (
    gettext_noop("The mailbox is confirmed and the notice is complete."),
    gettext_noop("The mailbox is not confirmed."),
    gettext_noop("By form."),
    gettext_noop("By e-mail."),
    gettext_noop("By api."),
    gettext_noop("By staff."),
    gettext_noop("The mailbox was confirmed."),
    gettext_noop("A message was added to the case."),
)


def _history(notice: Notice) -> Iterable[Happened]:
    for event in notice.events.all()[:200]:
        kind = _(EVENTS[event.kind]) if event.kind in EVENTS else event.kind.capitalize()
        yield Happened(event.at, f"{kind}. {_(event.note) if event.note else ''}")
    for letter in notice.letters.exclude(kind__in=TO_THE_AFFECTED)[:200]:
        words = _("We wrote to you") if letter.sent_at else _("A letter to you waits to be sent")
        kind = _(LetterKind(letter.kind).label)
        yield Happened(letter.sent_at or letter.created_at, f"{words}: {kind.lower()}.")
    for claim in notice.claims.order_by("number").prefetch_related("events")[:LINES_A_PAGE]:
        for event in claim.events.all():
            if event.before:
                article = _("Article {number}").format(number=claim.number)
                yield Happened(event.at, f"{article}: {_(ClaimState(event.after).label).lower()}.")


def masked(email: str) -> str:
    """A mailbox its owner recognises and nobody else learns."""
    local, _, domain = email.rpartition("@")
    return f"{local[:1]}•••@{domain}" if local else ""

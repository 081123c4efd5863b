"""Cases and decisions in the words of others: Lumen's notices, the DSA's statements of reasons, a year in figures.

No person is in any of it: no name, mailbox, postal address or telephone number, and none of what a
claimant wrote. Articles appear by their key, originals by the site they are on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from django.conf import settings
from django.db.models import Count, QuerySet
from django.urls import reverse
from django.utils.translation import gettext_noop as _

from articles.models import Article
from moderation import receive, transparency
from moderation.desk_models import Complaint, Measure, MeasureKind
from moderation.models import Channel, Claim, ClaimState, CounterNotice, Decision, Ground, Notice, ReasonCode

PORTION = 500
REMOVED = (ClaimState.UPHELD, ClaimState.REDUCED, ClaimState.ERASED, ClaimState.COUNTERED)
KEPT = (ClaimState.REFUSED, ClaimState.REINSTATED)
WITHHELD_NAME = "[withheld]"


# --- Lumen ------------------------------------------------------------------------------------

LUMEN_TYPES = {
    Ground.COPYRIGHT: "DMCA",
    Ground.PRESS_PUBLISHER: "DMCA",
    Ground.PRIVACY: "DataProtection",
    Ground.DEFAMATION: "Defamation",
    Ground.COURT_ORDER: "CourtOrder",
    Ground.OTHER: "Other",
}
LUMEN_SOURCES = {
    Channel.FORM: "Online Form",
    Channel.EMAIL: "Email",
    Channel.API: "API submission",
    Channel.STAFF: "Postal mail",
}


def lumen_notice(notice: Notice) -> dict[str, Any]:
    """One notice as Lumen takes it. Expects its claims with their articles to be loaded."""
    claims = list(notice.claims.all())
    ground = Ground(notice.ground)
    return {
        "type": LUMEN_TYPES[ground],
        "title": f"Removal request {notice.reference} to {settings.SITE_NAME}",
        "subject": ground.label,
        "body": "The text of the notice is not published.",
        **_dated(notice.received_at),
        "source": LUMEN_SOURCES[Channel(notice.channel)],
        "language": notice.language[:2],
        "jurisdiction_list": [],
        "action_taken": action_taken({claim.state for claim in claims}),
        "request_type": "Removal",
        "case_id_number": notice.reference,
        "works_attributes": [_work(ground, claims)],
        "entity_notice_roles_attributes": _roles(),
    }


def lumen_counter_notice(answer: CounterNotice) -> dict[str, Any]:
    """A counter-notice as Lumen takes it, beside its notice. Expects claim, notice and article to be loaded."""
    claim = answer.claim
    ended = {ClaimState.REINSTATED: "Yes", ClaimState.WITHDRAWN: "Yes", ClaimState.COUNTERED: "Unspecified"}
    return {
        "type": "Counternotice",
        "title": f"Counter-notice to {claim} at {settings.SITE_NAME}",
        "subject": Ground(claim.notice.ground).label,
        "body": "The text of the counter-notice is not published.",
        **_dated(answer.received_at),
        "source": LUMEN_SOURCES[Channel.FORM if answer.digest else Channel.STAFF],
        "language": answer.language[:2],
        "jurisdiction_list": ["US"],
        "action_taken": ended.get(ClaimState(claim.state), "No"),
        "request_type": "Reinstatement",
        "case_id_number": str(claim),
        "counternotice_for_sid": claim.notice.reference,
        "works_attributes": [_work(Ground(claim.notice.ground), [claim])],
        "entity_notice_roles_attributes": _roles(),
    }


def _dated(received_at: datetime) -> dict[str, str]:
    day = received_at.astimezone(UTC).date().isoformat()
    return {"date_sent": day, "date_received": day}


def _roles() -> list[dict[str, Any]]:
    return [
        {"name": "recipient", "entity_attributes": {"name": settings.SITE_NAME, "kind": "organization"}},
        {"name": "sender", "entity_attributes": {"name": WITHHELD_NAME, "kind": "individual"}},
    ]


def action_taken(states: set[str]) -> str:
    """How a case ended as a whole: Yes, No or Partial; Unspecified while something is undecided."""
    removed, kept = states & set(REMOVED), states & {*KEPT, ClaimState.WITHDRAWN}
    if not states or states - {*REMOVED, *KEPT, ClaimState.WITHDRAWN}:
        return "Unspecified"
    if ClaimState.REDUCED in states or (removed and kept):
        return "Partial"
    return "Yes" if removed else "No"


def _work(ground: Ground, claims: Iterable[Claim]) -> dict[str, Any]:
    articles = [claim.article for claim in claims]
    sites = sorted({site for article in articles for site in receive.domains_of(article)})
    return {
        "description": "Articles named in the notice",
        "kind": "text",
        "infringing_urls_attributes": [{"url": address_of(article)} for article in articles],
        "copyrighted_urls_attributes": [{"url": f"https://{site}/"} for site in sites],
    }


def address_of(article: Article) -> str:
    """An address that names the article without the words of its headline."""
    return settings.SITE_URL + reverse("api:article", args=[article.key])


# --- the DSA's statements of reasons ----------------------------------------------------------

_C, _K = "STATEMENT_CATEGORY_", "KEYWORD_"
CATEGORIES = {
    Ground.COPYRIGHT: ("INTELLECTUAL_PROPERTY_INFRINGEMENTS", "COPYRIGHT_INFRINGEMENT"),
    Ground.PRESS_PUBLISHER: ("INTELLECTUAL_PROPERTY_INFRINGEMENTS", "COPYRIGHT_INFRINGEMENT"),
    Ground.PRIVACY: ("DATA_PROTECTION_AND_PRIVACY_VIOLATIONS", "RIGHT_TO_BE_FORGOTTEN"),
    Ground.DEFAMATION: ("ILLEGAL_OR_HARMFUL_SPEECH", "DEFAMATION"),
    Ground.COURT_ORDER: ("OTHER_VIOLATION_TC", "OTHER"),
    Ground.OTHER: ("OTHER_VIOLATION_TC", "OTHER"),
}
CLAUSE = "Our promise to owners: what its owner does not want shown here is gone within 24 hours."


def statement(decision: Decision) -> dict[str, Any]:
    """One removal as the DSA's transparency database takes it. Expects claim, notice and article loaded."""
    claim, notice = decision.claim, decision.claim.notice
    ground = Ground(notice.ground)
    category, keyword = CATEGORIES[ground]
    published = claim.article.published_at or notice.received_at
    told: dict[str, Any] = {
        "puid": f"{notice.reference}-{claim.number}-{decision.pk}",
        "decision_visibility": [_visibility(decision)],
        "category": _C + category,
        "category_specification": [_K + keyword],
        "content_type": ["CONTENT_TYPE_TEXT"],
        "content_date": max(published.astimezone(UTC).date(), date(2000, 1, 1)).isoformat(),
        "application_date": decision.at.astimezone(UTC).date().isoformat(),
        "decision_facts": "A rights owner's notice named the article.",
        "source_type": "SOURCE_ARTICLE_16",
        "automated_detection": "No",
        "automated_decision": "AUTOMATED_DECISION_" + ("FULLY" if decision.automated else "NOT_AUTOMATED"),
        **_ground(ground, decision),
    }
    if keyword == "OTHER":
        told["category_specification_other"] = ground.label
    if re.fullmatch("[a-z]{2}", claim.article.language[:2]):
        told["content_language"] = claim.article.language[:2].upper()
    return told


def _visibility(decision: Decision) -> str:
    """Withheld is disabled, erased is removed."""
    return "DECISION_VISIBILITY_CONTENT_" + (
        "REMOVED" if decision.outcome == ClaimState.ERASED else "DISABLED"
    )


def _ground(ground: Ground, decision: Decision) -> dict[str, str]:
    """A court's order says what is illegal. Else we keep our promise, without a judgement of the law."""
    if ground == Ground.COURT_ORDER:
        return {
            "decision_ground": "DECISION_GROUND_ILLEGAL_CONTENT",
            "illegal_content_legal_ground": "The order of a court or an authority",
            "illegal_content_explanation": f"The notice relies on such an order. {decision.get_reason_code_display()}.",
        }
    return {
        "decision_ground": "DECISION_GROUND_INCOMPATIBLE_CONTENT",
        "incompatible_content_ground": CLAUSE,
        "incompatible_content_explanation": f"{ground.label}. {decision.get_reason_code_display()}.",
        "incompatible_content_illegal": "No",
        "decision_ground_reference_url": f"{settings.SITE_URL}/rights/",
    }


# --- a year -----------------------------------------------------------------------------------


def year_of(year: int) -> tuple[datetime, datetime]:
    """From when to when a year lasts."""
    return datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)


def _real() -> QuerySet[Notice]:
    """Everybody's notices but our own drills."""
    return Notice.objects.exclude(channel=Channel.DRILL)


def lumen_notices(year: int, *, after: int = 0) -> list[tuple[int, dict[str, Any]]]:
    """A portion of the year's notices with their numbers, from the number `after` on."""
    rows = _real().filter(received_at__range=year_of(year), pk__gt=after).order_by("pk")
    loaded = rows.prefetch_related("claims__article__source")[:PORTION]
    return [(notice.pk, lumen_notice(notice)) for notice in loaded]


def lumen_counter_notices(year: int, *, after: int = 0) -> list[tuple[int, dict[str, Any]]]:
    """A portion of the year's counter-notices with their numbers."""
    rows = CounterNotice.objects.in_force().filter(received_at__range=year_of(year), pk__gt=after)
    loaded = rows.select_related("claim__notice", "claim__article__source").order_by("pk")[:PORTION]
    return [(answer.pk, lumen_counter_notice(answer)) for answer in loaded]


def statements(year: int, *, after: int = 0) -> list[tuple[int, dict[str, Any]]]:
    """A portion of the year's statements of reasons with their numbers."""
    rows = Decision.objects.filter(
        at__range=year_of(year),
        pk__gt=after,
        outcome__in=(ClaimState.UPHELD, ClaimState.REDUCED, ClaimState.ERASED),
    ).exclude(claim__notice__channel=Channel.DRILL)
    loaded = rows.select_related("claim__notice", "claim__article").order_by("pk")[:PORTION]
    return [(decision.pk, statement(decision)) for decision in loaded]


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the yearly report."""

    group: str
    name: str
    value: int | float | None


def report(year: int, *, at: datetime) -> list[Figure]:
    """The year in figures (DSA articles 15 and 24): what came, what became of it, how long it took."""
    return list(_figures(year, at))


def _figures(year: int, at: datetime) -> Iterator[Figure]:
    notices = _real().filter(received_at__range=year_of(year))
    claims = Claim.objects.filter(notice__in=notices)
    yield Figure(_("Notices"), _("received"), notices.count())
    yield Figure(_("Notices"), _("articles named in them"), claims.count())
    yield from _counted(_("Notices by ground"), notices, "ground", dict(Ground.choices))
    yield from _counted(_("Notices by channel"), notices, "channel", dict(Channel.choices))
    yield from _counted(_("Articles by outcome"), claims, "state", dict(ClaimState.choices))
    decided = Decision.objects.filter(at__range=year_of(year), outcome=ClaimState.UPHELD).exclude(
        claim__notice__channel=Channel.DRILL
    )
    yield Figure(_("Removals"), _("decided by the deadline alone"), decided.filter(automated=True).count())
    yield Figure(_("Removals"), _("decided by a person"), decided.filter(automated=False).count())
    hours = _hours(claims, at)
    yield Figure(_("Hours until gone"), _("half of them within"), transparency.percentile(hours, 50))
    yield Figure(_("Hours until gone"), _("95 in 100 within"), transparency.percentile(hours, 95))
    yield Figure(_("Hours until gone"), _("the longest"), transparency.percentile(hours, 100))
    answers = CounterNotice.objects.in_force().filter(received_at__range=year_of(year))
    yield Figure(_("Counter-notices"), _("received"), answers.count())
    shown = Decision.objects.filter(
        at__range=year_of(year), outcome=ClaimState.REINSTATED, reason_code=ReasonCode.COUNTER_NOTICE
    )
    yield Figure(_("Counter-notices"), _("articles shown again"), shown.count())
    yield from _complaints(year)
    measures = Measure.objects.filter(at__range=year_of(year))
    warned, suspended = (measures.filter(kind=kind).count() for kind in MeasureKind)
    yield Figure(_("Misuse"), _("mailboxes warned"), warned)
    yield Figure(_("Misuse"), _("mailboxes suspended"), suspended)


def _complaints(year: int) -> Iterator[Figure]:
    rows = Complaint.objects.filter(received_at__range=year_of(year))
    yield Figure(_("Complaints"), _("received"), rows.count())
    decided = rows.filter(decided_by__isnull=False)
    yield Figure(_("Complaints"), _("decision reversed"), decided.filter(granted=True).count())
    yield Figure(_("Complaints"), _("decision stands"), decided.filter(granted=False).count())
    moments = decided.values_list("received_at", "decided_at")
    days = [(end - start).total_seconds() / 86_400 for start, end in moments.iterator(5000) if end]
    yield Figure(
        _("Days until a complaint was decided"), _("half of them within"), transparency.percentile(days, 50)
    )


def _counted(group: str, rows: QuerySet[Any], field: str, labels: dict[str, str]) -> Iterator[Figure]:
    counts = dict(rows.order_by().values_list(field).annotate(Count("pk")))
    for value, label in labels.items():
        if counts.get(value):
            yield Figure(group, str(label), counts[value])


def _hours(claims: QuerySet[Claim], at: datetime) -> list[float]:
    rows = claims.filter(hold__isnull=False).values_list(
        "notice__received_at", "hold__effective_at", "hold__latched_at"
    )
    hours = []
    for received, effective, latched in rows.iterator(5000):
        hidden = transparency.hidden_at(effective, latched, at)
        if hidden is not None:
            hours.append(max(0.0, (hidden - received).total_seconds() / 3600))
    return hours


def years(*, at: datetime) -> list[int]:
    """The years of which there is something to tell, newest first."""
    first = _real().order_by("received_at").values_list("received_at", flat=True).first()
    return list(range(at.year, first.year - 1, -1)) if first else []

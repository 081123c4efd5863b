"""The parts of the queue: what may be asked of it, views somebody saved, and which claim comes next."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.lookups import In
from django.http import QueryDict

from accounts.paging import OffIndex
from moderation.complaints import AGAINST, OBJECTED_TO
from moderation.desk_models import Complaint, SavedFilter
from moderation.letters import LANGUAGES
from moderation.models import Channel, Claim, ClaimQuerySet, ClaimState, Ground, Lane

S = ClaimState
PARTS = {
    "overdue": "Open and overdue",
    "mine": "With me",
    "second": "Waiting for a second person",
    "complaints": "Complaints",
    "all": "All",
}
# What a view may ask; a search is not kept, because it could name a person.
ASKED = {
    "queue": {*PARTS, *S.values},
    "lane__exact": set(Lane.values),
    "ground": set(Ground.values),
    "language": set(LANGUAGES),
}
MOST_VIEWS = 40


class BadView(ValueError):
    """A view that cannot be kept; the message says why."""


def part_of(claims: QuerySet[Any], part: str, *, person: Any, at: datetime) -> QuerySet[Any]:
    """One part of the queue; without a name the open claims."""
    if part in S.values:
        return claims.filter(state=part)
    if part == "all":
        return claims
    if part == "complaints":
        waiting = Complaint.objects.filter(decided_at__isnull=True).values("claim")
        # By the complaints, which are few; of such states are most of all claims.
        return claims.filter(In(OffIndex("state"), (*AGAINST, *OBJECTED_TO)), pk__in=waiting)
    # A drill's claim is open for seconds, and nobody's to decide.
    claims = ClaimQuerySet.open(claims).exclude(notice__channel=Channel.DRILL)  # type: ignore[arg-type]
    if part == "second":
        return claims.filter(proposal__isnull=False)
    if part == "mine":
        return claims.filter(reviewer=person, reviewer_until__gt=at)
    return claims.filter(deadline_at__lte=at) if part == "overdue" else claims


def asked_of(query: str) -> dict[str, str]:
    """What a query string asks of the queue, as far as it may be asked; nothing else of it is kept."""
    typed = QueryDict(query[:500])
    return {name: typed[name] for name in ASKED if typed.get(name) in ASKED[name]}


def narrowed(query: str, *, person: Any, at: datetime) -> QuerySet[Claim]:
    """The claims of a view that wait for this person, nearest deadline first.

    One's own proposal waits for somebody else, and so does a complaint about one's own decision.
    """
    asked = asked_of(query)
    claims = part_of(Claim.objects.all(), asked.get("queue", ""), person=person, at=at)
    claims = _with(claims, asked).filter(
        Q(reviewer_until__isnull=True) | Q(reviewer_until__lte=at) | Q(reviewer=person)
    )
    if asked.get("queue") == "complaints":
        claims = claims.exclude(decisions__by=person).exclude(decisions__second=person)
    return claims.exclude(proposal__by=person).order_by("deadline_at", "pk")


def _with(claims: QuerySet[Claim], asked: Mapping[str, str]) -> QuerySet[Claim]:
    fields = {"lane__exact": "lane", "ground": "notice__ground", "language": "notice__language"}
    return claims.filter(**{fields[name]: value for name, value in asked.items() if name in fields})


# --- saved views ------------------------------------------------------------------------------


def views_of(person: Any) -> QuerySet[SavedFilter]:
    """The person's own views, and those that others share."""
    return SavedFilter.objects.filter(Q(owner=person) | Q(shared=True)).select_related("owner")[:MOST_VIEWS]


def save_view(*, owner: Any, name: str, query: str, shared: bool) -> SavedFilter:
    """Keep a view under a name; the same name again replaces it."""
    name = " ".join(name.split())[:60]
    if not name:
        raise BadView("Give the view a name.")
    asked = asked_of(query)
    if not asked:
        raise BadView("Narrow the queue first: there is nothing in this view to keep.")
    if SavedFilter.objects.filter(owner=owner).exclude(name=name).count() >= MOST_VIEWS // 2:
        raise BadView(f"You have {MOST_VIEWS // 2} views already. Remove one first.")
    kept = QueryDict(mutable=True)
    kept.update(asked)
    view, _ = SavedFilter.objects.update_or_create(
        owner=owner, name=name, defaults={"query": kept.urlencode(), "shared": shared}
    )
    return view

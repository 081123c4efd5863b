"""Cases for the tests of decisions: a notice with its claims, as intake leaves them."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from articles.actions import place_hold
from articles.models import Article, HoldKind
from moderation import ledger
from moderation.apps import MODERATORS
from moderation.models import Claim, ClaimState, Lane, Notice
from tests.factories import ArticleFactory, UserFactory

_numbers = itertools.count(1)


def moderator(**fields: Any) -> User:
    """A member of the desk who may decide claims."""
    person: User = UserFactory(staff=True, **fields)
    person.groups.add(Group.objects.get(name=MODERATORS))
    return person


@transaction.atomic
def notice_about(*articles: Article, lane: Lane = Lane.B, hours_ago: float = 1, **fields: Any) -> Notice:
    """A notice that arrived `hours_ago`, with one claim for each article and the hold its lane gives."""
    number = next(_numbers)
    arrived = timezone.now() - timedelta(hours=hours_ago)
    notice = Notice.objects.create(
        **{
            "reference": f"NR-TEST-{number:06}",
            "secret_hash": f"{number:064}",
            "intake_key": f"{number:064}",
            "received_at": arrived,
            "deadline_at": arrived + timedelta(hours=settings.PROMISE_HOURS),
            "confirmed_at": None if lane == Lane.C else arrived,
            "name": "Olena Rights",
            "email": "olena@owner.example",
            "letter": "Please remove these articles.",
        }
        | fields
    )
    for position, article in enumerate(articles, 1):
        _claim(notice, article, position, lane)
    return notice


def _claim(notice: Notice, article: Article, number: int, lane: Lane) -> Claim:
    claim = Claim.objects.create(
        notice=notice, article=article, number=number, lane=lane, deadline_at=notice.deadline_at
    )
    if lane != Lane.C:
        wait = timedelta(hours=settings.HOLD_AFTER_HOURS if lane == Lane.B else 0)
        claim.hold = place_hold(
            article=article, kind=HoldKind.LEGAL, reference=claim.reference, by=None,
            effective_at=notice.received_at + wait, at=notice.received_at,
        )  # fmt: skip
        claim.save(update_fields=["hold"])
        ledger.append_all(entries=ledger.held([claim]), at=notice.received_at)
    return claim


def claim_in(
    state: ClaimState, *, lane: Lane = Lane.B, article: Article | None = None, **notice: Any
) -> Claim:
    """A claim that came to this state by the moves that lead there."""
    from moderation import actions

    claim = notice_about(article or ArticleFactory(), lane=lane, **notice).claims.get()
    now = timezone.now()
    if state == ClaimState.UNDER_REVIEW:
        actions.take(claim_id=claim.pk, by=moderator(), at=now - timedelta(minutes=11))
    if state in (ClaimState.UPHELD, ClaimState.ERASED, ClaimState.COUNTERED, ClaimState.REINSTATED):
        actions.uphold(claim_id=claim.pk, by=None, at=now)
    if state == ClaimState.ERASED:
        actions.erase(claim_id=claim.pk, at=now, demanded=True)
    if state in (ClaimState.COUNTERED, ClaimState.REINSTATED):
        actions.counter(claim_id=claim.pk, at=now - timedelta(days=30), statement=COUNTER)
    if state == ClaimState.REINSTATED:
        actions.reinstate(claim_id=claim.pk, at=now)
    if state == ClaimState.WITHDRAWN:
        actions.withdraw(claim_id=claim.pk, at=now)
    if state == ClaimState.REFUSED:
        refuse(claim)
    if state == ClaimState.REDUCED:
        reduce_to(claim, "headline")
    claim.refresh_from_db()
    return claim


def refuse(claim: Claim) -> None:
    """Two moderators agree that the article stays."""
    from moderation import actions

    now = timezone.now()
    actions.propose_refusal(
        claim_id=claim.pk,
        by=moderator(),
        at=now,
        reason_code="licensed",
        reasons="We hold a licence until 2030.",
    )
    actions.second_refusal(claim_id=claim.pk, by=moderator(), at=now)


def reduce_to(claim: Claim, part: str, name: str = "", reasons: str = "The rest is not the owner's.") -> None:
    """Two moderators agree that only this part goes."""
    from moderation import actions

    now = timezone.now()
    actions.propose_refusal(
        claim_id=claim.pk,
        by=moderator(),
        at=now,
        reason_code="part_only",
        reasons=reasons,
        part=part,
        name=name,
    )
    actions.second_refusal(claim_id=claim.pk, by=moderator(), at=now)


COUNTER = {
    "name": "Petro Reporter",
    "email": "petro@outlet.example",
    "address": "1 Quay Street",
    "statement": "I wrote this myself.",
    "consents_to_court": True,
    "accepts_service": True,
    "under_penalty": True,
    "signature": "Petro Reporter",
}

"""Counter-notices from the publisher or author of what was removed, by a public form (17 U.S.C. 512(g)).

Where the law gives none (privacy, defamation, a court's order, what is erased) the form takes an objection.

Who is affected gets a secret address for one claim: the author among our own people with the removal, a
publisher at a mailbox of the domain it publishes under, anybody else from a moderator. What is sent there
is without effect until its mailbox confirms it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import unquote

from django.db import transaction
from django.utils import timezone

from articles.canonical import domain_of
from articles.models import Article, ArticleState
from moderation import actions, complaints, letters, limits, lines, proof, receive
from moderation.actions import NotAllowed
from moderation.calendar import reinstatement_window
from moderation.models import ANSWERABLE, Claim, ClaimState, CounterNotice, LetterKind
from moderation.references import keyed

# Fewer than the four business days between the first and the last on which an article comes back.
VOUCHED_WITHIN = timedelta(days=3)
AT_MOST = 5


def may_answer(claim: Claim) -> bool:
    """Whether a counter-notice to this claim would still change something."""
    return claim.state == ClaimState.UPHELD and claim.notice.ground in ANSWERABLE


def may_object(claim: Claim, at: datetime) -> bool:
    """Whether an objection can be sent instead."""
    return not may_answer(claim) and complaints.may_object(claim, at)


def ask(*, address: str, mailbox: str, language: str, sender: str, at: datetime) -> int:
    """Mail the secret addresses for an article to a mailbox of whoever published it; returns how many letters.

    Who asks is told the same whatever comes of it: nobody learns here what is withheld, or whose it is.
    """
    if limits.too_many(sender=sender, mailbox=mailbox, at=at):
        return 0
    domain = domain_of(f"https://{mailbox.rpartition('@')[2]}/")
    if not proof.proves_a_publisher(domain):
        return 0
    theirs = [article for article in _articles_at(address) if domain in receive.domains_of(article)]
    rows = Claim.objects.filter(article__in=theirs, state__in=complaints.OBJECTED_TO)
    claims = [
        claim
        for claim in rows.select_related("notice", "article").order_by("-decided_at")[:AT_MOST]
        if may_answer(claim) or may_object(claim, at)
    ]
    for claim in claims:
        letters.tell_affected(claim=claim, to=mailbox, language=language, at=at)
    return len(claims)


def _articles_at(address: str) -> list[Article]:
    found = [article for line in lines.judge([address.strip()]) for article in line.articles]
    # Of what is erased only the end of our own address is left to know it by.
    slug = unquote(address.strip().partition("?")[0].rstrip("/").rpartition("/")[2])
    return found or list(Article.objects.filter(slug=slug, state=ArticleState.ERASED))


@transaction.atomic
def answer(*, claim_id: int, told: Mapping[str, Any], language: str, at: datetime) -> CounterNotice:
    """Write a counter-notice or an objection down and owe the letter that asks its mailbox. Sent twice it is one.

    Raises NotAllowed when an element is missing or the claim can no longer be answered.
    """
    claim: Claim = Claim.objects.select_for_update().get(pk=claim_id)
    digest = keyed("counter-notice", json.dumps([claim.pk, sorted(told.items())], default=str))
    if known := CounterNotice.objects.filter(digest=digest).first():
        return known
    objects = may_object(claim, at)
    if not (objects or may_answer(claim)):
        raise NotAllowed("This removal can no longer be answered.")
    if not objects:
        actions.refuse_incomplete(told)
    if (
        claim.counter_notices.filter(confirmed_at=None, received_at__gt=at - VOUCHED_WITHIN).count()
        >= AT_MOST
    ):
        raise NotAllowed("Several answers wait to be confirmed already.")
    _leave_time(claim, at)
    written = CounterNotice.objects.create(
        claim=claim, received_at=at, language=language, digest=digest, is_objection=objects,
        **({} if objects else _days(at)), **told,
    )  # fmt: skip
    letters.owe_answerer(kind=LetterKind.VOUCH, answer=written, at=at, context={"objection": objects})
    return written


def _days(at: datetime) -> dict[str, date]:
    window = reinstatement_window(timezone.localdate(at))
    return {"reinstate_not_before": window.not_before, "reinstate_due_on": window.at_latest}


def _leave_time(claim: Claim, at: datetime) -> None:
    """The first answer puts the erasure off until its mailbox had time to confirm; a second one does not."""
    until = at + VOUCHED_WITHIN
    if claim.due_at is not None and claim.due_at < until and not claim.counter_notices.exists():
        claim.due_at = until
        claim.save(update_fields=["due_at"])


def vouch(*, answer_id: int, at: datetime) -> CounterNotice:
    """The mailbox confirms what it sent, which takes effect now. Raises NotAllowed when it is too late."""
    written = CounterNotice.objects.select_related("claim__notice").get(pk=answer_id)
    if written.confirmed_at is None and not may_vouch(written, at):
        raise NotAllowed("This answer was not confirmed in time, or the removal can no longer be answered.")
    if not written.is_objection:
        return actions.take_up(answer_id=answer_id, at=at)
    complaints.object_to(answer_id=answer_id, at=at)
    written.refresh_from_db()
    return written


def may_vouch(written: CounterNotice, at: datetime) -> bool:
    """Whether this answer can still be confirmed."""
    claim = written.claim
    open_still = complaints.may_object(claim, at) if written.is_objection else may_answer(claim)
    return open_still and at <= written.received_at + VOUCHED_WITHIN

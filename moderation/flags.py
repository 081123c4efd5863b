"""What a moderator should know before deciding. Flags inform; none of them stops the clock or decides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Count
from django.utils import timezone

from articles.canonical import domain_of, registrable_domain
from moderation import misuse
from moderation.models import Claim, ClaimState
from moderation.receive import domains_of

MOST = 1000
SERIAL = 5


@dataclass(frozen=True, slots=True)
class History:
    """What became of earlier claims: state in words and how many, at most MOST of them read."""

    counts: tuple[tuple[str, int], ...]
    more: bool


def flags(claim: Claim) -> Iterator[str]:
    """One sentence for each thing worth a second look."""
    yield from _about_the_sender(claim)
    yield from _about_the_original(claim)
    yield from _about_the_notice(claim)
    others = Claim.objects.filter(article_id=claim.article_id).exclude(notice_id=claim.notice_id)
    names = list(others.order_by().values_list("notice__reference", flat=True)[:3])
    if names:
        yield f"The same article is in {', '.join(names)} too."


def _about_the_sender(claim: Claim) -> Iterator[str]:
    domains = domains_of(claim.article)
    host = claim.notice.email.rpartition("@")[2]
    sender = registrable_domain(host) if host else ""
    if domains and sender and sender not in domains:
        yield f"The claimant writes from {sender}; the original stands at {', '.join(sorted(domains))}."
    known = misuse.record_of(claim.notice.email, at=timezone.now())
    if known.refused >= SERIAL:
        yield f"{known.refused} of {known.decided} claims decided for this mailbox within a year were refused."
    if known.unfounded:
        yield f"{known.unfounded} of {known.decided} were refused as manifestly unfounded."


def _about_the_original(claim: Claim) -> Iterator[str]:
    """A copy dated back and claimed as the original is the commonest false notice against news sites."""
    named = {domain_of(url) for url in claim.notice.original_urls.split()} - {""}
    domains = domains_of(claim.article)
    if named and domains and not named & domains:
        first_seen = claim.article.fetched_at or claim.article.created_at
        yield (
            f"The original is said to stand at {', '.join(sorted(named))}, but we read the article at"
            f" {', '.join(sorted(domains))} on {first_seen:%d %B %Y}: it may be dated back."
        )


def _about_the_notice(claim: Claim) -> Iterator[str]:
    if claim.notice.confirmed_at is None:
        yield "The mailbox is not confirmed."
    if claim.notice.missing:
        yield f"The notice is incomplete: {', '.join(claim.notice.missing)}."


def claimants_history(claim: Claim) -> History:
    """Earlier claims from the same mailbox."""
    if not claim.notice.email:
        return History((), more=False)
    return _history(Claim.objects.filter(notice__email__mailbox=claim.notice.email).exclude(pk=claim.pk))


def sources_history(claim: Claim) -> History:
    """Earlier claims about articles of the same source."""
    if claim.article.source_id is None:
        return History((), more=False)
    return _history(Claim.objects.filter(article__source_id=claim.article.source_id).exclude(pk=claim.pk))


def _history(claims: object) -> History:
    first = list(claims.order_by().values_list("pk", flat=True)[: MOST + 1])  # type: ignore[attr-defined]
    counted = Claim.objects.filter(pk__in=first[:MOST]).order_by("state").values_list("state")
    counts = tuple((ClaimState(state).label, number) for state, number in counted.annotate(Count("pk")))
    return History(counts, more=len(first) > MOST)

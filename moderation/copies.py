"""Other articles of ours that show the same work as a claim's article, and withholding them together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import F, Max

from articles import actions as articles
from articles.comparison import sharing_text, sketches
from articles.fingerprint import similarity
from articles.models import Article, ArticleState, Hold, HoldKind
from articles.stories import family_of
from moderation import actions, ledger
from moderation.models import Claim, ClaimEvent, ClaimState, NoticeLine, Verdict

if TYPE_CHECKING:
    from accounts.models import User

MOST = 50
MOST_HELD_BESIDE = 500
NEAR = 0.7


@dataclass(frozen=True, slots=True)
class Copy:
    """An article that shows the same work, how we know, and whether the notice has it already."""

    article: Article
    how: str
    claim: int = 0
    withheld: bool = False


def copies_of(claim: Claim) -> list[Copy]:
    """Copies of a claim's article: folded together, of equal text, or at least NEAR alike. At most MOST."""
    article = Article.objects.select_related("source").get(pk=claim.article_id)
    found = _folded(article) | _alike(article)
    found.pop(article.pk, None)
    rows = Article.objects.filter(pk__in=list(found)[:MOST]).exclude(state=ArticleState.ERASED)
    claimed = dict(claim.notice.claims.filter(article__in=found).values_list("article_id", "number"))
    held = set(Hold.objects.in_effect().filter(article__in=found).values_list("article_id", flat=True))
    return [
        Copy(one, found[one.pk], claimed.get(one.pk, 0), one.pk in held)
        for one in rows.select_related("source").defer("body", "signature").order_by("pk")
    ]


def _folded(article: Article) -> dict[int, str]:
    found = Article.objects.filter(family_of(article)).values_list("pk", flat=True)[: MOST + 1]
    return dict.fromkeys(found, "the same text")


def _alike(article: Article) -> dict[int, str]:
    """Articles that share wording with this one, and are near enough when the two are held side by side."""
    alike = sketches([article.pk, *sharing_text(article)[:MOST_HELD_BESIDE]])
    own = alike.pop(article.pk, b"")
    shares = {pk: similarity(own, sketch) for pk, sketch in alike.items()}
    return {
        pk: f"{round(100 * share)} in a hundred of the wording"
        for pk, share in sorted(shares.items())
        if share >= NEAR
    }


@transaction.atomic
def withhold(
    *, claim_id: int, articles_ids: Sequence[int], by: User, at: datetime, version: int
) -> list[Claim]:
    """Make copies claims of the same notice and withhold them now, as one. Raises NotAllowed for what is no copy."""
    claim = actions.locked_for(claim_id=claim_id, by=by, at=at, version=version)
    known = {copy.article.pk: copy.article for copy in copies_of(claim) if not copy.claim}
    chosen = [known[pk] for pk in dict.fromkeys(articles_ids) if pk in known]
    if not chosen:
        raise actions.NotAllowed("Mark at least one copy that is not in this notice yet.")
    claims = _claims(claim, chosen, by=by, at=at)
    holds = articles.place_holds(
        wanted=[(one.article, one.reference, at) for one in claims], kind=HoldKind.LEGAL, at=at, by=by,
        note="Withheld at the request of its owner.",
    )  # fmt: skip
    for one in claims:
        one.hold = holds[one.article_id]
    Claim.objects.bulk_update(claims, ["hold"])
    ledger.append_all(entries=ledger.held(claims), at=at)
    why = f"A copy of the article of {claim}."
    return [actions.uphold(claim_id=one.pk, at=at, by=by, reasons=why) for one in claims]


def _claims(claim: Claim, chosen: Sequence[Article], *, by: User, at: datetime) -> list[Claim]:
    """New claims of the notice, with their lines and events, under its next numbers."""
    notice = claim.notice
    number = notice.claims.aggregate(last=Max("number"))["last"] or 0
    position = notice.lines.aggregate(last=Max("position"))["last"] or 0
    why = f"Added by a moderator: a copy of the article of {claim}."
    claims = [
        Claim(
            notice=notice, article=one, number=number + n, lane=claim.lane, lane_reason=why,
            deadline_at=claim.deadline_at,
        )
        for n, one in enumerate(chosen, 1)
    ]  # fmt: skip
    Claim.objects.bulk_create(claims)
    ClaimEvent.objects.bulk_create(
        ClaimEvent(claim=one, after=ClaimState.RECEIVED, at=at, by=by, note=why) for one in claims
    )
    NoticeLine.objects.bulk_create(
        NoticeLine(
            notice=notice, position=position + n, text=one.article.get_absolute_url(), verdict=Verdict.OURS, claim=one,
            note=why[:300],
        )
        for n, one in enumerate(claims, 1)
    )  # fmt: skip
    Claim.objects.filter(pk=claim.pk).update(version=F("version") + 1)
    return claims

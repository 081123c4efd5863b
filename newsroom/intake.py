"""Taking in what was read from another system's file: each piece by the way that obeys blocks, opt-outs and holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from django.db import DatabaseError, transaction
from django.db.models import Q

from articles.actions import BLOCKED, CREATED, SKIPPED, Ingested, ingest, ingest_own, set_aside
from articles.canonical import registrable_domain
from articles.drafts import Draft
from articles.models import Article, ArticleState, Source
from newsroom.imports import Found, LeftOut, Piece, Unusable, draft_of

LEFT_OUT, REFUSED = "left out", "refused"
REMOVED = "it was removed at its owner's request, or is withheld"


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What became of one piece: an outcome of `ingest`, LEFT_OUT or REFUSED, and why where it is not here."""

    number: int
    title: str
    outcome: str
    why: str = ""


def source_of(domain: str) -> Source | None:
    """The outlet at this domain, if the desk knows it."""
    return Source.objects.filter(domain=registrable_domain(domain)).order_by("pk").first()


def take_in(
    found: Iterable[Found], *, source: Source | None, to_review: bool, at: datetime
) -> Iterator[TakenIn]:
    """Store the pieces one by one, each in a transaction of its own; yields what became of each, in order.

    A piece that names no outlet is the `source`'s, or our own where there is none.
    """
    outlets = lru_cache(maxsize=256)(source_of)
    for one in found:
        if isinstance(one, LeftOut):
            yield TakenIn(one.number, one.title, REFUSED if one.is_fault else LEFT_OUT, one.why)
            continue
        try:
            its_source = outlets(one.outlet) if one.outlet else source
            if one.outlet and its_source is None:
                raise Unusable(
                    f"its source {one.outlet} is not known here; add it at the desk with its terms"
                )
            yield _told(one, _store(one, its_source, to_review=to_review, at=at))
        except Unusable as error:
            yield TakenIn(one.number, one.headline, REFUSED, str(error))
        except (DatabaseError, ValueError) as error:
            first_line = str(error).partition("\n")[0]
            yield TakenIn(one.number, one.headline, REFUSED, f"the database does not take it: {first_line}")


def _told(piece: Piece, stored: Ingested) -> TakenIn:
    return TakenIn(piece.number, piece.headline, stored.outcome, REMOVED if stored.outcome == BLOCKED else "")


@transaction.atomic
def _store(piece: Piece, source: Source | None, *, to_review: bool, at: datetime) -> Ingested:
    state = ArticleState.REVIEW if to_review else piece.state
    draft = draft_of(
        piece,
        outlet=source.slug if source else "",
        outlet_name=source.name if source else "",
        is_foreign=source is not None,
        at=at,
    )
    if here := _here(piece, draft):
        # A file is older than what is here, and often shorter: it changes nothing.
        is_allowed = Article.objects.allowed().filter(pk=here.pk).exists()
        return Ingested(draft, SKIPPED if is_allowed else BLOCKED, here.pk)
    if source is None:
        return ingest_own(draft=draft, state=state, at=at)
    return _store_of(source, draft, state, at)


def _here(piece: Piece, draft: Draft) -> Article | None:
    """The article that stands at this address, or that this very site once wrote down under this identifier."""
    known = Q(url_key=draft.url_key) if draft.url_key else Q()
    with suppress(ValueError):
        known |= Q(key=UUID(piece.identity.removeprefix("urn:uuid:")))
    return Article.objects.filter(known).first() if known else None


def _store_of(source: Source, draft: Draft, state: ArticleState, at: datetime) -> Ingested:
    """Another's work: shown at once only if it is public where it comes from."""
    is_ahead = draft.published_at is not None and draft.published_at > at
    publish = state == ArticleState.PUBLISHED and not is_ahead
    (stored,) = ingest(source=source, drafts=[draft], at=at, publish=publish)
    if stored.article_id and stored.outcome == CREATED and state == ArticleState.DRAFT:
        set_aside(article=Article.objects.get(pk=stored.article_id), to=ArticleState.DRAFT, by=None)
    return stored

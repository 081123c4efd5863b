"""An owner opts out of being shown, or in again: one row that takes effect at its commit, the rest in portions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from itertools import chain

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from articles import announcements, bulk, surfaces
from articles.actions import keys_of_article
from articles.canonical import domain_of
from articles.models import (
    Article,
    ArticleState,
    BlockedWork,
    BlockKind,
    Contribution,
    Contributor,
    ContributorName,
    Hold,
    HoldKind,
)
from articles.optouts import OptOut, OptOutKind, author_value, covering, spellings
from articles.search import index

NOTE = "Its owner does not want it shown here."


@transaction.atomic
def opt_out(*, domain: str, kind: OptOutKind, value: str, at: datetime) -> OptOut:
    """From this commit on nothing the rule covers is public or comes in. The same rule twice is one rule."""
    rule, created = OptOut.objects.get_or_create(
        domain=domain,
        kind=kind,
        value=value,
        lifted_at=None,
        defaults={"since": at, "contributor": _author(value) if kind == OptOutKind.AUTHOR else None},
    )
    if created:
        surfaces.changed([surfaces.SITE])
    return rule


@transaction.atomic
def lift(*, rule: OptOut, at: datetime) -> OptOut:
    """The owner allows it again. What else withholds an article goes on to withhold it."""
    rule = OptOut.objects.select_for_update().get(pk=rule.pk)
    if rule.lifted_at is None:
        rule.lifted_at = at
        rule.save(update_fields=["lifted_at"])
        surfaces.changed([surfaces.SITE])
    return rule


def _author(value: str) -> Contributor | None:
    """Who is meant: found by going through the names, for the rule itself knows only a hash."""
    own = Contributor.objects.order_by("pk").values_list("pk", "name_key")
    others = ContributorName.objects.order_by("pk").values_list("contributor_id", "name_key")
    names = chain(own.iterator(5000), others.iterator(5000))
    found = next((pk for pk, name_key in names if author_value(name_key) == value), None)
    return Contributor.objects.get(pk=found) if found else None


def covered_after(
    rule: OptOut, *, cursor: int, limit: int, by_others: bool = False
) -> tuple[list[Article], int]:
    """The next portion of what a rule covers, after this id, and the id to go on from; 0 when that was all.

    `by_others` leaves out what the domain's own sources brought: the public query knows that by itself.
    """
    at_domain = Q(canonical_url__icontains=rule.domain)
    own = Q(source__domain=rule.domain)
    rows = Article.objects.filter(at_domain if by_others else own | at_domain, pk__gt=cursor)
    rows = rows.exclude(own) if by_others else rows
    rows = rows.exclude(state=ArticleState.ERASED).select_related("source", "lead_media").order_by("pk")
    found = list(rows.defer("body", "signature")[:limit])
    authors = _authors_of(found) if rule.kind == OptOutKind.AUTHOR else {}
    last = found[-1].pk if len(found) == limit else 0
    return [one for one in found if _is_covered(rule, one, authors.get(one.pk, set()))], last


def _authors_of(articles: Sequence[Article]) -> dict[int, set[str]]:
    """Every folded name of whoever each article credits, read for all of them at once."""
    credited = Contribution.objects.filter(article__in=[one.pk for one in articles])
    named = list(credited.values_list("article_id", "contributor__name_key"))
    same = spellings({name for _, name in named})
    authors: dict[int, set[str]] = defaultdict(set)
    for pk, name in named:
        authors[pk] |= same.get(name, {name})
    return authors


def _is_covered(rule: OptOut, article: Article, authors: set[str]) -> bool:
    source_domain = article.source.domain if article.source else ""
    if rule.domain not in (source_domain.lower(), domain_of(article.canonical_url)):
        return False
    url = article.canonical_url
    return covering([rule], source_domain=source_domain, url=url, authors=authors) is not None


@transaction.atomic
def hold_covered(*, rule: OptOut, articles: Sequence[Article], at: datetime) -> int:
    """Withhold these articles in the rule's name, and keep their addresses and identifiers from coming in again.

    Not their texts: who opts out speaks for a place, and a text of an agency stands in many.
    """
    if not OptOut.objects.select_for_update().standing().filter(pk=rule.pk).exists():
        return 0
    standing = set(
        Hold.objects.standing()
        .filter(reference=rule.reference, article__in=[article.pk for article in articles])
        .values_list("article_id", flat=True)
    )
    new = {article.pk: article for article in articles if article.pk not in standing}
    rows = [(pk, HoldKind.LEGAL.value, rule.reference, at, at, NOTE) for pk in new]
    columns = ["article_id", "kind", "reference", "effective_at", "placed_at", "note"]
    holds = bulk.insert(Hold, columns, rows, returning=["id", "article_id"])
    Hold.objects.filter(pk__in=[pk for pk, _ in holds]).update(latched_at=Now())
    blocks = [
        (hold, pk, kind.value, key)
        for hold, pk in holds
        for kind, key in keys_of_article(new[pk])
        if kind in (BlockKind.ADDRESS, BlockKind.GUID)
    ]
    bulk.insert(BlockedWork, ["hold_id", "article_id", "kind", "key"], blocks, conflicts="DO NOTHING")
    # What its own source brought was gone with the rule. Only another's was on a page until now.
    seen = [pk for pk, one in new.items() if not (one.source and one.source.domain.lower() == rule.domain)]
    surfaces.changed(surfaces.keys_of(seen) if seen else [])
    announcements.owe_pings(new.values())
    return len(new)


@transaction.atomic
def release_covered(*, rule: OptOut, at: datetime, limit: int) -> int:
    """Release a portion of the holds a lifted rule placed; returns how many."""
    held = dict(
        Hold.objects.standing()
        .filter(reference=rule.reference)
        .order_by("pk")
        .values_list("pk", "article_id")[:limit]
    )
    Hold.objects.filter(pk__in=held, released_at__isnull=True).update(released_at=at)
    ids = list(held.values())
    index(ids)
    surfaces.changed(surfaces.keys_of(ids))
    return len(ids)

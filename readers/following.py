"""What a subscription follows: from the address of a list to its articles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Greatest, Now
from django.utils.translation import gettext

from articles import display
from articles.models import Article, ArticleQuerySet, Contributor, Source, Story, Tag
from articles.templatetags.reading import language_name
from readers.models import Kind, Subscription

LISTS = {
    "tags": Kind.TAG,
    "sources": Kind.SOURCE,
    "stories": Kind.STORY,
    "contributors": Kind.CONTRIBUTOR,
    "languages": Kind.LANGUAGE,
}
# An article published so long before the last digest is none of its news, whenever it came.
OLDEST = timedelta(days=14)
Owner = Tag | Source | Story | Contributor
MODELS: dict[str, type[Owner]] = {
    Kind.TAG: Tag,
    Kind.SOURCE: Source,
    Kind.STORY: Story,
    Kind.CONTRIBUTOR: Contributor,
}


@dataclass(frozen=True, slots=True)
class List:
    """A list that can be followed."""

    kind: str
    slug: str
    title: str
    path: str


def at(path: str) -> List | None:
    """The list with this address: `/tags/climate/`, and everything for `/`. None where there is none."""
    steps = [unquote(step) for step in path.split("/") if step]
    if not steps:
        return named(Kind.ALL, "")
    if len(steps) != 2 or steps[0] not in LISTS or "\x00" in path:
        return None
    return named(LISTS[steps[0]], steps[1])


def named(kind: str, slug: str) -> List | None:
    """The list of this kind with this slug, also under a former one; None when it is gone."""
    if kind == Kind.ALL:
        return List(kind, "", gettext("Everything"), "/")
    if kind == Kind.LANGUAGE:
        known = slug.isascii() and slug.isalpha() and len(slug) in (2, 3)
        return List(kind, slug, language_name(slug), f"/languages/{slug}/") if known else None
    owner = owner_of(kind, slug)
    if owner is None:
        return None
    title: str = getattr(owner, "told_headline" if kind == Kind.STORY else "name")
    return List(kind, owner.slug, title, owner.get_absolute_url())


def owner_of(kind: str, slug: str) -> Owner | None:
    """What the list belongs to, as long as readers may know of it."""
    rows = ROWS[kind]()
    found: Owner | None = rows.filter(slug=slug).first()
    if found is None and kind in (Kind.TAG, Kind.CONTRIBUTOR):
        found = rows.filter(former_addresses__slug=slug).first()
    if isinstance(found, Story) and found.merged_into:
        return owner_of(kind, found.merged_into.slug)
    return found


def _shown_sources() -> QuerySet[Any]:
    return Source.objects.filter(Q(suspended_at__isnull=True) | Q(suspended_at__gt=Now()))


def _shown_people() -> QuerySet[Any]:
    mine = Article.objects.public().filter(contributions__contributor=OuterRef("pk"))
    return Contributor.objects.filter(Exists(mine))


# Nobody is named of whom nothing is public, and no story by a headline that is not.
ROWS: dict[str, Callable[[], QuerySet[Any]]] = {
    Kind.TAG: Tag.objects.all,
    Kind.SOURCE: _shown_sources,
    Kind.STORY: lambda: Story.objects.told().select_related("merged_into"),
    Kind.CONTRIBUTOR: _shown_people,
}


def articles_of(subscription: Subscription, *, since: datetime | None, until: datetime) -> ArticleQuerySet:
    """What of the list is public at this moment and came to readers after `since`, up to `until`, newest first.

    A report reaches us later than it was published, and an embargo ends later than it was written: the
    later of the two moments counts, so that nothing falls between two digests.
    """
    came = Greatest("published_at", "created_at")
    found = display.listed().without_copies().annotate(came=came).filter(came__lte=until)
    if since:
        found = found.filter(came__gt=since, published_at__gt=since - OLDEST)
    if subscription.kind == Kind.LANGUAGE:
        return found.in_language(subscription.slug).newest_first()
    if subscription.kind != Kind.ALL:
        owner = owner_of(subscription.kind, subscription.slug)
        found = found.filter(_belongs_to(owner)) if owner else found.none()
    return found.newest_first()


def _belongs_to(owner: Owner) -> Q:
    if isinstance(owner, Tag):
        return Q(pk__in=owner.tagged.values("content_object"))
    if isinstance(owner, Source):
        return Q(source=owner)
    if isinstance(owner, Story):
        return Q(story=owner)
    return Q(pk__in=owner.contributions.values("article"))


def exists(kind: str, slug: str) -> bool:
    """Whether there is such a list at all, public at this moment or not."""
    rows: QuerySet[Any] = QuerySet(MODELS[kind])
    if rows.filter(slug=slug).exists():
        return True
    return kind in (Kind.TAG, Kind.CONTRIBUTOR) and rows.filter(former_addresses__slug=slug).exists()

"""What stands beside an article: the desk's links, its story, the same text elsewhere, what is near."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any

from django.db.models import F, Q, QuerySet, Value
from django.utils import timezone

from articles import display, keyset
from articles.models import Article, ArticleQuerySet, RelatedLink, Tag, TaggedArticle
from articles.related import Card, suggest

SOME_RELATED = 4
SOME_OF_STORY = 6
COMPARED = 60
COMPARED_PER_TAG = 24
MOST_TAGS = 6
Pairs = QuerySet[Any, tuple[int, int]]
# In the place of a tag's key: why else an article is looked at.
STORY, NEXT, SAME_TEXT, NEWEST = 0, -1, -2, -3


@dataclass(frozen=True, slots=True)
class Around:
    """The links beside an article; nothing twice."""

    chosen: list[RelatedLink]
    of_story: list[Article] = field(default_factory=list)
    following: Article | None = None
    copies: list[Article] = field(default_factory=list)
    suggested: list[Article] = field(default_factory=list)

    def articles(self) -> list[Article]:
        """All articles of ours among them."""
        linked = [link.to_article for link in self.chosen if link.to_article]
        return [*linked, *self.of_story, *filter(None, [self.following]), *self.copies, *self.suggested]


def around(article: Article, tags: Sequence[Tag]) -> Around:
    """All that stands beside an article, in three queries."""
    chosen = list(_chosen_links(article))
    reasons = _reasons(article, tags[:MOST_TAGS])
    seen = {article.pk, *(link.to_article_id for link in chosen if link.to_article_id)}
    others = display.listed().in_bulk({pk for pks in reasons.values() for pk in pks} - seen)

    def picked(reason: int) -> list[Article]:
        found = [others[pk] for pk in reasons[reason] if pk in others]
        return sorted(found, key=_age, reverse=reason != SAME_TEXT)

    of_story, copies = picked(STORY), picked(SAME_TEXT)
    following = next(iter(picked(NEXT)), None) if len(of_story) > 1 else None
    of_story = [other for other in of_story if other is not following]
    told = {other.pk for other in [*of_story, *copies, *filter(None, [following])]}
    near = [other for pk, other in others.items() if pk not in told]
    return Around(chosen, of_story, following, copies, _suggested(article, tags, near, reasons))


def suggestions(article: Article) -> list[Article]:
    """What an editor might relate to the article: near ones that stand beside it nowhere yet."""
    now = copy(article)
    now.published_at = article.published_at or timezone.now()
    return around(now, list(article.tags.all())).suggested


def _chosen_links(article: Article) -> QuerySet[RelatedLink]:
    public = Q(to_article__isnull=True) | Q(to_article__in=Article.objects.public())
    return article.related_links.filter(public).select_related("to_article__source")


def _reasons(article: Article, tags: Sequence[Tag]) -> dict[int, set[int]]:
    """For each reason (or tag) the articles it speaks for, in one query."""
    parts: list[Pairs] = [*_of_story(article), _same_text(article), *_near(article, tags)]
    rows = parts[0].union(*parts[1:], all=True)
    found: dict[int, set[int]] = defaultdict(set)
    for reason, pk in rows:
        found[reason].add(pk)
    return found


def _of_story(article: Article) -> Iterator[Pairs]:
    """The newest of its story, and the one that came next."""
    if not article.story_id:
        return
    at = article.published_at
    others = Article.objects.public().without_copies().filter(story=article.story_id).exclude(pk=article.pk)
    later = others.filter(Q(published_at__gt=at) | Q(published_at=at, pk__gt=article.pk))
    yield _because(STORY, others.newest_first()[:SOME_OF_STORY])
    yield _because(NEXT, later.order_by("published_at", "pk")[:1])


def _same_text(article: Article) -> Pairs:
    """The other outlets that published this text."""
    primary = article.copy_of_id or article.pk
    same = Article.objects.public().filter(Q(pk=primary) | Q(copy_of=primary)).exclude(pk=article.pk)
    return _because(SAME_TEXT, same.order_by("published_at", "pk")[:SOME_OF_STORY])


def _near(article: Article, tags: Sequence[Tag]) -> Iterable[Pairs]:
    """The newest of each of its tags; of all articles where it has none."""
    public = Article.objects.public().without_copies()
    if not tags:
        return [_because(NEWEST, public.newest_first()[:COMPARED])]
    newest = {
        tag: keyset.newest_tagged(tag, public).values("content_object")[:COMPARED_PER_TAG] for tag in tags
    }
    return [
        TaggedArticle.objects.filter(tag=tag, content_object__in=keys)
        .annotate(reason=F("tag_id"), other=F("content_object_id"))
        .values_list("reason", "other")
        for tag, keys in newest.items()
    ]


def _because(reason: int, articles: ArticleQuerySet) -> Pairs:
    # A part of a union may not be cut short itself on SQLite; what it asks for may.
    rows = Article.objects.filter(pk__in=articles.values("pk")).annotate(reason=Value(reason), other=F("pk"))
    return rows.values_list("reason", "other")


def _suggested(
    article: Article, tags: Sequence[Tag], others: Sequence[Article], reasons: dict[int, set[int]]
) -> list[Article]:
    shared = {
        pk: frozenset(str(tag) for tag, pks in reasons.items() if tag > 0 and pk in pks)
        for pk in _keys(others)
    }
    cards = [_card(other, shared[other.pk]) for other in others]
    nearest = suggest(_card(article, frozenset(str(tag.pk) for tag in tags)), cards, SOME_RELATED)
    by_key = {other.pk: other for other in others}
    return [by_key[suggestion.key] for suggestion in nearest]


def _keys(articles: Sequence[Article]) -> list[int]:
    return [article.pk for article in articles]


def _age(article: Article) -> tuple[float, int]:
    return (article.published_at.timestamp() if article.published_at else 0.0, article.pk)


def _card(article: Article, tags: frozenset[str]) -> Card:
    assert article.published_at  # noqa: S101 (public articles have a date)
    return Card(
        key=article.pk,
        headline=article.headline,
        published_at=article.published_at,
        tags=tags,
        language=article.language,
    )

"""What stands beside an article: the desk's links, its story, the same text elsewhere, what is near."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from django.db import connection
from django.utils import timezone

from articles import teasers
from articles.fragments import KeptAs
from articles.models import Article, Prepared, RelatedLink, Tag
from articles.related import Card, suggest
from articles.statements import OneOf, Statement, ask
from articles.surfaces import briefly
from articles.visibility import moment_of, public_sql, told_sql

SOME_RELATED = 4
SOME_OF_STORY = 6
COMPARED = 60
COMPARED_PER_TAG = 24
MOST_TAGS = 6
# So many suggestions are kept, since some may be gone, or stand beside the article already, when it is shown.
KEPT = 12
# Suggestions are worked out again when an article has become twice as old, up to this age.
SETTLED = timedelta(days=30)
# Why a row is about an article.
CHOSEN, STORY, NEXT, SAME_TEXT, TITLE = range(5)


@dataclass(frozen=True, slots=True)
class Around:
    """The links beside an article; nothing twice."""

    chosen: list[RelatedLink]
    of_story: list[Article] = field(default_factory=list)
    following: Article | None = None
    copies: list[Article] = field(default_factory=list)
    suggested: list[Article] = field(default_factory=list)
    story_headline: str = ""

    def articles(self) -> list[Article]:
        """All articles of ours among them."""
        linked = [link.to_article for link in self.chosen if link.to_article]
        return [*linked, *self.of_story, *filter(None, [self.following]), *self.copies, *self.suggested]


@dataclass(frozen=True, slots=True)
class _Row:
    """One reason to name something beside an article."""

    reason: int
    place: int
    other: int | None
    url: str
    title: str


def around(article: Article) -> Around:
    """All that stands beside an article, in two queries; others where suggestions must be worked out or replaced."""
    rows = _rows(article)
    near = _kept(article)
    wanted = {row.other for row in rows if row.other and row.reason != TITLE} - {article.pk}
    # Enough of the suggestions, unless some are gone.
    others = _linked(wanted | set(near[: SOME_RELATED + len(wanted)]))
    if len(others) < len(wanted) + SOME_RELATED and len(near) > SOME_RELATED + len(wanted):
        others |= _linked(set(near[SOME_RELATED + len(wanted) :]))

    def picked(reason: int) -> list[Article]:
        found = sorted((row for row in rows if row.reason == reason), key=lambda row: row.place)
        return [others[row.other] for row in found if row.other in others]

    chosen = [_link(article, row, others) for row in rows if row.reason == CHOSEN]
    chosen = [link for link in chosen if link.to_article or link.url]
    seen = {article.pk, *(link.to_article.pk for link in chosen if link.to_article)}
    of_story = [other for other in picked(STORY) if other.pk not in seen]
    following = next(iter(picked(NEXT)), None) if len(of_story) > 1 else None
    following = None if following and following.pk in seen else following
    of_story = [other for other in of_story if other is not following]
    copies = [other for other in picked(SAME_TEXT) if other.pk not in seen]
    seen.update(other.pk for other in [*of_story, *copies, *filter(None, [following])])
    suggested = [others[pk] for pk in near if pk in others and pk not in seen][:SOME_RELATED]
    headline = next((row.title for row in rows if row.reason == TITLE), "")
    return Around(chosen, of_story, following, copies, suggested, headline)


def _link(article: Article, row: _Row, others: dict[int, Article]) -> RelatedLink:
    return RelatedLink(
        article=article,
        to_article=others.get(row.other or 0),
        url=row.url,
        title=row.title,
        position=row.place,
    )


_LINKED = Statement(
    lambda: (
        Article.objects.public()
        .filter(OneOf("pk", "keys"))
        .select_related("source")
        .only("slug", "headline", "language", "published_at", "source__name", "source__slug")
        .annotate(teaser=KeptAs(teasers.KIND))
    )
)


def _linked(keys: Collection[int]) -> dict[int, Article]:
    """Those of these articles that are public, with what a link to one says."""
    return {article.pk: article for article in _LINKED(keys=keys)} if keys else {}


def suggestions(article: Article) -> list[Article]:
    """What an editor might relate to the article: near ones that stand beside it nowhere yet."""
    now = copy(article)
    now.published_at = article.published_at or timezone.now()
    return around(now).suggested


# --- what is named for a reason of its own ----------------------------------------------------

_LINKS = "SELECT 0, position, to_article_id, url, title FROM articles_relatedlink WHERE article_id = %s"
_SAME_TEXT = """SELECT * FROM (
    SELECT 3, ROW_NUMBER() OVER (ORDER BY a.published_at, a.id), a.id, '', ''
    FROM (SELECT id FROM articles_article WHERE copy_of_id = %s UNION SELECT %s) part_copies
    CROSS JOIN articles_article a WHERE a.id = part_copies.id AND a.id <> %s AND {public}
    ORDER BY a.published_at, a.id LIMIT {some}) part_same_a"""
_OF_STORY = """SELECT * FROM (
    SELECT 1, ROW_NUMBER() OVER (ORDER BY published_at DESC, id DESC), id, '', '' FROM (
        SELECT a.id, a.published_at
        FROM (SELECT id FROM articles_article WHERE story_id = %s AND id <> %s) part_story
        CROSS JOIN articles_article a WHERE a.id = part_story.id AND a.copy_of_id IS NULL AND {public}
        ORDER BY a.published_at DESC, a.id DESC LIMIT {some}) part_story_a) part_story_b"""
_FOLLOWING = """SELECT * FROM (
    SELECT 2, 0, a.id, '', ''
    FROM (SELECT id FROM articles_article WHERE story_id = %s AND id <> %s) part_story
    CROSS JOIN articles_article a WHERE a.id = part_story.id AND a.copy_of_id IS NULL AND {public}
        AND (a.published_at > %s OR (a.published_at = %s AND a.id > %s))
    ORDER BY a.published_at, a.id LIMIT 1) part_next_a"""
_TITLE = "SELECT 4, 0, s.id, '', {told} FROM articles_story s WHERE s.id = %s"


def _rows(article: Article) -> list[_Row]:
    """The desk's links, its story and those of one text with it, in one statement."""
    own, story, primary = article.pk, article.story_id, article.copy_of_id or article.pk
    parameters: list[Any] = [own, primary, primary, own]
    if story:
        at = connection.ops.adapt_datetimefield_value(article.published_at)
        parameters += [story, own, story, own, at, at, own, story]
    rows = ask(_reasons(connection.vendor, of_story=bool(story)), parameters, planned=True)
    return sorted((_Row(*row) for row in rows), key=lambda row: (row.reason, row.place))


@lru_cache
def _reasons(vendor: str, *, of_story: bool) -> str:
    """The same text for all articles, so that the database need not think anew for each."""
    parts = [_LINKS, _SAME_TEXT, *([_OF_STORY, _FOLLOWING, _TITLE] if of_story else [])]
    public, told = (sql.replace("%", "%%") for sql in (public_sql(vendor), told_sql(vendor)))
    return " UNION ALL ".join(parts).format(public=public, told=told, some=SOME_OF_STORY)


# --- what is near -----------------------------------------------------------------------------

_OF_TAG = """SELECT part_near.tag_id, a.id, a.headline, a.published_at, a.language FROM (
    SELECT t.tag_id, t.content_object_id FROM articles_taggedarticle t WHERE t.tag_id = %s
        AND (SELECT 1 FROM articles_article a WHERE a.id = t.content_object_id
            AND a.copy_of_id IS NULL AND {public}) IS NOT NULL
    ORDER BY t.published_at DESC, t.content_object_id DESC LIMIT {some}) part_near
    JOIN articles_article a ON a.id = part_near.content_object_id"""
_NEWEST = """SELECT * FROM (
    SELECT 0, a.id, a.headline, a.published_at, a.language FROM articles_article a
    WHERE a.state = 'published' AND a.copy_of_id IS NULL AND {public}
    ORDER BY a.published_at DESC, a.id DESC LIMIT {some}) part_near"""


def _kept(article: Article) -> list[int]:
    """What was found near the article, as far as it is kept and not too long ago; else found now and kept."""
    kept: list[int] | None = getattr(article, "read_next", None)
    at: datetime | None = getattr(article, "read_next_at", None)
    if kept is not None and at is not None and not _is_old(article, at):
        return kept
    found = near(article, list(article.tags.all()))
    if kept is not None or getattr(article, "opening", None) is not None:
        briefly(lambda: _keep(article.pk, found), durable=False)
    return found


def _is_old(article: Article, at: datetime) -> bool:
    published = article.published_at or at
    return at - published < min(SETTLED, (timezone.now() - published) / 2 - timedelta(hours=1))


def _keep(article_id: int, found: Sequence[int]) -> bool:
    # Only beside what is prepared: an article whose text changed meanwhile has no such row.
    rows = Prepared.objects.filter(pk=article_id)
    return bool(rows.update(read_next=list(found), read_next_at=timezone.now(), due_at=None))


@lru_cache
def _nearest(vendor: str, *, tags: int) -> str:
    """One text for each number of tags: a connection keeps what it was asked, and would keep one for each article."""
    public = public_sql(vendor).replace("%", "%%")
    parts = [_OF_TAG.format(public=public, some=COMPARED_PER_TAG)] * tags
    return " UNION ALL ".join(parts or [_NEWEST.format(public=public, some=COMPARED)])


def near(article: Article, tags: Sequence[Tag]) -> list[int]:
    """Keys of the articles nearest to this one, of the newest of each of its tags; of all where it has none."""
    own = [int(tag.pk) for tag in tags[:MOST_TAGS]]
    rows = ask(_nearest(connection.vendor, tags=len(own)), own, planned=True)
    marks: dict[int, set[str]] = defaultdict(set)
    for tag, pk, _, _, _ in rows:
        marks[pk].update([str(tag)] if tag else [])
    cards = {
        pk: _card(pk, headline, at, language, marks[pk])
        for _, pk, headline, at, language in rows
        if pk != article.pk
    }
    tagged = {str(pk) for pk in own}
    of_article = _card(article.pk, article.headline, article.published_at, article.language, tagged)
    return [suggestion.key for suggestion in suggest(of_article, cards.values(), KEPT)]


def _card(pk: int, headline: str, at: Any, language: str, tags: Iterable[str]) -> Card:
    return Card(
        key=pk, headline=headline, published_at=moment_of(at), tags=frozenset(tags), language=language
    )


def suggest_due(limit: int, at: datetime) -> int:
    """Find what is near `limit` new articles before anybody asks; returns how many were looked at."""
    due = list(
        Prepared.objects.filter(due_at__lte=at).order_by("due_at").values_list("pk", flat=True)[:limit]
    )
    for article in Article.objects.public().filter(pk__in=due):
        # Who sets it to nothing has it; should that worker die, the page finds out by itself.
        if Prepared.objects.filter(pk=article.pk, due_at__isnull=False).update(due_at=None):
            _keep(article.pk, near(article, list(article.tags.all())))
    Prepared.objects.filter(pk__in=due, due_at__isnull=False).update(due_at=None)
    return len(due)

"""What stands where on the front page: what editors pinned, and the rest filled from what is there.

The newest comes first, but not alone. A pin says only where; what readers may not see is left out and
its place filled, without anybody having to do something.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from django.db import connection

from articles import teasers
from articles.models import Article, FrontPin, Tag
from articles.statements import OneOf, Statement, ask
from articles.teasers import listed
from articles.visibility import public_sql

CANDIDATES = 60
SECONDARY = 3
PER_SECTION = 4
PER_TAG = 12
MOST_SECTIONS = 8
RIVER = 14
MOST_OF_ONE_SOURCE = 2
# An hour of age weighs as much as one of these points.
_PICTURE, _TEASER, _STORY = 4, 3, 3


@dataclass(frozen=True, slots=True)
class Section:
    """One featured tag and its newest articles that stand nowhere above."""

    tag: Tag
    articles: list[Article]


@dataclass(frozen=True, slots=True)
class Front:
    """The front page from top to bottom."""

    lead: Article | None
    secondary: list[Article]
    sections: list[Section]
    river: list[Article]
    considered: Sequence[Article] = ()

    def articles(self) -> list[Article]:
        """Everything on the page."""
        parts = [self.secondary, *(section.articles for section in self.sections), self.river]
        return [*([self.lead] if self.lead else []), *(article for part in parts for article in part)]


def featured() -> list[Tag]:
    """The tags that have a row on the front page, in their order."""
    return _FEATURED()


def standing() -> list[FrontPin]:
    """The pins that hold now, each list in its order."""
    return _STANDING()


def next_change(pins: Iterable[FrontPin]) -> datetime | None:
    """When the first of these pins ends."""
    return min((pin.until for pin in pins if pin.until), default=None)


def compose(tags: Sequence[Tag], pins: Sequence[FrontPin] = ()) -> Front:
    """The front page: a lead that can carry it, three beside it, a row per tag, then all the rest by time.

    What is pinned stands first in its list.
    """
    pinned = _pinned(pins)
    newest = _NEWEST()
    by_tag = list(_by_tag(tags[:MOST_SECTIONS], newest))
    considered = [
        *newest,
        *(a for found in pinned.values() for a in found),
        *(a for _, found in by_tag for a in found),
    ]
    teasers.fill(considered)
    used = {article.id for articles in pinned.values() for article in articles}
    top = _top([article for article in newest if article.id not in used], pinned.get(None, []))
    used.update(article.id for article in top)
    sections = []
    for tag, articles in by_tag:
        first = pinned.get(tag.pk, [])[:PER_SECTION]
        fresh = [article for article in articles if article.id not in used][: PER_SECTION - len(first)]
        fresh.sort(key=lambda article: not teasers.of(article).pictured)
        used.update(article.id for article in fresh)
        sections += [Section(tag, [*first, *fresh])] if first or fresh else []
    river = [article for article in newest if article.id not in used][:RIVER]
    return Front(top[0] if top else None, top[1:], sections, river, considered)


def _pinned(pins: Sequence[FrontPin]) -> dict[int | None, list[Article]]:
    """The public ones of the pinned articles by their tag's key; None is the top."""
    articles = listed().in_bulk([pin.article_id for pin in pins]) if pins else {}
    found: dict[int | None, list[Article]] = defaultdict(list)
    for pin in sorted(pins, key=lambda pin: pin.position):
        if pin.article_id in articles:
            found[pin.tag_id].append(articles[pin.article_id])
    return found


def _top(newest: Sequence[Article], pinned: Sequence[Article]) -> list[Article]:
    """The lead and the secondary articles: the pinned ones, then by weight, no story twice, no outlet too often."""
    chosen = list(pinned[: 1 + SECONDARY])
    outlets = Counter(article.source_id for article in chosen)
    stories = {article.story_id for article in chosen if article.story_id}
    for article in sorted(newest, key=lambda article: _weight(article, newest[0]), reverse=True):
        if len(chosen) == 1 + SECONDARY:
            break
        if article.story_id in stories or outlets[article.source_id] >= MOST_OF_ONE_SOURCE:
            continue
        chosen.append(article)
        outlets[article.source_id] += 1
        stories.update([article.story_id] if article.story_id else [])
    return chosen


def _weight(article: Article, newest: Article) -> float:
    assert article.published_at  # noqa: S101 (public articles have a date)
    assert newest.published_at  # noqa: S101
    age = (newest.published_at - article.published_at).total_seconds() / 3600
    teaser = teasers.of(article)
    merits = (_PICTURE if teaser.pictured else 0) + (_TEASER if teaser.standfirst else 0)
    return merits + (_STORY if article.story_id else 0) - age


_FEATURED = Statement[Tag](lambda: Tag.objects.filter(featured=True))
_STANDING = Statement[FrontPin](lambda: FrontPin.objects.standing())
_NEWEST = Statement(lambda: listed().without_copies().newest_first()[:CANDIDATES])
_LISTED = Statement(lambda: listed().filter(OneOf("pk", "keys")))
_OF_TAG = """SELECT * FROM (
    SELECT t.tag_id, t.content_object_id FROM articles_taggedarticle t WHERE t.tag_id = {tag}
        AND (SELECT 1 FROM articles_article a WHERE a.id = t.content_object_id
            AND a.copy_of_id IS NULL AND {public}) IS NOT NULL
    ORDER BY t.published_at DESC, t.content_object_id DESC LIMIT {some}) part_newest"""


def _by_tag(tags: Sequence[Tag], known: Sequence[Article]) -> Iterable[tuple[Tag, list[Article]]]:
    """The newest articles of each tag; those that are not `known` are read, all together."""
    if not tags:
        return []
    public = public_sql(connection.vendor)
    parts = [_OF_TAG.format(tag=int(tag.pk), public=public, some=PER_TAG) for tag in tags]
    pairs = sorted(ask(" UNION ALL ".join(parts).replace("%", "%%")))
    articles = {article.id: article for article in known}
    unknown = {pk for _, pk in pairs} - articles.keys()
    articles |= {article.id: article for article in _LISTED(keys=unknown)} if unknown else {}
    ids = {tag: [pk for _, pk in group] for tag, group in groupby(pairs, key=lambda pair: pair[0])}
    return [
        (
            tag,
            sorted((articles[pk] for pk in ids.get(tag.pk, []) if pk in articles), key=_newest, reverse=True),
        )
        for tag in tags
    ]


def _newest(article: Article) -> tuple[float, int]:
    return (article.published_at.timestamp() if article.published_at else 0.0, article.id)

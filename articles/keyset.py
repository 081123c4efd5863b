"""Pages of a list by the place where the last one ended: page 3,000 costs what page 2 costs."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.core.exceptions import BadRequest
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext

from articles.models import Article, ArticleQuerySet, Tag, TaggedArticle

PAGE_SIZE = 30
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MOST = 10**18


@dataclass(frozen=True, slots=True)
class Page:
    """Some articles, newest first, and the cursor of those before them (empty at the end)."""

    articles: list[Article]
    older: str = ""


def page(articles: QuerySet[Article], *, before: str = "", size: int = PAGE_SIZE) -> Page:
    """The newest `size` articles before the cursor; BadRequest when it is not one of ours."""
    if before:
        at, pk = _read(before)
        articles = articles.filter(published_at__lte=at).filter(Q(published_at__lt=at) | Q(pk__lt=pk))
    return _page(articles.order_by("-published_at", "-pk")[: size + 1], size)


def page_of_tag(articles: ArticleQuerySet, tag: Tag, *, before: str = "", size: int = PAGE_SIZE) -> Page:
    """As `page`, of the articles with one tag: read in the order of the tag's own index, whatever its size."""
    keys = newest_tagged(tag, articles)
    if before:
        at, pk = _read(before)
        keys = keys.filter(published_at__lte=at).filter(Q(published_at__lt=at) | Q(content_object__lt=pk))
    return _page(in_order(articles, keys.values_list("content_object", flat=True)[: size + 1]), size)


def in_order(articles: QuerySet[Article], keys: Iterable[int]) -> list[Article]:
    """These of the articles, newest first.

    Found by their keys and put in order here: asked for the order too, SQLite reads all articles in it.
    """
    found = articles.order_by().filter(pk__in=list(keys))
    return sorted(found, key=lambda article: (article.published_at or _EPOCH, article.pk), reverse=True)


def newest_tagged(tag: Tag, articles: ArticleQuerySet) -> QuerySet[TaggedArticle]:
    """The rows that give one tag to one of these articles, newest first."""
    # Asked of each row in turn: a join would let the planner collect all of a big tag and sort it.
    wanted = articles.order_by().filter(pk=OuterRef("content_object")).values("pk")
    rows: QuerySet[TaggedArticle] = TaggedArticle.objects.filter(Exists(wanted), tag=tag)
    return rows.order_by("-published_at", "-content_object_id")


def _page(articles: Iterable[Article], size: int) -> Page:
    found = list(articles)
    return Page(found[:size], cursor(found[size - 1]) if len(found) > size else "")


def cursor(article: Article) -> str:
    """The place of this article in a list, opaque and safe in an address."""
    assert article.published_at  # noqa: S101 (only published articles stand in lists)
    micros = (article.published_at - _EPOCH) // _MICROSECOND
    return base64.urlsafe_b64encode(f"{micros:x}.{article.pk:x}".encode()).decode().rstrip("=")


def _read(text: str) -> tuple[datetime, int]:
    try:
        plain = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode("ascii")
        micros, pk = (int(part, 16) for part in plain.split("."))
        if not (abs(micros) < _MOST and 0 < pk < _MOST):
            raise ValueError
        return _EPOCH + micros * _MICROSECOND, pk
    except (binascii.Error, ValueError, OverflowError) as error:
        raise BadRequest(gettext("This page of the list does not exist. Start from the newest.")) from error

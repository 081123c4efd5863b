"""Pages of a list by the place where the last one ended: page 3,000 costs what page 2 costs."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.exceptions import BadRequest
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils.translation import gettext

from articles.models import Article, ArticleQuerySet, Contribution, Contributor, Tag, TaggedArticle

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


def page_of(
    owner: Tag | Contributor, articles: ArticleQuerySet, *, before: str = "", size: int = PAGE_SIZE
) -> Page:
    """As `page`, of the articles with one tag or by one person: read along their own index, whatever its size."""
    return _page(newest_of(owner, articles, before=before, size=size + 1), size)


def newest_of(
    owner: Tag | Contributor, articles: ArticleQuerySet, *, before: str = "", size: int
) -> list[Article]:
    """The newest of these articles with one tag or by one person; BadRequest when the cursor is not one of ours."""
    keys = rows_of(owner, articles)
    if before:
        at, pk = _read(before)
        keys = keys.filter(published_at__lte=at).filter(Q(published_at__lt=at) | Q(wanted__lt=pk))
    # Found by their keys and put in order here: asked for the order too, SQLite reads all articles in it.
    found = articles.order_by().filter(pk__in=[pk for _, pk in keys[:size]])
    return sorted(found, key=lambda article: (article.published_at or _EPOCH, article.pk), reverse=True)


def rows_of(owner: Tag | Contributor, articles: ArticleQuerySet) -> QuerySet[Any, tuple[datetime, int]]:
    """When published, and the key, of each of these articles with one tag or by one person, newest first."""
    rows: QuerySet[Any] = (
        TaggedArticle.objects.filter(tag=owner).annotate(wanted=F("content_object_id"))
        if isinstance(owner, Tag)
        else Contribution.objects.filter(contributor=owner).annotate(wanted=F("article_id"))
    )
    # Asked of each row in turn: a join would let the planner collect all of a big tag and sort it.
    rows = rows.filter(Exists(articles.order_by().filter(pk=OuterRef("wanted")).values("pk")))
    # Once, for who did several things for an article.
    return rows.order_by("-published_at", "-wanted").values_list("published_at", "wanted").distinct()


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

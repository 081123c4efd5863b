"""Pages of a list by the place where the last one ended: page 3,000 costs what page 2 costs."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from django.core.exceptions import BadRequest
from django.db.models import (
    BigIntegerField,
    CharField,
    DateTimeField,
    Exists,
    F,
    Model,
    OuterRef,
    Q,
    QuerySet,
)
from django.utils.translation import gettext

from articles.models import Article, ArticleQuerySet, Contribution, Contributor, Tag, TaggedArticle
from articles.statements import OneOf, Slot, Statement

M = TypeVar("M", bound=Model)

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
        articles = _before(articles, *_read(before), "pk")
    return _page(articles.order_by("-published_at", "-pk")[: size + 1], size)


class Listing:
    """A list that readers ask for often, by statements that are made once; `articles` may leave Slots open.

    `of`: the articles with one tag, or by one person, whose key is the slot `owner`.
    """

    def __init__(
        self,
        articles: Callable[[], ArticleQuerySet],
        *,
        of: type[Tag] | type[Contributor] | None = None,
        size: int = PAGE_SIZE,
    ) -> None:
        def rows() -> QuerySet[Any]:
            if of is None:
                return articles().order_by("-published_at", "-pk")
            return _rows(of, Slot("owner", BigIntegerField()), articles())

        def later() -> QuerySet[Any]:
            at, pk = Slot("at", DateTimeField()), Slot("pk", BigIntegerField())
            return _before(rows(), at, pk, "wanted" if of else "pk")

        self.size, self.by_key = size, of is not None
        self.first = Statement(lambda: rows()[: size + 1])
        self.later = Statement(lambda: later()[: size + 1])
        self.found = Statement(lambda: articles().order_by().filter(OneOf("pk", "keys")))

    def page(self, *, before: str = "", **values: Any) -> Page:
        """The newest before the cursor; BadRequest when it is not one of ours."""
        if before:
            at, pk = _read(before)
            found = self.later(at=at, pk=pk, **values)
        else:
            found = self.first(**values)
        if self.by_key:
            found = _in_order(self.found(keys=[pk for _, pk in found], **values))
        return _page(found, self.size)


def tag_at(slug: str) -> Tag | None:
    """The tag with this address."""
    return next(iter(_TAG(slug=slug)), None)


def person_at(slug: str) -> Contributor | None:
    """The contributor with this address."""
    return next(iter(_PERSON(slug=slug)), None)


_TAG = Statement[Tag](lambda: Tag.objects.filter(slug=Slot("slug", CharField())))
_PERSON = Statement[Contributor](lambda: Contributor.objects.filter(slug=Slot("slug", CharField())))


def page_of(
    owner: Tag | Contributor, articles: ArticleQuerySet, *, before: str = "", size: int = PAGE_SIZE
) -> Page:
    """As `page`, of the articles with one tag or by one person: read along their own index, whatever its size."""
    keys = rows_of(owner, articles)
    if before:
        keys = _before(keys, *_read(before), "wanted")
    found = articles.order_by().filter(pk__in=[pk for _, pk in keys[: size + 1]])
    return _page(_in_order(found), size)


def _in_order(articles: Iterable[Article]) -> list[Article]:
    """Found by their keys and put in order here: asked for the order too, SQLite reads all articles in it."""
    return sorted(articles, key=lambda article: (article.published_at or _EPOCH, article.pk), reverse=True)


def _before(rows: QuerySet[M], at: Any, pk: Any, key: str) -> QuerySet[M]:
    return rows.filter(published_at__lte=at).filter(Q(published_at__lt=at) | Q(**{f"{key}__lt": pk}))


def rows_of(owner: Tag | Contributor, articles: ArticleQuerySet) -> QuerySet[Any, tuple[datetime, int]]:
    """When published, and the key, of each of these articles with one tag or by one person, newest first."""
    return _rows(type(owner), owner.pk, articles)


def _rows(
    of: type[Tag] | type[Contributor], owner: Any, articles: ArticleQuerySet
) -> QuerySet[Any, tuple[datetime, int]]:
    rows: QuerySet[Any] = (
        TaggedArticle.objects.filter(tag=owner).annotate(wanted=F("content_object_id"))
        if of is Tag
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

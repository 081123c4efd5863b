"""Public addresses: the register of them, and their ready bytes.

Every public page is a registered surface. What it shows it declares (`shows`), and its bytes are
stored as a row with those keys. A change names the keys it touches (`changed`) in its own
transaction and so deletes every row that would be wrong after it. A renderer that began before a
change cannot store what it made (`store` compares serials under the lock each change takes).
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import wraps
from typing import Any

import brotli
from django.db import connection, transaction
from django.db.models import F, Min, Q
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.cache import patch_vary_headers

from articles.models import (
    Article,
    ArticleState,
    Hold,
    ReadyPage,
    ReadyPageKey,
    SurfaceChange,
    SurfaceSerial,
)

View = Callable[..., HttpResponse]
Locate = Callable[[Article], Iterable[str]]

LATEST = "list:latest"
SITE = "site"


@dataclass(frozen=True, slots=True)
class Surface:
    """A kind of public address: its name, and where on it an article can be met."""

    name: str
    locate: Locate


REGISTER: dict[str, Surface] = {}


@dataclass(slots=True)
class Shown:
    """What one response depends on."""

    keys: set[str] = field(default_factory=lambda: {SITE})
    article_ids: set[int] = field(default_factory=set)


def shows(request: HttpRequest, *, articles: Iterable[Article] = (), keys: Iterable[str] = ()) -> None:
    """Declare what the response to `request` shows: articles, and lists such as `tag:7` or LATEST."""
    shown: Shown = request.surface  # type: ignore[attr-defined]
    for article in articles:
        shown.article_ids.add(article.pk)
        shown.keys.add(f"article:{article.pk}")
    shown.keys.update(keys)


def surface(name: str, *, locate: Locate, store: bool = True) -> Callable[[View], View]:
    """Register a view as a public surface and keep its bytes ready. `store=False` only registers.

    `locate(article)` yields the paths under which the article can be met on this surface; a removal
    is proved by fetching them.
    """

    def decorate(view: View) -> View:
        REGISTER[name] = Surface(name, locate)

        @wraps(view)
        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            latch()
            before = serial()
            request.surface = Shown()  # type: ignore[attr-defined]
            response = view(request, *args, **kwargs)
            return _finish(request, response, before=before, storable=store)

        answer.surface_name = name  # type: ignore[attr-defined]
        return answer

    return decorate


def _finish(request: HttpRequest, response: HttpResponse, *, before: int, storable: bool) -> HttpResponse:
    response.headers.setdefault("Cache-Control", "no-cache")
    patch_vary_headers(response, ["Accept-Encoding"])
    if response.status_code != 200 or response.streaming:
        return response
    response.headers["ETag"] = _etag(response.content)
    if storable and request.method == "GET" and not request.META.get("QUERY_STRING"):
        shown: Shown = request.surface  # type: ignore[attr-defined]
        _store(request.path, response, shown, before=before)
    return response


def _etag(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def latch() -> None:
    """Write down which holds have come into effect, so that no clock set back undoes them."""
    if Hold.objects.unlatched().exists():
        due = Hold.objects.unlatched()
        with transaction.atomic():
            touched = list(due.values_list("article_id", flat=True))
            due.update(latched_at=Now())
            changed(keys_of(touched))


def serial() -> int:
    """The number of the last change to anything public."""
    return SurfaceSerial.objects.values_list("serial", flat=True).get(pk=1)


def keys_of(article_ids: Sequence[int]) -> set[str]:
    """Every key a page that shows one of these articles, or a list they belong to, may depend on."""
    keys = {LATEST} if article_ids else set()
    keys.update(f"article:{pk}" for pk in article_ids)
    articles = Article.objects.filter(pk__in=article_ids)
    for source, story in articles.values_list("source_id", "story_id"):
        keys.update([f"source:{source}"] if source else [])
        keys.update([f"story:{story}"] if story else [])
    through = Article.tags.through.objects.filter(content_object__in=article_ids)  # type: ignore[attr-defined]
    keys.update(f"tag:{pk}" for pk in through.values_list("tag_id", flat=True))
    people = articles.filter(contributions__isnull=False).values_list("contributions__contributor_id", flat=True)
    keys.update(f"contributor:{pk}" for pk in people)
    return keys


def changed(keys: Iterable[str]) -> None:
    """Delete every ready page that depends on one of `keys`, in the caller's transaction.

    Call it last in a transaction: the lock it takes makes changes queue until the commit.
    """
    keys = sorted(set(keys))
    if not keys:
        return
    if not connection.in_atomic_block:
        raise RuntimeError("surfaces.changed() belongs into the transaction of the change")
    SurfaceSerial.objects.filter(pk=1).update(serial=F("serial") + 1)
    now = serial()
    SurfaceChange.objects.bulk_create(
        [SurfaceChange(key=key, serial=now) for key in keys],
        update_conflicts=True,
        unique_fields=["key"],
        update_fields=["serial"],
        batch_size=400,
    )
    for start in range(0, len(keys), 400):
        pages = ReadyPageKey.objects.filter(key__in=keys[start : start + 400]).values("page")
        ReadyPage.objects.filter(pk__in=pages).delete()


def _store(path: str, response: HttpResponse, shown: Shown, *, before: int) -> bool:
    if len(path) > 400:
        return False
    until = next_boundary(shown)
    page = ReadyPage(
        path=path,
        etag=response.headers["ETag"],
        content_type=response.headers["Content-Type"],
        body_gzip=gzip.compress(response.content, 6, mtime=0),
        body_br=brotli.compress(response.content, quality=5),
        headers={name: value for name, value in response.headers.items() if name in ("Link", "X-Robots-Tag")},
        valid_until=until,
        stored_at=timezone.now(),
    )
    with transaction.atomic():
        SurfaceSerial.objects.select_for_update().get(pk=1)
        overtaken = SurfaceChange.objects.filter(key__in=shown.keys, serial__gt=before).exists()
        if not overtaken:
            ReadyPage.objects.filter(path=path).delete()
            page.save(force_insert=True)
            ReadyPageKey.objects.bulk_create(ReadyPageKey(page=page, key=key) for key in sorted(shown.keys))
    return not overtaken


def next_boundary(shown: Shown) -> datetime | None:
    """The first moment at which what is shown may no longer be right, by the rows' own times."""
    ids = shown.article_ids
    moments = [
        Hold.objects.standing()
        .filter(article__in=ids, effective_at__gt=Now())
        .aggregate(at=Min("effective_at"))["at"],
        Article.objects.filter(pk__in=ids, expires_at__gt=Now()).aggregate(at=Min("expires_at"))["at"],
    ]
    if any(key.startswith(("list:", "tag:", "source:", "contributor:", "story:")) for key in shown.keys):
        coming = Q(state=ArticleState.PUBLISHED, published_at__gt=Now())
        moments.append(Article.objects.filter(coming).aggregate(at=Min("published_at"))["at"])
    return min((moment for moment in moments if moment), default=None)

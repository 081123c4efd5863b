"""Changes to very many articles, a few at a time: asked for once, done in portions, taken up again where they ended.

A walk goes through the articles by their keys. Each portion is a transaction of its own that also writes how far
the walk is, so a process may be killed at any moment and another goes on; between portions whoever else wants to
write has a turn. Readers never wait: they only read.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, QuerySet

from articles import search, surfaces
from articles.models import Article, Contributor, Source, Tag, TaggedArticle, Walk, WalkKind

# So many articles are changed in one transaction, which takes some fiftieths of a second.
AT_ONCE = 50
# So many keys are looked through for them.
SPAN = 2_000
# So long one worker stays at it before it looks at what else is due.
SECONDS = 5.0
LEASE = 60
KEPT = timedelta(days=90)


class NothingToDo(Exception):
    """What was asked for makes no sense; the text says why."""


@dataclass(frozen=True, slots=True)
class Of:
    """Whose articles: those of one outlet, with one tag, or by one person."""

    source: Source | None = None
    tagged: Tag | None = None
    person: Contributor | None = None


@transaction.atomic
def ask(kind: WalkKind, of: Of, *, tag: Tag | None = None, at: datetime) -> Walk:
    """Begin a change; the same asked twice while it is under way is one. Raises NothingToDo."""
    check(kind, of, tag)
    last = Article.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    about = {"kind": kind, "tag": tag, "source": of.source, "tagged": of.tagged, "person": of.person}
    walk, is_new = Walk.objects.get_or_create(
        **about, finished_at=None, defaults={"last": last, "asked_at": at, "due_at": at}
    )
    if not is_new:
        # What came in since is gone through as well.
        Walk.objects.filter(pk=walk.pk).update(last=last, after=0 if kind == WalkKind.INDEX else F("after"))
    walk.refresh_from_db()
    return walk


def check(kind: WalkKind, of: Of, tag: Tag | None) -> None:
    """Raise NothingToDo when such a change makes no sense."""
    if sum(1 for owner in (of.source, of.tagged, of.person) if owner) != 1:
        raise NothingToDo("Name one outlet, or one tag, whose articles are meant.")
    if (tag is None) != (kind == WalkKind.INDEX):
        raise NothingToDo("Name the tag." if tag is None else "For this no tag is named.")
    if kind == WalkKind.RETAG and of.tagged is None:
        raise NothingToDo("Name the tag in whose place the other is to stand.")
    if kind != WalkKind.UNTAG and tag is not None and tag == of.tagged:
        raise NothingToDo("These are the same tag.")


def run_due(limit: int, at: datetime) -> int:
    """Go on with at most `limit` walks for some seconds each; returns how many were gone on with."""
    due = list(Walk.objects.claimable(at).filter(finished_at__isnull=True).order_by("asked_at")[:limit])
    return sum(go_on(walk, at=at) for walk in due)


def go_on(walk: Walk, *, at: datetime, seconds: float = SECONDS) -> bool:
    """Do portions of a walk for so long, unless another worker has it."""
    token = Walk.objects.claim(walk.pk, at=at, seconds=LEASE)
    if not token:
        return False
    until = time.monotonic() + seconds
    try:
        for took in steps(walk.pk, token, at=at):
            if time.monotonic() > until:
                break
            # As long as we wrote, others may.
            time.sleep(min(took, 0.1))
    finally:
        Walk.objects.finish(walk.pk, token, due_at=at)
    return True


def steps(pk: int, token: str, *, at: datetime) -> Iterator[float]:
    """Do one portion after another; yields how many seconds each took."""
    while True:
        began = time.monotonic()
        walk = Walk.objects.select_related("tag", "source", "tagged", "person").get(pk=pk)
        if walk.finished_at is not None or not _step(walk, token, at):
            return
        yield time.monotonic() - began


@transaction.atomic
def _step(walk: Walk, token: str, at: datetime) -> bool:
    """The next portion, and how far the walk is after it. False when the lease was lost."""
    end = min(walk.after + SPAN, walk.last)
    ids = list(articles_of(walk, end)[:AT_ONCE])
    after = ids[-1] if len(ids) == AT_ONCE else end
    changes = {"after": after, "done": F("done") + len(ids), "attempts": 0}
    changes |= {"finished_at": at} if after >= walk.last else {}
    # Whoever has the lease, and stands where we stand, writes; the row is locked until the portion is done.
    mine = Walk.objects.filter(pk=walk.pk, lease_token=token, after=walk.after)
    if not mine.update(**changes):
        return False
    if ids:
        keys = _change(walk, ids)
        search.index(ids)
        surfaces.changed({*surfaces.keys_of(ids), *keys})
    return True


def articles_of(walk: Walk, end: int) -> QuerySet[Article, int]:
    """The keys of the articles that are meant, of those the walk comes to next."""
    articles = Article.objects.filter(pk__gt=walk.after, pk__lte=end)
    if walk.source_id:
        articles = articles.filter(source=walk.source_id)
    elif walk.tagged_id:
        articles = articles.filter(taggedarticle__tag=walk.tagged_id)
    else:
        articles = articles.filter(contributions__contributor=walk.person_id).distinct()
    return articles.order_by("pk").values_list("pk", flat=True)


def _change(walk: Walk, ids: Sequence[int]) -> set[str]:
    """Do to these articles what was asked; returns the lists they left."""
    if walk.tag_id and walk.kind in (WalkKind.TAG, WalkKind.RETAG):
        rows = [TaggedArticle(content_object_id=pk, tag_id=walk.tag_id) for pk in ids]
        TaggedArticle.objects.bulk_create(rows, ignore_conflicts=True)
    gone = {WalkKind.UNTAG: walk.tag_id, WalkKind.RETAG: walk.tagged_id}.get(WalkKind(walk.kind))
    if gone:
        TaggedArticle.objects.filter(tag=gone, content_object__in=ids).delete()
    return {f"tag:{gone}"} if gone else set()


def prune(limit: int, at: datetime) -> int:
    """Forget at most `limit` walks that ended long ago."""
    old = list(Walk.objects.filter(finished_at__lt=at - KEPT).values_list("pk", flat=True)[:limit])
    Walk.objects.filter(pk__in=old).delete()
    return len(old)

"""We tell programs what became of articles: what the desk published, corrected and retracted, what readers lost.

A message is a row, written in the transaction of the change and due when it takes effect: a removal whose deadline
runs, an embargo. It says which article, never what stands in it, and is sent only if it is still so by then.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from accounts.models import User
from articles.models import Article, ArticleState, Hook, HookDelivery, HookEvent
from articles.tokens import new_token
from articles.webhooks import LEASE_SECONDS, refuse_unusable, send

KEPT = timedelta(days=30)
_OF_MOVE = {
    ArticleState.PUBLISHED: HookEvent.PUBLISHED,
    ArticleState.RETRACTED: HookEvent.RETRACTED,
}


# --- who is told ------------------------------------------------------------------------------


def register(*, name: str, url: str, events: Iterable[str], by: User | None, at: datetime) -> Hook:
    """Tell these events to a program from now on; NotUsable when its address cannot be one."""
    refuse_unusable(url)
    return Hook.objects.create(
        name=name, url=url, events=list(events), nonce=new_token(), created_at=at, created_by=by
    )


def end(*, hook: Hook, at: datetime) -> None:
    """Tell it nothing more, not even what is owed."""
    Hook.objects.filter(pk=hook.pk, ended_at=None).update(ended_at=at)
    hook.deliveries.filter(due_at__isnull=False).update(due_at=None, last_error="The webhook was ended.")


def ping(*, hook: Hook, at: datetime) -> HookDelivery:
    """Owe it a message about nothing, to see whether it arrives."""
    return HookDelivery.objects.create(**_message(hook, HookEvent.PING, None, at), due_at=at)


# --- what is owed -----------------------------------------------------------------------------


def owe(event: HookEvent, due: Mapping[int, datetime]) -> None:
    """Owe this event of articles, by their keys, to every program that asked for it; in the caller's transaction.

    What is owed already is not owed twice, only sooner.
    """
    hooks = [hook for hook in Hook.objects.filter(ended_at=None) if event in hook.events]
    if not hooks:
        return
    waiting = HookDelivery.objects.filter(event=event, article__in=list(due), due_at__isnull=False)
    known = {(row.hook_id, row.article_id): row for row in waiting}
    new, at = [], timezone.now()
    for article in Article.objects.filter(pk__in=list(due)).only("key", "slug", "version"):
        for hook in hooks:
            row = known.get((hook.pk, article.pk))
            if row is None:
                new.append(HookDelivery(**_message(hook, event, article, at), due_at=due[article.pk]))
            else:
                row.due_at = min(row.due_at or at, due[article.pk])
    HookDelivery.objects.bulk_create(new)
    HookDelivery.objects.bulk_update(known.values(), ["due_at"])


def moved(article: Article, *, before: str) -> None:
    """Owe what this move of the desk means to readers."""
    now = timezone.now()
    if event := _OF_MOVE.get(ArticleState(article.state)):
        published = event == HookEvent.PUBLISHED and article.published_at
        owe(event, {article.pk: max(published, now) if published else now})
    elif before == ArticleState.PUBLISHED:
        owe(HookEvent.REMOVED, {article.pk: now})


def rescheduled(article: Article) -> None:
    """An embargo that was made shorter ends sooner for programs too."""
    if article.state == ArticleState.PUBLISHED and article.published_at:
        waiting = HookDelivery.objects.filter(article=article, event=HookEvent.PUBLISHED)
        waiting.filter(due_at__gt=article.published_at).update(due_at=article.published_at)


def _message(hook: Hook, event: HookEvent, article: Article | None, at: datetime) -> dict[str, object]:
    key = uuid.uuid4()
    said: dict[str, object] = {"id": str(key), "type": event, "at": at.isoformat()}
    if article:
        address = f"{settings.SITE_URL}/api/articles/{article.key}"
        url = settings.SITE_URL + article.get_absolute_url()
        said |= {"article": str(article.key), "version": article.version, "url": url, "api_url": address}
    body = json.dumps(said, sort_keys=True)
    return {"hook": hook, "event": event, "article": article, "key": key, "body": body, "created_at": at}


# --- sending ----------------------------------------------------------------------------------


def is_waiting(at: datetime) -> bool:
    """Whether something is to be sent."""
    return bool(HookDelivery.objects.claimable(at).exists())


def send_due(limit: int, at: datetime) -> int:
    """Send what is due; returns how many messages were taken in hand."""
    due = HookDelivery.objects.claimable(at).order_by("pk").values_list("pk", flat=True)
    return sum(_send(pk, at) for pk in list(due[:limit]))


def _send(pk: int, at: datetime) -> int:
    token = HookDelivery.objects.claim(pk, at=at, seconds=LEASE_SECONDS)
    if not token:
        return 0
    row = HookDelivery.objects.select_related("hook", "article").get(pk=pk)
    later = _not_yet(row, at)
    if later:
        HookDelivery.objects.finish(pk, token, due_at=later, attempts=0)
    elif not _is_so(row):
        HookDelivery.objects.finish(pk, token, due_at=None, last_error="No longer so.")
    else:
        send(row, row.hook, token=token, at=at)
    return 1


def _not_yet(row: HookDelivery, at: datetime) -> datetime | None:
    """When an embargo that was made longer ends."""
    article = row.article
    if row.event != HookEvent.PUBLISHED or article is None or article.state != ArticleState.PUBLISHED:
        return None
    return article.published_at if article.published_at and article.published_at > at else None


def _is_so(row: HookDelivery) -> bool:
    if row.article is None:
        return True
    if row.event == HookEvent.RETRACTED:
        return row.article.state == ArticleState.RETRACTED
    is_public = Article.objects.public().filter(pk=row.article.pk).exists()
    return is_public != (row.event == HookEvent.REMOVED)


def prune(limit: int, at: datetime) -> int:
    """Forget messages that were delivered or given up a month ago; returns how many."""
    old = HookDelivery.objects.filter(due_at__isnull=True, created_at__lt=at - KEPT)
    gone, _ = HookDelivery.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:limit])).delete()
    return gone

"""We tell an owner's server what became of each claim, by the messages of `articles.webhooks`.

What is owed is found in the events themselves, so no decision can forget its message.
"""

from __future__ import annotations

import json
import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q, QuerySet

from articles.tokens import new_token
from articles.webhooks import LEASE_SECONDS, refuse_unusable, send
from moderation import ledger
from moderation.models import Claim, ClaimEvent, ClaimState, Lane
from moderation.owner_models import Webhook, WebhookDelivery

OUTCOMES = (
    ClaimState.UPHELD, ClaimState.REDUCED, ClaimState.REFUSED, ClaimState.WITHDRAWN, ClaimState.COUNTERED,
    ClaimState.REINSTATED, ClaimState.ERASED,
)  # fmt: skip
# An event's number is taken before its transaction ends, so the newest numbers may still have gaps.
SETTLED_AFTER = timedelta(minutes=10)


# --- registering ------------------------------------------------------------------------------


@transaction.atomic
def register(*, domain: str, url: str, at: datetime) -> Webhook | None:
    """Send this domain's outcomes to `url` from now on, with a new secret; to nobody when it is empty."""
    if url:
        refuse_unusable(url)
    Webhook.objects.filter(domain=domain, ended_at__isnull=True).update(ended_at=at)
    WebhookDelivery.objects.filter(webhook__domain=domain, due_at__isnull=False).update(
        due_at=None, last_error="The webhook was ended."
    )
    if not url:
        return None
    newest = ClaimEvent.objects.aggregate(pk=Max("pk"))["pk"] or 0
    return Webhook.objects.create(domain=domain, url=url, nonce=new_token(), created_at=at, swept_to=newest)


def of(domain: str) -> Webhook | None:
    """Where this domain's outcomes go."""
    return Webhook.objects.filter(domain=domain, ended_at__isnull=True).first()


# --- writing down what is owed ----------------------------------------------------------------


def is_waiting(at: datetime) -> bool:
    """Whether something is owed or to be sent. Two look-ups when nobody has a webhook."""
    if WebhookDelivery.objects.claimable(at).exists():
        return True
    return any(owed_to(hook).exists() for hook in Webhook.objects.filter(ended_at__isnull=True))


def owed_to(hook: Webhook) -> QuerySet[ClaimEvent]:
    """Outcomes of claims on the webhook's own domain of which no message was written yet."""
    told = WebhookDelivery.objects.filter(webhook=hook, event=OuterRef("pk"))
    proved = Q(notice__domain_proofs__domain=hook.domain, notice__domain_proofs__proved_at__isnull=False)
    theirs = Claim.objects.filter(proved | Q(lane=Lane.A, article__source__domain=hook.domain))
    rows = ClaimEvent.objects.filter(
        ~Exists(told), Exists(theirs.filter(pk=OuterRef("claim"))), pk__gt=hook.swept_to, after__in=OUTCOMES
    )
    return rows.order_by("pk")


def send_due(limit: int, at: datetime) -> int:
    """Write down what became owed, then send what is due; returns how many messages were taken in hand."""
    for hook in Webhook.objects.filter(ended_at__isnull=True):
        _write_down(hook, limit, at)
    due = WebhookDelivery.objects.claimable(at).order_by("due_at", "pk").values_list("pk", flat=True)
    return sum(_send(pk, at) for pk in list(due[:limit]))


@transaction.atomic
def _write_down(hook: Webhook, limit: int, at: datetime) -> None:
    events = list(owed_to(hook).select_related("claim__notice", "claim__article")[:limit])
    rows = [_delivery(hook, event, at) for event in events]
    WebhookDelivery.objects.bulk_create(rows, ignore_conflicts=True)
    if len(events) < limit:
        settled = ClaimEvent.objects.filter(pk__gt=hook.swept_to, at__lt=at - SETTLED_AFTER)
        newest = settled.aggregate(pk=Max("pk"))["pk"]
        if newest:
            Webhook.objects.filter(pk=hook.pk, swept_to__lt=newest).update(swept_to=newest)


def _delivery(hook: Webhook, event: ClaimEvent, at: datetime) -> WebhookDelivery:
    key = uuid.uuid4()
    claim = event.claim
    message = {
        "id": str(key),
        "type": f"claim.{event.after}",
        "at": ledger.moment(event.at),
        "reference": claim.notice.reference,
        "claim": claim.number,
        "article_url": settings.SITE_URL + claim.article.get_absolute_url(),
        "before": event.before,
        "state": event.after,
        "case_url": f"{settings.SITE_URL}/api/notices/{claim.notice.reference}",
    }
    body = json.dumps(message, sort_keys=True)
    return WebhookDelivery(webhook=hook, event=event, key=key, body=body, created_at=at, due_at=at)


# --- sending ----------------------------------------------------------------------------------


def _send(pk: int, at: datetime) -> int:
    token = WebhookDelivery.objects.claim(pk, at=at, seconds=LEASE_SECONDS)
    if not token:
        return 0
    row = WebhookDelivery.objects.select_related("webhook").get(pk=pk)
    send(row, row.webhook, token=token, at=at)
    return 1

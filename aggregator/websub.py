"""WebSub: hubs tell us of news instead of being asked. The W3C recommendation of 2018, the subscriber's part.

A push is believed when its signature is right; fetching goes on beside it, less often, so a hub that
falls silent costs an hour and never an entry.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import logging
import secrets
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from aggregator.actions import store_pushed
from aggregator.entries import Report
from aggregator.fetch import Parser
from aggregator.models import Feed, Subscription, SubscriptionState
from aggregator.sandbox import default_sandbox
from articles.leases import back_off
from webclient.client import Client, default_client
from webclient.errors import OutgoingError

logger = logging.getLogger(__name__)

WANTED = timedelta(days=10)
SHORTEST, LONGEST = timedelta(minutes=5), timedelta(days=30)
LEASE_SECONDS = 60
UNVERIFIED_AFTER = timedelta(hours=1)
METHODS = ("sha1", "sha256", "sha384", "sha512")


class NotVerified(Exception):
    """A hub asks about something that we did not ask for."""


class BadSignature(Exception):
    """The push is not from the hub we agreed a secret with."""


def is_possible() -> bool:
    """Whether a hub could reach us under the address we give."""
    name = settings.SITE_HOST
    if any(ipaddress.ip_address("127.0.0.1") in network for network in settings.FETCH_ALLOW_NETWORKS):
        return True
    try:
        return ipaddress.ip_address(name).is_global
    except ValueError:
        return "." in name


def callback(subscription: Subscription) -> str:
    """Where the hub finds us: an address nobody can guess."""
    return f"{settings.SITE_URL}/websub/{subscription.token}/"


# --- asking hubs ------------------------------------------------------------------------------


def is_waiting(at: datetime) -> bool:
    return is_possible() and (_new_feeds().exists() or Subscription.objects.claimable(at).exists())


def _new_feeds() -> QuerySet[Feed]:
    return Feed.objects.active().exclude(hubs=[]).filter(subscription__isnull=True)


def subscribe_due(limit: int, at: datetime, *, client: Client | None = None) -> int:
    """Ask hubs for at most `limit` subscriptions that are new, run out or were never confirmed."""
    if not is_possible():
        return 0
    Subscription.objects.bulk_create(
        [
            Subscription(
                feed=feed,
                hub=feed.hubs[0][:2000],
                topic=(feed.topic or feed.url)[:2000],
                token=secrets.token_urlsafe(24),
                secret=secrets.token_urlsafe(32),
                due_at=at,
            )
            for feed in _new_feeds().order_by("pk")[:limit]
        ],
        ignore_conflicts=True,
    )
    done = 0
    for subscription in Subscription.objects.claimable(at).select_related("feed").order_by("due_at")[:limit]:
        token = Subscription.objects.claim(subscription.pk, at=at, seconds=LEASE_SECONDS)
        if token:
            _ask(subscription, token, at=at, client=client or default_client())
            done += 1
    return done


def _ask(subscription: Subscription, token: str, *, at: datetime, client: Client) -> None:
    """One request to the hub; what it says comes to the callback. Unconfirmed it is asked again."""
    asked = {
        "hub.mode": "subscribe",
        "hub.topic": subscription.topic,
        "hub.callback": callback(subscription),
        "hub.secret": subscription.secret,
        "hub.lease_seconds": str(int(WANTED.total_seconds())),
    }
    try:
        answer = client.post(
            subscription.hub,
            body=urlencode(asked).encode(),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )
        error = "" if 200 <= answer.status < 300 else f"The hub answers with {answer.status}."
    except OutgoingError as reason:
        error = str(reason)
    wait = back_off(subscription.attempts, first=int(UNVERIFIED_AFTER.total_seconds()), most=86_400)
    # The hub may have confirmed while it was asked: then the turn it set stands.
    rows = Subscription.objects.filter(pk=subscription.pk, lease_token=token)
    rows.filter(Q(verified_at__isnull=True) | Q(verified_at__lt=at)).update(due_at=at + wait)
    rows.update(asked_at=at, last_error=error[:300], lease_until=None, lease_token="")


# --- what hubs say ----------------------------------------------------------------------------


@transaction.atomic
def confirm(*, token: str, mode: str, topic: str, lease_seconds: str, at: datetime) -> Subscription:
    """The hub makes sure that it was we who asked. Raises NotVerified."""
    rows = Subscription.objects.select_for_update().filter(token=token)
    found: Subscription | None = rows.first()
    if found is None or found.topic != topic:
        raise NotVerified("We asked for no such subscription.")
    if mode == "denied":
        found.state, found.due_at = SubscriptionState.DENIED, at + LONGEST
        found.last_error = "The hub refuses the subscription."
    elif mode == "subscribe":
        given = int(lease_seconds[:9]) if lease_seconds.isdecimal() else int(WANTED.total_seconds())
        lease = min(LONGEST, max(SHORTEST, timedelta(seconds=given)))
        found.state, found.verified_at, found.ends_at = SubscriptionState.ACTIVE, at, at + lease
        # Renewed when a fifth of it is left.
        found.due_at, found.attempts, found.last_error = at + lease * 0.8, 0, ""
    else:
        raise NotVerified("We do not want that.")
    found.save(
        update_fields=["state", "verified_at", "ends_at", "due_at", "attempts", "last_error"],
    )
    return found


def receive(
    *, token: str, body: bytes, signature: str, content_type: str, at: datetime, parser: Parser | None = None
) -> Report:
    """Take in what a hub pushed. Raises NotVerified for an unknown address, BadSignature, and NotAFeed."""
    found = Subscription.objects.select_related("feed__source").filter(token=token).first()
    if found is None or found.feed.paused_at or found.feed.gone_at or found.feed.source.suspended_at:
        raise NotVerified("Nobody here wants this any more.")
    if not is_signed(found.secret, body, signature):
        Subscription.objects.filter(pk=found.pk).update(last_error="A push came with a wrong signature.")
        raise BadSignature
    document = (parser or default_sandbox()).parse(body, content_type=content_type, url=found.feed.url)
    report = store_pushed(feed=found.feed, document=document, size=len(body), at=at)
    Subscription.objects.filter(pk=found.pk).update(pushed_at=at, last_error="")
    return report


def is_signed(secret: str, body: bytes, signature: str) -> bool:
    """Whether the header `X-Hub-Signature` is that of this body under our secret."""
    method, _, given = signature.strip().partition("=")
    if method not in METHODS:
        return False
    right = hmac.new(secret.encode(), body, getattr(hashlib, method)).hexdigest()
    return hmac.compare_digest(right, given.strip().lower())

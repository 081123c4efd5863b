"""How often the same sender may make us send letters to somebody who has not confirmed yet.

A limit never closes the channel: over it a notice is received like any other, but nothing is mailed
to the address it gives, so that nobody can use our form to flood a third person's mailbox.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F

from moderation.models import RateWindow

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
PER_SENDER = 30
PER_MAILBOX = 5
PER_MAILBOX_A_DAY = 12
PER_CHECK = 60


def too_many(*, sender: str, mailbox: str, at: datetime) -> bool:
    """Count one notice; True when its sender's or its mailbox's share of unasked letters is used up.

    Only letters from us are limited, never notices: what is refused here is the sending.
    """
    counts = [
        sender and count("sender", sender, window=HOUR, at=at) > PER_SENDER,
        mailbox and count("mailbox", mailbox, window=HOUR, at=at) > PER_MAILBOX,
        mailbox and count("mailbox-day", mailbox, window=DAY, at=at) > PER_MAILBOX_A_DAY,
    ]
    return any(counts)


def count(kind: str, key: str, *, window: timedelta, at: datetime) -> int:
    """Count one more of `kind` for `key`; returns how many it were in this window of time."""
    hashed = _hashed(f"{kind}:{key.strip().casefold()}")
    began_at = datetime.fromtimestamp(
        at.timestamp() // window.total_seconds() * window.total_seconds(), at.tzinfo
    )
    row = RateWindow.objects.filter(key=hashed, began_at=began_at)
    if not row.update(count=F("count") + 1):
        _begin(hashed, began_at)
        row.update(count=F("count") + 1)
    return row.values_list("count", flat=True).get()


def sender_of(meta: Mapping[str, str]) -> str:
    """The network address a request came from; behind our own proxy, the one the proxy saw.

    Through a Unix socket, which has no address, only our own proxy comes. An IPv6 sender owns at least a /64, so that
    is what counts; an IPv4 one on an IPv6 socket is that one alone.
    """
    address = meta.get("REMOTE_ADDR", "")
    forwarded = meta.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip()
    try:
        if forwarded and (not address or ipaddress.ip_address(address).is_private):
            parsed = ipaddress.ip_address(forwarded)
        else:
            parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return str(parsed)
    return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False))


def _begin(hashed: str, began_at: datetime) -> None:
    try:
        with transaction.atomic():
            RateWindow.objects.filter(began_at__lt=began_at - 2 * DAY).delete()
            RateWindow.objects.create(key=hashed, began_at=began_at)
    except IntegrityError:
        # Another request began the same window a moment ago; its row counts for both.
        return


def _hashed(text: str) -> str:
    """Keyed, so that the table says nothing about who wrote to us."""
    return hmac.new(settings.SECRET_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()

"""A message to somebody's server: signed, one row, tried until it is taken. What is owed to whom, others say.

The signature is `Newsroom-Signature: t=<unix seconds>,v1=<hex>`, HMAC-SHA256 with the receiver's secret over
`<t>.<body>`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import uuid
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import models

from articles.leases import Leased, back_off
from webclient.client import Limits, default_client
from webclient.errors import OutgoingError
from webclient.target import read_target

SIGNATURE = "Newsroom-Signature"
TRIES = 20
LEASE_SECONDS = 60
LIMITS = Limits(seconds=15.0, connect_seconds=5.0, silent_seconds=10.0, wire_bytes=65_536, body_bytes=65_536)


class NotUsable(ValueError):
    """The address cannot be a webhook; the message says why."""


class Receiver(models.Model):
    """Abstract: somebody's server."""

    url = models.CharField(max_length=1000)
    nonce = models.CharField(max_length=32, editable=False, help_text="What its secret is made from.")
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True


class Delivery(Leased):
    """Abstract: one message we owe. Delivered when `delivered_at` is set; given up when neither it nor `due_at` is."""

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    body = models.TextField(help_text="The bytes that are signed and sent, each time the same.")
    created_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True, blank=True)
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    last_error = models.CharField(max_length=300, blank=True)

    class Meta:
        abstract = True


def refuse_unusable(url: str) -> None:
    """NotUsable when messages cannot safely go to this address."""
    try:
        target = read_target(url)
    except OutgoingError as error:
        raise NotUsable(f"This address cannot be used: {error}") from error
    # On a server's own networks, which its operator named, encryption may be left out.
    if target.scheme != "https" and not settings.FETCH_ALLOW_NETWORKS:
        raise NotUsable("The address must begin with https://.")
    if urlsplit(url).username or urlsplit(url).password:
        raise NotUsable("Leave the password out of the address; check the signature instead.")


def secret_of(receiver: Receiver, *, key: str | None = None) -> str:
    """What the receiver checks signatures with; made anew from its nonce whenever it is needed."""
    text = f"{receiver._meta.model_name} {receiver.pk} {receiver.nonce}".encode()
    digest = hmac.new((key or settings.SECRET_KEY).encode(), text, hashlib.sha256).digest()
    return f"whs_{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"


def sign(secret: str, body: bytes, *, at: datetime) -> str:
    """The value of the signature's header."""
    seconds = int(at.timestamp())
    digest = hmac.new(secret.encode(), b"%d." % seconds + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={digest}"


def send(row: Delivery, receiver: Receiver, *, token: str, at: datetime) -> None:
    """Send a row of which `token` is the lease, and write down what came of it."""
    body = row.body.encode()
    headers = {
        "Content-Type": "application/json",
        "Newsroom-Delivery": str(row.key),
        SIGNATURE: sign(secret_of(receiver), body, at=at),
    }
    status, wrong = None, ""
    try:
        status = default_client().post(receiver.url, body=body, headers=headers, limits=LIMITS).status
    except OutgoingError as error:
        wrong = f"{type(error).__name__}: {error}"[:300]
    rows: Any = type(row)._default_manager
    if status is not None and 200 <= status < 300:
        rows.finish(row.pk, token, delivered_at=at, due_at=None, status=status, last_error="")
        return
    again = at + back_off(row.attempts) if row.attempts < TRIES else None
    rows.finish(row.pk, token, due_at=again, status=status, last_error=wrong or f"Answered {status}.")

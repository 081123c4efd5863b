"""Tokens by which a program works at the desk for a person: made, looked up, revoked. Each is shown once."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta

from accounts.models import AccessToken, HandledRequest, User

MARK = "ndt_"
USED_TO_THE = timedelta(minutes=10)
REPEATS_KEPT = timedelta(days=7)


def issue(
    *, user: User, name: str, scopes: Collection[str], expires_at: datetime, at: datetime
) -> tuple[AccessToken, str]:
    """A new token and its row; the token itself is nowhere but in what this returns."""
    token = MARK + secrets.token_urlsafe(32)
    row = AccessToken.objects.create(
        user=user, name=name, scopes=sorted(scopes), begins=token[:10], key_hash=hash_of(token),
        created_at=at, expires_at=expires_at,
    )  # fmt: skip
    return row, token


def opened_by(token: str, *, at: datetime) -> AccessToken | None:
    """The row of a token that opens something now: not revoked, not expired, its person still of the desk."""
    rows = AccessToken.objects.filter(revoked_at=None, expires_at__gt=at, user__is_active=True)
    row = rows.filter(key_hash=hash_of(token), user__is_staff=True).select_related("user").first()
    # Written once in a while only: reading with a token should not write at every request.
    if row and (row.used_at is None or row.used_at < at - USED_TO_THE):
        AccessToken.objects.filter(pk=row.pk).update(used_at=at)
    return row


def revoke(*, token: AccessToken, at: datetime) -> None:
    """From now on it opens nothing, and cannot be brought back."""
    AccessToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=at)


def hash_of(text: str) -> str:
    """What is kept of a token: it is long and random, so that nobody finds it by trying."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def prune(limit: int, at: datetime) -> int:
    """Forget requests that no program repeats any more; returns how many."""
    old = HandledRequest.objects.filter(at__lt=at - REPEATS_KEPT).values_list("pk", flat=True)[:limit]
    gone, _ = HandledRequest.objects.filter(pk__in=list(old)).delete()
    return gone

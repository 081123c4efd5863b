"""Work that is a row: claimed by one worker at a time, taken over when that worker dies."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Self

from django.db import models
from django.db.models import Expression, F, Q


class LeasedQuerySet(models.QuerySet[Any]):
    """Rows that are work to do. `due_at` says when; a lease says who has it at the moment."""

    def claimable(self, at: datetime | Expression) -> Self:
        """Due rows that nobody holds, or whose holder's lease ran out."""
        free = Q(lease_until__isnull=True) | Q(lease_until__lte=at)
        return self.filter(free, due_at__lte=at)

    def claim(self, pk: int, *, at: datetime, seconds: int) -> str:
        """Take one row for `seconds`. Returns the lease's token, or "" when another was faster.

        One conditional UPDATE, so of any number of workers on any number of hosts one gets it.
        """
        token = secrets.token_hex(16)
        taken = (
            self.claimable(at)
            .filter(pk=pk)
            .update(
                lease_until=at + timedelta(seconds=seconds), lease_token=token, attempts=F("attempts") + 1
            )
        )
        return token if taken else ""

    def claim_some(self, pks: Collection[int], *, at: datetime, seconds: int) -> tuple[str, set[int]]:
        """The same for several rows at once; returns the token they share and which of them we got."""
        token = secrets.token_hex(16)
        taken = (
            self.claimable(at)
            .filter(pk__in=pks)
            .update(
                lease_until=at + timedelta(seconds=seconds), lease_token=token, attempts=F("attempts") + 1
            )
        )
        if taken == len(pks):
            return token, set(pks)
        return token, set(self.filter(pk__in=pks, lease_token=token).values_list("pk", flat=True))

    def renew(self, pk: int, token: str, *, at: datetime, seconds: int) -> bool:
        """Hold a row longer; False when the lease was lost."""
        return bool(self.filter(pk=pk, lease_token=token).update(lease_until=at + timedelta(seconds=seconds)))

    def finish(self, pk: int, token: str, **changes: Any) -> bool:
        """Write the result and give the lease back; False when the lease was lost to a successor."""
        return bool(self.filter(pk=pk, lease_token=token).update(lease_until=None, lease_token="", **changes))


LeasedManager = models.Manager.from_queryset(LeasedQuerySet)


class Leased(models.Model):
    """Abstract: the columns a claim by lease needs."""

    due_at = models.DateTimeField(null=True, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    lease_token = models.CharField(max_length=32, blank=True, default="", editable=False)
    attempts = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        abstract = True


def back_off(attempts: int, *, first: int = 30, most: int = 6 * 3600) -> timedelta:
    """How long to wait after the n-th failure: twice as long each time, up to `most` seconds."""
    return timedelta(seconds=min(most, first * 2 ** min(attempts, 20)))

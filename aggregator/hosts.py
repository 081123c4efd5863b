"""Whose turn it is to ask a host: one process at a time, and a pause between its questions."""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import lru_cache
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q

from aggregator.models import HostTurn
from webclient.addresses import Network, is_within

LEASE = timedelta(seconds=120)
FRESH = timedelta(seconds=60)
ASK_AGAIN = 1.0
# Seconds. A host with many feeds that wants an hour between two of them would never be read whole.
LONGEST_PAUSE = 10.0
LONGEST_HOST = 255


def host_of(url: str) -> str:
    """The server a feed is asked of, with its port."""
    try:
        return urlsplit(url).netloc.lower()[:LONGEST_HOST]
    except ValueError:
        return url[:LONGEST_HOST]


def is_own(host: str) -> bool:
    """Whether the host is an address of a network that the operator opened: nobody has to be spared there."""
    return _is_within(host, tuple(settings.FETCH_ALLOW_NETWORKS))


@lru_cache(maxsize=4096)
def _is_within(host: str, networks: tuple[Network, ...]) -> bool:
    name = urlsplit(f"//{host}").hostname or ""
    try:
        address = ipaddress.ip_address("127.0.0.1" if name == "localhost" else name)
    except ValueError:
        return False
    return is_within(address, networks)


class Turns:
    """The hosts that one pass has the turn of. A turn is a row, so it holds for every process on every machine."""

    def __init__(self) -> None:
        self.token = secrets.token_hex(16)
        self.until: dict[str, datetime] = {}
        self.asked_at: dict[str, datetime] = {}
        self.given_up: set[str] = set()

    def take(self, hosts: Iterable[str], *, at: datetime) -> None:
        """Take the turn of each host that nobody has; what we have already is held on to."""
        wanted = sorted({host for host in hosts if not is_own(host) and not self.has(host, at=at + FRESH)})
        if not wanted:
            return
        with transaction.atomic():
            HostTurn.objects.bulk_create([HostTurn(host=host) for host in wanted], ignore_conflicts=True)
            free = Q(until__isnull=True) | Q(until__lte=at) | Q(token=self.token)
            # In one order, so that two who want the same hosts never wait for each other.
            rows = HostTurn.objects.filter(free, host__in=wanted).order_by("host")
            if connection.features.has_select_for_update_skip_locked:
                rows = rows.select_for_update(skip_locked=True)
            ours = dict(rows.values_list("host", "asked_at"))
            HostTurn.objects.filter(host__in=ours).update(until=at + LEASE, token=self.token)
        for host, asked_at in ours.items():
            self.until[host] = at + LEASE
            if asked_at:
                self.asked_at[host] = max(asked_at, self.asked_at.get(host, asked_at))

    def has(self, host: str, *, at: datetime) -> bool:
        return host in self.until and self.until[host] > at

    def seconds_to_wait(self, host: str, *, at: datetime, pause: float = 0.0) -> float:
        """How long the host may not be asked yet; 0 when it may, and its turn is ours.

        `pause` is what the host itself wants between two questions; more than LONGEST_PAUSE is not granted.
        """
        if is_own(host):
            return 0.0
        self.take([host], at=at)
        if not self.has(host, at=at):
            return ASK_AGAIN
        asked_at = self.asked_at.get(host)
        rest = timedelta(seconds=max(settings.FETCH_HOST_SECONDS, min(pause, LONGEST_PAUSE)))
        return max(0.0, (asked_at + rest - at).total_seconds()) if asked_at else 0.0

    def was_asked(self, host: str, *, at: datetime) -> None:
        """The pause begins now."""
        self.asked_at[host] = at

    def give_back(self) -> None:
        """Others may take the hosts, after the pause."""
        for host in self.until:
            HostTurn.objects.filter(host=host, token=self.token).update(
                until=None, token="", asked_at=self.asked_at.get(host)
            )
        self.until.clear()


def forget(limit: int, at: datetime) -> int:
    """Delete at most `limit` rows of hosts that nobody asked for a day."""
    old = HostTurn.objects.filter(Q(asked_at__isnull=True) | Q(asked_at__lte=at - timedelta(days=1)))
    unused = old.filter(Q(until__isnull=True) | Q(until__lte=at - timedelta(days=1)))
    deleted, _ = HostTurn.objects.filter(pk__in=list(unused.values_list("pk", flat=True)[:limit])).delete()
    return deleted

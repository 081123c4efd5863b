"""When a domain was registered, asked by RDAP (RFC 9083) while a moderator looks. Nothing is stored."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.conf import settings

from articles.canonical import domain_of, registrable_domain
from moderation.models import Claim
from moderation.proof import proves_a_publisher
from webclient.client import Limits, default_client
from webclient.errors import OutgoingError

LIMITS = Limits(seconds=5, connect_seconds=3, silent_seconds=4, wire_bytes=500_000, body_bytes=1_000_000)
YOUNG_DAYS = 180
MOST = 3


@dataclass(frozen=True, slots=True)
class Registered:
    """A domain on which a notice relies, and how old it was when the notice came."""

    domain: str
    on: date | None = None
    days: int = 0
    error: str = ""

    @property
    def is_young(self) -> bool:
        """Younger than half a year: a copy dated back often stands on a domain made for it."""
        return self.on is not None and self.days < YOUNG_DAYS


def ages(claim: Claim) -> list[Registered]:
    """The age of each domain that the notice names as the original's or writes from; none where no registry is set."""
    if not settings.RDAP_URL:
        return []
    notice = claim.notice
    named = [domain_of(url) for url in notice.original_urls.split()]
    named.append(registrable_domain(notice.email.rpartition("@")[2]))
    asked = [domain for domain in dict.fromkeys(named) if proves_a_publisher(domain)]
    return [_asked(domain, notice.received_at) for domain in asked[:MOST]]


def _asked(domain: str, at: datetime) -> Registered:
    try:
        answer = default_client().get(
            f"{settings.RDAP_URL.rstrip('/')}/domain/{domain}",
            headers={"Accept": "application/rdap+json"},
            limits=LIMITS,
        )
    except OutgoingError as error:
        return Registered(domain, error=str(error))
    on = _registration(answer.body) if answer.status == 200 else None
    if on is None:
        return Registered(domain, error=f"answer {answer.status} without a day of registration")
    return Registered(domain, on=on, days=(at.date() - on).days)


def _registration(body: bytes) -> date | None:
    try:
        events: Any = json.loads(body)["events"]
        said = next(one["eventDate"] for one in events if one["eventAction"] == "registration")
        return datetime.fromisoformat(said).date()
    except (ValueError, TypeError, KeyError, StopIteration, RecursionError):
        return None

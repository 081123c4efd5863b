"""WebSub: telling a hub which of our feeds changed (https://www.w3.org/TR/websub/, publishing as hubs know it)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import urlencode, urlsplit

from django.conf import settings

from articles.models import Contributor, Source, Tag
from webclient.client import Limits, default_client
from webclient.errors import OutgoingError

LIMITS = Limits(seconds=15.0, connect_seconds=5.0, silent_seconds=10.0, wire_bytes=65_536, body_bytes=65_536)
FORMATS = ("rss", "atom", "json")
EVERYTHING = "list:latest"
# After an outage or a change of everything the feed of everything is told of, and no more than so many others.
MOST_LISTS = 200
_OWNERS: dict[str, type[Tag] | type[Source] | type[Contributor]] = {
    "tag": Tag,
    "source": Source,
    "contributor": Contributor,
}


class NotTaken(OutgoingError):
    """The hub refused."""


def lists_in(keys: Sequence[str]) -> list[str]:
    """Of the keys of a change those of lists that have feeds."""
    return [key for key in keys if key == EVERYTHING or key.partition(":")[0] in _OWNERS]


def addresses_of(keys: Sequence[str]) -> Iterator[str]:
    """The addresses of the feeds of these lists."""
    stems = ["/feeds/latest"] if EVERYTHING in keys else []
    for kind, model in _OWNERS.items():
        pks = [int(key.partition(":")[2]) for key in keys if key.startswith(f"{kind}:")][:MOST_LISTS]
        stems += [f"{owner.get_absolute_url()}feed" for owner in model._default_manager.filter(pk__in=pks)]
    yield from (f"{settings.SITE_URL}{stem}.{form}" for stem in stems for form in FORMATS)


def tell(hub: str, keys: Sequence[str]) -> None:
    """Have the hub fetch the feeds of these lists again; raises OutgoingError unless it took that."""
    topics = list(addresses_of(keys))
    if not topics:
        return
    said = urlencode([("hub.mode", "publish"), *(("hub.url", topic) for topic in topics)])
    answer = default_client().post(
        hub,
        body=said.encode(),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        limits=LIMITS,
    )
    if not 200 <= answer.status < 300:
        raise NotTaken(f"{urlsplit(hub).hostname} answered {answer.status} to the feeds.")

"""Caches in front of the site that can be told what to forget: Fastly, Cloudflare, Varnish.

Each knows three things: which header of a response carries its keys, which header says how long it may
keep it, and how it is told to drop whatever carries a key. docs/decisions/shared-caches.md.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from webclient.client import Client, Limits, resolve
from webclient.errors import OutgoingError

# Purging is the one request a decision waits for, so it may not take long; the worker tries again.
LIMITS = Limits(seconds=5.0, connect_seconds=2.0, silent_seconds=4.0, wire_bytes=65_536, body_bytes=65_536)
# Varnish takes no longer header line than 8 KiB.
MOST_BYTES_OF_KEYS = 6_000

Headers = list[tuple[str, str]]


class NotAcknowledged(OutgoingError):
    """The cache answered, but not that it has dropped what it was told to."""


class Cache(Protocol):
    """What the site needs to know of a cache in front of it."""

    @property
    def name(self) -> str:
        """What the operator calls it."""
        ...

    def keep(self, keys: Iterable[str], seconds: int) -> Headers:
        """The headers of a response that may be kept for so long and is found by these keys."""
        ...

    def never(self) -> Headers:
        """The headers of a response that may not be kept at all."""
        ...

    def purge(self, keys: Sequence[str]) -> None:
        """Drop everything that carries one of the keys; raises OutgoingError unless that was acknowledged."""
        ...


@dataclass(frozen=True)
class Varnish:
    """One or several Varnish servers with `deploy/varnish.vcl`."""

    servers: tuple[str, ...]
    name: str = "Varnish"

    def keep(self, keys: Iterable[str], seconds: int) -> Headers:
        return [("xkey", " ".join(keys)), ("Surrogate-Control", f"max-age={seconds}")]

    def never(self) -> Headers:
        return [("Surrogate-Control", "no-store")]

    def purge(self, keys: Sequence[str]) -> None:
        for server in self.servers:
            client = _client_inside(server)
            try:
                for some in _portions(keys, most=500):
                    url = f"{server}/newsroom-purge"
                    _send(client, url, body=b"", headers={"X-Key-Purge": " ".join(some)})
            finally:
                client.close()


@dataclass(frozen=True)
class Fastly:
    """A Fastly service, by surrogate keys. Its token needs the scope `purge_select`."""

    token: str = field(repr=False)
    service: str
    api: str = "https://api.fastly.com"
    name: str = "Fastly"

    def keep(self, keys: Iterable[str], seconds: int) -> Headers:
        return [("Surrogate-Key", " ".join(keys)), ("Surrogate-Control", f"max-age={seconds}")]

    def never(self) -> Headers:
        return [("Surrogate-Control", "max-age=0, no-store")]

    def purge(self, keys: Sequence[str]) -> None:
        _post_all(
            self.api,
            f"/service/{self.service}/purge",
            [{"surrogate_keys": some} for some in _portions(keys, most=256)],
            {"Fastly-Key": self.token, "Accept": "application/json"},
        )


@dataclass(frozen=True)
class Cloudflare:
    """A Cloudflare zone, by cache tags. Its token needs the permission to purge the zone's cache."""

    token: str = field(repr=False)
    zone: str
    api: str = "https://api.cloudflare.com"
    name: str = "Cloudflare"

    def keep(self, keys: Iterable[str], seconds: int) -> Headers:
        return [("Cache-Tag", ",".join(keys)), ("Cloudflare-CDN-Cache-Control", f"max-age={seconds}")]

    def never(self) -> Headers:
        return [("Cloudflare-CDN-Cache-Control", "no-store")]

    def purge(self, keys: Sequence[str]) -> None:
        _post_all(
            self.api,
            f"/client/v4/zones/{self.zone}/purge_cache",
            [{"tags": some} for some in _portions(keys, most=30)],
            {"Authorization": f"Bearer {self.token}"},
        )


def read(text: str) -> Cache:
    """The cache that CDN_URL names. Raises ValueError when it names none."""
    parts = urlsplit(text)
    api = parse_qs(parts.query).get("api", [""])[0]
    if parts.scheme == "varnish":
        return Varnish(tuple(_server(place) for place in parts.netloc.split(",")))
    token, where = unquote(parts.username or ""), parts.netloc.rpartition("@")[2]
    if not token or not where.isalnum():
        raise ValueError("a token and the name of a service are needed")
    kinds: dict[str, type[Fastly] | type[Cloudflare]] = {"fastly": Fastly, "cloudflare": Cloudflare}
    if parts.scheme not in kinds:
        raise ValueError("not a cache we can purge")
    return kinds[parts.scheme](token, where, **({"api": api} if api else {}))


def _server(place: str) -> str:
    parts = urlsplit(f"http://{place}")
    if not parts.hostname or parts.username or parts.port == 0:
        raise ValueError("not host:port")
    return f"http://{place}"


def _post_all(api: str, path: str, bodies: Iterable[object], headers: dict[str, str]) -> None:
    """Post each body as JSON to the service's interface; every one must be acknowledged."""
    client = Client(_networks(api) if urlsplit(api).scheme == "http" else (), limits=LIMITS)
    try:
        for body in bodies:
            said = {"Content-Type": "application/json", **headers}
            _send(client, api + path, body=json.dumps(body).encode(), headers=said)
    finally:
        client.close()


def _client_inside(server: str) -> Client:
    """A client for which the operator's own cache, in a private network, is the one address allowed."""
    return Client(_networks(server), limits=LIMITS)


def _networks(url: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    parts = urlsplit(url)
    try:
        found = resolve(parts.hostname or "", parts.port or 80)
    except OSError as error:
        raise NotAcknowledged(f"There is no server by the name {parts.hostname}.") from error
    return [ipaddress.ip_network(address.partition("%")[0]) for address in found]


def _send(client: Client, url: str, *, body: bytes, headers: dict[str, str]) -> None:
    answer = client.post(url, body=body, headers=headers)
    if not 200 <= answer.status < 300:
        raise NotAcknowledged(f"{urlsplit(url).hostname} answered {answer.status} to a purge.")


def _portions(keys: Sequence[str], *, most: int) -> Iterator[list[str]]:
    """At most so many keys at a time, and no more of them than one header holds."""
    portion: list[str] = []
    for key in keys:
        if portion and (len(portion) == most or sum(map(len, portion)) + len(portion) > MOST_BYTES_OF_KEYS):
            yield portion
            portion = []
        portion.append(key)
    if portion:
        yield portion

"""A web address taken apart the one way this site reads it, or refused."""

from __future__ import annotations

import ipaddress
import re
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit

import idna

from webclient.errors import BadAddress

MAX_LENGTH = 4096
DEFAULT_PORTS = {"http": 80, "https": 443}
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
HOST_NAME = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?\.?")
KEPT_IN_PATH = "/%:@!$&'()*+,;=~-._"
KEPT_IN_QUERY = KEPT_IN_PATH + "?[]|{}^\\`"


@dataclass(frozen=True)
class Target:
    """Where to connect and what to ask there."""

    scheme: str
    host: str
    port: int
    request: str

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.request}"


def read_target(url: str) -> Target:
    """The address in parts, its host in lower-case ASCII; raises BadAddress with the reason."""
    if len(url) > MAX_LENGTH:
        raise BadAddress("The address is too long.")
    if CONTROL.search(url):
        raise BadAddress("The address contains control characters.")
    try:
        parts = urlsplit(url.strip(" "))
        port = parts.port
        name = parts.hostname or ""
    except ValueError as error:
        raise BadAddress(f"The address cannot be read: {error}.") from error
    scheme = parts.scheme.lower()
    if scheme not in DEFAULT_PORTS:
        raise BadAddress("Only addresses that begin with http:// or https:// can be fetched.")
    if "@" in parts.netloc or "\\" in parts.netloc:
        raise BadAddress("Addresses with a user name or password in them are not fetched.")
    if port == 0:
        raise BadAddress("The address names port 0.")
    request = quote(parts.path, safe=KEPT_IN_PATH) or "/"
    if parts.query:
        request += "?" + quote(parts.query, safe=KEPT_IN_QUERY)
    return Target(scheme, read_host(name), port or DEFAULT_PORTS[scheme], request)


def read_host(name: str) -> str:
    """A host as it is looked up: an address literal, or a name in ASCII."""
    if not name:
        raise BadAddress("The address names no server.")
    if ":" in name:
        return _ipv6(name)
    try:
        host = name if name.isascii() else idna.encode(name, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError) as error:
        raise BadAddress(f"The server's name is not valid: {name}.") from error
    host = host.lower()
    if len(host) > 253 or not HOST_NAME.fullmatch(host) or ".." in host:
        raise BadAddress(f"The server's name is not valid: {name}.")
    return host


def follow(url: str, location: str) -> str:
    """The address a redirect from `url` leads to."""
    # Headers arrive as Latin-1; many servers write UTF-8 there.
    with suppress(UnicodeError):
        location = location.encode("latin-1").decode("utf-8")
    try:
        return urljoin(url, location.strip(" \t"))
    except ValueError as error:
        raise BadAddress(f"The server passed on to an address that cannot be read: {error}.") from error


def _ipv6(literal: str) -> str:
    try:
        address = ipaddress.IPv6Address(literal)
    except ValueError as error:
        raise BadAddress(f"The server's address is not valid: {literal}.") from error
    if address.scope_id:
        raise BadAddress("Addresses with a network zone are not fetched.")
    return str(address)

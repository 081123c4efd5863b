"""The client every outgoing request goes through."""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NoNameInTime
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache

import certifi
from urllib3 import HTTPResponse
from urllib3.exceptions import HTTPError, ReadTimeoutError

from webclient import decoding
from webclient.addresses import Address, Network, allowed_networks, is_forbidden, is_within
from webclient.errors import (
    BadAddress,
    ForbiddenAddress,
    TooLarge,
    TooManyRedirects,
    TooSlow,
    Unreachable,
)
from webclient.kept import KeptConnections
from webclient.target import Target, follow, read_target
from webclient.wire import Connection, Meter, PlainConnection, SecureConnection, put_on_meter, secure_context

USER_AGENT = "Newsroom/1.0"
REDIRECTS = frozenset({301, 302, 303, 307, 308})
OPEN_PORTS = frozenset({80, 443})
PRIVATE_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})

Resolver = Callable[[str, int], list[str]]


@dataclass(frozen=True)
class Limits:
    """What one request may cost, redirects included."""

    seconds: float = 30.0
    connect_seconds: float = 10.0
    silent_seconds: float = 15.0
    wire_bytes: int = 8 * 1024 * 1024
    body_bytes: int = 8 * 1024 * 1024
    redirects: int = 5
    headers: int = 100


@dataclass(frozen=True)
class Hop:
    """One redirect on the way: the address asked, and the status that passed us on."""

    url: str
    status: int


@dataclass(frozen=True)
class Response:
    """An answer as it came, its body uncompressed."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    hops: tuple[Hop, ...] = ()
    seconds: float = 0.0


def resolve(host: str, port: int) -> list[str]:
    """Every network address of the host, in the system's order."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True)
class _Request:
    """One request to one place, with what it may still use."""

    method: str
    target: Target
    headers: Mapping[str, str]
    body: bytes | None
    limits: Limits
    meter: Meter


class Client:
    """Fetches from the public web and nowhere else; may be shared by threads.

    Environment proxies are not obeyed: the address checked is the address
    connected to, at each redirect anew.
    """

    def __init__(
        self,
        allow_networks: Iterable[Network] = (),
        user_agent: str = USER_AGENT,
        limits: Limits | None = None,
        *,
        resolve: Resolver = resolve,
        ca_file: str | None = None,
    ) -> None:
        self.allow = allowed_networks(allow_networks)
        self.user_agent = user_agent
        self.limits = limits or Limits()
        self._resolve = resolve
        self._tls = secure_context(ca_file or certifi.where())
        self._names = ThreadPoolExecutor(max_workers=16, thread_name_prefix="name")
        self._kept = KeptConnections()

    def get(
        self, url: str, *, headers: Mapping[str, str] | None = None, limits: Limits | None = None
    ) -> Response:
        """Fetch the address, following redirects."""
        return self._follow("GET", url, headers or {}, limits or self.limits)

    def head(
        self, url: str, *, headers: Mapping[str, str] | None = None, limits: Limits | None = None
    ) -> Response:
        """Ask for the headers alone, following redirects."""
        return self._follow("HEAD", url, headers or {}, limits or self.limits)

    def post(
        self,
        url: str,
        *,
        body: bytes,
        headers: Mapping[str, str] | None = None,
        limits: Limits | None = None,
    ) -> Response:
        """Send the body. A redirect is returned, not followed: what was sent is not passed on."""
        limits = limits or self.limits
        started = time.monotonic()
        meter = _meter(limits, started)
        answer = self._ask(_Request("POST", read_target(url), headers or {}, body, limits, meter))
        return replace(answer, seconds=time.monotonic() - started)

    def close(self) -> None:
        """Close what is kept open."""
        self._kept.close()
        self._names.shutdown(wait=False, cancel_futures=True)

    def _follow(self, method: str, url: str, headers: Mapping[str, str], limits: Limits) -> Response:
        started = time.monotonic()
        hops: list[Hop] = []
        target = read_target(url)
        while True:
            answer = self._ask(_Request(method, target, headers, None, limits, _meter(limits, started)))
            location = answer.headers.get("location") if answer.status in REDIRECTS else None
            if location is None:
                return replace(answer, hops=tuple(hops), seconds=time.monotonic() - started)
            if len(hops) >= limits.redirects:
                raise TooManyRedirects(f"The address was passed on more than {limits.redirects} times.")
            hops.append(Hop(answer.url, answer.status))
            onward = read_target(follow(answer.url, location))
            headers = _headers_for(onward, target, headers)
            target = onward

    def _ask(self, request: _Request) -> Response:
        """One request to one checked address, no redirect followed."""
        addresses = self._checked(request.target, request.meter)
        with _errors_explained(request.target, request.meter):
            kept = self._kept.take(request.target, addresses)
            if kept:
                try:
                    return self._converse(kept, request)
                except (ConnectionError, HTTPError):
                    # The server closed the idle connection as we wrote; a GET may be repeated.
                    if request.method == "POST":
                        raise
            return self._converse(self._connection(request, addresses), request)

    def _checked(self, target: Target, meter: Meter) -> list[str]:
        """The host's addresses, every one of them permitted."""
        addresses = [ipaddress.ip_address(text) for text in self._addresses(target, meter)]
        if any(is_forbidden(address, self.allow) for address in addresses):
            raise ForbiddenAddress(f"{target.host} leads into a private network, which is never fetched.")
        if target.port not in OPEN_PORTS and not self._inside(addresses):
            raise ForbiddenAddress(f"Port {target.port} is not fetched, only 80 and 443.")
        return [str(address) for address in addresses]

    def _inside(self, addresses: list[Address]) -> bool:
        return all(is_within(address, self.allow) for address in addresses)

    def _addresses(self, target: Target, meter: Meter) -> list[str]:
        if ":" in target.host:
            return [target.host]
        # The system's resolver knows no deadline, so it is waited for from outside.
        looking = self._names.submit(self._resolve, target.host, target.port)
        try:
            found = looking.result(timeout=meter.seconds_left())
        except NoNameInTime as error:
            raise TooSlow(f"The name {target.host} could not be looked up in time.") from error
        except (OSError, UnicodeError) as error:
            raise Unreachable(f"There is no server by the name {target.host}.") from error
        if not found:
            raise Unreachable(f"There is no server by the name {target.host}.")
        return [text.partition("%")[0] for text in found]

    def _connection(self, request: _Request, addresses: list[str]) -> Connection:
        host, port = request.target.host, request.target.port
        connection: Connection
        if request.target.scheme == "https":
            connection = SecureConnection(host, port, ssl_context=self._tls)
        else:
            connection = PlainConnection(host, port)
        connection.addresses = addresses
        return connection

    def _converse(self, connection: Connection, request: _Request) -> Response:
        reusable = False
        try:
            answer = self._send(connection, request)
            response = _read(answer, request)
            reusable = response.status not in REDIRECTS and _stays_open(answer)
            return response
        finally:
            if reusable and connection.sock is not None:
                self._kept.keep(request.target, connection)
            else:
                connection.close()

    def _send(self, connection: Connection, request: _Request) -> HTTPResponse:
        put_on_meter(connection, request.meter)
        request.meter.silence = request.limits.silent_seconds
        connection.request(
            request.method,
            request.target.request,
            body=request.body,
            headers={"User-Agent": self.user_agent, "Accept-Encoding": decoding.ACCEPTED, **request.headers},
            preload_content=False,
            decode_content=False,
        )
        return connection.getresponse()


def _meter(limits: Limits, started: float) -> Meter:
    return Meter(started + limits.seconds, limits.wire_bytes, limits.connect_seconds)


def _headers_for(onward: Target, before: Target, headers: Mapping[str, str]) -> Mapping[str, str]:
    """The headers to repeat after a redirect: nothing private leaves for another place."""
    if (onward.scheme, onward.host, onward.port) == (before.scheme, before.host, before.port):
        return headers
    return {name: value for name, value in headers.items() if name.lower() not in PRIVATE_HEADERS}


def _stays_open(answer: HTTPResponse) -> bool:
    return answer.version >= 11 and "close" not in answer.headers.get("connection", "").lower()


def _read(answer: HTTPResponse, request: _Request) -> Response:
    """The answer with its body, if it has one worth reading."""
    limits = request.limits
    if len(answer.headers) > limits.headers:
        raise TooLarge("The server sent too many headers.")
    body = b""
    if answer.status not in REDIRECTS:
        declared = answer.headers.get("content-length", "")
        if request.method != "HEAD" and _number(declared) > limits.wire_bytes:
            raise TooLarge(f"The answer is larger than {limits.wire_bytes // 1024} KiB.")
        stream = answer.stream(decoding.PIECE, decode_content=False)
        body = decoding.decode(stream, answer.headers.get("content-encoding", ""), limits.body_bytes)
    return Response(request.target.url, answer.status, answer.headers, body)


def _number(text: str) -> int:
    return int(text[:20]) if text.isascii() and text.isdecimal() else 0


@contextmanager
def _errors_explained(target: Target, meter: Meter) -> Iterator[None]:
    try:
        yield
    except (TimeoutError, ReadTimeoutError) as error:
        # What drips to the very end runs into the time as a whole, while it waits for the next byte.
        meter.seconds_left()
        raise TooSlow(f"{target.host} fell silent before its answer was complete.") from error
    except ssl.SSLError as error:
        raise Unreachable(f"No secure connection to {target.host}: {_tls_reason(error)}.") from error
    except http.client.HTTPException as error:
        raise Unreachable(f"{target.host} does not answer as a web server does.") from error
    except (HTTPError, OSError) as error:
        raise Unreachable(f"The connection to {target.host} broke off.") from error
    except ValueError as error:
        raise BadAddress(f"The request could not be written: {error}.") from error


def _tls_reason(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not valid ({error.verify_message})"
    return (error.reason or "unknown fault").replace("_", " ").lower()


def default_client() -> Client:
    """The client as the site's settings ask for it, shared by the whole process."""
    from django.conf import settings

    allow = tuple(getattr(settings, "FETCH_ALLOW_NETWORKS", ()))
    return _client(allow, getattr(settings, "FETCH_USER_AGENT", USER_AGENT))


@lru_cache(maxsize=4)
def _client(allow: tuple[Network, ...], user_agent: str) -> Client:
    return Client(allow, user_agent)

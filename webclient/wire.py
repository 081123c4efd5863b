"""Connections to an address already checked, under one deadline and one byte allowance."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection

from webclient.errors import TooLarge, TooSlow, Unreachable

OVERDUE = "The server did not finish its answer in the time that a request may take."


@dataclass
class Meter:
    """What one request may still use: seconds until `deadline`, bytes out of `allowance`."""

    deadline: float
    allowance: int
    silence: float

    def seconds_left(self) -> float:
        """How long to wait for the next byte; raises TooSlow when time is up."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TooSlow(OVERDUE)
        return min(left, self.silence)

    def take(self, count: int) -> None:
        """Count bytes off the wire; raises TooLarge when the allowance is used up."""
        self.allowance -= count
        if self.allowance < 0:
            raise TooLarge("The server sent more than is accepted.")


# The limits sit under http.client, in the socket itself, because status line,
# headers, chunk sizes and body all pass here: a server that drips one byte a
# second anywhere meets the same deadline.
class MeteredSocket(socket.socket):
    """A socket that asks its meter before each wait."""

    meter: Meter | None = None

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        if self.meter:
            self.settimeout(self.meter.seconds_left())
        count = super().recv_into(*args, **kwargs)
        if self.meter:
            self.meter.take(count)
        return count

    def sendall(self, *args: Any, **kwargs: Any) -> None:
        if self.meter:
            self.settimeout(self.meter.seconds_left())
        super().sendall(*args, **kwargs)


class MeteredTLS(ssl.SSLSocket):
    """The same under TLS."""

    meter: Meter | None = None

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        if self.meter:
            self.settimeout(self.meter.seconds_left())
        count = super().recv_into(*args, **kwargs)
        if self.meter:
            self.meter.take(count)
        return count

    def send(self, *args: Any, **kwargs: Any) -> int:
        if self.meter:
            self.settimeout(self.meter.seconds_left())
        return super().send(*args, **kwargs)


class FinalAnswer(http.client.HTTPResponse):
    """The answer itself, without those that only announce it, such as 103 (RFC 9110, section 15.2)."""

    def _read_status(self) -> tuple[str, int, str]:
        version, status, reason = super()._read_status()  # type: ignore[misc]
        # The library passes over 100 alone; 101 would be another protocol.
        return version, http.client.CONTINUE if 101 < status < 200 else status, reason


class _ToCheckedAddress:
    """Connects where it was told, whatever the host's name would resolve to now."""

    response_class: Any = FinalAnswer
    addresses: Sequence[str] = ()
    port: int
    meter: Meter

    def _new_conn(self) -> socket.socket:
        last: OSError | None = None
        for address in self.addresses:
            try:
                return self._connect_to(address)
            except OSError as error:
                last = error
        if isinstance(last, TimeoutError):
            raise TooSlow("The server did not answer.") from last
        raise Unreachable("No connection to the server could be made.") from last

    def _connect_to(self, address: str) -> socket.socket:
        sock = MeteredSocket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.settimeout(self.meter.seconds_left())
            sock.connect((address, self.port))
            sock.settimeout(self.meter.seconds_left())
        except BaseException:
            sock.close()
            raise
        return sock


class PlainConnection(_ToCheckedAddress, HTTPConnection):
    """http to a checked address."""


class SecureConnection(_ToCheckedAddress, HTTPSConnection):
    """https to a checked address; certificate and SNI are those of the name asked for."""


Connection = PlainConnection | SecureConnection


def secure_context(ca_file: str) -> ssl.SSLContext:
    """TLS that verifies against the given roots."""
    context = ssl.create_default_context(cafile=ca_file)
    context.sslsocket_class = MeteredTLS
    return context


def is_alive(connection: Connection) -> bool:
    """Whether an idle connection can carry another request."""
    return connection.sock is not None and connection.is_connected


def put_on_meter(connection: Connection, meter: Meter) -> None:
    """Make the connection, new or kept, answer to this request's meter."""
    connection.meter = meter
    if connection.sock is None:
        connection.connect()
    if isinstance(connection.sock, MeteredSocket | MeteredTLS):
        connection.sock.meter = meter

"""Idle connections kept for the next request to the same checked address."""

from __future__ import annotations

import threading
import time

from webclient.target import Target
from webclient.wire import Connection, is_alive

KEPT_CONNECTIONS = 64
KEPT_SECONDS = 20.0

Place = tuple[str, str, int, str]


class KeptConnections:
    """At most one idle connection for each scheme, name, port and address; safe for threads."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.idle: dict[Place, tuple[float, Connection]] = {}

    def take(self, target: Target, addresses: list[str]) -> Connection | None:
        """A living connection to one of the addresses just checked, no longer kept."""
        for address in addresses:
            with self.lock:
                since, connection = self.idle.pop(_place(target, address), (0.0, None))
            if connection is None:
                continue
            if time.monotonic() - since < KEPT_SECONDS and is_alive(connection):
                return connection
            connection.close()
        return None

    def keep(self, target: Target, connection: Connection) -> None:
        """Hold the connection, closing the oldest when there are too many."""
        place = _place(target, connection.sock.getpeername()[0] if connection.sock else "")
        with self.lock:
            surplus = [self.idle.pop(place)[1]] if place in self.idle else []
            self.idle[place] = (time.monotonic(), connection)
            while len(self.idle) > KEPT_CONNECTIONS:
                surplus.append(self.idle.pop(next(iter(self.idle)))[1])
        for one in surplus:
            one.close()

    def close(self) -> None:
        """Close them all."""
        with self.lock:
            connections = [connection for _, connection in self.idle.values()]
            self.idle.clear()
        for connection in connections:
            connection.close()


def _place(target: Target, address: str) -> Place:
    return (target.scheme, target.host, target.port, address)

"""A loopback server and clients that may, or may not, talk to it."""

from __future__ import annotations

import ipaddress
import zlib
from collections.abc import Iterator

import pytest

from tests.loopback import WebServer, web_server
from webclient.client import Client, Limits

LOOPBACK = [ipaddress.ip_network("127.0.0.0/8")]
SHORT = Limits(seconds=1.2, connect_seconds=0.8, silent_seconds=0.8, wire_bytes=200_000, body_bytes=300_000)


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Bytes are named by their hash: a compressed bomb is no name for a test."""
    return f"{argname}-{zlib.crc32(val):08x}" if isinstance(val, bytes) else None


@pytest.fixture
def web() -> Iterator[WebServer]:
    with web_server() as server:
        yield server


@pytest.fixture
def client() -> Iterator[Client]:
    one = Client(LOOPBACK, limits=SHORT)
    yield one
    one.close()


@pytest.fixture
def strict_client() -> Iterator[Client]:
    one = Client(limits=SHORT)
    yield one
    one.close()

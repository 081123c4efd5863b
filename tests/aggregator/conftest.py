"""A loopback server, and feeds on it."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from aggregator import actions
from aggregator.entries import Report
from aggregator.models import Feed
from tests.loopback import WebServer, web_server
from webclient.client import default_client

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Bytes are named by their hash: a feed is no name for a test."""
    return f"{argname}-{zlib.crc32(val):08x}" if isinstance(val, bytes) else None


@pytest.fixture
def web() -> Iterator[WebServer]:
    with web_server() as server:
        yield server
        default_client()._kept.close()


@pytest.fixture
def outlet(web: WebServer) -> Callable[..., Feed]:
    """A registered feed whose document is answered from `path`."""

    def make(path: str = "/feed", body: bytes = b"", **headers: str) -> Feed:
        given = [(name.replace("_", "-"), value) for name, value in headers.items()]
        return actions.register(url=web.put(path, body, headers=given), title=path.strip("/"), at=NOON)

    return make


def fetch_once(feed: Feed, at: datetime = NOON) -> Report:
    """One attempt at one feed, due or not."""
    Feed.objects.filter(pk=feed.pk).update(due_at=at)
    reports = list(actions.fetch_pass(at=at, only=[feed.pk]))
    feed.refresh_from_db()
    assert len(reports) == 1
    return reports[0]


def rss(*items: str, link: str = "https://harbour.example/") -> bytes:
    """A small well-formed feed."""
    return (
        '<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>The Harbour Post</title>'
        f"<link>{link}</link><language>en</language>{''.join(items)}</channel></rss>"
    ).encode()


def item(number: int | str, title: str = "", **parts: str) -> str:
    """One item with an address, an identifier and a date."""
    given = {
        "title": title or f"Ship number {number} came in on the tide",
        "link": f"https://harbour.example/{number}",
        "guid": f"post-{number}",
        "pubDate": "Mon, 02 Mar 2026 09:00:00 GMT",
        "description": f"Report {number}: the ship was met by a pilot, two tugs and a small crowd with umbrellas.",
        **parts,
    }
    return "<item>" + "".join(f"<{name}>{value}</{name}>" for name, value in given.items()) + "</item>"

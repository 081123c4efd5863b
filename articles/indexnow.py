"""IndexNow: asking search engines to look again at addresses that changed or are gone.

https://www.indexnow.org/documentation. One engine that takes part tells the others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from webclient.client import Limits, default_client
from webclient.errors import OutgoingError

LIMITS = Limits(seconds=15.0, connect_seconds=5.0, silent_seconds=10.0, wire_bytes=65_536, body_bytes=65_536)
KEY_FILE = "/indexnow.txt"
_KEY = re.compile(r"[A-Za-z0-9-]{8,128}\Z")
MOST_URLS = 10_000


class NotTaken(OutgoingError):
    """The search engine refused the list."""


@dataclass(frozen=True)
class Engine:
    """Where addresses are announced, and the key that shows they are ours."""

    endpoint: str
    key: str


def read(text: str) -> Engine:
    """What INDEXNOW_URL says: https://KEY@host/path. Raises ValueError when it says nothing usable."""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or not _KEY.match(parts.username or ""):
        raise ValueError("a key of 8 to 128 letters, digits and hyphens before the host is needed")
    place = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path or "/indexnow", "", ""))
    return Engine(place, parts.username or "")


def tell(engine: Engine, *, host: str, urls: Sequence[str]) -> None:
    """Announce at most MOST_URLS addresses; raises OutgoingError unless they were taken."""
    said = {
        "host": host,
        "key": engine.key,
        "keyLocation": f"{urls[0][: urls[0].index(host) + len(host)]}{KEY_FILE}",
        "urlList": list(urls),
    }
    answer = default_client().post(
        engine.endpoint,
        body=json.dumps(said).encode(),
        headers={"Content-Type": "application/json; charset=utf-8"},
        limits=LIMITS,
    )
    if answer.status not in (200, 202):
        raise NotTaken(f"{urlsplit(engine.endpoint).hostname} answered {answer.status} to the addresses.")

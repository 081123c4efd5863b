"""Which program this is: what another version, template or setting made is not sent any more."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings

ROOMS = ("newsroom", "articles", "moderation", "aggregator", "accounts", "readers", "templates", "locale")
SHOWN_SETTINGS = (
    "SITE_URL", "SITE_NAME", "REMOVAL_EMAIL", "LANGUAGE_CODE", "TIME_ZONE", "HTTPS", "PROMISE_HOURS",
    "CONTENT_SECURITY_POLICY", "PERMISSIONS_POLICY", "CDN", "WEBSUB_HUB",
)  # fmt: skip


def build_of_the_program() -> str:
    """Names this program: another version, template, style sheet or setting has other pages."""
    sums = _sum_of_sources().copy()
    for name in SHOWN_SETTINGS:
        sums.update(repr(getattr(settings, name, None)).encode())
    return str(sums.hexdigest()[:32])


@lru_cache(maxsize=1)
def _sum_of_sources() -> Any:
    """Of the files as they were when this process began: what it runs does not change under it."""
    sums = hashlib.sha256()
    for path in sorted(_sources()):
        sums.update(path.name.encode() + path.read_bytes())
    return sums


def _sources() -> Iterator[Path]:
    for room in ROOMS:
        for ending in ("*.py", "*.html", "*.txt", "*.xml", "*.svg", "*.mo"):
            yield from (settings.BASE_DIR / room).rglob(ending)
    manifest = Path(settings.STATIC_ROOT) / "staticfiles.json"
    if manifest.exists():
        yield manifest

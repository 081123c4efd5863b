"""The site as it stands behind https, and one article that is on every page."""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as site

from tests.browser.conftest import browser_type_launch_args, front_door
from tests.loopback import WebServer, web_server
from tests.public.conftest import somewhere_everywhere

__all__ = ["browser_type_launch_args", "front_door", "somewhere_everywhere"]

OF_HTTPS = (
    "ALLOWED_HOSTS", "CSRF_COOKIE_NAME", "CSRF_COOKIE_SECURE", "CSRF_TRUSTED_ORIGINS", "HTTPS", "SECURE_HSTS_PRELOAD",
    "SECURE_HSTS_INCLUDE_SUBDOMAINS", "SECURE_HSTS_SECONDS", "SECURE_PROXY_SSL_HEADER", "SECURE_SSL_REDIRECT",
    "SESSION_COOKIE_NAME", "SESSION_COOKIE_SECURE", "SITE_URL",
)  # fmt: skip


@pytest.fixture
def https(settings: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The settings a server with an https address has; returns what a request through its proxy carries."""
    monkeypatch.setenv("SITE_URL", "https://news.example")
    monkeypatch.setenv("ALLOWED_HOSTS", "news.example")
    read = runpy.run_path(str(site.BASE_DIR / "newsroom" / "settings.py"))
    for name in OF_HTTPS:
        setattr(settings, name, read[name])
    return {"HTTP_HOST": "news.example", "HTTP_X_FORWARDED_PROTO": "https"}


@pytest.fixture
def web() -> Iterator[WebServer]:
    with web_server() as server:
        yield server

"""The browser of the journeys: the system's own Chromium, driven by Playwright."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.servers.basehttp import ThreadedWSGIServer
from django.test.testcases import QuietWSGIRequestHandler
from playwright.sync_api import expect

from tests.conftest import unavailable

# A condition that a busy machine meets late is met all the same.
expect.set_options(timeout=30_000)
HERE = Path(__file__).parent
NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What a browser shows does not depend on the database; the whole journey alone is walked on both."""
    for item in items:
        if item.path.parent == HERE and item.path.name != "test_the_whole_journey.py":
            item.add_marker("once")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Chromium without the services that would call its maker, and without the sandbox root cannot have."""
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if not program:
        unavailable("Chromium is not installed (Debian: apt-get install chromium)")
    return {
        **browser_type_launch_args,
        "executable_path": program,
        "args": [
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--no-first-run",
            "--disable-sync",
            "--disable-component-update",
        ],
    }


class Handler(QuietWSGIRequestHandler):
    """An answer's second write does not wait for the first to be acknowledged: 40 ms of every request."""

    disable_nagle_algorithm = True


@pytest.fixture
def front_door(transactional_db: None, settings: Any) -> Iterator[str]:
    """The site's address: the real application, ready pages included, over real HTTP on the test's database."""
    # It reads the collected static files, which are there only when the session has begun.
    from newsroom.wsgi import application

    server = ThreadedWSGIServer(("127.0.0.1", 0), Handler)
    server.set_app(application)
    settings.SITE_URL = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield settings.SITE_URL
    server.shutdown()
    server.server_close()
    thread.join(timeout=10)

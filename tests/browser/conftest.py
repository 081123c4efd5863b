"""The browser of the journeys: the system's own Chromium, driven by Playwright."""

from __future__ import annotations

import os
import shutil
from typing import Any

import pytest

from tests.conftest import unavailable

NAMES = ("chromium", "chromium-browser", "google-chrome")


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

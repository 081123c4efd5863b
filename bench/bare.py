"""The least gunicorn can do: the same bytes for every request."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import django

# The settings of gunicorn that both share check the site before they answer.
django.setup()

BODY = Path(os.environ["BENCH_BODY"]).read_bytes()
HEADERS: list[tuple[str, str]] = [("Content-Type", "text/html"), ("Content-Length", str(len(BODY)))]
if "BENCH_HEADERS" in os.environ:
    OWN = {"date", "server", "connection", "content-type", "content-length", "transfer-encoding"}
    SAID = json.loads(Path(os.environ["BENCH_HEADERS"]).read_text())
    HEADERS += [(name, value) for name, value in SAID if name.lower() not in OWN]


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("200 OK", HEADERS)
    return [BODY]

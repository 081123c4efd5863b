"""A WSGI application for tests of the web worker: it says who asked it, and how."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from newsroom.web_worker import AT_ONCE, Worker

LARGE = b"x" * 20_000_000


class Patient(Worker):
    """Takes no crowded machine for a slow application."""

    patience = 3600


class Site:
    at_once = True

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if AT_ONCE in environ:
            if path == "/made/":
                return ()
            if path == "/slow/":
                time.sleep(2 * Worker.patience)
            if path == "/broken/":
                raise RuntimeError("broken at once")
            body = LARGE if path == "/large/" else b"by the loop"
        else:
            environ["wsgi.input"].read()
            body = b"by a thread"
        start_response(
            "200 OK", [("Content-Length", str(len(body))), ("X-Thread", threading.current_thread().name)]
        )
        return () if environ["REQUEST_METHOD"] == "HEAD" else (body,)


application = Site()

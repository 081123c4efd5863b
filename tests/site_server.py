"""The whole site on a real port, ready pages included, as gunicorn would serve it."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from django.core.handlers.wsgi import WSGIHandler
from django.db import connections

from newsroom.ready_pages import ReadyPages


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 64


class _Quiet(WSGIRequestHandler):
    disable_nagle_algorithm = True

    def log_message(self, *args: object) -> None:
        pass


class Site:
    """`asked` holds the path of every request that reached it."""

    def __init__(self) -> None:
        self.application = ReadyPages(WSGIHandler())
        self.asked: list[str] = []
        self.port = 0

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.asked.append(environ["PATH_INFO"])
        content = self.application(environ, start_response)
        try:
            return [b"".join(content)]
        finally:
            if hasattr(content, "close"):
                content.close()
            connections.close_all()


@contextmanager
def serving() -> Iterator[Site]:
    """The site, until the block ends. Needs a database with real transactions."""
    site = Site()
    server = make_server("127.0.0.1", 0, site, server_class=_Server, handler_class=_Quiet)
    site.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)

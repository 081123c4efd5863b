"""A visitor of the whole site as gunicorn would serve it: the layer of ready pages and Django behind it."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes
from wsgiref.util import setup_testing_defaults

import brotli
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection

from newsroom.ready_pages import ReadyPages


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        unpack = {"br": brotli.decompress, "gzip": gzip.decompress}.get(
            self.headers.get("Content-Encoding", "")
        )
        return (unpack(self.body) if unpack and self.body else self.body).decode()


class FrontDoor:
    def __init__(self) -> None:
        self.application = ReadyPages(WSGIHandler())

    def get(self, path: str, **options: Any) -> Answer:
        """`method`, and entries of the WSGI environment such as HTTP_ACCEPT_ENCODING. Status 0: nobody answered."""
        # In a test that is one transaction the connection must outlive the request.
        kept_open = connection.in_atomic_block
        if kept_open:
            request_started.disconnect(close_old_connections)
            request_finished.disconnect(close_old_connections)
        try:
            return self._get(path, **options)
        finally:
            if kept_open:
                request_started.connect(close_old_connections)
                request_finished.connect(close_old_connections)

    def _get(self, path: str, *, method: str = "GET", **environ: Any) -> Answer:
        path, _, query = path.partition("?")
        request = {"HTTP_HOST": "127.0.0.1", "REQUEST_METHOD": method, "QUERY_STRING": query, **environ}
        request["PATH_INFO"] = unquote_to_bytes(path).decode("latin-1")
        setup_testing_defaults(request)
        said: list[Any] = []
        content = self.application(request, lambda *line: said.append(line))
        try:
            body = b"".join(content)
        finally:
            if hasattr(content, "close"):
                content.close()
        status, headers = said[-1][:2] if said else ("000", [])
        return Answer(int(status[:3]), dict(headers), body)

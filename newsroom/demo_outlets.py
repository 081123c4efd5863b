"""The demo's outlets on the loopback: a web server for their feeds and pictures, and a client that finds it."""

from __future__ import annotations

import ipaddress
import mimetypes
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.conf import settings

from webclient.client import Client, Limits, Response
from webclient.errors import Unreachable

FOLDER = Path(settings.BASE_DIR) / "demo"
LOOPBACK = ipaddress.ip_network("127.0.0.0/8")
MOMENT = re.compile(r"\{\{(rfc822|rfc3339):(\d{1,6})\}\}")
READ_SECONDS = 20
KINDS = {".xml": "application/xml", ".rdf": "application/rdf+xml", ".json": "application/feed+json"}


def dated(document: str, *, at: datetime) -> str:
    """The document with its moments filled in: {{rfc822:95}} is 95 minutes before `at`, as RSS writes it."""

    def moment(found: re.Match[str]) -> str:
        when = at - timedelta(minutes=int(found[2]))
        return format_datetime(when) if found[1] == "rfc822" else when.isoformat(timespec="seconds")

    return MOMENT.sub(moment, document)


class OutletClient(Client):
    """Fetches `https://<outlet>.example/...` from the demo's own server, and nothing from anywhere else.

    An answer carries the public address, so that everything after it sees the outlet and not the loopback.
    """

    def __init__(self, port: int) -> None:
        super().__init__([LOOPBACK])
        self.port = port

    def get(
        self, url: str, *, headers: Mapping[str, str] | None = None, limits: Limits | None = None
    ) -> Response:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if not host.endswith(".example"):
            raise Unreachable(f"The demo has no outlet at {host}.")
        query = f"?{parts.query}" if parts.query else ""
        answer = super().get(
            f"http://127.0.0.1:{self.port}/{host}{parts.path}{query}", headers=headers, limits=limits
        )
        return replace(answer, url=url)


class _Handler(BaseHTTPRequestHandler):
    """Answers /<host>/<path>: the outlet's feed at its feed's address, a picture under /pictures/."""

    protocol_version = "HTTP/1.1"
    timeout = READ_SECONDS

    def __init__(self, documents: Mapping[str, tuple[str, bytes]], *args: object) -> None:
        self.documents = documents
        super().__init__(*args)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        found = self.documents.get(path) or _picture(path)
        kind, body = found or ("text/plain", b"not here")
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """What the demo asks itself is nobody's log."""


def _picture(path: str) -> tuple[str, bytes] | None:
    name = re.fullmatch(r"/[a-z0-9.-]+\.example/pictures/([a-z0-9-]+\.jpg)", path)
    file = FOLDER / "pictures" / name[1] if name else None
    if not file or not file.is_file():
        return None
    return mimetypes.guess_type(file.name)[0] or "image/jpeg", file.read_bytes()


@contextmanager
def outlets(files: Mapping[str, str], *, at: datetime) -> Iterator[OutletClient]:
    """A client for outlets that publish these feeds (address to file name) while the block runs."""
    documents = {}
    for url, name in files.items():
        parts = urlsplit(url)
        text = (FOLDER / "feeds" / name).read_text(encoding="utf-8")
        kind = KINDS.get(Path(name).suffix, "application/xml")
        documents[f"/{parts.hostname}{parts.path}"] = (kind, dated(text, at=at).encode())
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, documents))
    server.daemon_threads = True
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    serving.start()
    client = OutletClient(server.server_address[1])
    try:
        yield client
    finally:
        client.close()
        server.shutdown()
        server.server_close()
        serving.join(5)

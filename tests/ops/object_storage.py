"""A little object storage on loopback that speaks as much of S3 as a backup needs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit


@dataclass
class ObjectStorage:
    """Objects by path (`/bucket/key`), and the names of the keys that signed the requests."""

    port: int = 0
    objects: dict[str, bytes] = field(default_factory=dict)
    signed_by: set[str] = field(default_factory=set)
    breaks: bool = False
    refuses_deletion: bool = False
    parts: dict[str, dict[int, bytes]] = field(default_factory=dict)


def _unchunked(body: bytes) -> bytes:
    """What was sent, without the lengths and the checksum that S3 clients put round it."""
    whole = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        length = int(size.split(b";")[0], 16)
        if length == 0:
            return whole
        whole, body = whole + body[:length], body[length + 2 :]
    return whole


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    held: ObjectStorage

    def do_GET(self) -> None:
        path, query = self._asked()
        if "prefix" in query or "list-type" in query:
            self._say(200, self._list(path, query.get("prefix", [""])[0]))
        elif path in self.held.objects:
            self._give(self.held.objects[path])
        else:
            self._say(404, b"<Error><Code>NoSuchKey</Code></Error>")

    do_HEAD = do_GET

    def do_PUT(self) -> None:
        path, query = self._asked()
        body = self._body()
        if "aws-chunked" in self.headers.get("Content-Encoding", ""):
            body = _unchunked(body)
        if "partNumber" in query:
            self.held.parts[path][int(query["partNumber"][0])] = body
        else:
            self._keep(path, body)
        self._say(200, b"")

    def do_POST(self) -> None:
        """A large object comes in parts: this begins it, and this says that it is whole."""
        path, query = self._asked()
        self._body()
        if "uploads" in query:
            self.held.parts[path] = {}
            answer = b"<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>"
        else:
            self._keep(path, b"".join(part for _, part in sorted(self.held.parts.pop(path).items())))
            answer = b"<CompleteMultipartUploadResult/>"
        self._say(200, answer)

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _keep(self, path: str, body: bytes) -> None:
        self.held.objects[path] = body[:-1] + b"?" if self.held.breaks else body

    def do_DELETE(self) -> None:
        if self.held.refuses_deletion:
            self._say(403, b"<Error><Code>AccessDenied</Code></Error>")
            return
        self.held.objects.pop(self._asked()[0], None)
        self._say(204, b"")

    def _asked(self) -> tuple[str, dict[str, list[str]]]:
        authorization = self.headers.get("Authorization", "")
        self.held.signed_by.add(authorization.partition("Credential=")[2].partition("/")[0])
        parts = urlsplit(self.path)
        return unquote(parts.path), parse_qs(parts.query, keep_blank_values=True)

    def _list(self, bucket: str, prefix: str) -> bytes:
        start = f"{bucket.rstrip('/')}/"
        keys = sorted(
            path.removeprefix(start) for path in self.held.objects if path.startswith(start + prefix)
        )
        entries = "".join(
            f"<Contents><Key>{key}</Key><Size>{len(self.held.objects[start + key])}</Size></Contents>"
            for key in keys
        )
        name = bucket.strip("/")
        answer = f"<Name>{name}</Name><IsTruncated>false</IsTruncated>{entries}"
        return f"<ListBucketResult>{answer}</ListBucketResult>".encode()

    def _give(self, content: bytes) -> None:
        """All of it, or the range asked for (RFC 9110, 14.2: `bytes=first-last`, `last` may be missing)."""
        asked = self.headers.get("Range")
        if not asked:
            self._say(200, content)
            return
        first, _, last = asked.removeprefix("bytes=").partition("-")
        part = content[int(first) : int(last or len(content)) + 1]
        self._say(206, part, f"bytes {first}-{int(first) + len(part) - 1}/{len(content)}")

    def _say(self, status: int, body: bytes, content_range: str = "") -> None:
        self.send_response(status)
        if content_range:
            self.send_header("Content-Range", content_range)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", f'"{md5(body, usedforsecurity=False).hexdigest()}"')
        self.send_header("Last-Modified", "Mon, 04 May 2026 10:00:00 GMT")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def object_storage() -> Iterator[ObjectStorage]:
    held = ObjectStorage()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"held": held}))
    server.daemon_threads = True
    held.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield held
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)

"""A web server on the loopback that answers with recorded bytes, for tests of everything that fetches."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Headers = Sequence[tuple[str, str]]


@dataclass
class Asked:
    """One request the server saw."""

    method: str
    path: str
    headers: Message
    body: bytes = b""


@dataclass
class Answer:
    """What to answer: a plain response, or a script that writes to the connection itself."""

    status: int = 200
    body: bytes = b""
    headers: Headers = ()
    script: Callable[[socket.socket], None] | None = None


@dataclass
class WebServer:
    """Answers by path; remembers what it was asked. An unknown path is a 404."""

    port: int = 0
    answers: dict[str, Answer | Callable[[Asked], Answer]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    open_now: int = 0
    most_open: int = 0
    connections: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def put(self, path: str, body: bytes = b"", status: int = 200, headers: Headers = ()) -> str:
        """Answer the path with these bytes; returns its address."""
        self.answers[path] = Answer(status, body, headers)
        return self.url(path)

    def redirect(self, path: str, to: str, status: int = 302) -> str:
        return self.put(path, status=status, headers=[("Location", to)])

    def play(self, path: str, script: Callable[[socket.socket], None]) -> str:
        """Let the script write the answer, byte by byte if it likes."""
        self.answers[path] = Answer(script=script)
        return self.url(path)

    def decide(self, path: str, answer: Callable[[Asked], Answer]) -> str:
        self.answers[path] = answer
        return self.url(path)

    def paths(self) -> list[str]:
        return [one.path for one in self.asked]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body are two writes; the second must not wait for the first to be acknowledged (40 ms each).
    disable_nagle_algorithm = True
    web: WebServer

    def setup(self) -> None:
        with self.web.lock:
            self.web.connections += 1
        super().setup()

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        asked = Asked(self.command, self.path, self.headers, self.rfile.read(length))
        with self.web.lock:
            self.web.asked.append(asked)
            self.web.open_now += 1
            self.web.most_open = max(self.web.most_open, self.web.open_now)
        try:
            with suppress(OSError):
                self._answer(asked)
        finally:
            with self.web.lock:
                self.web.open_now -= 1

    do_HEAD = do_POST = do_GET

    def _answer(self, asked: Asked) -> None:
        answer = self.web.answers.get(asked.path, Answer(404, b"not here"))
        if callable(answer):
            answer = answer(asked)
        if answer.script:
            self.close_connection = True
            answer.script(self.connection)
            return
        self.send_response(answer.status)
        names = {name.lower() for name, _ in answer.headers}
        for name, value in answer.headers:
            self.send_header(name, value)
        if "content-length" not in names and answer.status != 304:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD" and answer.status != 304:
            self.wfile.write(answer.body)

    def log_message(self, *args: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, *args: object) -> None:
        """A client that hangs up is what some tests want."""


@contextmanager
def web_server(wrap: Callable[[socket.socket], socket.socket] | None = None) -> Iterator[WebServer]:
    """A running server; `wrap` puts TLS round its socket."""
    web = WebServer()
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"web": web}))
    if wrap:
        server.socket = wrap(server.socket)
    web.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield web
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)

"""The web worker: gunicorn's of threads, whose loop sends pages that lie ready by itself.

To hand a request to a thread, and its connection back, costs gunicorn more than finding and sending the page. So
what is asked over a connection that was kept is first looked for by the loop that waits for all connections. Whatever
it must not or cannot answer goes to the threads as if nothing had been tried: until then nothing was read.
"""

from __future__ import annotations

import socket
import time
from contextvars import copy_context
from typing import Any

from gunicorn import SERVER, util
from gunicorn.http import get_parser, wsgi
from gunicorn.workers.gthread import TConn, ThreadWorker

# In the WSGI environment: answer what lies ready, and else call nobody and return, for nobody may wait here.
AT_ONCE = "newsroom.at_once"
LONGEST_REQUEST = 16 * 1024
END = b"\r\n\r\n"
# What has a body, waits for a word of ours before it, or becomes another protocol.
NOT_PLAIN = {"CONTENT-LENGTH", "TRANSFER-ENCODING", "EXPECT", "UPGRADE"}


class Worker(ThreadWorker):  # type: ignore[misc]
    """Asks an application that knows AT_ONCE, and says so by its attribute `at_once`; others have threads alone."""

    # An application that kept the loop waiting for longer than this is left to the threads for a while; in seconds.
    patience, relief = 0.1, 10.0
    is_asked_at_once = False
    asked_again_from = 0.0

    def load_wsgi(self) -> None:
        """Also settles whether the loop may answer: gunicorn's own log of requests and its TLS are the threads'."""
        super().load_wsgi()
        of_threads = self.cfg.is_ssl or self.cfg.accesslog
        self.is_asked_at_once = getattr(self.wsgi, "at_once", False) and not of_threads

    def on_client_socket_readable(self, conn: TConn, client: socket.socket) -> None:
        """A kept connection has something to read."""
        is_stopping = not self.alive or self.nr + 1 >= self.max_requests
        may_ask = self.is_asked_at_once and not is_stopping and time.monotonic() >= self.asked_again_from
        answer = self._ready(conn, client) if may_ask else None
        if answer is None:
            super().on_client_socket_readable(conn, client)
        else:
            self.nr += 1
            self._send(conn, client, answer)

    def _ready(self, conn: TConn, client: socket.socket) -> bytes | None:
        """The whole answer. None when a thread has to make it: then what was asked is still unread."""
        began, answer = time.monotonic(), None
        try:
            asked = client.recv(LONGEST_REQUEST, socket.MSG_PEEK)
            _, end, more = asked.partition(END)
            if end and not more:
                answer = self._answer(asked, conn)
        except Exception:
            # The thread meets whatever is wrong as well, and says so.
            return None
        finally:
            if time.monotonic() - began > self.patience:
                self.asked_again_from = time.monotonic() + self.relief
        if answer is not None:
            client.recv(len(asked))
        return answer

    def _answer(self, asked: bytes, conn: TConn) -> bytes | None:
        """Read and checked as gunicorn does; the answer must say how long it is."""
        request = next(get_parser(self.cfg, [asked], conn.client))
        plain = NOT_PLAIN.isdisjoint(name for name, _ in request.headers)
        if not plain or request.version != (1, 1) or request.should_close():
            return None
        _, environ = wsgi.create(request, None, conn.client, conn.server, self.cfg)
        environ[AT_ONCE] = True
        said: list[Any] = []
        # In a context of its own, so that what the loop logs next is not taken for this request's.
        context = copy_context()
        content = context.run(self.wsgi, environ, lambda status, headers, *_: said.extend((status, headers)))
        return _as_bytes(*said) + b"".join(content) if said else None

    def _send(self, conn: TConn, client: socket.socket, answer: bytes) -> None:
        try:
            sent = client.send(answer)
        except OSError:
            # The line takes nothing now, or never again: the thread learns which.
            sent = 0
        self.keepalived_conns.remove(conn)
        if sent == len(answer):
            conn.set_timeout()
            self.keepalived_conns.append(conn)
            return
        self.poller.unregister(client)
        rest = self.tpool.submit(_send_slowly, client, answer[sent:])
        rest.add_done_callback(lambda done: self.method_queue.defer(self.finish_request, conn, done))


def _as_bytes(status: str, headers: list[tuple[str, str]]) -> bytes:
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers])
    if lines.count("\n") != len(headers):
        raise ValueError("a header of more than one line")
    ours = f"HTTP/1.1 {status}\r\nServer: {SERVER}\r\nDate: {util.http_date()}\r\nConnection: keep-alive\r\n"
    return f"{ours}{lines}\r\n".encode("latin-1")


def _send_slowly(client: socket.socket, rest: bytes) -> bool:
    client.setblocking(True)
    client.sendall(rest)
    return True

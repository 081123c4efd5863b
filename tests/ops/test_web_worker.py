"""The web worker's loop sends what lies ready by itself; everything else is answered by threads as ever."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from newsroom.web_worker import Worker
from tests.at_once_site import LARGE, Patient
from tests.conftest import free_port, wait_for_port

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 30


class Line:
    """A connection on which the answers are read byte by byte."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
        self.file = self.socket.makefile("rb")

    def ask(self, text: str) -> tuple[str, bytes]:
        self.socket.sendall(text.replace("\n", "\r\n").encode())
        return self.answer()

    def answer(self, *, has_body: bool = True) -> tuple[str, bytes]:
        """The head, and the body."""
        lines = list(iter(self.file.readline, b"\r\n"))
        if lines[-1:] == [b""]:
            raise AssertionError("closed without an answer")
        head = b"".join(lines).decode()
        length = int(head.split("Content-Length: ")[1].split("\r\n")[0])
        return head, self.file.read(length) if has_body else b""

    def close(self) -> None:
        self.file.close()
        self.socket.close()


def plain(path: str = "/", more: str = "") -> str:
    return f"GET {path} HTTP/1.1\nHost: x\n{more}\n"


@contextmanager
def serving(folder: Path, worker: type[Worker] = Patient) -> Iterator[int]:
    """A gunicorn with one thread, on this port."""
    number = free_port()
    name = f"{worker.__module__}.{worker.__name__}"
    kind = ("--worker-class", name, "--threads", "1", "--keep-alive", "60")
    command = (
        sys.executable,
        "-m",
        "gunicorn",
        *kind,
        "--no-control-socket",
        "--bind",
        f"127.0.0.1:{number}",
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "tests.at_once_site"],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"]},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        wait_for_port(number, process)
        yield number
    finally:
        process.terminate()
        process.wait(timeout=60)


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with serving(tmp_path_factory.mktemp("web")) as port:
        yield port


@pytest.fixture
def line(port: int) -> Iterator[Line]:
    with kept(port) as line:
        yield line


@contextmanager
def kept(port: int) -> Iterator[Line]:
    """A kept connection: a thread has answered its first request."""
    line = Line(port)
    assert line.ask(plain())[1] == b"by a thread"
    yield line
    line.close()


def test_the_loop_answers_over_a_kept_connection_also_while_every_thread_is_taken(port, line):
    other = Line(port)
    other.socket.sendall(b"GET / HT")

    head, body = line.ask(plain())

    assert body == b"by the loop"
    assert head.startswith("HTTP/1.1 200 OK\r\nServer: gunicorn\r\nDate: ")
    assert "\r\nConnection: keep-alive\r\nContent-Length: 11\r\nX-Thread: MainThread\r\n" in head
    assert other.ask("TP/1.1\nHost: x\n\n")[1] == b"by a thread"
    other.close()


@pytest.mark.parametrize(
    "asked",
    [
        plain("/made/"),
        plain("/broken/"),
        plain(more="Content-Length: 0\n"),
        plain(more="Connection: close\n"),
        plain(more="Connection: Upgrade\nUpgrade: h2c\nHTTP2-Settings: x\n"),
        "GET / HTTP/1.0\nConnection: keep-alive\n\n",
        "POST / HTTP/1.1\nHost: x\nContent-Length: 3\n\nabc",
    ],
)
def test_what_is_not_ready_or_not_plain_is_answered_by_a_thread(line, asked):
    assert line.ask(asked)[1] == b"by a thread"


def test_requests_that_come_together_are_answered_in_their_order(line):
    assert line.ask(plain() + plain("/made/") + plain())[1] == b"by a thread"
    assert [line.answer()[1] for _ in range(2)] == [b"by a thread"] * 2
    assert line.ask(plain())[1] == b"by the loop"


def test_what_is_no_request_is_refused(line):
    assert line.ask(plain(more="Host: y\n"))[0].startswith("HTTP/1.1 400 ")


def test_a_reader_with_a_slow_line_gets_everything_and_the_next_page_as_well(line):
    line.socket.sendall(plain("/large/").replace("\n", "\r\n").encode())

    assert line.answer()[1] == LARGE
    line.socket.sendall(b"HEAD /large/ HTTP/1.1\r\nHost: x\r\n\r\n")
    assert f"Content-Length: {len(LARGE)}\r\n" in line.answer(has_body=False)[0]
    assert line.ask(plain())[1] == b"by the loop"


def test_an_application_that_kept_the_loop_waiting_is_left_to_the_threads(tmp_path):
    with serving(tmp_path, Worker) as port, kept(port) as line:
        assert line.ask(plain("/slow/"))[1] == b"by the loop"
        assert line.ask(plain())[1] == b"by a thread"

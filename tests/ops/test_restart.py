"""A reload loses no request: readers ask all the while a real gunicorn replaces its processes."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tests.conftest import free_port, wait_for_port

ROOT = Path(__file__).resolve().parents[2]


class Reader(threading.Thread):
    """Asks one request after another until told to stop; remembers every answer."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.port, self.answers, self.stopping = port, [], threading.Event()  # type: ignore[var-annotated]

    def run(self) -> None:
        while not self.stopping.is_set():
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
                connection.request("GET", "/healthz", headers={"Connection": "close"})
                self.answers.append(connection.getresponse().status)
                connection.close()
            except (OSError, http.client.HTTPException) as error:
                self.answers.append(repr(error))


def children(process: subprocess.Popen[bytes]) -> set[int]:
    return {int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()}


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_reload_under_load_fails_no_request_and_replaces_every_process(tmp_path: Path) -> None:
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "VAR_DIR": str(tmp_path),
        "PORT": str(port),
        "WEB_WORKERS": "2",
    }
    command = [sys.executable, "-m", "gunicorn", "--config", "python:newsroom.gunicorn", "newsroom.wsgi"]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    readers = [Reader(port) for _ in range(2)]
    try:
        wait_for_port(port, process, seconds=60)
        for reader in readers:
            reader.start()
        wait_until(lambda: len(children(process)) == 2 and all(len(reader.answers) > 5 for reader in readers))
        # What it had loaded a worker would have without reading it anew.
        assert "lxml" not in Path(f"/proc/{process.pid}/maps").read_text()
        before = children(process)
        process.send_signal(signal.SIGHUP)
        wait_until(lambda: len(children(process)) == 2 and not children(process) & before)
        answered = [len(reader.answers) for reader in readers]
        wait_until(
            lambda: all(len(reader.answers) > n + 5 for reader, n in zip(readers, answered, strict=True))
        )
    finally:
        for reader in readers:
            reader.stopping.set()
        for reader in readers:
            reader.join(30)
        process.terminate()
        process.wait(timeout=30)

    answers = [answer for reader in readers for answer in reader.answers]
    assert set(answers) == {200}

"""script/run: one command from a clone to a newspaper, and nothing left behind."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import free_port

ROOT = Path(__file__).resolve().parent.parent.parent


def _hear_signals() -> None:
    """As in a terminal: whoever starts the tests in the background passes on that these are not heard."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


class Newsroom:
    """A running script/run, what it printed, and where."""

    def __init__(self, var: Path, port: int, **environment: str) -> None:
        self.var, self.port = var, port
        self.answers: dict[str, int] = {}
        self.log = var.parent / f"{var.name}.log"
        unset = {"DATABASE_URL", "SECRET_KEY", "DJANGO_SETTINGS_MODULE", "NEWSROOM_TEST_DIR", "TMPDIR"}
        inherited = {name: value for name, value in os.environ.items() if name not in unset}
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [ROOT / "script" / "run"],
                cwd=var.parent,
                env=inherited | {"VAR_DIR": str(var), "PORT": str(port)} | environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_hear_signals,
            )

    @property
    def printed(self) -> str:
        return self.log.read_text()

    def wait_for(self, text: str, seconds: float = 300) -> None:
        until = time.monotonic() + seconds
        while text not in self.printed:
            if time.monotonic() > until or self.process.poll() is not None:
                pytest.fail(f"{text!r} was not printed:\n{self.printed}")
            time.sleep(0.1)

    def get(self, path: str) -> int:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=60) as answer:
            return int(answer.status)

    def answers_ready(self) -> bool:
        try:
            return self.get("/readyz") == 200
        except OSError:
            return False

    def running(self, command: bytes) -> list[int]:
        """Those whose command line ends in these words, the oldest first."""
        return sorted(
            pid for pid in self.processes() if Path(f"/proc/{pid}/cmdline").read_bytes().endswith(command)
        )

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask it to end; returns the exit status."""
        self.process.send_signal(number)
        return self.process.wait(timeout=120)

    def processes(self) -> list[int]:
        """Every process that was started with this newsroom's folder in its environment."""
        wanted = f"VAR_DIR={self.var.resolve()}".encode()
        return [pid for pid in _process_ids() if wanted in _environment_of(pid)]


def _process_ids() -> Iterator[int]:
    return (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())


def _environment_of(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []


def end(newsroom: Newsroom) -> None:
    """Nothing of it goes on, whatever the test did."""
    if newsroom.process.poll() is None:
        newsroom.stop()
    for pid in newsroom.processes():
        os.kill(pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newsroom]:
    """The first start, demo and all: asked for some pages when it was ready, then stopped."""
    newsroom = Newsroom(
        tmp_path_factory.mktemp("first") / "var", free_port(), DEMO_PASSWORD="paper-boat-seven"
    )
    try:
        newsroom.wait_for("Newsroom is ready.", seconds=300)
        newsroom.answers = {path: newsroom.get(path) for path in ("/healthz", "/readyz", "/", "/removal/")}
        assert newsroom.stop() == 0
        yield newsroom
    finally:
        end(newsroom)


@pytest.fixture
def start(first: Newsroom, tmp_path: Path) -> Iterator[Callable[..., Newsroom]]:
    """Starts newsrooms from a copy of what the first start made, and ends every one of them."""
    started: list[Newsroom] = []

    def begin(name: str = "var", port: int | None = None, **environment: str) -> Newsroom:
        shutil.copytree(first.var, tmp_path / name, symlinks=True)
        started.append(Newsroom(tmp_path / name, port or free_port(), **environment))
        return started[-1]

    yield begin
    for newsroom in started:
        end(newsroom)


def source_files() -> set[Path]:
    """Every file of the source tree, but for what the tools of the tests keep."""
    tools = {".git", ".venv", "var", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis"}
    tops = [top for top in ROOT.iterdir() if top.name not in tools]
    files = {path for top in tops for path in [top, *top.rglob("*")] if path.is_file()}
    return {path for path in files if "__pycache__" not in path.parts}


def test_the_first_start_serves_and_shows_where_and_how_to_sign_in(first: Newsroom) -> None:
    assert set(first.answers.values()) == {200}
    assert f"http://127.0.0.1:{first.port}/admin/" in first.printed
    assert "paper-boat-seven" in first.printed


def test_what_it_keeps_is_for_its_own_account_alone(first: Newsroom) -> None:
    for name in ("secret_key", "demo_password", "newsroom.sqlite3"):
        assert (first.var / name).stat().st_mode & 0o077 == 0


def test_later_starts_run_side_by_side_and_each_ends_all_it_started(start) -> None:
    before = source_files()
    morning, evening = start("morning", DEMO_PASSWORD=""), start("evening paper")
    for newsroom in (morning, evening):
        newsroom.wait_for("Newsroom is ready.")
        assert newsroom.get("/readyz") == 200
        assert "Collecting" not in newsroom.printed
        assert "Loading" not in newsroom.printed
        assert "paper-boat-seven" in newsroom.printed

    assert morning.stop(signal.SIGINT) == 0
    assert morning.processes() == []
    assert evening.get("/readyz") == 200

    assert evening.stop(signal.SIGHUP) == 0
    assert evening.processes() == []
    assert source_files() == before


def test_what_was_killed_is_started_again(start) -> None:
    newsroom = start()
    newsroom.wait_for("Newsroom is ready.")

    for command, name in ((b"newsroom.wsgi\0", "site"), (b"work\0", "worker")):
        os.kill(newsroom.running(command)[0], signal.SIGKILL)
        newsroom.wait_for(f"The {name} has ended by itself and is started again")
        until = time.monotonic() + 300
        while not (newsroom.answers_ready() and newsroom.running(command)) and time.monotonic() < until:
            time.sleep(0.2)
        assert newsroom.answers_ready()
        assert newsroom.running(command)

    assert newsroom.stop(signal.SIGTERM) == 0
    assert newsroom.processes() == []


def test_a_taken_port_is_named_with_another_to_try(start) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        newsroom = start(port=port)

        assert newsroom.process.wait(timeout=60) == 1

    assert f"Port {port} of 127.0.0.1 is taken" in newsroom.printed
    assert f"PORT={port + 1} script/run" in newsroom.printed


@pytest.mark.parametrize("port", ["eighty", "0", "65536", "-1"])
def test_a_port_that_is_none_is_refused(tmp_path: Path, port: str) -> None:
    done = subprocess.run(
        [ROOT / "script" / "run"],
        env=os.environ | {"PORT": port, "VAR_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )

    assert done.returncode == 1
    assert f'PORT is "{port}"' in done.stderr

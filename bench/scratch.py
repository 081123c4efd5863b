"""A newsroom to measure: its database, made-up feeds served on loopback, and how much CPU a process used."""

from __future__ import annotations

import json
import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import django

WORDS = (
    "harbour",
    "council",
    "budget",
    "ferry",
    "winter",
    "school",
    "museum",
    "strike",
    "bridge",
    "market",
    "tram",
)


def prepare() -> Path:
    """Settings read, tables made. Returns the folder everything is in.

    BENCH_DATABASE_URL names another database than a new file of SQLite's: PostgreSQL, or one that is full already.
    """
    os.environ["DJANGO_SETTINGS_MODULE"] = "newsroom.settings"
    if os.environ.get("BENCH_DATABASE_URL"):
        os.environ["DATABASE_URL"] = os.environ["BENCH_DATABASE_URL"]
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    return Path(os.environ["VAR_DIR"])


def print_rows(*rows: tuple[str, float, str]) -> None:
    """What `python -m bench` reads: the last line."""
    print(json.dumps([{"what": what, "value": round(value, 3), "unit": unit} for what, value, unit in rows]))


def cpu_seconds() -> float:
    """What this process and its ended children used."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def cpu_seconds_of(pids: list[int]) -> float:
    """What these running processes used so far."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def server_seconds() -> float:
    """What the server of the database used for connections now open; nothing on SQLite or if it is elsewhere."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return 0.0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
        pids = [pid for (pid,) in cursor.fetchall()]
    return cpu_seconds_of([pid for pid in pids if Path(f"/proc/{pid}/stat").exists()])


def seconds_without_a_core(pids: list[int]) -> float:
    """How long threads of these processes had work to do while others had the cores."""
    threads = [thread for pid in pids for thread in Path(f"/proc/{pid}/task").iterdir()]
    return sum(int((thread / "schedstat").read_text().split()[1]) for thread in threads) / 1e9


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def site_command(workers: int = 1) -> tuple[str, ...]:
    """What Python is told to serve the site, on the port and under the address that the environment names.

    Whatever says `again=` in its address is made anew.
    """
    return (
        "-m",
        "gunicorn",
        "--config",
        "python:newsroom.gunicorn",
        "--workers",
        str(workers),
        "bench.anew",
    )


def on_each(databases: Iterable[str], module: str) -> list[tuple[str, float, str]]:
    """The rows of a bench for each of these databases, in a process of its own, since settings are read once.

    The process is told its database by BENCH_ONE.
    """
    rows: list[tuple[str, float, str]] = []
    for database in databases:
        done = subprocess.run(
            [sys.executable, "-m", module],
            env=os.environ | {"BENCH_ONE": database},
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"{database}: the run broke off")
        rows += [(row["what"], row["value"], row["unit"]) for row in json.loads(done.stdout.splitlines()[-1])]
    return rows


@contextmanager
def running(
    port: int, *command: str, python: str = sys.executable, **environment: str
) -> Iterator[subprocess.Popen[bytes]]:
    """A program that listens on the port, ended on leaving."""
    process = subprocess.Popen(
        [python, *command],
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + 30
        while time.monotonic() < until and process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        process.wait(timeout=30)


def write_feeds(folder: Path, *, feeds: int, entries: int) -> list[str]:
    """So many feed documents of so many entries; returns their file names."""
    folder.mkdir()
    names = []
    for feed in range(feeds):
        items = "".join(_item(feed, entry) for entry in range(entries))
        text = f'<rss version="2.0"><channel><title>Outlet {feed}</title>'
        text += f"<link>https://outlet{feed}.example/</link>{items}</channel></rss>"
        names.append(f"{feed}.rss")
        (folder / names[-1]).write_text(text)
    return names


def _item(feed: int, entry: int) -> str:
    words = [WORDS[(feed * 7 + entry * 3 + place * place) % len(WORDS)] for place in range(320)]
    paragraphs = "".join(f"<p>{' '.join(words[start : start + 80])}.</p>" for start in range(0, 320, 80))
    link = f"https://outlet{feed}.example/{entry}"
    return (
        f"<item><title>{words[1].title()} {words[2]} {words[3]} {feed}-{entry}</title><link>{link}</link>"
        f"<guid>{link}</guid><author>desk@outlet.example (Ann Author {entry % 9})</author>"
        f"<category>{words[4]}</category><category>{words[5]}</category>"
        f"<pubDate>Mon, 04 May 2026 {entry % 24:02}:00:00 GMT</pubDate>"
        f"<description><![CDATA[{paragraphs}]]></description></item>"
    )


@contextmanager
def newsroom_with_feeds(*, feeds: int, entries: int) -> Iterator[Path]:
    """A newsroom whose feeds are registered, due, and served."""
    folder = prepare()
    names = write_feeds(folder / "feeds", feeds=feeds, entries=entries)
    port = free_port()
    web = ("-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", str(folder / "feeds"))
    with running(port, *web):
        from django.utils import timezone

        from aggregator.actions import register

        for name in names:
            register(url=f"http://127.0.0.1:{port}/{name}", at=timezone.now(), title=name)
        yield folder

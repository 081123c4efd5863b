"""What a page that is ready costs, beside its peers in one run: bare gunicorn sending the same bytes, with and
without our headers, and nginx with a plain file and with a page's file. Memory and the first page as well.
"""

from __future__ import annotations

import gzip
import http.client
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.machines import answers, nginx_configuration, until
from bench.scratch import (
    children_of,
    cpu_seconds_of,
    free_port,
    newsroom_with_feeds,
    print_rows,
    running,
)

ROUNDS, SECONDS = 15, 1
# gunicorn's own worker: ours sends from its loop.
THREADS = ("--worker-class", "gthread")
BARE, CLAD = "bare gunicorn", "bare gunicorn with our headers"
STATIC, FILE = "nginx, a file of the same bytes", "nginx, an article's page file"


def main() -> None:
    site, bare, clad, front = free_port(), free_port(), free_port(), free_port()
    os.environ |= {"PAGES_DIR": f"{os.environ['VAR_DIR']}/pages", "SITE_URL": f"http://127.0.0.1:{front}"}
    with newsroom_with_feeds(feeds=4, entries=25) as folder:
        paths = fill(folder)
        gunicorn = ("-m", "gunicorn", "--config", "python:newsroom.gunicorn", "--workers", "1")
        began = time.monotonic()
        with running(site, *gunicorn, "newsroom.wsgi", PORT=str(site)) as one:
            body, headers = fetch(site, paths["an article"])
            first_page = time.monotonic() - began
            (folder / "body").write_bytes(gzip.compress(body))
            (folder / "headers").write_text(json.dumps(headers))
            plain = {"PORT": str(bare), "BENCH_BODY": str(folder / "body")}
            with_ours = {"PORT": str(clad), "BENCH_HEADERS": str(folder / "headers")}
            with (
                running(bare, *gunicorn, *THREADS, "bench.bare", **plain) as other,
                running(clad, *gunicorn, *THREADS, "bench.bare", **plain | with_ours) as third,
                nginx(folder, front, site) as server,
            ):
                asked = {
                    BARE: (bare, "/", other.pid),
                    CLAD: (clad, "/", third.pid),
                    **{name: (site, path, one.pid) for name, path in paths.items()},
                    STATIC: (front, "/static/bench.html", server.pid),
                    FILE: (front, paths["an article"], server.pid),
                }
                rows = compare(asked)
                memory = sum(resident(worker) for worker in children_of(one.pid))
    rows += [
        ("memory of the web worker after it", memory, "MB"),
        ("start to first page, installed", first_page, "s"),
    ]
    print_rows(*rows)


@contextmanager
def nginx(folder: Path, port: int, site: int) -> Iterator[subprocess.Popen[bytes]]:
    """nginx as deploy/nginx.conf has it, in front of the site."""
    folder.chmod(0o755)
    body = gzip.decompress((folder / "body").read_bytes())
    (folder / "static" / "bench.html").write_bytes(body)
    (folder / "static" / "bench.html.gz").write_bytes(gzip.compress(body))
    whole = nginx_configuration(folder, port, [site])
    process = subprocess.Popen(["nginx", "-c", str(whole), "-g", f"error_log {folder}/nginx.err;"])
    try:
        until(lambda: answers(port), "nginx to listen")
        yield process
    finally:
        process.terminate()
        process.wait(timeout=30)


def resident(pid: int) -> float:
    """Memory of a process, in megabytes."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def fill(folder: Path) -> dict[str, str]:
    """Articles in, static files collected; the pages to measure."""
    from django.core.management import call_command
    from django.utils import timezone

    from aggregator.actions import fetch_pass
    from articles.models import Article

    for _ in fetch_pass(at=timezone.now()):
        pass
    call_command("collectstatic", interactive=False, verbosity=0)
    call_command("page_files", stdout=sys.stderr)
    article = Article.objects.public().newest_first()[0]
    return {"the front page": "/", "an article": article.get_absolute_url()}


def fetch(port: int, path: str) -> tuple[bytes, list[tuple[str, str]]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    if answer.status != 200:
        raise SystemExit(f"{path} answered {answer.status}")
    return answer.read(), answer.getheaders()


def compare(asked: dict[str, tuple[int, str, int]]) -> list[tuple[str, float, str]]:
    """CPU per request of each, in turns so that whatever else the machine does falls on all alike."""
    measured: dict[str, list[float]] = {name: [] for name in asked}
    for _ in range(ROUNDS):
        for name, (port, path, master) in asked.items():
            fetch(port, path)  # made ready
            measured[name].append(cpu_per_request(port, path, master))
    rows = [
        (f"CPU for a hit of {name}", statistics.median(figures), "ms") for name, figures in measured.items()
    ]
    pairs = [(name, BARE) for name in measured if name != BARE]
    pairs += [("an article", CLAD), (FILE, STATIC)]
    return [
        *rows,
        *(
            (f"rate of {name} against {peer}", ratio(measured[peer], measured[name]), "times")
            for name, peer in pairs
        ),
    ]


def ratio(of: list[float], to: list[float]) -> float:
    """The median over the rounds: what else the machine does changes from one to the next."""
    return statistics.median(one / other for one, other in zip(of, to, strict=True))


def cpu_per_request(port: int, path: str, master: int) -> float:
    """Milliseconds of CPU in gunicorn's workers for one request."""
    workers = children_of(master)
    before = cpu_seconds_of(workers)
    requests = load(f"http://127.0.0.1:{port}{path}", port, path)
    return (cpu_seconds_of(workers) - before) * 1000 / requests


def load(url: str, port: int, path: str) -> int:
    """Ask for the page for some seconds; returns how often it was answered."""
    if not shutil.which("wrk"):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        for _ in range(2000):
            connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
            connection.getresponse().read()
        return 2000
    command = ["wrk", "-t1", "-c8", f"-d{SECONDS}s", "-H", "Accept-Encoding: gzip", url]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ).stdout
    if bad := re.search(r"Non-2xx or 3xx responses: (\d+)", printed):
        raise SystemExit(f"{url}: {bad[1]} answers were not pages")
    return int(re.search(r"(\d+) requests in", printed)[1])  # type: ignore[index]


if __name__ == "__main__":
    main()

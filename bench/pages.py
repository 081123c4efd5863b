"""What a page that is ready costs, beside bare gunicorn sending the same bytes, in one run."""

from __future__ import annotations

import gzip
import http.client
import os
import re
import shutil
import statistics
import subprocess

from bench.scratch import (
    children_of,
    cpu_seconds_of,
    free_port,
    newsroom_with_feeds,
    print_rows,
    running,
)

ROUNDS, SECONDS = 3, 4


def main() -> None:
    with newsroom_with_feeds(feeds=4, entries=25) as folder:
        paths = fill()
        site, bare = free_port(), free_port()
        gunicorn = ("-m", "gunicorn", "--config", "python:newsroom.gunicorn", "--workers", "1")
        with running(
            site, *gunicorn, "newsroom.wsgi", PORT=str(site), SITE_URL=f"http://127.0.0.1:{site}"
        ) as one:
            (folder / "body").write_bytes(gzip.compress(fetch(site, paths["an article"])))
            environment = {"PORT": str(bare), "BENCH_BODY": str(folder / "body")}
            with running(bare, *gunicorn, "bench.bare", **environment) as other:
                rows = compare(site, one.pid, bare, other.pid, paths)
    print_rows(*rows)


def fill() -> dict[str, str]:
    """Articles in, static files collected; the pages to measure."""
    from django.core.management import call_command
    from django.utils import timezone

    from aggregator.actions import fetch_pass
    from articles.models import Article

    for _ in fetch_pass(at=timezone.now()):
        pass
    call_command("collectstatic", interactive=False, verbosity=0)
    article = Article.objects.public().newest_first()[0]
    return {"the front page": "/", "an article": article.get_absolute_url()}


def fetch(port: int, path: str) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    if answer.status != 200:
        raise SystemExit(f"{path} answered {answer.status}")
    return answer.read()


def compare(
    site: int, site_pid: int, bare: int, bare_pid: int, paths: dict[str, str]
) -> list[tuple[str, float, str]]:
    """CPU per request of each, in turns so that whatever else the machine does falls on all alike."""
    measured: dict[str, list[float]] = {name: [] for name in ["bare gunicorn", *paths]}
    for _ in range(ROUNDS):
        measured["bare gunicorn"].append(cpu_per_request(bare, "/", bare_pid))
        for name, path in paths.items():
            fetch(site, path)  # made ready
            measured[name].append(cpu_per_request(site, path, site_pid))
    medians = {name: statistics.median(figures) for name, figures in measured.items()}
    rows = [(f"CPU for a hit of {name}", figure, "ms") for name, figure in medians.items()]
    floor = medians["bare gunicorn"]
    return rows + [
        (f"rate of {name} against bare gunicorn", floor / medians[name], "times") for name in paths
    ]


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

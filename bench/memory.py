"""Memory of a web worker and of the job worker over some minutes of load: BENCH_MINUTES=60 for the goal's hour.

Readers ask for ready pages, pages made anew, feeds, searches and the API without pause; feeds are looked at, articles
are compared and letters sent beside. Flat: the second half of the time adds nothing.
"""

from __future__ import annotations

import os
import random
import re
import threading
import time
from pathlib import Path

from bench.growth import collect_static, fill
from bench.scratch import children_of, free_port, newsroom_with_feeds, print_rows, running, site_command
from bench.takedown import Browser

MINUTES = float(os.environ.get("BENCH_MINUTES", "1"))
READERS, EVERY = 4, 2.0


def main() -> None:
    with newsroom_with_feeds(feeds=20, entries=30):
        collect_static()
        fill(2_000)
        port = free_port()
        gunicorn = site_command()
        with (
            running(port, *gunicorn, PORT=str(port), SITE_URL=f"http://127.0.0.1:{port}") as site,
            running(free_port(), "manage.py", "work") as worker,
        ):
            Browser(port).get("/")  # Its worker is there now.
            over = threading.Event()
            threads = [threading.Thread(target=read, args=(port, paths(), over, n)) for n in range(READERS)]
            for thread in threads:
                thread.start()
            try:
                web, jobs = watched(children_of(site.pid)[0], worker.pid)
            finally:
                over.set()
                for thread in threads:
                    thread.join()
    print_rows(*figures("the web worker", web), *figures("the job worker", jobs))


def paths() -> list[str]:
    """What readers ask for: half of it lies ready after a while."""
    from articles.models import Article, Tag

    some = [article.get_absolute_url() for article in Article.objects.public().newest_first()[:300]]
    tags = [tag.get_absolute_url() for tag in Tag.objects.all()[:40]]
    lists = [
        "/",
        "/latest/",
        "/archive/",
        "/feeds/latest.rss",
        "/feeds/latest.json",
        "/sitemap.xml",
        "/sitemaps/1.xml",
    ]
    fresh = [f"{path}?again=%s" for path in [*some[:40], *tags, *lists]]
    words = ["council", "harbuor", "%22sea+wall%22", "har*", "zzzz%s"]
    return [
        *some,
        *tags,
        *lists,
        *fresh,
        *(f"/search/?q={word}&x=%s" for word in words),
        "/api/articles/?x=%s",
    ]


def read(port: int, asked: list[str], over: threading.Event, seed: int) -> None:
    chance, browser = random.Random(seed), Browser(port)
    while not over.is_set():
        path = chance.choice(asked)
        browser.get(path.replace("%s", str(chance.randrange(10**9))))


def watched(*pids: int) -> list[list[tuple[float, float]]]:
    """Megabytes of each process, its own and with the files it maps, looked at until the time is over."""
    seen: list[list[tuple[float, float]]] = [[] for _ in pids]
    until = time.monotonic() + MINUTES * 60
    while time.monotonic() < until:
        time.sleep(EVERY)
        for pid, sizes in zip(pids, seen, strict=True):
            told = dict(re.findall(r"(\w+):\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text()))
            sizes.append((int(told["RssAnon"]) / 1024, int(told["VmRSS"]) / 1024))
    return seen


def figures(name: str, sizes: list[tuple[float, float]]) -> list[tuple[str, float, str]]:
    own, whole = [size for size, _ in sizes], [size for _, size in sizes]
    half = len(own) // 2
    return [
        (f"{name}: most memory of its own in {MINUTES:g} min", max(own), "MB"),
        (f"{name}: with mapped files, which others share", max(whole), "MB"),
        (f"{name}: what the second half added of its own", max(own[half:]) - max(own[:half]), "MB"),
    ]


if __name__ == "__main__":
    main()

"""Memory of a web worker and of the job worker over some minutes of load: BENCH_MINUTES=60 for the goal's hour.

Readers ask for ready pages, pages made anew, feeds, searches and the API, without pause or BENCH_RATE times a second;
feeds are looked at, articles are compared and letters sent beside. Flat: the second half of the time adds nothing.
"""

from __future__ import annotations

import os
import random
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from bench.growth import collect_static, fill
from bench.scratch import children_of, free_port, newsroom_with_feeds, print_rows, running, site_command
from bench.takedown import Browser

MINUTES = float(os.environ.get("BENCH_MINUTES", "1"))
ARTICLES = int(os.environ.get("BENCH_ARTICLES", "2000"))
READERS, EVERY, PARTS = 4, 2.0, 6
PAUSE = READERS / float(os.environ.get("BENCH_RATE", "inf"))


class Sizes(NamedTuple):
    """Megabytes of a process: its own, with the files it maps, and what it shares with no other process."""

    own: float
    whole: float
    unshared: float


def main() -> None:
    with newsroom_with_feeds(feeds=20, entries=30):
        collect_static()
        fill(ARTICLES)
        port = free_port()
        gunicorn = site_command()
        with (
            running(port, *gunicorn, PORT=str(port), SITE_URL=f"http://127.0.0.1:{port}") as site,
            running(free_port(), "manage.py", "work") as worker,
        ):
            Browser(port).get("/")  # Its worker is there now.
            over = threading.Event()
            asked, counts = paths(), [0] * READERS
            threads = [
                threading.Thread(target=read, args=(port, asked, over, counts, n)) for n in range(READERS)
            ]
            for thread in threads:
                thread.start()
            try:
                web, jobs = watched(children_of(site.pid)[0], worker.pid)
            finally:
                over.set()
                for thread in threads:
                    thread.join()
            answered = sum(counts)
    rows = [("pages asked for", answered, "pages"), ("articles", ARTICLES, "")]
    print_rows(*rows, *figures("the web worker", web), *figures("the job worker", jobs))


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
        *(f"/search/?q={word}&again=%s" for word in words),
        "/api/articles/?again=%s",
    ]


def read(port: int, asked: list[str], over: threading.Event, counts: list[int], number: int) -> None:
    chance, browser = random.Random(number), Browser(port)
    while not over.wait(PAUSE):
        path = chance.choice(asked)
        browser.get(path.replace("%s", str(chance.randrange(10**9))))
        counts[number] += 1


def watched(*pids: int) -> list[list[Sizes]]:
    """What each process takes, looked at until the time is over."""
    seen: list[list[Sizes]] = [[] for _ in pids]
    until = time.monotonic() + MINUTES * 60
    while time.monotonic() < until:
        time.sleep(EVERY)
        for pid, sizes in zip(pids, seen, strict=True):
            sizes.append(sizes_of(pid))
    return seen


def sizes_of(pid: int) -> Sizes:
    kinds = ("status", "smaps_rollup")
    told = dict(
        found
        for kind in kinds
        for found in re.findall(r"(\w+):\s+(\d+) kB", Path(f"/proc/{pid}/{kind}").read_text())
    )
    return Sizes(*(int(told[name]) / 1024 for name in ("RssAnon", "VmRSS", "Private_Dirty")))


def figures(name: str, sizes: list[Sizes]) -> Iterator[tuple[str, float, str]]:
    """At the start and after each part of the time, then the most of each and what the second half added."""
    own = [size.own for size in sizes]
    for part in range(PARTS + 1):
        place = min(part * len(own) // PARTS, len(own) - 1)
        yield f"{name}: of its own after {part * MINUTES / PARTS:.3g} min", own[place], "MB"
    yield f"{name}: most of its own", max(own), "MB"
    yield f"{name}: most with mapped files, which others share", max(size.whole for size in sizes), "MB"
    yield f"{name}: most shared with no other process", max(size.unshared for size in sizes), "MB"
    half = len(own) // 2
    yield f"{name}: what the second half added of its own", max(own[half:]) - max(own[:half]), "MB"


if __name__ == "__main__":
    main()

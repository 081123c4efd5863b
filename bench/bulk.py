"""A tag for very many articles of one outlet, its worker killed on the way, while readers and writers ask.

BENCH_BULK=100000 for the full size; BENCH_DATABASE_URL for PostgreSQL. Suspending an outlet: bench/takedown.py.
"""

from __future__ import annotations

import os
import resource
import signal
import time
from collections.abc import Iterator
from typing import Any

from bench.scratch import cpu_seconds, free_port, newsroom_with_feeds, print_rows, running, site_command
from bench.takedown import CALM, Row, fill, fill_up, told, waits, watching

ARTICLES = int(os.environ.get("BENCH_BULK", "3000"))
WORDS = 400


def main() -> None:
    with newsroom_with_feeds(feeds=2, entries=25):
        fill()
        source = fill_up(ARTICLES, words=WORDS)
        port = free_port()
        gunicorn = site_command()
        with running(port, *gunicorn, PORT=str(port), SITE_URL=f"http://127.0.0.1:{port}") as web:
            print_rows(*told(tagging(source, port, web.pid)))


def tagging(source: Any, port: int, web: int) -> Iterator[Row]:
    """Half of it by a worker that is killed, the rest by its successor; each article tagged once at the end."""
    from django.utils import timezone

    from articles import walks
    from articles.models import Article, Tag, TaggedArticle, WalkKind

    size = Article.objects.filter(source=source).count()
    with watching(port, web) as calm:
        time.sleep(CALM)
    yield from waits("before anything happens", calm)
    tag = Tag.objects.create(name="Bulk", slug="bulk")
    walk = walks.ask(WalkKind.TAG, walks.Of(source=source), tag=tag, at=timezone.now())
    memory, began, used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic(), cpu_seconds()
    with watching(port, web) as busy:
        yield "articles tagged when the worker was killed", killed_on_the_way(walk, size // 3), "articles"
        go_on(walk)
    tagged = TaggedArticle.objects.filter(tag=tag).count()
    if tagged != size:
        raise SystemExit(f"{tagged} of {size} articles are tagged")
    yield "articles tagged when its successor was done", tagged, "articles"
    yield "articles a second", size / (time.monotonic() - began), "a second"
    yield "CPU for one", 1000 * (cpu_seconds() - used) / size, "ms"
    yield "memory beyond before", (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory) / 1024, "MiB"
    yield from waits("meanwhile", busy)


def killed_on_the_way(walk: Any, after: int) -> int:
    """A worker that dies of kill -9 once so many are done; returns how many were."""
    from django.db import connections

    connections.close_all()
    child = os.fork()
    if child == 0:
        go_on(walk)
        os._exit(0)
    walk.refresh_from_db()
    while walk.done < after:
        time.sleep(0.1)
        walk.refresh_from_db()
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    # Its lease would run out by itself.
    type(walk).objects.filter(pk=walk.pk).update(lease_until=None)
    return int(walk.done)


def go_on(walk: Any) -> None:
    """As the worker does, until all is done."""
    from django.utils import timezone

    from articles import walks

    while walk.finished_at is None:
        walks.go_on(walk, at=timezone.now())
        walk.refresh_from_db()


if __name__ == "__main__":
    main()

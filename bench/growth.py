"""What reading costs as the newsroom grows: hits, first visits, lists and searches, in CPU of the web worker."""

from __future__ import annotations

import http.client
import os
import time
from collections.abc import Iterable, Sequence

from bench.scratch import children_of, cpu_seconds, cpu_seconds_of, free_port, prepare, print_rows, running

# BENCH_SIZES=10000,100000,1000000 takes hours and some 15 GB.
SIZES = tuple(int(size) for size in os.environ.get("BENCH_SIZES", "1000,10000").split(","))
VISITS = 100
SEARCHES = 40


def main() -> None:
    prepare()
    rows: list[tuple[str, float, str]] = []
    made = 0
    collect_static()
    for size in SIZES:
        started = time.monotonic()
        fill(size - made)
        rows.append(
            (f"{size:,} articles: made and indexed", (size - made) / (time.monotonic() - started), "a second")
        )
        made = size
        rows += measure(size)
    print_rows(*rows)


def collect_static() -> None:
    from django.core.management import call_command

    call_command("collectstatic", interactive=False, verbosity=0)


def fill(count: int) -> None:
    from django.utils import timezone

    from newsroom import synthetic

    for _ in synthetic.make(count, at=timezone.now(), seed=f"bench {count}"):
        pass


def measure(size: int) -> list[tuple[str, float, str]]:
    """One worker, asked one page after another."""
    from articles.models import Article

    some = Article.objects.public().newest_first().select_related("source")[: VISITS + 1]
    articles = [article.get_absolute_url() for article in some]
    tag = Article.objects.public().newest_first()[0].tags.first()
    word = Article.objects.public().newest_first()[0].headline.split()[0]
    asked: dict[str, Sequence[str]] = {
        "an article's first visit (made and stored)": articles[1:],
        "a hit of an article": articles[1:] * 3,
        "an article made anew": [f"{articles[0]}?again={n}" for n in range(VISITS)],
        "the front page made anew": [f"/?again={n}" for n in range(VISITS)],
        "a tag page made anew": [
            f"{tag.get_absolute_url() if tag else '/latest/'}?again={n}" for n in range(VISITS)
        ],
        "a page of the API made anew": [f"/api/articles/?limit=30&again={n}" for n in range(VISITS)],
        "the feed of the newest made anew": [f"/feeds/latest.rss?again={n}" for n in range(VISITS // 2)],
        "a part of the sitemap made anew": [f"/sitemaps/0.xml?again={n}" for n in range(10)],
        "the list 3,000 articles down": [f"{_deep()}&again={n}" for n in range(VISITS)],
        f"a search for {word!r}": [f"/search/?q={word}&again={n}" for n in range(SEARCHES)],
        "a search that finds nothing": [f"/search/?q=zzzzqq&again={n}" for n in range(SEARCHES)],
    }
    port = free_port()
    gunicorn = ("-m", "gunicorn", "--config", "python:newsroom.gunicorn", "--workers", "1", "newsroom.wsgi")
    with running(port, *gunicorn, PORT=str(port), SITE_URL=f"http://127.0.0.1:{port}") as server:
        ask(port, ["/", articles[0]])
        rows = [
            (f"{size:,} articles: {name}", cpu_of(server.pid, port, paths), "ms")
            for name, paths in asked.items()
        ]
        waited = sorted(seconds(port, f"/search/?q={word}&again=p{n}") for n in range(SEARCHES))
    rows.append((f"{size:,} articles: a search, 95 of 100 within", waited[int(0.95 * SEARCHES)] * 1000, "ms"))
    return [*rows, (f"{size:,} articles: the desk's list of articles", desk_list(), "ms")]


def _deep() -> str:
    """The page of the newest that begins some thousand articles down."""
    from articles import keyset
    from articles.models import Article

    newest = Article.objects.public().newest_first()
    article = newest[3_000:3_001].first() or newest.first()
    return f"/latest/?before={keyset.cursor(article)}" if article else "/latest/?"


def seconds(port: int, path: str) -> float:
    """How long one answer takes, by the clock on the wall."""
    began = time.monotonic()
    ask(port, [path])
    return time.monotonic() - began


def desk_list() -> float:
    """Milliseconds of CPU for the list of articles at the desk, in this process."""
    from django.test import Client
    from django.urls import reverse

    from accounts.models import User

    user, _ = User.objects.get_or_create(username="bench", is_staff=True, is_superuser=True)
    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(user)
    address = reverse("admin:articles_article_changelist")
    if client.get(address).status_code != 200:
        raise SystemExit(f"{address} is no page")
    before = cpu_seconds()
    for _ in range(10):
        client.get(address)
    return (cpu_seconds() - before) * 100


def cpu_of(master: int, port: int, paths: Sequence[str]) -> float:
    """Milliseconds of CPU in gunicorn's worker for one of these."""
    workers = children_of(master)
    before = cpu_seconds_of(workers)
    ask(port, paths)
    return (cpu_seconds_of(workers) - before) * 1000 / len(paths)


def ask(port: int, paths: Iterable[str]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    for path in paths:
        connection.request("GET", quoted(path), headers={"Accept-Encoding": "br"})
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise SystemExit(f"{path} answered {answer.status}")
    connection.close()


def quoted(path: str) -> str:
    from urllib.parse import quote

    return quote(path, safe="/?=&%")


if __name__ == "__main__":
    main()

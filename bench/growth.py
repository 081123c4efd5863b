"""What reading costs as the newsroom grows: hits, first visits, lists and searches, in CPU of the web worker."""

from __future__ import annotations

import http.client
import os
import time
from collections.abc import Iterable, Iterator, Sequence

from bench.scratch import (
    children_of,
    cpu_seconds,
    cpu_seconds_of,
    free_port,
    prepare,
    print_rows,
    running,
    server_seconds,
    site_command,
)

# BENCH_SIZES=10000,100000,1000000 takes hours and some 15 GB; BENCH_DATABASE_URL names a newsroom that is full.
SIZES = tuple(int(size) for size in os.environ.get("BENCH_SIZES", "1000,10000").split(","))
VISITS = 100
FIRST = 1 + VISITS // 2
SEARCHES = 40
DESK = ("article", "tag", "contributor", "source", "story", "media", "walk")


# The server's address is the one of this process: what is prepared for another site is of no use to it.
PORT = free_port()


def main() -> None:
    os.environ["SITE_URL"] = f"http://127.0.0.1:{PORT}"
    prepare()
    rows: list[tuple[str, float, str]] = []
    collect_static()
    if os.environ.get("BENCH_DATABASE_URL"):
        rows += measure(stored())
    else:
        rows += grown()
    print_rows(*rows)


def grown() -> Iterator[tuple[str, float, str]]:
    """One size after the other, in a newsroom of its own."""
    made = 0
    for size in SIZES:
        started = time.monotonic()
        fill(size - made)
        yield f"{size:,} articles: made and indexed", (size - made) / (time.monotonic() - started), "a second"
        made = size
        yield from measure(size)


def stored() -> int:
    """How many articles the newsroom has that was named."""
    from articles.models import Article

    return Article.objects.count()


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
    from django.db import connection

    from articles.ahead import set_pages
    from articles.models import Article, Fragment, ReadyPage

    some = Article.objects.public().newest_first().select_related("source")[: VISITS + 1]
    articles = [article.get_absolute_url() for article in some]
    newest = some[0]
    word = newest.headline.split()[0]
    tag, person, source = newest.tags.first(), newest.contributors.first(), newest.source
    assert tag is not None
    assert person is not None
    assert source is not None
    anew = {
        "an article": articles[0],
        "the front page": "/",
        "the list of everything": "/latest/",
        "the list 3,000 articles down": _deep(),
        "a tag's page": tag.get_absolute_url(),
        "a person's page": person.get_absolute_url(),
        "an outlet's page": source.get_absolute_url(),
        "the archive": "/archive/",
        "the newest as RSS": "/feeds/latest.rss",
        "the newest as Atom": "/feeds/latest.atom",
        "the newest as JSON": "/feeds/latest.json",
        "a tag's feed": f"{tag.get_absolute_url()}feed.rss",
        "a person's feed": f"{person.get_absolute_url()}feed.rss",
        "30 articles of the API": "/api/articles/?limit=30",
        "a tag's articles of the API": f"/api/articles/?tag={tag.slug}",
        "a person's articles of the API": f"/api/articles/?contributor={person.slug}",
        "the index of the sitemap": "/sitemap.xml",
        "a part of the sitemap": "/sitemaps/1.xml",
        f"a search for {word!r}": f"/search/?q={word}",
        "a search for a phrase": "/search/?q=%22sea+wall%22+harbour",
        "a search with a slip": "/search/?q=harbuor",
        "a search that finds nothing": "/search/?q=zzzzqq",
    }
    asked: dict[str, Sequence[str]] = {
        "an article's first visit (made and stored)": articles[1:FIRST],
        "the same, prepared by the worker": articles[FIRST:],
        "a hit of an article": articles[1:] * 3,
    }
    ReadyPage.objects.all().delete()
    Fragment.objects.all().delete()
    set_pages([article.pk for article in some[FIRST:]])
    port = PORT
    with running(port, *site_command(), PORT=str(port)) as server:
        ask(port, ["/", articles[0]])
        rows = [
            (f"{size:,} articles: {name}", cpu_of(server.pid, port, paths), "ms")
            for name, paths in asked.items()
        ]
        # What each article says of itself is kept by then, as the worker and earlier visits leave it.
        ask(port, anew.values())
        rows += [
            (f"{size:,} articles: {name}, made anew", cpu_of(server.pid, port, _again(path)), "ms")
            for name, path in anew.items()
        ]
        rows += [
            (f"{size:,} articles: {name}, at the database's server", server_cpu(port, paths), "ms")
            for name, paths in (
                ("a hit of an article", asked["a hit of an article"]),
                ("an article, made anew", _again(anew["an article"])),
                ("the front page, made anew", _again(anew["the front page"])),
            )
            if connection.vendor == "postgresql"
        ]
        waited = sorted(seconds(port, f"/search/?q={word}&again=p{n}") for n in range(SEARCHES))
    rows.append((f"{size:,} articles: a search, 95 of 100 within", waited[int(0.95 * SEARCHES)] * 1000, "ms"))
    desk = [(f"{size:,} articles: the desk's list of {name}", desk_list(name), "ms") for name in DESK]
    return [*rows, *desk]


def _again(path: str) -> list[str]:
    """The page so many times, as somebody who signs in nowhere asks for it; none of it lies ready (bench/anew.py)."""
    times = 10 if "sitemaps" in path else SEARCHES if "search" in path else VISITS
    return [f"{path}{'&' if '?' in path else '?'}again={n}" for n in range(times)]


def _deep() -> str:
    """The page of the newest that begins some thousand articles down."""
    from articles import keyset
    from articles.models import Article

    newest = Article.objects.public().newest_first()
    article = newest[3_000:3_001].first() or newest.first()
    return f"/latest/?before={keyset.cursor(article)}" if article else "/latest/"


def seconds(port: int, path: str) -> float:
    """How long one answer takes, by the clock on the wall."""
    began = time.monotonic()
    ask(port, [path])
    return time.monotonic() - began


def desk_list(name: str) -> float:
    """Milliseconds of CPU for a list at the desk, in this process."""
    from django.test import Client
    from django.urls import reverse

    from accounts.models import User

    user, _ = User.objects.get_or_create(username="bench", is_staff=True, is_superuser=True)
    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(user)
    address = reverse(f"admin:articles_{name}_changelist")
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


def server_cpu(port: int, paths: Sequence[str]) -> float:
    """Milliseconds of CPU in the database's server for one of these."""
    before = server_seconds()
    ask(port, paths)
    return (server_seconds() - before) * 1000 / len(paths)


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

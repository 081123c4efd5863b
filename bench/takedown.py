"""What a removal costs and how soon it is gone: decisions under readers' fire, the queue, a huge notice, an opt-out.

BENCH_REMOVALS, BENCH_ARTICLES and BENCH_CLAIMS set the sizes; BENCH_DATABASE_URL takes another database than SQLite.
BENCH_OPT_OUT=200000 measures the opt-out and the suspension alone, over so many articles; BENCH_NOTICE=full one notice
of 10,000 addresses of articles with full texts. Loopback only; ends by itself.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import select
import signal
import statistics
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.scratch import (
    WORDS,
    children_of,
    cpu_seconds,
    free_port,
    newsroom_with_feeds,
    print_rows,
    running,
    seconds_without_a_core,
    site_command,
)

REMOVALS = int(os.environ.get("BENCH_REMOVALS", "40"))
ARTICLES = int(os.environ.get("BENCH_ARTICLES", "200000"))
CLAIMS = int(os.environ.get("BENCH_CLAIMS", "100000"))
OPT_OUT = int(os.environ.get("BENCH_OPT_OUT", "0"))
FULL_TEXTS = os.environ.get("BENCH_NOTICE") == "full"
READERS = 8
URLS = 10_000
# How often the watcher asks, and for how long before anything happens.
EVERY, CALM = 0.05, 5.0
BLOCKED = ", but for waiting for a core"
Row = tuple[str, float, str]


def main() -> None:
    with newsroom_with_feeds(feeds=8, entries=25):
        fill()
        port = free_port()
        gunicorn = site_command(workers=2)
        with running(port, *gunicorn, PORT=str(port), SITE_URL=f"http://127.0.0.1:{port}") as web:
            print_rows(*told(chosen(port, web.pid)))


def chosen(port: int, web: int) -> Iterator[Row]:
    if FULL_TEXTS:
        fill_up(URLS, words=600)
        yield from one_huge_notice()
    elif OPT_OUT:
        yield from opting_out(fill_up(OPT_OUT), port, web)
    else:
        yield from decisions(port)
        source = fill_up(ARTICLES)
        yield from one_huge_notice()
        yield from queue()
        yield from opting_out(source, port, web)


def told(rows: Iterator[Row]) -> Iterator[Row]:
    """Each row as it is found: the whole takes minutes."""
    for row in rows:
        print(f"  {row[0]}: {row[1]:,.3f} {row[2]}", file=sys.stderr, flush=True)
        yield row


def fill() -> None:
    from django.core.management import call_command
    from django.utils import timezone

    from aggregator.actions import fetch_pass
    from articles.models import Source

    for _ in fetch_pass(at=timezone.now()):
        pass
    Source.objects.update(usage="full", terms="All of it.")
    call_command("collectstatic", interactive=False, verbosity=0)


class Browser:
    """One reader's connection, opened anew when the server had closed it for being idle."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def get(self, path: str) -> str:
        for again in (True, False):
            try:
                self.connection.request("GET", path)
                return self.connection.getresponse().read().decode("utf-8", "replace")
            except (http.client.RemoteDisconnected, ConnectionError):
                self.connection.close()
                if not again:
                    raise
        raise AssertionError("unreachable")


# --- under fire -------------------------------------------------------------------------------


@dataclass
class Fire:
    """Readers who ask without pause; `gone` says since when an article's headline may be nowhere."""

    port: int
    pages: dict[str, list[str]]
    gone: dict[str, float] = field(default_factory=dict)
    asked: int = 0
    stale: list[tuple[str, str]] = field(default_factory=list)
    slow: list[float] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def read(self, seed: int) -> None:
        chance = random.Random(seed)
        browser = Browser(self.port)
        headlines = list(self.pages)
        while not self.over.is_set():
            headline = (
                chance.choice(list(self.gone) or headlines)
                if chance.random() < 0.5
                else chance.choice(headlines)
            )
            path = chance.choice(self.pages[headline])
            began = time.monotonic()
            text = browser.get(path)
            self.slow.append(time.monotonic() - began)
            self.asked += 1
            # Every headline gone before we asked, not only the one we came for.
            for name, since in list(self.gone.items()):
                if since < began and name in text:
                    self.stale.append((path, name))


@contextmanager
def under_fire(fire: Fire) -> Iterator[None]:
    threads = [threading.Thread(target=fire.read, args=(seed,), daemon=True) for seed in range(READERS)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        fire.over.set()
        for thread in threads:
            thread.join(30)


def decisions(port: int) -> Iterator[Row]:
    """Uphold one claim after the other while everybody reads; then look at each surface of each article."""
    from django.utils import timezone

    from articles.models import Article
    from moderation import actions

    some = list(Article.objects.public().select_related("source").newest_first()[:REMOVALS])
    fire = Fire(port, {article.headline: _surfaces(article) for article in some})
    claims = [_claim(article, number) for number, article in enumerate(some)]
    took, last_gone = [], []
    with under_fire(fire):
        for article, claim in zip(some, claims, strict=True):
            before, headline = time.monotonic(), article.headline
            actions.uphold(claim_id=claim.pk, by=None, at=timezone.now())
            fire.gone[headline] = time.monotonic()
            took.append(fire.gone[headline] - before)
            last_gone.append(_until_gone_everywhere(port, headline, fire.pages[headline]) - before)
    yield "decisions, each with 8 readers on two processes", len(some), "removals"
    yield "requests meanwhile", fire.asked, "requests"
    yield "stale answers to requests begun after a commit", len(fire.stale), "answers"
    yield "a decision, median", 1000 * statistics.median(took), "ms"
    yield "decision to last of its surfaces seen gone, median", 1000 * statistics.median(last_gone), "ms"
    yield "decision to last of its surfaces seen gone, longest", 1000 * max(last_gone), "ms"


def _surfaces(article: Any) -> list[str]:
    own = article.get_absolute_url()
    source = article.source.get_absolute_url()
    return [own, "/", "/latest/", "/feeds/latest.json", "/feeds/latest.atom", source, f"{source}feed.rss",
            *(tag.get_absolute_url() for tag in article.tags.all()[:2]), "/news-sitemap.xml"]  # fmt: skip


def _claim(article: Any, number: int) -> Any:
    from django.utils import timezone

    from moderation.models import Claim, Lane, Notice

    now = timezone.now()
    notice = Notice.objects.create(
        reference=f"NR-BENCH-{number:07}", secret_hash=f"b{number:063}", intake_key=f"b{number:063}",
        received_at=now, deadline_at=now + timedelta(hours=24),
    )  # fmt: skip
    return Claim.objects.create(
        notice=notice, article=article, number=1, lane=Lane.C, deadline_at=notice.deadline_at
    )


def _until_gone_everywhere(port: int, headline: str, paths: Sequence[str]) -> float:
    """When the last of the surfaces was seen without it: asked once each, again only where it still is."""
    browser = Browser(port)
    for path in paths:
        while headline in browser.get(path):
            pass
    return time.monotonic()


# --- many -------------------------------------------------------------------------------------


def fill_up(size: int, *, words: int = 2) -> Any:
    """So many articles of one outlet, of so many words each, as plain rows; after each four one of another outlet."""
    from articles.models import Source

    leaving, staying = (
        Source.objects.create(
            name=name, slug=name.lower(), domain=f"{name.lower()}.example", usage="full", terms="All of it."
        )
        for name in ("Leaving", "Staying")
    )
    chance = random.Random(1)
    _store(leaving, "many", size, 1, words, chance)
    _store(staying, "others", size // 4, 4, words, chance)
    return leaving


def _store(source: Any, name: str, size: int, minutes: int, words: int, chance: random.Random) -> None:
    from django.utils import timezone

    from articles.canonical import address_key
    from articles.models import Article

    now = timezone.now()
    for start in range(0, size, 5_000):
        Article.objects.bulk_create(
            Article(
                slug=f"{name}-{number}", headline=f"Number {number} of {name}",
                body=f"<p>Said {number} {' '.join(chance.choices(WORDS, k=words - 2))}.</p>",
                state="published", published_at=now - timedelta(minutes=minutes * number), source=source,
                canonical_url=f"https://{source.domain}/{number}", compared_at=now,
                url_key=address_key(f"https://{source.domain}/{number}"),
            )
            for number in range(start, min(start + 5_000, size))
        )  # fmt: skip


def one_huge_notice() -> Iterator[Row]:
    from django.conf import settings
    from django.utils import timezone

    from moderation.models import Channel
    from moderation.receive import Submission, receive

    text = "\n".join(f"{settings.SITE_URL}/articles/many-{number}/" for number in range(URLS))
    submission = Submission(
        channel=Channel.FORM, text=text, name="Olena", email="olena@owner.example", work=f"Mine {time.time()}",
        good_faith=True, accurate=True, signature="Olena", confirmed=True,
    )  # fmt: skip
    before, used = time.monotonic(), cpu_seconds()
    notice = receive(submission=submission, at=timezone.now()).notice
    yield f"a notice of {URLS:,} addresses, accepted in", time.monotonic() - before, "s"
    yield "CPU time for that", cpu_seconds() - used, "s"
    yield "claims in it, each with its hold", notice.claims.count(), "claims"


def queue() -> Iterator[Row]:
    from django.utils import timezone

    from moderation.models import Claim
    from newsroom.prune import survey_claims

    for size in (1_000, CLAIMS):
        _more_claims(size - Claim.objects.open().count())
        survey_claims(1, timezone.now())
        queries, seconds, whole = _queue_page()
        yield f"the queue's page at {Claim.objects.open().count():,} claims: queries", queries, "queries"
        yield f"the queue's page at {Claim.objects.open().count():,} claims: database", 1000 * seconds, "ms"
        yield f"the queue's page at {Claim.objects.open().count():,} claims: whole", 1000 * whole, "ms"


def _more_claims(count: int) -> None:
    from django.utils import timezone

    from articles.models import Article
    from moderation.models import Claim, Notice

    now = timezone.now()
    named = Claim.objects.values("article")
    free = Article.objects.exclude(pk__in=named).order_by("pk").values_list("pk", flat=True)
    pks = list(free[: max(0, count)])
    for start in range(0, len(pks), 1_000):
        serial = Notice.objects.count()
        notice = Notice.objects.create(
            reference=f"NR-MANY-{serial:08}", secret_hash=f"m{serial:063}", intake_key=f"m{serial:063}",
            received_at=now, deadline_at=now + timedelta(hours=24, seconds=serial),
        )  # fmt: skip
        Claim.objects.bulk_create(
            Claim(notice=notice, article_id=pk, number=number, lane="C", deadline_at=notice.deadline_at)
            for number, pk in enumerate(pks[start : start + 1_000], 1)
        )


def _queue_page() -> tuple[int, float, float]:
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from accounts.models import User

    person, _ = User.objects.get_or_create(username="bench", is_staff=True, is_superuser=True)
    desk = Client(headers={"host": "127.0.0.1"})
    desk.force_login(person)
    for _ in range(3):  # the last of three: templates read, statistics known
        before = time.monotonic()
        with CaptureQueriesContext(connection) as asked:
            answer = desk.get("/admin/moderation/claim/")
        whole = time.monotonic() - before
    if answer.status_code != 200:
        raise SystemExit(f"the queue answered {answer.status_code}")
    return len(asked), sum(float(query["time"]) for query in asked), whole


def opting_out(source: Any, port: int, web: int) -> Iterator[Row]:
    """One row that takes effect at once; behind it the portions, whose worker is killed on the way."""
    from django.utils import timezone

    from articles.actions import suspend_source
    from articles.models import Article, Hold
    from articles.optouts import OptOutKind
    from moderation.owners import LEASE_SECONDS, opt_out

    size = Article.objects.filter(source=source).count()
    with watching(port, web) as calm:
        time.sleep(CALM)
    yield from waits("before anything happens", calm)
    before = time.monotonic()
    suspend_source(source=source, at=timezone.now(), by=None, reason="Measured.")
    yield f"a suspension over {size:,} articles takes effect in", 1000 * (time.monotonic() - before), "ms"
    notice = _owners_notice(source.domain)
    before = time.monotonic()
    rule = opt_out(notice=notice, domain=source.domain, kind=OptOutKind.SOURCE, at=timezone.now()).rule
    yield f"an opt-out over {size:,} articles takes effect in", 1000 * (time.monotonic() - before), "ms"

    memory, began, used = _own_memory(), time.monotonic(), cpu_seconds()
    with watching(port, web) as busy:
        yield "articles withheld one by one when the worker was killed", _killed_on_the_way(rule), "articles"
        portions = _go_on_to_the_end(rule, after=LEASE_SECONDS + 1)
    held = Hold.objects.standing().filter(reference=rule.reference).count()
    if held != size:
        raise SystemExit(f"{held} of {size} articles are withheld")
    yield "articles withheld when its successor was done", held, "articles"
    yield "all of that in", time.monotonic() - began, "s"
    yield "CPU time of the worker and its successor", cpu_seconds() - used, "s"
    yield "longest portion, reading included", 1000 * max(took for took, _ in portions), "ms"
    yield "memory beyond before, at its most", (max(held for _, held in portions) - memory) / 1024, "MiB"
    yield from waits("meanwhile", busy)


def _owners_notice(domain: str) -> Any:
    """A case of whoever proved this domain."""
    from django.utils import timezone

    from moderation.models import DomainProof, Notice

    now = timezone.now()
    notice = Notice.objects.create(
        reference="NR-BENCH-OWNER", secret_hash="o" * 64, intake_key="o" * 64, received_at=now,
        deadline_at=now + timedelta(hours=24), confirmed_at=now, email="rights@owner.example",
    )  # fmt: skip
    DomainProof.objects.create(
        notice=notice, domain=domain, email=notice.email, method="dns", token="-", asked_at=now, proved_at=now
    )
    return notice


def _killed_on_the_way(rule: Any) -> int:
    """A worker that dies of kill -9 once it has withheld some; returns how many."""
    from django.db import connections

    from articles.models import Hold

    connections.close_all()
    child = os.fork()
    if child == 0:
        _go_on_to_the_end(rule, after=0)
        os._exit(0)
    held = Hold.objects.filter(reference=rule.reference)
    while not held.exists():
        time.sleep(0.2)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return held.count()


def _own_memory() -> int:
    """Memory of this process alone, in KiB: without the pages of the database's file, which are the system's."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("RssAnon:")[2].split()[0])


def _go_on_to_the_end(rule: Any, *, after: int) -> list[tuple[float, int]]:
    """Portion after portion, at a time so many seconds ahead; how long each took, and the memory after it."""
    from django.utils import timezone

    from moderation.owner_models import StandingOptOut
    from moderation.owners import apply_due

    took = []
    while StandingOptOut.objects.filter(rule=rule, due_at__isnull=False).exists():
        began = time.monotonic()
        apply_due(1, timezone.now() + timedelta(seconds=after))
        took.append((time.monotonic() - began, _own_memory()))
    return took


# --- what others wait for meanwhile -----------------------------------------------------------


@contextmanager
def watching(port: int, web: int) -> Iterator[dict[str, list[float]]]:
    """A process of its own that reads, writes and asks `web` for a page twenty times a second; its waits, in seconds.

    Each also without the time in which that process or the web server's had work to do and got no core.
    """
    from django.db import connections

    found: dict[str, list[float]] = {}
    heard, said = os.pipe()
    until, stop = os.pipe()
    connections.close_all()
    child = os.fork()
    if child == 0:
        os.close(stop)
        os.write(said, json.dumps(_watch(until, port, web)).encode())
        os._exit(0)
    os.close(said)
    try:
        yield found
    finally:
        os.close(stop)
        with os.fdopen(heard) as pipe:
            found |= json.loads(pipe.read())
        os.waitpid(child, 0)


def _watch(until: int, port: int, web: int) -> dict[str, list[float]]:
    from django.db.models import F

    from articles.models import Article, SurfaceSerial

    browser = Browser(port)
    asked = {
        "a query of readers": lambda: list(Article.objects.public().newest_first()[:30]),
        "another writer": lambda: SurfaceSerial.objects.filter(pk=1).update(serial=F("serial")),
        "a reader's page": lambda: browser.get("/"),
    }
    for ask in asked.values():
        ask()  # the first time costs what no later one does
    waits: dict[str, list[float]] = {name + more: [] for name in asked for more in ("", BLOCKED)}
    watched = [os.getpid(), *children_of(web)]
    while not select.select([until], [], [], EVERY)[0]:
        for name, ask in asked.items():
            began, crowded = time.monotonic(), seconds_without_a_core(watched)
            ask()
            took, crowded = time.monotonic() - began, seconds_without_a_core(watched) - crowded
            waits[name].append(took)
            waits[name + BLOCKED].append(max(took - crowded, 0))
    return waits


def waits(when: str, found: dict[str, list[float]]) -> Iterator[Row]:
    for name, took in found.items():
        ordered = sorted(took)
        yield f"{name}, {when}: 99 in 100 within", 1000 * ordered[int(len(ordered) * 0.99)], "ms"
        yield f"{name}, {when}: longest", 1000 * ordered[-1], "ms"


if __name__ == "__main__":
    main()

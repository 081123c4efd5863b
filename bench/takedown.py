"""What a removal costs and how soon it is gone: decisions under readers' fire, the queue, a huge notice, an opt-out.

BENCH_REMOVALS, BENCH_ARTICLES and BENCH_CLAIMS set the sizes; BENCH_DATABASE_URL takes another database than SQLite.
Loopback only; ends by itself.
"""

from __future__ import annotations

import http.client
import os
import random
import resource
import statistics
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from bench.scratch import cpu_seconds, free_port, newsroom_with_feeds, print_rows, running

REMOVALS = int(os.environ.get("BENCH_REMOVALS", "40"))
ARTICLES = int(os.environ.get("BENCH_ARTICLES", "200000"))
CLAIMS = int(os.environ.get("BENCH_CLAIMS", "100000"))
READERS = 8
URLS = 10_000
# The portions behind an opt-out change nothing for readers; so many seconds of them say enough.
LONGEST = 60
Row = tuple[str, float, str]


def main() -> None:
    if os.environ.get("BENCH_DATABASE_URL"):
        os.environ["DATABASE_URL"] = os.environ["BENCH_DATABASE_URL"]
    with newsroom_with_feeds(feeds=8, entries=25):
        fill()
        port = free_port()
        gunicorn = (
            "-m",
            "gunicorn",
            "--config",
            "python:newsroom.gunicorn",
            "--workers",
            "2",
            "newsroom.wsgi",
        )
        with running(port, *gunicorn, PORT=str(port), SITE_URL=f"http://127.0.0.1:{port}"):
            rows = [*told(decisions(port))]
            source = fill_up()
            rows += [*told(one_huge_notice()), *told(queue()), *told(opt_out(source, port))]
    print_rows(*rows)


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
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headlines = list(self.pages)
        while not self.over.is_set():
            headline = (
                chance.choice(list(self.gone) or headlines)
                if chance.random() < 0.5
                else chance.choice(headlines)
            )
            path = chance.choice(self.pages[headline])
            began = time.monotonic()
            connection.request("GET", path)
            text = connection.getresponse().read().decode("utf-8", "replace")
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
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    for path in paths:
        while True:
            connection.request("GET", path)
            if headline not in connection.getresponse().read().decode("utf-8", "replace"):
                break
    return time.monotonic()


# --- many -------------------------------------------------------------------------------------


def fill_up() -> Any:
    """So many short articles of one outlet, and claims on half of them, as plain rows."""
    from django.utils import timezone

    from articles.canonical import address_key
    from articles.models import Article, Source

    now = timezone.now()
    source = Source.objects.create(name="Opting Out", slug="opting-out", domain="opting.example", usage="full",
                                   terms="All of it.")  # fmt: skip
    for start in range(0, ARTICLES, 5_000):
        Article.objects.bulk_create(
            Article(
                slug=f"many-{number}", headline=f"Number {number} of many", body=f"<p>Said {number}.</p>",
                state="published", published_at=now - timedelta(minutes=number), source=source,
                canonical_url=f"https://opting.example/{number}", compared_at=now,
                url_key=address_key(f"https://opting.example/{number}"),
            )
            for number in range(start, min(start + 5_000, ARTICLES))
        )  # fmt: skip
    return source


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


def opt_out(source: Any, port: int) -> Iterator[Row]:
    from django.utils import timezone

    from articles import opting_out
    from articles.optouts import OptOutKind
    from moderation.owners import PORTION

    fire = Fire(port, {"nothing of this": ["/", "/latest/", "/feeds/latest.json"]})
    began_at = time.monotonic()
    before = time.monotonic()
    rule = opting_out.opt_out(domain=source.domain, kind=OptOutKind.SOURCE, value="", at=timezone.now())
    yield f"an opt-out over {ARTICLES:,} articles takes effect in", 1000 * (time.monotonic() - before), "ms"
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    cursor, held, portions = 0, 0, []
    with under_fire(fire):
        while True:
            began = time.monotonic()
            found, cursor = opting_out.covered_after(rule, cursor=cursor, limit=PORTION)
            held += opting_out.hold_covered(rule=rule, articles=found, at=timezone.now())
            portions.append(time.monotonic() - began)
            if not cursor or time.monotonic() - began_at > LONGEST:
                break
    more = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory
    yield "articles held one by one behind it, in a minute at most", held, "articles"
    yield "those in", sum(portions), "s"
    yield "longest portion", 1000 * max(portions), "ms"
    yield "memory beyond before", more / 1024, "MiB"
    ordered = sorted(fire.slow)
    yield "readers meanwhile, 99 in 100 answered within", 1000 * ordered[int(len(ordered) * 0.99)], "ms"
    yield "readers meanwhile, the longest wait", 1000 * ordered[-1], "ms"


if __name__ == "__main__":
    main()

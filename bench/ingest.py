"""What taking feeds in costs, network to database, in CPU: parsing, first fetches, looks at what is unchanged.

All entries are made of one vocabulary with a long tail, so each round brings new words as a day's news does, not a
vocabulary of its own.

BENCH_PARTS chooses among parsing, first, floor, run, look, growth and peers; BENCH_DATABASE_URL takes another (empty)
database than SQLite; the CPU of a PostgreSQL on this machine is counted as well.
"""

from __future__ import annotations

import html
import os
import resource
import shutil
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Any

from bench.scratch import cpu_seconds, free_port, prepare, print_rows, running, server_seconds

Row = tuple[str, float, str]
ENTRIES = 30
# What is older than the time that articles are compared for costs nothing to compare.
WEEK = 7 * 24 * 60
COLD_FEEDS = 100
UNCHANGED_FEEDS = int(os.environ.get("BENCH_FEEDS", "2000"))
STORED = [int(size) for size in os.environ.get("BENCH_STORED", "1000,10000,50000").split(",") if size]
RUN_FEEDS = int(os.environ.get("BENCH_RUN_FEEDS", "1000"))
RUN_ENTRIES = int(os.environ.get("BENCH_RUN_ENTRIES", "10"))
BROKEN = (
    b"",
    b"<!doctype html><html><body>Please sign in</body></html>",
    b"<urlset><url><loc>https://a.example/</loc></url></urlset>",
    b'<!DOCTYPE rss [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><nothing>&b;</nothing>',
    b"\x1f\x8b damaged",
)
PARSED_FEEDS = 60
ROUNDS = 3


SYLLABLES = [a + b for a in "bcdfghklmnprstvw" for b in ("a", "e", "i", "o", "u", "ar", "en", "or", "ist")]
WORDS, KERNEL = 400_000, 5_000


@lru_cache(maxsize=1)
def vocabulary() -> tuple[list[str], list[float]]:
    """The words of all texts, the commonest first, with what `random.choices` weighs them by.

    One for all, as unevenly used as words are: the nth by 1/n among the first five thousand, by 1/n² behind them
    (R. Ferrer i Cancho and R. Solé, Two regimes in the frequency of words, 2001). Of the first 100,000 words of a text
    13,000 are different, of a million 41,000: what comes in later has ever fewer new ones, and never none.
    """
    words = [spelled(rank) for rank in range(WORDS)]
    return words, list(accumulate(min(1.0, KERNEL / (rank + 1)) / (rank + 2.7) for rank in range(WORDS)))


def spelled(number: int) -> str:
    """The number with a syllable for each digit."""
    number, digit = divmod(number, len(SYLLABLES))
    return (spelled(number - 1) if number else "") + SYLLABLES[digit]


class Text:
    """Made-up prose with as many different words, as unevenly used, as a newspaper's."""

    def __init__(self, seed: str) -> None:
        self.random = Random(seed)
        self.now = datetime.now(UTC)
        self.words, self.weights = vocabulary()

    def said(self, count: int) -> list[str]:
        return self.random.choices(self.words, cum_weights=self.weights, k=count)

    def name(self) -> str:
        return " ".join(word.title() for word in self.random.choices(self.words[300:800], k=2))

    def sentence(self) -> str:
        words = self.said(self.random.randint(8, 24))
        return f"{words[0].title()} {' '.join(words[1:])}."

    def paragraph(self) -> str:
        said = " ".join(self.sentence() for _ in range(self.random.randint(2, 4)))
        cut = self.random.randint(0, 9)
        if cut < 2:
            said += f' <a href="https://elsewhere.example/{cut}/{self.random.random():.9f}" rel="nofollow">More</a>'
        elif cut < 4:
            said = f"<strong>{self.said(1)[0]}</strong> &#8217;{said}&#8217; &amp; so on"
        return f'<p class="body-{cut}">{said}</p>\n'

    def body(self) -> str:
        paragraphs = [self.paragraph() for _ in range(self.random.randint(4, 12))]
        if self.random.random() < 0.3:
            paragraphs.insert(
                1, '<figure><img src="/pictures/1.jpg" width="640" height="400" alt="A view"></figure>'
            )
        return "".join(paragraphs)

    def item(self, site: str, number: str) -> str:
        link = f"{site}{number}/{'-'.join(self.said(5))}?utm_source=feed"
        authors = "".join(
            f"<dc:creator>{self.name()}</dc:creator>" for _ in range(self.random.choice((1, 1, 1, 2)))
        )
        topics = "".join(
            f"<category>{self.said(1)[0].title()}</category>" for _ in range(self.random.randint(1, 4))
        )
        return (
            f"<item><title>{' '.join(self.said(9)).capitalize()}</title><link>{html.escape(link)}</link>"
            f'<guid isPermaLink="false">{site}?p={number}</guid>{authors}{topics}'
            f"<pubDate>{format_datetime(self.now - timedelta(minutes=self.random.randrange(WEEK)))}</pubDate>"
            f"<description>{self.sentence()}</description>"
            f"<content:encoded><![CDATA[{self.body()}]]></content:encoded></item>"
        )

    def feed(self, number: str, entries: int) -> bytes:
        site = f"https://outlet{number}.example/"
        items = "".join(self.item(site, f"{number}-{entry}") for entry in range(entries))
        return (
            '<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/" '
            'xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>'
            f"<title>Outlet {number}</title><link>{site}</link><language>en</language>{items}</channel></rss>"
        ).encode()


def main() -> None:
    if database := os.environ.get("BENCH_DATABASE_URL"):
        os.environ["DATABASE_URL"] = database
    folder = prepare()
    parts: dict[str, Callable[[Path], list[Row]]] = {
        "parsing": lambda _: parsing(),
        "first": cost_of_a_first_fetch,
        "floor": cost_at_the_least,
        "run": long_run,
        "look": cost_of_a_look,
        "growth": growth,
        "peers": peers,
    }
    chosen = os.environ.get("BENCH_PARTS", ",".join(parts)).split(",")
    print_rows(*(row for name in chosen for row in parts[name](folder)))


def parsing() -> list[Row]:
    """Our parser beside the usual one, on the same documents, in turns."""
    import feedparser

    from aggregator.parse import parse

    text = Text("parsing")
    documents = [text.feed(str(number), ENTRIES) for number in range(PARSED_FEEDS)]
    entries, size = PARSED_FEEDS * ENTRIES, sum(map(len, documents)) / 2**20
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(_cpu(lambda: [parse(document) for document in documents]))
        theirs.append(_cpu(lambda: [feedparser.parse(document) for document in documents]))
    return [
        ("parsed, ours", entries / statistics.median(ours), "entries per CPU-second"),
        ("parsed, ours", size / statistics.median(ours), "MiB per CPU-second"),
        ("parsed, feedparser", entries / statistics.median(theirs), "entries per CPU-second"),
    ]


def _cpu(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def cost_of_a_first_fetch(folder: Path) -> list[Row]:
    """Feeds never fetched before, each new to us in all its entries."""
    with served(folder) as site:
        rounds = [_first_fetch(folder, site, f"cold{turn}", COLD_FEEDS) for turn in range(ROUNDS)]
    taken, found = (statistics.median(some) for some in zip(*rounds, strict=True))
    return [
        ("taken in, network to database", 1 / taken, "entries per CPU-second"),
        ("made findable afterwards", 1 / found, "entries per CPU-second"),
        ("both", 1 / (taken + found), "entries per CPU-second"),
    ]


def cost_at_the_least(folder: Path) -> list[Row]:
    """The same documents into the same tables of SQLite, by a script of the fewest steps: what we could come near."""
    from django.utils import timezone

    from aggregator import actions
    from bench import floor

    feed = actions.register(url="http://127.0.0.1:9/floor", at=timezone.now(), title="floor")
    rounds = []
    for turn in range(ROUNDS):
        text = Text(f"floor{turn}")
        documents = [text.feed(f"floor{turn}-{number}", ENTRIES) for number in range(COLD_FEEDS)]
        rounds.append(
            floor.take_in(folder / "newsroom.sqlite3", documents, feed=feed.pk, source=feed.source_id)
        )
    taken, found = (statistics.median(some) for some in zip(*rounds, strict=True))
    return [
        ("the least: parsed and written by hand", 1 / taken, "entries per CPU-second"),
        ("the least: search rows by hand", 1 / found, "entries per CPU-second"),
    ]


def _first_fetch(folder: Path, site: str, name: str, feeds: int) -> tuple[float, float]:
    """CPU-seconds for an entry: to take it in, and to have search find it."""
    from articles.models import SearchOwed

    register(folder, site, name, feeds)
    _found()
    taken, reports = measured_pass()
    created = sum(report.created for report in reports)
    if not created == feeds * ENTRIES == SearchOwed.objects.count():
        raise SystemExit(f"{created} of {feeds * ENTRIES} entries came in")
    return taken / created, _found() / created


def _found() -> float:
    """CPU-seconds to have search find what came in."""
    from django.utils import timezone

    from articles import search

    began = cpu_seconds() + server_seconds()
    search.index_all_owed(timezone.now())
    return cpu_seconds() + server_seconds() - began


def register(folder: Path, site: str, name: str, feeds: int, entries: int = ENTRIES) -> None:
    """Write and register feeds; none but them is due."""
    from django.utils import timezone

    from aggregator import actions
    from aggregator.models import Feed

    Feed.objects.update(due_at=None)
    text = Text(name)
    for number in range(feeds):
        (folder / "feeds" / f"{name}-{number}.rss").write_bytes(text.feed(f"{name}{number}", entries))
        actions.register(url=f"{site}{name}-{number}.rss", at=timezone.now(), title=name)


def measured_pass() -> tuple[float, list[Any]]:
    """CPU of this process and of the children that parse, which are ended so that they count."""
    from django.utils import timezone

    from aggregator.actions import fetch_pass
    from aggregator.sandbox import default_sandbox

    default_sandbox().close()
    began = cpu_seconds() + server_seconds()
    reports = list(fetch_pass(at=timezone.now()))
    default_sandbox().close()
    return cpu_seconds() + server_seconds() - began, reports


def long_run(folder: Path) -> list[Row]:
    """Many feeds in one pass, some of them no feeds at all: all are tried, all that can come in does."""
    from articles.models import Article

    with served(folder) as site:
        register(folder, site, "run", RUN_FEEDS, entries=RUN_ENTRIES)
        for number in range(0, RUN_FEEDS, 50):
            (folder / "feeds" / f"run-{number}.rss").write_bytes(BROKEN[number // 50 % len(BROKEN)])
        began = time.monotonic()
        taken, reports = measured_pass()
        seconds = time.monotonic() - began
    created, failed = sum(one.created for one in reports), sum(1 for one in reports if one.error)
    broken = len(range(0, RUN_FEEDS, 50))
    if (len(reports), created, failed) != (RUN_FEEDS, (RUN_FEEDS - broken) * RUN_ENTRIES, broken):
        raise SystemExit(f"{len(reports)} feeds tried, {created} entries came in, {failed} failed")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [
        (f"one run of {RUN_FEEDS:,} feeds, {broken} of them broken", seconds, "seconds"),
        ("entries it brought, each once", Article.objects.filter(url_key__isnull=False).count(), "articles"),
        ("network to database in that run", created / taken, "entries per CPU-second"),
        ("most memory in that run", peak, "MiB"),
    ]


def cost_of_a_look(folder: Path) -> list[Row]:
    """Feeds whose servers answer that nothing changed."""
    from django.utils import timezone

    from aggregator.models import Feed

    with served(folder) as site:
        register(folder, site, "still", UNCHANGED_FEEDS, entries=1)
        measured_pass()
        rates = []
        for _ in range(ROUNDS):
            Feed.objects.filter(title="still").update(due_at=timezone.now())
            taken, reports = measured_pass()
            if len(reports) != UNCHANGED_FEEDS or any(report.http_status != 304 for report in reports):
                raise SystemExit("not every feed was unchanged")
            rates.append(UNCHANGED_FEEDS / taken)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [
        (f"looks at {UNCHANGED_FEEDS:,} unchanged feeds", statistics.median(rates), "feeds per CPU-second"),
        ("most memory until then", peak, "MiB"),
    ]


def growth(folder: Path) -> list[Row]:
    """The same first fetch into ever larger newsrooms, and what comparing its articles with the others adds to it."""
    from django.utils import timezone

    from articles import stories
    from articles.models import Article
    from newsroom import synthetic

    rows: list[Row] = []
    with served(folder) as site:
        for size in STORED:
            missing = size - Article.objects.count()
            began = cpu_seconds()
            if missing > 0:
                for _ in synthetic.make(missing, at=timezone.now(), seed=f"bench {size}"):
                    pass
                rate = missing / (cpu_seconds() - began)
                rows.append((f"synthetic articles made, up to {size:,}", rate, "per CPU-second"))
            _compared(stories)
            taking, finding = (1000 * one for one in _first_fetch(folder, site, f"at{size}", COLD_FEEDS // 2))
            comparing = 1000 * _compared(stories)
            share = 100 * comparing / (taking + finding + comparing)
            rows.append((f"one entry taken in beside {Article.objects.count():,}", taking, "ms of CPU"))
            rows.append(("making it findable", finding, "ms of CPU"))
            rows.append((f"comparing it with them ({share:.0f} % of all)", comparing, "ms of CPU"))
    return rows


def _compared(stories: Any) -> float:
    """CPU-seconds for each article that waited to be compared."""
    from django.utils import timezone

    began, done = cpu_seconds(), 0
    while some := stories.relate_due(50, timezone.now()):
        done += some
    return (cpu_seconds() - began) / max(1, done)


PEER = """
import sys
from reader import make_reader
reader = make_reader(sys.argv[1])
for address in sys.argv[3:]:
    reader.add_feed(address, exist_ok=True)
reader.update_feeds(workers=8)
assert reader.get_entry_counts().total == int(sys.argv[2]), reader.get_entry_counts()
"""


def peers(folder: Path) -> list[Row]:
    """Peers that the package registries have, on feeds as ours: a first round, and one with nothing new."""
    venv = folder / "peers"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    subprocess.run([venv / "bin" / "pip", "install", "--quiet", "reader", "sgmllib3k"], check=True)
    text = Text("peers")
    (folder / "feeds").mkdir(exist_ok=True)
    names = [f"peer-{number}.rss" for number in range(COLD_FEEDS)]
    for name in names:
        (folder / "feeds" / name).write_bytes(text.feed(name.removesuffix(".rss"), ENTRIES))
    entries = str(COLD_FEEDS * ENTRIES)
    with served(folder) as site:
        addresses = [site + name for name in names]
        command = [venv / "bin" / "python", "-c", PEER, folder / "reader.sqlite", entries, *addresses]
        taken = [_children_cpu(command) for _ in range(2)]
        stored = _newsboat(folder, addresses) if shutil.which("newsboat") else []
    return [
        ("reader: taken in, network to database", COLD_FEEDS * ENTRIES / taken[0], "entries per CPU-second"),
        ("reader: looks at unchanged feeds", COLD_FEEDS / taken[1], "feeds per CPU-second"),
        *stored,
    ]


def _newsboat(folder: Path, addresses: Sequence[str]) -> list[Row]:
    """Newsboat (Debian has it), C++ on SQLite: it keeps what it reads, unsanitised and unsearched."""
    home = folder / "newsboat"
    home.mkdir()
    (home / "urls").write_text("\n".join(addresses))
    (home / "config").write_text("reload-threads 8\n")
    files = ("-u", home / "urls", "-C", home / "config", "-c", home / "cache.db")
    taken = [_children_cpu(["newsboat", *files, "-x", "reload"]) for _ in range(2)]
    with closing(sqlite3.connect(home / "cache.db")) as cache:
        (stored,) = cache.execute("SELECT count(*) FROM rss_item").fetchone()
    if stored != len(addresses) * ENTRIES:
        raise SystemExit(f"newsboat stored {stored} entries")
    return [
        ("newsboat: taken in, network to database", stored / taken[0], "entries per CPU-second"),
        ("newsboat: looks at unchanged feeds", len(addresses) / taken[1], "feeds per CPU-second"),
    ]


def _children_cpu(command: Sequence[Any]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The folder's feeds on loopback; yields the address they stand under."""
    (folder / "feeds").mkdir(exist_ok=True)
    port = free_port()
    web = ("-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", str(folder / "feeds"))
    with running(port, *web):
        yield f"http://127.0.0.1:{port}/"


if __name__ == "__main__":
    main()

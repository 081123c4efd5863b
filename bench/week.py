"""A week in minutes: notices, feeds, decisions, dead workers, restarts and a restore, under a clock of our own.

The clock is told, to Python and to SQLite alike, in this process and in the workers it starts, and goes on by a step at
a time. What must be true is kept in a book of the simulation's own, and every promise is compared with it after
each step. BENCH_NOTICES=10000 BENCH_STEPS=336 is a large week in half hours; BENCH_SEED chooses which week.
"""

from __future__ import annotations

import hashlib
import io
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import time_machine

from bench.scratch import prepare, print_rows
from tests.loopback import Answer, WebServer, web_server

NOTICES = int(os.environ.get("BENCH_NOTICES", "1000"))
SEED = int(os.environ.get("BENCH_SEED", "1"))
STEPS = int(os.environ.get("BENCH_STEPS", "84"))
STEP = timedelta(days=7) / STEPS
A_DAY = STEPS // 7
ARTICLES = int(os.environ.get("BENCH_ARTICLES", "1500"))
FEEDS = 3
MONDAY = datetime(2027, 3, 8, 6, tzinfo=UTC)
# By the network, and covered by `faults`: here nobody listens at the front door's address. And by the age of
# files, whose clock cannot be told.
LEFT_OUT = {"prove removals", "fetch pictures", "read mailbox", "drill", "destroy spare keys"}
PROMISES = {
    1: "Source first", 2: "Gone in 24 hours", 3: "Gone everywhere", 4: "Gone for good",
    5: "An acknowledged notice is never lost", 6: "A wrong removal can be undone, a right one cannot",
    7: "Nobody can blank the site with a script", 8: "Foreign markup is hostile", 9: "The page costs the same",
}  # fmt: skip


@dataclass
class Claimed:
    """What one notice means for one article: from when it may be gone, and from when it must be."""

    reference: str
    may: datetime | None
    must: datetime | None
    ended: bool = False
    sure: bool = True


@dataclass
class Work:
    """An article of the book, as it was and as it may be seen."""

    pk: int
    path: str
    headline: str
    sha: str
    claims: list[Claimed] = field(default_factory=list)
    erased: bool = False

    def must_be_gone(self, at: datetime) -> bool:
        return self.erased or any(not one.ended and one.must and one.must <= at for one in self.claims)

    def must_be_there(self, at: datetime) -> bool:
        sure = all(one.sure for one in self.claims)
        return (
            sure
            and not self.erased
            and not any(not one.ended and one.may and one.may <= at for one in self.claims)
        )


class Week:
    """The book, and one step after the other."""

    def __init__(self, folder: Path, clock: Any, web: WebServer) -> None:
        self.folder, self.clock, self.web = folder, clock, web
        self.random = random.Random(SEED)
        self.at = MONDAY
        self.works: dict[int, Work] = {}
        self.references: set[str] = set()
        self.since_backup: set[str] = set()
        self.never_again: set[str] = set()
        self.shown: set[str] = set()
        self.open: list[tuple[int, Claimed]] = []
        self.checks: Counter[int] = Counter()
        self.broken: list[tuple[int, str]] = []
        self.events: Counter[str] = Counter()
        self.queries: set[int] = set()
        self.bulletins = 0

    # --- the world ----------------------------------------------------------------------------

    def tick(self) -> None:
        self.at += STEP
        self.clock.move_to(self.at)

    def fill(self) -> None:
        from aggregator.actions import register
        from tests.factories import ArticleFactory, SourceFactory

        sources = [SourceFactory() for _ in range(30)]
        for number in range(ARTICLES):
            words = " ".join(self.random.choices(WORDS, k=60))
            self.note(
                ArticleFactory(
                    source=sources[number % 30], headline=f"Headline{number}x of the week",
                    body=f"<p>{words} number{number}x.</p>", published_at=self.at - timedelta(hours=1),
                )
            )  # fmt: skip
        for number in range(FEEDS):
            url = self.web.decide(f"/{number}.rss", lambda asked, number=number: self.feed(number))
            register(url=url, at=self.at, title=f"Wire {number}")
        # A mirror repeats the first feed under other addresses and identifiers.
        mirror = self.web.decide("/mirror.rss", lambda asked: self.feed(0, mirror=True))
        register(url=mirror, at=self.at, title="Mirror")
        from accounts.models import User

        for name in ("moderator-1", "moderator-2"):
            User.objects.create_user(name, f"{name}@newsroom.example", "a long password for measuring")

    def note(self, article: Any) -> Work:
        sha = hashlib.sha256(article.body.encode()).hexdigest()
        self.works[article.pk] = Work(article.pk, article.get_absolute_url(), article.headline, sha)
        return self.works[article.pk]

    def feed(self, number: int, *, mirror: bool = False) -> Answer:
        host = f"mirror{number}" if mirror else f"wire{number}"
        items = []
        for place in range(max(0, self.bulletins - 40), self.bulletins):
            text = " ".join(random.Random(f"{number}-{place}").choices(WORDS, k=60))
            items.append(
                f"<item><title>Bulletin{number}x{place}x from the quay</title><guid>{host}-{place}</guid>"
                f"<link>https://{host}.example/{place}</link>"
                f"<description>&lt;p&gt;{text} bulletin{number}x{place}x.&lt;/p&gt;"
                "&lt;script&gt;alert(1)&lt;/script&gt;</description></item>"
            )
        text = f'<rss version="2.0"><channel><title>{host}</title>{"".join(items)}</channel></rss>'
        return Answer(200, text.encode(), [("Content-Type", "application/rss+xml")])

    # --- what people do -----------------------------------------------------------------------

    def notice(self) -> None:
        """One arrives: unproved, confirmed, confirmed later, or proved; now and then it is sent twice."""
        from articles.models import Article
        from moderation import receive
        from moderation.models import Channel, Ground

        work = self.random.choice(list(self.works.values()))
        article = Article.objects.select_related("source").get(pk=work.pk)
        kind = self.random.choices(["C", "B", "later", "A"], [45, 35, 10, 10])[0]
        number = len(self.references)
        told = {
            "channel": Channel.FORM, "text": f"http://127.0.0.1:8000{work.path}", "name": "Olena Rights",
            "email": f"owner{number}@owner{number}.example", "work": f"Report {number}", "good_faith": True,
            "accurate": True, "signature": "Olena Rights", "confirmed": kind in "BA",
            "ground": Ground.PRIVACY if self.random.random() < 0.05 else Ground.COPYRIGHT,
        }  # fmt: skip
        if kind == "A" and article.source:
            told["proved_domain"] = article.source.domain
        submission = receive.Submission(**told)
        got = receive.receive(submission=submission, at=self.at)
        self.references.add(got.notice.reference)
        self.since_backup.add(got.notice.reference)
        self.events["notices"] += 1
        if self.random.random() < 0.03:
            again = receive.receive(submission=submission, at=self.at)
            self.check(
                5,
                again.notice.pk == got.notice.pk or not got.created,
                "the same form sent twice is two cases",
            )
        if self.random.random() < 0.5 and kind == "later":
            receive.confirm(notice=got.notice, at=self.at)
            kind = "B"
        self.enter(got.notice, work, kind)

    def enter(self, notice: Any, work: Work, kind: str) -> None:
        """Into the book: what this notice may and must do."""
        claim = notice.claims.filter(article_id=work.pk).first()
        if claim is None:
            self.check(
                5,
                work.must_be_gone(self.at) or work.erased,
                f"{notice.reference} has no claim on {work.path}",
            )
            return
        promise = timedelta(hours=24)
        may, must = {
            "A": (self.at, self.at), "B": (self.at + timedelta(hours=23), self.at + promise),
        }.get(kind, (None, None))  # fmt: skip
        if kind == "A" and claim.lane != "A":
            may, must = self.at + timedelta(hours=23), self.at + promise
        entry = Claimed(notice.reference, may, must)
        work.claims.append(entry)
        self.open.append((claim.pk, entry))

    def decide(self) -> None:
        """A moderator decides one of the open claims, or its owner takes it back."""
        from accounts.models import User
        from moderation import actions
        from moderation.actions import NotAllowed
        from moderation.models import Claim

        if not self.open:
            return
        pk, entry = self.open.pop(self.random.randrange(len(self.open)))
        what = self.random.choices(["uphold", "refuse", "withdraw"], [50, 25, 25])[0]
        first, second = User.objects.filter(username__startswith="moderator").order_by("pk")
        before = Claim.objects.filter(pk=pk).values_list("state", flat=True).first()
        try:
            if what == "uphold":
                actions.uphold(claim_id=pk, by=first, at=self.at)
                entry.may = entry.must = self.at
            elif what == "refuse":
                told = {"reason_code": "licensed", "reasons": "We hold a licence."}
                actions.propose_refusal(claim_id=pk, by=first, at=self.at, **told)
                actions.second_refusal(claim_id=pk, by=second, at=self.at)
                entry.ended = True
            else:
                actions.withdraw(claim_id=pk, at=self.at)
                entry.ended = True
            self.events[what] += 1
        except (NotAllowed, Claim.DoesNotExist):
            # What may not be any more: decided by the deadline, erased, or lost with an older database.
            self.events[f"{what} not allowed ({before})"] += 1
            entry.sure = False

    # --- machines -----------------------------------------------------------------------------

    def work(self) -> None:
        """The worker: mostly there, now and then killed in the middle, now and then dead."""
        from newsroom.work import KINDS, one_round

        chance = self.random.random()
        if chance < 0.2:
            self.events["steps without a worker"] += 1
        elif chance < 0.3:
            self.killed_worker()
        else:
            failed = one_round([kind for kind in KINDS if kind.name not in LEFT_OUT], at=self.at)
            self.events["kinds of work that failed"] += len(failed)

    def killed_worker(self) -> None:
        words = [sys.executable, "-m", "bench.week", "worker", self.at.isoformat()]
        process = subprocess.Popen(words, stderr=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, start_new_session=True)  # fmt: skip
        with suppress(subprocess.TimeoutExpired):
            process.wait(self.random.uniform(0.5, 4))
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)
        self.events["workers killed"] += 1

    def publish_feeds(self) -> None:
        from articles.models import Article

        self.bulletins += 1
        for article in Article.objects.filter(headline__startswith="Bulletin").exclude(pk__in=self.works):
            if article.state == "published":
                self.note(article)

    def back_up(self) -> None:
        self.command("backup", str(self.folder / "week.tar"))
        self.since_backup.clear()

    def restore(self) -> None:
        """Half a day later the database is lost."""
        from django.core.cache import cache

        from moderation import ledger

        self.command("restore", str(self.folder / "week.tar"))
        cache.clear()
        if ledger.is_behind():
            self.check(4, self.page("/").status == 503, "a database behind its ledger was shown")
        self.command("replay_ledger")
        self.check(4, not ledger.is_behind(), "the ledger could not be replayed")
        for work in self.works.values():
            for entry in work.claims:
                if entry.reference in self.since_backup or entry.ended:
                    entry.sure = False
        self.forget_what_the_copy_never_had()
        self.events["restores"] += 1

    def forget_what_the_copy_never_had(self) -> None:
        """Articles younger than the backup come in anew, under other numbers; those that were removed may not."""
        from articles.models import Article

        known = dict(Article.objects.filter(pk__in=self.works).values_list("pk", "slug"))
        for pk, work in list(self.works.items()):
            if f"/articles/{known.get(pk)}/" != work.path:
                del self.works[pk]
                if work.must_be_gone(self.at):
                    self.never_again.add(work.headline)

    def command(self, *words: str) -> None:
        from django.core.management import call_command

        with redirect_stdout(io.StringIO()):
            call_command(*words)

    # --- the promises -------------------------------------------------------------------------

    def check(self, promise: int, kept: bool, otherwise: str) -> None:
        self.checks[promise] += 1
        if not kept:
            self.broken.append((promise, f"{self.at:%a %H:%M}: {otherwise}"))

    @cached_property
    def front_door(self) -> Any:
        from tests.front_door import FrontDoor

        return FrontDoor()

    def page(self, path: str) -> Any:
        return self.front_door.get(path)

    def look(self) -> None:
        from articles.models import Article
        from moderation import ledger
        from moderation.models import Notice

        public = dict(Article.objects.public().values_list("pk", "body"))
        # The mirror's copy of a work, which nobody asked about, has the same headline.
        self.shown = set(Article.objects.public().values_list("headline", flat=True))
        self.learn_erasures()
        sourceless = (
            Article.objects.public().filter(source__isnull=False).exclude(canonical_url__startswith="http")
        )
        self.check(1, not sourceless.exists(), "an article of a source without its link")
        for work in self.works.values():
            if work.must_be_gone(self.at):
                self.check(2, work.pk not in public, f"{work.path} is public past its deadline")
            elif work.must_be_there(self.at):
                lane_c = bool(work.claims) and all(one.may is None and not one.ended for one in work.claims)
                promise = 7 if lane_c else 6
                self.check(promise, work.pk in public, f"{work.path} is gone without a reason")
                if work.pk in public:
                    body = hashlib.sha256(public[work.pk].encode()).hexdigest()
                    self.check(6, body == work.sha, f"{work.path} came back otherwise than it was")
        self.everywhere()
        gone = {
            work.headline for work in self.works.values() if work.must_be_gone(self.at)
        } | self.never_again
        back = Article.objects.public().filter(headline__in=gone).exclude(pk__in=self.works)
        self.check(4, not back.exists(), f"came back: {list(back.values_list('slug', flat=True))[:3]}")
        lost = self.references - set(Notice.objects.values_list("reference", flat=True))
        known = lost <= self.lost_with_the_database
        self.check(5, known, f"notices are not there: {sorted(lost)[:3]}")
        self.check(8, not any("<script" in body for body in public.values()), "a script in a body")
        self.check(4, not ledger.is_behind(), "the database is behind its ledger")

    lost_with_the_database: frozenset[str] = frozenset()

    def learn_erasures(self) -> None:
        from articles.models import Article

        erased = Article.objects.filter(state="erased", pk__in=self.works).values_list("pk", flat=True)
        for pk in erased:
            self.works[pk].erased = True

    def everywhere(self) -> None:
        """A few of what must be gone, on the pages on which it could be met."""
        gone = [work for work in self.works.values() if work.must_be_gone(self.at)]
        lists = [
            self.page(path).text for path in ("/", "/feeds/latest.rss", "/sitemap.xml", "/search/?q=week")
        ]
        for work in self.random.sample(gone, min(3, len(gone))):
            status = self.page(work.path).status
            self.check(3, status in (410, 451), f"{work.path} answers {status}")
            if work.headline not in self.shown:
                self.check(
                    3, not any(work.headline in text for text in lists), f"{work.headline} is on a list"
                )

    def cost(self) -> None:
        """Queries of the front page made anew."""
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        with CaptureQueriesContext(connection) as asked:
            self.page(f"/?made=anew-{self.at:%d%H%M}")
        self.queries.add(len(asked))

    def run(self) -> None:
        self.fill()
        each, left = NOTICES / STEPS, 0.0
        for step in range(STEPS):
            self.tick()
            left += each
            while left >= 1:
                self.notice()
                left -= 1
            for _ in range(int(each / 3)):
                self.decide()
            self.publish_feeds()
            self.work()
            if step == STEPS // 2:
                self.back_up()
            if step == STEPS // 2 + A_DAY // 2:
                self.lost_with_the_database = frozenset(self.since_backup)
                self.restore()
            self.look()
            if step % A_DAY == A_DAY - 1:
                self.cost()
                print(
                    f"  {self.at:%A %H:%M}: {sum(self.checks.values()):,} checks, {len(self.broken)} broken",
                    file=sys.stderr,
                )
        self.end()

    def end(self) -> None:
        from moderation import ledger

        self.cost()
        self.check(
            9,
            max(self.queries) - min(self.queries) <= 3,
            f"the front page takes {sorted(self.queries)} queries",
        )
        fault = ledger.verify()
        self.check(4, fault is None, f"the ledger: {fault}")


FIRST = ("har", "win", "fer", "mar", "tra", "bud", "sto", "lan")
LAST = (
    "bour",
    "ter",
    "ry",
    "ket",
    "mway",
    "get",
    "rm",
    "tern",
    "den",
    "vel",
    "ton",
    "wick",
    "ley",
    "ford",
    "mere",
)
WORDS = [first + last for first in FIRST for last in LAST]


def simulate() -> None:
    folder = prepare()
    with (
        redirect_stdout(io.StringIO()),
        web_server() as web,
        time_machine.travel(MONDAY, tick=False) as clock,
    ):
        from django.core.management import call_command
        from django.db import connections
        from django.utils import timezone

        tell_the_database(timezone.now)
        connections.close_all()
        call_command("collectstatic", interactive=False, verbosity=0)
        week = Week(folder, clock, web)
        week.run()
    for promise, what in week.broken[:20]:
        print(f"  BROKEN {promise}: {what}", file=sys.stderr)
    broken = Counter(promise for promise, _ in week.broken)
    rows: list[tuple[str, float, str]] = [(what, number, "") for what, number in sorted(week.events.items())]
    for number, name in PROMISES.items():
        rows.append((f"{number}. {name}: checks", week.checks[number], ""))
        rows.append((f"{number}. {name}: broken", broken[number], ""))
    print_rows(*rows)
    if week.broken:
        raise SystemExit(1)


# --- the clock --------------------------------------------------------------------------------


def tell_the_database(clock: Callable[[], datetime]) -> None:
    """SQLite's `now` is ours, on every connection that is opened from here on."""
    from django.db.backends.signals import connection_created

    plain = threading.local()
    known: dict[tuple[Any, ...], Any] = {}

    def strftime(form: str, when: str = "now", *changes: str) -> Any:
        if when.lower() != "now":
            return ask(form, when, *changes)
        # Asked once for each row: the clock stands still, so the answer is known.
        at = clock()
        if (at, form, changes) not in known:
            known.clear()
            known[at, form, changes] = ask(form, at.strftime("%Y-%m-%d %H:%M:%S.%f"), *changes)
        return known.get((at, form, changes)) or ask(form, at.strftime("%Y-%m-%d %H:%M:%S.%f"), *changes)

    def ask(*words: str) -> Any:
        if not hasattr(plain, "connection"):
            plain.connection = sqlite3.connect(":memory:")
        marks = ", ".join("?" * len(words))
        return plain.connection.execute(f"SELECT strftime({marks})", words).fetchone()[0]

    def tell(connection: Any, **kwargs: Any) -> None:
        connection.connection.create_function("strftime", -1, strftime)

    connection_created.connect(tell, weak=False)


def work_once() -> None:
    """A worker of the simulation, at the moment it is told."""
    prepare()
    from newsroom.work import KINDS, one_round

    at = datetime.fromisoformat(sys.argv[2])
    tell_the_database(lambda: at)
    from django.db import connections

    connections.close_all()
    with time_machine.travel(at, tick=False):
        one_round([kind for kind in KINDS if kind.name not in LEFT_OUT], at=at)


if __name__ == "__main__":
    work_once() if "worker" in sys.argv else simulate()

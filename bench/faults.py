"""What breaks, and what then stands: every fault under load, with its counts.

BENCH_DATABASES=sqlite chooses one database, BENCH_FAULTS="disk full,clocks" the faults whose names hold one of these
words, so that a run that was broken off can be completed.

Readers, a claimant and feeds go on all the time. Before each fault some articles get a deadline that falls
into it, and some removals whose erasure is due. Afterwards it is counted: acknowledged notices that are not
there, articles seen after their deadline, articles that came twice, erasures done by half, faults without a
word (500, or 503 without Retry-After), and how long it took until pages were back without a hand.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller

from bench.room import Program, Room, is_open, small_disk, wait_for
from bench.scratch import free_port, on_each, prepare, print_rows
from tests.loopback import Answer, WebServer, web_server
from tests.nameserver import name_server

DATABASES = os.environ.get("BENCH_DATABASES", "postgresql,sqlite").split(",")
PACE = float(os.environ.get("BENCH_PACE", "1"))
CHOSEN = [word.strip() for word in os.environ.get("BENCH_FAULTS", "").split(",")]
# Bounds, not measurements: on a machine that has other work everything takes longer.
BACK_WITHIN = 240.0
PREPARED_WITHIN = 240.0
SETTLED_WITHIN = 600.0
FEEDS = 3


@dataclass
class Doomed:
    """An article that must be gone from `at` on, and the words it is known by."""

    path: str
    words: str
    at: datetime


@dataclass
class Counts:
    """What the load saw; one lock for all of it."""

    answers: Counter[str] = field(default_factory=Counter)
    acknowledged: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    doomed: list[Doomed] = field(default_factory=list)
    letters: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Load:
    """Readers and a claimant who never stop, and feeds that bring something each second."""

    def __init__(self, room: Room, counts: Counts, articles: list[str]) -> None:
        self.room, self.counts, self.articles = room, counts, articles
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self._read, args=(n,), daemon=True) for n in range(3)]
        self.threads.append(threading.Thread(target=self._claim, daemon=True))

    def start(self) -> None:
        for thread in self.threads:
            thread.start()

    def stop(self) -> None:
        self.stopping.set()
        for thread in self.threads:
            thread.join(40)

    def _read(self, number: int) -> None:
        turn = 0
        while not self.stopping.wait(0.02):
            turn += 1
            doomed = self.counts.doomed[-12:]
            paths = [
                "/",
                "/feeds/latest.rss",
                self.articles[turn % len(self.articles)],
                f"/?again={number}-{turn}",
            ]
            paths += [one.path for one in doomed]
            self._look(paths[turn % len(paths)], doomed)

    def _look(self, path: str, doomed: list[Doomed]) -> None:
        asked = datetime.now().astimezone()
        status, headers, body = ask(self.room.web_port, "GET", path)
        said = body.decode(errors="replace")
        with self.counts.lock:
            self.counts.answers[kind_of(status, headers)] += 1
            if status == 200:
                seen = [one.path for one in doomed if asked > one.at and one.words in said]
                self.counts.late += [f"{path} showed {one}" for one in seen]

    def _claim(self) -> None:
        turn = 0
        while not self.stopping.wait(0.1):
            turn += 1
            notice = {
                "urls": [self.room.url + self.articles[turn % len(self.articles)]],
                "email": f"owner{turn}@owner{turn % 40}.example",
                "name": "Olena Rights",
                "work": f"My report number {turn}",
                "good_faith": True,
                "accurate": True,
                "signature": "Olena Rights",
            }
            status, _, body = ask(self.room.web_port, "POST", "/api/notices/", json.dumps(notice))
            if status in (200, 202):
                with self.counts.lock:
                    self.counts.acknowledged.append(json.loads(body)["reference"])


def ask(port: int, method: str, path: str, body: str | None = None) -> tuple[int, Any, bytes]:
    """Status 0 when the connection was refused or cut."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    except (OSError, http.client.HTTPException):
        return 0, {}, b""
    finally:
        connection.close()


def kind_of(status: int, headers: Any) -> str:
    if status == 503:
        return "503" if headers.get("Retry-After") else "503 without Retry-After"
    return {0: "cut"}.get(status, "fault" if status >= 500 else "answered")


# --- the newsroom -----------------------------------------------------------------------------


def fill(feeds: WebServer) -> list[str]:
    """Articles to read and to claim, and feeds; returns the articles' paths."""
    from django.utils import timezone

    from aggregator.actions import register
    from tests.factories import ArticleFactory, SourceFactory

    source = SourceFactory()
    articles = [ArticleFactory(source=source) for _ in range(60)]
    began = time.monotonic()
    for number in range(FEEDS):
        url = feeds.decide(
            f"/{number}.rss", lambda asked, number=number: _feed(number, time.monotonic() - began)
        )
        register(url=url, at=timezone.now(), title=f"Outlet {number}")
    return [article.get_absolute_url() for article in articles]


def _feed(number: int, seconds: float) -> Answer:
    """The last twenty of what came once a second."""
    last = int(seconds)
    items = "".join(
        f"<item><title>Bulletin {number}-{place} from the harbour</title><guid>{number}-{place}</guid>"
        f"<link>https://wire{number}.example/{place}</link><description>Text {place}.</description></item>"
        for place in range(max(0, last - 20), last)
    )
    text = f'<rss version="2.0"><channel><title>Wire {number}</title>{items}</channel></rss>'
    return Answer(200, text.encode(), [("Content-Type", "application/rss+xml")])


def condemn(counts: Counts, number: int, window: float) -> None:
    """Deadlines that fall into the next seconds, and removals that are to be erased at once."""
    from django.conf import settings
    from django.db import transaction
    from django.utils import timezone

    from articles.tokens import new_token
    from moderation import actions
    from moderation.models import Ground
    from tests.factories import ArticleFactory
    from tests.moderation.cases import notice_about

    def doom(words: str, seconds: float) -> None:
        # One transaction: what is tried again leaves no article without its notice behind.
        with transaction.atomic():
            article = ArticleFactory(headline=words)
            notice_about(article, hours_ago=settings.HOLD_AFTER_HOURS - seconds / 3600)
            at = article.holds.get().effective_at
        with counts.lock:
            counts.doomed.append(Doomed(article.get_absolute_url(), words, at + timedelta(milliseconds=1)))

    def erase_soon(words: str) -> None:
        with transaction.atomic():
            article = ArticleFactory(headline=words, slug=f"torn-{new_token()}", body=f"<p>{words}.</p>")
            claim = notice_about(article, ground=Ground.PRIVACY).claims.get()
            actions.uphold(claim_id=claim.pk, by=None, at=timezone.now())

    for place in range(4):
        until_done(partial(doom, f"Doomed quince {number}-{place}x", 1 + window * place / 4))
        until_done(partial(erase_soon, f"Torn velvet {number}-{place}x"))


def feeds_are_due() -> None:
    from django.utils import timezone

    from aggregator.models import Feed

    Feed.objects.update(due_at=timezone.now(), lease_until=None)


# --- the faults -------------------------------------------------------------------------------

Fault = Callable[["Site"], None]


@dataclass
class Site:
    """What a fault may lay its hands on."""

    room: Room
    mail: Any
    names: Any
    counts: Counts
    mounted: bool
    note: str = ""

    def pause(self, seconds: float) -> None:
        time.sleep(seconds * PACE)


def kill_web_workers(site: Site) -> None:
    for _ in range(8):
        site.room.programs["web"].kill_a_child()
        site.pause(1.5)


def kill_web_server(site: Site) -> None:
    for _ in range(2):
        site.room.programs["web"].kill()
        site.pause(4)


def kill_job_workers(site: Site) -> None:
    for _ in range(8):
        for worker in site.room.workers():
            worker.kill()
        site.pause(1.5)


def no_scheduler(site: Site) -> None:
    for worker in site.room.workers():
        worker.stop()
    site.pause(10)
    for worker in site.room.workers():
        worker.start()


def kill_postgres(site: Site) -> None:
    for _ in range(3):
        site.room.programs["postgresql"].kill()
        site.pause(4)


def database_gone(site: Site) -> None:
    site.room.programs["postgresql"].stop(2)
    site.pause(30)
    site.room.programs["postgresql"].start()


def disk_full(site: Site) -> None:
    site.room.fill_disk()
    site.pause(10)
    site.room.free_disk()


def disk_read_only(site: Site) -> None:
    from django.db import connections

    connections.close_all()
    if not site.room.read_only():
        site.note = "a file was open for writing: not remounted"
    site.pause(10)
    site.room.writable()


def cache_gone(site: Site) -> None:
    site.room.programs["redis"].stop()
    site.pause(6)
    site.room.programs["redis"].start()


def mail_gone(site: Site) -> None:
    site.mail.stop()
    site.pause(6)
    site.mail.start()


def slow_names(site: Site) -> None:
    """A signed mail comes while the name server says nothing: it is kept, or the mail server is told to wait."""
    from tests.moderation.intake import letter_about, mail, signed

    site.names.silent = True
    began = time.monotonic()
    message = signed(mail(letter_about(f"{site.room.url}/articles/harbour-reopens-1/")), "owner.example")
    done = subprocess.run(
        [sys.executable, "manage.py", "receive_notice"],
        input=message,
        capture_output=True,
        timeout=60,
        check=False,
    )
    site.note = f"a signed mail ended with {done.returncode} after {time.monotonic() - began:.0f} s"
    if done.returncode == 0:
        site.counts.acknowledged += re.findall(r"NR-[A-Z0-9-]+", done.stdout.decode())
    site.names.silent = False


def slow_names_of_feeds(site: Site) -> None:
    """The system's resolver gets no answer: feeds with names wait for it, the others go on coming."""
    from django.utils import timezone

    from aggregator.actions import register
    from articles.models import Article

    for number in range(6):
        register(url=f"http://outlet{number}.slow.example/feed", at=timezone.now(), title=f"Slow {number}")
    bulletins = Article.objects.filter(headline__startswith="Bulletin")
    before = bulletins.count()
    # A resolver of their own for the workers alone; port 53 of this address answers nobody.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.53", 53))
        file = site.room.folder / "resolv.conf"
        file.write_text("nameserver 127.0.0.53\n")
        own = f"mount --bind {file} /etc/resolv.conf && exec"
        with instead(
            site.room.workers(), lambda words: ["unshare", "--mount", "sh", "-c", f'{own} "$@"', "sh", *words]
        ):
            for _ in range(2):
                until_done(feeds_are_due)
                site.pause(15)
    site.note = f"{bulletins.count() - before} articles came from other feeds meanwhile"


@contextmanager
def instead(programs: list[Program], changed: Callable[[list[Any]], list[Any]]) -> Iterator[None]:
    """These programs with another command, for a while."""
    ordinary = [program.command for program in programs]
    for program in programs:
        program.command = changed(list(program.command))
        program.kill()
    yield
    for program, command in zip(programs, ordinary, strict=True):
        program.command = command
        program.kill()


@contextmanager
def clocks(site: Site, hours: str) -> Iterator[None]:
    """Web and workers live at another time; the database does not."""
    programs = [site.room.programs["web"], *site.room.workers()]
    with instead(programs, lambda words: [words[0], "-m", "bench.otherwhen", hours, *words[1:]]):
        # What is to be seen is the site at another time, not one that starts.
        with suppress(TimeoutError):
            wait_for(lambda: ask(site.room.web_port, "GET", "/healthz")[0] == 200, BACK_WITHIN)
        yield


def clocks_ahead(site: Site) -> None:
    with clocks(site, "25"):
        site.pause(12)


def clocks_back(site: Site) -> None:
    with clocks(site, "-25"):
        site.pause(12)


ALWAYS: dict[str, tuple[Fault, float]] = {
    "kill -9 of web workers": (kill_web_workers, 12),
    "kill -9 of the web server": (kill_web_server, 8),
    "kill -9 of job workers": (kill_job_workers, 12),
    "no scheduler, no worker": (no_scheduler, 10),
    "disk full": (disk_full, 10),
    "disk read-only": (disk_read_only, 8),
    "cache gone": (cache_gone, 6),
    "mail server gone": (mail_gone, 6),
    "name server silent to mail": (slow_names, 10),
    "name server silent to feeds": (slow_names_of_feeds, 30),
    "clocks 25 h ahead": (clocks_ahead, 12),
    "clocks 25 h back": (clocks_back, 12),
}
WITH_POSTGRES: dict[str, tuple[Fault, float]] = {
    "kill -9 of PostgreSQL": (kill_postgres, 12),
    "database gone for 30 s": (database_gone, 30),
}


# --- the run ----------------------------------------------------------------------------------


@dataclass
class Outcome:
    """One line of the table."""

    fault: str
    answers: Counter[str]
    back: float
    note: str


def survive(site: Site, name: str, fault: Fault, number: int, window: float) -> Outcome:
    """One fault from its preparation until pages are back."""
    condemn(site.counts, number, window * PACE)
    until_done(feeds_are_due)
    with site.counts.lock:
        site.counts.answers.clear()
    site.note = ""
    fault(site)
    try:
        back = wait_for(lambda: is_back(site.room), BACK_WITHIN)
    except TimeoutError:
        back, site.note = BACK_WITHIN, f"NOT BACK {site.note}"
    time.sleep(0.5)
    with site.counts.lock:
        outcome = Outcome(name, Counter(site.counts.answers), back, site.note)
    say(outcome)
    return outcome


def until_done(prepare: Callable[[], None]) -> None:
    """What met a lock or a lost connection is tried again, as any client would: the newsroom is busy meanwhile."""
    from django.db import InterfaceError, OperationalError, connection

    until = time.monotonic() + PREPARED_WITHIN
    while True:
        try:
            prepare()
            return
        except (OperationalError, InterfaceError) as error:
            if time.monotonic() > until:
                raise
            print(f"  once more: {str(error).splitlines()[0]}", file=sys.stderr)
            connection.close()
            time.sleep(1)


def is_back(room: Room) -> bool:
    paths = ("/readyz", "/?back=now", "/feeds/latest.rss")
    return all(ask(room.web_port, "GET", path)[0] == 200 for path in paths)


def say(outcome: Outcome) -> None:
    seen = outcome.answers
    told = ", ".join(f"{seen[kind]} {kind}" for kind in sorted(seen))
    print(f"  {outcome.fault:<28} {told}; back after {outcome.back:.1f} s {outcome.note}", file=sys.stderr)


def settle() -> None:
    """Until everything due is done: what must come in comes, what must go goes, letters leave."""
    from django.db import connection

    from moderation.models import Claim, ClaimState, Letter

    def nothing_left() -> bool:
        connection.close()
        erasing = Claim.objects.filter(state=ClaimState.UPHELD, notice__ground="privacy").exists()
        return not erasing and not Letter.objects.filter(sent_at__isnull=True).exists()

    with suppress(TimeoutError):
        wait_for(nothing_left, SETTLED_WITHIN)


def verdict(counts: Counts) -> dict[str, int]:
    """The promises, counted on the rows themselves."""
    from django.conf import settings
    from django.db.models import Count

    from articles.models import Article
    from moderation import ledger
    from moderation.models import Escrow, Letter, Notice

    there = set(Notice.objects.values_list("reference", flat=True))
    twice = Article.objects.filter(headline__startswith="Bulletin").values("headline").annotate(n=Count("pk"))
    escrow = Path(settings.LEDGER_PATH).parent / "escrow"
    kept = set(Escrow.objects.values_list("token", flat=True))
    spare = [key for key in escrow.glob("*.key") if key.stem not in kept]
    return {
        "acknowledged notices": len(set(counts.acknowledged)),
        "acknowledged notices lost": len(set(counts.acknowledged) - there),
        "articles with a deadline in a fault": len(counts.doomed),
        "articles visible past their deadline": len(counts.late),
        "articles from feeds": Article.objects.filter(headline__startswith="Bulletin").count(),
        "duplicate articles": sum(row["n"] - 1 for row in twice),
        "erasures": Article.objects.filter(slug__startswith="torn-", state="erased").count(),
        "torn erasures": len(torn()),
        "keys of seals that were undone": len(spare),
        "faults of the ledger": 0 if ledger.verify() is None else 1,
        "letters unsent": Letter.objects.filter(sent_at__isnull=True).count(),
        "letters": len(counts.letters),
        "letters that left twice": sum(n - 1 for n in counts.letters.values()),
    }


def torn() -> list[str]:
    """Articles to be erased that are neither whole and withheld nor gone from every table."""
    from articles.models import Article, Hold
    from moderation.models import Claim
    from tests.moderation.test_erase import tables_with

    left = tables_with("torn velvet")
    wrong = [f"words left in {table}" for table in left]
    for article in Article.objects.filter(slug__startswith="torn-"):
        claim = Claim.objects.get(article=article)
        if (article.state == "erased") != (claim.state == "erased"):
            wrong.append(f"{article.slug} is {article.state}, its claim {claim.state}")
        if not Hold.objects.in_effect().filter(article=article).exists():
            wrong.append(f"{article.slug} is under no hold")
    return wrong


MUST_BE_ZERO = (
    "acknowledged notices lost", "articles visible past their deadline", "duplicate articles", "torn erasures",
    "faults of the ledger",
)  # fmt: skip


class Post:
    """A mail server that counts by Message-ID."""

    def __init__(self, counts: Counts) -> None:
        self.counts = counts

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        for name in re.findall(rb"(?im)^message-id:\s*(\S+)", envelope.content)[:1]:
            self.counts.letters[name.decode()] += 1
        return "250 OK"


class Mail:
    """The mail server, which can be away."""

    def __init__(self, counts: Counts, port: int) -> None:
        self.counts, self.port = counts, port
        self.controller: Controller | None = None

    def start(self) -> None:
        self.controller = Controller(Post(self.counts), hostname="127.0.0.1", port=self.port)
        self.controller.start()

    def stop(self) -> None:
        if self.controller:
            self.controller.stop()
            self.controller = None


def run(database: str) -> tuple[list[Outcome], dict[str, int]]:
    """All faults on one database, in a server room of its own."""
    counts = Counts()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="newsroom-faults-")))
        disk, mounted = stack.enter_context(small_disk(folder))
        feeds, names = stack.enter_context(web_server()), stack.enter_context(name_server())
        mail = Mail(counts, free_port())
        mail.start()
        stack.callback(mail.stop)
        told = {"EMAIL_URL": f"smtp://127.0.0.1:{mail.port}", "DNS_RESOLVER": names.address}
        room = Room(folder, disk, database, told)
        stack.callback(room.close)
        room.start_servers()
        wait_for(lambda: is_open(room.redis_port), 60)
        prepare()
        from django.core.management import call_command
        from django.db import connections

        stack.callback(connections.close_all)
        call_command("collectstatic", interactive=False, verbosity=0)
        articles = fill(feeds)
        room.start_site()
        wait_for(lambda: is_back(room), 5 * BACK_WITHIN)
        load = Load(room, counts, articles)
        load.start()
        site = Site(room, mail, names, counts, mounted)
        try:
            outcomes = survive_all(site, database)
        finally:
            load.stop()
            if os.environ.get("BENCH_KEEP_LOGS"):
                subprocess.run(["cp", *folder.glob("*.log"), os.environ["BENCH_KEEP_LOGS"]], check=False)
        settle()
        for one in counts.late[:10] + torn()[:10]:
            print(f"  BROKEN: {one}", file=sys.stderr)
        return outcomes, verdict(counts)


def survive_all(site: Site, database: str) -> list[Outcome]:
    from django.db import connections

    faults = ALWAYS | (WITH_POSTGRES if database == "postgresql" else {})
    if not site.mounted:
        print("  nothing can be mounted here: disks, and names of feeds, are left out", file=sys.stderr)
        needing = ("disk", "name server silent to feeds")
        faults = {name: fault for name, fault in faults.items() if not name.startswith(needing)}
    outcomes = []
    for number, (name, (fault, window)) in enumerate(faults.items()):
        if any(word in name for word in CHOSEN):
            outcomes.append(survive(site, name, fault, number, window))
            connections.close_all()
    return outcomes


def one_database(database: str) -> list[tuple[str, float, str]]:
    print(f"  {database}", file=sys.stderr)
    outcomes, promises = run(database)
    rows: list[tuple[str, float, str]] = []
    for outcome in outcomes:
        rows.append((f"{database}: {outcome.fault}: pages back after", outcome.back, "s"))
        silent = outcome.answers["fault"] + outcome.answers["503 without Retry-After"]
        rows.append((f"{database}: {outcome.fault}: answers that say nothing", silent, ""))
    rows += [(f"{database}: {name}", number, "") for name, number in promises.items()]
    return rows


def main() -> None:
    if os.environ.get("BENCH_ONE"):
        print_rows(*one_database(os.environ["BENCH_ONE"]))
        return
    rows = on_each(DATABASES, "bench.faults")
    print_rows(*rows)
    broken = [what for what, value, _ in rows if value and what.split(": ")[-1] in MUST_BE_ZERO]
    broken += [what for what, value, unit in rows if unit == "s" and value >= BACK_WITHIN]
    if broken:
        raise SystemExit(f"Broken: {', '.join(broken)}")


if __name__ == "__main__":
    main()

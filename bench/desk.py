"""What every list of the desk asks of the database, on both: BENCH_ARTICLES, BENCH_CLAIMS, BENCH_DATABASES=sqlite.

BENCH_DATABASE_URL names a newsroom to fill up instead; BENCH_DATABASES says what it is on.
The statements of each page are asked again by themselves and read to the last row, three times; the quickest counts.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from itertools import combinations
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django.db import OperationalError

from bench.growth import collect_static
from bench.scratch import on_each, prepare, print_rows

ARTICLES = int(os.environ.get("BENCH_ARTICLES", "10000"))
CLAIMS = int(os.environ.get("BENCH_CLAIMS", str(ARTICLES // 10)))
DATABASES = os.environ.get("BENCH_DATABASES", "sqlite,postgresql").split(",")
GOAL_MS = 100.0
OF_A_NOTICE, AT_ONCE = 20, 2_000
# One claim of so many is open, as in a newsroom that keeps its promise.
OPEN = 50
# What grows with the newsroom: by the million, or by the hundred thousand.
BIG = {
    "articles_article", "articles_taggedarticle", "articles_contribution", "articles_contributor", "articles_hold",
    "articles_media", "articles_revision", "articles_story", "aggregator_fetch", "aggregator_entryrecord",
    "moderation_claim", "moderation_notice", "auditlog_logentry", "django_admin_log",
}  # fmt: skip
SECONDS = 20.0
# Words to search for beside one that nothing has; filled in from what is there.
SOUGHT = {
    "article": ["{word}", "{rare}"],
    "claim": ["{reference}", "1@owner.example"],
    "contributor": ["{person}"],
    "logentry": ["bench"],
}


def main() -> None:
    if os.environ.get("BENCH_ONE"):
        print_rows(*one_database(os.environ["BENCH_ONE"]))
        return
    rows = on_each(DATABASES, "bench.desk")
    print_rows(*rows)


def one_database(database: str) -> list[tuple[str, float, str]]:
    with served(database):
        prepare()
        collect_static()
        filled()
        measured = list(measure())
    size = f"{database}, {ARTICLES:,} articles, {CLAIMS:,} claims"
    rows = [(f"{size}: {page}, {queries} queries", ms, "ms") for page, queries, ms in measured]
    slow = sum(ms > GOAL_MS for _, _, ms in measured)
    return [*rows, (f"{size}: pages of {len(measured)} over {GOAL_MS:.0f} ms", float(slow), "")]


@contextmanager
def served(database: str) -> Iterator[None]:
    """A server of its own for PostgreSQL; SQLite is a file in VAR_DIR."""
    if database == "sqlite" or os.environ.get("BENCH_DATABASE_URL"):
        yield
        return
    from bench.room import Room

    folder = Path(tempfile.mkdtemp(dir=os.environ["VAR_DIR"]))
    folder.chmod(0o711)
    room = Room(folder, folder, database, {})
    try:
        room.start_servers()
        yield
    finally:
        room.close()


# --- filling ----------------------------------------------------------------------------------


def filled() -> None:
    from django.utils import timezone

    from articles.models import Article
    from newsroom import synthetic

    missing = max(0, ARTICLES - Article.objects.count())
    for done in synthetic.make(missing, at=timezone.now(), seed="bench desk"):
        if not done % 50_000:
            print(f"  {done:,} articles", file=sys.stderr)
    make_drafts()
    make_claims()
    make_log()
    survey()


def survey() -> None:
    """What the databases learn of their rows by themselves: autovacuum does it, and on SQLite a job for claims."""
    from django.db import connection
    from django.utils import timezone

    from newsroom.prune import survey_claims

    survey_claims(1, timezone.now())
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


def make_drafts() -> None:
    """One article of a thousand is not published yet, and is not searched."""
    from django.db import transaction

    from articles import search
    from articles.models import Article, ArticleState

    pks = list(Article.objects.order_by("-pk").values_list("pk", flat=True)[: ARTICLES // 1000 or 1])
    with transaction.atomic():
        Article.objects.filter(pk__in=pks).update(state=ArticleState.REVIEW)
        search.remove(pks)


def make_claims() -> None:
    """Notices of twenty claims each; what is not open was withdrawn."""
    from django.utils import timezone

    from articles.models import Article
    from moderation.models import Claim, ClaimState, Lane, Notice

    articles = list(Article.objects.order_by("-pk").values_list("pk", flat=True)[:CLAIMS])
    now = timezone.now()
    for first in range(0, CLAIMS, AT_ONCE):
        numbers = range(first // OF_A_NOTICE, min(first + AT_ONCE, CLAIMS) // OF_A_NOTICE)
        notices = Notice.objects.bulk_create(_notice(Notice, number, now) for number in numbers)
        Claim.objects.bulk_create(
            Claim(
                notice=notice,
                article_id=articles[(number * OF_A_NOTICE + place) % len(articles)],
                number=place + 1,
                lane=Lane.C,
                state=ClaimState.RECEIVED if number % OPEN == 0 else ClaimState.WITHDRAWN,
                deadline_at=notice.deadline_at,
            )
            for number, notice in zip(numbers, notices, strict=True)
            for place in range(OF_A_NOTICE)
        )


def _notice(model: Any, number: int, now: Any) -> Any:
    arrived = now - timedelta(minutes=number)
    return model(
        reference=f"NR-BENCH-{number:08}", secret_hash=f"{number:064}", intake_key=f"{number:064}",
        received_at=arrived, deadline_at=arrived + timedelta(hours=24), name="A Owner",
        email=f"{number}@owner.example", letter="Please remove these.",
    )  # fmt: skip


def make_log() -> None:
    """As many lines in the desk's history and the audit log as there are claims."""
    from auditlog.models import LogEntry as Audited
    from django.contrib.admin.models import CHANGE, LogEntry
    from django.contrib.contenttypes.models import ContentType

    from accounts.models import User
    from articles.models import Article

    user, _ = User.objects.get_or_create(username="bench", is_staff=True, is_superuser=True)
    kind = ContentType.objects.get_for_model(Article)
    LogEntry.objects.bulk_create(
        (LogEntry(user=user, content_type=kind, object_id=str(n), object_repr=f"Article {n}",
                  action_flag=CHANGE, change_message="Saved.") for n in range(CLAIMS)),
        batch_size=AT_ONCE,
    )  # fmt: skip
    Audited.objects.bulk_create(
        (Audited(actor=user, content_type=kind, object_pk=str(n), object_id=n, object_repr=f"Article {n}",
                 action=Audited.Action.UPDATE, changes={"state": ["draft", "review"]}) for n in range(CLAIMS)),
        batch_size=AT_ONCE,
    )  # fmt: skip


# --- measuring --------------------------------------------------------------------------------


def measure() -> Iterator[tuple[str, int, float]]:
    """Page, number of statements, milliseconds in the database; SECONDS stand for a page that took longer."""
    from django.test import Client

    from accounts.models import User

    user = User.objects.get(username="bench")
    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(user)
    for address in addresses(user):
        try:
            with stopped_after(SECONDS):
                statements = asked(client, address)
            yield address, len(statements), min(seconds(statements) for _ in range(3)) * 1000
        except OperationalError:
            yield address, 0, SECONDS * 1000


@contextmanager
def stopped_after(limit: float) -> Iterator[None]:
    """No statement goes on for longer than so many seconds."""
    from django.db import connection

    connection.ensure_connection()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SET statement_timeout = {limit * 1000:.0f}")
        yield
        return
    end = time.monotonic() + limit
    connection.connection.set_progress_handler(lambda: time.monotonic() > end, 100_000)
    try:
        yield
    finally:
        if connection.connection is not None:
            connection.connection.set_progress_handler(None, 0)


def addresses(user: Any) -> Iterator[str]:
    """The dashboard and each list as it opens, then as `narrowed` by one and by two clicks and by words."""
    from django.contrib import admin
    from django.urls import reverse

    said = _said()
    yield reverse("admin:index")
    for model, desk in admin.site._registry.items():
        name = model._meta.model_name or ""
        sought = [words.format(**said) for words in SOUGHT.get(name, [])]
        base = reverse(f"admin:{model._meta.app_label}_{name}_changelist")
        yield base
        if model._meta.db_table in BIG:
            yield from (f"{base}?{query}" for query in narrowed(user, desk, [*sought, "zzzzqq"]))


def _said() -> dict[str, str]:
    from articles.models import Article
    from moderation.models import Notice

    newest = Article.objects.public().newest_first()[0]
    person = newest.contributors.first()
    return {
        "word": max(newest.headline.split(), key=len),
        "rare": newest.headline,
        "person": person.name.split()[-1] if person else "a",
        "reference": Notice.objects.order_by("-pk").values_list("reference", flat=True)[0],
    }


def narrowed(user: Any, desk: Any, sought: Sequence[str], together: int = 3) -> Iterator[str]:
    """Every choice of every filter, each order, the words; then of every two of these so many choices together."""
    filters = [list(one) for one in choices(user, desk)]
    orders = [f"o={n}" for n in sortable(user, desk)]
    words = [urlencode({"q": word}) for word in sought] if desk.search_fields else []
    groups = [*filters, orders, words]
    for group in groups:
        yield from group
    for one, other in combinations(groups, 2):
        yield from (f"{a}&{b}" for a in one[:together] for b in other[:together])
    yield from ("p=100", "p=2", "further=5")


def choices(user: Any, desk: Any) -> Iterator[Iterator[str]]:
    """For each filter of the list what it offers, as query strings."""
    changelist = opened(user, desk)
    for spec in changelist.filter_specs:
        offered = (choice["query_string"].removeprefix("?") for choice in spec.choices(changelist))
        yield (query for query in offered if query)


def sortable(user: Any, desk: Any) -> list[int]:
    """The columns a click sorts by."""
    changelist = opened(user, desk)
    return [
        place
        for place, name in enumerate(changelist.list_display)
        if name in changelist.sortable_by and changelist.get_ordering_field(name)
    ]


def opened(user: Any, desk: Any) -> Any:
    """The list as it opens for this person."""
    from django.test import RequestFactory

    request = RequestFactory().get("/")
    request.user = user
    return desk.get_changelist_instance(request)


Statement = tuple[str, Any]


def asked(client: Any, address: str) -> Sequence[Statement]:
    """What the page reads, as it was said to the database."""
    from django.db import connection

    said: list[Statement] = []

    def listen(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        said.append((sql, params))
        return execute(sql, params, many, context)

    client.get(address)  # what is worked out once is worked out
    with connection.execute_wrapper(listen):
        answer = client.get(address, follow=True)  # a page that a short list has not leads to its first
    if answer.status_code != 200:
        raise SystemExit(f"{address} answered {answer.status_code}")
    return [(sql, params) for sql, params in said if sql.lstrip().startswith(("SELECT", "WITH"))]


def seconds(statements: Sequence[Statement]) -> float:
    from django.db import connection

    with connection.cursor() as cursor:
        began = time.perf_counter()
        for sql, params in statements:
            cursor.execute(sql, params)
            cursor.fetchall()
        return time.perf_counter() - began


if __name__ == "__main__":
    main()

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
from pathlib import Path
from typing import Any

from bench.growth import collect_static
from bench.scratch import on_each, prepare, print_rows

ARTICLES = int(os.environ.get("BENCH_ARTICLES", "10000"))
CLAIMS = int(os.environ.get("BENCH_CLAIMS", str(ARTICLES // 10)))
DATABASES = os.environ.get("BENCH_DATABASES", "sqlite,postgresql").split(",")
GOAL_MS = 100.0
OF_A_NOTICE, AT_ONCE = 20, 2_000
# One claim of so many is open, as in a newsroom that keeps its promise.
OPEN = 50
NARROWED = {
    "article": ["?state__exact=review", "?state__exact=published", "?withheld=now", "?language=en", "?p={page}",
                "?q={word}", "?q={rare}", "?q=zzzzqq"],
    "claim": ["?queue=all", "?queue=withdrawn", "?queue=all&q={reference}", "?queue=all&q=1%40owner.example"],
    "media": ["?terms=none", "?missing=use", "?q={word}"],
    "contributor": ["?q={person}", "?p=2"],
    "story": ["?q={word}", "?merged_into__isempty=1"],
    "tag": ["?q=a"],
    "source": ["?q=a"],
    "logentry": ["?q=bench"],
}  # fmt: skip


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
    """One article of a thousand is not published yet."""
    from articles.models import Article, ArticleState

    pks = list(Article.objects.order_by("-pk").values_list("pk", flat=True)[: ARTICLES // 1000 or 1])
    Article.objects.filter(pk__in=pks).update(state=ArticleState.REVIEW)


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
    """Page, number of statements, milliseconds in the database."""
    from django.test import Client

    from accounts.models import User

    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(User.objects.get(username="bench"))
    for address in addresses():
        statements = asked(client, address)
        yield address, len(statements), min(seconds(statements) for _ in range(3)) * 1000


def addresses() -> Iterator[str]:
    from django.contrib import admin
    from django.urls import reverse

    from articles.models import Article
    from moderation.models import Notice

    newest = Article.objects.public().newest_first()[0]
    person = newest.contributors.first()
    words = sorted(newest.headline.split(), key=len)
    said = {
        "page": min(100, ARTICLES // 100),
        "word": words[-1],
        "rare": newest.headline.replace(" ", "+"),
        "person": person.name.split()[-1] if person else "a",
        "reference": Notice.objects.order_by("-pk").values_list("reference", flat=True)[0],
    }
    yield reverse("admin:index")
    for model in admin.site._registry:
        name = model._meta.model_name or ""
        base = reverse(f"admin:{model._meta.app_label}_{name}_changelist")
        yield base
        for narrowed in NARROWED.get(name, []):
            yield base + narrowed.format(**said)


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
        answer = client.get(address)
    if answer.status_code != 200:
        raise SystemExit(f"{address} answered {answer.status_code}")
    return [(sql, params) for sql, params in said if sql.startswith("SELECT")]


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

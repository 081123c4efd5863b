"""What is lost with a database and how long the site is away: backup, removals after it, loss, restore, replay.

BENCH_ARTICLES names the sizes, with commas between, the smallest first; BENCH_DATABASE_URL takes another database
than SQLite.
"""

from __future__ import annotations

import io
import os
import time
from contextlib import redirect_stdout
from pathlib import Path

from bench.scratch import prepare, print_rows

SIZES = [int(size) for size in os.environ.get("BENCH_ARTICLES", "5000,20000").split(",")]
REMOVALS = 50
Row = tuple[str, float, str]


def timed(*command: str) -> float:
    """Seconds that a management command takes."""
    from django.core.management import call_command

    started = time.monotonic()
    with redirect_stdout(io.StringIO()):
        call_command(*command)
    return time.monotonic() - started


def remove_some() -> list[int]:
    """Removals of which the backup knows nothing; the keys of their articles."""
    from django.utils import timezone

    from articles.models import Article
    from moderation import actions
    from tests.moderation.cases import notice_about

    articles = list(Article.objects.public().order_by("pk")[:REMOVALS])
    for article in articles:
        actions.uphold(claim_id=notice_about(article).claims.get().pk, by=None, at=timezone.now())
    return [article.pk for article in articles]


def lose_and_restore(size: int, file: Path) -> list[Row]:
    from articles.models import Article
    from moderation import ledger

    made = timed("backup", str(file))
    removed = remove_some()
    checked, restored = timed("restore", str(file), "--check"), timed("restore", str(file))
    known = ledger.is_behind()
    replayed = timed("replay_ledger")
    shown = Article.objects.public().filter(pk__in=removed).count()
    return [
        (f"{size:,} articles: backup, the site running", made, "s"),
        (f"{size:,} articles: its size", file.stat().st_size / 1e6, "MB"),
        (f"{size:,} articles: restore --check", checked, "s"),
        (f"{size:,} articles: restore", restored, "s"),
        (f"{size:,} articles: pages said 503 until the replay (1 yes)", int(known), ""),
        (f"{size:,} articles: replay_ledger, {REMOVALS} removals missing", replayed, "s"),
        (f"{size:,} articles: away in all", restored + replayed, "s"),
        (f"{size:,} articles: removals lost", shown, ""),
    ]


def main() -> None:
    if os.environ.get("BENCH_DATABASE_URL"):
        os.environ["DATABASE_URL"] = os.environ["BENCH_DATABASE_URL"]
    folder = prepare()
    from django.conf import settings

    from articles.models import Article
    from newsroom.envelope import make_key

    settings.BACKUP_KEYS = [make_key()[0]]
    settings.MEDIA_ROOT.mkdir(exist_ok=True)
    rows: list[Row] = []
    for size in SIZES:
        timed("make_articles", str(size - Article.objects.count()))
        rows += lose_and_restore(size, folder / f"{size}.tar")
    print_rows(*rows)
    if any(value for what, value, _ in rows if what.endswith("removals lost")):
        raise SystemExit(1)


if __name__ == "__main__":
    main()

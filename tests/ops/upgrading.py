"""Restores an old backup into an empty database, brings it up to date, and prints as JSON what is there then.

Run as a program: python -m tests.ops.upgrading BACKUP, with DATABASE_URL and VAR_DIR of a place of its own.
"""

from __future__ import annotations

import io
import json
import os
import sys
from contextlib import redirect_stdout

import django

TRIGGERS = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger' ORDER BY name",
    "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal ORDER BY tgname",
}
INDEXES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY name",
    "postgresql": "SELECT indexname FROM pg_indexes WHERE schemaname = 'public' ORDER BY indexname",
}


def names(query: dict[str, str]) -> list[str]:
    """What the database calls its triggers or indexes."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(query[connection.vendor])
        return [name for (name,) in cursor.fetchall()]


def refused(change: object) -> bool:
    """True when the database itself does not let it happen."""
    from django.db import DatabaseError, transaction

    try:
        with transaction.atomic():
            change()  # type: ignore[operator]
    except (DatabaseError, TypeError):
        return True
    return False


def rewrite_the_ledger() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("UPDATE moderation_ledgerentry SET kind = 'nothing' WHERE seq = 1")


def facts() -> dict[str, object]:
    from articles.models import Article
    from moderation import ledger
    from moderation.models import Claim, LedgerEntry, Letter

    return {
        "public": sorted(Article.objects.public().values_list("slug", flat=True)),
        "articles": Article.objects.count(),
        "claims": {claim.article.slug: claim.state for claim in Claim.objects.select_related("article")},
        "tags": Article.objects.filter(tags__name="Harbour").count(),
        "credits": Article.objects.filter(contributors__name="Ann Ó Briain").count(),
        "ledger": LedgerEntry.objects.count(),
        "letters": Letter.objects.count(),
        "fault": str(ledger.verify()),
        "behind": ledger.is_behind(),
        "triggers": names(TRIGGERS),
        "indexes": names(INDEXES),
        "the ledger can be rewritten": not refused(rewrite_the_ledger),
    }


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "newsroom.settings"
    django.setup()
    from django.core.management import call_command

    with redirect_stdout(io.StringIO()) as said:
        call_command("restore", sys.argv[1])
        call_command("migrate", verbosity=0)
        call_command("replay_ledger")
        call_command("migrate", check_unapplied=True, verbosity=0)
    sys.stdout.write(json.dumps(facts() | {"said": said.getvalue()}))


if __name__ == "__main__":
    main()

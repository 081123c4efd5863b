"""Whether the process lives, and whether it can serve."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from articles import cleaning
from articles.models import Heartbeat
from moderation import drill, ledger
from newsroom.alarms import alarms

# Rows that say whose turn it is, not what was done (newsroom/work.py).
TURN = "turn: "
# The row that says when the last backup was made (newsroom/vault.py).
MADE_BACKUP = "made: backup"
# Rows that tell of something else than work done.
NOT_WORK = (MADE_BACKUP, drill.PASSED, drill.FAILED, cleaning.STATE)


def alive(request: HttpRequest) -> HttpResponse:
    """The process answers; touches nothing."""
    return HttpResponse("ok\n", content_type="text/plain", headers={"Cache-Control": "no-store"})


def ready(request: HttpRequest) -> HttpResponse:
    """200 when readers can be served, 503 with the reasons when not. What is wrong besides is told
    under `warnings` and `alarms`: a site whose worker is dead still serves, and still hides what must be hidden.
    """
    reasons = list(reasons_not_to_serve())
    detail = {
        "ready": not reasons,
        "reasons": reasons,
        "warnings": [] if reasons else list(warnings()),
        "alarms": [] if reasons else [f"{alarm.words} {alarm.advice}" for alarm in alarms(timezone.now())],
        "heartbeat_age_seconds": _ages(reasons),
    }
    return JsonResponse(
        detail,
        status=503 if reasons else 200,
        headers={"Cache-Control": "no-store"} | ({"Retry-After": "10"} if reasons else {}),
    )


def reasons_not_to_serve() -> Iterator[str]:
    """One sentence for each thing that stands in the way."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        missing = unapplied_migrations()
    except Error as error:
        let_go()
        yield f"The database does not answer: {type(error).__name__}."
        return
    if missing:
        yield f"Migrations are not applied: {', '.join(missing)}. Run manage.py migrate."
    elif ledger.is_behind():
        yield "The database is behind its removal ledger. Run manage.py replay_ledger."


def let_go() -> None:
    """Ask anew next time: a connection that was opened while the disk was read-only stays so for ever."""
    if not connection.in_atomic_block:
        connection.close()


def unapplied_migrations() -> list[str]:
    """Names such as articles.0002_blocks, in the order in which they would be applied."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


OUTDATED = "The database is older than the program. Run manage.py migrate first."


def what_to_mend(error: Error) -> str:
    """What an operator has to do before a statement that failed so can succeed; "" where that is not known."""
    try:
        missing = unapplied_migrations()
    except Error:
        return f"The database does not answer ({str(error).strip().splitlines()[0]}). Check DATABASE_URL."
    return OUTDATED if missing else ""


def warnings() -> Iterator[str]:
    """One sentence for each thing that readers do not notice yet and the operator must."""
    age = backup_age()
    if age is None and settings.BACKUP_PLACE is not None:
        yield "No backup has been made yet."
    elif age is not None and age > 2 * settings.BACKUP_EVERY_HOURS * 3600:
        yield f"The newest backup is {age / 3600:.0f} hours old; one is due every {settings.BACKUP_EVERY_HOURS}."


def backup_age() -> float | None:
    """Seconds since a backup was made, by the worker or by hand; None when none ever was."""
    at = Heartbeat.objects.filter(name=MADE_BACKUP).values_list("at", flat=True).first()
    return None if at is None else (timezone.now() - at).total_seconds()


def heartbeat_ages() -> dict[str, float]:
    """Seconds since each kind of work was last done, or was last found to have nothing due."""
    now = timezone.now()
    beats = (
        Heartbeat.objects.exclude(name__startswith=TURN).exclude(name__in=NOT_WORK).values_list("name", "at")
    )
    return {name: round((now - at).total_seconds(), 1) for name, at in beats}


def _ages(reasons: list[str]) -> dict[str, float]:
    # Without a database, or without its tables, there is nothing to tell.
    return {} if reasons else heartbeat_ages()

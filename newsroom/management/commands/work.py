from __future__ import annotations

import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from newsroom import memory
from newsroom.health import OUTDATED, unapplied_migrations
from newsroom.work import KINDS, one_round, portion
from newsroom.worker import Worker


class Command(BaseCommand):
    help = "Does all kinds of due work until it is told to stop; a stopped step is finished first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="one round of everything that is due now")
        parser.add_argument(
            "--engine",
            choices=["embedded", "celery"],
            default=settings.WORK_ENGINE,
            help="embedded: do the work here; celery: send it to Celery's workers (default: WORK_ENGINE)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["once"]:
            self.once(options["engine"])
        else:
            self.for_ever(options["engine"])

    def for_ever(self, engine: str) -> None:
        memory.one_heap()
        worker = Worker(KINDS, do=_engine(engine))
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda number, frame: self.stop(worker, number))
        self.stdout.write(f"Working ({engine}): {', '.join(kind.name for kind in KINDS)}.")
        worker.run()
        self.stdout.write("The worker has finished.")

    def stop(self, worker: Worker, number: int) -> None:
        """Asked once it finishes its steps; asked twice it ends at once."""
        signal.signal(number, signal.SIG_DFL)
        worker.stop()

    def once(self, engine: str) -> None:
        if engine == "celery":
            tick = _engine(engine)
            for kind in KINDS:
                tick(kind, at=timezone.now())
        elif unapplied_migrations():
            raise CommandError(OUTDATED)
        elif failed := one_round(KINDS, at=timezone.now()):
            raise CommandError(f"Failed: {', '.join(failed)}; the log says why.")


def _engine(name: str) -> Any:
    if name == "embedded":
        return portion
    try:
        from newsroom.tasks import tick
    except ImportError as error:
        raise CommandError(
            "Celery is not installed: pip install --requirement requirements-scale.txt"
        ) from error
    return tick

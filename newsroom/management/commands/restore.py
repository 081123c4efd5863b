from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from moderation import ledger
from newsroom import backup
from newsroom.health import unapplied_migrations


class Command(BaseCommand):
    help = "Puts a backup in place of what is here, after checking all of it; a ledger that is newer stays."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="what `backup` wrote")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            restored = backup.restore(options["file"])
        except backup.BackupError as error:
            raise CommandError(f"Nothing was changed: {error}.") from error
        except OSError as error:
            raise CommandError(
                f"The restore broke off half way: {error}. Mend that and run it again."
            ) from error
        self.stdout.write(f"Restored the backup of {restored.made_at}: {restored.media} media files.")
        self.stdout.write(f"The ledger was {restored.ledger}.")
        if unapplied_migrations():
            self.stdout.write("The backup is of an older version: run manage.py migrate now.")
        elif ledger.is_behind():
            self.stdout.write(
                "Removals were made since: public pages answer 503 until manage.py replay_ledger."
            )

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from moderation import ledger
from newsroom import backup, vault
from newsroom.health import unapplied_migrations


class Command(BaseCommand):
    help = "Puts a backup in place of what is here, after checking all of it; a ledger that is newer stays."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "file", type=Path, help="what `backup` wrote, a name from `list_backups`, or `latest`"
        )
        parser.add_argument("--check", action="store_true", help="only check that it could be restored")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with tempfile.TemporaryDirectory(prefix="backup-", dir=settings.VAR_DIR) as folder:
                source = _source(options["file"], Path(folder))
                if options["check"]:
                    manifest = backup.check(source)
                    self.stdout.write(f"The backup of {manifest['made_at']} is whole and could be restored.")
                    return
                restored = backup.restore(source)
        except backup.BackupError as error:
            raise CommandError(f"Nothing was changed: {error}.") from error
        except OSError as error:
            raise CommandError(
                f"The restore broke off half way: {error}. Mend that and run it again."
            ) from error
        self._tell(restored)

    def _tell(self, restored: backup.Restored) -> None:
        self.stdout.write(f"Restored the backup of {restored.made_at}: {restored.media} media files.")
        self.stdout.write(f"The ledger was {restored.ledger}.")
        if unapplied_migrations():
            self.stdout.write("The backup is of an older version: run manage.py migrate now.")
        elif ledger.is_behind():
            self.stdout.write(
                "Removals were made since: public pages answer 503 until manage.py replay_ledger."
            )


def _source(given: Path, folder: Path) -> Path:
    """The file itself, or a copy of the one BACKUP_URL keeps under that name."""
    if given.exists() or settings.BACKUP_PLACE is None:
        return given
    return vault.fetch(str(given), folder)

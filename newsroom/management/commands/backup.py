from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from newsroom import backup, vault


class Command(BaseCommand):
    help = "Writes database, media and removal ledger, as they are at this moment, into one file; the site may go on."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "file",
            type=Path,
            nargs="?",
            help="where to write it, such as newsroom-monday.tar; without it, one more into BACKUP_URL",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            said = _into(options["file"]) if options["file"] else vault.back_up(at=timezone.now())
        except (backup.BackupError, OSError) as error:
            raise CommandError(f"No backup was made: {error}.") from error
        closed = "enciphered" if settings.BACKUP_KEYS else "readable by you alone, not enciphered"
        self.stdout.write(f"{said}, {closed}.")


def _into(target: Path) -> str:
    now = timezone.now()
    manifest = backup.create(target, at=now)
    size = target.stat().st_size
    vault.remember(at=now, name=target.name, size=size)
    return f"{target}: {len(manifest['members'])} files, {size:,} bytes"

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from newsroom import backup


class Command(BaseCommand):
    help = "Writes database, media and removal ledger, as they are at this moment, into one file; the site may go on."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="where to write it, such as newsroom-monday.tar")

    def handle(self, *args: Any, **options: Any) -> None:
        target: Path = options["file"]
        try:
            manifest = backup.create(target, at=timezone.now())
        except (backup.BackupError, OSError) as error:
            raise CommandError(f"No backup was made: {error}.") from error
        size = target.stat().st_size
        self.stdout.write(
            f"{target}: {len(manifest['members'])} files, {size:,} bytes, readable by you alone."
        )

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from newsroom import backup, vault


class Command(BaseCommand):
    help = "Prints the names of the backups kept in BACKUP_URL, newest first."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            names = vault.listed()
        except (backup.BackupError, OSError) as error:
            raise CommandError(f"They cannot be listed: {error}.") from error
        for name in names:
            self.stdout.write(name)

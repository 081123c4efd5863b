from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from newsroom import envelope


class Command(BaseCommand):
    help = "Prints a new pair of keys for backups: one that closes them and one that opens them."
    # So that a wrong BACKUP_KEY does not stand in the way of a right one.
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        opens, closes = envelope.make_key()
        self.stdout.write("# For the server, as BACKUP_KEY: it makes backups and cannot read them.")
        self.stdout.write(closes)
        self.stdout.write(
            "# Keep it away from the server; BACKUP_KEY when you restore. Without it no backup opens."
        )
        self.stdout.write(opens)

"""Brings a restored database up to the removal ledger."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from moderation.replay import CannotReplay, replay


class Command(BaseCommand):
    help = "Apply to this database every removal that the ledger file has and it lacks; then the site serves again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--despite-damage",
            action="store_true",
            help="go on where the file is damaged among the entries that the database has itself",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        number = 0
        try:
            for done in replay(despite_damage=options["despite_damage"]):
                number += 1
                line = done.line
                self.stdout.write(
                    f"{line.seq} {line.kind} {line.payload.get('claim', '')}: articles {done.articles}"
                )
        except CannotReplay as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Applied {number} entries." if number else "Nothing was missing.")

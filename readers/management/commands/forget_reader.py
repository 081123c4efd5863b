"""Forgets a reader's mailbox."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from readers import actions


class Command(BaseCommand):
    help = (
        "Delete everything that follows by e-mail under an address, with the mails that are still owed to it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", metavar="EMAIL", help="The mailbox.")

    def handle(self, *args: Any, **options: Any) -> None:
        count = actions.forget(email=options["email"].strip())
        self.stdout.write(f"{count} subscriptions forgotten")

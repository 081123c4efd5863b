"""Forget one claimant."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from moderation.retention import erase_claimant


class Command(BaseCommand):
    help = (
        "Forget whoever wrote from this mailbox in every closed case; fails while a case of theirs is open."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", help="the mailbox")

    def handle(self, *args: Any, email: str, **options: Any) -> None:
        forgotten, still_open = erase_claimant(email=email.strip(), at=timezone.now())
        self.stdout.write(f"Forgotten in {forgotten} closed cases.")
        if still_open:
            raise CommandError(f"Still open, and kept until they end: {', '.join(still_open)}.")

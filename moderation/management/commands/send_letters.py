"""Send the letters that are owed."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from moderation.letters import send_letters
from moderation.models import Letter


class Command(BaseCommand):
    help = (
        "Send the letters to rights owners that are due now, each once. Ends with 0 when none of them failed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--limit", type=int, default=500, help="how many at most (default: %(default)s)")

    def handle(self, *args: Any, limit: int, **options: Any) -> None:
        at = timezone.now()
        taken = send_letters(limit, at)
        sent = Letter.objects.filter(sent_at=at).count()
        self.stdout.write(f"{sent} letters sent.")
        if sent < taken:
            raise CommandError(f"{taken - sent} could not be sent and wait for another try.")

"""Read the removal mailbox."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from moderation.mailbox import Mailbox, MailboxError, poll


class Command(BaseCommand):
    help = "Receive what is new in the removal mailbox (MAILBOX_URL, IMAP). The clock starts when a mail reached it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--limit", type=int, default=500, help="how many messages at most (default: %(default)s)"
        )

    def handle(self, *args: Any, limit: int, **options: Any) -> None:
        if not settings.MAILBOX_URL:
            raise CommandError("Set MAILBOX_URL, such as imaps://removal:password@mail.example/INBOX.")
        received = 0
        try:
            for handled in poll(Mailbox.at(settings.MAILBOX_URL), limit=limit, at=timezone.now()):
                received += 1
                reference = handled.notice.reference if handled.notice else "no case"
                self.stdout.write(f"{reference}: {handled.outcome.label.lower()}")
        except MailboxError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{received} messages received.")

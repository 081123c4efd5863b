"""The command a mail server pipes messages into."""

from __future__ import annotations

import logging
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from moderation.email import MAX_BYTES, accept
from moderation.models import MailOutcome

logger = logging.getLogger(__name__)

TRY_AGAIN = 75  # EX_TEMPFAIL: a mail server keeps the message and delivers it later.


class Command(BaseCommand):
    help = (
        "Receive one mailed removal notice (an RFC 822 message on standard input) and print its reference. "
        "Ends with 0 only when it is stored; with 75 the mail server should try again later."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.epilog = "Example, Postfix: removal: |/srv/newsroom/.venv/bin/python manage.py receive_notice"

    def handle(self, *args: Any, **options: Any) -> None:
        at = timezone.now()
        message = sys.stdin.buffer.read(MAX_BYTES)
        while sys.stdin.buffer.read(1024 * 1024):
            continue
        if not message.strip():
            self.stderr.write("There is no message on standard input.")
            sys.exit(65)
        try:
            handled = accept(message, at=at)
        except Exception as error:
            # Whatever it was: only what is stored may leave the mail server's queue.
            logger.exception("a message could not be received")
            self.stderr.write(f"Not stored, try again later: {error}")
            sys.exit(TRY_AGAIN)
        if handled.outcome == MailOutcome.IGNORED or handled.notice is None:
            self.stdout.write(f"ignored: {handled.reason}")
        else:
            self.stdout.write(handled.notice.reference)

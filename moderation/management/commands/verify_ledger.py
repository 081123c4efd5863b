"""Checks the removal ledger."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from moderation import ledger
from moderation.ledger import Head
from moderation.models import LedgerEntry


def published_head(text: str) -> Head:
    """`12:9f86d0…` as /transparency/ prints it."""
    seq, _, digest = text.partition(":")
    if not seq.isdecimal() or len(digest) != 64:
        raise argparse.ArgumentTypeError(
            "Give a head as it is published: its number, a colon, 64 hexadecimal digits."
        )
    return Head(int(seq), digest.lower())


class Command(BaseCommand):
    help = "Check every entry of the removal ledger, in the database and in the file, and name the first bad one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--expect",
            type=published_head,
            metavar="NUMBER:HASH",
            help="A head published earlier on /transparency/; finds a ledger rewritten in both places.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        fault = ledger.verify(expected=options["expect"])
        if fault:
            raise CommandError(f"First bad entry: {fault}.")
        last = LedgerEntry.objects.order_by("-seq").first()
        head = f"; head {last.seq}:{last.hash}" if last else ""
        self.stdout.write(f"{last.seq if last else 0} entries, unbroken, database and file agree{head}.")

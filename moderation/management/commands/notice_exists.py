"""Ask whether a reference was given out."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from moderation import ledger
from moderation.models import Notice


class Command(BaseCommand):
    help = "Say whether a notice with this reference was given out, by the database or its ledger: ends with 0 or 1."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("reference", help="as on the acknowledgement, such as NR-7K3M9-QX2TV-8B4")

    def handle(self, *args: Any, reference: str, **options: Any) -> None:
        reference = reference.strip().upper()
        notice = Notice.objects.filter(reference=reference).first()
        if notice is not None:
            self.stdout.write(f"{notice.reference} arrived {notice.received_at:%Y-%m-%d %H:%M:%S %Z}")
        elif arrival := ledger.arrival_of(reference):
            self.stdout.write(f"{reference} arrived {arrival}. Only the ledger has it: run replay_ledger.")
        else:
            self.stderr.write(f"No notice {reference}.")
            sys.exit(1)

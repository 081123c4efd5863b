"""Ask whether a reference was given out."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from moderation.models import Notice


class Command(BaseCommand):
    help = "Say whether a notice with this reference is stored: ends with 0 when it is, with 1 when not."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("reference", help="as on the acknowledgement, such as NR-7K3M9-QX2TV-8B4")

    def handle(self, *args: Any, reference: str, **options: Any) -> None:
        notice = Notice.objects.filter(reference=reference.strip().upper()).first()
        if notice is None:
            self.stderr.write(f"No notice {reference}.")
            sys.exit(1)
        self.stdout.write(f"{notice.reference} arrived {notice.received_at:%Y-%m-%d %H:%M:%S %Z}")

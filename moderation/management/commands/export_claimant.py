"""Hand out what we keep of one claimant."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.core.serializers.json import DjangoJSONEncoder

from moderation.retention import export_claimant


class Command(BaseCommand):
    help = "Print everything that is kept of whoever wrote from this mailbox, as JSON."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", help="the mailbox")

    def handle(self, *args: Any, email: str, **options: Any) -> None:
        found = export_claimant(email.strip())
        self.stdout.write(json.dumps(found, cls=DjangoJSONEncoder, ensure_ascii=False, indent=2))

from __future__ import annotations

import secrets
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from newsroom import synthetic


class Command(BaseCommand):
    help = "Makes N synthetic public articles, to see how the site behaves when it is large."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("count", metavar="N", type=int)
        parser.add_argument(
            "--seed", help="the same seed makes the same articles (default: new ones each time)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        count, started = options["count"], time.monotonic()
        if count < 1:
            raise CommandError("N is how many articles to make: 1 or more.")
        done = 0
        for done in synthetic.make(count, at=timezone.now(), seed=options["seed"] or secrets.token_hex(8)):
            rate = done / (time.monotonic() - started)
            self.stdout.write(f"\r{done:,} of {count:,} articles ({rate:,.0f} a second)", ending="")
            self.stdout.flush()
        self.stdout.write("")
        if done < count:
            self.stdout.write(f"{count - done:,} existed already or were removed once.")

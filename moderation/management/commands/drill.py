"""Runs the drill."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from moderation import drill


class Command(BaseCommand):
    help = "Remove a made-up article through the running site, from the form to the certificate, on a shortened clock."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--base-url", default="", help="Where the site answers, if not at SITE_URL.")
        parser.add_argument(
            "--clock", type=float, default=drill.CLOCK.total_seconds(), help="Seconds until the deadline."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            told = drill.run(base_url=options["base_url"], clock=timedelta(seconds=options["clock"]))
        except drill.DrillFailed as error:
            drill.leave_word(drill.FAILED, {"error": str(error)[:300]})
            raise CommandError(f"The drill failed. {error}") from error
        drill.leave_word(drill.PASSED, told)
        for step, seconds in told["seconds"].items():
            self.stdout.write(f"{step:<10} {seconds:6.2f} s")
        self.stdout.write(f"The drill {told['reference']} passed.")

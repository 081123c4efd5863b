from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from articles.actions import release_source, suspend_source
from articles.models import Source


class Command(BaseCommand):
    help = "Shows and fetches nothing of an outlet from now on, however much it is; --lift ends that."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", metavar="SLUG", help="the outlet's part of its address")
        parser.add_argument("--reason", default="", help="why, for the desk")
        parser.add_argument("--lift", action="store_true", help="show it again")

    def handle(self, *args: Any, **options: Any) -> None:
        source = Source.objects.filter(slug=options["slug"]).first()
        if source is None:
            raise CommandError(f"There is no source {options['slug']}.")
        if options["lift"]:
            release_source(source=source)
            self.stdout.write(f"{source} is shown again.")
            return
        suspend_source(source=source, at=timezone.now(), by=None, reason=options["reason"])
        self.stdout.write(f"Nothing of {source} is shown any more.")

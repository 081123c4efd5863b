from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from aggregator import actions


class Command(BaseCommand):
    help = "Stops reading a feed. The articles it brought stay."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("url", help="the address the feed is read at")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            url = actions.remove_feed(url=options["url"])
        except actions.UnknownFeed as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{url} is read no more.")

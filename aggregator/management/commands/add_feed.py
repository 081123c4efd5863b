from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from aggregator import actions


class Command(BaseCommand):
    help = "Begins to read a feed, given its address or that of a page that names it; what it brings is published."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("url", help="http(s) address of the feed, or of a web page that links to it")
        parser.add_argument("--review", action="store_true", help="let an editor release what it brings")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            feed = actions.add_feed(url=options["url"], review=options["review"], at=timezone.now())
        except actions.FeedNotAdded as error:
            raise CommandError(f"Not added: {error}") from error
        manner = "waits for an editor" if feed.review else "is published"
        self.stdout.write(
            f"{feed.url}: {feed.title or 'untitled'}, of {feed.source}. What it brings {manner}."
        )

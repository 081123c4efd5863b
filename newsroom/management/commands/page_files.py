from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.test import Client
from django.utils import timezone

from articles import page_files
from articles.build import build_of_the_program
from newsroom import publishing


class Command(BaseCommand):
    help = (
        "Publishes ready pages as files in PAGES_DIR: writes the headers nginx sends with them, and compares."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--stop", action="store_true", help="publish no more, and take everything back")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["stop"]:
            publishing.stop()
            self.stdout.write("No page is a file any more.")
            return
        if not settings.PAGES_DIR:
            raise CommandError("Set PAGES_DIR to the folder in which pages are to be published.")
        try:
            publishing.begin()
        except page_files.NotOurFolder as error:
            raise CommandError(str(error)) from error
        written = page_files.write_headers(_headers_of_a_page())
        done = publishing.compare(100_000, timezone.now(), build=build_of_the_program())
        self.stdout.write(
            f"{written} is what nginx must include; reload it. {done} files were written or taken back."
        )


def _headers_of_a_page() -> dict[str, str]:
    """Those that every page has: of one that shows no article, as the site answers it."""
    answer = Client(headers={"host": settings.SITE_HOST}).get("/about/", secure=settings.HTTPS)
    if answer.status_code != 200:
        raise CommandError(f"/about/ answered {answer.status_code}; its headers are what nginx is to send.")
    return {name: value for name, value in answer.headers.items() if name != "X-Valid-Until"}

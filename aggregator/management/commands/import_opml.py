from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from aggregator import actions
from aggregator.opml import NotOPML, read_opml

SHOWN = 50


class Command(BaseCommand):
    help = (
        "Adds every feed of an OPML list, folders becoming tags; lines that cannot be used are named and left out. "
        "Ends with an error only when no line could be used."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="the OPML file")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            outlines = read_opml(options["file"].read_bytes())
        except OSError as error:
            raise CommandError(f"The file cannot be read: {error}.") from error
        except NotOPML as error:
            raise CommandError(str(error)) from error
        if not outlines:
            raise CommandError("The list names no feed.")
        new, known, problems = actions.import_outlines(outlines=outlines, at=timezone.now())
        for problem in problems[:SHOWN]:
            self.stderr.write(f"left out: {problem}")
        if len(problems) > SHOWN:
            self.stderr.write(f"left out: {len(problems) - SHOWN} more")
        self.stdout.write(f"{new} feeds added, {known} were known, {len(problems)} lines left out.")
        if not new and not known:
            raise CommandError("No line of the list could be used.")

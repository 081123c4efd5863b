"""What the three commands that import have in common: what they are asked, and what they tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from articles.actions import BLOCKED, CREATED, SKIPPED
from articles.models import Source
from articles.sanitise import clean_text
from newsroom.imports import Found, NotReadable
from newsroom.intake import LEFT_OUT, REFUSED, TakenIn, source_of, take_in

SHOWN_EVERY = 20


class ImportCommand(BaseCommand):
    """Reads a file by `read`; what is good comes in, what is not is named. Run again it adds nothing twice."""

    def read(self, file: BinaryIO) -> Iterator[Found]:
        """What the file holds, in its order."""
        raise NotImplementedError

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="the file to read")
        parser.add_argument(
            "--source",
            metavar="DOMAIN",
            help="whose work it is, for example example.org: one of the desk's sources, whose terms then apply. "
            "Without it, it is your own journalism.",
        )
        parser.add_argument(
            "--review", action="store_true", help="let everything wait in review, whatever state it was in"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        source = self.chosen(options["source"]) if options["source"] else None
        counted: Counter[str] = Counter()
        try:
            with options["file"].open("rb") as file:
                found = take_in(
                    self.read(file), source=source, to_review=options["review"], at=timezone.now()
                )
                self.follow(found, counted)
        except OSError as error:
            raise CommandError(f"The file cannot be read: {error}.") from error
        except NotReadable as error:
            raise CommandError(f"{error} {self.summary(counted)}") from error
        self.stdout.write(self.summary(counted))
        if counted[REFUSED] + counted[BLOCKED]:
            raise CommandError("Not all of it is here: the lines above say what was refused, and why.")

    def chosen(self, domain: str) -> Source:
        """The outlet of this domain."""
        source = source_of(domain)
        if source is None:
            raise CommandError(
                f"No source has the domain {domain}. Add it at the desk, with its terms, first."
            )
        return source

    def follow(self, found: Iterator[TakenIn], counted: Counter[str]) -> None:
        """Count, name what is not here, and draw the line for whoever watches."""
        watched = self.stderr.isatty()
        for number, one in enumerate(found, 1):
            counted[one.outcome] += 1
            if one.why:
                title = clean_text(one.title, max_length=80) or "without a title"
                verb = LEFT_OUT if one.outcome == LEFT_OUT else REFUSED
                self.stderr.write(
                    f"{chr(13) if watched else ''}{verb}: {one.number}, {title}: {one.why}", style_func=str
                )
            if watched and number % SHOWN_EVERY == 0:
                self.stderr.write(f"\r{number:,} read, {counted[CREATED]:,} new", style_func=str, ending="")
                self.stderr.flush()
        if watched:
            self.stderr.write("")

    def summary(self, counted: Counter[str]) -> str:
        """One sentence of figures."""
        refused = counted[REFUSED] + counted[BLOCKED]
        came, known, left_out = counted[CREATED], counted[SKIPPED], counted[LEFT_OUT]
        return f"{came:,} articles came in, {known:,} were known, {refused:,} refused, {left_out:,} left out."

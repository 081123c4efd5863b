from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Prefetch

from articles.models import Article, ArticleQuerySet, Contribution
from articles.ninjs import ninjs

AT_ONCE = 200


class Command(BaseCommand):
    help = (
        "Writes articles as IPTC ninjs, one on each line, to FILE or to standard output. Of a source's text no more "
        "than its terms allow; what is withheld or erased, never. import_ninjs reads it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, nargs="?", help="the file to write (default: standard output)")
        parser.add_argument(
            "--all", action="store_true", help="also what is not published yet, has expired or was retracted"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        rows = Article.objects.allowed() if options["all"] else Article.objects.public()
        path: Path | None = options["file"]
        if path is None:
            self.write(rows, self.stdout)
            return
        part = path.with_name(f"{path.name}.part")
        try:
            with part.open("w", encoding="utf-8") as file:
                count = self.write(rows, file)
            part.replace(path)
        except OSError as error:
            raise CommandError(f"The file cannot be written: {error}.") from error
        finally:
            part.unlink(missing_ok=True)
        self.stdout.write(f"{count:,} articles are in {path}.")

    def write(self, rows: ArticleQuerySet, to: Any) -> int:
        """Write each article as a line; returns how many."""
        count, watched = 0, self.stderr.isatty() and not (to is self.stdout and sys.stdout.isatty())
        for count, article in enumerate(_one_by_one(rows), 1):
            to.write(json.dumps(ninjs(article), ensure_ascii=False) + "\n")
            if watched and count % AT_ONCE == 0:
                self.stderr.write(f"\r{count:,} articles", style_func=str, ending="")
                self.stderr.flush()
        if watched:
            self.stderr.write("")
        return count


def _one_by_one(rows: ArticleQuerySet) -> Iterator[Article]:
    """In the order they came. Each portion is asked for anew: what was withheld meanwhile is not in it."""
    credits = Prefetch("contributions", Contribution.objects.select_related("contributor"))
    whole = rows.select_related("source").prefetch_related(credits, "tags").order_by("pk")  # type: ignore[misc]  # taggit has no types
    last = 0
    while portion := list(whole.filter(pk__gt=last)[:AT_ONCE]):
        yield from portion
        last = portion[-1].pk

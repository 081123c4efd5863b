from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from articles import walks
from articles.models import Source, Tag, Walk, WalkKind

WIDTH = 30


class Command(BaseCommand):
    help = (
        "Gives a tag to all articles of an outlet or of another tag, or takes it from them. May be stopped at any"
        " moment: started again, or by the worker, it goes on where it was."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tag", metavar="TAG", help="the tag's part of its address")
        whose = parser.add_mutually_exclusive_group(required=True)
        whose.add_argument("--source", metavar="SLUG", help="all articles of this outlet")
        whose.add_argument("--tagged", metavar="SLUG", help="all articles with this other tag")
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--remove", action="store_true", help="take TAG from them")
        how.add_argument(
            "--instead", action="store_true", help="take the other tag from them as they get TAG"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        kind = WalkKind.UNTAG if options["remove"] else WalkKind.RETAG if options["instead"] else WalkKind.TAG
        of = walks.Of(source=_of(Source, options["source"]), tagged=_of(Tag, options["tagged"]))
        try:
            walk = walks.ask(kind, of, tag=_of(Tag, options["tag"]), at=timezone.now())
        except walks.NothingToDo as reason:
            raise CommandError(str(reason)) from reason
        while walk.finished_at is None:
            if not walks.go_on(walk, at=timezone.now(), seconds=1):
                time.sleep(1)  # The worker has it at the moment.
            walk.refresh_from_db()
            self._show(walk)
        self.stdout.write(f"\n{walk.done:,} articles.")

    def _show(self, walk: Walk) -> None:
        bar = "#" * round(WIDTH * walk.share)
        self.stdout.write(f"\r[{bar:<{WIDTH}}] {walk.share:4.0%}  {walk.done:,} articles", ending="")
        self.stdout.flush()


def _of(model: Any, slug: str | None) -> Any:
    if slug is None:
        return None
    found = model.objects.filter(slug=slug).first()
    if found is None:
        raise CommandError(f"There is no {model._meta.verbose_name} {slug}.")
    return found

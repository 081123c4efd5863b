from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from aggregator import actions
from aggregator.entries import COUNTED, Report
from aggregator.models import Feed
from articles import search

MOMENT = 0.5
BAR = 40
BUSY = "Not fetched: another worker has this feed at the moment."


class Command(BaseCommand):
    help = "Fetches the feeds whose turn it is, once each, and stores what they bring."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--all",
            action="store_true",
            help="all feeds, whenever they were fetched last; not those that are paused or gone, "
            "or whose server asked us to wait",
        )
        parser.add_argument("--feed", metavar="URL", help="this feed alone, whenever it was fetched last")
        parser.add_argument("--json", action="store_true", help="one JSON object a line for each feed")
        parser.add_argument(
            "--wait",
            type=float,
            default=60,
            metavar="SECONDS",
            help="with --all or --feed: how long to wait for feeds a worker is fetching right now (60)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        at = timezone.now()
        only = self.chosen(options["feed"]) if options["feed"] else None
        asked = options["all"] or only
        reports = []
        total = 0 if options["json"] else self.expected(only, at)
        try:
            for report in self.every(only, at, options["wait"]) if asked else actions.fetch_pass(at=at):
                self.show(report, as_json=options["json"])
                reports.append(report)
                self.draw_bar(len(reports), total)
        except KeyboardInterrupt:
            self.stop()
        search.index_all_owed(timezone.now())
        if only and not reports:
            raise CommandError(self.why_not(only[0]))
        if not options["json"]:
            self.sum_up(reports)

    def stop(self) -> NoReturn:
        """End at once: Python itself would wait for each thread that waits for a slow server."""
        self.stderr.write("\nStopped. What was fetched is stored; the other feeds stay due.")
        self.stdout.flush()
        self.stderr.flush()
        os._exit(130)

    def expected(self, only: Sequence[int] | None, at: datetime) -> int:
        """How many feeds this run is about, for the bar; 0 where nobody watches."""
        if not self.stderr.isatty():
            return 0
        return Feed.objects.active().count() if only is None else len(only)

    def draw_bar(self, done: int, total: int) -> None:
        if total:
            filled = min(BAR, BAR * done // total)
            bar = f"\r[{'#' * filled}{'.' * (BAR - filled)}] {done} of {total} feeds"
            self.stderr.write(bar, ending="\n" if done >= total else "")

    def every(self, only: Sequence[int] | None, at: datetime, patience: float) -> Iterator[Report]:
        """A report for each feed, also for those the worker had in hand when we came."""
        busy = Feed.objects.in_other_hands(at)
        left = list((busy if only is None else busy.filter(pk__in=only)).values_list("pk", flat=True))
        actions.make_due(feeds=only, at=at)
        yield from actions.fetch_pass(at=at, only=only)
        until = time.monotonic() + patience
        while left and time.monotonic() < until:
            time.sleep(MOMENT)
            at = timezone.now()
            still = set(Feed.objects.in_other_hands(at).filter(pk__in=left).values_list("pk", flat=True))
            free = [pk for pk in left if pk not in still]
            left = [pk for pk in left if pk in still]
            actions.make_due(feeds=free, at=at)
            yield from actions.fetch_pass(at=at, only=free)
        if only is None:
            yield from (Report(url=url, error=BUSY) for url in self.addresses(left))

    def addresses(self, pks: Sequence[int]) -> list[str]:
        return list(Feed.objects.filter(pk__in=pks).values_list("url", flat=True))

    def chosen(self, url: str) -> Sequence[int]:
        try:
            return [actions.feed_at(url).pk]
        except actions.UnknownFeed as error:
            raise CommandError(str(error)) from error

    def why_not(self, pk: int) -> str:
        feed = Feed.objects.select_related("source").get(pk=pk)
        if feed.gone_at:
            return "Not fetched: its publisher ended this feed. Resume it at the desk to try again."
        if feed.paused_at or feed.source.suspended_at:
            return "Not fetched: the feed is paused or its source suspended."
        if feed.not_before and feed.not_before > timezone.now():
            return (
                f"Not fetched: its server asked us to stay away until {feed.not_before:%Y-%m-%d %H:%M} UTC."
            )
        return BUSY

    def show(self, report: Report, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(report.as_json(), ensure_ascii=False))
            return
        counts = ", ".join(f"{getattr(report, name)} {name}" for name in COUNTED if getattr(report, name))
        status = report.http_status or "no answer"
        self.stdout.write(
            f"{report.url}: {report.error or counts or 'nothing new'} ({status}, {report.seconds:.1f} s)"
        )

    def sum_up(self, reports: Sequence[Report]) -> None:
        failed = sum(bool(report.error) for report in reports)
        counts = ", ".join(f"{sum(getattr(report, name) for report in reports)} {name}" for name in COUNTED)
        self.stdout.write(f"{len(reports)} feeds, {failed} with an error; entries: {counts}.")

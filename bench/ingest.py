"""How many entries of feeds a CPU-second takes in, network to database; and what a look at an unchanged feed costs."""

from __future__ import annotations

from bench.scratch import cpu_seconds, newsroom_with_feeds, print_rows

FEEDS, ENTRIES = 20, 50


def main() -> None:
    with newsroom_with_feeds(feeds=FEEDS, entries=ENTRIES):
        from django.utils import timezone

        from aggregator.actions import fetch_pass
        from aggregator.models import Feed

        began = cpu_seconds()
        created = sum(report.created for report in fetch_pass(at=timezone.now()))
        taken = cpu_seconds() - began
        if created != FEEDS * ENTRIES:
            raise SystemExit(f"{created} of {FEEDS * ENTRIES} entries came in")
        Feed.objects.update(due_at=timezone.now())
        began = cpu_seconds()
        looked = sum(1 for _ in fetch_pass(at=timezone.now()))
        looking = cpu_seconds() - began
    print_rows(
        ("entries taken in", created / taken, "per CPU-second"),
        ("looks at an unchanged feed", looked / looking, "per CPU-second"),
    )


if __name__ == "__main__":
    main()

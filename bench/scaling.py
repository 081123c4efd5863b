"""What 1, 10 and 100 machines can carry, from measured costs: the table of docs/scaling.md.

For each number of machines it plays a day minute by minute, with the peak of the evening, and looks for the most
readers at which nothing is busier than it may be; then it says what ran out. Change MEASURED to your own figures.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bench.scratch import print_rows

# Milliseconds of CPU on one core of the measured machine, and bytes; docs/performance.md says how each was measured.
MEASURED = {
    "hit": 0.26,
    "hit on the database": 0.10,
    "page file": 0.016,
    "article made": 2.7,
    "front page made": 3.6,
    "made, on the database": 1.0,
    "entry taken in": 1.2,
    "entry on the database": 1.2,
    "feed looked at": 0.9,
    "bytes of an article": 10_400,
    "bytes of a page sent": 5_000,
}
CORES, BUSY = 4, 0.7
PAGES_A_VISIT, PEAK = 4.0, 3.0
LOOKS_A_DAY, ENTRIES_OF_A_FEED = 48, 6
# Pages that fall with each new article (lists, tags, outlet, contributors, in all forms), and how many are read again.
FALLEN_WITH_AN_ARTICLE, READ_AGAIN = 14, 0.4
# Beyond so many machines a pooler stands before the primary, and only those at work have a connection.
CONNECTIONS_OF_A_WEB_MACHINE, MOST_CONNECTIONS, WITHOUT_POOLER = 16, 500, 30
MACHINES_A_FRONT = 10
GIGABIT = 125_000_000.0
SECONDS_A_DAY = 86_400


@dataclass(frozen=True)
class Site:
    """So many readers a day, feeds, and machines with a part each."""

    readers: float
    feeds: int
    machines: int

    @property
    def articles(self) -> float:
        """New ones in a day."""
        return float(self.feeds * ENTRIES_OF_A_FEED)

    def parts(self) -> Mapping[str, float]:
        """How many machines do what. One does everything; of many the first is the database."""
        if self.machines == 1:
            return {"web": 0.6, "jobs": 0.25, "database": 0.15, "replica": 0.0}
        rest = self.machines - 1
        replicas = max(1, rest // 10)
        jobs = max(1, round(rest * 0.15))
        return {"web": rest - replicas - jobs, "jobs": jobs, "database": 1.0, "replica": replicas}


def of_the_day(minute: int) -> float:
    """How much of the mean load there is in this minute: little at night, PEAK in the evening."""
    wave = (1 - math.cos(2 * math.pi * (minute - 240) / 1440)) / 2
    sharp = wave**3
    return 0.25 + (PEAK - 0.25) * sharp


def loads(site: Site, minute: int) -> Iterator[tuple[str, float]]:
    """Each resource with the share of it that is in use."""
    cost, parts, now = MEASURED, site.parts(), of_the_day(minute)
    pages = site.readers * PAGES_A_VISIT * now / SECONDS_A_DAY
    articles = site.articles * now / SECONDS_A_DAY
    # A page that fell is made again when somebody asks for it, and not more often than it is asked for.
    made = min(pages, articles * FALLEN_WITH_AN_ARTICLE * READ_AGAIN)
    looks = site.feeds * LOOKS_A_DAY / SECONDS_A_DAY
    core = 1000.0 * CORES
    on_database = (
        pages * cost["hit on the database"]
        + made * cost["made, on the database"]
        + articles * cost["entry on the database"]
    )
    yield "web CPU", (pages * cost["hit"] + made * cost["article made"]) / (core * parts["web"])
    yield (
        "jobs CPU",
        (articles * cost["entry taken in"] + looks * cost["feed looked at"]) / (core * parts["jobs"]),
    )
    yield "primary CPU", on_database / (core * parts["database"])
    fronts = max(1, site.machines // MACHINES_A_FRONT)
    yield "network of the fronts", pages * cost["bytes of a page sent"] / (GIGABIT * fronts)
    yield "connections of the primary", connections(site, on_database) / MOST_CONNECTIONS


def connections(site: Site, on_database: float) -> float:
    """Open ones: all that threads keep, or with a pooler those at work."""
    if site.machines <= WITHOUT_POOLER:
        return site.parts()["web"] * CONNECTIONS_OF_A_WEB_MACHINE
    return on_database / 1000


def busiest(site: Site) -> tuple[str, float]:
    """The resource nearest to its end at the worst minute of the day."""
    return max(
        (load for minute in range(0, 1440, 5) for load in loads(site, minute)), key=lambda load: load[1]
    )


def most_readers(feeds: int, machines: int) -> tuple[float, str]:
    """The most readers a day, and what is short with one more."""
    low, high = 0.0, 1e10
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if busiest(Site(middle, feeds, machines))[1] <= BUSY else (low, middle)
    return low, busiest(Site(high, feeds, machines))[0]


def main() -> None:
    rows = []
    for machines, feeds in ((1, 500), (10, 5_000), (100, 50_000)):
        readers, short = most_readers(feeds, machines)
        site = Site(readers, feeds, machines)
        name = f"{machines} machines, {feeds:,} feeds"
        rows += [
            (f"{name}: readers a day before {short} is short", readers, ""),
            (f"{name}: pages a second at the peak", readers * PAGES_A_VISIT * PEAK / SECONDS_A_DAY, ""),
            (f"{name}: a year's articles", site.articles * 365 * MEASURED["bytes of an article"] / 1e9, "GB"),
        ]
    print_rows(*rows)


if __name__ == "__main__":
    main()

"""What is wrong behind a site that still serves.

Work nobody does, caches that do not listen, a store that does not delete, a drill that failed. None of it
keeps a promise from being kept (the deadline needs no worker), all of it keeps somebody waiting. Told by
/readyz, /metrics, the desk and, to claimants, the removal form.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from articles import announcements
from articles.models import Heartbeat
from moderation import drill, escrow

STALE = timedelta(minutes=10)
UNTAKEN = timedelta(minutes=1)
# Kinds of work a claimant waits for, by the names under which they leave their heartbeats.
WORK: Mapping[str, tuple[str, str]] = {
    "scheduler": ("worker", "No worker runs"),
    "poller": ("read mailbox", "The mailbox is not read"),
    "letters": ("send letters", "Letters are not sent"),
    "prober": ("prove removals", "Removals are not proved"),
}


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing that is wrong: its name in the metrics, what it is, and what to do."""

    name: str
    words: str
    advice: str


NAMES = (*WORK, "caches", "store", "drill")


def alarms(at: datetime) -> list[Alarm]:
    """What is wrong at this moment; empty when nothing is."""
    drills = [Alarm("drill", words, "Try manage.py drill.") for words in drill.faults(at)]
    return [*_silent_work(at), *_deaf_caches(at), *_stubborn_store(at), *drills]


def _silent_work(at: datetime) -> Iterator[Alarm]:
    beats = dict(
        Heartbeat.objects.filter(name__in=[beat for beat, _ in WORK.values()]).values_list("name", "at")
    )
    for name, (beat, words) in WORK.items():
        if name == "poller" and not settings.MAILBOX_URL:
            continue
        last = beats.get(beat)
        if last is None:
            yield Alarm(name, f"{words}: never done yet.", "Start manage.py work.")
        elif at - last > STALE:
            yield Alarm(name, f"{words} since {last:%Y-%m-%d %H:%M} UTC.", "Is manage.py work running?")


def _stubborn_store(at: datetime) -> Iterator[Alarm]:
    left = escrow.undeleted(at)
    if left:
        words = f"The files of {left} removed articles or keys to them could not be deleted."
        yield Alarm(
            "store", words, "May the site delete in its media store and beside its ledger? See the log."
        )


def _deaf_caches(at: datetime) -> Iterator[Alarm]:
    since = announcements.oldest_untaken()
    if since is not None and at - since > UNTAKEN:
        words = f"The shared cache does not listen since {since:%Y-%m-%d %H:%M} UTC."
        yield Alarm(
            "caches", words, f"Copies end by themselves within {settings.CDN_SECONDS} seconds; see CDN_URL."
        )

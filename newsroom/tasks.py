"""The kinds of work as one Celery task. Importing this needs requirements-scale.txt."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from newsroom.celery import app
from newsroom.work import KINDS, Kind, beat_idle, portion

# A task that nobody took by then is worthless: newer ones have been sent.
EXPIRES_SECONDS = 60


@app.task(name="newsroom.do")
def do(name: str) -> None:
    """One portion of a kind of work, and word for the next when it was a full one."""
    kind = next(kind for kind in KINDS if kind.name == name)
    if portion(kind, at=timezone.now()) >= kind.limit:
        send(name)


def send(name: str) -> None:
    """Ask any host to do a portion of this kind."""
    do.apply_async([name], expires=EXPIRES_SECONDS)


def tick(kind: Kind, *, at: datetime) -> int:
    """Send one task when there is something to do. Returns 0: nothing was done in this process."""
    if kind.waiting(at):
        send(kind.name)
    else:
        beat_idle(kind.name, at=at)
    return 0

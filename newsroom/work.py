"""The list of what is to be done: kinds of due work, and how a portion of one is done.

What is due is always a query over the domain's own rows, claimed by a lease or by a turn for all of its kind, so
any number of workers on any number of hosts may do it, and one that dies is taken over when its time runs out.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from aggregator import fulltext, signals, websub
from aggregator.actions import fetch_due
from aggregator.models import Feed
from articles import announcements, cleaning, hooks, notes, search, stories, surfaces, walks
from articles.ahead import prepare_due
from articles.build import build_of_the_program
from articles.media import delete_strays, fetch_pictures
from articles.models import Heartbeat, Hold, Media, Prepared, SearchOwed, Walk
from moderation import actions, drill, escrow, ledger, letters, owners, probes, retention, webhooks
from moderation.mailbox import Mailbox, poll
from moderation.models import Claim, ClaimState, Escrow, Letter, ProbePlan
from moderation.owner_models import StandingOptOut
from newsroom import clock_jumps, figures, logs, publishing, reporting
from newsroom.health import TURN
from newsroom.prune import empty_journal, prune, survey_claims
from newsroom.vault import back_up_due
from readers import actions as digests
from readers import mails
from readers.models import Subscription

logger = logging.getLogger(__name__)

BEAT = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of due work. `run(limit, at)` does at most `limit` of it and says how many it did."""

    name: str
    run: Callable[[int, datetime], int]
    waiting: Callable[[datetime], bool]
    limit: int = 20


def periodic(name: str, period: timedelta, run: Callable[[int, datetime], int], limit: int) -> Kind:
    """Work that has no due rows of its own: it has a turn once in a period, and one worker takes it."""
    turn = f"{TURN}{name}"

    def waiting(at: datetime) -> bool:
        return not Heartbeat.objects.filter(name=turn, at__gt=at - period).exists()

    def take_turn(limit: int, at: datetime) -> int:
        Heartbeat.objects.get_or_create(name=turn, defaults={"at": at - 2 * period})
        taken = Heartbeat.objects.filter(name=turn, at__lte=at - period).update(at=at)
        return run(limit, at) if taken else 0

    return Kind(name, take_turn, waiting, limit)


def by_one(kind: Kind, most: timedelta = timedelta(minutes=1)) -> Kind:
    """The same work, by one worker at a time: the others have other work. One that dies is waited for, for `most`.

    The work must bear two at once all the same, when one takes longer.
    """
    turn = f"{TURN}{kind.name}"

    def run(limit: int, at: datetime) -> int:
        Heartbeat.objects.get_or_create(name=turn, defaults={"at": at})
        if not Heartbeat.objects.filter(name=turn, at__lte=at).update(at=at + most):
            return 0
        try:
            return kind.run(limit, at)
        finally:
            Heartbeat.objects.filter(name=turn, at=at + most).update(at=at)

    return replace(kind, run=run)


def portion(kind: Kind, *, at: datetime) -> int:
    """Do the next portion of one kind if any of it waits, and leave word of it. Returns how many were done."""
    if not kind.waiting(at):
        beat_idle(kind.name, at=at)
        return 0
    started = time.monotonic()
    logs.work.set(kind.name)
    with reporting.span(f"work {kind.name}"):
        done = kind.run(kind.limit, at)
    beat(kind.name, at=at, done=done, seconds=round(time.monotonic() - started, 3))
    return done


def one_round(kinds: Sequence[Kind], *, at: datetime) -> list[str]:
    """Everything that is due at `at`, until nothing is left of it. Returns the names of the kinds that failed."""
    failed = []
    for kind in kinds:
        try:
            while portion(kind, at=at) >= kind.limit:
                pass
        except Exception:
            logger.exception("%s failed", kind.name)
            failed.append(kind.name)
    return failed


def beat(name: str, *, at: datetime, **detail: Any) -> None:
    """Leave word that this was done at that moment."""
    Heartbeat.objects.update_or_create(name=name, defaults={"at": at, "detail": detail})


def beat_idle(name: str, *, at: datetime) -> None:
    """Leave word that nothing of this waits; a word a quarter of a minute old will do."""
    if not Heartbeat.objects.filter(name=name, at__gt=at - BEAT).exists():
        Heartbeat.objects.update_or_create(name=name, defaults={"at": at})


# --- the list ---------------------------------------------------------------------------------


def _latch(limit: int, at: datetime) -> int:
    surfaces.latch()
    return 1


def _sync_ledger(limit: int, at: datetime) -> int:
    # After a crash between a commit and its line in the file; a healthy file lacks nothing.
    return ledger.sync()


def _compare_files(limit: int, at: datetime) -> int:
    publishing.compare(limit, at, build=build_of_the_program())
    return 0


def _read_mailbox(limit: int, at: datetime) -> int:
    if not settings.MAILBOX_URL:
        return 0
    return sum(1 for _ in poll(Mailbox.at(settings.MAILBOX_URL), limit=limit, at=at))


def _due_claims(state: ClaimState, at: datetime) -> bool:
    return bool(Claim.objects.claimable(at).filter(state=state).exists())


KINDS: tuple[Kind, ...] = (
    Kind("mend clock jumps", clock_jumps.mend, clock_jumps.happened),
    Kind("latch holds", _latch, lambda at: Hold.objects.unlatched().exists(), limit=2),
    Kind("tell caches", announcements.send_due, announcements.is_waiting, limit=100),
    Kind("settle deadlines", actions.settle_overdue, lambda at: actions.overdue().exists()),
    Kind("seal", escrow.seal_due, lambda at: escrow.unsealed().exists()),
    Kind("settle seals", escrow.settle_due, lambda at: Escrow.objects.filter(due_at__lte=at).exists()),
    Kind("erase", actions.erase_due, lambda at: _due_claims(ClaimState.UPHELD, at)),
    Kind("end parts", actions.end_parts_due, lambda at: _due_claims(ClaimState.REDUCED, at)),
    Kind("reinstate", actions.reinstate_due, lambda at: _due_claims(ClaimState.COUNTERED, at)),
    Kind(
        "send letters",
        letters.send_letters,
        lambda at: Letter.objects.claimable(at).filter(sent_at__isnull=True).exists(),
    ),
    Kind("owe digests", digests.owe_due, lambda at: Subscription.objects.filter(next_at__lte=at).exists()),
    Kind("mail readers", mails.send_due, mails.is_waiting),
    Kind("opt-outs", owners.apply_due, lambda at: StandingOptOut.objects.claimable(at).exists(), limit=4),
    Kind("tell colleagues", notes.tell_due, notes.is_waiting),
    Kind("webhooks", webhooks.send_due, webhooks.is_waiting),
    Kind("tell programs", hooks.send_due, hooks.is_waiting),
    Kind("prove removals", probes.probe_due, lambda at: ProbePlan.objects.claimable(at).exists(), limit=5),
    # A round lasts as long as its slowest server: the more feeds in it, the fewer wait for that one.
    Kind("fetch feeds", fetch_due, lambda at: Feed.objects.active().claimable(at).exists(), limit=64),
    Kind(
        "index articles",
        search.index_due,
        lambda at: SearchOwed.objects.claimable(at).exists(),
        limit=search.OWED_AT_ONCE,
    ),
    Kind("read pages", fulltext.read_due, lambda at: fulltext.waiting(at).exists()),
    Kind("subscribe at hubs", websub.subscribe_due, websub.is_waiting),
    Kind("fetch pictures", fetch_pictures, lambda at: Media.objects.claimable(at).exists()),
    by_one(Kind("group stories", stories.relate_due, lambda at: stories.to_compare(at).exists(), limit=250)),
    Kind("drill", drill.practise, drill.is_due, limit=1),
    Kind(
        "suggest articles",
        prepare_due,
        lambda at: Prepared.objects.filter(due_at__lte=at).exists(),
        limit=50,
    ),
    Kind("clean bodies", cleaning.clean_due, cleaning.is_waiting, limit=200),
    Kind(
        "large changes",
        walks.run_due,
        lambda at: Walk.objects.claimable(at).filter(finished_at__isnull=True).exists(),
        limit=2,
    ),
    periodic("read mailbox", timedelta(minutes=1), _read_mailbox, limit=500),
    periodic("write ledger", timedelta(minutes=1), _sync_ledger, limit=1_000_000),
    periodic("tidy announcements", timedelta(hours=1), announcements.prune, limit=1000),
    periodic("compare page files", timedelta(minutes=1), _compare_files, limit=500),
    periodic("tidy ready pages", timedelta(minutes=5), surfaces.prune, limit=1000),
    periodic("forget claimants", timedelta(hours=6), retention.forget_due, limit=200),
    periodic("destroy spare keys", timedelta(days=1), escrow.destroy_spare_keys, limit=1000),
    periodic("delete stray pictures", timedelta(days=1), delete_strays, limit=1000),
    periodic("back up", timedelta(minutes=5), back_up_due, limit=10),
    periodic("read rights signals", timedelta(minutes=5), signals.read_due, limit=50),
    periodic("survey claims", timedelta(hours=1), survey_claims, limit=1),
    periodic("count days", timedelta(hours=1), figures.count_days, limit=1),
    periodic("empty journal", timedelta(minutes=10), empty_journal, limit=1),
    periodic("forget readers", timedelta(hours=1), digests.tidy, limit=1000),
    periodic("prune", timedelta(hours=1), prune, limit=1000),
)

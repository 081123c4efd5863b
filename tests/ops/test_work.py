"""The worker: everything due gets done, whatever fails beside it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.utils import timezone

from aggregator.models import Feed, HostTurn
from articles.models import Heartbeat
from moderation import letters
from moderation.models import Claim, Letter, LetterKind
from newsroom.management.commands import work as command
from newsroom.prune import prune
from newsroom.work import KINDS, Kind, one_round, periodic, portion
from newsroom.worker import Worker
from tests.factories import ArticleFactory, SourceFactory
from tests.moderation.cases import notice_about

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


class Pile:
    """Work to do: a number that goes down."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.portions: list[int] = []

    def kind(self, name: str = "pile", limit: int = 20) -> Kind:
        return Kind(name, self.take, lambda at: self.size > 0, limit)

    def take(self, limit: int, at: datetime) -> int:
        done = min(limit, self.size)
        self.size -= done
        self.portions.append(done)
        return done


def broken(name: str = "broken") -> Kind:
    def fail(limit: int, at: datetime) -> int:
        raise RuntimeError("no good")

    return Kind(name, fail, lambda at: True)


@pytest.mark.django_db
def test_a_round_does_everything_that_is_due_in_portions() -> None:
    pile = Pile(45)

    assert one_round([pile.kind(limit=20)], at=NOON) == []

    assert pile.portions == [20, 20, 5]


@pytest.mark.django_db
def test_a_kind_that_fails_is_named_and_the_others_are_done() -> None:
    pile = Pile(1)

    assert one_round([broken(), pile.kind()], at=NOON) == ["broken"]

    assert pile.size == 0


@pytest.mark.django_db
def test_a_failing_kind_leaves_no_fresh_heartbeat() -> None:
    one_round([broken(), Pile(3).kind(), Pile(0).kind("idle")], at=NOON)

    assert set(Heartbeat.objects.values_list("name", flat=True)) == {"pile", "idle"}
    assert Heartbeat.objects.get(name="pile").detail["done"] == 3


@pytest.mark.django_db
def test_idle_work_writes_its_heartbeat_only_now_and_then() -> None:
    idle = Pile(0).kind("idle")

    for second in (0, 5, 10, 20):
        portion(idle, at=NOON + timedelta(seconds=second))

    assert Heartbeat.objects.get(name="idle").at == NOON + timedelta(seconds=20)
    portion(idle, at=NOON + timedelta(seconds=25))
    assert Heartbeat.objects.get(name="idle").at == NOON + timedelta(seconds=20)


@pytest.mark.django_db
def test_periodic_work_has_one_turn_in_a_period_for_all_workers_together() -> None:
    turns: list[datetime] = []

    def note(limit: int, at: datetime) -> int:
        turns.append(at)
        return 1

    here, there = (periodic("sweep", timedelta(hours=1), note, limit=10) for _ in range(2))

    for minutes in (0, 1, 59, 60, 61):
        for kind in (here, there):
            portion(kind, at=NOON + timedelta(minutes=minutes))

    assert turns == [NOON, NOON + timedelta(minutes=60)]


@pytest.mark.django_db
def test_pruning_takes_what_expired_and_leaves_the_rest() -> None:
    for days, key in ((-1, "old"), (1, "new")):
        Session.objects.create(session_key=key, session_data="", expire_date=NOON + timedelta(days=days))

    assert prune(100, NOON) == 1

    assert list(Session.objects.values_list("session_key", flat=True)) == ["new"]


@pytest.mark.django_db
def test_what_had_its_turn_by_a_clock_that_ran_ahead_has_it_again_once_that_is_right() -> None:
    tomorrow, turns = NOON + timedelta(hours=25), []
    sweep = periodic("sweep", timedelta(hours=1), lambda limit, at: turns.append(at) or 1, limit=10)
    portion(sweep, at=tomorrow)
    claim = notice_about(ArticleFactory()).claims.get()
    letter = letters.owe(kind=LetterKind.CONFIRM, notice=claim.notice, at=tomorrow)
    held = Feed.objects.create(
        url="https://quay.example/feed", url_key="quay", source=SourceFactory(), due_at=tomorrow
    )
    Feed.objects.filter(pk=held.pk).update(lease_until=tomorrow, lease_token="dead")
    HostTurn.objects.create(host="quay.example", until=tomorrow, asked_at=tomorrow, token="dead")
    Claim.objects.filter(pk=claim.pk).update(due_at=tomorrow, lease_until=tomorrow)

    clock_jumps = next(kind for kind in KINDS if kind.name == "mend clock jumps")
    assert one_round([clock_jumps, sweep], at=NOON) == []

    assert turns == [tomorrow, NOON]
    assert Letter.objects.claimable(NOON).filter(pk=letter.pk).exists()
    assert Feed.objects.due(NOON).filter(pk=held.pk).exists()
    assert not HostTurn.objects.filter(until__isnull=False).exists()
    claim.refresh_from_db()
    assert (claim.due_at, claim.lease_until) == (tomorrow, None)
    Heartbeat.objects.update_or_create(name="worker", defaults={"at": tomorrow})
    assert not clock_jumps.waiting(NOON + timedelta(minutes=50)), (
        "a clock that stays ahead is no reason to hurry"
    )
    assert clock_jumps.waiting(NOON + timedelta(minutes=70))


def run_until(worker: Worker, condition: threading.Event, seconds: float = 60) -> None:
    """Let the worker run in a thread until the condition holds, then ask it to stop."""
    thread = threading.Thread(target=worker.run)
    thread.start()
    held = condition.wait(seconds)
    worker.stop()
    thread.join(seconds)
    assert held
    assert not thread.is_alive()


@pytest.mark.django_db(transaction=True)
def test_a_hanging_kind_and_a_failing_kind_hold_up_no_other() -> None:
    released, emptied = threading.Event(), threading.Event()

    def hang(limit: int, at: datetime) -> int:
        return int(released.wait(20))

    def last(limit: int, at: datetime) -> int:
        emptied.set()
        released.set()
        return 0

    kinds = [Kind("hanging", hang, lambda at: True), broken(), Kind("good", last, lambda at: True)]

    run_until(Worker(kinds), emptied)


@pytest.mark.django_db(transaction=True)
def test_a_worker_told_to_stop_finishes_the_step_it_began() -> None:
    begun, finished = threading.Event(), threading.Event()

    def slow(limit: int, at: datetime) -> int:
        begun.set()
        threading.Event().wait(0.5)
        finished.set()
        return 1

    run_until(Worker([Kind("slow", slow, lambda at: True)]), begun)

    assert finished.is_set()
    assert Heartbeat.objects.filter(name="slow").exists()


@pytest.mark.django_db(transaction=True)
def test_one_round_from_the_command_line_does_what_is_due(capsys) -> None:
    Session.objects.create(session_key="old", session_data="", expire_date=timezone.now() - timedelta(days=1))

    call_command("work", "--once")

    assert not Session.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_round_in_which_something_failed_ends_with_an_error(monkeypatch) -> None:
    monkeypatch.setattr(command, "KINDS", (broken(),))

    with pytest.raises(CommandError, match="broken"):
        call_command("work", "--once")

"""A host is asked by one process at a time, with a pause between two questions, whoever asks them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from django.utils import timezone

from aggregator import actions, hosts
from aggregator.hosts import Turns
from aggregator.models import Feed, HostTurn
from aggregator.passes import Later
from aggregator.sandbox import default_sandbox
from articles.models import Source
from tests.aggregator.conftest import NOON, item, rss
from tests.loopback import Answer, Asked, WebServer
from webclient.client import Client

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Iterator[Client]:
    """One for which every name leads to the loopback."""
    made = Client([ip_network("127.0.0.0/8")], resolve=lambda host, port: ["127.0.0.1"])
    yield made
    made.close()


def register(web: WebServer, host: str, count: int, asked_at: list[float]) -> None:
    def answer(asked: Asked) -> Answer:
        asked_at.append(time.monotonic())
        return Answer(200, rss(item(asked.path), link=f"https://{host}/"))

    for number in range(count):
        web.decide(f"/{host}{number}", answer)
        actions.register(url=web.url(f"/{host}{number}", host=host), at=timezone.now())


def test_a_host_rests_between_two_questions_while_others_are_asked(
    web: WebServer, client: Client, settings: Any
) -> None:
    settings.FETCH_HOST_SECONDS = 0.4
    slow: list[float] = []
    register(web, "portal.example", 3, slow)
    register(web, "other.example", 1, [])

    reports = list(actions.fetch_pass(at=timezone.now(), client=client))

    assert sum(report.created for report in reports) == 4
    # The pause is counted from when we ask, the server sees the question a little later.
    assert slow[2] - slow[0] > 0.4
    assert not HostTurn.objects.exclude(token="").exists()
    assert HostTurn.objects.filter(asked_at__isnull=False).count() == 2


def test_a_host_that_wants_a_longer_pause_has_it(web: WebServer, client: Client) -> None:
    register(web, "patient.example", 2, [])
    where = web.url("/robots.txt", host="patient.example")
    Source.objects.update(
        signals=[{"kind": "Crawl-delay", "value": "9 seconds", "where": where, "since": ""}]
    )
    one = actions._Pass(timezone.now(), client, default_sandbox())
    first, second = Feed.objects.select_related("source").order_by("pk")
    one.waiting = {feed.pk: hosts.host_of(feed.url) for feed in (first, second)}

    assert callable(one.begin(first))
    later = one.begin(second)
    one.rest = 2
    assert one.begin(second) is None  # in a worker's round it stays due
    one.give_back()

    assert isinstance(later, Later)
    assert 5 < later.seconds <= 9


def test_a_host_that_another_process_asks_is_left_to_it_and_the_rest_is_fetched(
    web: WebServer, client: Client, settings: Any
) -> None:
    settings.FETCH_HOST_SECONDS = 0
    register(web, "busy.example", 2, [])
    register(web, "free.example", 1, [])
    at = timezone.now()
    other = Turns()
    other.take([hosts.host_of(web.url(host="busy.example"))], at=at)

    reports = list(actions.fetch_pass(at=at, client=client, limit=2, patience=0))
    assert [report.url for report in reports] == [web.url("/free.example0", host="free.example")]
    assert Feed.objects.filter(lease_token="").count() == 3

    other.give_back()
    assert len(list(actions.fetch_pass(at=timezone.now(), client=client))) == 2


def test_a_turn_is_one_process_s_until_it_is_given_back_or_runs_out() -> None:
    ours, theirs = Turns(), Turns()
    ours.take(["a.example", "b.example"], at=NOON)
    theirs.take(["a.example", "c.example"], at=NOON)
    assert [ours.has(host, at=NOON) for host in ("a.example", "b.example", "c.example")] == [
        True,
        True,
        False,
    ]
    assert [theirs.has(host, at=NOON) for host in ("a.example", "c.example")] == [False, True]

    theirs.take(["a.example"], at=NOON + hosts.LEASE)
    assert theirs.has("a.example", at=NOON + hosts.LEASE)

    ours.give_back()
    assert HostTurn.objects.get(host="a.example").token == theirs.token
    assert hosts.forget(10, NOON + timedelta(days=3)) == 3


def test_the_pause_is_kept_across_processes(settings: Any) -> None:
    settings.FETCH_HOST_SECONDS = 10
    ours, theirs = Turns(), Turns()
    assert ours.seconds_to_wait("a.example", at=NOON) == 0
    ours.was_asked("a.example", at=NOON)
    ours.give_back()

    assert theirs.seconds_to_wait("a.example", at=NOON + timedelta(seconds=4)) == 6
    assert theirs.seconds_to_wait("a.example", at=NOON + timedelta(seconds=10)) == 0
    assert theirs.seconds_to_wait("127.0.0.1:80", at=NOON) == 0

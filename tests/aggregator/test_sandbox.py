"""A document that kills its reader is an error of that feed alone."""

from __future__ import annotations

import os
import pickle
import signal
import threading
import time
from collections.abc import Iterator

import pytest

from aggregator import sandbox
from aggregator.parse import NotAFeed, parse
from aggregator.sandbox import Sandbox
from tests.aggregator import corpus


@pytest.fixture
def box() -> Iterator[Sandbox]:
    one = Sandbox(children=1, wall_seconds=20)
    yield one
    one.close()


def the_child(box: Sandbox) -> sandbox._Child:
    child = box.children.get()
    box.children.put(child)
    assert child is not None
    return child


@pytest.mark.parametrize("name", [*corpus.WELL_FORMED, *corpus.ILL_FORMED])
def test_the_sandbox_reads_as_the_parser_does(box: Sandbox, name: str) -> None:
    data = {**corpus.WELL_FORMED, **corpus.ILL_FORMED}[name]

    assert box.parse(data, url="https://a.example/ü") == parse(data, url="https://a.example/ü")


def test_a_child_is_reused_and_renewed(box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "DOCUMENTS_PER_CHILD", 3)
    seen = []
    for _ in range(7):
        box.parse(corpus.RSS_1)
        seen.append(the_child(box).process.pid)

    assert len(set(seen)) == 3


def test_what_is_no_feed_keeps_its_reason(box: Sandbox) -> None:
    with pytest.raises(NotAFeed, match="web page"):
        box.parse(b"<html>")


def test_a_killed_child_costs_one_document(box: Sandbox) -> None:
    box.parse(corpus.RSS_1)
    os.kill(the_child(box).process.pid, signal.SIGSTOP)
    box.wall_seconds = 0.3
    started = time.monotonic()

    with pytest.raises(NotAFeed, match="more time or memory"):
        box.parse(corpus.RSS_1)

    assert time.monotonic() - started < 5
    box.wall_seconds = 20
    assert box.parse(corpus.RSS_1).entries


def test_a_child_that_died_between_documents_is_replaced(box: Sandbox) -> None:
    box.parse(corpus.RSS_1)
    dead = the_child(box).process
    os.kill(dead.pid, signal.SIGKILL)
    dead.wait(timeout=20)

    assert box.parse(corpus.RSS_1).entries


def test_a_child_has_limits_of_its_own(box: Sandbox) -> None:
    box.parse(corpus.RSS_1)
    with open(f"/proc/{the_child(box).process.pid}/limits") as file:
        limits = file.read()

    assert str(sandbox.MEMORY_BYTES) in limits
    assert [line for line in limits.splitlines() if "cpu time" in line and " unlimited " not in line[26:47]]


def test_many_threads_share_a_few_children() -> None:
    box = Sandbox(children=2)
    found: list[int] = []
    threads = [
        threading.Thread(target=lambda: found.append(len(box.parse(corpus.RSS_2).entries))) for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    box.close()

    assert found == [2] * 12


class Dangerous:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("true",)


@pytest.mark.parametrize("answer", [pickle.dumps(Dangerous()), pickle.dumps([1]), b"rubbish", b""])
def test_nothing_but_a_feed_is_accepted_from_a_child(answer: bytes) -> None:
    with pytest.raises(EOFError):
        sandbox._read_document(answer)

"""Many feeds at once: network waits overlap, one request at a time to each host, one thread writes."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Generic, TypeVar

MOMENT = 0.5
Job = TypeVar("Job")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Later:
    """The job's host may not be asked yet; in so many seconds it may."""

    seconds: float


@dataclass
class Lanes(Generic[Job]):
    """Jobs in a row for each host; a host is given out only while no job of it runs and it does not rest."""

    rows: dict[str, deque[Job]]
    free: deque[str]
    resting: list[tuple[float, str]] = field(default_factory=list)

    @classmethod
    def of(cls, jobs: Iterable[tuple[str, Job]]) -> Lanes[Job]:
        rows: dict[str, deque[Job]] = {}
        for host, job in jobs:
            rows.setdefault(host, deque()).append(job)
        return cls(rows, deque(rows))

    def take(self) -> tuple[str, Job] | None:
        """The next job of a host that is not busy; its host is busy from now on."""
        while self.resting and self.resting[0][0] <= time.monotonic():
            self.free.append(heappop(self.resting)[1])
        if not self.free:
            return None
        host = self.free.popleft()
        return host, self.rows[host].popleft()

    def postpone(self, host: str, job: Job, seconds: float) -> None:
        """The job is the next of its host again, once that has rested."""
        self.rows[host].appendleft(job)
        heappush(self.resting, (time.monotonic() + seconds, host))

    def give_back(self, host: str) -> None:
        """The host is free again."""
        if self.rows[host]:
            self.free.append(host)
        else:
            del self.rows[host]


def side_by_side(
    jobs: Iterable[tuple[str, Job]],
    begin: Callable[[Job], Callable[[], Result] | Later | None],
    *,
    workers: int,
) -> Iterator[tuple[Job, Future[Result]] | None]:
    """Run the jobs in threads, at most `workers` at once and one per host; yields each as it ends.

    Yields None when none has ended for a moment. `begin` runs in the caller's thread, just before the
    job's turn, and returns what the thread is to do, Later to be asked again, or None to leave the
    job out. No more than `workers` results are ever waiting.
    """
    lanes = Lanes.of(jobs)
    running: dict[Future[Result], tuple[str, Job]] = {}
    pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="fetch")
    try:
        while True:
            while len(running) < workers and (taken := lanes.take()):
                host, job = taken
                work = begin(job)
                if isinstance(work, Later):
                    lanes.postpone(host, job, work.seconds)
                elif work is None:
                    lanes.give_back(host)
                else:
                    running[pool.submit(work)] = taken
            if not running:
                if not lanes.resting:
                    return
                time.sleep(min(MOMENT, max(0.0, lanes.resting[0][0] - time.monotonic())))
                yield None
                continue
            ended = wait(running, timeout=MOMENT, return_when=FIRST_COMPLETED).done
            if not ended:
                yield None
            for future in ended:
                host, job = running.pop(future)
                lanes.give_back(host)
                yield job, future
    finally:
        pool.shutdown(wait=False, cancel_futures=True)

"""The loop that does due work until it is told to stop. `work.py` says what; this says when.

The engine `embedded` does the work in this process, one thread for each kind, so that a slow or failing kind
holds up no other. The engine `celery` only looks, and sends a task to the workers of many hosts.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

from django.db import close_old_connections, connections
from django.utils import timezone

from newsroom.health import let_go
from newsroom.work import BEAT, Kind, beat, portion

logger = logging.getLogger(__name__)

IDLE_SECONDS = (0.5, 5.0)
FAILED_SECONDS = (1.0, 60.0)


class Worker:
    """All kinds side by side; `do` does, or sends for, a portion of one."""

    def __init__(self, kinds: Sequence[Kind], do: Callable[..., int] = portion) -> None:
        self.kinds = kinds
        self.do = do
        self.stopping = threading.Event()

    def stop(self) -> None:
        """Begin nothing new."""
        self.stopping.set()

    def run(self) -> None:
        """Work until `stop`; returns when the last step begun is finished."""
        threads = [threading.Thread(target=self._loop, args=(kind,), name=kind.name) for kind in self.kinds]
        for thread in threads:
            thread.start()
        self._beat()
        while not self.stopping.wait(BEAT.total_seconds()):
            self._beat()
        for thread in threads:
            thread.join()

    def _loop(self, kind: Kind) -> None:
        try:
            self._repeat(kind)
        finally:
            connections.close_all()  # this thread's own, which nobody else can close

    def _repeat(self, kind: Kind) -> None:
        idle, failures = IDLE_SECONDS[0], 0
        while not self.stopping.is_set():
            done = self._step(kind)
            if done:
                idle, failures = IDLE_SECONDS[0], 0
            elif done is None:
                self.stopping.wait(min(FAILED_SECONDS[1], FAILED_SECONDS[0] * 2 ** min(failures, 10)))
                failures += 1
            else:
                self.stopping.wait(idle)
                idle, failures = min(idle * 1.5, IDLE_SECONDS[1]), 0

    def _step(self, kind: Kind) -> int | None:
        """How many were done; None when it failed, which is logged and waited out."""
        try:
            return self.do(kind, at=timezone.now())
        except Exception:
            logger.exception("%s failed; it is tried again", kind.name)
            let_go()
            return None
        finally:
            close_old_connections()

    def _beat(self) -> None:
        try:
            beat("worker", at=timezone.now())
        except Exception:
            logger.exception("the worker could not leave its heartbeat")
            let_go()
        finally:
            close_old_connections()

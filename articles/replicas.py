"""Questions a lagging copy of the database may answer: where to look, never what may be seen.

A replica names candidates (which articles hold these words). Whether a reader may see one is asked of the
primary, always: a removal is in force with its commit, whatever the replicas know of it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any, TypeVar

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connections

T = TypeVar("T")

# For so many seconds a replica that did not answer is not asked again by this process.
REST = 5.0
_silent_until: dict[str, float] = {}


def answered(question: Callable[[str], T]) -> T:
    """The answer of a replica to `question(alias)`; of the primary where none answers.

    A question that took too long took too long: it is not asked again of another.
    """
    for alias in _awake():
        try:
            return question(alias)
        except (OperationalError, InterfaceError) as error:
            if "statement timeout" in str(error):
                raise
            _silent_until[alias] = time.monotonic() + REST
            connections[alias].close()
    return question(DEFAULT_DB_ALIAS)


def _awake() -> list[str]:
    """The replicas that may be asked, in any order, so that each gets its share."""
    awake = [alias for alias in settings.REPLICAS if _silent_until.get(alias, 0.0) <= time.monotonic()]
    return random.sample(awake, len(awake))


class PrimaryAlone:
    """Models are read and written on the primary, and replicas are never migrated."""

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        """Replicas get their tables from the primary."""
        return False if db in settings.REPLICAS else None

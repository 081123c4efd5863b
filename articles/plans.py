"""Constant statements whose plan PostgreSQL keeps for a connection; planning one takes longer than answering it.

A connection through a pooler is given no such statement: its next transaction may be another session's. Such a pooler
is known by the process it names, which is not the one that answers (PostgreSQL's protocol 3.0, BackendKeyData).
"""

from __future__ import annotations

from functools import lru_cache
from itertools import count
from typing import Any
from weakref import WeakKeyDictionary

from django.db.backends.base.base import BaseDatabaseWrapper

# A connection keeps so many; the texts of our statements are fewer.
MOST = 200
_Kept = dict[str, str]
# By the driver's own connection, which ends when Django opens another.
_kept: WeakKeyDictionary[Any, _Kept | None] = WeakKeyDictionary()


def run_as(sql: str, database: BaseDatabaseWrapper) -> str:
    """What to send in place of a constant statement, with the same parameters; the statement itself on SQLite.

    PostgreSQL plans an unnamed statement each time. The first use on a connection prepares it, and errors of the
    statement are raised there.
    """
    if database.vendor != "postgresql":
        return sql
    database.ensure_connection()
    session = database.connection
    try:
        kept = _kept[session]
    except KeyError:
        kept = _kept[session] = {} if _keeps_plans(session) else None
    if kept is None:
        return sql
    if (known := kept.get(sql)) is None:
        if len(kept) >= MOST:
            return sql
        known = _prepare(sql, f"newsroom_{len(kept)}", session)
        kept[sql] = known
    return known


def _keeps_plans(session: Any) -> bool:
    with session.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        if cursor.fetchone()[0] != session.info.backend_pid:
            return False
        # By itself it plans anew for each list of keys that is shorter than the ten it expects.
        cursor.execute("SET plan_cache_mode = force_generic_plan")
        return True


def _prepare(sql: str, name: str, session: Any) -> str:
    text, places = _numbered(sql)
    with session.cursor() as cursor:
        cursor.execute(f"PREPARE {name} AS {text}")
    return f"EXECUTE {name}({', '.join(['%s'] * places)})" if places else f"EXECUTE {name}"


@lru_cache(maxsize=MOST)
def _numbered(sql: str) -> tuple[str, int]:
    """The statement as PREPARE has it, and how many parameters it takes."""
    numbers = count(1)
    parts = [part.split("%s") for part in sql.split("%%")]
    text = "%".join(
        "".join(piece if at == 0 else f"${next(numbers)}{piece}" for at, piece in enumerate(pieces))
        for pieces in parts
    )
    return text, next(numbers) - 1

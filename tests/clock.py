"""Two clocks to set: the database's, by which everything public is decided, and the application's."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import time_machine
from django.db import connection

# SQLite cannot take a function back to its own: whatever replaced it is asked for ever. So its own is asked elsewhere.
_SQLITE = sqlite3.connect(":memory:", check_same_thread=False)


class Clocks:
    """Both start at `begin` and stand still until they are set."""

    def __init__(self, begin: datetime) -> None:
        self.db = begin
        self.skew = timedelta(0)
        self._machine = time_machine.travel(begin, tick=False)
        self._app = self._machine.start()

    def set(self, db: datetime, *, skew: timedelta | None = None) -> None:
        """The database's time, and how far the application's is ahead of it."""
        self.db = db
        self.skew = self.skew if skew is None else skew
        self._app.move_to(db + self.skew)
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('clock.now', %s, false)", [db.isoformat()])

    def stop(self) -> None:
        self._machine.stop()

    def _strftime(self, form: str, *moment: str) -> str:
        if form != "%Y-%m-%d %H:%M:%f" or moment != ("NOW",):
            raise ValueError(f"a clock in a test knows no STRFTIME({form!r}, {moment!r})")
        return self.db.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.") + f"{self.db.microsecond // 1000:03}"


def _real_strftime(*words: str) -> str | None:
    marks = ", ".join("?" * len(words))
    said: tuple[str | None] = _SQLITE.execute(f"SELECT strftime({marks})", words).fetchone()
    return said[0]


@contextmanager
def clocks(begin: datetime) -> Iterator[Clocks]:
    """Within one transaction, which takes everything back at its end."""
    both = Clocks(begin)
    try:
        if connection.vendor == "sqlite":
            connection.connection.create_function("STRFTIME", -1, both._strftime)
        else:
            with connection.cursor() as cursor:
                cursor.execute("CREATE SCHEMA IF NOT EXISTS clock")
                cursor.execute(
                    "CREATE OR REPLACE FUNCTION clock.statement_timestamp() RETURNS timestamptz LANGUAGE sql STABLE"
                    " AS $$ SELECT current_setting('clock.now')::timestamptz $$"
                )
                # Named before the catalogue, so that ours is found first.
                cursor.execute("SET LOCAL search_path = clock, pg_catalog, public")
        both.set(begin)
        yield both
    finally:
        both.stop()
        if connection.vendor == "sqlite" and connection.connection is not None:
            connection.connection.create_function("STRFTIME", -1, _real_strftime)

"""Parts of the program that one transaction at a time may be in."""

from __future__ import annotations

from django.db import connection


def one_at_a_time(part: str) -> None:
    """Wait until no other transaction is in this part, and keep the others out until this one ends.

    On SQLite a transaction that writes is alone anyway. Only inside a transaction.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [part])

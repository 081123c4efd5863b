"""The removal ledger: append-only, hash-chained, in the database and in a file outside it."""

from __future__ import annotations


def is_behind() -> bool:
    """True when the file outside knows of removals that this database does not."""
    return False

"""Mailboxes are the same in small letters and capitals: `email__mailbox=typed`, along an index on Lower("email")."""

from __future__ import annotations

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import EmailField, Lookup


@EmailField.register_lookup
class SameMailbox(Lookup):
    """`iexact` would read every row: SQLite has no index for it, PostgreSQL one on other letters."""

    lookup_name = "mailbox"

    def as_sql(self, compiler: Any, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        """The condition about the column."""
        left, of_left = self.process_lhs(compiler, connection)
        right, of_right = self.process_rhs(compiler, connection)
        return f"LOWER({left}) = LOWER({right})", (*of_left, *of_right)

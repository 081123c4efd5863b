"""A note in the audit log for what the library does not see by itself: changes made by a statement, and of articles.

An article's words never enter the log: their before and after are its versions, which go with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from auditlog.models import LogEntry
from django.db.models import Model

from accounts.models import User


def note(row: Model, *, by: User | None, changes: Mapping[str, tuple[Any, Any]]) -> None:
    """Write down who changed which fields of this row, from what to what; never how the row is called."""
    told = {name: [str(before), str(after)] for name, (before, after) in changes.items() if before != after}
    if told:
        LogEntry.objects.log_create(
            row, action=LogEntry.Action.UPDATE, changes=told, object_repr="", actor=by
        )


def note_fields(row: Model, *, by: User | None, changed: Iterable[str]) -> None:
    """The same for fields that hold words of a work: that they were changed, never what they said."""
    note(row, by=by, changes=dict.fromkeys(changed, ("…", "changed")))

"""Any number of values as one parameter of a statement: JSON on SQLite, an array on PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper


def parameter(values: Iterable[Any], database: BaseDatabaseWrapper = connection) -> Any:
    """The values as the one parameter that `table` and `one_of` take."""
    return json.dumps(list(values)) if database.vendor == "sqlite" else list(values)


def table(name: str, of: str = "text") -> str:
    """They are read as a table of this name with the column `value`, of the type that PostgreSQL calls `of`."""
    return f"json_each(%s) {name}" if connection.vendor == "sqlite" else f"unnest(%s::{of}[]) {name}(value)"


def one_of(column: str, database: BaseDatabaseWrapper = connection) -> str:
    """The condition that the column is one of them."""
    listed = "IN (SELECT value FROM json_each(%s))" if database.vendor == "sqlite" else "= ANY(%s)"
    return f"{column} {listed}"

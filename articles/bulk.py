"""Many rows in one statement, without a model's instance for each: for what comes in by the thousand."""

from __future__ import annotations

import gc
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from itertools import chain
from typing import Any

from django.db import connection, models

from articles.fields import HTMLField

MOST_PARAMETERS = 20_000


@contextmanager
def uncollected() -> Iterator[None]:
    """A batch makes very many objects, none of them garbage; looking for some took a third of the time of some."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def insert(
    model: type[models.Model],
    names: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    at: datetime | None = None,
    returning: Sequence[str] = (),
    conflicts: str = "",
) -> list[tuple[Any, ...]]:
    """Insert the rows, whose values stand in the order of `names` (columns of foreign keys as `story_id`).

    What is not named gets its field's default, and the moment `at` where the field takes the present one.
    Fields that keep a promise about their values (HTML, JSON) keep it here. `conflicts` is what follows
    ON CONFLICT. Returns the columns named in `returning`, in any order.
    """
    if not rows:
        return []
    fields = {field.attname: field for field in model._meta.concrete_fields}
    fixed, made = _unnamed(model, frozenset(names), at)
    converters = [_converter(fields[name]) for name in names]
    columns = [_quoted(fields[name].column) for name in (*names, *fixed, *made)]
    given = _given(rows, converters, list(fixed.values()), list(made.values()))
    ending = f" ON CONFLICT {conflicts}" if conflicts else ""
    ending += (
        f" RETURNING {', '.join(_quoted(fields[name].column) for name in returning)}" if returning else ""
    )
    return list(_insert(model._meta.db_table, columns, given, ending))


def update(
    model: type[models.Model],
    names: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    where: Sequence[str] = (),
) -> None:
    """Set these columns in each row; the last value of each is the row's own key.

    Before it stand the values that the columns of `where` must have, or the row is left as it is.
    """
    if not rows:
        return
    fields = {field.attname: field for field in model._meta.concrete_fields}
    converters = [*(_converter(fields[name]) for name in (*names, *where)), None]
    settings = ", ".join(f"{_quoted(fields[name].column)} = %s" for name in names)
    known = " AND ".join(f"{_quoted(column)} = %s" for column in (*where, model._meta.pk.column))
    sql = f"UPDATE {model._meta.db_table} SET {settings} WHERE {known}"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.executemany(sql, _given(rows, converters, (), ()))


def _quoted(column: str | None) -> str:
    return str(connection.ops.quote_name(column or ""))


def _given(
    rows: Sequence[Sequence[Any]],
    converters: Sequence[Callable[[Any], Any] | None],
    fixed: Sequence[Any],
    made: Sequence[Callable[[], Any]],
) -> Sequence[Sequence[Any]]:
    """The rows as the database takes them: many hundred thousand at times, so what needs no change gets none."""
    if not any(converters) and not fixed and not made:
        return rows
    changes = [(place, change) for place, change in enumerate(converters) if change]
    found = []
    for row in rows:
        values = [*row, *fixed, *[make() for make in made]]
        for place, change in changes:
            values[place] = change(values[place])
        found.append(values)
    return found


def _insert(
    table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], ending: str
) -> Iterator[tuple[Any, ...]]:
    head = f"INSERT INTO {table} ({', '.join(columns)}) VALUES "  # noqa: S608
    row_sql = f"({', '.join(['%s'] * len(columns))})"
    portion = max(1, MOST_PARAMETERS // len(columns))
    with connection.cursor() as cursor:
        if not ending.count("RETURNING") and connection.vendor == "sqlite":
            cursor.executemany(head + row_sql + ending, rows)
            return
        for start in range(0, len(rows), portion):
            some = rows[start : start + portion]
            sql = head + ", ".join([row_sql] * len(some)) + ending
            cursor.execute(sql, list(chain.from_iterable(some)))
            yield from cursor.fetchall() if cursor.description else ()


def _unnamed(
    model: type[models.Model], names: frozenset[str], at: datetime | None
) -> tuple[dict[str, Any], dict[str, Callable[[], Any]]]:
    """The values of the columns nobody named: those that are the same for all rows, and those made for each."""
    fixed: dict[str, Any] = {}
    made: dict[str, Callable[[], Any]] = {}
    for field in model._meta.concrete_fields:
        if field.attname in names or field.has_db_default() or isinstance(field, models.AutoField):
            continue
        if field.default is uuid.uuid4:
            made[field.attname] = _uuid
        elif getattr(field, "auto_now_add", False) or getattr(field, "auto_now", False):
            fixed[field.attname] = field.get_db_prep_save(at, connection)
        else:
            fixed[field.attname] = field.get_db_prep_save(field.get_default(), connection)
    return fixed, made


def _uuid() -> Any:
    made = uuid.uuid4()
    return made if connection.features.has_native_uuid_field else made.hex


def _converter(field: models.Field[Any, Any]) -> Callable[[Any], Any] | None:
    """How the field's values are made the database's; None where they are as they stand."""
    if isinstance(field, models.DateTimeField):
        vendor = connection.vendor
        return lambda value: None if value is None else _adapted(value, vendor)
    if isinstance(
        field, models.JSONField | HTMLField | models.BinaryField | models.FileField | models.UUIDField
    ):
        return lambda value: field.get_db_prep_save(value, connection)
    return None


@lru_cache(maxsize=4096)
def _adapted(value: datetime, vendor: str) -> Any:
    return connection.ops.adapt_datetimefield_value(value)

"""Querysets whose SQL is made once and then run again and again with other values.

Django builds a query anew at each use; for the pages readers ask for that costs several times what the
database takes to answer. A Statement keeps the SQL and how its rows become instances. Nothing of an
answer is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.sqlite3.base import FORMAT_QMARK_REGEX
from django.db.models import BooleanField, Expression, F, QuerySet
from django.db.models.base import ModelState
from django.utils.translation import get_language

from articles import listed
from articles.plans import run_as
from articles.visibility import moment_of

M = TypeVar("M", bound=models.Model)
Row = tuple[Any, ...]


def ask(
    sql: str, parameters: Sequence[Any] = (), *, using: str = DEFAULT_DB_ALIAS, planned: bool = False
) -> list[Row]:
    """All rows of the answer to a statement whose text is always the same; none where it only writes.

    `planned`: PostgreSQL makes its plan once for a connection. For statements whose best plan is the same whatever
    they are asked for.

    SQLite's driver is asked directly: Django's cursor looks through the text for parameters at each use, and costs as
    much as most answers. Where statements are counted, logged or wrapped they go through it.
    """
    database = connections[using]
    is_watched = database.queries_logged or database.execute_wrappers
    if database.vendor != "sqlite" or is_watched:
        with database.cursor() as cursor:
            cursor.execute(run_as(sql, database) if planned and not is_watched else sql, parameters)
            return list(cursor.fetchall() if cursor.description else ())
    database.ensure_connection()
    database.validate_no_broken_transaction()
    with database.wrap_database_errors, closing(database.connection.cursor()) as cursor:
        return list(cursor.execute(_of_sqlite(sql), parameters).fetchall())


@lru_cache(maxsize=512)
def _of_sqlite(sql: str) -> str:
    return FORMAT_QMARK_REGEX.sub("?", sql).replace("%%", "%")


class Slot(Expression):
    """The place of a value that is given when the statement is run."""

    def __init__(self, name: str, field: models.Field[Any, Any]) -> None:
        super().__init__(output_field=field)
        self.name = name

    def as_sql(self, compiler: Any, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        """A place for one parameter."""
        return "%s", (self,)


class OneOf(Expression):
    """True when a column has one of any number of values, which are one parameter of the statement."""

    conditional = True
    output_field = BooleanField()

    def __init__(self, column: str, name: str) -> None:
        super().__init__()
        self.column: Any = F(column)
        self.name = name

    def get_source_expressions(self) -> list[Any]:
        return [self.column]

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        (self.column,) = exprs

    def as_sql(self, compiler: Any, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        """The condition about the column."""
        column, _ = compiler.compile(self.column)
        return listed.one_of(column, connection), (self,)


@dataclass(frozen=True, slots=True)
class _Part:
    """Where in a row the columns of one model stand, and those of the models joined to it by their foreign keys."""

    model: type[models.Model]
    start: int
    end: int
    names: list[str]
    key: int
    joined: list[tuple[str, _Part]]


@dataclass(frozen=True, slots=True)
class _Made:
    """A queryset's SQL for one database, and how a row of the answer is read."""

    sql: str
    parameters: Sequence[Any]
    converters: dict[int, Any]
    moments: list[int]
    part: _Part | None
    annotated: dict[str, int]
    compiler: Any


class Statement(Generic[M]):
    """Run it with a value for each Slot and OneOf: `ARTICLE(slug="x")`. Returns instances, as the queryset would,
    or plain rows where that gives out tuples of values.
    """

    def __init__(self, queryset: Callable[[], QuerySet[M]]) -> None:
        self.queryset = queryset
        self.made: dict[tuple[str, str | None], _Made] = {}

    def __call__(self, *, using: str = DEFAULT_DB_ALIAS, **values: Any) -> list[M]:
        connection = connections[using]
        # What is kept beside a row may be kept for each language (articles/fragments.py).
        key = connection.vendor, get_language()
        made = self.made.get(key) or self.made.setdefault(key, self._make(using))
        given = [_given(p, values, connection) for p in made.parameters]
        rows: Any = ask(made.sql, given, using=using, planned=True)
        if made.converters:
            rows = made.compiler.apply_converters(rows, made.converters)
        if made.moments:
            rows = [_with_moments(row, made.moments) for row in rows]
        if made.part is None:
            return list(rows)
        reader = _Reader(made, made.part, using)
        return [reader.instance(row) for row in rows]

    def _make(self, using: str) -> _Made:
        compiler = self.queryset().using(using).query.get_compiler(using)
        sql, parameters = compiler.as_sql()
        columns = compiler.select
        converters = compiler.get_converters([column[0] for column in columns])
        # SQLite's moments are in UTC and do not say so; Django asks for each which zone that is.
        moments = [
            place
            for place, (found, of) in converters.items()
            if len(found) == 1 and isinstance(of.output_field, models.DateTimeField)
        ]
        return _Made(
            sql=sql,
            parameters=parameters,
            converters={place: found for place, found in converters.items() if place not in moments},
            moments=moments,
            part=_part(compiler.klass_info, columns) if compiler.query.default_cols else None,
            annotated=dict(compiler.annotation_col_map or {}),
            compiler=compiler,
        )


def _with_moments(row: Row, places: Sequence[int]) -> Row:
    values = list(row)
    for place in places:
        if values[place] is not None:
            values[place] = moment_of(values[place])
    return tuple(values)


def _given(parameter: Any, values: dict[str, Any], database: BaseDatabaseWrapper) -> Any:
    if isinstance(parameter, Slot):
        value = values[parameter.name]
        return database.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value
    if isinstance(parameter, OneOf):
        return listed.parameter(values[parameter.name], database)
    return parameter


def _part(info: dict[str, Any], columns: Sequence[Any]) -> _Part:
    places = info["select_fields"]
    fields = [columns[place][0].target for place in places]
    joined = [(one["field"].name, _part(one, columns)) for one in info.get("related_klass_infos", ())]
    return _Part(
        model=info["model"],
        start=places[0],
        end=places[-1] + 1,
        names=[field.attname for field in fields],
        key=next(place for place, field in zip(places, fields, strict=True) if field.primary_key),
        joined=joined,
    )


class _Reader:
    """Rows of one answer as instances; one that several rows are joined to is made once.

    Without Model.__init__, which sets every column one by one and asks who listens. None of our models listens,
    and what is not in an instance is read when it is asked for, as with every deferred column.
    """

    def __init__(self, made: _Made, part: _Part, using: str) -> None:
        self.part, self.annotated = part, made.annotated
        self.using = using
        self.known: dict[tuple[type[models.Model], Any], models.Model] = {}

    def instance(self, row: Row) -> Any:
        instance = self._of(self.part, row)
        for name, place in self.annotated.items():
            instance.__dict__[name] = row[place]
        return instance

    def _of(self, part: _Part, row: Row) -> models.Model:
        instance = part.model.__new__(part.model)
        instance.__dict__.update(zip(part.names, row[part.start : part.end], strict=True))
        state = instance._state = ModelState()
        state.db, state.adding = self.using, False
        for name, joined in part.joined:
            state.fields_cache[name] = self._joined(joined, row)
        return instance

    def _joined(self, part: _Part, row: Row) -> models.Model | None:
        key = row[part.key]
        if key is None:
            return None
        found = self.known.get((part.model, key))
        return found or self.known.setdefault((part.model, key), self._of(part, row))

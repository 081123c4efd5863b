"""Querysets whose SQL is made once and then run again and again with other values.

Django builds a query anew at each use; for the pages readers ask for that costs several times what the
database takes to answer. A Statement keeps the SQL and how its rows become instances. Nothing of an
answer is kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, Expression, F, QuerySet
from django.db.models.query import get_related_populators

M = TypeVar("M", bound=models.Model)
Row = Sequence[Any]


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
        listed = "IN (SELECT value FROM json_each(%s))" if connection.vendor == "sqlite" else "= ANY(%s)"
        return f"{column} {listed}", (self,)


@dataclass(frozen=True, slots=True)
class _Made:
    """A queryset's SQL for one database, and how a row of the answer is read."""

    sql: str
    parameters: Sequence[Any]
    converters: dict[int, Any]
    start: int
    end: int
    names: list[str]
    annotated: dict[str, int]
    related: list[Any]
    model: type[models.Model]
    compiler: Any


class Statement(Generic[M]):
    """Run it with a value for each Slot and OneOf: `ARTICLE(slug="x")`. Returns instances, as the queryset would."""

    def __init__(self, queryset: Callable[[], QuerySet[M]]) -> None:
        self.queryset = queryset
        self.made: dict[str, _Made] = {}

    def __call__(self, *, using: str = DEFAULT_DB_ALIAS, **values: Any) -> list[M]:
        connection = connections[using]
        made = self.made.get(connection.vendor) or self.made.setdefault(connection.vendor, self._make(using))
        with connection.cursor() as cursor:
            cursor.execute(made.sql, [_given(p, values, connection.vendor) for p in made.parameters])
            rows: Any = cursor.fetchall()
        if made.converters:
            rows = made.compiler.apply_converters(rows, made.converters)
        return [_instance(made, row, using) for row in rows]

    def _make(self, using: str) -> _Made:
        compiler = self.queryset().using(using).query.get_compiler(using)
        sql, parameters = compiler.as_sql()
        info, columns = compiler.klass_info, compiler.select
        start, end = info["select_fields"][0], info["select_fields"][-1] + 1
        return _Made(
            sql=sql,
            parameters=parameters,
            converters=compiler.get_converters([column[0] for column in columns]),
            start=start,
            end=end,
            names=[column[0].target.attname for column in columns[start:end]],
            annotated=dict(compiler.annotation_col_map or {}),
            related=get_related_populators(info, columns, using),  # type: ignore[call-arg]  # stubs of a later Django
            model=info["model"],
            compiler=compiler,
        )


def _given(parameter: Any, values: dict[str, Any], vendor: str) -> Any:
    if isinstance(parameter, Slot):
        return values[parameter.name]
    if isinstance(parameter, OneOf):
        return (
            json.dumps(list(values[parameter.name])) if vendor == "sqlite" else list(values[parameter.name])
        )
    return parameter


def _instance(made: _Made, row: Row, using: str) -> Any:
    instance = made.model.from_db(using, made.names, row[made.start : made.end])
    for populator in made.related:
        populator.populate(row, instance)
    for name, place in made.annotated.items():
        setattr(instance, name, row[place])
    return instance

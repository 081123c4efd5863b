"""Any number of values as one parameter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from django.db import connection

from articles import listed

pytestmark = pytest.mark.django_db
MANY = list(range(2**62, 2**62 + 70_000))
ODD = ["/tags/ї'\"\\/", "{a,b}", "NULL", "", "%s", "𝕊\t"]


@pytest.mark.parametrize(("values", "kind"), [(MANY, "bigint"), (ODD, "text"), ([], "text")])
def test_values_arrive_as_they_are_however_many(values: Sequence[Any], kind: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT value FROM {listed.table('given', kind)}", [listed.parameter(values)])

        assert [value for (value,) in cursor.fetchall()] == values


@pytest.mark.parametrize(("value", "values"), [(7, [1, 7]), ("{a,b}", ODD)])
def test_one_of_them_is_told_from_another(value: Any, values: Sequence[Any]) -> None:
    with connection.cursor() as cursor:
        sql = f"SELECT COUNT(*) FROM (SELECT %s AS known) AS given WHERE {listed.one_of('known')}"
        cursor.execute(sql, [value, listed.parameter(values)])
        assert cursor.fetchone() == (1,)

        cursor.execute(sql, [value, listed.parameter([])])
        assert cursor.fetchone() == (0,)

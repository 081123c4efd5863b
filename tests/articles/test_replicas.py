"""Which database is asked for candidates, and which is asked whether they may be seen."""

from __future__ import annotations

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from articles import replicas
from articles.search import find
from tests.factories import ArticleFactory


@pytest.fixture(autouse=True)
def forget():
    replicas._silent_until.clear()
    yield
    replicas._silent_until.clear()


@pytest.mark.django_db(transaction=True)
def test_a_replica_that_does_not_answer_is_left_alone_and_the_primary_answers(settings):
    settings.REPLICAS = ["replica1"]
    asked: list[str] = []

    def question(alias: str) -> str:
        asked.append(alias)
        if alias != "default":
            raise OperationalError("could not connect to server")
        return "found"

    replicas.connections.databases["replica1"] = dict(replicas.connections.databases["default"])
    try:
        assert [replicas.answered(question) for _ in range(3)] == ["found"] * 3
    finally:
        replicas.connections["replica1"].close()
        del replicas.connections.databases["replica1"]

    assert asked == ["replica1", "default", "default", "default"]


def test_a_question_that_took_too_long_is_not_asked_again(settings):
    settings.REPLICAS = ["replica1"]

    def question(alias: str) -> str:
        raise OperationalError("canceling statement due to statement timeout")

    with pytest.raises(OperationalError, match="timeout"):
        replicas.answered(question)


@pytest.mark.django_db
def test_what_may_be_seen_is_asked_of_the_primary():
    ArticleFactory(headline="Ferry harbour")
    with CaptureQueriesContext(connection) as captured:
        assert find("ferry").hits

    assert any("articles_hold" in query["sql"] for query in captured)

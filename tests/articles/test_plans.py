"""Plans that PostgreSQL keeps for a connection: made once, of no harm behind a pooler, no table read whole."""

from __future__ import annotations

import re
import socket
import threading
from contextlib import contextmanager

import pytest
from django.db import connection, transaction

from articles import plans
from articles.statements import ask
from tests.articles.test_surfaces import SMALL, whole_tables
from tests.factories import ArticleFactory
from tests.front_door import FrontDoor

pytestmark = pytest.mark.server
PLUS = "SELECT %s + 40, '100%%'"


def prepared() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements ORDER BY prepare_time")
        return [statement for (statement,) in cursor.fetchall()]


@pytest.fixture
def own_connection(transactional_db):
    """No statement of another test is prepared."""
    connection.close()
    yield
    connection.close()


def test_a_plan_is_made_once_and_asked_with_other_values(own_connection):
    assert ask(PLUS, [1], planned=True) == [(41, "100%")]
    assert ask(PLUS, [2], planned=True) == [(42, "100%")]

    assert len(prepared()) == 1
    assert prepared()[0].endswith("SELECT $1 + 40, '100%'")


def test_what_is_not_always_asked_in_the_same_words_is_not_kept(own_connection):
    assert ask(PLUS, [1]) == [(41, "100%")]

    assert prepared() == []


def test_a_plan_outlives_a_transaction_that_is_taken_back(own_connection):
    with transaction.atomic():
        ask(PLUS, [1], planned=True)
        transaction.set_rollback(True)

    assert ask(PLUS, [2], planned=True) == [(42, "100%")]
    assert len(prepared()) == 1


def test_a_connection_keeps_so_many_plans_and_asks_the_rest_as_they_are(own_connection, monkeypatch):
    monkeypatch.setattr(plans, "MOST", 2)
    for number in range(4):
        assert ask(f"SELECT {number}", planned=True) == [(number,)]

    assert len(prepared()) == 2


@pytest.mark.django_db(transaction=True)
def test_a_connection_through_a_pooler_is_given_no_prepared_statement(monkeypatch):
    with pooler(connection.settings_dict) as port:
        monkeypatch.setitem(connection.settings_dict, "PORT", str(port))
        connection.close()

        assert ask(PLUS, [1], planned=True) == [(41, "100%")]
        assert prepared() == []


@contextmanager
def pooler(database):
    """A door to PostgreSQL that names another process than the one that answers, as PgBouncer does."""
    key_data = b"K\x00\x00\x00\x0c"  # Its kind and its length of twelve; the process and the key for cancelling follow.

    def pass_on(source, sink):
        while data := source.recv(65536):
            sink.sendall(re.sub(key_data + b"....", key_data + b"\0\0\0\1", data, flags=re.DOTALL))
        sink.shutdown(socket.SHUT_WR)

    def serve():
        with door.accept()[0] as client, socket.create_connection(inside) as server:
            there = threading.Thread(target=pass_on, args=(client, server))
            there.start()
            pass_on(server, client)
            there.join()

    inside = database["HOST"], int(database["PORT"])
    with socket.create_server(("127.0.0.1", 0)) as door:
        thread = threading.Thread(target=serve)
        thread.start()
        yield door.getsockname()[1]
        connection.close()
        thread.join(10)


def test_no_kept_plan_reads_a_table_whole(own_connection):
    """Whatever they are asked for: the plans that PostgreSQL makes without knowing the values."""
    article = ArticleFactory(tags=["Ferries"], people=["Ann Bo"])
    beside = [article, article.source, *article.tags.all(), *article.contributors.all()]
    with connection.cursor() as cursor:
        cursor.execute("SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off")
        for path in ("/", "/latest/", *(one.get_absolute_url() for one in beside)):
            assert FrontDoor().get(f"{path}?again=1").status == 200, path
        cursor.execute("SELECT name, statement, cardinality(parameter_types) FROM pg_prepared_statements")
        kept = cursor.fetchall()
        assert len(kept) > 10
        for name, statement, places in kept:
            cursor.execute(f"EXPLAIN EXECUTE {name}" + f"({', '.join(['NULL'] * places)})" * bool(places))
            plan = "\n".join(line for (line,) in cursor.fetchall())
            assert whole_tables(plan, SMALL) == [], statement

"""Health answers mean what they say."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.utils import timezone

from articles.models import Heartbeat
from tests.front_door import FrontDoor


def test_a_living_process_says_so_without_a_database(client: Client) -> None:
    # No django_db mark: touching the database would fail the test.
    answer = client.get("/healthz")

    assert (answer.status_code, answer.content) == (200, b"ok\n")


@pytest.mark.django_db
def test_readiness_tells_how_long_ago_the_worker_did_each_kind_of_work(client: Client) -> None:
    Heartbeat.objects.create(name="letters", at=timezone.now() - timedelta(seconds=90))

    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json()["ready"] is True
    assert 90 <= answer.json()["heartbeat_age_seconds"]["letters"] < 120


@pytest.mark.django_db
def test_a_site_with_a_migration_missing_is_not_ready_and_says_which(client: Client) -> None:
    MigrationRecorder(connection).record_unapplied("sessions", "0001_initial")

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert "sessions.0001_initial" in answer.json()["reasons"][0]
    assert answer.headers["Retry-After"]


@pytest.mark.django_db(transaction=True)
def test_a_site_whose_database_is_gone_is_not_ready(client: Client) -> None:
    working = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = "/no/such/database"
    try:
        answer = client.get("/readyz")
    finally:
        connection.close()
        connection.settings_dict["NAME"] = working

    assert answer.status_code == 503
    assert "database does not answer" in answer.json()["reasons"][0]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/feeds/latest.rss",
        "/articles/gone/",
        "/no/such/page",
        "/removal/",
        "/admin/login/",
        "/api/articles",
    ],
)
def test_without_a_database_every_page_says_when_to_come_back(path: str) -> None:
    site = FrontDoor()
    working = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = "/no/such/database"
    settings.LEDGER_PATH.parent.mkdir(exist_ok=True)
    settings.LEDGER_PATH.write_bytes(
        b'{"seq": 1, "at": "", "kind": "", "payload": {}, "previous": "", "hash": ""}\n'
    )
    try:
        answer = site.get(path)
    finally:
        connection.close()
        connection.settings_dict["NAME"] = working

    assert answer.status in (200, 503) if path.startswith(("/removal", "/admin")) else answer.status == 503
    assert answer.status == 200 or answer.headers["Retry-After"] == "10"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    for_programs = answer.headers["Content-Type"] == "application/problem+json"
    assert for_programs == path.startswith("/api/")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", ["/readyz", "/metrics"])
def test_a_connection_that_failed_is_not_kept(client: Client, path: str) -> None:
    """One that was opened on a read-only disk would refuse to write for ever."""
    client.get(path)
    before = connection.connection
    with connection.execute_wrapper(broken):
        answer = client.get(path)

    assert answer.status_code == 503
    assert connection.connection is not before


def broken(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    raise OperationalError("attempt to write a readonly database")

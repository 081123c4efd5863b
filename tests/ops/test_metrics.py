"""The figures an operator's alarms look at."""

from __future__ import annotations

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


def test_loopback_reads_the_figures_of_the_promise(client: Client) -> None:
    answer = client.get("/metrics")

    text = answer.content.decode()
    assert answer.status_code == 200
    for name in (
        'newsroom_open_claims{lane="A"} 0.0',
        "newsroom_letters_unsent 0.0",
        "newsroom_feeds_due 0.0",
        "newsroom_oldest_due_feed_seconds 0.0",
        "newsroom_ledger_head",
        "newsroom_database_is_behind_ledger 0.0",
    ):
        assert name in text


@pytest.mark.parametrize(
    "headers",
    [
        {"REMOTE_ADDR": "192.0.2.7"},
        {"REMOTE_ADDR": ""},
        {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "192.0.2.7"},
        {"REMOTE_ADDR": "192.0.2.7", "HTTP_AUTHORIZATION": "Bearer wrong"},
    ],
    ids=["from outside", "from a socket", "through the proxy", "with a wrong token"],
)
def test_nobody_else_reads_them(client: Client, settings, headers: dict[str, str]) -> None:
    settings.METRICS_TOKEN = "a token for the watcher"

    assert client.get("/metrics", **headers).status_code == 403


def test_an_empty_token_opens_nothing(client: Client, settings) -> None:
    settings.METRICS_TOKEN = ""

    answer = client.get("/metrics", REMOTE_ADDR="192.0.2.7", HTTP_AUTHORIZATION="Bearer ")

    assert answer.status_code == 403


def test_a_watcher_elsewhere_reads_them_with_the_token(client: Client, settings) -> None:
    settings.METRICS_TOKEN = "a token for the watcher"

    answer = client.get(
        "/metrics", REMOTE_ADDR="192.0.2.7", HTTP_AUTHORIZATION="Bearer a token for the watcher"
    )

    assert answer.status_code == 200

"""Limits stop our letters, never a notice."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from moderation import limits
from moderation.models import Letter, Notice, RateWindow
from tests.factories import ArticleFactory
from tests.moderation.intake import address_of, form_of


@pytest.mark.django_db
def test_a_mailbox_is_not_flooded_and_yet_every_notice_is_received(client: Client) -> None:
    for number in range(12):
        page = client.post("/removal/", form_of(f"https://else.example/{number}", email="victim@x.example"))
        assert page.status_code == 200

    assert Notice.objects.count() == 12
    assert Letter.objects.filter(to="victim@x.example").count() == limits.PER_MAILBOX
    assert "did not write to it unasked" in page.content.decode()


@pytest.mark.django_db
def test_one_sender_cannot_flood_many_mailboxes(client: Client) -> None:
    for number in range(limits.PER_SENDER + 5):
        client.post("/removal/", form_of(address_of(ArticleFactory()), email=f"victim{number}@x.example"))

    assert Notice.objects.count() == limits.PER_SENDER + 5
    assert Letter.objects.count() == limits.PER_SENDER


@pytest.mark.django_db
def test_sending_the_same_form_again_uses_up_nothing(client: Client) -> None:
    fields = form_of(address_of(ArticleFactory()))
    for _ in range(20):
        client.post("/removal/", fields)

    client.post("/removal/", form_of(address_of(ArticleFactory())))
    assert Letter.objects.count() == 2


@pytest.mark.django_db
def test_the_next_hour_begins_anew_and_old_windows_are_dropped() -> None:
    at = timezone.now()

    assert [limits.count("x", "a", window=limits.HOUR, at=at) for _ in range(3)] == [1, 2, 3]
    assert limits.count("x", "b", window=limits.HOUR, at=at) == 1
    assert limits.count("x", "a", window=limits.HOUR, at=at + timedelta(hours=1)) == 1
    limits.count("x", "a", window=limits.HOUR, at=at + timedelta(days=9))
    assert RateWindow.objects.count() == 1


@pytest.mark.django_db
def test_nothing_kept_says_who_wrote_to_us() -> None:
    limits.count("mailbox", "olena@owner.example", window=limits.HOUR, at=timezone.now())

    assert "olena" not in repr(list(RateWindow.objects.values()))


@pytest.mark.django_db(transaction=True)
def test_counting_at_once_forgets_nobody() -> None:
    at = timezone.now()

    def run() -> None:
        try:
            for _ in range(5):
                limits.count("x", "a", window=limits.HOUR, at=at)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert RateWindow.objects.get().count == 40


@pytest.mark.parametrize(
    ("meta", "sender"),
    [
        ({"REMOTE_ADDR": "203.0.113.9"}, "203.0.113.9"),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "198.51.100.1, 203.0.113.9"}, "203.0.113.9"),
        ({"REMOTE_ADDR": "8.8.8.8", "HTTP_X_FORWARDED_FOR": "1.1.1.1"}, "8.8.8.8"),
        ({"REMOTE_ADDR": "2001:db8:1:2:3:4:5:6"}, "2001:db8:1:2::/64"),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "not an address"}, "127.0.0.1"),
        ({"REMOTE_ADDR": "::ffff:203.0.113.9"}, "203.0.113.9"),
        ({"REMOTE_ADDR": "", "HTTP_X_FORWARDED_FOR": "203.0.113.9"}, "203.0.113.9"),
        ({"REMOTE_ADDR": "", "HTTP_X_FORWARDED_FOR": "2001:db8:1:2:3::1"}, "2001:db8:1:2::/64"),
        ({"REMOTE_ADDR": "", "HTTP_X_FORWARDED_FOR": "not an address"}, ""),
        ({}, ""),
    ],
)
def test_the_sender_is_who_reached_us(meta: dict[str, str], sender: str) -> None:
    assert limits.sender_of(meta) == sender

"""Nobody learns from an answer, or from the work that it took, whether an account, a case or a key exists.

Work is counted, not timed: the same questions to the database, and the same number of passwords hashed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import SignInFailure
from moderation.owner_models import ApiKey
from moderation.references import hash_of, status_url
from newsroom.sign_in import TRIES
from tests.factories import ArticleFactory, UserFactory
from tests.moderation.intake import address_of, send

pytestmark = pytest.mark.django_db
VALUES = re.compile(r"'[^']*'|\b\d+\b|\s+|\"s\d+_x\d+\"")


class Counting(MD5PasswordHasher):
    """The tests' own quick hasher, which counts."""

    encoded = 0

    def encode(self, password: str, salt: str) -> str:
        Counting.encoded += 1
        encoded: str = super().encode(password, salt)
        return encoded


def work_of(ask: Callable[[], Any]) -> tuple[int, str, list[str], int]:
    """Status and page, the questions without their values, and how many passwords were hashed."""
    Counting.encoded = 0
    with CaptureQueriesContext(
        connection,
    ) as asked:
        answer = ask()
    page = re.sub(r'value="[^"]*"', "", answer.content.decode())
    return answer.status_code, page, [VALUES.sub("", query["sql"]) for query in asked], Counting.encoded


def test_a_name_that_exists_costs_the_same_as_one_that_does_not(settings: Any) -> None:
    settings.PASSWORD_HASHERS = [f"{__name__}.Counting"]
    for name, more in (
        ("staff", {"staff": True}),
        ("left", {"staff": True, "is_active": False}),
        ("reader", {}),
    ):
        UserFactory(username=name, **more)

    def sign_in(name: str) -> tuple[int, str, list[str], int]:
        return work_of(lambda: Client().post("/admin/login/", {"username": name, "password": "wrong"}))

    first = sign_in("nobody")
    assert first[3] == 1
    assert [sign_in(name) == first for name in ("staff", "left", "reader", "NOBODY-else")] == [True] * 4


def test_a_locked_name_looks_the_same_whether_it_exists_or_not() -> None:
    UserFactory(username="staff", staff=True)
    at = timezone.now()

    def locked(name: str) -> tuple[int, str, list[str], int]:
        for _ in range(TRIES):
            Client().post("/admin/login/", {"username": name, "password": "wrong"})
        return work_of(lambda: Client().post("/admin/login/", {"username": name, "password": "wrong"}))

    assert locked("staff") == locked("nobody")
    assert SignInFailure.objects.filter(count=TRIES, first_at__gte=at - timedelta(minutes=1)).count() == 2


def test_there_is_no_page_that_resets_a_password_and_so_none_that_tells() -> None:
    for path in ("/admin/password_reset/", "/admin/account/password/reset/", "/admin/account/signup/"):
        answer = Client().get(path)
        assert answer.status_code == 404 or answer.headers["Location"].startswith("/admin/login/"), path


def test_a_case_that_does_not_exist_costs_the_same_whatever_was_guessed() -> None:
    real = send(address_of(ArticleFactory()))
    secret = status_url(real).rstrip("/").rpartition("/")[2]
    guesses = ["x" * len(secret), secret[:-1] + "!", real.reference, secret.swapcase()]

    works = [work_of(lambda guess=guess: Client().get(f"/removal/{guess}/")) for guess in guesses]  # type: ignore[misc]

    assert {work[0] for work in works} == {404}
    assert all(work[2:] == works[0][2:] for work in works)


def test_a_key_that_was_revoked_costs_the_same_as_one_never_given_out() -> None:
    made = {
        "domain": "owner.example",
        "email": "o@owner.example",
        "begins": "nrk_",
        "created_at": timezone.now(),
    }
    ApiKey.objects.create(key_hash=hash_of("nrk_revoked"), revoked_at=timezone.now(), **made)
    ApiKey.objects.create(
        key_hash=hash_of("nrk_old"), **made | {"created_at": timezone.now() - timedelta(days=800)}
    )

    def ask(key: str) -> tuple[int, str, list[str], int]:
        headers = {"Authorization": f"Bearer {key}"}
        return work_of(
            lambda: Client().post("/api/notices/", "{}", content_type="application/json", headers=headers)
        )

    first = ask("nrk_never-given-out")
    assert first[0] == 401
    assert ask("nrk_revoked") == ask("nrk_old") == first

"""Signing in and out: guessing is slowed, sessions begin fresh and end with the account."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import SignInFailure, User
from newsroom.sign_in import TRIES
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
HERE, ELSEWHERE = "192.0.2.7", "198.51.100.9"


@pytest.fixture
def editor() -> User:
    user: User = UserFactory(staff=True)
    return user


def sign_in(user: User, password: str = "a long test password", address: str = HERE) -> Any:
    client = Client(REMOTE_ADDR=address)
    return client.post("/admin/login/?next=/admin/", {"username": user.username, "password": password})


def guess(user: User, times: int, address: str = HERE) -> None:
    for _ in range(times):
        assert sign_in(user, "wrong", address).status_code == 200


def test_guessing_is_stopped_even_with_the_right_password(editor: User) -> None:
    guess(editor, TRIES)

    answer = sign_in(editor)

    assert answer.status_code == 200
    assert "Too many wrong passwords" in answer.content.decode()


def test_one_try_less_is_no_reason(editor: User) -> None:
    guess(editor, TRIES - 1)

    assert sign_in(editor).status_code == 302
    assert not SignInFailure.objects.exists()


def test_nobody_else_is_kept_out_by_it(editor: User) -> None:
    guess(editor, TRIES)

    assert sign_in(editor, address=ELSEWHERE).status_code == 302
    assert sign_in(UserFactory(staff=True)).status_code == 302


def test_capitals_are_no_new_account(editor: User) -> None:
    guess(editor, TRIES - 1)
    User.objects.filter(pk=editor.pk).update(username=editor.username.upper())
    editor.refresh_from_db()
    guess(editor, 1)

    assert sign_in(editor).status_code == 200


def test_it_opens_again_after_a_while(editor: User) -> None:
    guess(editor, TRIES)
    SignInFailure.objects.update(first_at=timezone.now() - timedelta(minutes=16))

    assert sign_in(editor).status_code == 302


def test_a_session_begins_fresh_with_the_sign_in(client: Client, editor: User) -> None:
    client.session["planted"] = "x"
    session = client.session
    session["planted"] = "x"
    session.save()
    before = session.session_key

    client.post("/admin/login/", {"username": editor.username, "password": "a long test password"})

    assert client.session.session_key != before
    assert client.session["_auth_user_id"] == str(editor.pk)


@pytest.mark.parametrize("change", [{"is_active": False}, {"is_staff": False}])
def test_a_session_ends_with_the_account(client: Client, editor: User, change: dict[str, bool]) -> None:
    client.force_login(editor)
    assert client.get("/admin/").status_code == 200

    User.objects.filter(pk=editor.pk).update(**change)

    assert client.get("/admin/").status_code == 302


def test_a_new_password_ends_every_other_session(client: Client, editor: User) -> None:
    client.force_login(editor)

    editor.set_password("another long password")
    editor.save()

    assert client.get("/admin/").status_code == 302

"""Second factors at the desk: set up, asked for, required, lost; and the sessions somebody has."""

from __future__ import annotations

import re
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts.models import User
from newsroom import prune
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
PASSWORD = "a long test password"
FACTORS = "/admin/account/factors/"


@pytest.fixture(autouse=True)
def no_limits_from_other_tests() -> None:
    cache.clear()


@pytest.fixture
def editor() -> User:
    user: User = UserFactory(staff=True)
    return user


def sign_in(user: User, client: Client | None = None, **options: Any) -> tuple[Client, Any]:
    client = client or Client(**{"HTTP_USER_AGENT": "A browser"} | options)
    return client, client.post(
        "/admin/login/?next=/admin/", {"username": user.username, "password": PASSWORD}
    )


def code_for(secret: str, steps: int = 0) -> str:
    counter = next(iter(yield_hotp_counters_from_time())) + steps
    return str(format_hotp_value(hotp_value(secret, counter)))


def with_app(user: User) -> tuple[Client, str, list[str]]:
    """Signed in, with an authenticator app set up; returns its secret and the recovery codes."""
    client, _ = sign_in(user)
    client.post("/admin/account/reauthenticate/", {"password": PASSWORD})
    page = client.get(f"{FACTORS}totp/activate/").content.decode()
    secret = re.search(r'value="([A-Z2-7]{32})"', page)
    assert secret
    client.post(f"{FACTORS}totp/activate/", {"code": code_for(secret[1])})
    codes = client.get(f"{FACTORS}recovery-codes/").content.decode()
    return client, secret[1], re.findall(r"\b\d{8}\b", codes)


def test_a_password_alone_is_enough_until_a_factor_is_set_up(editor: User) -> None:
    client, answer = sign_in(editor)

    assert answer.headers["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_then_the_app_s_code_is_asked_for(editor: User) -> None:
    _, secret, _ = with_app(editor)

    client, answer = sign_in(editor)
    assert answer.headers["Location"] == f"{FACTORS}authenticate/"
    assert client.get("/admin/").status_code == 302
    wrong = client.post(f"{FACTORS}authenticate/", {"code": "000000"})
    right = client.post(f"{FACTORS}authenticate/", {"code": code_for(secret, steps=1)})

    assert "Incorrect code" in wrong.content.decode()
    assert right.headers["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_a_recovery_code_opens_once(editor: User) -> None:
    _, _, codes = with_app(editor)
    assert len(codes) == 10

    statuses = []
    for _ in range(2):
        client, _answer = sign_in(editor)
        statuses.append(client.post(f"{FACTORS}authenticate/", {"code": codes[0]}).status_code)

    assert statuses == [302, 200]


def test_codes_cannot_be_guessed_at_will(editor: User) -> None:
    with_app(editor)
    client, _ = sign_in(editor)

    answers = [client.post(f"{FACTORS}authenticate/", {"code": f"{n:06}"}) for n in range(7)]

    assert "Too many" in answers[-1].content.decode()


def test_a_session_left_open_changes_no_factor_without_the_password(editor: User) -> None:
    client, _ = sign_in(editor)

    answer = client.get(f"{FACTORS}totp/activate/")

    assert answer.headers["Location"].startswith("/admin/account/reauthenticate/")


def test_the_secret_does_not_lie_open_in_the_database(editor: User) -> None:
    _, secret, codes = with_app(editor)

    stored = " ".join(str(row.data) for row in Authenticator.objects.all())

    assert secret not in stored
    assert not any(code in stored for code in codes)


def test_required_of_staff_nothing_else_opens_before_it(editor: User, settings: Any) -> None:
    settings.STAFF_SECOND_FACTOR = True

    client, _ = sign_in(editor)

    assert client.get("/admin/").headers["Location"] == FACTORS
    assert client.get("/admin/articles/article/").headers["Location"] == FACTORS
    assert client.get(FACTORS).status_code == 200
    done, _, _ = with_app(editor)
    assert done.get("/admin/").status_code == 200


def test_an_administrator_lets_in_who_has_lost_it(editor: User) -> None:
    theirs, _, _ = with_app(editor)
    admin = Client()
    admin.force_login(UserFactory(superuser=True))

    admin.post("/admin/accounts/user/", {"action": "forget_factors", "_selected_action": [editor.pk]})

    assert not Authenticator.objects.exists()
    assert theirs.get("/admin/").status_code == 302
    assert sign_in(editor)[1].headers["Location"] == "/admin/"


def test_the_library_s_lists_of_secrets_are_not_in_the_admin(client: Client) -> None:
    client.force_login(UserFactory(superuser=True))

    for path in ("mfa/authenticator/", "usersessions/usersession/", "account/emailaddress/"):
        assert client.get(f"/admin/{path}").status_code == 404


def test_somebody_sees_their_sessions_and_ends_the_others(editor: User) -> None:
    here, _ = sign_in(editor)
    agent = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Mobile Safari/537.36"
    elsewhere, _ = sign_in(editor, REMOTE_ADDR="2001:db8::7", HTTP_USER_AGENT=agent)

    page = here.get("/admin/account/sessions/").content.decode()
    here.post("/admin/account/sessions/")

    assert "2001:db8::" in page
    assert "Chrome on Android" in page
    assert here.get("/admin/").status_code == 200
    assert elsewhere.get("/admin/").status_code == 302


def test_of_a_session_that_has_ended_nothing_is_kept(editor: User) -> None:
    from allauth.usersessions.models import UserSession

    client, _ = sign_in(editor)
    client.post("/admin/logout/")

    prune.prune(100, timezone.now())

    assert not UserSession.objects.exists()


@pytest.mark.parametrize("path", ["signup/", "password/reset/", "email/"])
def test_nobody_signs_up_or_changes_an_address_by_themselves(path: str, client: Client) -> None:
    assert client.get(f"/admin/account/{path}").status_code in (302, 404)
    assert client.post(f"/admin/account/{path}", {"username": "x"}).status_code in (302, 404)
    assert not User.objects.exists()

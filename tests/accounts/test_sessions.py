"""How long a session at the desk lasts, what is asked again, which passwords are refused, and what is written down."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.usersessions.models import UserSession
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from accounts import access
from accounts.models import User
from newsroom import security_events
from tests.factories import ArticleFactory, UserFactory

PASSWORD = "a long test password"
AGAIN = "/admin/account/reauthenticate/"


def signed_in() -> tuple[Client, User]:
    person, browser = UserFactory(superuser=True), Client(HTTP_USER_AGENT="A browser")
    browser.post("/admin/login/", {"username": person.username, "password": PASSWORD})
    return browser, person


def later(minutes: float) -> time_machine.travel:
    return time_machine.travel(timezone.now() + timedelta(minutes=minutes), tick=False)


@pytest.mark.django_db
def test_who_is_idle_for_an_hour_is_signed_out_and_told() -> None:
    browser, _ = signed_in()
    with later(59):
        assert browser.get("/admin/").status_code == 200
    with later(59 + 61):
        answer = browser.get("/admin/articles/article/?q=x")

    assert answer.headers["Location"] == "/admin/login/?next=/admin/articles/article/%3Fq%3Dx"
    assert answer.headers["Clear-Site-Data"] == '"cache"'
    assert "had lasted long enough" in browser.get("/admin/login/").content.decode()


@pytest.mark.django_db
def test_who_works_all_day_signs_in_again_after_twelve_hours() -> None:
    browser, _ = signed_in()
    statuses = []
    for turn in range(1, 26):
        with later(29 * turn):
            statuses.append(browser.get("/admin/account/factors/").status_code)

    assert statuses == [200] * 24 + [302]


@pytest.mark.django_db
def test_an_open_form_s_heartbeat_keeps_nobody_signed_in_but_typing_does() -> None:
    browser, _ = signed_in()
    beat = f"/admin/articles/article/{ArticleFactory(draft=True).pk}/unsaved/"
    for minutes in (40, 80):
        with later(minutes):
            idle = browser.post(beat, {"csrfmiddlewaretoken": "x"}).status_code
    browser, _ = signed_in()
    for minutes in (40, 80):
        with later(minutes):
            typing = browser.post(beat, {"csrfmiddlewaretoken": "x", "headline": "Ferry"}).status_code

    assert (idle, typing) == (302, 200)


@pytest.mark.django_db
def test_accounts_and_sessions_are_changed_only_by_who_proved_lately_who_they_are() -> None:
    browser, person = signed_in()
    form = f"/admin/accounts/user/{person.pk}/change/"
    assert browser.get(form).status_code == 200

    with later(11):
        asked = [
            browser.get(form),
            browser.get("/admin/auth/group/add/"),
            browser.get("/admin/accounts/accesstoken/add/"),
        ]
        seen = [browser.get("/admin/accounts/user/"), browser.get("/admin/account/sessions/")]
        before = browser.session.session_key
        browser.post(f"{AGAIN}?next={form}", {"password": PASSWORD})
        assert browser.get(form).status_code == 200
    with later(45):
        sent = [
            browser.post("/admin/account/sessions/"),
            browser.post("/admin/accounts/user/", {"action": "end_sessions", "_selected_action": person.pk}),
        ]

    assert [a.headers["Location"].partition("?")[0] for a in (*asked, *sent)] == [AGAIN] * 5
    assert [a.status_code for a in seen] == [200, 200]
    assert browser.session.session_key != before, "the session goes on under a new name"
    assert UserSession.objects.get(user=person).session_key == browser.session.session_key


@pytest.mark.django_db
def test_an_administrator_ends_the_sessions_of_somebody_and_what_their_programs_may() -> None:
    (browser, person), (theirs, other) = signed_in(), signed_in()
    at = timezone.now()
    told = {"name": "Wire", "scopes": ["read"], "expires_at": at + timedelta(days=1), "at": at}
    own, lost = (access.issue(user=user, **told)[1] for user in (person, other))

    browser.post("/admin/accounts/user/", {"action": "end_sessions", "_selected_action": other.pk})

    assert theirs.get("/admin/").status_code == 302
    assert access.opened_by(lost, at=at) is None
    assert browser.get("/admin/").status_code == 200
    assert access.opened_by(own, at=at)


@pytest.mark.django_db
def test_signing_out_empties_what_the_browser_kept() -> None:
    browser, _ = signed_in()

    assert browser.post("/admin/logout/").headers["Clear-Site-Data"] == '"cache"'


@pytest.mark.parametrize(
    "refused",
    [
        "qwertyuiop123",
        "Password123456",
        "iloveyou12345",
        "newsroom-newsroom",
        "Newsroom-editor!",
        "111111111111",
    ],
)
def test_a_leaked_password_or_one_of_names_is_refused(refused: str) -> None:
    with pytest.raises(ValidationError):
        validate_password(refused, User(username="ines"))


@pytest.mark.parametrize(
    "good",
    ["a long test password", "Newsroom kettle orchard", "ключ от старой двери", "kqv27-zhtw9-"],
)
def test_any_other_of_twelve_characters_is_taken(good: str) -> None:
    validate_password(good, User(username="ines"))


@pytest.mark.django_db
def test_what_happens_at_the_door_is_written_down_and_names_nobody(caplog: Any) -> None:
    caplog.set_level(logging.INFO, "newsroom.security")
    browser, person = signed_in()
    plain = Client()
    plain.force_login(UserFactory(staff=True))
    browser.post(AGAIN, {"password": PASSWORD})
    browser.post("/admin/logout/")
    browser.post("/admin/login/", {"username": person.username, "password": "wrong"})
    plain.get("/admin/accounts/user/")
    Client(enforce_csrf_checks=True).post("/admin/login/", {"username": "x"})

    said = "\n".join(record.getMessage() for record in caplog.records)
    for line in (
        f"signed in: account {person.pk}, by password", f"identity proved again: account {person.pk}",
        f"signed out: account {person.pk}", "sign-in refused: nobody, name ", "refused: account ",
        "forged or stale form: nobody",
    ):  # fmt: skip
        assert line in said, line
    assert person.username not in said


def test_a_browser_s_report_is_written_in_a_line_of_ours_and_floods_nothing(caplog: Any) -> None:
    def report(blocked: str, page: str = "https://news.example/removal/a-secret/?x=1") -> dict[str, Any]:
        told = {"effective-directive": "img-src\nforged", "blocked-uri": blocked, "document-uri": page}
        return {"csp-report": told | {"referrer": "https://reader.example/private"}}

    browser = Client(enforce_csrf_checks=True)
    bodies = [json.dumps(report("https://evil.example/a?who=me")), json.dumps(report("moz-extension://1")), "[" * 9000,
              "7", '{"csp-report": 7}', json.dumps(report("x" * 20_000))]  # fmt: skip
    answers = {
        browser.post("/csp-reports", body, content_type="application/csp-report").status_code
        for body in bodies
    }
    for _ in range(2 * security_events.REPORTS_A_MINUTE):
        browser.post("/csp-reports", bodies[0], content_type="application/csp-report")

    lines = [record.getMessage() for record in caplog.records]
    assert answers == {204}
    assert lines[0] == "policy violated: 'img-src\\nforged' kept 'evil.example' from '/removal/a-secret/'"
    assert 20 < len(lines) <= security_events.REPORTS_A_MINUTE
    assert not [line for line in lines if "who=me" in line or "reader.example" in line]
    assert browser.get("/csp-reports").status_code == 405

"""What a hostile visitor tries by hand: each attempt has a test, and each fails."""

from __future__ import annotations

import json
import re
import runpy
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings as site
from django.contrib.admin import site as desk_site
from django.core import mail
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from articles.models import Article, ArticleState
from moderation import actions, email
from moderation.models import Claim, Lane, Letter, Notice
from moderation.references import confirm_url, status_url
from tests.factories import ArticleFactory, UserFactory
from tests.front_door import FrontDoor
from tests.moderation.cases import claim_in, moderator, notice_about
from tests.moderation.intake import COMPLETE, address_of, form_of, send

pytestmark = pytest.mark.django_db

PASSWORD = "a long test password"
ABROAD = ["//evil.example/", "https://evil.example/", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)",
          "https:evil.example", "///evil.example", "/%09/evil.example", "\thttps://evil.example", "%2f%2fevil.example",
          "https://127.0.0.1@evil.example/", "http://testserver.evil.example/"]  # fmt: skip


def signed_in(**kind: Any) -> Client:
    visitor = Client(enforce_csrf_checks=kind.pop("strict", False))
    visitor.force_login(UserFactory(**kind))
    return visitor


def case_path(notice: Notice, *more: str) -> str:
    return urlsplit(status_url(notice)).path + "".join(f"{part}/" for part in more)


# --- forged requests --------------------------------------------------------------------------


def test_a_forged_post_does_nothing_at_the_desk() -> None:
    article, claim = ArticleFactory(draft=True), claim_in("received")
    desk = signed_in(superuser=True, strict=True)
    forged = [
        ("/admin/articles/article/add/", {"headline": "Forged"}),
        (f"/admin/articles/article/{article.pk}/change/", {"headline": "Forged"}),
        ("/admin/articles/article/", {"action": "publish", "_selected_action": article.pk}),
        ("/admin/accounts/user/add/", {"username": "forged"}),
        (f"/admin/moderation/claim/{claim.pk}/change/", {"_uphold": "1"}),
        ("/admin/logout/", {}),
    ]
    for address, fields in forged:
        answer = desk.post(address, fields, headers={"Origin": "https://evil.example"})
        assert answer.status_code == 403, address

    article.refresh_from_db()
    claim.refresh_from_db()
    assert (article.state, claim.state) == (ArticleState.DRAFT, "received")
    assert not User.objects.filter(username="forged").exists()
    assert desk.get("/admin/").status_code == 200


@pytest.mark.parametrize("action", ["withdraw", "complete", "prove", "letter"])
def test_a_forged_post_does_nothing_to_a_case(action: str) -> None:
    notice = send(address_of(ArticleFactory()), confirmed=True)

    answer = Client(enforce_csrf_checks=True).post(case_path(notice, action), {"claim": "all"})

    assert answer.status_code == 403
    assert notice.claims.get().state == "received"


def test_looking_changes_nothing() -> None:
    claim = claim_in("received", lane=Lane.B)
    desk = signed_in(superuser=True)
    for address in (
        f"/admin/moderation/claim/{claim.pk}/change/",
        f"/admin/articles/article/{claim.article_id}/change/",
    ):
        desk.get(address, {"_uphold": "1", "_move": "draft", "action": "uphold"})

    claim.refresh_from_db()
    assert (claim.state, claim.article.state) == ("received", ArticleState.PUBLISHED)


# --- other people's things --------------------------------------------------------------------


def test_a_case_is_reached_by_nothing_but_its_secret() -> None:
    mine, theirs = (
        send(address_of(ArticleFactory())),
        send(address_of(ArticleFactory()), email="bo@other.example"),
    )
    token = urlsplit(confirm_url(mine)).path.split("/")[4]
    tries = [theirs.pk, theirs.reference, theirs.secret_hash, theirs.intake_key, theirs.reference.lower()]
    visitor = Client()

    assert {visitor.get(f"/removal/{guess}/").status_code for guess in tries} == {404}
    assert visitor.post(case_path(theirs, "confirm", token)).status_code == 404
    visitor.post(case_path(mine, "withdraw"), {"claim": theirs.claims.get().pk})
    theirs.refresh_from_db()
    assert (theirs.confirmed_at, theirs.claims.get().state) == (None, "received")


def test_guessing_a_case_ten_times_or_two_hundred_tells_nothing() -> None:
    send(address_of(ArticleFactory()))
    visitor = Client()

    answers = {(a.status_code, a.content) for a in (visitor.get(f"/removal/{n:043}/") for n in range(200))}

    assert len(answers) == 1
    assert next(iter(answers))[0] == 404


def test_a_secret_cannot_be_guessed() -> None:
    secrets = [case_path(send(f"https://else.example/{n}")).split("/")[2] for n in range(20)]

    assert len(set(secrets)) == 20
    assert all(len(secret) * 6 >= 128 for secret in secrets)


def test_a_case_says_nothing_about_who_sent_it() -> None:
    article = ArticleFactory()
    notice = send(address_of(article), phone="+1 555 0100", address="1 Quay Street")
    seen = [
        Client().get(address).content.decode()
        for address in (
            case_path(notice),
            "/transparency/",
            "/transparency/log.csv",
            "/transparency/feed.atom",
        )
    ]

    for private in ("olena@", "Olena Rights", "Quay Street", "555 0100"):
        assert not [page for page in seen if private in page]


def test_the_desk_opens_nothing_to_who_is_not_staff() -> None:
    claim = claim_in("received")
    addresses = [
        f"/admin/moderation/claim/{claim.pk}/change/",
        f"/admin/moderation/notice/{claim.notice_id}/change/",
    ]
    addresses += [
        reverse(f"admin:{m._meta.label_lower.replace('.', '_')}_changelist") for m in desk_site._registry
    ]
    for visitor in (Client(), signed_in()):
        for address in addresses:
            answer = visitor.get(address)
            assert (answer.status_code, "/admin/login/" in answer.headers.get("Location", "")) == (
                302,
                True,
            ), address


def test_nobody_decides_both_halves_of_a_refusal() -> None:
    claim, one = claim_in("received"), moderator()
    at = timezone.now()
    actions.propose_refusal(
        claim_id=claim.pk, by=one, at=at, reason_code="licensed", reasons="We hold a licence."
    )

    with pytest.raises(actions.NotAllowed):
        actions.second_refusal(claim_id=claim.pk, by=one, at=at)


# --- where an answer leads --------------------------------------------------------------------


@pytest.mark.parametrize("target", ABROAD)
def test_signing_in_leads_nowhere_else(target: str) -> None:
    person = UserFactory(superuser=True)

    answer = Client().post(
        "/admin/login/",
        {"username": person.username, "password": PASSWORD, "next": target},
        query_params={"next": target},
    )

    assert "evil" not in urlsplit(answer.headers.get("Location", "")).netloc
    assert not answer.headers.get("Location", "").startswith(("//", "/\\", "\\", "javascript"))


def test_no_page_passes_on_to_an_address_it_was_given() -> None:
    article = ArticleFactory()
    door = FrontDoor()
    for path in ("/", "/latest/", "/search/", "/removal/", f"/articles/{article.slug}/"):
        for name in ("next", "url", "to", "return", "redirect"):
            answer = door.get(f"{path}?{name}=https://evil.example/")
            assert "evil.example" not in answer.headers.get("Location", "")
    for path in (
        "//evil.example",
        "//evil.example/",
        "/%2f/evil.example",
        "/\\evil.example/x",
        "//evil.example/..",
    ):
        location = door.get(path).headers.get("Location", "")
        assert not re.match(r"(?:https?:)?[/\\]{2}evil", location), location


def test_the_address_of_a_link_in_a_letter_is_ours_whatever_the_request_said() -> None:
    visitor = Client(headers={"X-Forwarded-Host": "evil.example"})

    visitor.post("/removal/", form_of("https://else.example/a"))
    call_command("send_letters", verbosity=0)

    body = mail.outbox[0].body
    assert site.SITE_URL in body
    assert "evil.example" not in body


# --- what is written where --------------------------------------------------------------------

INJECTED = "olena@owner.example\r\nBcc: everybody@victims.example\r\n\r\nBuy this"


@pytest.mark.parametrize("field", ["email", "name", "rights_holder", "signature", "work", "urls", "language"])
def test_a_form_writes_no_header_of_a_letter(field: str) -> None:
    Client().post("/removal/", form_of(**{"urls": "https://else.example/a", field: INJECTED}))
    call_command("send_letters", verbosity=0)

    for letter in mail.outbox:
        sent = message_from_bytes(letter.message().as_bytes(), policy=policy.default)
        assert sent["Bcc"] is None
        assert letter.recipients() == ["olena@owner.example"]
        assert "victims" not in "".join(str(value) for value in sent.values())


@pytest.mark.parametrize("header", ["Subject", "From", "Message-ID", "Reply-To", "In-Reply-To"])
def test_a_mail_writes_no_header_of_its_answer(header: str) -> None:
    article = ArticleFactory()
    given = {
        "From": "olena@owner.example",
        "To": site.REMOVAL_EMAIL,
        "Subject": "Removal",
        "Message-ID": "<a@b>",
    }
    given[header] = f"{given.get(header, 'x')} =?utf-8?q?=0d=0aBcc:_everybody@victims.example?="
    head = "".join(f"{name}: {value}\r\n" for name, value in given.items())

    email.accept(f"{head}\r\nPlease remove {address_of(article)}".encode(), at=timezone.now())
    call_command("send_letters", verbosity=0)

    for letter in mail.outbox:
        sent = message_from_bytes(letter.message().as_bytes(), policy=policy.default)
        assert sent["Bcc"] is None
        assert not [to for to in letter.recipients() if "victims" in to]


def test_no_header_of_a_visitor_says_which_path_is_meant() -> None:
    # gunicorn would take SCRIPT_NAME and PATH_INFO from the proxy's connection, whoever wrote them.
    read = runpy.run_path(str(site.BASE_DIR / "newsroom" / "gunicorn.py"))

    assert read["forwarder_headers"] == ""


def test_a_line_break_in_an_address_writes_no_header_of_the_answer() -> None:
    for path in ("/latest/\r\nSet-Cookie: a=b", "/articles/x\r\nX-Injected: 1/", "/removal/x\nX-Injected: 1"):
        answer = FrontDoor().get(path)
        assert not {"Set-Cookie", "X-Injected"} & set(answer.headers)
        assert not [value for value in answer.headers.values() if "\n" in value or "\r" in value]


def test_a_form_fills_only_its_own_fields() -> None:
    article = ArticleFactory()
    extra = {"confirmed": "1", "confirmed_at": "2020-01-01", "lane": "A", "channel": "staff", "id": "7",
             "deadline_at": "2020-01-01", "reference": "NR-MINE", "secret_hash": "x", "network": "::1"}  # fmt: skip

    Client().post("/removal/", form_of(address_of(article), **extra))

    notice = Notice.objects.get()
    assert (notice.confirmed_at, notice.claims.get().lane, notice.channel) == (None, Lane.C, "form")
    assert notice.reference != "NR-MINE"
    assert (notice.deadline_at - notice.received_at).total_seconds() == 86_400
    Client().post(case_path(notice, "complete"), extra | {"email": "evil@evil.example", "state": "upheld"})
    notice.refresh_from_db()
    assert (notice.email, notice.confirmed_at, notice.claims.get().state) == (
        "olena@owner.example",
        None,
        "received",
    )


def test_the_interface_fills_only_its_own_fields() -> None:
    body = {
        **COMPLETE,
        "urls": [address_of(ArticleFactory())],
        "lane": "A",
        "confirmed": True,
        "confirmed_at": "2020-01-01T00:00Z",
    }

    Client().post("/api/notices/", json.dumps(body), content_type="application/json")

    assert [claim.lane for claim in Claim.objects.all()] in ([], [Lane.C])
    assert not Notice.objects.filter(confirmed_at__isnull=False).exists()


def test_the_desk_s_form_fills_only_its_own_fields() -> None:
    article, desk = ArticleFactory(draft=True), signed_in(superuser=True)
    page = desk.get(f"/admin/articles/article/{article.pk}/change/")
    fields = {
        f: v
        for f, v in page.context["adminform"].form.initial.items()
        if isinstance(v, (str, int)) and v is not None
    }
    for formset in page.context["inline_admin_formsets"]:
        fields |= {f"{formset.formset.prefix}-TOTAL_FORMS": 0, f"{formset.formset.prefix}-INITIAL_FORMS": 0}

    desk.post(
        f"/admin/articles/article/{article.pk}/change/",
        fields | {"state": "published", "key": "x", "version": 99},
    )

    after = Article.objects.get(pk=article.pk)
    assert (after.state, after.key) == (ArticleState.DRAFT, article.key)
    assert after.version < 99


# --- files and addresses ----------------------------------------------------------------------

CLIMBS = [
    "../",
    "..%2f",
    "%2e%2e/",
    "%2e%2e%2f",
    "..\\",
    "..%5c",
    "....//",
    "..;/",
    "%c0%ae%c0%ae/",
    "/",
    "%00/",
]
WANTED = ["manage.py", "newsroom/settings.py", "var/secret_key", "etc/passwd"]


@pytest.mark.parametrize("room", ["/media/", "/static/", "/articles/", "/removal/", "/feeds/", "/"])
def test_no_climb_leads_to_a_file(room: str) -> None:
    door = FrontDoor()
    for climb in CLIMBS:
        for wanted in WANTED:
            answer = door.get(f"{room}{climb * 6}{wanted}")
            assert answer.status in (301, 302, 400, 404), (climb, wanted)
            assert "SECRET_KEY" not in answer.text
            assert "root:" not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/.git/config", "/.git/HEAD", "/.env", "/.env.production", "/.htpasswd", "/.DS_Store", "/.ssh/id_rsa",
        "/config.json", "/manage.py", "/requirements.txt", "/pyproject.toml", "/newsroom/settings.py",
        "/var/secret_key", "/var/newsroom.sqlite3", "/newsroom.sqlite3", "/backup.sql", "/dump.sql",
        "/ledger/ledger.jsonl", "/server-status", "/phpinfo.php", "/wp-login.php", "/debug/", "/__debug__/",
        "/console", "/actuator/env", "/static/", "/media/", "/static/admin/", "/swagger.json",
    ],
)  # fmt: skip
def test_nothing_of_the_machine_answers(path: str) -> None:
    answer = FrontDoor().get(path)

    assert answer.status == 404
    for word in ("Traceback", "urlpatterns", "DEBUG", "Index of"):
        assert word not in answer.text


@pytest.mark.parametrize(
    "method", ["TRACE", "TRACK", "CONNECT", "DEBUG", "PROPFIND", "PUT", "DELETE", "PATCH"]
)
def test_other_methods_are_refused_and_echo_nothing(method: str) -> None:
    article = ArticleFactory()
    for path in (
        "/",
        f"/articles/{article.slug}/",
        "/feeds/latest.rss",
        "/search/",
        "/removal/",
        "/api/articles/",
    ):
        answer = FrontDoor().get(path, method=method, HTTP_X_SECRET="echo-this-back")
        assert answer.status in (400, 403, 405, 501), (path, answer.status)
        assert "echo-this-back" not in answer.text
    assert Article.objects.public().filter(pk=article.pk).exists()


def test_the_log_as_a_sheet_has_no_formula() -> None:
    formulas = [
        "=cmd|'/c calc'!A1",
        "+1+1",
        "-1+1",
        "@SUM(1)",
        "\t=1",
        "\r=1",
        '=HYPERLINK("https://evil.example")',
    ]
    for formula in formulas:
        notice = notice_about(
            ArticleFactory(headline=formula), name=formula, letter=formula, rights_holder=formula
        )
        actions.uphold(claim_id=notice.claims.get().pk, by=moderator(), at=timezone.now(), reasons=formula)

    sheet = Client().get("/transparency/log.csv").content.decode()

    assert len(sheet.splitlines()) > len(formulas)
    cells = [cell.strip('"') for line in sheet.splitlines() for cell in line.split(",")]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert "evil.example" not in sheet


# --- signing in -------------------------------------------------------------------------------


def test_a_session_begun_before_signing_in_is_not_the_one_after() -> None:
    person, visitor = UserFactory(superuser=True), Client()
    visitor.cookies["session"] = "a" * 32
    visitor.get("/admin/login/")
    visitor.post("/admin/login/", {"username": person.username, "password": PASSWORD})

    after = visitor.cookies["session"].value
    assert after != "a" * 32
    assert len(after) >= 32
    stranger = Client()
    stranger.cookies["session"] = "a" * 32
    assert stranger.get("/admin/").status_code == 302


def test_a_session_ends_with_signing_out_and_with_the_account() -> None:
    person = UserFactory(superuser=True)
    for end in ("sign out", "disable", "new password"):
        visitor = Client()
        visitor.force_login(person)
        kept = visitor.cookies["session"].value
        if end == "sign out":
            visitor.post("/admin/logout/")
        elif end == "disable":
            User.objects.filter(pk=person.pk).update(is_active=False)
        else:
            User.objects.filter(pk=person.pk).update(is_active=True)
            person.set_password("another long test password")
            person.save()
        again = Client()
        again.cookies["session"] = kept
        assert again.get("/admin/").status_code == 302, end


def test_a_wrong_name_and_a_wrong_password_have_the_same_answer() -> None:
    UserFactory(superuser=True, username="ines")
    said = []
    for name in ("ines", "nobody"):
        page = Client().post("/admin/login/", {"username": name, "password": "wrong"}).content.decode()
        note = re.search(r'class="errornote">(.*?)</p>', page, re.DOTALL)
        assert note, page
        said.append(note[1].strip())

    assert said[0] == said[1]


def test_no_secret_and_no_debug_is_in_the_program() -> None:
    for path in (
        "newsroom/settings.py",
        *(str(p.relative_to(site.BASE_DIR)) for p in Path(site.BASE_DIR, "deploy").iterdir()),
    ):
        text = Path(site.BASE_DIR, path).read_text()
        assert not re.search(r"(?:SECRET_KEY|PASSWORD|TOKEN)\s*[=:]\s*[\"']?[A-Za-z0-9+/_-]{16,}", text), path
        assert "DEBUG = True" not in text
    assert Letter.objects.count() == 0

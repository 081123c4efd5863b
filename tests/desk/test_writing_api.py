"""The desk for programs: what a token lets be done, each change once, none over another; and as it is described."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import access
from accounts.models import AccessToken, HandledRequest, User
from articles import actions
from articles.models import Article, ArticleState, HoldKind, TagSynonym
from newsroom import roles
from newsroom.api import api
from tests.factories import ArticleFactory, MediaFactory, SourceFactory, TagFactory, UserFactory

pytestmark = pytest.mark.django_db

ALL = list(AccessToken.Scope.values)
ARTICLES = "/api/desk/articles/"
DESCRIBED = api.get_openapi_schema()["paths"]
PROBLEM = {"type", "title", "status", "detail", "errors"}


class Program:
    """A program with a token. Whatever it is answered has to be what the description says."""

    def __init__(self, user: User, scopes: list[str] = ALL) -> None:
        at = timezone.now()
        expires = at + timedelta(days=1)
        self.row, self.token = access.issue(user=user, name="Test", scopes=scopes, expires_at=expires, at=at)

    def __call__(
        self, method: str, path: str, body: Any = None, *, token: str | None = None, **headers: str
    ) -> Any:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent["Authorization"] = f"Bearer {token or self.token}"
        data = b"" if body is None else json.dumps(body)
        answer = Client().generic(method, path, data, content_type="application/json", headers=sent)
        said = described(method, path)["responses"]
        assert answer.status_code in said, (method, path, answer.status_code)
        if answer.status_code >= 400:
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert set(answer.json()) >= PROBLEM
        return answer

    def read(self, article: Article) -> Any:
        return self("GET", f"{ARTICLES}{article.key}")


def described(method: str, path: str) -> Any:
    plain = path.partition("?")[0]
    found = next(p for p in DESCRIBED if re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", p), plain))
    return DESCRIBED[found][method.lower()]


@pytest.fixture
def editor() -> Program:
    return Program(member(roles.EDITORS))


def member(role: str) -> User:
    user: User = UserFactory(staff=True)
    user.groups.add(Group.objects.get(name=role))
    return user


def article_of(answer: Any) -> Article:
    return Article.objects.get(key=answer.json()["key"])


# --- writing ----------------------------------------------------------------------------------


def test_an_article_is_written_sent_on_and_published(editor: Program) -> None:
    source, picture = SourceFactory(slug="outlet"), MediaFactory()
    TagSynonym.objects.create(tag=TagFactory(name="Ports"), name="Harbours", slug="harbours")
    sent = {
        "headline": "Ferries sail", "body": "<p onclick='x()'>At <b>dawn</b>.</p><script>x()</script>",
        "source": "outlet", "canonical_url": "https://outlet.example/1", "tags": ["Harbours"],
        "credits": [{"name": "Ann Ó Briain"}, {"name": "Bo Li", "role": "photographer"}], "picture": picture.token,
    }  # fmt: skip

    made = editor("POST", ARTICLES, sent)
    given = made.json()

    assert (made.status_code, made.headers["ETag"]) == (201, '"1"')
    assert made.headers["Location"].endswith(f"{ARTICLES}{given['key']}")
    assert "onclick" not in given["body"]
    assert "script" not in given["body"]
    assert (given["tags"], given["picture"], given["state"]) == (["Ports"], picture.token, "draft")
    assert [(c["name"], c["role"]) for c in given["credits"]] == [
        ("Ann Ó Briain", "author"),
        ("Bo Li", "photographer"),
    ]
    article = article_of(made)
    assert article.source == source
    changed = editor("PATCH", f"{ARTICLES}{article.key}", {"standfirst": "Again."}, If_Match='"1"')
    assert (changed.json()["standfirst"], changed.json()["tags"], changed.headers["ETag"]) == (
        "Again.",
        ["Ports"],
        '"2"',
    )
    assert len(changed.json()["credits"]) == 2
    published = editor("POST", f"{ARTICLES}{article.key}/publish", If_Match='"2"')
    assert (published.status_code, published.json()["state"]) == (200, "published")
    assert Client().get(f"/articles/{published.json()['slug']}/").status_code == 200
    note = {"headline": "Ferries sail at noon", "correction": "It was noon."}
    assert editor("PATCH", f"{ARTICLES}{article.key}", note, If_Match='"3"').status_code == 200
    assert article.revisions.filter(note="It was noon.").exists()
    moves = LogEntry.objects.filter(object_pk=str(article.pk), actor=editor.row.user, remote_addr="127.0.0.1")
    assert any("state" in (move.changes or {}) for move in moves)


def test_a_chief_retracts_with_a_note_and_publishes_again() -> None:
    chief, article = Program(member(roles.CHIEFS)), ArticleFactory()

    assert chief("POST", f"{ARTICLES}{article.key}/retract", {"note": ""}, If_Match='"1"').status_code == 422
    retracted = chief("POST", f"{ARTICLES}{article.key}/retract", {"note": "We were misled."}, If_Match='"1"')
    assert (retracted.json()["state"], retracted.json()["moves"]) == ("retracted", ["restore"])
    again = chief("POST", f"{ARTICLES}{article.key}/restore", If_Match=retracted.headers["ETag"])
    assert again.json()["state"] == "published"


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({}, "headline"),
        ({"headline": "x" * 301}, "headline"),
        ({"headline": "A\x00"}, "given.headline"),
        ({"headline": "A", "canonical_url": "javascript:x"}, "canonical_url"),
        ({"headline": "A", "source": "nobody"}, "source"),
        ({"headline": "A", "picture": "none"}, "picture"),
        ({"headline": "A", "tags": ["Nowhere"]}, "tags"),
        ({"headline": "A", "credits": [{"name": "B", "role": "king"}]}, "given.credits.0.role"),
        ({"headline": "A", "published_at": "soon"}, "given.published_at"),
        ({"headline": "A", "state": "published"}, "given.state"),
        ([], "given"),
    ],
)
def test_what_cannot_be_stored_is_refused_with_the_field(editor: Program, sent: Any, field: str) -> None:
    answer = editor("POST", ARTICLES, sent)

    assert answer.status_code == 422
    assert field in [error["field"] for error in answer.json()["errors"]]
    assert not Article.objects.exists()


def test_what_readers_may_not_have_yet_is_said_and_nothing_happens(editor: Program) -> None:
    article = ArticleFactory(draft=True, ours=True, lead_media=MediaFactory(alt=""))

    answer = editor("POST", f"{ARTICLES}{article.key}/publish", If_Match='"1"')

    assert answer.status_code == 409
    assert "Say what each picture shows" in answer.json()["detail"]
    assert editor.read(article).json()["state"] == "draft"


# --- nobody's work is written over, nothing is done twice ---------------------------------------


def test_a_change_names_the_version_it_was_made_for(editor: Program) -> None:
    article = ArticleFactory(draft=True)
    where = f"{ARTICLES}{article.key}"
    assert editor("PATCH", where, {"headline": "First"}, If_Match='"1"').status_code == 200

    for method, path, body in (("PATCH", where, {"headline": "Second"}), ("POST", f"{where}/approve", None)):
        assert editor(method, path, body, If_Match='"1"').status_code == 412
        assert editor(method, path, body).status_code == 428
        assert editor(method, path, body, If_Match="*").status_code == 412

    article.refresh_from_db()
    assert (article.headline, article.state) == ("First", ArticleState.DRAFT)


def test_a_request_sent_again_under_its_key_is_done_once(editor: Program) -> None:
    sent = {"headline": "Ferries sail"}

    first = editor("POST", ARTICLES, sent, Idempotency_Key="k1")
    again = editor("POST", ARTICLES, sent, Idempotency_Key="k1")
    moved = [
        editor(
            "POST", f"{ARTICLES}{first.json()['key']}/approve", If_Match='"1"', Idempotency_Key="k2"
        ).status_code
        for _ in range(2)
    ]

    assert (first.status_code, again.status_code, moved) == (201, 200, [200, 200])
    assert again.json() == first.json()
    assert article_of(first).version == 2
    assert editor("POST", ARTICLES, {"headline": "Other"}, Idempotency_Key="k1").status_code == 422
    assert editor("POST", ARTICLES, sent, Idempotency_Key="k" * 201).status_code == 400
    assert Article.objects.count() == 1
    assert Program(editor.row.user)("POST", ARTICLES, sent, Idempotency_Key="k1").status_code == 201
    assert "Ferries" not in json.dumps(list(HandledRequest.objects.values()), default=str)


def test_a_refused_request_may_be_sent_again_under_its_key(editor: Program) -> None:
    assert (
        editor("POST", ARTICLES, {"headline": "A", "source": "outlet"}, Idempotency_Key="k").status_code
        == 422
    )
    SourceFactory(slug="outlet")
    sent = {"headline": "A", "source": "outlet"}
    assert editor("POST", ARTICLES, sent, Idempotency_Key="k").status_code == 422
    assert (
        editor(
            "POST", ARTICLES, {**sent, "canonical_url": "https://a.example/1"}, Idempotency_Key="k"
        ).status_code
        == 201
    )


# --- who may ------------------------------------------------------------------------------------


def test_a_token_opens_only_what_its_scopes_and_its_person_may(editor: Program) -> None:
    draft, public = ArticleFactory(draft=True), ArticleFactory()
    reader, writer = Program(editor.row.user, ["read"]), Program(editor.row.user, ["read", "write"])

    assert reader("POST", ARTICLES, {"headline": "A"}).status_code == 403
    assert reader("PATCH", f"{ARTICLES}{draft.key}", {"headline": "A"}, If_Match='"1"').status_code == 403
    assert writer("PATCH", f"{ARTICLES}{public.key}", {"headline": "A"}, If_Match='"1"').status_code == 403
    assert writer("POST", f"{ARTICLES}{draft.key}/publish", If_Match='"1"').status_code == 403
    assert writer("POST", f"{ARTICLES}{draft.key}/submit", If_Match='"1"').status_code == 200
    assert Program(editor.row.user, ["write"])("GET", ARTICLES).status_code == 403
    assert editor("GET", "/api/desk/me").json()["groups"] == [roles.EDITORS]


def test_a_token_that_ended_opens_nothing(editor: Program) -> None:
    other, gone = Program(editor.row.user), Program(UserFactory(staff=True))
    access.revoke(token=editor.row, at=timezone.now())
    AccessToken.objects.filter(pk=other.row.pk).update(expires_at=timezone.now())
    User.objects.filter(pk=gone.row.user.pk).update(is_staff=False)

    for program in (editor, other, gone):
        answer = program("GET", ARTICLES)
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert editor("GET", ARTICLES, token="ndt_guess").status_code == 401
    assert Client().get(ARTICLES).status_code == 401
    assert editor.token not in json.dumps(list(AccessToken.objects.values()), default=str)


def test_a_token_is_not_used_without_end(editor: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newsroom.desk_api.REQUESTS", 2)

    answers = [editor("GET", "/api/desk/me") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1].headers["Retry-After"]


def test_what_is_withheld_or_erased_is_not_handed_out(editor: Program) -> None:
    now = timezone.now()
    held, erased = ArticleFactory(headline="Pink and restless sky"), ArticleFactory()
    for article in (held, erased):
        actions.place_hold(
            article=article, kind=HoldKind.LEGAL, reference="claim:1", effective_at=now, at=now, by=None
        )
    actions.erase(article=erased, at=now)

    answers = [editor.read(held), editor.read(erased), editor("GET", ARTICLES)]

    assert [answer.status_code for answer in answers] == [451, 410, 200]
    assert all("Pink" not in answer.content.decode() for answer in answers)
    assert answers[2].json()["articles"] == []


def test_the_list_is_read_to_its_end_in_as_many_queries_as_ever(editor: Program) -> None:
    ArticleFactory()
    made = [ArticleFactory(state=ArticleState.REVIEW).headline for _ in range(5)]
    path, seen, queries = f"{ARTICLES}?state=review&limit=2", [], []
    while path:
        with CaptureQueriesContext(connection) as asked:
            page = editor("GET", path).json()
        queries.append(len(asked))
        seen += [row["headline"] for row in page["articles"]]
        path = re.sub("^https?://[^/]+", "", page["next"])

    assert seen == list(reversed(made))
    assert max(queries[1:]) <= queries[0]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("headline", "half \ud800"),
        ("source", "\ud800"),
        ("picture", "nul \x00"),
        ("published_at", "9999-12-31T23:59:59-12:00"),
        ("expires_at", "0001-01-01T00:00:00+14:00"),
        ("tags", ["many"] * 101),
        ("credits", [{"name": "many"}] * 101),
        ("licence_url", "javascript:alert(1)"),
    ],
)
def test_what_cannot_be_stored_or_may_not_be_shown_is_refused_in_words(
    editor: Program, field: str, value: Any
) -> None:
    answer = editor("POST", ARTICLES, {"headline": "Ferries sail", field: value})

    assert answer.status_code == 422
    assert field in str(answer.json()["errors"])
    assert not Article.objects.exists()


# --- making and revoking --------------------------------------------------------------------------


def test_a_token_is_shown_once_and_is_revoked_by_its_own_person(client: Client) -> None:
    user = member(roles.CONTRIBUTORS)
    client.force_login(user)
    others = Program(member(roles.EDITORS))

    page = client.post(
        "/admin/accounts/accesstoken/add/", {"name": "Wire", "scopes": ["read", "write"], "days": 30}
    )
    token = re.search(r'value="(ndt_[^"]+)"', page.content.decode())[1]  # type: ignore[index]
    row = AccessToken.objects.get(user=user)

    assert "no-store" in page.headers["Cache-Control"]
    assert others("GET", ARTICLES, token=token).status_code == 200
    for address in ("/admin/accounts/accesstoken/", f"/admin/accounts/accesstoken/{row.pk}/change/"):
        shown = client.get(address).content.decode()
        assert "Wire" in shown
        assert token not in shown
        assert "Test" not in shown
    assert client.get(f"/admin/accounts/accesstoken/{others.row.pk}/change/").status_code in (302, 403)
    chosen = [row.pk, others.row.pk]
    client.post("/admin/accounts/accesstoken/", {"action": "revoke", "_selected_action": chosen})
    assert others("GET", ARTICLES, token=token).status_code == 401
    assert others("GET", ARTICLES).status_code == 200

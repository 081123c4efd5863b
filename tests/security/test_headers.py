"""Every kind of answer carries the headers that stand when a mistake is made elsewhere."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import path

from articles.models import Article
from moderation.references import confirm_url, status_url
from newsroom.ready_pages import NOT_FOR_READERS
from newsroom.urls import urlpatterns as pages_of_the_site
from tests.factories import HoldFactory, UserFactory
from tests.front_door import FrontDoor
from tests.moderation.intake import address_of, send
from tests.security.observatory import directives, score

pytestmark = pytest.mark.django_db

ARTICLE = "/articles/zz-kx7-colony/"
PUBLIC = [
    "/", "/latest/", ARTICLE, "/tags/climate/", "/contributors/quillon-zebedee/", "/archive/", "/search/",
    "/search/?q=colony", "/rights/", "/about/", "/transparency/", "/transparency/log.csv", "/transparency/feed.atom",
    "/feeds/latest.rss", "/feeds/latest.atom", "/feeds/latest.json", "/sitemap.xml", "/news-sitemap.xml", "/robots.txt",
    "/.well-known/security.txt", "/api/articles/", "/api/docs", "/api/openapi.json",
]  # fmt: skip
FAILING = [
    "/no/such/page",
    "/articles/no-such/",
    "/removal/nobodys-secret/",
    "/api/articles/none/",
    "/latest/?after=!",
]
REFUSED = {"script-src": "'self'", "form-action": "'self'", "base-uri": "'none'", "object-src": "'none'",
           "frame-ancestors": "'none'", "default-src": "'none'"}  # fmt: skip


def broken(request: Any) -> Any:
    raise RuntimeError("a secret of the program")


urlpatterns = [path("broken/", broken), *pages_of_the_site]
handler404, handler403 = "newsroom.views.not_found", "newsroom.views.forbidden"
handler400, handler500 = "newsroom.views.bad_request", "newsroom.views.server_error"


def private_pages() -> list[str]:
    notice = send("https://else.example/a")
    return ["/removal/", *(urlsplit(url(notice)).path for url in (status_url, confirm_url))]


def assert_guarded(headers: Any) -> None:
    policy = directives(headers["Content-Security-Policy"])
    assert {name: " ".join(policy[name]) for name in REFUSED} == REFUSED
    assert not {"'unsafe-inline'", "'unsafe-eval'"} & {word for words in policy.values() for word in words}
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Cross-Origin-Embedder-Policy"] == "require-corp"
    assert "geolocation=()" in headers["Permissions-Policy"]
    assert not {"Server", "X-Powered-By"} & set(headers)


def lets_no_text_become_markup(headers: Any) -> bool:
    policy = directives(headers["Content-Security-Policy"])
    return policy.get("require-trusted-types-for") == ["'script'"] and policy.get("trusted-types") == [
        "'none'"
    ]


@pytest.mark.parametrize("address", [*PUBLIC, *FAILING])
def test_a_public_answer_is_guarded_and_scores_a_plus(
    address: str, https: dict[str, Any], somewhere_everywhere: Article
) -> None:
    for way in ("rendered", "from its row"):
        answer = FrontDoor().get(address, **https)

        assert_guarded(answer.headers)
        assert lets_no_text_become_markup(answer.headers), way
        assert score(answer.headers, [], answer.text) >= 120
        assert answer.headers["Strict-Transport-Security"].startswith("max-age=63072000; includeSubDomains")
        assert "Set-Cookie" not in answer.headers


def test_the_reading_tools_alone_may_start_a_worker(https: dict[str, Any]) -> None:
    for way in ("rendered", "from its row"):
        answer = FrontDoor().get("/tools/", **https)

        assert_guarded(answer.headers)
        policy = directives(answer.headers["Content-Security-Policy"])
        assert policy["require-trusted-types-for"] == ["'script'"], way
        assert policy["trusted-types"] == ["offline-worker"]
        assert score(answer.headers, [], answer.text) >= 120


def test_the_pages_of_a_case_are_guarded_score_a_plus_and_are_kept_by_nobody(https: dict[str, Any]) -> None:
    for address in private_pages():
        answer = Client(headers={"X-Forwarded-Proto": "https"}).get(address, HTTP_HOST="news.example")

        assert_guarded(answer.headers)
        assert lets_no_text_become_markup(answer.headers)
        cookies = [cookie.OutputString() for cookie in answer.cookies.values()]
        assert score(answer.headers, cookies, answer.content.decode()) >= 120
        assert answer.headers["Cache-Control"] == "no-store, private"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert "noindex" in answer.headers["X-Robots-Tag"]


def test_the_desk_is_guarded_and_kept_by_nobody(https: dict[str, Any], somewhere_everywhere: Article) -> None:
    desk = Client(headers={"X-Forwarded-Proto": "https", "Host": "news.example"})
    pages = [
        "/admin/login/",
        "/admin/",
        "/admin/articles/article/",
        "/admin/moderation/claim/",
        "/admin/none/",
    ]
    desk.force_login(UserFactory(superuser=True))
    for address in pages:
        answer = desk.get(address)

        assert_guarded(answer.headers)
        assert score(answer.headers, []) >= 110
        assert answer.headers["Cache-Control"] == "no-store, private"
    editor = desk.get(f"/admin/articles/article/{somewhere_everywhere.pk}/change/").headers
    assert directives(editor["Content-Security-Policy"])["script-src-elem"] == ["'self'"]
    assert editor["Cache-Control"] == "no-store, private"


def test_cookies_belong_to_this_host_over_https_alone(https: dict[str, Any]) -> None:
    desk = Client(headers={"X-Forwarded-Proto": "https", "Host": "news.example"})
    UserFactory(superuser=True, username="ines", password="a long test password")
    desk.get("/admin/login/")
    answer = desk.post("/admin/login/", {"username": "ines", "password": "a long test password"})

    assert {"__Host-session", "__Host-csrf"} <= set(answer.cookies)
    for cookie in answer.cookies.values():
        assert (cookie["secure"], cookie["httponly"], cookie["path"], cookie["domain"]) == (
            True,
            True,
            "/",
            "",
        )
        assert cookie["samesite"] in ("Lax", "Strict")


def test_a_removed_article_is_guarded_too(https: dict[str, Any], somewhere_everywhere: Article) -> None:
    HoldFactory(article=somewhere_everywhere)

    answer = FrontDoor().get(ARTICLE, **https)

    assert answer.status == 451
    assert_guarded(answer.headers)


def test_http_leads_to_https_on_the_same_host(https: dict[str, Any]) -> None:
    answer = FrontDoor().get("/latest/?a=1", HTTP_HOST="news.example")

    assert (answer.status, answer.headers["Location"]) == (301, "https://news.example/latest/?a=1")


def test_a_fault_tells_nothing_and_is_guarded(settings: Any, https: dict[str, Any]) -> None:
    settings.ROOT_URLCONF = __name__
    visitor = Client(
        raise_request_exception=False, headers={"X-Forwarded-Proto": "https", "Host": "news.example"}
    )

    answer = visitor.get("/broken/")

    assert answer.status_code == 500
    assert_guarded(answer.headers)
    for word in (b"secret of the program", b"Traceback", b"RuntimeError", b"Django", b"newsroom.urls"):
        assert word not in answer.content


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1@evil.example", "127.0.0.1:80:80", "a b", "[::1", ""]
)
def test_a_foreign_host_is_refused_and_its_answer_guarded(host: str) -> None:
    answer = FrontDoor().get("/", HTTP_HOST=host)

    assert answer.status == 400
    assert_guarded(answer.headers)
    assert "evil.example" not in answer.text


def test_a_forwarded_host_is_not_believed(somewhere_everywhere: Article) -> None:
    answer = FrontDoor().get(ARTICLE, HTTP_X_FORWARDED_HOST="evil.example")

    assert answer.status == 200
    assert "evil.example" not in answer.text


def test_a_picture_cannot_run(somewhere_everywhere: Article) -> None:
    picture = somewhere_everywhere.lead_media

    answer = FrontDoor().get(f"/media/{picture.token}/480.webp")

    assert answer.status == 200
    assert answer.headers["Content-Type"] == "image/webp"
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_what_others_may_read_is_read_without_their_cookies(somewhere_everywhere: Article) -> None:
    for address in PUBLIC:
        headers = FrontDoor().get(address, HTTP_ORIGIN="https://evil.example").headers

        assert headers.get("Access-Control-Allow-Origin") in (None, "*")
        assert "Access-Control-Allow-Credentials" not in headers


def test_an_answer_about_a_notice_names_nobody_by_referrer(somewhere_everywhere: Article) -> None:
    notice = send(address_of(somewhere_everywhere))

    answer = Client().get(urlsplit(status_url(notice)).path)

    assert answer.headers["Referrer-Policy"] == "same-origin"


def test_what_readers_get_is_made_with_less_and_says_the_same(settings, somewhere_everywhere):
    """A page for everybody passes less of the middleware; whoever names himself gets it through all of it."""
    assert set(settings.MIDDLEWARE) >= NOT_FOR_READERS
    door = FrontDoor()

    for page in [
        *PUBLIC,
        "/tools/",
        f"/de{ARTICLE}",
        "/de/tools/",
        "/articles/no-such/",
        "/latest/?before=x",
    ]:
        theirs, ours = door.get(page, HTTP_AUTHORIZATION="Bearer x"), door.get(page)

        assert ours.headers == theirs.headers, page
        assert (ours.status, ours.text) == (theirs.status, theirs.text), page

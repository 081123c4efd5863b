"""Whatever is asked, the answer has the right status, and its page says what to do."""

from __future__ import annotations

import pytest

from tests.front_door import Answer, FrontDoor

pytestmark = pytest.mark.django_db

ARTICLE = "/articles/zz-kx7-colony/"
LISTS = ("/latest/", "/tags/climate/", "/contributors/quillon-zebedee/", "/archive/", "/languages/en/")
# What a query may say that no page understands, or everybody's trackers add: the page as it is.
IGNORED = (
    "?utm_source=x&fbclid=y", "?page=2", "?page=-1", "?page=abc", "?%00=%00", "?a[]=1&a[]=2", "?=", "?&&&",
    "?%", "?%zz",
    "?%ff%fe", "?q=" + "é" * 900, "?before=",
)  # fmt: skip
ODD_PATHS = {
    "/articles/%ff%fe/": 404, "/articles/%00/": 404, "/articles/%e2%80%ae/": 404,
    "/articles/" + "a" * 3000 + "/": 404,
    "/articles/..%2f..%2fetc%2fpasswd/": 404, "/articles/zz-kx7-colony": 301, "/ARTICLES/zz-kx7-colony/": 404,
    "/articles//zz-kx7-colony/": 404, "//evil.example/": 404, "/articles/zz-kx7-colony/?": 200, "/latest": 301,
    "/tags/climate/feed.xml": 404, "/feeds/latest": 404, "/archive/2026-13-01/": 404, "/archive/26-1-1/": 404,
    "/languages/english/": 404, "/languages/xx/": 404, "/stories/-/": 404, "/sitemaps/-1.xml": 404,
    "/sitemaps/x.xml": 404,
    "/media/x/0.webp": 404, "/media/../../etc/passwd": 404, "/wp-login.php": 404, "/.env": 404, "/index.html": 404,
    "/de/nowhere/": 404, "/ar/articles/nowhere/": 404, "/search/?q=%22%22%22": 200, "/search/?q=-": 200,
    "/search/?q=OR+OR+OR": 200, "/search/?q=%28%29%2a%3a%5e": 200, "/search/?q=%f0%9f%98%80": 200,
    "/search/?q=a%00b": 200,
    "/search/?q=ferry&before=zzz": 400, "/search/?q=ferry&source=none&tag=none&language=%27": 200,
    "/search/?q=ferry&since=2026-99-99": 400, "/latest/?before=%ff": 400, "/follow/?of=/nowhere/": 404,
    "/follow/?of=%00": 404,
    "/oembed?url=%ff": 404,
}  # fmt: skip
METHODS = {
    "HEAD": 200, "OPTIONS": 204, "POST": 405, "PUT": 405, "DELETE": 405, "PATCH": 405, "TRACE": 405, "PROPFIND": 405,
}  # fmt: skip
# Nothing is sent to these, whoever asks; programs are told so in their form.
ONLY_READ = ("/healthz", "/readyz", "/metrics", "/api/docs", "/api/openapi.json", "/api/", "/api/tags/")
ODD_HEADERS = {
    "HTTP_ACCEPT": "application/x-nonsense", "HTTP_ACCEPT_ENCODING": "br;q=x, , *;q=0, \x01",
    "HTTP_IF_NONE_MATCH": 'W/"x", "',
    "HTTP_IF_MODIFIED_SINCE": "yesterday", "HTTP_RANGE": "bytes=9999999-", "HTTP_COOKIE": "a=" + "x" * 9000,
    "HTTP_ACCEPT_LANGUAGE": "xx-" * 2000, "HTTP_AUTHORIZATION": "Basic %%%", "HTTP_REFERER": "javascript:alert(1)",
    "HTTP_X_FORWARDED_FOR": "' OR 1=1", "HTTP_USER_AGENT": "\xff\x00", "CONTENT_LENGTH": "-5",
    "CONTENT_TYPE": "\x00",
}  # fmt: skip


def is_helpful(answer: Answer) -> bool:
    """A page in a language, with a heading, and a way on."""
    return all(part in answer.text for part in ("<html lang=", "<h1", 'href="'))


def test_odd_requests_get_the_right_status_and_a_page_that_helps(somewhere_everywhere):
    door, wrong = FrontDoor(), []
    asked = [
        *((path + query, "GET", {}, 200) for path in (*LISTS, ARTICLE, "/") for query in IGNORED),
        *((path, "GET", {}, status) for path, status in ODD_PATHS.items()),
        *((path, method, {}, status) for path in (ARTICLE, "/latest/") for method, status in METHODS.items()),
        *((ARTICLE, "GET", {name: value}, 200) for name, value in ODD_HEADERS.items()),
        (ARTICLE, "GET", {"HTTP_HOST": "evil.example"}, 400),
        (ARTICLE, "GET", {"HTTP_HOST": ""}, 400),
    ]
    for path, method, headers, status in asked:
        answer = door.get(path, method=method, **headers)
        if answer.status != status:
            wrong.append(f"{method} {path[:60]} {[*headers]}: {answer.status}, not {status}")
        elif method == "GET" and status != 301 and path[-4:] != ".xml" and not is_helpful(answer):
            wrong.append(f"{method} {path[:60]} {[*headers]}: no page that helps")

    assert not wrong, "\n".join(wrong)
    options = door.get(ARTICLE, method="OPTIONS")
    assert (options.body, options.headers["Allow"]) == (b"", "GET, HEAD, OPTIONS")
    assert door.get("/removal/", method="OPTIONS").headers["Allow"] == "GET, HEAD, OPTIONS, POST"
    for path in (ARTICLE, *ONLY_READ):
        refused = door.get(path, method="POST")
        assert (refused.status, refused.headers["Allow"]) == (405, "GET, HEAD, OPTIONS"), path
        assert ("problem+json" in refused.headers["Content-Type"]) == path.startswith("/api/")
    for path, method in (("/api/notices/", "GET"), ("/api/notices/", "OPTIONS"), ("/api/tags/", "TRACE")):
        refused = door.get(path, method=method)
        assert (refused.status, refused.headers["Content-Type"]) == (405, "application/problem+json"), path
        assert refused.headers["Allow"] in refused.text
    head = door.get("/removal/", method="HEAD")
    assert (head.body, int(head.headers["Content-Length"]) > 1000) == (b"", True)
    assert door.get("/api/nothing").headers["Content-Type"] == "application/problem+json"
    # A notice sent to an address without its last slash is sent again, not turned into a question.
    assert door.get("/api/notices", method="POST").status == 308


def test_a_page_that_is_not_there_offers_a_search_for_its_words(somewhere_everywhere):
    text = FrontDoor().get("/articles/zebrafinch-colony-moves-a1b2c3/").text
    assert 'href="/search/?q=zebrafinch%20colony%20moves"' in text

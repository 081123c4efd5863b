"""The programming interface: what it gives, what it never gives, and how it says so."""

from __future__ import annotations

import json
import re
import uuid

import pytest
from django.test import Client
from django.utils import timezone
from ninja import Schema
from ninja.responses import NinjaJSONEncoder

from articles.actions import erase, retract
from articles.api import ArticlePage, HitPage
from articles.models import ReadyPage
from tests.factories import ArticleFactory, HoldFactory, SourceFactory
from tests.front_door import Answer, FrontDoor

pytestmark = pytest.mark.django_db


@pytest.fixture
def door() -> FrontDoor:
    return FrontDoor()


def read(answer: Answer):
    assert answer.status == 200, answer.text
    return json.loads(answer.text)


def as_described(schema: type[Schema], given: dict) -> bool:
    """Lists are written without their schema; programs are told by it what to read."""
    read_by_it = schema.model_validate_json(json.dumps(given)).model_dump()
    return json.loads(json.dumps(read_by_it, cls=NinjaJSONEncoder)) == given


def test_an_article_comes_with_its_credits_source_and_terms(door):
    article = ArticleFactory(tags=["Ports"], people=["Ann Ó Briain", "Bo Li"], usage_terms="Link back.")

    given = read(door.get(f"/api/articles/{article.key}"))

    assert given["headline"] == article.headline
    assert given["source_url"] == article.canonical_url
    assert [person["name"] for person in given["contributions"]] == ["Ann Ó Briain", "Bo Li"]
    assert [tag["name"] for tag in given["tags"]] == ["Ports"]
    assert (given["pubstatus"], given["usage_terms"]) == ("usable", "Link back.")
    assert "harbour master" in given["body"]


def test_the_usage_policy_of_the_source_applies(door):
    excerpt = ArticleFactory(source=SourceFactory(usage="excerpt", excerpt_words=4, terms=""))
    headline = ArticleFactory(source=SourceFactory(usage="headline", terms=""))

    for article in (excerpt, headline):
        given = read(door.get(f"/api/articles/{article.key}"))
        assert given["body"] == ""
        assert "harbour master" not in json.dumps(given)
    listed = {row["headline"]: row["excerpt"] for row in read(door.get("/api/articles/"))["articles"]}
    assert listed[headline.headline] == ""


def test_lists_are_read_to_their_end_by_following_next(door):
    made = [ArticleFactory().headline for _ in range(5)]
    path, seen = "/api/articles/?limit=2", []

    while path:
        page = read(door.get(path))
        assert as_described(ArticlePage, page)
        seen += [row["headline"] for row in page["articles"]]
        path = re.sub("^https?://[^/]+", "", page["next"])

    assert sorted(seen) == sorted(made)


@pytest.mark.parametrize("narrowed", ["tag=ports", "source=outlet-x", "contributor=ann-bo", "language=de"])
def test_lists_can_be_narrowed(door, narrowed):
    wanted = ArticleFactory(
        tags=["Ports"], people=["Ann Bo"], source=SourceFactory(slug="outlet-x"), language="de"
    )
    ArticleFactory(tags=["Lakes"], people=["Cy Di"])

    page = read(door.get(f"/api/articles/?{narrowed}"))

    assert [row["key"] for row in page["articles"]] == [str(wanted.key)]


def test_names_are_listed_only_while_something_of_theirs_is_public(door):
    article = ArticleFactory(tags=["Ports"], people=["Ann Bo"])
    for path in ("/api/tags/", "/api/contributors/", "/api/sources/"):
        assert len(read(door.get(path))["names"]) == 1

    HoldFactory(article=article)

    for path in ("/api/tags/", "/api/contributors/", "/api/sources/"):
        assert read(door.get(path))["names"] == []


def test_search_gives_marked_hits(door):
    article = ArticleFactory(headline="Glacier retreats")

    found = read(door.get("/api/search/?q=glacier"))

    assert as_described(HitPage, found)
    assert [hit["headline"] for hit in found["hits"]] == ["<mark>Glacier</mark> retreats"]
    assert found["hits"][0]["article"]["key"] == str(article.key)


def test_answers_are_kept_ready_and_gone_with_the_article(door):
    article = ArticleFactory()
    paths = ["/api/articles/", f"/api/articles/{article.key}"]
    for path in paths:
        assert article.headline in door.get(path).text
    assert set(ReadyPage.objects.values_list("path", flat=True)) == set(paths)

    HoldFactory(article=article)

    assert not ReadyPage.objects.exists()
    assert article.headline not in door.get("/api/articles/").text


def test_a_withheld_article_is_451_and_an_erased_one_410(door):
    article = ArticleFactory(people=["Ann Bo"])
    HoldFactory(article=article)

    held = door.get(f"/api/articles/{article.key}")
    erase(article=article, at=timezone.now())
    erased = door.get(f"/api/articles/{article.key}")

    assert (held.status, json.loads(held.text)["pubstatus"]) == (451, "withheld")
    assert (erased.status, json.loads(erased.text)["pubstatus"]) == (410, "canceled")
    for answer in (held, erased):
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.headers["Cache-Control"] == "no-store"
        assert article.headline not in answer.text
        assert article.slug not in answer.text


def test_a_retracted_article_is_canceled(door):
    article = ArticleFactory()
    retract(article=article, at=timezone.now(), by=None, note="The figures were wrong.")

    answer = door.get(f"/api/articles/{article.key}")

    assert (answer.status, json.loads(answer.text)["pubstatus"]) == (410, "canceled")


@pytest.mark.parametrize(
    ("path", "status"),
    [(f"/api/articles/{uuid.UUID(int=7)}", 404), ("/api/articles/?before=nonsense", 400), ("/api/search/", 422),
     ("/api/articles/?limit=many", 422), ("/api/tags/?after=%00", 400)],
)  # fmt: skip
def test_errors_are_problem_documents(door, path, status):
    answer = door.get(path)

    assert answer.status == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert json.loads(answer.text)["status"] == status


def test_a_draft_does_not_exist(door):
    draft = ArticleFactory(draft=True)

    assert door.get(f"/api/articles/{draft.key}").status == 404
    assert draft.headline not in door.get("/api/articles/").text


def test_the_address_of_the_interface_leads_to_its_documentation(client):
    answer = client.get("/api/")

    assert (answer.status_code, answer["Location"]) == (302, "/api/docs")
    assert client.post("/api/").status_code == 405


def test_the_documentation_has_no_inline_script_and_no_foreign_host(door):
    page = door.get("/api/docs").text

    assert "/api/articles/{key}" in page
    assert "<code>ETag</code>" in page
    assert "`" not in page
    assert all('src="/static/' in tag for tag in re.findall(r"<script[^>]*>", page))
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', page)
    assert json.loads(door.get("/api/openapi.json").text)["openapi"].startswith("3.")


@pytest.mark.parametrize("count", [1, 5])
def test_a_list_costs_the_same_for_any_number_of_articles(client, count, django_assert_max_num_queries):
    for _ in range(count):
        ArticleFactory(tags=["Ports"], people=["Ann Bo"])

    with django_assert_max_num_queries(6):
        assert len(client.get("/api/articles/?limit=5").json()["articles"]) == count


def test_a_removal_notice_is_taken_without_a_cookie():
    article = ArticleFactory()
    notice = {"urls": [f"http://127.0.0.1:8000/articles/{article.slug}/"], "email": "owner@outlet.example"}

    answer = Client(enforce_csrf_checks=True).post("/api/notices/", notice, content_type="application/json")

    assert answer.status_code == 202
    assert answer.json()["reference"].startswith("NR-")

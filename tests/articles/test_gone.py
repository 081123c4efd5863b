"""What stands in the place of an article that is not public: nothing of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.http import Http404
from django.test import RequestFactory
from django.utils import timezone

from articles import gone
from articles.actions import erase, retract, suspend_source
from articles.models import Article
from tests.factories import ArticleFactory, HoldFactory
from tests.front_door import FrontDoor

pytestmark = pytest.mark.django_db


@pytest.fixture
def article() -> Article:
    return ArticleFactory(
        headline="Quixotic headline", slug="quixotic-headline-1", standfirst="Quixotic standfirst",
        body="<p>quixotic body</p>", byline="By Quixotic Author", people=["Quixotic Author"], tags=["Quixotic tag"],
    )  # fmt: skip


def held(article: Article, kind: str) -> None:
    HoldFactory(article=article, kind=kind, note="At the owner's request.")


def erased(article: Article) -> None:
    HoldFactory(article=article)
    erase(article=article, at=timezone.now())


STATES = {
    "held for a right": (lambda a: held(a, "legal"), 451),
    "held by editors": (lambda a: held(a, "editorial"), 410),
    "erased": (erased, 410),
    "retracted": (lambda a: retract(article=a, at=timezone.now(), by=None, note="Wrong."), 410),
    "of a suspended source": (
        lambda a: suspend_source(source=a.source, at=timezone.now(), by=None, reason="Repeated infringement."), 410),
    "expired": (lambda a: Article.objects.filter(pk=a.pk).update(expires_at=timezone.now() - timedelta(hours=1)), 410),
}  # fmt: skip


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("accept", ["text/html", "application/json"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_nothing_of_it_is_in_the_answer(article, state, accept, method):
    make, status = STATES[state]
    make(article)

    answer = FrontDoor().get("/articles/quixotic-headline-1/", HTTP_ACCEPT=accept, method=method)

    assert answer.status == status
    assert "uixotic" not in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Robots-Tag"] == "noindex, noarchive"
    assert (answer.text == "") == (method == "HEAD")
    blocked_by = f'<{settings.SITE_URL}/rights/>; rel="blocked-by"'
    assert answer.headers.get("Link") == (blocked_by if status == 451 else None)


def test_readers_are_told_what_the_hold_says(article):
    held(article, "legal")

    assert "At the owner&#x27;s request." in FrontDoor().get("/articles/quixotic-headline-1/").text


def test_of_two_holds_the_legal_one_answers(article):
    held(article, "editorial")
    held(article, "legal")

    assert gone.reason_of(article).status == 451


@pytest.mark.parametrize("state", ["draft", "review", "approved"])
def test_what_never_was_public_does_not_exist(state):
    article = ArticleFactory(state=state)

    with pytest.raises(Http404):
        gone.answer(RequestFactory().get("/"), article)


def test_an_embargo_does_not_exist_yet():
    article = ArticleFactory(published_at=timezone.now() + timedelta(hours=1))

    assert FrontDoor().get(f"/articles/{article.slug}/").status == 404


def test_an_embargo_under_a_hold_does_not_say_that_it_exists():
    article = ArticleFactory(published_at=timezone.now() + timedelta(hours=1))
    HoldFactory(article=article)

    assert FrontDoor().get(f"/articles/{article.slug}/").status == 404

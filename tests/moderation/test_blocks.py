"""A work under a hold does not come in again, by whatever door."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from articles import actions as articles
from articles.drafts import Draft
from articles.models import Article
from moderation import actions
from moderation.models import ClaimState
from tests.factories import ArticleFactory
from tests.moderation.cases import claim_in

S = ClaimState
pytestmark = pytest.mark.django_db


def draft_like(article: Article, **changed: str) -> Draft:
    told = {"url_key": article.url_key, "text_key": article.text_key, "title_day_key": article.title_day_key}
    return Draft(canonical_url="https://mirror.example/x", guid_key="g", headline="Again", **(told | changed))


def removed(state: ClaimState = S.UPHELD) -> Article:
    article = ArticleFactory(text_key="t" * 64, title_day_key="d" * 64)
    claim_in(state, article=article)
    article.refresh_from_db()
    return article


@pytest.mark.parametrize("state", [S.UPHELD, S.COUNTERED, S.ERASED])
@pytest.mark.parametrize("other", ["text_key", "title_day_key"])
def test_a_mirror_with_another_address_is_blocked(state, other):
    article = removed(state)
    differs = {"url_key": "u" * 64, "text_key": "x" * 64, "title_day_key": "y" * 64} | {
        other: article.text_key
    }
    if other == "title_day_key":
        differs[other] = "d" * 64

    done = articles.ingest(source=article.source, drafts=[draft_like(article, **differs)], at=timezone.now())

    assert [one.outcome for one in done] == [articles.BLOCKED]


def test_the_next_fetch_of_the_same_address_changes_nothing():
    article = removed()

    done = articles.ingest(source=article.source, drafts=[draft_like(article)], at=timezone.now())

    assert done[0].outcome in (articles.BLOCKED, articles.SKIPPED)
    assert not Article.objects.public().exists()


@pytest.mark.parametrize("state", [S.UPHELD, S.ERASED])
def test_bulk_create_meets_the_block_too(state):
    removed(state)
    copy = Article(slug="copy", headline="Copy", url_key="u" * 64, text_key="t" * 64)

    with pytest.raises(DatabaseError, match="removed at its owner's request"), transaction.atomic():
        Article.objects.bulk_create([copy])


@pytest.mark.parametrize("ended", [S.WITHDRAWN, S.REINSTATED])
def test_when_the_hold_is_lifted_the_block_goes_with_it(ended):
    article = removed(ended)
    copy = draft_like(article, url_key="u" * 64)

    done = articles.ingest(source=article.source, drafts=[copy], at=timezone.now() + timedelta(minutes=1))

    assert done[0].outcome == articles.CREATED


def test_one_of_two_holds_lifted_still_blocks():
    article = removed()
    other = claim_in(S.UPHELD, article=article)
    actions.withdraw(claim_id=other.pk, at=timezone.now())

    done = articles.ingest(
        source=article.source, drafts=[draft_like(article, url_key="u" * 64)], at=timezone.now()
    )

    assert done[0].outcome == articles.BLOCKED

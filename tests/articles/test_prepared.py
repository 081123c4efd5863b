"""What is prepared of an article's text: there when it is published, gone with any change to it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from articles import around, display
from articles.actions import erase, ingest, place_hold, refresh
from articles.models import Article, HoldKind, Prepared, Tag
from articles.prepared import minutes_to_read, opening_of
from tests.articles.test_blocks import draft
from tests.factories import ArticleFactory, SourceFactory
from tests.front_door import FrontDoor

pytestmark = pytest.mark.django_db


def prepared(**given) -> Article:
    article = ArticleFactory(**given)
    refresh(articles=[article])
    return article


def test_what_comes_in_is_prepared_in_the_same_transaction():
    (done,) = ingest(source=SourceFactory(), drafts=[draft(body="<p>Ferries stop.</p>")], at=timezone.now())

    row = Prepared.objects.get(pk=done.article_id)
    assert row.opening == "Ferries stop."
    assert display.listed().get(pk=done.article_id).opening == "Ferries stop."


@pytest.mark.parametrize("name", ["headline", "standfirst", "body"])
def test_any_change_to_the_text_deletes_what_was_prepared(name):
    article = prepared()

    Article.objects.filter(pk=article.pk).update(language="de")
    assert Prepared.objects.filter(pk=article.pk).exists()
    Article.objects.filter(pk=article.pk).update(**{name: "Another"})

    assert not Prepared.objects.filter(pk=article.pk).exists()


def test_a_list_says_the_same_where_nothing_is_prepared():
    article = prepared(standfirst="One & two <three>.")
    said = display.teaser_of(display.listed().get(pk=article.pk))

    Prepared.objects.all().delete()

    assert said == "One & two <three>."
    assert display.teaser_of(display.listed().get(pk=article.pk)) == said


def test_a_source_that_allows_fewer_words_is_obeyed():
    source = SourceFactory(usage="excerpt", excerpt_words=3)
    article = prepared(source=source, standfirst="", body="<p>One & two &lt; three four five.</p>")

    assert display.teaser_of(display.listed().get(pk=article.pk)) == "One & two…"


def test_erasing_leaves_nothing_prepared():
    article = prepared()
    at = timezone.now()
    place_hold(article=article, kind=HoldKind.LEGAL, reference="claim:1", effective_at=at, at=at, by=None)

    erase(article=article, at=at)

    assert not Prepared.objects.filter(pk=article.pk).exists()


def test_suggestions_are_kept_and_what_was_withheld_since_is_not_among_them():
    near = [prepared(headline=f"Hoyle ferry harbour {n}", tags=["Ports"]) for n in range(3)]
    article = prepared(headline="Hoyle ferry harbour closes", tags=["Ports"])
    door, path = FrontDoor(), article.get_absolute_url()
    assert all(other.headline in door.get(path).text for other in near)
    assert set(Prepared.objects.get(pk=article.pk).read_next) == {other.pk for other in near}

    at = timezone.now()
    place_hold(article=near[1], kind=HoldKind.LEGAL, reference="claim:1", effective_at=at, at=at, by=None)
    page = door.get(path).text

    assert near[0].headline in page
    assert near[1].headline not in page


def test_suggestions_are_not_kept_beside_a_text_that_changed_meanwhile():
    article = prepared()
    Article.objects.filter(pk=article.pk).update(headline="Another")

    assert not around._keep(article.pk, [1])
    assert not Prepared.objects.filter(pk=article.pk).exists()


def test_the_worker_finds_what_is_near_before_anybody_asks():
    near, article = [prepared(headline=f"Hoyle ferry harbour {n}", tags=["Ports"]) for n in range(2)]

    assert around.suggest_due(10, timezone.now() + timedelta(seconds=1)) == 2

    assert Prepared.objects.get(pk=article.pk).read_next == [near.pk]
    assert not Prepared.objects.filter(due_at__isnull=False).exists()


def test_minutes_and_opening():
    assert minutes_to_read("<p>" + "word " * 460 + "</p>") == 2
    assert minutes_to_read("<p>" + "字" * 1000 + "</p>") == 2
    assert opening_of("", "<p>" + "word " * 40 + "</p>").endswith("…")


def test_what_is_near_is_asked_in_one_text_for_each_number_of_tags() -> None:
    article, tags = ArticleFactory(), [Tag.objects.create(name=f"Tag {n}", slug=f"tag-{n}") for n in range(4)]
    texts: list[str] = []

    def watch(execute: Any, sql: str, *rest: Any) -> Any:
        texts.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(watch):
        around.near(article, tags[:2])
        around.near(article, tags[2:])

    assert len(texts) == 2
    assert texts[0] == texts[1]

"""Holds: the database's own clock withholds, several at once do not undo one another, nothing is altered."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta

import pytest
from django.db import connections
from django.utils import timezone

from articles import surfaces
from articles.actions import place_hold, release_hold
from articles.models import Article, Hold, HoldKind, Source
from tests.factories import ArticleFactory, HoldFactory


def hold(article: Article, *, at: datetime, reference: str = "claim:1", kind: str = HoldKind.LEGAL) -> Hold:
    return place_hold(
        article=article, kind=HoldKind(kind), reference=reference, effective_at=at, at=timezone.now(), by=None
    )


def is_public(article: Article) -> bool:
    return Article.objects.public().filter(pk=article.pk).exists()


@pytest.mark.django_db(transaction=True)
def test_a_deadline_is_kept_by_the_database_alone():
    article = ArticleFactory()
    due = timezone.now() + timedelta(seconds=1)
    hold(article, at=due)

    assert is_public(article)
    while timezone.now() < due + timedelta(milliseconds=50):
        time.sleep(0.05)

    assert not is_public(article)


@pytest.mark.django_db
def test_a_deadline_once_met_stays_when_the_clock_is_set_back():
    article = ArticleFactory()
    placed = hold(article, at=timezone.now() - timedelta(seconds=1))
    surfaces.latch()

    # A clock set back makes the deadline lie in the future again.
    Hold.objects.filter(pk=placed.pk).update(effective_at=timezone.now() + timedelta(hours=3))

    assert not is_public(article)
    assert not Hold.objects.unlatched().exists()


@pytest.mark.django_db
def test_without_a_due_hold_latching_is_one_question(django_assert_num_queries):
    hold(ArticleFactory(), at=timezone.now() + timedelta(hours=3))

    with django_assert_num_queries(1):
        surfaces.latch()


@pytest.mark.django_db
def test_an_article_shows_again_only_when_no_hold_stands():
    article = ArticleFactory()
    first, second = HoldFactory(article=article), HoldFactory(article=article, kind=HoldKind.EDITORIAL)

    release_hold(hold=first, at=timezone.now(), by=None)
    assert not is_public(article)
    release_hold(hold=second, at=timezone.now(), by=None)

    assert is_public(article)


@pytest.mark.django_db
def test_release_shows_the_article_byte_for_byte():
    article = ArticleFactory(tags=["Ports"], people=["Ann Bo"])
    before = Article.objects.filter(pk=article.pk).values().get()

    release_hold(hold=HoldFactory(article=article), at=timezone.now(), by=None)

    assert Article.objects.filter(pk=article.pk).values().get() == before
    assert is_public(article)
    assert [tag.name for tag in article.tags.all()] == ["Ports"]


@pytest.mark.django_db
def test_one_reference_is_one_hold_and_its_moment_only_comes_nearer():
    article = ArticleFactory()
    due = timezone.now() + timedelta(hours=20)

    first = hold(article, at=due)
    hold(article, at=due + timedelta(hours=9))
    assert Hold.objects.get() == first
    assert Hold.objects.get().effective_at == due

    hold(article, at=due - timedelta(hours=9))
    assert Hold.objects.get().effective_at == due - timedelta(hours=9)


@pytest.mark.django_db
def test_a_released_hold_can_be_placed_again():
    article = ArticleFactory()
    release_hold(hold=HoldFactory(article=article, reference="claim:9"), at=timezone.now(), by=None)

    HoldFactory(article=article, reference="claim:9")

    assert not is_public(article)
    assert Hold.objects.count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "public"),
    [
        ({}, True),
        ({"state": "draft"}, False),
        ({"state": "review"}, False),
        ({"state": "retracted"}, False),
        ({"published_at": timezone.now() + timedelta(hours=1)}, False),
        ({"expires_at": timezone.now() - timedelta(seconds=1)}, False),
        ({"expires_at": timezone.now() + timedelta(hours=1)}, True),
    ],
)
def test_what_a_reader_may_see(change, public):
    article = ArticleFactory()

    Article.objects.filter(pk=article.pk).update(**change)

    assert is_public(article) is public


@pytest.mark.django_db
@pytest.mark.parametrize(("minutes", "public"), [(-1, False), (1, True)])
def test_nothing_of_a_suspended_source_is_public(minutes, public):
    article = ArticleFactory()

    Source.objects.update(suspended_at=timezone.now() + timedelta(minutes=minutes))

    assert is_public(article) is public


@pytest.mark.django_db(transaction=True)
def test_of_many_hands_at_once_one_places_the_hold():
    article = ArticleFactory()
    outcomes: list[str] = []

    def place() -> None:
        try:
            hold(article, at=timezone.now())
            outcomes.append("placed")
        except Exception as error:
            outcomes.append(type(error).__name__)
        finally:
            connections.close_all()

    hands = [threading.Thread(target=place) for _ in range(6)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()

    assert outcomes == ["placed"] * 6
    assert Hold.objects.count() == 1
    assert not is_public(article)

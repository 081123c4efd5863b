"""Bodies that were cleaned under older rules are cleaned again, by portions, and readers see the new ones."""

from __future__ import annotations

import pytest
from django.db import connection
from django.utils import timezone

from articles import cleaning, sanitise
from articles.models import Article
from tests.factories import ArticleFactory
from tests.front_door import FrontDoor

pytestmark = pytest.mark.django_db
LET_THROUGH = "<p>A ferry sank.</p><svg><set onbegin=alert(1)></set></svg>"


def stored_under_older_rules(article: Article) -> None:
    """Past the field, which would clean it."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE articles_article SET body = %s WHERE id = %s", [LET_THROUGH, article.pk])


def clean_all() -> int:
    done = 0
    while cleaning.is_waiting(timezone.now()):
        done += cleaning.clean_due(2, timezone.now())
    return done


def test_older_bodies_are_cleaned_once_and_their_pages_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    articles = [ArticleFactory() for _ in range(5)]
    assert clean_all() == 5
    stored_under_older_rules(articles[3])
    page = articles[3].get_absolute_url()
    assert "onbegin" in FrontDoor().get(page).text
    assert not cleaning.is_waiting(timezone.now())

    monkeypatch.setattr(sanitise, "SANITISER_VERSION", sanitise.SANITISER_VERSION + 1)

    assert clean_all() == 5
    assert Article.objects.get(pk=articles[3].pk).body == "<p>A ferry sank.</p>"
    assert "onbegin" not in FrontDoor().get(page).text
    assert Article.objects.get(pk=articles[0].pk).body == articles[0].body

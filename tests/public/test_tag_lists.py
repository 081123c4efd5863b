"""A tag's list is read along one index, and its dates are always those of the articles."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from articles import display, keyset
from articles.actions import publish
from articles.models import Article, TaggedArticle
from tests.factories import ArticleFactory, TagFactory

pytestmark = pytest.mark.django_db


def dates_agree() -> bool:
    rows = TaggedArticle.objects.select_related("content_object")
    return all(row.published_at == row.content_object.published_at for row in rows)


def test_a_tag_knows_the_date_of_its_article_however_it_was_given():
    article, draft = ArticleFactory(tags=["Ports"]), ArticleFactory(draft=True, tags=["Ports"])
    other = TagFactory(name="Ships")
    TaggedArticle.objects.bulk_create([TaggedArticle(content_object=article, tag=other)])
    assert dates_agree()

    publish(article=draft, at=timezone.now(), by=None)
    Article.objects.filter(pk=article.pk).update(published_at=timezone.now() - timedelta(days=3))

    assert dates_agree()
    assert not TaggedArticle.objects.filter(published_at__isnull=True).exists()


def test_a_tags_pages_lose_nobody_and_repeat_nobody():
    tag = TagFactory(name="Ports")
    at = timezone.now() - timedelta(hours=2)
    articles = [
        ArticleFactory(tags=["Ports"], published_at=at - timedelta(minutes=n // 3)) for n in range(17)
    ]
    ArticleFactory.create_batch(3)
    seen, before = [], ""
    while True:
        page = keyset.page_of_tag(display.listed(), tag, before=before, size=5)
        seen += page.articles
        before = page.older
        if not before:
            break

    assert [article.pk for article in seen] == [
        article.pk for article in sorted(articles, key=lambda a: (a.published_at, a.pk), reverse=True)
    ]


def test_a_tags_newest_articles_are_read_in_the_order_of_its_index():
    ArticleFactory(tags=["Ports"])
    rows = keyset.newest_tagged(TagFactory(name="Ports"), display.listed())[:31]
    with CaptureQueriesContext(connection) as captured:
        list(rows)

    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_sort = off")
        cursor.execute(f"EXPLAIN {'QUERY PLAN ' * (connection.vendor == 'sqlite')}{captured[0]['sql']}")
        plan = "\n".join(str(row[-1]) for row in cursor.fetchall())

    assert "tagged_newest" in plan
    assert "TEMP B-TREE" not in plan
    assert "Sort" not in plan

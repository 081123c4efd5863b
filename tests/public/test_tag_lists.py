"""The list of a tag or a person is read along one index, and its dates are always those of the articles."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from articles import display, keyset
from articles.actions import publish
from articles.models import Article, Contribution, Role, TaggedArticle
from tests.factories import ArticleFactory, ContributionFactory, ContributorFactory, TagFactory

pytestmark = pytest.mark.django_db


def dates_agree() -> bool:
    tagged = [
        (row.published_at, row.content_object)
        for row in TaggedArticle.objects.select_related("content_object")
    ]
    credited = [(row.published_at, row.article) for row in Contribution.objects.select_related("article")]
    return all(at and at == article.published_at for at, article in [*tagged, *credited])


def test_a_tag_and_a_credit_know_the_date_of_their_article_however_they_were_given():
    article, draft = (
        ArticleFactory(tags=["Ports"]),
        ArticleFactory(draft=True, tags=["Ports"], people=["Ann Bo"]),
    )
    other = TagFactory(name="Ships")
    TaggedArticle.objects.bulk_create([TaggedArticle(content_object=article, tag=other)])
    ContributionFactory(article=article)
    assert TaggedArticle.objects.get(tag=other).published_at == article.published_at
    assert Contribution.objects.get(article=article).published_at == article.published_at

    publish(article=draft, at=timezone.now(), by=None)
    Article.objects.filter(pk=article.pk).update(published_at=timezone.now() - timedelta(days=3))

    assert dates_agree()


def owner_of(kind):
    return TagFactory(name="Ports") if kind == "tag" else ContributorFactory(name="Ann Bo")


@pytest.mark.parametrize("kind", ["tag", "person"])
def test_the_pages_of_a_list_lose_nobody_and_repeat_nobody(kind):
    at = timezone.now() - timedelta(hours=2)
    owner = owner_of(kind)
    articles = [
        ArticleFactory(tags=["Ports"], published_at=at - timedelta(minutes=n // 3)) for n in range(13)
    ]
    for article in articles:
        ContributionFactory(article=article, contributor=owner_of("person"), role=Role.AUTHOR)
        ContributionFactory(article=article, contributor=owner_of("person"), role=Role.PHOTOGRAPHER)
    ArticleFactory.create_batch(2)
    seen, before = [], ""
    while True:
        page = keyset.page_of(owner, display.listed(), before=before, size=5)
        seen += page.articles
        before = page.older
        if not before:
            break

    assert [article.pk for article in seen] == [
        article.pk for article in sorted(articles, key=lambda a: (a.published_at, a.pk), reverse=True)
    ]


@pytest.mark.parametrize(("kind", "index"), [("tag", "tagged_newest"), ("person", "credited_newest")])
def test_the_newest_are_read_in_the_order_of_the_lists_own_index(kind, index):
    rows = keyset.rows_of(owner_of(kind), display.listed())[:31]
    with CaptureQueriesContext(connection) as captured:
        list(rows)

    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_sort = off")
            cursor.execute("SET LOCAL enable_hashagg = off")
        cursor.execute(f"EXPLAIN {'QUERY PLAN ' * (connection.vendor == 'sqlite')}{captured[-1]['sql']}")
        plan = "\n".join(str(row[-1]) for row in cursor.fetchall())

    assert index in plan, plan
    assert "ORDER BY" not in plan, plan
    assert "Sort" not in plan, plan

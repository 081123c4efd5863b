"""The desk's index shows each person what waits for them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from articles import actions, reads
from articles.models import ArticleState, DayFigure, ReadCount
from newsroom import figures
from tests.factories import ArticleFactory, HoldFactory, UserFactory
from tests.moderation.cases import notice_about

pytestmark = pytest.mark.django_db


def test_the_desk_lists_what_waits_and_what_is_scheduled(client: Client) -> None:
    client.force_login(UserFactory(superuser=True))
    ArticleFactory(headline="Waits for an editor", state=ArticleState.REVIEW)
    ArticleFactory(headline="Comes tomorrow", published_at=timezone.now() + timedelta(days=1))

    page = client.get("/admin/").content.decode()

    assert "Waits for an editor" in page
    assert "Comes tomorrow" in page
    assert "No claim waits for a decision" in page


def test_nobody_sees_a_panel_they_may_not_open(client: Client) -> None:
    editor = UserFactory(staff=True)
    editor.user_permissions.add(Permission.objects.get(codename="view_article"))
    client.force_login(editor)

    page = client.get("/admin/").content.decode()

    assert "Waiting for review" in page
    assert "Claims by time left" not in page
    assert "Feeds that fail" not in page


def test_the_desk_asks_the_same_number_of_questions_however_much_waits(
    client: Client, django_assert_max_num_queries: Any
) -> None:
    client.force_login(UserFactory(superuser=True))
    ArticleFactory.create_batch(20, state=ArticleState.REVIEW)

    with django_assert_max_num_queries(18):
        client.get("/admin/")


def test_reads_are_counted_without_people_and_what_is_gone_is_not_listed(client: Client) -> None:
    counter, today = reads.Reads(), timezone.localdate()
    much, held, erased = ArticleFactory(headline="Much read"), ArticleFactory(), ArticleFactory()
    counter.note(much.get_absolute_url(), "Firefox")
    counter.start()
    for article in (much, held, erased):
        for _ in range(3):
            counter.note(article.get_absolute_url(), "Firefox")
            counter.note(f"/de{article.get_absolute_url()}", "Firefox")
    counter.note(much.get_absolute_url(), "Googlebot/2.1")
    counter.note("/tags/ports/", "Firefox")
    counter.note("/articles/nowhere/", "Firefox")
    assert not ReadCount.objects.exists()
    counter.write()
    counter.note(much.get_absolute_url(), "Firefox")
    counter.write()
    now = timezone.now()
    for article in (held, erased):
        HoldFactory(article=article)
    actions.erase(article=erased, at=now)

    assert dict(ReadCount.objects.values_list("article", "count")) == {much.pk: 7, held.pk: 6}
    assert reads.most_read(on=today, limit=5) == [(much, 7)]
    assert {field.name for field in ReadCount._meta.get_fields()} == {"id", "article", "day", "count"}
    client.force_login(UserFactory(superuser=True))
    assert "Much read" in client.get("/admin/").content.decode()


def test_days_are_counted_by_the_worker_and_drawn_with_the_same_in_words(client: Client) -> None:
    now = timezone.now()
    ArticleFactory(fetched_at=now)
    notice_about(ArticleFactory(), hours_ago=0)
    yesterday = timezone.localdate() - timedelta(days=1)
    ReadCount.objects.create(article=ArticleFactory(), day=yesterday, count=1200)

    figures.count_days(1, now)
    figures.count_days(1, now)

    client.force_login(UserFactory(superuser=True))
    page = client.get("/admin/").content.decode()
    assert "1,200 in 14 days, 0 today, at most 1,200 a day." in page
    assert DayFigure.objects.filter(value=1, day=timezone.localdate()).count() == 2
    assert page.count("<rect ") == 3 * figures.DAYS
    assert 'style="' not in page.partition('class="desk"')[2].partition("</svg>")[0]
    drawn = figures.chart("x", "X", [(yesterday, 0), (yesterday, 5)])
    assert [(bar.y, bar.height) for bar in drawn.bars] == [(80.0, 0.0), (0.0, 80.0)]

"""The desk's index shows each person what waits for them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from articles.models import ArticleState
from tests.factories import ArticleFactory, UserFactory

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

    with django_assert_max_num_queries(15):
        client.get("/admin/")

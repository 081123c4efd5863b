"""Every list of the desk reads by an index and counts no big table, on either database."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from aggregator.actions import register
from aggregator.models import Fetch
from articles import actions
from articles.models import ArticleState
from bench.desk import BIG, narrowed
from tests.factories import ArticleFactory, RenditionFactory, UserFactory
from tests.moderation.cases import notice_about

pytestmark = pytest.mark.django_db

SOUGHT = {
    "article": ["harbour", "https://a.example/1"],
    "claim": ["NR-1", "a@owner.example"],
    "media": ["ferry"],
}


def steps(sql: str) -> list[str]:
    """How the database goes about it. PostgreSQL, whose tables are small here, is asked for what it could do."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
            return [row[3] for row in cursor.fetchall()]
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {sql}")
        return [row[0] for row in cursor.fetchall()]


def reads_all(sql: str) -> list[str]:
    """Steps that read a big table, or all that meets a condition, whatever the page shows of it."""
    plan = steps(sql)
    if connection.vendor == "sqlite":
        return list(all_on_sqlite(sql, plan))
    found = (re.search(r"Seq Scan on (\w+)", step) for step in plan)
    return [match[0] for match in found if match and match[1] in BIG]


def all_on_sqlite(sql: str, plan: list[str]) -> Iterator[str]:
    sorts = any(re.fullmatch("USE TEMP B-TREE FOR (ORDER BY|DISTINCT|GROUP BY)", step) for step in plan)
    for step in plan:
        table = [*step.split(), ""][1]
        if table not in BIG:
            continue
        # In the order of an index a scan ends with the page, unless it looks for rows that meet a condition.
        asks = " WHERE " in sql.rpartition(f'FROM "{table}"')[2]
        if step.startswith("SCAN") and (sorts or asks) and not any(f" {name}" in step for name in PARTIAL):
            yield step
        # Open claims are few at any time: they end within a day.
        if sorts and MANY.search(step) and "IN ('received', 'under_review')" not in sql:
            yield f"{step}, and sorts"


# Conditions that any part of a big table may meet.
MANY = re.compile(
    r"\((state|language|source_id|user_id|is_agency|kind|channel|lane|action|content_type_id)=\?\)"
)
PARTIAL = {index.name for model in apps.get_models() for index in model._meta.indexes if index.condition}


def counts_all(sql: str) -> bool:
    """All of a big table: not up to a limit, nor since a moment for which there is an index."""
    bounded = "LIMIT" in sql or '"started_at" >' in sql
    return bool(sql.startswith("SELECT COUNT(") and not bounded and any(f'"{name}"' in sql for name in BIG))


def asked(client: Client, address: str) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(address)
    assert answer.status_code == 200, address
    return [query["sql"] for query in captured.captured_queries if query["sql"].startswith("SELECT")]


@pytest.fixture
def newsroom() -> User:
    """Something of each kind, and who may see all of it."""
    articles: list[Any] = [ArticleFactory(tags=["Ports"], people=["Ann Bo"]) for _ in range(3)]
    ArticleFactory(state=ArticleState.REVIEW, lead_media=RenditionFactory().media)
    notice_about(*articles[:2])
    actions.record(article=articles[0], by=UserFactory(), done="Seen.")
    return cast(User, UserFactory(superuser=True))


def test_no_list_reads_or_counts_a_big_table(newsroom: User, client: Client) -> None:
    client.force_login(newsroom)
    wrong = []

    lists = [f"{model._meta.app_label}_{model._meta.model_name}_changelist" for model in admin.site._registry]
    for address in (reverse(f"admin:{name}") for name in ["index", *lists]):
        for sql in asked(client, address):
            wrong += [f"{address} {step}: …{sql[-300:]}" for step in reads_all(sql)]
            wrong += [f"{address} counts: {sql[:300]}"] * counts_all(sql)

    assert not wrong, "\n".join(wrong)


def test_no_click_in_a_list_that_grows_reads_all_of_it(newsroom: User) -> None:
    """Every filter, order and word, and every two of them: the statements that find and count the rows."""
    known: dict[str, list[str]] = {}
    wrong = []

    for model, desk in admin.site._registry.items():
        if model._meta.db_table not in BIG:
            continue
        for query in narrowed(
            newsroom, desk, [*SOUGHT.get(model._meta.model_name or "", []), "zzzz"], together=1
        ):
            request = RequestFactory().get(f"/?{query}")
            request.user = newsroom
            with CaptureQueriesContext(connection) as captured:
                list(desk.get_changelist_instance(request).result_list)
            for statement in captured.captured_queries:
                sql = statement["sql"]
                shape = re.sub(r"(\?, )+", "", re.sub(r"\d+|'[^']*'", "?", sql))
                if shape not in known and sql.startswith("SELECT"):
                    known[shape] = reads_all(sql)
                    wrong += [f"{model._meta} ?{query} {step}: {sql[-300:]}" for step in known[shape]]

    assert len(known) > 100
    assert not wrong, "\n".join(wrong)


def test_no_filter_of_a_list_that_grows_offers_to_count_its_rows() -> None:
    offered = [
        str(model._meta)
        for model, desk in admin.site._registry.items()
        if desk.list_filter and model._meta.db_table in BIG and desk.show_facets != admin.ShowFacets.NEVER
    ]
    assert offered == []


def test_a_feeds_attempts_are_told_as_people_tell_time(admin_client: Client) -> None:
    at = datetime(2026, 3, 5, 21, 7, tzinfo=UTC)
    feed = register(url="https://harbour.example/feed", at=at)
    Fetch.objects.create(feed=feed, started_at=at, seconds=0.18804334)

    page = admin_client.get(reverse("admin:aggregator_feed_change", args=[feed.pk])).content.decode()

    assert "5 Mar 2026, 21:07" in page
    assert "<p>0.19</p>" in page

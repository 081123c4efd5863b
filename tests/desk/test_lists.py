"""Every list of the desk reads by an index and counts no big table, on either database."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from articles import actions
from articles.models import ArticleState
from tests.factories import ArticleFactory, RenditionFactory, UserFactory
from tests.moderation.cases import notice_about

pytestmark = pytest.mark.django_db

# What grows with the newsroom: by the million, or by the hundred thousand.
BIG = {
    "articles_article", "articles_taggedarticle", "articles_contribution", "articles_contributor", "articles_hold",
    "articles_media", "articles_revision", "articles_story", "aggregator_fetch", "aggregator_entryrecord",
    "moderation_claim", "moderation_notice", "auditlog_logentry", "django_admin_log",
}  # fmt: skip
NARROWED = {
    "article": ["?state__exact=review", "?withheld=now", "?q=harbour", "?p=2"],
    "claim": ["?state__exact=received"],
}


def plan(sql: str) -> list[str]:
    """The steps that read a big table without an index."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
            steps = [row[3] for row in cursor.fetchall()]
            # In the order of the rows' own keys a scan ends with the page; looking for words it does not.
            in_order = re.search("ORDER BY|LIMIT", sql) and not any("FOR ORDER BY" in step for step in steps)
            scanned = [match[1] for step in steps if (match := re.fullmatch(r"SCAN (\w+)", step))]
            read = [
                name for name in scanned if not in_order or (name == "articles_article" and "LIKE" in sql)
            ]
        else:
            # Small tables are always read whole; so is asked whether an index could be used.
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(f"EXPLAIN {sql}")
            steps = [row[0] for row in cursor.fetchall()]
            read = [match[1] for step in steps if (match := re.search(r"Seq Scan on (\w+)", step))]
    return [name for name in read if name in BIG]


def counts_all(sql: str) -> bool:
    """All of a big table: not up to a limit, nor since a moment for which there is an index."""
    bounded = "LIMIT" in sql or '"started_at" >' in sql
    return bool(sql.startswith("SELECT COUNT(") and not bounded and any(f'"{name}"' in sql for name in BIG))


def asked(client: Client, address: str) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(address)
    assert answer.status_code == 200, address
    return [query["sql"] for query in captured.captured_queries if query["sql"].startswith("SELECT")]


def lists() -> list[str]:
    found = []
    for model in admin.site._registry:
        name = model._meta.model_name or ""
        base = reverse(f"admin:{model._meta.app_label}_{name}_changelist")
        found += [base, *(base + narrowed for narrowed in NARROWED.get(name, []))]
    return found


def test_no_list_reads_or_counts_a_big_table(client: Client) -> None:
    client.force_login(UserFactory(superuser=True))
    articles: list[Any] = [ArticleFactory(tags=["Ports"], people=["Ann Bo"]) for _ in range(3)]
    ArticleFactory(state=ArticleState.REVIEW, lead_media=RenditionFactory().media)
    notice_about(*articles[:2])
    actions.record(article=articles[0], by=UserFactory(), done="Seen.")
    wrong = []

    for address in lists():
        for sql in asked(client, address):
            wrong += [f"{address} reads all of {name}: …{sql[-300:]}" for name in plan(sql)]
            wrong += [f"{address} counts: {sql[:300]}"] * counts_all(sql)

    assert not wrong, "\n".join(wrong)


def test_no_filter_of_a_list_that_grows_offers_to_count_its_rows() -> None:
    offered = [
        str(model._meta)
        for model, desk in admin.site._registry.items()
        if desk.list_filter and model._meta.db_table in BIG and desk.show_facets != admin.ShowFacets.NEVER
    ]
    assert offered == []

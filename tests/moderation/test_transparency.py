"""The public log: everything about the promise, nothing about a person."""

from __future__ import annotations

import csv
from datetime import timedelta
from xml.etree import ElementTree

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from articles.models import Hold
from moderation import actions
from moderation.models import ClaimState, Lane, LedgerEntry
from moderation.transparency import percentile
from tests.factories import ArticleFactory
from tests.moderation.cases import claim_in, notice_about, refuse

S = ClaimState
PATHS = ["/transparency/", "/transparency/log.csv", "/transparency/feed.atom"]
pytestmark = pytest.mark.django_db


def test_the_log_names_each_case_with_its_outcome(client):
    upheld, refused = claim_in(S.UPHELD), claim_in(S.REFUSED)

    page = client.get("/transparency/").content.decode()

    assert str(upheld) in page
    assert "The owner asked; the promise applies" in page
    assert str(refused) in page
    assert "We hold a licence for this use" in page


@pytest.mark.parametrize("path", PATHS)
def test_no_person_and_no_text_is_in_it(client, path):
    planted = [
        "Zofia Plantowska",
        "planted@owner.example",
        "+48 600 100 200",
        "Planted Street 7",
        "Planted headline",
    ]
    article = ArticleFactory(
        headline=planted[4], slug="planted-headline", canonical_url="https://p.example/planted"
    )
    notice = notice_about(
        article, name=planted[0], email=planted[1], phone=planted[2], address=planted[3], signature=planted[0],
        letter=" ".join(planted),
    )  # fmt: skip
    claim = notice.claims.get()
    actions.uphold(claim_id=claim.pk, by=None, at=timezone.now(), reasons=" ".join(planted))

    page = client.get(path).content.decode().casefold()

    for secret in ["zofia", "planted", "600 100", "owner.example"]:
        assert secret not in page
    assert not LedgerEntry.objects.filter(payload__icontains="planted").exists()


def test_a_case_hidden_later_than_promised_is_listed_by_its_reference(client):
    kept, late = claim_in(S.UPHELD), claim_in(S.RECEIVED, hours_ago=30)
    Hold.objects.filter(pk=late.hold_id).update(effective_at=timezone.now() - timedelta(hours=2))

    page = client.get("/transparency/").content.decode()

    assert f"Later than promised: {late}" in page
    assert f"Later than promised: {kept}" not in page


def test_figures_say_how_long_it_took_and_what_share_the_deadline_decided(client):
    for hours in (2, 4, 6):
        claim = claim_in(S.RECEIVED, hours_ago=hours)
        actions.uphold(claim_id=claim.pk, by=None, at=timezone.now())
    claim_in(S.RECEIVED, hours_ago=40)
    actions.settle_overdue(10, timezone.now())

    page = client.get("/transparency/").content.decode()

    assert "4 articles withheld" in page
    assert "within 4.0 hours" in page
    assert "the longest took 23.0 hours" in page
    assert "25.0 %" in page


def test_the_log_is_read_page_by_page_in_a_constant_number_of_queries(client):
    notice_about(*(ArticleFactory() for _ in range(3)), lane=Lane.C)
    client.get("/transparency/")
    with CaptureQueriesContext(connection) as few:
        client.get("/transparency/")
    notice_about(*(ArticleFactory() for _ in range(60)), lane=Lane.C)

    with CaptureQueriesContext(connection) as many:
        first = client.get("/transparency/")
    number = first.content.decode().split('href="?before=')[1].split('"')[0]
    older = client.get("/transparency/", {"before": number})

    assert len(many) == len(few) <= 10
    assert first.content.decode().count("NR-TEST") == 50
    assert older.content.decode().count("NR-TEST") == 13


def test_the_log_as_csv_has_one_row_for_each_claim(client):
    claims = [claim_in(S.UPHELD), claim_in(S.RECEIVED)]
    refuse(claims[1])

    rows = list(csv.DictReader(client.get("/transparency/log.csv").content.decode().splitlines()))

    assert [row["claim"] for row in rows] == [str(claim) for claim in reversed(claims)]
    assert [row["outcome"] for row in rows] == ["Refused", "Upheld"]


def test_the_ledgers_head_of_the_day_stands_on_the_page_and_in_the_feed(client):
    claim_in(S.UPHELD)
    head = LedgerEntry.objects.order_by("-seq").first()

    assert f"{head.seq}:{head.hash}" in client.get("/transparency/").content.decode()
    feed = ElementTree.fromstring(client.get("/transparency/feed.atom").content)
    assert feed.findtext("{*}entry/{*}content") == f"{head.seq}:{head.hash}"


@pytest.mark.parametrize("before", ["", "x", "-1", "0", "9" * 40, "1 OR 1=1"])
def test_nonsense_in_the_address_is_answered_calmly(client, before):
    assert client.get("/transparency/", {"before": before}).status_code == 200


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([], 50, None),
        ([3.0], 50, 3.0),
        ([1, 2, 3, 4], 50, 2),
        ([1, 2, 3, 4], 95, 4),
        (list(range(1, 101)), 95, 95),
    ],
)
def test_percentiles(values, share, expected):
    assert percentile(values, share) == expected

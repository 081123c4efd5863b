"""What others may read of our removals: valid by their own rules, and with no person in it."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from moderation import actions, exports
from moderation.models import Claim, ClaimState, Decision, Ground
from tests.factories import ArticleFactory
from tests.moderation.cases import COUNTER, claim_in, notice_about
from tests.moderation.intake import address_of, send
from tests.moderation.statements import faults_in

pytestmark = pytest.mark.django_db

YEAR = timezone.now().year
PLANTED = (
    "Quillon Zebedee",
    "quillon@zebedee.example",
    "+49 30 1234567",
    "7 Planted Lane",
    "Zebedee",
    "quillon",
)


def planted() -> Claim:
    """An upheld claim of somebody whose name stands in everything they could write, and in the headline."""
    article = ArticleFactory(
        headline="Quillon Zebedee wins", slug="quillon-zebedee-wins", people=["Quillon Zebedee"],
        canonical_url="https://harbour.example/quillon-zebedee-wins",
    )  # fmt: skip
    notice = send(
        address_of(article), confirmed=True, name="Quillon Zebedee", email="quillon@zebedee.example",
        phone="+49 30 1234567", address="7 Planted Lane", work="By Quillon Zebedee", organisation="Zebedee Ltd",
        explanation="Write to quillon@zebedee.example", original_urls="https://zebedee.example/~quillon",
        rights_holder="Quillon Zebedee", signature="Quillon Zebedee",
    )  # fmt: skip
    return actions.uphold(
        claim_id=notice.claims.get().pk, by=None, at=timezone.now(), reasons="Quillon Zebedee asked"
    )


def test_no_person_is_in_it(client: Client) -> None:
    claim = planted()

    actions.counter(
        claim_id=claim.pk, at=timezone.now(), statement=COUNTER | {"statement": " ".join(PLANTED)}
    )
    for path in ("", "figures.csv", "notices.json", "counter-notices.json", "statements.json"):
        answer = client.get(f"/transparency/{YEAR}/{path}")

        text = answer.content.decode()
        assert answer.status_code == 200, path
        assert not [word for word in PLANTED if word.lower() in text.lower()], path
        assert not [word for word in (COUNTER["name"], COUNTER["email"], COUNTER["address"]) if word in text]
        assert (claim.notice.reference in text) == path.endswith("json")


def test_every_statement_is_one_the_database_would_take() -> None:
    for ground in Ground.values:
        claim_in(ClaimState.UPHELD, ground=ground)
    claim_in(ClaimState.ERASED)

    told = [row for _, row in exports.statements(YEAR)]

    assert [faults_in(row) for row in told] == [[]] * len(told)
    seen = [row["decision_visibility"][0].rpartition("_")[2] for row in told]
    assert seen == ["DISABLED"] * (len(Ground.values) + 1) + ["REMOVED"]


def test_what_the_deadline_decided_is_called_automatic() -> None:
    claim = claim_in(ClaimState.UPHELD)
    decision = Decision.objects.get(claim=claim)
    assert exports.statement(decision)["automated_decision"] == "AUTOMATED_DECISION_NOT_AUTOMATED"

    decision.automated = True

    assert exports.statement(decision)["automated_decision"] == "AUTOMATED_DECISION_FULLY"


def good() -> dict[str, Any]:
    claim = claim_in(ClaimState.UPHELD)
    return exports.statement(Decision.objects.get(claim=claim))


REFUSED: list[tuple[str, Any]] = [
    ("decision_ground", None),
    ("decision_ground", "DECISION_GROUND_TASTE"),
    ("decision_ground", "DECISION_GROUND_ILLEGAL_CONTENT"),
    ("content_type", []),
    ("content_type", "CONTENT_TYPE_TEXT"),
    ("content_type", ["CONTENT_TYPE_OTHER"]),
    ("content_type", ["CONTENT_TYPE_SMELL"]),
    ("category", "STATEMENT_CATEGORY_SPITE"),
    ("content_date", "1999-12-31"),
    ("content_date", "2038-01-02"),
    ("content_date", "yesterday"),
    ("content_date", None),
    ("application_date", "2019-12-31"),
    ("decision_facts", ""),
    ("decision_facts", "x" * 5001),
    ("source_type", "SOURCE_GOSSIP"),
    ("automated_detection", True),
    ("automated_decision", "Yes"),
    ("puid", "NR 1"),
    ("puid", "x" * 501),
    ("decision_visibility", None),
    ("decision_visibility", ["DECISION_VISIBILITY_OTHER"]),
    ("incompatible_content_ground", "x" * 501),
    ("incompatible_content_explanation", "x" * 2001),
    ("incompatible_content_illegal", "Perhaps"),
    ("illegal_content_explanation", "stands there for nothing"),
    ("category_specification", ["KEYWORD_DANGEROUS_TOYS"]),
    ("category_specification", ["KEYWORD_OTHER"]),
    ("content_language", "de"),
    ("favourite_colour", "blue"),
]


def test_the_validator_finds_what_the_database_would_refuse() -> None:
    told = good()
    assert faults_in(told) == []

    for field, value in REFUSED:
        wrong = {name: kept for name, kept in told.items() if name != field}
        if value is not None:
            wrong[field] = value

        assert faults_in(wrong), (field, value)


@pytest.mark.parametrize(
    ("states", "action"),
    [
        ([ClaimState.UPHELD], "Yes"),
        ([ClaimState.ERASED, ClaimState.UPHELD], "Yes"),
        ([ClaimState.UPHELD, ClaimState.REFUSED], "Partial"),
        ([ClaimState.REDUCED], "Partial"),
        ([ClaimState.REFUSED], "No"),
        ([ClaimState.WITHDRAWN], "No"),
        ([ClaimState.UPHELD, ClaimState.RECEIVED], "Unspecified"),
        ([], "Unspecified"),
    ],
)
def test_lumen_is_told_what_was_done(states: list[ClaimState], action: str) -> None:
    assert exports.action_taken({str(state) for state in states}) == action


def test_a_notice_in_lumens_format_names_articles_by_their_key() -> None:
    article = ArticleFactory()
    notice = notice_about(article)

    ((_, told),) = exports.lumen_notices(YEAR)

    assert told["case_id_number"] == notice.reference
    (work,) = told["works_attributes"]
    assert str(article.key) in work["infringing_urls_attributes"][0]["url"]
    assert article.slug not in json.dumps(told)
    assert {role["name"] for role in told["entity_notice_roles_attributes"]} == {"recipient", "sender"}


def test_a_counter_notice_in_lumens_format_names_the_notice_it_answers(client: Client) -> None:
    claim = claim_in(ClaimState.REINSTATED)

    year = claim.counter_notices.get().received_at.year
    (told,) = client.get(f"/transparency/{year}/counter-notices.json").json()["notices"]

    assert (told["type"], told["action_taken"]) == ("Counternotice", "Yes")
    assert told["counternotice_for_sid"] == claim.notice.reference
    assert str(claim.article.key) in told["works_attributes"][0]["infringing_urls_attributes"][0]["url"]


def test_the_year_adds_up_on_the_page_and_in_the_sheet(client: Client) -> None:
    claim_in(ClaimState.UPHELD)
    claim_in(ClaimState.REFUSED, ground=Ground.PRIVACY)

    rows = list(csv.reader(io.StringIO(client.get(f"/transparency/{YEAR}/figures.csv").content.decode())))

    assert ["Notices", "received", "2"] in rows
    assert ["Articles by outcome", "Upheld", "1"] in rows
    assert ["Notices by ground", "Privacy or personal data", "1"] in rows
    page = client.get(f"/transparency/{YEAR}/").content.decode()
    assert "Privacy or personal data" in page
    assert f"/transparency/{YEAR}/" in client.get("/transparency/").content.decode()


@pytest.mark.parametrize("year", [1999, YEAR + 1, 99999])
def test_a_year_that_was_not_is_not_there(client: Client, year: int) -> None:
    for name in ("", "figures.csv", "notices.json", "counter-notices.json", "statements.json"):
        assert client.get(f"/transparency/{year}/{name}").status_code == 404


def test_a_long_year_comes_in_portions(client: Client, monkeypatch) -> None:
    monkeypatch.setattr(exports, "PORTION", 1)
    notice_about(ArticleFactory())
    last = notice_about(ArticleFactory())

    first = client.get(f"/transparency/{YEAR}/notices.json")
    onward = first.headers["Link"].split(">")[0][1:]

    assert client.get(onward).json()["notices"][0]["case_id_number"] == last.reference

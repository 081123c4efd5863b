"""How long we know who asked: by rule, and at a claimant's word."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.utils import timezone

from moderation import actions, retention
from moderation.models import ClaimState, CounterNotice, DomainProof, IncomingMail, Letter, Notice
from moderation.owner_models import ApiKey
from tests.factories import ArticleFactory
from tests.moderation.cases import COUNTER, claim_in, notice_about, reduce_to
from tests.moderation.test_erase import tables_with

S = ClaimState
pytestmark = pytest.mark.django_db
PERSONAL = {
    "name": "Quintessa Farnaby", "email": "quintessa@farnaby.example", "organisation": "Farnaby Bros",
    "address": "1 Farnaby Street", "phone": "+44 farnaby", "role": "farnaby", "rights_holder": "Farnaby",
    "work": "My farnaby report", "original_urls": "https://farnaby.example/1", "explanation": "I am Farnaby.",
    "signature": "Q. Farnaby", "letter": "Dear all, Farnaby", "raw": b"From: farnaby",
    "message_id": "<1@farnaby.example>", "proofs": [{"domain": "farnaby.example"}],
}  # fmt: skip


def closed_case() -> Notice:
    """A case that ended, with something personal in every place where there can be something."""
    notice = notice_about(ArticleFactory(), **PERSONAL)
    claim = notice.claims.get()
    actions.uphold(claim_id=claim.pk, by=None, at=timezone.now())
    answer = COUNTER | {"name": "Farnaby the other", "statement": "I, Farnaby, wrote it."}
    actions.counter(claim_id=claim.pk, at=timezone.now() - timedelta(days=30), statement=answer)
    actions.reinstate(claim_id=claim.pk, at=timezone.now())
    notice.lines.create(
        position=1, text="https://farnaby.example/1", verdict="ours", claim=claim, note="farnaby"
    )
    IncomingMail.objects.create(
        digest="d" * 64, received_at=timezone.now(), outcome="notice", notice=notice, subject="Farnaby",
        sender=PERSONAL["email"], text="farnaby",
    )  # fmt: skip
    DomainProof.objects.create(
        domain="farnaby.example", email=PERSONAL["email"], method="dns", token="t", asked_at=timezone.now(),
        notice=notice,
    )  # fmt: skip
    notice.refresh_from_db()
    return notice


def test_a_year_after_its_end_nothing_personal_is_left_of_a_case_in_any_table(settings):
    notice = closed_case()
    kept = Notice.objects.values("reference", "received_at", "deadline_at", "closed_at", "ground").get()
    assert len(tables_with("farnaby")) >= 6
    end = notice.closed_at + timedelta(days=settings.NOTICE_KEPT_DAYS)

    assert retention.forget_due(10, end - timedelta(seconds=1)) == 0
    assert retention.forget_due(10, end) == 1
    assert retention.forget_due(10, end) == 0

    assert not tables_with("farnaby")
    assert not list(retention.left_of(notice))
    assert (
        Notice.objects.values("reference", "received_at", "deadline_at", "closed_at", "ground").get() == kept
    )
    assert [claim.state for claim in notice.claims.all()] == [S.REINSTATED]
    assert notice.claims.get().decisions.count() == 3


@pytest.mark.parametrize("state", [S.RECEIVED, S.UNDER_REVIEW, S.UPHELD, S.COUNTERED])
def test_an_open_case_is_kept_however_old(state):
    claim_in(state, **PERSONAL)

    assert retention.forget_due(10, timezone.now() + timedelta(days=4000)) == 0
    assert Notice.objects.get().name == PERSONAL["name"]


def test_a_case_that_ended_in_part_is_forgotten_too():
    claim = claim_in(S.RECEIVED, **PERSONAL)
    reduce_to(claim, "headline")

    assert retention.forget_due(10, timezone.now() + timedelta(days=400)) == 1


def test_every_column_that_could_hold_something_personal_is_on_the_list_or_known_to_hold_nothing():
    harmless = {
        "reference", "secret_hash", "intake_key", "channel", "language", "ground", "missing", "verdict",
        "digest", "outcome", "reason", "lease_token", "kind", "key",
    }  # fmt: skip
    listed = {(model, name) for model, _, columns in retention.PERSONAL for name in columns}
    for model in (Notice, IncomingMail, Letter, CounterNotice, apps.get_model("moderation", "NoticeLine")):
        for field in model._meta.concrete_fields:
            textual = field.get_internal_type() in ("CharField", "TextField", "JSONField", "BinaryField")
            # The name of our own letter says nothing of who got it.
            ours = (model, field.name) == (Letter, "message_id")
            assert not textual or ours or field.name in harmless or (model, field.name) in listed, field


def test_a_claimant_gets_everything_that_is_kept(capsys):
    closed_case()
    claim_in(S.RECEIVED, name="Somebody Else", email="else@other.example")

    call_command("export_claimant", "Quintessa@Farnaby.example")

    told = json.loads(capsys.readouterr().out)
    [case] = told["cases"]
    assert {case[name] for name in ("name", "phone", "letter")} == {
        "Quintessa Farnaby",
        "+44 farnaby",
        "Dear all, Farnaby",
    }
    assert case["raw"] == "From: farnaby"
    assert [claim["state"] for claim in case["claims"]] == ["reinstated"]
    assert case["mails"][0]["text"] == "farnaby"
    assert "secret_hash" not in case
    assert "Somebody Else" not in str(told)


def test_a_claimant_is_forgotten_at_their_word_except_in_open_cases(capsys):
    closed = closed_case()
    waiting = claim_in(S.RECEIVED, **PERSONAL | {"message_id": ""}).notice

    with pytest.raises(CommandError, match=waiting.reference):
        call_command("erase_claimant", PERSONAL["email"])

    assert "Forgotten in 1 closed cases." in capsys.readouterr().out
    assert Notice.objects.get(pk=closed.pk).name == ""
    assert Notice.objects.get(pk=waiting.pk).name == PERSONAL["name"]


def test_the_mailbox_of_a_key_goes_when_the_key_is_long_dead_and_of_a_mail_that_was_no_notice_in_time(
    settings,
):
    now, kept = timezone.now(), timedelta(days=settings.NOTICE_KEPT_DAYS)
    told = {"domain": "harbour.example", "email": PERSONAL["email"], "begins": "nr_"}
    ApiKey.objects.create(**told, key_hash="1", created_at=now - kept, revoked_at=now)
    ApiKey.objects.create(**told, key_hash="2", created_at=now)
    IncomingMail.objects.create(digest="d", received_at=now, outcome="ignored", sender=PERSONAL["email"])

    retention.forget_due(10, now + kept)

    assert ApiKey.objects.get(key_hash="1").email == ""
    assert ApiKey.objects.get(key_hash="2").email == PERSONAL["email"]
    assert not IncomingMail.objects.exclude(sender="").exists()
    retention.forget_due(10, now + kept + timedelta(days=365))
    assert not tables_with("farnaby.example")


def test_at_a_claimants_word_their_keys_end_with_their_mailbox(client):
    told = {"domain": "harbour.example", "email": PERSONAL["email"], "begins": "nr_"}
    key = ApiKey.objects.create(**told, key_hash="1", created_at=timezone.now())
    assert retention.export_claimant(PERSONAL["email"])["keys"][0]["domain"] == "harbour.example"

    retention.erase_claimant(email=PERSONAL["email"], at=timezone.now())

    key.refresh_from_db()
    assert key.email == ""
    assert key.revoked_at is not None

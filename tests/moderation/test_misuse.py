"""Whoever often sends manifestly unfounded notices is warned, then suspended; nobody falls silent."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from moderation import actions, flags, letters, misuse, receive
from moderation.desk_models import Measure, MeasureKind
from moderation.models import Claim, Lane, LedgerEntry, Letter, LetterKind
from moderation.references import secret_of
from tests.factories import ArticleFactory
from tests.moderation.cases import claim_in, moderator
from tests.moderation.intake import address_of, send

pytestmark = pytest.mark.django_db
MAILBOX = "olena@owner.example"


def unfounded(times: int, reason: str = "abuse", **notice) -> Claim:
    """So many claims of one mailbox, refused by two people."""
    one, other, claim = moderator(), moderator(), None
    for _ in range(times):
        claim = send(address_of(ArticleFactory()), **({"confirmed": True} | notice)).claims.get()
        if claim.hold_id is None and notice.get("confirmed", True):
            Claim.objects.filter(pk=claim.pk).update(lane=Lane.C)
        at = timezone.now()
        actions.propose_refusal(
            claim_id=claim.pk, by=one, at=at, reason_code=reason, reasons="It is not theirs."
        )
        actions.second_refusal(claim_id=claim.pk, by=other, at=at)
    assert claim is not None
    return claim


def measures() -> list[str]:
    return list(Measure.objects.order_by("pk").values_list("kind", flat=True))


def test_three_unfounded_claims_bring_a_warning_and_three_more_a_suspension():
    unfounded(misuse.WARN_AT - 1)
    assert measures() == []
    unfounded(1)
    assert measures() == [MeasureKind.WARNED]
    unfounded(misuse.SUSPEND_AFTER - 1)
    assert measures() == [MeasureKind.WARNED]
    claim = unfounded(1)
    assert measures() == [MeasureKind.WARNED, MeasureKind.SUSPENDED]
    unfounded(2)
    assert len(measures()) == 2

    [warned, suspended] = Letter.objects.filter(kind__in=("warned", "suspended")).order_by("pk")
    assert (warned.context["unfounded"], suspended.context["unfounded"]) == (3, 6)
    assert "6 of 6" in letters.render(suspended)[1]
    assert [entry.kind for entry in LedgerEntry.objects.filter(kind__in=("warned", "suspended"))] == [
        "warned", "suspended",
    ]  # fmt: skip
    assert MAILBOX not in "".join(LedgerEntry.objects.values_list("payload", flat=True))
    assert "8 of 8 were refused as manifestly unfounded." in list(flags.flags(claim))


@pytest.mark.parametrize("case", ["other reasons", "never confirmed", "mostly right", "long ago"])
def test_nobody_is_warned_for(case, monkeypatch):
    if case == "other reasons":
        unfounded(5, reason="licensed")
    elif case == "never confirmed":
        unfounded(5, confirmed=False)
    elif case == "mostly right":
        for _ in range(4):
            claim = claim_in("received", email=MAILBOX)
            actions.uphold(claim_id=claim.pk, by=None, at=timezone.now())
        unfounded(3)
    else:
        unfounded(2)
        long_ago = timezone.now() + misuse.COUNTED + timedelta(days=1)
        assert misuse.record_of(MAILBOX, at=long_ago).unfounded == 0
    assert measures() == []


def suspended() -> Measure:
    unfounded(misuse.WARN_AT + misuse.SUSPEND_AFTER)
    return Measure.objects.get(kind=MeasureKind.SUSPENDED)


def test_suspended_is_lane_c_with_an_answer_a_clock_and_a_person_and_never_silence():
    earlier = send(address_of(ArticleFactory()), confirmed=True).claims.get()
    assert earlier.lane == Lane.B
    suspended()

    notice = send(address_of(ArticleFactory()), confirmed=True)

    claim = notice.claims.get()
    assert (claim.lane, claim.hold) == (Lane.C, None)
    assert "suspended until" in claim.lane_reason
    assert claim.deadline_at == notice.received_at + timedelta(hours=24)
    assert claim in Claim.objects.open()
    [letter] = notice.letters.all()
    assert letter.kind == LetterKind.RECEIVED
    said = letters.render(letter)[1]
    assert "is suspended until" in said
    assert "withheld from readers at the latest" not in said
    actions.uphold(claim_id=claim.pk, by=moderator(), at=timezone.now())
    # What was promised before stays promised, also when the earlier notice is looked at again.
    receive.reassess(notice=earlier.notice, at=timezone.now())
    earlier.refresh_from_db()
    assert (earlier.lane, earlier.hold is not None) == (Lane.B, True)


def test_another_mailbox_is_not_touched():
    suspended()

    assert (
        send(address_of(ArticleFactory()), confirmed=True, email="else@owner.example").claims.get().lane
        == "B"
    )


def test_a_suspension_ends_by_itself():
    measure = suspended()

    assert misuse.suspended_until(MAILBOX, at=measure.until - timedelta(seconds=1))
    assert misuse.suspended_until(MAILBOX, at=measure.until) is None


def test_a_person_lifts_it_with_a_reason_and_what_waits_gets_its_lane_back(client):
    measure = suspended()
    waiting = send(address_of(ArticleFactory()), confirmed=True).claims.get()
    client.force_login(person := moderator())
    lift = reverse("admin:moderation_claim_lift", args=[measure.pk])
    page = reverse("admin:moderation_claim_change", args=[waiting.pk])
    assert "6 as manifestly unfounded" in client.get(page).content.decode()

    client.post(lift, {"reason": " ", "claim": waiting.pk})
    measure.refresh_from_db()
    assert measure.lifted_at is None
    answer = client.post(lift, {"reason": "They sent the contract.", "claim": waiting.pk})

    assert answer.url == page
    measure.refresh_from_db()
    assert (measure.lifted_by, measure.lifted_reason) == (person, "They sent the contract.")
    waiting.refresh_from_db()
    assert (waiting.lane, waiting.hold is not None) == (Lane.B, True)
    assert Letter.objects.filter(kind=LetterKind.LIFTED).count() == 1
    assert LedgerEntry.objects.filter(kind="lifted").count() == 1


def test_the_claimant_sees_the_counts_and_a_stranger_who_used_the_mailbox_does_not(client):
    measure = suspended()
    theirs, strangers = send(address_of(ArticleFactory()), confirmed=True), send(address_of(ArticleFactory()))

    page = client.get(reverse("removal-status", args=[secret_of(theirs.reference)])).content.decode()
    other = client.get(reverse("removal-status", args=[secret_of(strangers.reference)])).content.decode()

    assert "6 of 6" in page
    assert f"{measure.until:%Y-%m-%d}" in page
    assert "6 of 6" not in other


def test_the_database_wants_a_person_and_a_reason():
    measure = suspended()

    with pytest.raises(IntegrityError), transaction.atomic():
        Measure.objects.filter(pk=measure.pk).update(lifted_at=timezone.now())

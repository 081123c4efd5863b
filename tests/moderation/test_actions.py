"""Decisions on claims: every move there is, every move there is not, and what each leaves behind."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from articles.models import Article, Hold
from moderation import actions
from moderation.actions import NotAllowed
from moderation.models import (
    MOVES,
    Claim,
    ClaimEvent,
    ClaimState,
    Decision,
    Lane,
    LedgerEntry,
    Letter,
    LetterKind,
)
from tests.factories import ArticleFactory
from tests.moderation.cases import COUNTER, claim_in, moderator, notice_about, reduce_to, refuse

S = ClaimState
pytestmark = pytest.mark.django_db

TRY = {
    S.UNDER_REVIEW: lambda claim: actions.take(claim_id=claim.pk, by=moderator(), at=timezone.now()),
    S.UPHELD: lambda claim: actions.uphold(claim_id=claim.pk, by=moderator(), at=timezone.now()),
    S.REFUSED: refuse,
    S.REDUCED: lambda claim: reduce_to(claim, "headline"),
    S.WITHDRAWN: lambda claim: actions.withdraw(claim_id=claim.pk, at=timezone.now()),
    S.COUNTERED: lambda claim: actions.counter(claim_id=claim.pk, at=timezone.now(), statement=COUNTER),
    S.REINSTATED: lambda claim: actions.reinstate(claim_id=claim.pk, at=timezone.now()),
    S.ERASED: lambda claim: actions.erase(claim_id=claim.pk, at=timezone.now(), demanded=True),
}
# Only an objection leads from one to the other: test_answers.py.
OBJECTED = (S.UPHELD, S.REINSTATED)
PAIRS = [(before, after) for before in S for after in TRY]


def is_public(claim: Claim) -> bool:
    return Article.objects.public().filter(pk=claim.article_id).exists()


@pytest.mark.parametrize(
    ("before", "after"), [pair for pair in PAIRS if pair != OBJECTED and pair[1] in MOVES[pair[0]]]
)
def test_a_move_on_the_map_leaves_an_event_and_the_article_as_the_state_says(before, after):
    claim = claim_in(before)

    TRY[after](claim)

    claim.refresh_from_db()
    last = claim.events.order_by("pk").last()
    assert claim.state == after
    assert (last.before, last.after) == (before if last.before == before else S.UNDER_REVIEW, after)
    assert is_public(claim) == (after in (S.UNDER_REVIEW, S.REFUSED, S.REDUCED, S.WITHDRAWN, S.REINSTATED))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (before, after)
        for before, after in PAIRS
        # A claim already under review may be taken again: that is no move.
        if (after not in MOVES[before] or (before, after) == OBJECTED)
        and (before, after) != (S.UNDER_REVIEW, S.UNDER_REVIEW)
        # A countered claim can be taken, to uphold it again; that is no move either.
        and (before, after) != (S.COUNTERED, S.UNDER_REVIEW)
    ],
)
def test_a_move_off_the_map_is_refused_and_changes_nothing(before, after):
    claim = claim_in(before)
    rows = [Decision.objects.count(), LedgerEntry.objects.count(), Letter.objects.count(), claim.version]

    with pytest.raises(NotAllowed):
        TRY[after](claim)

    claim.refresh_from_db()
    assert claim.state == before
    assert rows == [
        Decision.objects.count(),
        LedgerEntry.objects.count(),
        Letter.objects.count(),
        claim.version,
    ]


@pytest.mark.parametrize("state", [state for state in S if state in actions.LETTERS])
def test_a_decision_leaves_its_row_a_ledger_entry_and_one_letter(state):
    claim = claim_in(state)

    assert claim.decisions.latest("pk").outcome == state
    assert LedgerEntry.objects.filter(kind=state, payload__contains=str(claim)).count() == 1
    assert claim.letters.filter(kind=actions.LETTERS[state]).count() == 1


def test_upheld_hides_at_once_though_this_machines_clock_runs_ahead():
    claim = claim_in(S.RECEIVED)
    assert is_public(claim)

    actions.uphold(claim_id=claim.pk, by=moderator(), at=timezone.now() + timedelta(hours=3))

    assert not is_public(claim)


def test_while_one_moderator_has_a_claim_another_cannot_decide_it():
    claim, first, second = claim_in(S.RECEIVED), moderator(), moderator()
    now = timezone.now()
    actions.take(claim_id=claim.pk, by=first, at=now)

    with pytest.raises(NotAllowed, match="until"):
        actions.uphold(claim_id=claim.pk, by=second, at=now + timedelta(minutes=9))

    actions.uphold(claim_id=claim.pk, by=second, at=now + timedelta(minutes=11))
    claim.refresh_from_db()
    assert claim.state == S.UPHELD


def test_a_decision_on_a_page_that_is_out_of_date_is_refused():
    claim = claim_in(S.UNDER_REVIEW)

    with pytest.raises(NotAllowed, match="changed since"):
        actions.uphold(claim_id=claim.pk, by=moderator(), at=timezone.now(), version=claim.version - 1)


def test_an_article_stays_up_only_when_a_second_person_agrees():
    claim, first = claim_in(S.RECEIVED), moderator()
    now = timezone.now()
    actions.propose_refusal(
        claim_id=claim.pk, by=first, at=now, reason_code="licensed", reasons="Licence 7 covers it."
    )

    with pytest.raises(NotAllowed, match="second person"):
        actions.second_refusal(claim_id=claim.pk, by=first, at=now)
    assert Hold.objects.standing().filter(article=claim.article).exists()

    actions.second_refusal(claim_id=claim.pk, by=moderator(), at=now)
    assert not Hold.objects.standing().filter(article=claim.article).exists()
    assert claim.decisions.get().second is not None


@pytest.mark.parametrize(
    ("code", "reasons"), [("licensed", " "), ("owner_asked", "Because."), ("", "Because.")]
)
def test_a_refusal_needs_one_of_its_reasons_and_words(code, reasons):
    claim = claim_in(S.RECEIVED)

    with pytest.raises(NotAllowed):
        actions.propose_refusal(
            claim_id=claim.pk, by=moderator(), at=timezone.now(), reason_code=code, reasons=reasons
        )


def test_the_database_itself_refuses_a_refusal_without_a_second_person():
    claim = claim_in(S.RECEIVED)

    with pytest.raises(IntegrityError), transaction.atomic():
        Decision.objects.create(
            claim=claim, outcome=S.REFUSED, reason_code="licensed", reasons="x", at=timezone.now()
        )


@pytest.mark.parametrize("hours_ago", [22.99, 23, 25])
def test_from_the_last_minute_on_the_deadline_wins_over_a_refusal(hours_ago):
    claim = claim_in(S.RECEIVED, hours_ago=hours_ago)

    with pytest.raises(NotAllowed, match="deadline"):
        refuse(claim)


def test_a_refusal_that_is_committed_in_time_wins_over_the_deadline():
    claim = claim_in(S.RECEIVED, hours_ago=22.9)
    refuse(claim)

    Claim.objects.filter(pk=claim.pk).update(deadline_at=timezone.now())
    assert not actions.settle(claim_id=claim.pk, at=timezone.now())
    assert is_public(claim)


def test_a_deadline_that_passed_cannot_be_refused_after_the_clock_was_set_back():
    claim = claim_in(S.RECEIVED, hours_ago=1)
    Hold.objects.filter(pk=claim.hold_id).update(latched_at=timezone.now() + timedelta(hours=22, minutes=30))

    with pytest.raises(NotAllowed, match="deadline"):
        refuse(claim)


@pytest.mark.parametrize(("lane", "public"), [(Lane.A, False), (Lane.B, False), (Lane.C, True)])
def test_no_decision_by_the_deadline_means_hidden_where_something_was_proved(lane, public):
    claim = claim_in(S.RECEIVED, lane=lane, hours_ago=23)

    assert is_public(claim) == public  # before any work was done

    assert actions.settle_overdue(10, timezone.now()) == (lane != Lane.C)
    claim.refresh_from_db()
    assert claim.state == (S.RECEIVED if lane == Lane.C else S.UPHELD)
    if lane != Lane.C:
        assert claim.decisions.get().automated


def test_withdrawing_one_of_two_claims_leaves_the_other_ones_hold():
    article = ArticleFactory()
    kept, withdrawn = (claim_in(S.UPHELD, article=article) for _ in range(2))

    actions.withdraw(claim_id=withdrawn.pk, at=timezone.now())

    assert not is_public(kept)


def test_a_reinstated_article_is_what_it_was_byte_for_byte():
    article = ArticleFactory()
    before = Article.objects.filter(pk=article.pk).values().get()

    claim_in(S.REINSTATED, article=article)

    after = Article.objects.public().filter(pk=article.pk).values().get()
    # Except that a form opened before is not of this version any more.
    assert after == before | {"version": before["version"] + 1}


def test_a_countered_claim_comes_back_on_the_tenth_business_day_and_not_before():
    claim = claim_in(S.UPHELD)
    now = timezone.now()
    answer = actions.counter(claim_id=claim.pk, at=now, statement=COUNTER)

    with pytest.raises(NotAllowed, match="may come back"):
        actions.reinstate(claim_id=claim.pk, at=now + timedelta(days=9))
    assert actions.reinstate_due(10, now + timedelta(days=9)) == 0

    assert (
        actions.reinstate_due(10, now + (answer.reinstate_not_before - now.date()) + timedelta(days=1)) == 1
    )
    assert is_public(claim)


@pytest.mark.parametrize("name", ["consents_to_court", "accepts_service", "under_penalty", "signature"])
def test_a_counter_notice_without_one_of_its_declarations_is_refused(name):
    claim = claim_in(S.UPHELD)

    with pytest.raises(NotAllowed, match="declarations"):
        actions.counter(claim_id=claim.pk, at=timezone.now(), statement=COUNTER | {name: ""})


def test_a_complaint_is_decided_by_somebody_else():
    claim = claim_in(S.REFUSED)
    first = claim.decisions.first().by

    with pytest.raises(NotAllowed, match="did not decide"):
        actions.uphold(claim_id=claim.pk, by=first, at=timezone.now())


def test_a_notice_is_closed_when_its_last_claim_has_ended():
    notice = notice_about(ArticleFactory(), ArticleFactory())
    first, last = notice.claims.all()
    actions.withdraw(claim_id=first.pk, at=timezone.now())
    notice.refresh_from_db()
    assert notice.closed_at is None

    actions.withdraw(claim_id=last.pk, at=timezone.now())

    notice.refresh_from_db()
    assert notice.closed_at is not None


def test_the_operator_removes_a_whole_notice_whatever_its_lane():
    notice = notice_about(ArticleFactory(), ArticleFactory(), lane=Lane.C)
    refuse(notice.claims.first())

    outcomes = actions.remove(reference=notice.reference, at=timezone.now())

    assert [outcome for _, outcome in outcomes] == ["withheld now"] * 2
    assert not any(is_public(claim) for claim in notice.claims.all())


def test_the_letter_of_a_removal_names_no_headline():
    article = ArticleFactory(headline="Velvet anchovies")
    claim = claim_in(S.UPHELD, article=article)

    letter = claim.letters.get(kind=LetterKind.REMOVED)
    assert "anchovies" not in str(letter.context)


@pytest.mark.parametrize("model", [LedgerEntry, ClaimEvent, Decision])
def test_history_can_be_neither_changed_nor_deleted_even_by_sql(model):
    claim_in(S.UPHELD)
    past_python = QuerySet(model)

    for change in (lambda: past_python._raw_delete("default"), lambda: past_python.update(at=timezone.now())):
        with pytest.raises(DatabaseError, match="written once"), transaction.atomic():
            change()

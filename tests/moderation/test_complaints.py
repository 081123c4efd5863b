"""A complaint within six months is decided by another person, and both outcomes are told."""

from __future__ import annotations

from datetime import timedelta
from email.message import EmailMessage

import pytest
from django.urls import reverse
from django.utils import timezone

from articles.models import Article
from moderation import actions, complaints, email, letters
from moderation.actions import NotAllowed
from moderation.models import Claim, ClaimState, IncomingMail, Letter, LetterKind
from moderation.references import hash_of, secret_of
from tests.moderation.cases import claim_in, moderator

S = ClaimState
pytestmark = pytest.mark.django_db
WHY = "The licence ended in March."


def status_of(claim: Claim) -> str:
    notice = claim.notice
    secret = secret_of(notice.reference)
    type(notice).objects.filter(pk=notice.pk).update(secret_hash=hash_of(secret))
    return reverse("removal-status", args=[secret])


def complained(state: ClaimState = S.REFUSED) -> Claim:
    claim = claim_in(state)
    complaints.complain(claim_id=claim.pk, text=WHY, at=timezone.now())
    return Claim.objects.get(pk=claim.pk)


@pytest.mark.parametrize("state", [S.REFUSED, S.REDUCED])
def test_the_claimant_complains_on_the_page_of_the_case(client, state):
    claim = claim_in(state)
    page = status_of(claim)
    assert "Complain about this decision" in client.get(page).content.decode()

    answer = client.post(f"{page}complain/", {"claim": claim.number, "text": WHY}, follow=True)

    assert "Your complaint has arrived" in answer.content.decode()
    assert claim.complaints.get().text == WHY
    assert "Complain about this decision" not in client.get(page).content.decode()
    assert Letter.objects.filter(claim=claim, kind=LetterKind.COMPLAINT).count() == 1
    claim.notice.refresh_from_db()
    assert claim.notice.closed_at is None


@pytest.mark.parametrize("state", sorted(set(S) - {S.REFUSED, S.REDUCED}))
def test_only_a_refusal_can_be_complained_of(client, state):
    claim = claim_in(state)

    with pytest.raises(NotAllowed):
        complaints.complain(claim_id=claim.pk, text=WHY, at=timezone.now())
    assert "Complain about" not in client.get(status_of(claim)).content.decode()


def test_six_months_and_not_a_day_less():
    claim = claim_in(S.REFUSED)
    assert complaints.may_complain(claim, claim.decided_at + timedelta(days=184))
    assert not complaints.may_complain(claim, claim.decided_at + timedelta(days=184, seconds=1))


def test_an_answer_to_the_letter_of_refusal_is_a_complaint():
    claim = claim_in(S.REFUSED)
    letter = Letter.objects.get(claim=claim, kind=LetterKind.REFUSED)
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = (
        claim.notice.email,
        "removal@newsroom.example",
        "Re: your letter",
    )
    mail["Message-ID"], mail["In-Reply-To"] = "<a@owner.example>", letter.message_id
    mail.set_content(f"{WHY}\n\nOn Monday Newsroom wrote:\n> Decision: the article stays.")

    email.accept(mail.as_bytes(), at=timezone.now())
    email.accept(mail.as_bytes(), at=timezone.now())

    assert [one.text for one in claim.complaints.all()] == [WHY]
    assert "complaint" in IncomingMail.objects.get().reason


def test_it_stands_in_the_queue_and_goes_to_somebody_who_did_not_decide(client):
    claim = complained()
    decider = claim.decisions.get().by
    view = f"{reverse('admin:moderation_claim_changelist')}?queue=complaints"
    following = f"{reverse('admin:moderation_claim_next')}?_changelist_filters=queue%3Dcomplaints"
    page = reverse("admin:moderation_claim_change", args=[claim.pk])

    client.force_login(decider)
    assert str(claim) in client.get(view).content.decode()
    assert page not in client.post(following).url
    assert "Dismiss the complaint" not in client.get(page).content.decode()
    with pytest.raises(NotAllowed):
        complaints.dismiss(claim_id=claim.pk, by=decider, reasons="No.", at=timezone.now())

    client.force_login(other := moderator())
    assert client.post(following).url.startswith(page)
    claim.refresh_from_db()
    assert claim.reviewer == other
    assert WHY in client.get(page).content.decode()
    client.post(page, {"move": "dismiss", "version": claim.version, "reasons": "The licence runs to 2030."})

    complaint = claim.complaints.get()
    assert (complaint.granted, complaint.decided_by) == (False, other)
    claim.refresh_from_db()
    assert claim.state == S.REFUSED
    letter = Letter.objects.get(claim=claim, kind=LetterKind.DISMISSED)
    assert "The licence runs to 2030." in letters.render(letter)[1]
    claim.notice.refresh_from_db()
    assert claim.notice.closed_at is not None


@pytest.mark.parametrize("state", [S.REFUSED, S.REDUCED])
def test_granted_the_article_goes(state):
    claim = complained(state)

    actions.uphold(claim_id=claim.pk, by=moderator(), at=timezone.now(), reasons="You are right.")

    complaint = claim.complaints.get()
    assert (complaint.granted, complaint.reasons) == (True, "You are right.")
    assert not Article.objects.public().filter(pk=claim.article_id).exists()


def test_said_twice_it_is_one_complaint_and_dismissed_it_may_come_again():
    claim = complained()
    complaints.complain(claim_id=claim.pk, text="And more.", at=timezone.now())
    assert claim.complaints.get().text == f"{WHY}\n\nAnd more."
    with pytest.raises(NotAllowed):
        complaints.dismiss(claim_id=claim.pk, by=moderator(), reasons=" ", at=timezone.now())
    complaints.dismiss(claim_id=claim.pk, by=moderator(), reasons="No.", at=timezone.now())

    complaints.complain(claim_id=claim.pk, text="New facts.", at=timezone.now())

    assert claim.complaints.count() == 2
    assert Letter.objects.filter(claim=claim, kind=LetterKind.COMPLAINT).count() == 2

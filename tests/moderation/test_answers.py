"""Counter-notices by a public form: whole, confirmed by their mailbox, in force by the statutory clock, sent once."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from articles.models import Article
from moderation import actions, answers, complaints, letters, retention
from moderation.desk_models import Complaint
from moderation.forms import AnswerForm
from moderation.models import TO_THE_AFFECTED, Claim, ClaimState, CounterNotice, Letter, LetterKind
from moderation.references import answer_url, status_url, vouch_url
from tests.factories import ArticleFactory, SourceFactory, UserFactory
from tests.moderation.cases import COUNTER, claim_in, moderator
from tests.moderation.intake import address_of, send

pytestmark = pytest.mark.django_db
S, K = ClaimState, LetterKind
TOLD: dict[str, Any] = {
    "name": "Petro Reporter", "email": "petro@outlet.example", "address": "1 Quay Street\nPort City",
    "phone": "+380 44 000", "statement": "I wrote this myself.", "under_penalty": "on", "consents_to_court": "on",
    "accepts_service": "on", "signature": "Petro Reporter",
}  # fmt: skip


def path_of(url: str) -> str:
    return urlsplit(url).path


def answered(client: Client, claim: Claim, prefix: str = "", **changes: Any) -> Any:
    fields = {name: value for name, value in (TOLD | changes).items() if value}
    return client.post(prefix + path_of(answer_url(claim)), fields)


def test_a_counter_notice_by_form_shows_the_article_again_after_the_statutory_days(client):
    claim = claim_in(S.UPHELD)

    sent = answered(client, claim)

    page, answer = client.get(sent["Location"]).content.decode(), CounterNotice.objects.get()
    assert sent.status_code == 302
    assert "One step is left" in page
    assert "p•••@outlet.example" in page
    assert "petro@" not in page
    assert Claim.objects.get().state == S.UPHELD
    letter = Letter.objects.get(kind=K.VOUCH)
    assert vouch_url(answer) in letters.render(letter)[1]

    assert "Confirm the counter-notice" in client.get(path_of(vouch_url(answer))).content.decode()
    assert CounterNotice.objects.get().confirmed_at is None
    client.post(path_of(vouch_url(answer)))
    client.post(path_of(vouch_url(answer)))

    claim, answer = Claim.objects.get(), CounterNotice.objects.get()
    assert (claim.state, claim.due_at is not None) == (S.COUNTERED, True)
    assert claim.hold is not None
    days = answers.reinstatement_window(timezone.localdate())
    assert (answer.reinstate_not_before, answer.reinstate_due_on) == (days.not_before, days.at_latest)
    told = {
        one.kind: letters.render(one)[1] for one in Letter.objects.filter(kind__in=[K.COUNTERED, K.ANSWERED])
    }
    for stated in TOLD["address"].splitlines() + [
        TOLD[name] for name in ("name", "email", "phone", "statement")
    ]:
        assert stated in told[K.COUNTERED]
    assert "Time left until" not in client.get(path_of(status_url(claim.notice))).content.decode()
    told_of_him = str(retention.export_claimant(TOLD["email"]))
    assert TOLD["statement"] in told_of_him
    assert "olena" not in told_of_him.lower()
    assert "is in force" in client.get(path_of(answer_url(claim))).content.decode()

    actions.reinstate(claim_id=claim.pk, at=timezone.now() + timedelta(days=40))
    assert Letter.objects.get(kind=K.SETTLED).to == "petro@outlet.example"
    assert "The article shows again." in client.get(path_of(answer_url(claim))).content.decode()


def test_whoever_asked_may_take_it_back_while_a_counter_notice_waits(client):
    notice = send(address_of(ArticleFactory()), confirmed=True)
    claim = actions.uphold(claim_id=notice.claims.get().pk, at=timezone.now(), by=None)
    actions.counter(claim_id=claim.pk, at=timezone.now(), statement=COUNTER)
    page = path_of(status_url(notice))
    assert "Withdraw article 1" in client.get(page).content.decode()

    client.post(f"{page}withdraw/", {"claim": "1"})

    claim.refresh_from_db()
    assert (claim.state, claim.hold, claim.due_at) == (S.WITHDRAWN, None, None)
    assert Article.objects.public().filter(pk=claim.article_id).exists()
    told = Letter.objects.get(kind=K.SETTLED)
    assert told.to == COUNTER["email"]
    assert "taken it back" in letters.render(told)[1]
    assert "has taken it back" in client.get(path_of(answer_url(claim))).content.decode()


def test_no_element_of_the_law_may_be_missing():
    for name in TOLD:
        assert list(AnswerForm(TOLD | {name: ""}).errors) == [name]


def test_what_is_missing_is_said_beside_it_and_nothing_typed_is_lost(client):
    claim = claim_in(S.UPHELD)

    answer = answered(client, claim, phone="", under_penalty="")

    page = answer.content.decode()
    assert answer.status_code == 422
    for left_out in ("phone", "under_penalty"):
        assert f'id="id_{left_out}_error"' in page
        assert f'href="#id_{left_out}"' in page
    assert all(TOLD[name] in page for name in ("name", "email", "statement", "signature"))
    assert page.count(" checked") == 2
    assert not CounterNotice.objects.exists()


def test_sent_twice_it_is_one_and_another_is_another(client):
    claim = claim_in(S.UPHELD)

    for changes in ({}, {}, {"statement": "And I have a licence."}):
        assert answered(client, claim, **changes).status_code == 302

    assert CounterNotice.objects.count() == Letter.objects.filter(kind=K.VOUCH).count() == 2
    for number in range(5):
        last = answered(client, claim, statement=f"Again {number}")
    assert last.status_code == 409
    assert CounterNotice.objects.count() == answers.AT_MOST


def test_without_the_whole_address_there_is_no_form_and_the_claimants_opens_none(client):
    claim = claim_in(S.UPHELD)
    theirs, ours = path_of(status_url(claim.notice)), path_of(answer_url(claim))

    for wrong in (
        ours[:-3] + "AA/",
        ours.replace(claim.notice.reference, "NR-OTHER"),
        ours.replace("/1/", "/2/"),
    ):
        assert client.get(wrong).status_code == 404
    assert client.get(path_of(vouch_url(CounterNotice(pk=99, email="x@y.example")))).status_code == 404
    assert ours.split("/")[-2] not in client.get(theirs).content.decode()
    page = client.get(ours)
    assert page.headers["Cache-Control"] == "no-store, private"
    for telling in (claim.notice.name, claim.notice.email, path_of(status_url(claim.notice))):
        assert telling not in page.content.decode()


@pytest.mark.parametrize(
    ("state", "ground", "said"),
    [
        (S.RECEIVED, "copyright", "no counter-notice to this decision"),
        (S.WITHDRAWN, "copyright", "has taken it back"),
    ],
)
def test_what_cannot_be_answered_says_so_and_takes_nothing(client, state, ground, said):
    claim = claim_in(state, ground=ground)

    assert said in client.get(path_of(answer_url(claim))).content.decode()
    assert answered(client, claim).status_code == 409
    assert not CounterNotice.objects.filter(confirmed_at=None).exists()


def objected(client: Client, claim: Claim) -> str:
    """An objection by form, its mailbox confirmed; returns the page of the answer."""
    page = path_of(answer_url(claim))
    sent = client.post(page, {"name": "Petro", "email": TOLD["email"], "statement": "It is public interest."})
    written = CounterNotice.objects.get(is_objection=True)
    assert sent.status_code == 302
    assert not Complaint.objects.exists()
    assert "Is this objection yours?" in client.get(path_of(vouch_url(written))).content.decode()
    for _ in range(2):
        client.post(path_of(vouch_url(written)))
    return page


def test_where_the_law_gives_no_counter_notice_an_objection_is_decided_by_another_person(client):
    decider, other = moderator(), moderator()
    claim = claim_in(S.RECEIVED, ground="defamation")
    actions.uphold(claim_id=claim.pk, at=timezone.now(), by=decider)

    page = objected(client, claim)

    assert "looks at it and writes to whoever sent it" in client.get(page).content.decode()
    claim.refresh_from_db()
    assert claim.state == S.UPHELD
    assert claim.due_at - timezone.now() > timedelta(days=13)
    assert "Petro" not in client.get(path_of(status_url(claim.notice))).content.decode()
    desk = reverse("admin:moderation_claim_change", args=[claim.pk])
    client.force_login(decider)
    assert "Show again" not in client.get(desk).content.decode()
    client.force_login(other)
    assert str(claim) in client.get(f"{desk.split(str(claim.pk))[0]}?queue=complaints").content.decode()
    assert "It is public interest." in client.get(desk).content.decode()
    client.post(desk, {"move": "reinstate", "version": claim.version})
    assert Claim.objects.get().state == S.UPHELD

    client.post(desk, {"move": "reinstate", "version": claim.version, "reasons": "It is reporting."})

    claim.refresh_from_db()
    assert (claim.state, claim.decisions.first().reason_code) == (S.REINSTATED, "objection")
    assert Article.objects.public().filter(pk=claim.article_id).exists()
    assert Complaint.objects.get().granted
    told = {one.kind: letters.render(one) for one in Letter.objects.filter(claim=claim)}
    assert "Your objection was decided" in told[K.SETTLED][0]
    assert "It is reporting." in told[K.SETTLED][1]
    assert "It is reporting." in told[K.REINSTATED][1]
    assert "counter-notice" not in told[K.REINSTATED][1]


def test_an_objection_to_what_is_erased_is_answered_and_brings_nothing_back(client, settings):
    article = ArticleFactory(source=SourceFactory(domain="outlet.example"))
    claim = claim_in(S.ERASED, article=article)
    asked = {"url": settings.SITE_URL + article.get_absolute_url(), "email": "legal@outlet.example"}
    client.post("/removal/answer/", asked)
    assert "object to it within six months" in letters.render(Letter.objects.get(kind=K.ANSWER))[1]

    page = objected(client, claim)
    with pytest.raises(actions.NotAllowed):
        actions.reinstate(claim_id=claim.pk, at=timezone.now(), by=moderator(), reasons="No.")
    complaints.dismiss(claim_id=claim.pk, by=moderator(), reasons="It was theirs.", at=timezone.now())

    shown = client.get(page).content.decode()
    assert "erased for good" in shown
    assert "The decision stands: It was theirs." in shown
    assert "It was theirs." in letters.render(Letter.objects.get(kind=K.SETTLED))[1]
    assert "public interest" not in str(retention.export_claimant(claim.notice.email))
    assert "public interest" in str(retention.export_claimant(TOLD["email"]))


def test_an_answer_not_confirmed_changes_nothing_but_puts_the_erasure_off_once():
    claim = claim_in(S.UPHELD)
    at = claim.due_at - timedelta(hours=1)
    told = TOLD | {"under_penalty": True, "consents_to_court": True, "accepts_service": True}

    first = answers.answer(claim_id=claim.pk, told=told, language="en", at=at)
    answers.answer(
        claim_id=claim.pk, told=told | {"statement": "More"}, language="en", at=at + timedelta(days=2)
    )

    assert Claim.objects.get().due_at == at + answers.VOUCHED_WITHIN
    with pytest.raises(actions.NotAllowed):
        answers.vouch(answer_id=first.pk, at=at + answers.VOUCHED_WITHIN + timedelta(seconds=1))
    assert actions.erase_due(5, at + answers.VOUCHED_WITHIN) == 1


def test_confirmed_later_the_claimant_keeps_ten_days_and_the_author_fourteen():
    claim = claim_in(S.UPHELD)
    friday = timezone.make_aware(timezone.datetime(2026, 12, 18, 12))
    told = TOLD | {"under_penalty": True, "consents_to_court": True, "accepts_service": True}

    written = answers.answer(claim_id=claim.pk, told=told, language="en", at=friday)
    written = answers.vouch(answer_id=written.pk, at=friday + timedelta(days=3))

    assert (written.reinstate_not_before, written.reinstate_due_on) == (date(2027, 1, 6), date(2027, 1, 11))


def test_the_address_goes_to_mailboxes_of_the_publisher_alone_and_says_so_to_nobody(client, settings):
    article = ArticleFactory(
        source=SourceFactory(domain="outlet.example"), canonical_url="https://outlet.example/a"
    )
    claim = claim_in(S.UPHELD, article=article)
    asked = {"url": settings.SITE_URL + article.get_absolute_url()}

    pages = [
        client.post("/de/removal/answer/", asked | {"email": email}).content.decode()
        for email in ("legal@outlet.example", "legal@outlet.example", "me@else.example", "me@gmail.com")
    ]
    pages.append(
        client.post(
            "/de/removal/answer/", {"url": "https://else.example/", "email": "a@b.example"}
        ).content.decode()
    )

    assert len({page.partition("<main")[2] for page in pages}) == 1
    broken = {"url": "http://[not-one", "email": "legal@outlet.example"}
    assert client.post("/removal/answer/", broken).status_code == 200
    letter = Letter.objects.get(kind=K.ANSWER)
    assert (letter.to, letter.language) == ("legal@outlet.example", "de")
    assert "/de" + urlsplit(answer_url(claim)).path in letters.render(letter)[1]
    assert client.post("/removal/answer/", {"url": "", "email": "no"}).status_code == 422
    gone = client.get(article.get_absolute_url()).content.decode()
    assert 'href="/removal/answer/"' in gone


def test_a_colleague_hears_why_an_article_of_theirs_was_removed():
    author = UserFactory(email="ann@newsroom.example", first_name="Ann", last_name="Own")
    claim = claim_in(S.UPHELD, article=ArticleFactory(created_by=author), ground="privacy")

    subject, body = letters.render(Letter.objects.get(kind=K.ANSWER, to="ann@newsroom.example"))

    assert str(claim) in subject
    assert "Hello Ann Own" in body
    assert "violates their privacy" in body
    assert answer_url(claim) in body
    assert "olena" not in body.lower()
    assert K.ANSWER in TO_THE_AFFECTED


def test_it_can_be_sent_without_cookies_in_every_language(settings):
    claim = claim_in(S.UPHELD)
    strict = Client(enforce_csrf_checks=True, headers={"origin": settings.SITE_URL})

    sent = answered(strict, claim, prefix="/ar")

    assert sent["Location"].startswith("/ar/removal/answer/")
    assert CounterNotice.objects.get().language == "ar"
    assert 'dir="rtl"' in strict.get(sent["Location"]).content.decode()
    foreign = Client(enforce_csrf_checks=True, headers={"origin": "https://else.example"})
    refused = answered(foreign, claim, statement="Once more, please")
    assert refused.status_code == 403
    assert "Once more, please" in refused.content.decode()

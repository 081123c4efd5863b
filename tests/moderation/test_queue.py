"""The moderators' queue in the admin."""

from __future__ import annotations

from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from articles.models import Article
from moderation import actions
from moderation.models import MOVES, OPEN_STATES, Claim, ClaimState, Lane, Letter, Notice
from tests.factories import ArticleFactory, SourceFactory, UserFactory
from tests.moderation.cases import claim_in, moderator, notice_about

S = ClaimState
LIST = "/admin/moderation/claim/"
pytestmark = pytest.mark.django_db


@pytest.fixture
def person():
    return moderator()


@pytest.fixture
def desk(client, person):
    """A moderator's browser."""
    client.force_login(person)
    return client


def page_of(claim: Claim) -> str:
    return reverse("admin:moderation_claim_change", args=[claim.pk])


def send(desk, claim: Claim, move: str, **fields):
    claim.refresh_from_db()
    return desk.post(page_of(claim), {"move": move, "version": claim.version, **fields}, follow=True)


def test_the_nearest_deadline_stands_first_and_says_how_long_is_left(desk):
    late, soon, calm = (claim_in(S.RECEIVED, hours_ago=hours, lane=Lane.C) for hours in (25, 22.49, 4.79))

    page = desk.get(LIST).content.decode()

    assert [page.index(str(claim)) for claim in (late, soon, calm)] == sorted(
        page.index(str(claim)) for claim in (late, soon, calm)
    )
    assert "1 h 0 min past the deadline" in page
    assert '<span class="left left-urgent">1 h 30 min left</span>' in page
    assert '<span class="left">19 h 12 min left</span>' in page


def test_the_list_is_that_of_the_open_claims_until_another_is_asked_for(desk):
    opened, upheld = claim_in(S.RECEIVED), claim_in(S.UPHELD)

    assert str(upheld) not in desk.get(LIST).content.decode()
    assert str(opened) not in desk.get(f"{LIST}?queue=upheld").content.decode()
    assert str(upheld) in desk.get(f"{LIST}?queue=upheld").content.decode()
    everything = desk.get(f"{LIST}?queue=all").content.decode()
    assert str(upheld) in everything
    assert str(opened) in everything


@pytest.mark.parametrize(
    "search",
    [
        lambda claim: claim.notice.reference.lower(),
        lambda claim: str(claim),
        lambda claim: claim.notice.email,
        lambda claim: claim.article.canonical_url,
        lambda claim: f"http://127.0.0.1:8000/articles/{claim.article.slug}/",
    ],
)
def test_a_claim_is_found_by_reference_mailbox_or_address(desk, search):
    wanted = claim_in(S.RECEIVED, email="wanted@owner.example")
    other = claim_in(S.RECEIVED)
    from articles.canonical import address_key

    Article.objects.filter(pk=wanted.article_id).update(url_key=address_key(wanted.article.canonical_url))

    page = desk.get(LIST, {"q": search(wanted)}).content.decode()

    assert str(wanted) in page
    assert str(other) not in page


def test_the_page_shows_article_and_notice_side_by_side_and_runs_nothing(desk):
    article = ArticleFactory(headline="A headline <b>&", body="<p>What the article says.</p>")
    notice = notice_about(
        article, letter="<script>alert(1)</script> our text", name="<img src=x onerror=alert(1)>"
    )

    answer = desk.get(page_of(notice.claims.get()))
    page = answer.content.decode()

    assert "What the article says." in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; our text" in page
    assert "<script>alert(1)" not in page
    assert "<img src=x" not in page
    assert article.canonical_url in page
    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe-inline" not in policy
    assert 'style="' not in page
    assert "onclick" not in page


@pytest.mark.parametrize("state", list(S))
def test_every_button_works_and_there_is_one_for_each_move_a_person_makes(desk, person, state):
    claim = claim_in(state)
    fields = {
        "reason_code": "licensed",
        "reasons": "A licence covers it.",
        "certain": "on",
        "part": "excerpt",
    }
    offered = {button.move for button in actions_offered(claim, person)}

    for move in offered - {"counter"}:
        Claim.objects.filter(pk=claim.pk).update(reviewer=None, reviewer_until=None)
        with_rollback(lambda move=move: assert_done(send(desk, claim, move, **fields)))

    expected = {
        S.UPHELD: "uphold", S.WITHDRAWN: "withdraw", S.COUNTERED: "counter", S.REINSTATED: "reinstate",
        S.ERASED: "erase",
    }  # fmt: skip
    assert {expected[to] for to in MOVES[state] if to in expected} == offered & set(expected.values())
    assert ("propose" in offered) == (state in OPEN_STATES)


def actions_offered(claim, person):
    from moderation.admin import buttons

    return buttons(claim, person, timezone.now())


def with_rollback(act) -> None:
    from django.db import transaction

    with transaction.atomic():
        act()
        transaction.set_rollback(True)


def assert_done(answer) -> None:
    assert answer.status_code == 200
    assert 'class="error"' not in answer.content.decode()


def test_a_refusal_by_two_people_goes_through_the_pages(client, desk, person):
    claim = claim_in(S.RECEIVED)
    send(desk, claim, "propose", reason_code="licensed", reasons="Licence 7.")
    assert "Agree that it stays" not in desk.get(page_of(claim)).content.decode()

    desk.force_login(moderator())
    assert "Agree that it stays" in desk.get(page_of(claim)).content.decode()
    send(desk, claim, "second")

    claim.refresh_from_db()
    assert claim.state == S.REFUSED


def test_decide_and_open_the_next_takes_the_next_nearest_deadline(desk, person):
    first, second = claim_in(S.RECEIVED, hours_ago=5), claim_in(S.RECEIVED, hours_ago=3)

    answer = desk.post(f"{LIST}next/")
    assert answer.url == page_of(first)
    answer = send(desk, first, "uphold", then="next")

    assert answer.redirect_chain[-1][0] == page_of(second)
    second.refresh_from_db()
    assert second.reviewer == person


def test_a_claim_somebody_else_has_offers_no_buttons_and_is_not_the_next(desk):
    claim = claim_in(S.RECEIVED)
    actions.take(claim_id=claim.pk, by=moderator(username="colleague"), at=timezone.now())

    page = desk.get(page_of(claim)).content.decode()

    assert "colleague has this claim until" in page
    assert "<textarea" not in page
    assert desk.post(f"{LIST}next/").url == LIST


def test_a_decision_that_lost_the_race_is_told_and_changes_nothing(desk):
    claim = claim_in(S.RECEIVED)
    actions.uphold(claim_id=claim.pk, by=None, at=timezone.now())

    answer = desk.post(page_of(claim), {"move": "uphold", "version": 1}, follow=True)

    assert "was changed since you opened it" in unescape(answer.content.decode())
    assert Letter.objects.filter(claim=claim).count() == 1


def test_several_claims_are_withheld_at_once(desk):
    claims = [claim_in(S.RECEIVED) for _ in range(3)]

    desk.post(LIST, {"action": "uphold_selected", "_selected_action": [claim.pk for claim in claims]})

    assert set(Claim.objects.values_list("state", flat=True)) == {S.UPHELD}


@pytest.mark.parametrize("path", [LIST, "/admin/moderation/notice/", "/admin/moderation/ledgerentry/"])
def test_an_editor_sees_nothing_of_it(client, path):
    client.force_login(UserFactory(staff=True))

    assert client.get(path).status_code == 403


def test_whoever_may_only_look_gets_no_button_and_no_decision(client):
    from django.contrib.auth.models import Permission

    viewer = UserFactory(staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_claim"))
    client.force_login(viewer)
    claim = claim_in(S.RECEIVED)

    page = client.get(page_of(claim)).content.decode()
    assert "<textarea" not in page
    assert "Open the next claim" not in client.get(LIST).content.decode()
    assert "uphold_selected" not in client.get(LIST).content.decode()
    assert client.post(page_of(claim), {"move": "uphold", "version": 1}).status_code == 403
    assert client.post(f"{LIST}next/").status_code == 403


@pytest.mark.parametrize("name", ["claim", "notice", "ledgerentry"])
def test_nobody_adds_changes_or_deletes_through_the_admin(client, name):
    client.force_login(UserFactory(superuser=True))
    claim = claim_in(S.UPHELD)
    pk = {"claim": claim.pk, "notice": claim.notice_id, "ledgerentry": 1}[name]

    assert client.get(f"/admin/moderation/{name}/{pk}/change/").status_code == 200
    assert client.get(f"/admin/moderation/{name}/add/").status_code == 403
    assert client.get(f"/admin/moderation/{name}/{pk}/delete/").status_code == 403


def test_flags_inform_about_the_sender_and_the_original(desk):
    source = SourceFactory(domain="paper.example")
    article = ArticleFactory(source=source, canonical_url="https://paper.example/a")
    notice = notice_about(
        article, lane=Lane.C, email="x@elsewhere.example", original_urls="https://copycat.example/2019/a"
    )

    page = unescape(desk.get(page_of(notice.claims.get())).content.decode())

    assert "writes from elsewhere.example; the original stands at paper.example" in page
    assert "may be dated back" in page
    assert "The mailbox is not confirmed." in page


def many_claims(number: int) -> None:
    article = ArticleFactory()
    now = timezone.now()
    start = Notice.objects.count()
    notices = Notice.objects.bulk_create(
        Notice(
            reference=f"NR-MANY-{n}", secret_hash=f"m{n}", intake_key=f"m{n}", received_at=now,
            deadline_at=now + timedelta(seconds=n), email=f"many{n % 50}@owner.example", letter="x" * 500,
        )
        for n in range(start, start + number)
    )  # fmt: skip
    Claim.objects.bulk_create(
        [
            Claim(
                notice=notice, article=article, number=1, deadline_at=notice.deadline_at, lane="C",
                state=S.RECEIVED if n % 4 else S.WITHDRAWN,
            )
            for n, notice in enumerate(notices)
        ],
        batch_size=2000,
    )  # fmt: skip


def test_the_queue_costs_the_same_with_many_claims(desk):
    many_claims(60)
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert desk.get(LIST).status_code == 200
        counts.append(len(queries))
        many_claims(3000)

    assert counts[0] == counts[1] <= 12
    assert not any("letter" in query["sql"].split("FROM")[0] for query in queries)


def test_the_queue_reads_its_page_from_the_index(desk):
    many_claims(3000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")

    plan = Claim.objects.open().select_related("notice", "article__source")[:50].explain()

    assert "claim_queue" in plan
    assert "TEMP B-TREE" not in plan

"""The moderators' queue in the admin."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from articles import stories
from articles.fingerprint import signature
from articles.models import Article
from moderation import actions, copies, letters, queue
from moderation.desk_models import CannedReason, SavedFilter
from moderation.models import MOVES, OPEN_STATES, Channel, Claim, ClaimState, Lane, Letter, Notice
from tests.articles.test_edited_copies import edited, text
from tests.factories import ArticleFactory, SourceFactory, UserFactory
from tests.loopback import web_server
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
    # Shown again is what was objected to, and nobody objected.
    moves = MOVES[state] - ({S.REINSTATED} if state == S.UPHELD else set())
    assert {expected[to] for to in moves if to in expected} == offered & set(expected.values())
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


def test_the_queue_costs_the_same_with_many_claims_and_reads_its_page_from_the_index(desk):
    many_claims(60)
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert desk.get(LIST).status_code == 200
        counts.append(len(queries))
        many_claims(1500)

    assert counts[0] == counts[1] <= 12
    assert not any("letter" in query["sql"].split("FROM")[0] for query in queries)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    waiting = queue.part_of(Claim.objects.all(), "", person=None, at=timezone.now())
    plan = waiting.select_related("notice", "article__source")[:50].explain()
    assert "claim_queue" in plan
    assert "TEMP B-TREE" not in plan


def test_the_claim_of_a_drill_is_nobodys_to_decide(desk):
    claim_in(S.RECEIVED, channel=Channel.DRILL)

    assert "NR-TEST" not in desk.get(LIST).content.decode()
    assert desk.post(f"{LIST}next/").url == LIST


# --- ready words, views, copies ---------------------------------------------------------------


def test_ready_words_stand_in_every_language_of_letters_and_are_offered_in_the_claimants(desk):
    assert set(CannedReason.objects.values_list("language", flat=True)) == set(letters.LANGUAGES)
    assert len(set(CannedReason.objects.values_list("reason_code", flat=True))) == 8

    page = unescape(desk.get(page_of(claim_in(S.RECEIVED, language="de"))).content.decode())

    assert "Eine Lizenz deckt es" in page
    assert "A licence covers it" not in page


def test_chosen_ready_words_are_sent_where_nothing_was_written(desk, person):
    claim = claim_in(S.RECEIVED)
    words = CannedReason.objects.get(language="en", reason_code="licensed")

    send(desk, claim, "propose", reason_code="licensed", reasons="", canned=words.pk)

    assert claim.proposal.reasons == words.text


def test_whoever_edits_ready_words_changes_what_is_offered(desk):
    words = CannedReason.objects.get(language="en", reason_code="licensed")
    form = {
        "language": "en",
        "reason_code": "licensed",
        "title": "Our contract",
        "text": "Contract 7.",
        "active": "on",
    }

    assert desk.post(f"/admin/moderation/cannedreason/{words.pk}/change/", form).status_code == 302

    assert "Our contract" in desk.get(page_of(claim_in(S.RECEIVED))).content.decode()


def test_a_view_is_kept_for_oneself_or_for_all_and_next_stays_in_it(client, desk, person):
    claim_in(S.RECEIVED, lane=Lane.B, hours_ago=9)
    wanted = claim_in(S.RECEIVED, lane=Lane.C, hours_ago=3, language="de")
    query = "lane__exact=C&language=de&q=olena%40owner.example"

    for name, shared in (("German by hand", {"shared": "on"}), ("Mine alone", {})):
        answer = desk.post(f"{LIST}views/", {"name": name, "query": query, **shared})
    assert answer.url == f"{LIST}?lane__exact=C&language=de"
    assert "olena" not in SavedFilter.objects.first().query
    page = desk.get(answer.url).content.decode()
    assert str(wanted) in page
    following = re.search(r'action="([^"]*/next/[^"]*)"', page)
    answer = desk.post(unescape(following[1]))
    assert answer.url.startswith(f"{page_of(wanted)}?_changelist_filters=lane__exact")
    answer = desk.post(answer.url, {"move": "uphold", "version": 2, "then": "next"})
    assert answer.url == f"{LIST}?lane__exact=C&language=de"

    client.force_login(moderator())
    page = client.get(LIST).content.decode()
    assert "German by hand" in page
    assert "Mine alone" not in page
    client.post(f"{LIST}views/", {"forget": SavedFilter.objects.get(name="Mine alone").pk})
    assert SavedFilter.objects.count() == 2


@pytest.mark.parametrize("query", ["", "q=olena@owner.example", "queue=nonsense", "evil=1"])
def test_a_view_that_asks_for_nothing_is_not_kept(desk, query):
    answer = desk.post(f"{LIST}views/", {"name": "x", "query": query}, follow=True)

    assert not SavedFilter.objects.exists()
    assert "nothing in this view to keep" in answer.content.decode()


def test_copies_of_the_work_are_listed_and_withheld_with_it(desk, person):
    work = ArticleFactory(text_key="t" * 64)
    copy, folded, other = ArticleFactory(text_key="t" * 64), ArticleFactory(copy_of=work), ArticleFactory()
    claim = notice_about(work).claims.get()
    page = desk.get(page_of(claim)).content.decode()
    assert page.count('name="copy"') == 2

    send(desk, claim, "copies", copy=[copy.pk, folded.pk, other.pk])

    assert not Article.objects.public().filter(pk__in=[copy.pk, folded.pk]).exists()
    assert Article.objects.public().filter(pk=other.pk).exists()
    added = claim.notice.claims.exclude(pk=claim.pk).order_by("number")
    assert [(one.number, one.state) for one in added] == [(2, S.UPHELD), (3, S.UPHELD)]
    assert Letter.objects.filter(claim__in=added).count() == 2
    assert "in this notice as claim 2" in desk.get(page_of(claim)).content.decode()
    actions.withdraw(claim_id=added[0].pk, at=timezone.now())
    assert Article.objects.public().filter(pk=added[0].article_id).exists()


def test_a_near_copy_is_found_by_its_wording():
    body = text(3)
    work = ArticleFactory(body=f"<p>{body}</p>", signature=signature(body))
    near = edited(body)
    copy = ArticleFactory(body=f"<p>{near}</p>", signature=signature(near))
    ArticleFactory(body=f"<p>{text(4)}</p>", signature=signature(text(4)))
    stories.relate([work.pk, copy.pk], at=timezone.now())

    [found] = copies.copies_of(notice_about(work).claims.get())

    assert found.article == copy
    assert "in a hundred of the wording" in found.how or found.how == "the same text"


def test_the_original_is_fetched_when_asked_and_shown_as_text(desk, settings):
    words = " ".join(f"anchovy{n} sings" for n in range(40))
    with web_server() as web:
        web.put(
            "/report",
            f"<html><head><title>The report</title><meta property='article:published_time' content='2019-01-02'></head>"
            f"<body><nav><p>Menu</p></nav><article><p>{words}</p><p>&lt;b&gt;</p></article></body></html>".encode(),
            headers=[("Content-Type", "text/html")],
        )
        article = ArticleFactory(body=f"<p>{words}</p>", canonical_url=web.url("/report"))
        originals = "https://www.made-for-it.example/old http://[not-one"
        claim = notice_about(article, original_urls=originals).claims.get()
        made = (timezone.now() - timedelta(days=20)).isoformat()
        told = {"events": [{"eventAction": "registration", "eventDate": made}]}
        web.put("/rdap/domain/made-for-it.example", json.dumps(told).encode())
        web.put("/rdap/domain/owner.example", b'{"events": [{"eventAction": 7}]}')
        settings.RDAP_URL = web.url("/rdap/")
        page = desk.post(page_of(claim), {"move": "look"}).content.decode()

    assert "20 days before the notice. <strong>A young domain</strong>" in page
    assert "owner.example: when it was registered is not known" in page
    assert "may be dated back" in page
    assert "The report" in page
    assert "100 in a hundred of its wording" in page
    assert "2019-01-02" in page
    assert "Menu" not in page
    assert "&lt;b&gt;" in page
    Article.objects.filter(pk=article.pk).update(canonical_url="http://10.0.0.1/inside")
    assert "It could not be fetched" in desk.post(page_of(claim), {"move": "look"}).content.decode()

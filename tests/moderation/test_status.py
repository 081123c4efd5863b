"""The page of a case: for whoever has its address, and for nobody else."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from articles.models import Article
from moderation import actions, limits, receive
from moderation.models import ClaimState, Lane, Letter, LetterKind, Probe
from moderation.references import confirm_url, status_url
from tests.factories import ArticleFactory
from tests.moderation.intake import address_of, send

pytestmark = pytest.mark.django_db


def path_of(url: str) -> str:
    return urlsplit(url).path


def test_the_page_says_where_the_case_stands_without_saying_who_asked(client: Client) -> None:
    article = ArticleFactory()
    notice = send(address_of(article), phone="+380 44 000", address="1 Quay Street", confirmed=True)

    page = client.get(path_of(status_url(notice))).content.decode()

    head = client.head(path_of(status_url(notice)))
    assert (head.status_code, head.content) == (200, b"")
    assert notice.reference in page
    assert notice.deadline_at.isoformat(timespec="minutes")[:16] in page
    assert "Withheld at the latest from" in page
    assert article.get_absolute_url() in page
    assert "o•••@owner.example" in page
    for secret in ("olena@owner.example", "Olena Rights", "+380", "Quay Street", "My report"):
        assert secret not in page


def test_no_deadline_is_promised_where_nothing_is_withheld_by_itself(client: Client) -> None:
    now = timezone.now()
    reason = "The mailbox is suspended until 1 May."
    left_to_a_person = send(address_of(ArticleFactory()), confirmed=True)
    left_to_a_person.claims.update(lane=Lane.C, lane_reason=reason, hold=None)
    late = send(address_of(ArticleFactory()), at=now - timedelta(hours=30))
    waiting = send(address_of(ArticleFactory()), at=now - timedelta(hours=1))

    person, passed, promised = (
        client.get(path_of(status_url(notice))).content.decode()
        for notice in (left_to_a_person, late, waiting)
    )

    assert "A person reads each notice and decides" in person
    assert "because something is missing" in passed
    assert "As soon as nothing is missing, what is ours is withheld at the latest on" in promised
    for page in (person, passed):
        assert "withheld at the latest" not in page.lower()


def test_every_wrong_address_has_the_same_answer(client: Client) -> None:
    notice = send(address_of(ArticleFactory()))
    right = path_of(status_url(notice))
    secret = right.split("/")[2]
    wrong = [
        "/removal/x/",
        f"/removal/{secret[:-1]}/",
        f"/removal/{secret.swapcase()}/",
        f"/removal/{notice.reference}/",
        f"/removal/{notice.pk}/",
        f"/removal/{'y' * 5000}/",
        f"/removal/{secret}/confirm/x/",
        f"/removal/x/confirm/{path_of(confirm_url(notice)).split('/')[4]}/",
    ]

    assert client.get(right).status_code == 200
    answers = {(client.get(path).status_code, client.get(path).content) for path in wrong}
    assert len(answers) == 1
    assert answers.pop()[0] == 404


@pytest.mark.parametrize("action", ["complete", "withdraw", "prove", "letter"])
def test_actions_need_the_right_address_and_a_post(client: Client, action: str) -> None:
    notice = send(address_of(ArticleFactory()))
    right = path_of(status_url(notice))

    assert client.post(f"/removal/wrong/{action}/").status_code == 404
    assert client.get(f"{right}{action}/").status_code == 405


def test_opening_the_mailed_link_confirms_nothing_pressing_its_button_does(client: Client) -> None:
    notice = send(address_of(ArticleFactory()))
    path = path_of(confirm_url(notice))

    for _ in range(3):
        assert client.get(path).status_code == 200
        client.head(path)
    notice.refresh_from_db()
    assert notice.confirmed_at is None

    answer = client.post(path, follow=True)
    notice.refresh_from_db()
    assert notice.confirmed_at
    assert "Your mailbox is confirmed" in answer.content.decode()
    assert notice.claims.get().lane == Lane.B


def test_the_page_of_the_case_alone_cannot_confirm_a_mailbox(client: Client) -> None:
    notice = send(address_of(ArticleFactory()))

    page = client.get(path_of(status_url(notice))).content.decode()

    assert path_of(confirm_url(notice)) not in page


def test_the_letter_can_be_asked_for_again_but_not_without_end(client: Client) -> None:
    notice = send(address_of(ArticleFactory()))
    path = f"{path_of(status_url(notice))}letter/"

    for _ in range(10):
        answer = client.post(path, follow=True)

    assert Letter.objects.filter(kind=LetterKind.CONFIRM).count() == limits.PER_MAILBOX
    assert "very often" in answer.content.decode()


def test_what_is_missing_can_be_added_on_the_page(client: Client) -> None:
    notice = send(address_of(ArticleFactory()), confirmed=True, signature="", good_faith=False)
    path = path_of(status_url(notice))
    page = client.get(path).content.decode()
    assert 'name="signature"' in page
    assert 'name="accurate"' not in page
    # Said once, and in each language: the reason kept for moderators is English and may be cut.
    assert "Missing:" not in page
    assert "Missing:" not in client.get(f"/ar{path}").content.decode()

    answer = client.post(
        f"{path}complete/", {"signature": "Olena", "good_faith": "on", "name": "X"}, follow=True
    )

    assert "stands with your notice" in answer.content.decode()
    assert notice.claims.get().lane == Lane.B
    notice.refresh_from_db()
    assert notice.name == "Olena Rights"


def test_one_article_can_be_taken_back_and_the_rest_stays(client: Client) -> None:
    first, second = ArticleFactory(), ArticleFactory()
    notice = send(f"{address_of(first)}\n{address_of(second)}", confirmed=True)

    client.post(f"{path_of(status_url(notice))}withdraw/", {"claim": "1"})

    assert list(notice.claims.order_by("number").values_list("state", flat=True)) == ["withdrawn", "received"]
    assert "You took it back on" in client.get(path_of(status_url(notice))).content.decode()


@pytest.mark.parametrize("number", ["", "99", "-1", "²", "1 OR 1=1", "9" * 400])
def test_a_claim_that_is_not_of_this_case_cannot_be_taken_back(client: Client, number: str) -> None:
    other = send(address_of(ArticleFactory()), email="somebody@else.example", confirmed=True)
    notice = send("https://else.example/x")

    client.post(f"{path_of(status_url(notice))}withdraw/", {"claim": number})

    assert other.claims.get().state == ClaimState.RECEIVED


def test_taking_back_one_case_leaves_the_others_hold(client: Client) -> None:
    article = ArticleFactory()
    first = send(address_of(article), confirmed=True, proved_domain=article.source.domain)
    send(address_of(article), email="b@else.example", confirmed=True, proved_domain=article.source.domain)

    client.post(f"{path_of(status_url(first))}withdraw/", {"claim": "all"})

    assert not Article.objects.public().exists()


def test_decisions_proof_and_history_are_shown(client: Client) -> None:
    notice = send(address_of(ArticleFactory()), confirmed=True)
    claim = notice.claims.get()
    actions.uphold(claim_id=claim.pk, at=timezone.now(), by=None, reasons="Yours, as you say.")
    Probe.objects.create(
        claim=claim, surface="sitemap", url="/sitemap.xml", at=timezone.now(), status=200, is_clean=True
    )

    page = client.get(path_of(status_url(notice))).content.decode()

    assert "Removed; withheld since" in page
    assert "Yours, as you say." in page
    assert "sitemap" in page
    assert "Article 1: upheld" in page


@pytest.mark.parametrize("state", ["refused", "withdrawn", "reinstated"])
def test_every_end_has_its_words(client: Client, state: str) -> None:
    notice = send(address_of(ArticleFactory()))
    notice.claims.update(state=state, decided_at=timezone.now())

    assert client.get(path_of(status_url(notice))).status_code == 200


def test_a_deadline_that_passed_is_shown_as_withheld(client: Client) -> None:
    notice = send(address_of(ArticleFactory()), at=timezone.now() - timedelta(hours=25), confirmed=True)

    assert "Withheld from readers since" in client.get(path_of(status_url(notice))).content.decode()


def test_a_case_of_a_thousand_lines_is_shown_page_by_page(client: Client) -> None:
    notice = send("\n".join(f"https://else.example/{n}" for n in range(450)))
    path = path_of(status_url(notice))

    first, last = client.get(path).content.decode(), client.get(f"{path}?from=401").content.decode()

    assert "?from=201" in first
    assert "else.example/449" in last
    assert "?from=" not in last


def test_the_page_costs_the_same_for_one_article_and_for_fifty(
    client: Client, django_assert_max_num_queries
) -> None:
    notice = send("\n".join(address_of(article) for article in ArticleFactory.create_batch(50)))
    receive.confirm(notice=notice, at=timezone.now())

    with django_assert_max_num_queries(45):
        client.get(path_of(status_url(notice)))

"""What was proved decides what happens by itself, and when (promise 7); late proof never restarts the clock."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from articles.actions import wording_keys
from articles.fingerprint import signature
from articles.models import Article, BlockedWork, BlockKind, Hold
from articles.sanitise import to_text
from moderation import ledger, receive
from moderation.models import ClaimState, Lane, LedgerEntry, LetterKind, Notice
from tests.factories import ArticleFactory, SourceFactory
from tests.moderation.intake import COMPLETE, address_of, send

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def test_an_unconfirmed_notice_withholds_nothing() -> None:
    claim = send(address_of(ArticleFactory())).claims.get()

    assert (claim.lane, claim.hold) == (Lane.C, None)


def test_a_confirmed_complete_notice_is_held_with_the_margin_before_the_deadline() -> None:
    notice = send(address_of(ArticleFactory()), confirmed=True)

    claim = notice.claims.get()
    assert claim.lane == Lane.B
    assert claim.hold.effective_at == notice.received_at + 23 * HOUR
    assert Article.objects.public().count() == 1


@pytest.mark.parametrize("missing", ["name", "good_faith", "accurate", "signature", "work"])
def test_a_confirmed_notice_that_lacks_something_waits_for_it(missing: str) -> None:
    article = ArticleFactory()
    notice = send(address_of(article), confirmed=True, **{missing: type(COMPLETE[missing])()})
    assert (notice.missing, notice.claims.get().lane) == ([missing], Lane.C)

    later = notice.received_at + 5 * HOUR
    receive.complete(notice=notice, given={missing: COMPLETE[missing]}, at=later)

    claim = notice.claims.get()
    assert claim.lane == Lane.B
    assert claim.hold.effective_at == notice.received_at + 23 * HOUR


def test_confirming_late_does_not_restart_the_clock() -> None:
    notice = send(address_of(ArticleFactory()), at=timezone.now() - 20 * HOUR)

    receive.confirm(notice=notice, at=timezone.now())

    assert notice.claims.get().hold.effective_at == notice.received_at + 23 * HOUR
    assert Article.objects.public().exists()


def test_confirming_after_the_deadline_withholds_now() -> None:
    notice = send(address_of(ArticleFactory()), at=timezone.now() - 40 * HOUR)
    assert Article.objects.public().exists()

    receive.confirm(notice=notice, at=timezone.now())

    assert not Article.objects.public().exists()


def test_confirming_twice_is_confirming_once() -> None:
    notice = send(address_of(ArticleFactory()))
    first = timezone.now()

    receive.confirm(notice=notice, at=first)
    receive.confirm(notice=notice, at=first + HOUR)

    notice.refresh_from_db()
    assert notice.confirmed_at == first
    assert notice.events.filter(kind="confirmed").count() == 1
    assert list(notice.letters.values_list("kind", flat=True)) == [LetterKind.CONFIRM, LetterKind.RECEIVED]
    assert Hold.objects.count() == 1


def test_a_proved_domain_is_held_at_once_and_touches_no_other_source() -> None:
    mine, other = ArticleFactory(), ArticleFactory()

    notice = send(f"{address_of(mine)}\n{address_of(other)}", proved_domain=mine.source.domain)

    lanes = {claim.article_id: claim.lane for claim in notice.claims.all()}
    assert lanes == {mine.pk: Lane.A, other.pk: Lane.C}
    assert list(Article.objects.public()) == [other]
    assert f"Control of {mine.source.domain} was proved" in notice.claims.get(article=mine).lane_reason


@pytest.mark.parametrize("near", ["evil-{}", "{}.evil.example", "x{}"])
def test_a_domain_that_only_looks_like_the_sources_proves_nothing(near: str) -> None:
    article = ArticleFactory()

    notice = send(address_of(article), proved_domain=near.format(article.source.domain))

    assert notice.claims.get().lane == Lane.C


def test_proving_a_domain_later_brings_the_hold_forward() -> None:
    article = ArticleFactory()
    notice = send(address_of(article), confirmed=True)
    hold = notice.claims.get().hold
    at = timezone.now()

    receive.prove(notice=notice, domain=article.source.domain, method="dns", at=at)

    hold.refresh_from_db()
    assert hold.effective_at == at
    assert not Article.objects.public().exists()
    assert Hold.objects.count() == 1


def test_a_hold_never_moves_to_later() -> None:
    article = ArticleFactory()
    notice = send(address_of(article), confirmed=True, proved_domain=article.source.domain)
    before = notice.claims.get().hold.effective_at

    receive.reassess(notice=notice, at=timezone.now() + 5 * HOUR)

    assert notice.claims.get().hold.effective_at == before
    assert notice.claims.get().lane == Lane.A


def test_a_proof_stands_for_the_next_notice_of_the_same_confirmed_mailbox_only() -> None:
    source = SourceFactory()
    first, second, third = ArticleFactory.create_batch(3, source=source)
    send(address_of(first), confirmed=True, proved_domain=source.domain)

    confirmed = send(address_of(second), confirmed=True)
    unconfirmed = send(address_of(third))

    assert confirmed.claims.get().lane == Lane.A
    assert unconfirmed.claims.get().lane == Lane.C
    receive.confirm(notice=unconfirmed, at=timezone.now())
    assert unconfirmed.claims.get().lane == Lane.A


def test_decided_claims_stay_as_decided() -> None:
    notice = send(address_of(ArticleFactory()))
    notice.claims.update(state=ClaimState.WITHDRAWN)

    receive.confirm(notice=notice, at=timezone.now())

    assert (notice.claims.get().lane, notice.claims.get().hold) == (Lane.C, None)


def test_completing_fills_gaps_and_changes_nothing_said() -> None:
    notice = send(address_of(ArticleFactory()), signature="")

    receive.complete(notice=notice, given={"signature": "Olena", "name": "Somebody Else"}, at=timezone.now())

    notice.refresh_from_db()
    assert (notice.signature, notice.name) == ("Olena", "Olena Rights")


def test_the_deadline_is_twenty_four_elapsed_hours_whatever_the_zone_does(settings) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    at = timezone.datetime.fromisoformat("2026-10-24T12:30:00+02:00")

    notice = send(address_of(ArticleFactory()), at=at)

    assert notice.deadline_at == timezone.datetime.fromisoformat("2026-10-25T11:30:00+01:00")


def test_a_lane_is_kept_in_words_and_in_the_ledger() -> None:
    article = ArticleFactory()
    notice = send(address_of(article), confirmed=True)

    claim = notice.claims.get()
    assert claim.lane_reason == "The mailbox is confirmed and the notice is complete."
    received, held = (
        LedgerEntry.objects.filter(kind="received").get(),
        LedgerEntry.objects.filter(kind="held").get(),
    )
    assert ledger.moment(claim.hold.effective_at) in received.payload
    assert article.url_key in held.payload
    assert BlockedWork.objects.filter(hold=claim.hold, key=article.url_key).exists()
    for entry in (received, held):
        assert "olena" not in entry.payload.lower()


def test_a_notice_that_names_nothing_of_ours_is_still_a_case() -> None:
    notice = send("https://else.example/x")

    assert not notice.claims.exists()
    assert notice.letters.count() == 1
    assert Notice.objects.filter(closed_at__isnull=True).count() == 1


def test_an_article_held_for_somebody_else_gets_a_claim_of_its_own() -> None:
    article = ArticleFactory()
    other = send(address_of(article), email="a@else.example", proved_domain=article.source.domain)

    notice = send(address_of(article), confirmed=True)

    assert notice.lines.get().verdict == "gone"
    assert notice.claims.get().hold not in (None, other.claims.get().hold)


def test_a_notice_is_whole_or_not_there(monkeypatch) -> None:
    def fails(**kwargs: object) -> None:
        raise RuntimeError("power cut")

    monkeypatch.setattr(ledger, "append", fails)

    with pytest.raises(RuntimeError):
        send(address_of(ArticleFactory()), confirmed=True)

    assert not Notice.objects.exists()
    assert not Hold.objects.exists()


def test_a_database_behind_its_ledger_acknowledges_nothing(client, settings) -> None:
    settings.LEDGER_PATH.parent.mkdir(parents=True, exist_ok=True)
    settings.LEDGER_PATH.write_text("not a line of ours\n")
    article = ArticleFactory()

    answer = client.post("/removal/", {"urls": address_of(article), "email": "olena@owner.example"})

    assert answer.status_code == 503
    assert "NR-" not in answer.content.decode()
    assert not Notice.objects.exists()


def test_many_addresses_cost_a_few_statements_for_every_five_hundred(django_assert_max_num_queries) -> None:
    articles = ArticleFactory.create_batch(60)
    text = "\n".join(address_of(article) for article in articles)

    with django_assert_max_num_queries(75):
        notice = send(text, confirmed=True)

    assert notice.claims.exclude(hold=None).count() == 60
    assert BlockedWork.objects.values("hold").distinct().count() == 60


def test_the_ledger_names_every_key_by_which_a_work_of_a_long_notice_is_met_again() -> None:
    articles = [
        ArticleFactory(body=f"<p>{' '.join(f'word{number}x{place}' for place in range(60))}.</p>")
        for number in range(3)
    ]
    # One of them was compared with others before, so that its sketch is stored.
    Article.objects.filter(pk=articles[0].pk).update(signature=signature(to_text(articles[0].body)))

    notice = send("\n".join(address_of(article) for article in articles), confirmed=True)

    written = LedgerEntry.objects.filter(kind="held").values_list("payload", flat=True)
    held = {entry["claim"]: entry["blocks"] for entry in map(json.loads, written)}
    for claim in notice.claims.all():
        stored = sorted(map(list, claim.hold.blocks.values_list("kind", "key")))
        wording = {key for kind, key in stored if kind == BlockKind.WORDING}
        assert held[str(claim)] == stored
        assert wording == wording_keys(claim.article.body)
        assert len(wording) == 16

"""Whoever proved a domain can have all of it left out, and in again; nobody else's."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from django.conf import settings as site
from django.test import Client
from django.utils import timezone

from articles.actions import BLOCKED, ingest
from articles.drafts import Draft
from articles.models import Article, BlockedWork, Hold
from articles.optouts import OptOut
from moderation import ledger, owners, receive
from moderation.models import Lane, LedgerEntry, Notice
from moderation.owner_models import ApiKey, StandingOptOut, Webhook
from moderation.references import status_url
from moderation.replay import replay
from tests.factories import ArticleFactory, SourceFactory
from tests.moderation.intake import address_of, send

pytestmark = pytest.mark.django_db

DOMAIN = "harbour.example"


def owner_of(domain: str = DOMAIN, **changes) -> Notice:
    """A confirmed notice about one article of the domain, which was proved for it."""
    source = SourceFactory(domain=domain)
    notice = send(address_of(ArticleFactory(source=source)), confirmed=True, **changes)
    receive.prove(notice=notice, domain=domain, method="dns", at=timezone.now())
    notice.refresh_from_db()
    return notice


def more(number: int, domain: str = DOMAIN) -> list[Article]:
    return ArticleFactory.create_batch(number, source=notice_source(domain))


def notice_source(domain: str):
    return Article.objects.filter(source__domain=domain).first().source


def opt_out(notice: Notice, kind: str = "source", value: str = "", domain: str = DOMAIN) -> StandingOptOut:
    return owners.opt_out(notice=notice, domain=domain, kind=kind, value=value, at=timezone.now())


def work_until_done() -> None:
    for _ in range(20):
        if not owners.apply_due(10, timezone.now()):
            return


def page(client: Client, notice: Notice, **posted: str) -> str:
    path = f"{urlsplit(status_url(notice)).path}owner/"
    answer = client.post(path, posted) if posted else client.get(path)
    return answer.content.decode()


def test_everything_of_the_source_is_gone_at_once_before_any_worker_ran() -> None:
    notice = owner_of()
    more(5)
    other = ArticleFactory()

    opt_out(notice)

    assert list(Article.objects.public()) == [other]
    assert OptOut.objects.get().value == ""


def test_what_other_outlets_brought_from_the_domain_goes_with_it() -> None:
    notice = owner_of()
    brought = ArticleFactory(canonical_url="https://news.harbour.example/1")
    similar = ArticleFactory(canonical_url="https://notharbour.example/1")

    opt_out(notice)

    assert list(Article.objects.public()) == [similar]
    assert Hold.objects.get(article=brought).reference == OptOut.objects.get().reference


def test_the_worker_holds_them_in_portions_and_resumes_where_another_died(
    client: Client, monkeypatch
) -> None:
    monkeypatch.setattr(owners, "PORTION", 3)
    notice = owner_of()
    more(7)
    standing = opt_out(notice)

    owners.apply_due(1, timezone.now())
    standing.refresh_from_db()
    assert (standing.withheld, standing.cursor > 0, standing.due_at is not None) == (3, True, True)
    assert 0 < standing.percent(owners.newest_article()) < 100
    assert re.search(r"itself: 3 so far, \d\d % looked through", page(client, notice))

    # A worker took the lease and died: another goes on when it ran out.
    StandingOptOut.objects.claim(standing.pk, at=timezone.now(), seconds=0)
    work_until_done()

    standing.refresh_from_db()
    assert (standing.withheld, standing.due_at) == (8, None)
    assert "Done: articles withheld one by one: 8." in page(client, notice)
    assert Hold.objects.standing().filter(reference=standing.rule.reference).count() == 8
    assert set(
        BlockedWork.objects.filter(hold__reference=standing.rule.reference).values_list("kind", flat=True)
    ) == {"address"}


def test_the_owner_allows_it_again_and_all_shows_as_it_was(client: Client, monkeypatch) -> None:
    monkeypatch.setattr(owners, "PORTION", 3)
    notice = owner_of()
    articles = more(3)
    brought = ArticleFactory(canonical_url="https://news.harbour.example/1")
    standing = opt_out(notice)
    work_until_done()

    owners.lift(notice=notice, opt_out_id=standing.pk, at=timezone.now())
    assert "Articles still to be shown again: 2." in page(client, notice)
    work_until_done()

    # The article of the notice itself stays withheld by its claim.
    assert set(Article.objects.public()) == {*articles, brought}
    standing.refresh_from_db()
    assert standing.due_at is None
    assert [entry.kind for entry in LedgerEntry.objects.filter(kind__startswith="opted")] == [
        "opted_out",
        "opted_in",
    ]


def test_the_same_rule_twice_is_one_rule_and_one_entry() -> None:
    notice = owner_of()

    first, again = (
        opt_out(notice, "path", "/culture/"),
        opt_out(notice, "path", "https://harbour.example/culture"),
    )

    assert first == again
    assert LedgerEntry.objects.filter(kind="opted_out").count() == 1


def test_the_owner_of_one_source_cannot_touch_another() -> None:
    notice = owner_of()
    SourceFactory(domain="other.example")
    theirs = opt_out(owner_of("other.example", email="else@other.example"), domain="other.example")

    with pytest.raises(owners.NotProved):
        opt_out(notice, domain="other.example")
    with pytest.raises(owners.NotProved):
        opt_out(notice, "path", "https://other.example/culture")
    with pytest.raises(owners.NotProved):
        owners.lift(notice=notice, opt_out_id=theirs.pk, at=timezone.now())
    with pytest.raises(owners.NotProved):
        owners.new_key(notice=notice, domain="other.example", at=timezone.now())

    assert StandingOptOut.objects.count() == 1


def test_who_proved_only_a_mailbox_opts_nobody_out() -> None:
    notice = send(address_of(ArticleFactory(source=SourceFactory(domain=DOMAIN))), confirmed=True)

    with pytest.raises(owners.NotProved):
        opt_out(notice)


def test_a_proof_without_the_mailbox_withholds_the_case_and_opens_nothing_else(client: Client) -> None:
    confirmed = owner_of()
    named = ArticleFactory(source=notice_source(DOMAIN))
    standing = opt_out(confirmed, "path", "/sport/")
    key = owners.new_key(notice=confirmed, domain=DOMAIN, at=timezone.now())
    notice = send(address_of(named), email="somebody@else.example")

    receive.prove(notice=notice, domain=DOMAIN, method="well-known", at=timezone.now())

    assert notice.claims.get().lane == Lane.A
    path = f"{urlsplit(status_url(notice)).path}owner/"
    assert path not in client.get(urlsplit(status_url(notice)).path).content.decode()
    shown = page(client, notice)
    assert "Confirm your mailbox first" in shown
    assert key.row.begins not in shown
    for posted in (
        {"do": "opt-out", "domain": DOMAIN, "kind": "source"},
        {"do": "lift", "number": str(standing.pk)},
        {"do": "key", "domain": DOMAIN},
        {"do": "revoke", "number": str(key.row.pk)},
        {"do": "webhook", "domain": DOMAIN, "url": "https://else.example/hook"},
    ):
        assert client.post(path, posted).status_code == 422
    assert OptOut.objects.get().lifted_at is None
    assert ApiKey.objects.get().revoked_at is None
    assert not Webhook.objects.exists()


def test_a_mailbox_that_never_answered_is_owed_no_proof_by_its_name() -> None:
    article, other = ArticleFactory.create_batch(2, source=SourceFactory(domain=DOMAIN))
    # The owner mistyped the own address; whoever has that mailbox writes later, for real.
    mistyped = send(address_of(article), email="olena@onwer.example")
    receive.prove(notice=mistyped, domain=DOMAIN, method="dns", at=timezone.now())

    stranger = send(address_of(other), email="olena@onwer.example", confirmed=True)

    assert stranger.claims.get().lane == Lane.B
    assert owners.proofs(stranger, at=timezone.now()) == {}


def test_a_mailbox_provider_is_nobodys_newspaper() -> None:
    notice = owner_of("gmail.com")

    with pytest.raises(owners.NotProved):
        opt_out(notice, domain="gmail.com")


def test_after_an_older_copy_was_restored_the_rule_stands_again() -> None:
    notice = owner_of()
    article, *_ = more(2)
    written = ArticleFactory(source=article.source, people=["Ann Briain"])
    name = written.contributors.get().name
    opt_out(notice, "author", name)
    lifted = opt_out(notice, "path", "/sport/")
    owners.lift(notice=notice, opt_out_id=lifted.pk, at=timezone.now())
    ledger.sync()
    assert name not in site.LEDGER_PATH.read_text()
    restored_from_before("opted_out")

    list(replay())

    assert written not in Article.objects.public()
    assert article in Article.objects.public()
    assert OptOut.objects.standing().get().contributor == written.contributors.get()


def restored_from_before(kind: str) -> None:
    """As if an older copy had been put back: neither the rules nor their entries are there."""
    from django.db import connection

    first = LedgerEntry.objects.filter(kind=kind).earliest("seq").seq
    StandingOptOut.objects.all().delete()
    OptOut.objects.all().delete()
    with connection.cursor() as cursor:
        for name in triggers_on_ledger(cursor):
            cursor.execute(name)
        cursor.execute("DELETE FROM moderation_ledgerentry WHERE seq >= %s", [first])


def triggers_on_ledger(cursor) -> list[str]:
    from django.db import connection

    if connection.vendor == "sqlite":
        cursor.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'moderation_ledgerentry'"
        )
        return [f"DROP TRIGGER {name}" for (name,) in cursor.fetchall()]
    return ["ALTER TABLE moderation_ledgerentry DISABLE TRIGGER USER"]


def test_what_a_feed_brings_later_is_blocked() -> None:
    notice = owner_of()
    opt_out(notice)
    draft = Draft("https://harbour.example/new", "n" * 64, "", "New")

    assert ingest(source=notice_source(DOMAIN), drafts=[draft], at=timezone.now())[0].outcome == BLOCKED


# --- the page ---------------------------------------------------------------------------------


def test_the_owner_does_all_of_it_on_the_page(client: Client) -> None:
    notice = owner_of()
    article, *_ = more(1)
    assert (
        f"{urlsplit(status_url(notice)).path}owner/"
        in client.get(urlsplit(status_url(notice)).path).content.decode()
    )

    assert "Done." in page(client, notice, do="opt-out", domain=DOMAIN, kind="source")
    assert client.get(article.get_absolute_url()).status_code == 451

    number = str(StandingOptOut.objects.get().pk)
    assert "Allow harbour.example again" in page(client, notice)
    assert "Lifted." in page(client, notice, do="lift", number=number)
    assert client.get(article.get_absolute_url()).status_code == 200


@pytest.mark.parametrize(
    "posted",
    [
        {"do": "nonsense"},
        {"do": "opt-out", "domain": DOMAIN, "kind": "everything"},
        {"do": "opt-out", "domain": "other.example", "kind": "source"},
        {"do": "opt-out", "domain": DOMAIN, "kind": "author", "value": " "},
        {"do": "opt-out", "domain": DOMAIN, "kind": "path", "value": "/"},
        {"do": "lift", "number": "99999999999999999999"},
        {"do": "lift", "number": "x"},
        {"do": "revoke", "number": "1"},
        {"do": "key", "domain": "other.example"},
        {"do": "webhook", "domain": "other.example", "url": "https://other.example/"},
    ],
)
def test_what_is_not_the_owners_or_makes_no_sense_is_said_and_changes_nothing(client: Client, posted) -> None:
    notice = owner_of()

    path = f"{urlsplit(status_url(notice)).path}owner/"
    answer = client.post(path, posted)

    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()
    assert not OptOut.objects.exists()


def test_another_case_and_a_wrong_secret_lead_nowhere(client: Client) -> None:
    assert client.get("/removal/nonsense/owner/").status_code == 404
    unproved = send(address_of(ArticleFactory()), confirmed=True)
    assert "No site was proved" in page(client, unproved)


def test_a_key_is_shown_once_and_kept_as_a_hash(client: Client) -> None:
    notice = owner_of()

    shown = page(client, notice, do="key", domain=DOMAIN)

    secret = re.search(r"nrk_[\w-]{30,}", shown).group()
    row = ApiKey.objects.get()
    assert secret not in str(ApiKey.objects.values().get())
    assert secret not in page(client, notice)
    assert owners.key_called(secret, at=timezone.now()) == row
    page(client, notice, do="revoke", number=str(row.pk))
    assert owners.key_called(secret, at=timezone.now()) is None

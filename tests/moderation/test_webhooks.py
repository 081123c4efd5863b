"""An owner's server is told of every outcome, once, signed, until it takes it; never a private address."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from articles.webhooks import TRIES, NotUsable, secret_of, sign
from moderation import actions, receive, webhooks
from moderation.models import Claim
from moderation.owner_api import Told
from moderation.owner_models import WebhookDelivery
from tests.factories import ArticleFactory
from tests.loopback import WebServer, web_server
from tests.moderation.intake import address_of, send
from tests.moderation.test_owners import DOMAIN, owner_of

pytestmark = pytest.mark.django_db

DOCS = Path(__file__).resolve().parent.parent.parent / "docs" / "api.md"


@pytest.fixture
def web() -> Iterator[WebServer]:
    with web_server() as server:
        server.put("/hook", b"thanks")
        yield server


def hooked(web: WebServer) -> Claim:
    """A claim of an owner whose webhook is the server."""
    notice = owner_of()
    webhooks.register(domain=DOMAIN, url=web.url("/hook"), at=timezone.now())
    return notice.claims.get()


def test_an_outcome_is_told_once_with_a_signature_that_the_documentation_explains(web: WebServer) -> None:
    claim = hooked(web)
    actions.uphold(claim_id=claim.pk, by=None, at=timezone.now())
    assert webhooks.is_waiting(timezone.now())

    webhooks.send_due(10, timezone.now())
    webhooks.send_due(10, timezone.now())

    (asked,) = web.asked
    told = json.loads(asked.body)
    assert (told["type"], told["reference"], told["claim"]) == ("claim.upheld", claim.notice.reference, 1)
    assert "olena" not in asked.body.decode().lower()
    assert set(told) == set(Told.model_fields)
    names: dict = {}
    exec(re.search(r"```python\n(.*?)```", DOCS.read_text(), re.S)[1], names)
    secret = secret_of(webhooks.of(DOMAIN))
    header = asked.headers["Newsroom-Signature"]
    assert names["is_genuine"](secret, header, asked.body)
    assert not names["is_genuine"](secret, header, asked.body + b" ")
    assert not names["is_genuine"]("whs_other", header, asked.body)
    old = sign(secret, asked.body, at=timezone.now() - timedelta(hours=1))
    assert not names["is_genuine"](secret, old, asked.body)


def test_each_outcome_has_its_own_message(web: WebServer) -> None:
    claim = hooked(web)
    actions.uphold(claim_id=claim.pk, by=None, at=timezone.now())
    webhooks.send_due(10, timezone.now())
    actions.withdraw(claim_id=claim.pk, at=timezone.now())
    webhooks.send_due(10, timezone.now())

    assert [json.loads(asked.body)["type"] for asked in web.asked] == ["claim.upheld", "claim.withdrawn"]


def test_nobody_is_told_of_somebody_elses_claims_nor_of_what_was_before(web: WebServer) -> None:
    before = owner_of().claims.get()
    actions.uphold(claim_id=before.pk, by=None, at=timezone.now())
    webhooks.register(domain=DOMAIN, url=web.url("/hook"), at=timezone.now())
    strangers = send(address_of(ArticleFactory()), confirmed=True, email="x@y.example")
    actions.uphold(claim_id=strangers.claims.get().pk, by=None, at=timezone.now())

    webhooks.send_due(10, timezone.now())

    assert not WebhookDelivery.objects.exists()


def test_a_server_that_fails_is_asked_again_later_and_given_up_in_the_end(web: WebServer) -> None:
    claim = hooked(web)
    web.put("/hook", b"no", status=500)
    actions.uphold(claim_id=claim.pk, by=None, at=timezone.now())
    at = timezone.now()

    webhooks.send_due(10, at)
    row = WebhookDelivery.objects.get()
    assert (row.status, row.last_error, row.due_at > at) == (500, "Answered 500.", True)
    webhooks.send_due(10, at)
    assert len(web.asked) == 1

    for _ in range(30):
        at += timedelta(hours=7)
        webhooks.send_due(10, at)
    row.refresh_from_db()
    assert (row.due_at, row.delivered_at) == (None, None)
    assert len(web.asked) == TRIES
    assert len({asked.body for asked in web.asked}) == 1


def test_a_message_whose_worker_died_is_sent_by_another(web: WebServer) -> None:
    claim = hooked(web)
    actions.uphold(claim_id=claim.pk, by=None, at=timezone.now())
    web.put("/hook", b"no", status=503)
    webhooks.send_due(10, timezone.now())
    row = WebhookDelivery.objects.get()
    later = timezone.now() + timedelta(hours=1)
    WebhookDelivery.objects.claim(row.pk, at=later, seconds=60)
    web.put("/hook", b"thanks")

    webhooks.send_due(10, later)
    assert len(web.asked) == 1
    webhooks.send_due(10, later + timedelta(minutes=2))

    row.refresh_from_db()
    assert row.delivered_at


def test_a_redirect_is_not_followed_and_a_private_address_never_asked(web: WebServer, settings) -> None:
    claim = hooked(web)
    web.redirect("/hook", web.url("/inside"))
    actions.uphold(claim_id=claim.pk, by=None, at=timezone.now())
    webhooks.send_due(10, timezone.now())
    assert web.paths() == ["/hook"]

    settings.FETCH_ALLOW_NETWORKS = []
    webhooks.send_due(10, timezone.now() + timedelta(hours=1))

    assert web.paths() == ["/hook"]
    assert "private" in WebhookDelivery.objects.get().last_error.lower()


@pytest.mark.parametrize(
    "url",
    ["http://owner.example/hook", "ftp://owner.example/", "nonsense", "https://user:pass@owner.example/"],
)
def test_an_address_that_cannot_be_one_is_refused(url: str, settings) -> None:
    settings.FETCH_ALLOW_NETWORKS = []

    with pytest.raises(NotUsable):
        webhooks.register(domain=DOMAIN, url=url, at=timezone.now())


def test_ended_it_is_told_nothing_more(web: WebServer) -> None:
    claim = hooked(web)
    actions.uphold(claim_id=claim.pk, by=None, at=timezone.now())
    webhooks.register(domain=DOMAIN, url="", at=timezone.now())

    webhooks.send_due(10, timezone.now())

    assert not web.asked
    assert webhooks.of(DOMAIN) is None


def test_a_standing_proof_of_the_mailbox_counts_too(web: WebServer) -> None:
    hooked(web)
    article = ArticleFactory(source=Claim.objects.get().article.source)
    later = send(address_of(article), confirmed=True)
    assert not later.domain_proofs.exists()
    receive.reassess(notice=later, at=timezone.now())
    actions.uphold(claim_id=later.claims.get().pk, by=None, at=timezone.now())

    webhooks.send_due(10, timezone.now())

    assert len(web.asked) == 1

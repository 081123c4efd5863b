"""Control of a domain is proved by that domain's own mail, name server or web site, and by nothing else."""

from __future__ import annotations

import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from django.conf import settings as site
from django.test import Client
from django.utils import timezone

from articles.models import Article
from moderation import proof
from moderation.models import DomainProof, Lane, Notice
from moderation.references import proof_token, status_url
from tests.factories import ArticleFactory, SourceFactory
from tests.loopback import WebServer, web_server
from tests.moderation.intake import address_of, key_pair, letter_about, mail, send, signed
from tests.nameserver import NameServer, name_server

pytestmark = pytest.mark.django_db


@pytest.fixture
def names(settings) -> Iterator[NameServer]:
    with name_server() as server:
        settings.DNS_RESOLVER = server.address
        server.texts["test._domainkey.owner.example"] = [key_pair()[1]]
        yield server


@pytest.fixture
def web() -> Iterator[WebServer]:
    with web_server() as server:
        yield server


def case(web: WebServer | None = None) -> tuple[Notice, str, str]:
    """A notice about one article; with `web`, its source's site is that server. Also the domain and the token."""
    source = SourceFactory(domain="127.0.0.1", homepage=web.url("/")) if web else SourceFactory()
    article = ArticleFactory(source=source)
    notice = send(address_of(article))
    return notice, source.domain, proof_token(notice.reference, source.domain)


def look(client: Client, notice: Notice, domain: str) -> str:
    path = f"{urlsplit(status_url(notice)).path}prove/"
    return client.post(path, {"domain": domain}, follow=True).content.decode()


def test_the_page_of_the_case_explains_all_four_ways(client: Client) -> None:
    notice, domain, token = case()

    page = client.get(urlsplit(status_url(notice)).path).content.decode()

    for words in (
        f"_newsroom-removal.{domain}",
        "/.well-known/newsroom-removal.txt",
        "&lt;meta name=",
        "DKIM",
        token,
    ):
        assert words in page


def test_a_dns_record_withholds_the_sources_article_now(client: Client, names: NameServer) -> None:
    notice, domain, token = case()
    assert "did not find it yet" in look(client, notice, domain)
    names.texts[f"_newsroom-removal.{domain}"] = ["something else", token]

    page = look(client, notice, domain)

    assert "The domain is proved" in page
    assert notice.claims.get().lane == Lane.A
    assert not Article.objects.public().exists()
    row = DomainProof.objects.get()
    assert (row.method, row.proved_at is not None) == ("dns", True)


def test_a_file_on_the_site_proves_it(client: Client, names: NameServer, web: WebServer) -> None:
    notice, domain, token = case(web)
    web.put(proof.FILE, f"{token}\n".encode())

    assert "The domain is proved" in look(client, notice, domain)
    assert DomainProof.objects.get(proved_at__isnull=False).method == "well-known"


def test_a_mark_in_the_head_of_the_front_page_proves_it(
    client: Client, names: NameServer, web: WebServer
) -> None:
    notice, domain, token = case(web)
    web.put("/", f'<html><head><meta name="newsroom-removal" content="{token}"></head><body>'.encode())

    assert "The domain is proved" in look(client, notice, domain)
    assert DomainProof.objects.get(proved_at__isnull=False).method == "meta"


def test_a_name_below_the_domain_does_not_prove_the_domain() -> None:
    SourceFactory(domain="platform.example", homepage="https://alice.platform.example/")
    SourceFactory(domain="paper.example", homepage="http://www.paper.example/front")

    assert proof.site_of("platform.example") == "https://platform.example"
    assert proof.site_of("paper.example") == "http://www.paper.example"


def test_a_mark_in_a_readers_comment_proves_nothing(
    client: Client, names: NameServer, web: WebServer
) -> None:
    notice, domain, token = case(web)
    mark = f'<meta name="newsroom-removal" content="{token}">'
    web.put("/", f"<html><head><title>x</title></head><body><p>Hello</p>{mark}</body></html>".encode())

    assert "did not find it" in look(client, notice, domain)


def test_a_file_to_which_the_site_only_passes_on_proves_nothing(
    names: NameServer, web: WebServer, client
) -> None:
    notice, domain, token = case(web)
    with web_server() as elsewhere:
        elsewhere.put("/", token.encode())
        web.redirect(proof.FILE, elsewhere.url("/", host="localhost"))

        assert "did not find it" in look(client, notice, domain)


def test_a_token_is_good_for_one_case_and_one_domain_only(client: Client, names: NameServer) -> None:
    notice, domain, _ = case()
    other, _, of_other_case = case()
    names.texts[f"_newsroom-removal.{domain}"] = [
        of_other_case,
        proof_token(notice.reference, "else.example"),
    ]

    assert "did not find it" in look(client, notice, domain)
    assert "did not find it" in look(client, other, domain)


def test_a_private_address_is_never_asked(
    client: Client, names: NameServer, web: WebServer, settings
) -> None:
    notice, domain, token = case(web)
    web.put(proof.FILE, token.encode())
    settings.FETCH_ALLOW_NETWORKS = []

    assert "did not find it" in look(client, notice, domain)
    assert not web.asked


def test_a_silent_name_server_costs_seconds_not_minutes(settings, names: NameServer) -> None:
    names.silent = True
    started = time.monotonic()

    assert proof.txt_records("_newsroom-removal.owner.example") == []

    assert time.monotonic() - started < 8


# --- signed mail ------------------------------------------------------------------------------


def test_a_signature_of_the_senders_own_domain_vouches_for_it(names: NameServer) -> None:
    message = signed(mail(letter_about("https://owner.example/1")), "owner.example")

    assert proof.signed_domain(message) == "owner.example"


def test_a_signature_by_a_server_below_the_domain_counts(names: NameServer) -> None:
    names.texts["test._domainkey.mail.owner.example"] = [key_pair()[1]]

    assert proof.signed_domain(signed(mail("x"), "mail.owner.example")) == "owner.example"


def changed(message: bytes, old: bytes, new: bytes) -> bytes:
    assert old in message
    return message.replace(old, new)


@pytest.mark.parametrize(
    "attack",
    [
        "unsigned",
        "body changed",
        "sender changed",
        "second From line",
        "signed by a stranger",
        "key not there",
        "only part of the body signed",
        "not written to us",
        "To line not signed",
        "garbage signature",
    ],
)
def test_a_mail_that_vouches_for_nobody(names: NameServer, attack: str) -> None:
    plain = mail(letter_about("https://owner.example/1"))
    good = signed(plain, "owner.example")
    names.texts["test._domainkey.stranger.example"] = [key_pair()[1]]
    ours = site.REMOVAL_EMAIL.encode()
    mails = {
        "unsigned": lambda: plain,
        "body changed": lambda: changed(good, b"without asking", b"without  paying"),
        "sender changed": lambda: changed(good, b"olena@owner.example>", b"other@owner.example>"),
        "second From line": lambda: b"From: <editor@stranger.example>\r\n" + good,
        "signed by a stranger": lambda: signed(plain, "stranger.example"),
        "key not there": lambda: changed(good, b"s=test", b"s=gone"),
        "only part of the body signed": lambda: changed(good, b"; t=", b"; l=10; t="),
        "not written to us": lambda: signed(changed(plain, ours, b"you@reader.example"), "owner.example"),
        "To line not signed": lambda: signed(plain, "owner.example", (b"From", b"Subject")),
        "garbage signature": lambda: b"DKIM-Signature: v=1; a=rsa-sha256; d=owner.example; h=from:to; \xff\r\n" + plain,
    }  # fmt: skip

    assert proof.signed_domain(mails[attack]()) == ""


@pytest.mark.parametrize("domain", ["gmail.com", "yahoo.co.uk", "mail.ru", "web.de", "orange.fr", "ukr.net"])
def test_where_anybody_has_a_mailbox_a_signature_speaks_for_no_paper(domain: str) -> None:
    assert not proof.proves_a_publisher(domain)
    assert proof.proves_a_publisher("owner.example")


def test_the_check_is_limited(client: Client, names: NameServer) -> None:
    notice, _, _ = case()
    for _ in range(61):
        page = look(client, notice, "not-named.example")

    assert "very often" in page
    assert notice.claims.get().lane == Lane.C
    assert timezone.now() < notice.deadline_at

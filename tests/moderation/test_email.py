"""Mail to the removal address: bounded, told apart, never answered in a loop, and never lost."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

import pytest
from django.conf import settings as site
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from articles.models import Article
from moderation import email, letters
from moderation.models import Claim, IncomingMail, Lane, Letter, LetterKind, MailOutcome, Notice
from moderation.references import proof_token
from tests.factories import ArticleFactory, SourceFactory
from tests.moderation.intake import address_of, key_pair, letter_about, mail, send, signed
from tests.nameserver import NameServer, name_server

HOUR = timedelta(hours=1)


@pytest.fixture
def names(settings) -> Iterator[NameServer]:
    with name_server() as server:
        settings.DNS_RESOLVER = server.address
        server.texts["test._domainkey.owner.example"] = [key_pair()[1]]
        yield server


@pytest.fixture(autouse=True)
def no_names(request: pytest.FixtureRequest, settings) -> None:
    """Without a name server of its own a test asks nobody."""
    if "names" not in request.fixturenames:
        settings.DNS_RESOLVER = "127.0.0.1:9"


def accept(message: bytes, **span: float) -> email.Handled:
    return email.accept(message, at=timezone.now() - timedelta(**span))


# --- notices ----------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_letter_becomes_a_notice_with_the_elements_it_contains() -> None:
    article = ArticleFactory()

    notice = accept(mail(letter_about(address_of(article), "https://else.example/x"))).notice

    assert notice
    assert (notice.email, notice.name, notice.signature) == (
        "olena@owner.example",
        "Olena Rights",
        "Olena Rights",
    )
    assert notice.missing == []
    assert [line.verdict for line in notice.lines.all()] == ["ours", "not_ours"]
    assert notice.claims.get().lane == Lane.C
    assert notice.letters.get().kind == LetterKind.CONFIRM
    assert notice.message_id == "<first@owner.example>"
    assert b"good faith" in bytes(notice.raw)


@pytest.mark.django_db
def test_the_clock_starts_with_the_arrival_whatever_the_date_header_says() -> None:
    at = timezone.now() - 3 * HOUR

    notice = email.accept(mail(letter_about("https://else.example/x")), at=at).notice

    assert notice
    assert (notice.received_at, notice.deadline_at) == (at, at + 24 * HOUR)


@pytest.mark.django_db
def test_the_owners_signed_mail_withholds_its_articles_at_once_and_no_others(names: NameServer) -> None:
    mine = ArticleFactory(source=SourceFactory(domain="owner.example"))
    other = ArticleFactory()

    notice = accept(signed(mail(letter_about(address_of(mine), address_of(other))), "owner.example")).notice

    assert notice
    assert notice.confirmed_at == notice.received_at
    assert notice.claims.get(article=mine).lane == Lane.A
    assert notice.claims.get(article=other).lane == Lane.B
    assert list(Article.objects.public()) == [other]
    assert notice.letters.get().kind == LetterKind.RECEIVED


@pytest.mark.django_db
def test_an_automatic_ticket_reply_that_quotes_a_notice_proves_nothing(names: NameServer) -> None:
    mine = ArticleFactory(source=SourceFactory(domain="owner.example"))
    ticket = mail(
        letter_about(address_of(mine)), In_Reply_To="<forged@newsroom.example>", subject="Re: Removal"
    )

    notice = accept(signed(ticket, "owner.example")).notice

    assert notice
    assert notice.claims.get().lane != Lane.A
    assert Article.objects.public().exists()


@pytest.mark.django_db
def test_a_signed_mail_from_a_mailbox_provider_confirms_the_mailbox_only(names: NameServer) -> None:
    names.texts["test._domainkey.gmail.com"] = [key_pair()[1]]
    article = ArticleFactory(source=SourceFactory(domain="gmail.com"))

    notice = accept(
        signed(mail(letter_about(address_of(article)), sender="O <o@gmail.com>"), "gmail.com")
    ).notice

    assert notice
    assert notice.claims.get().lane == Lane.B


def html_only(article: Article) -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "o@owner.example", site.REMOVAL_EMAIL, "x"
    message.set_content(f'<p>Please remove <a href="{address_of(article)}">this</a>.</p>', subtype="html")
    return message.as_bytes()


def html_beside_a_useless_text(article: Article) -> bytes:
    both = MIMEMultipart("alternative")
    both["From"], both["Subject"] = "o@owner.example", "x"
    both.attach(MIMEText("Your program cannot show this mail."))
    both.attach(MIMEText(f'<a href="{address_of(article)}">here</a>', "html"))
    return both.as_bytes()


def wrong_charset(article: Article) -> bytes:
    head = b"From: o@owner.example\nContent-Type: text/plain; charset=no-such-thing\n\n"
    return head + f"Prière de retirer {address_of(article)}\n".encode("latin-1")


def an_odd_codec(article: Article) -> bytes:
    head = b"From: o@owner.example\nContent-Type: text/plain; charset=zlib\n\n"
    return head + f"{address_of(article)}\n".encode()


def halves_of_characters(article: Article) -> bytes:
    half = rb"=?raw_unicode_escape?q?=5Cud800=5Cu0000?="
    head = b"From: " + half + b" <o@owner.example>\nMessage-ID: <" + half + b"\0@x>\nSubject: " + half
    body = rf"\ud800\u0000 {address_of(article)}".encode()
    return head + b"\nContent-Type: text/plain; charset=raw_unicode_escape\n\n" + body


def utf_16(article: Article) -> bytes:
    part = MIMEText(f"Прошу прибрати {address_of(article)}", "plain", "utf-16")
    part["From"] = "o@owner.example"
    return part.as_bytes()


def broken_base64(article: Article) -> bytes:
    head = b"From: o@owner.example\nContent-Transfer-Encoding: base64\nContent-Type: text/plain\n\n"
    return head + b"!!!" + f"\n{address_of(article)}\n".encode()


def no_headers(article: Article) -> bytes:
    return f"please remove {address_of(article)}".encode()


def binary(article: Article) -> bytes:
    return bytes(range(256)) * 50


def nothing_but_a_subject(article: Article) -> bytes:
    return f"From: o@owner.example\nSubject: {address_of(article)}\n\n".encode()


def encoded_words(article: Article) -> bytes:
    head = b"From: =?utf-8?q?Ol=C3=A9na=0D=0ABcc:_x@y.example?= <o@owner.example>\nSubject: =?x-none?b?!!!!?=\n\n"
    return head + address_of(article).encode()


def deep_nesting(article: Article) -> bytes:
    body = address_of(article)
    for n in range(300):
        body = f'Content-Type: multipart/mixed; boundary="b{n}"\n\n--b{n}\n{body}\n--b{n}--\n'
    return b"From: o@owner.example\nMIME-Version: 1.0\n" + body.encode()


def twenty_thousand_headers(article: Article) -> bytes:
    many = b"".join(b"X-Many-%d: %s\n" % (n, b"x" * 100) for n in range(20_000))
    return many + b"From: o@owner.example\n\n" + address_of(article).encode()


def a_million_parts(article: Article) -> bytes:
    head = b'From: o@owner.example\nContent-Type: multipart/mixed; boundary="b"\n\n'
    return head + address_of(article).encode() + b"\n--b\n\nx" * 500_000


def a_header_of_ten_megabytes(article: Article) -> bytes:
    return b"Subject: " + b"(" * 10_000_000 + b"\nFrom: o@owner.example\n\n" + address_of(article).encode()


def letters_within_letters(article: Article) -> bytes:
    inner = b"Content-Type: message/rfc822\n\n" * 400
    return b"From: o@owner.example\n" + inner + b"Subject: x\n\n" + address_of(article).encode()


ODD = [
    html_only, html_beside_a_useless_text, wrong_charset, an_odd_codec, halves_of_characters, utf_16, broken_base64,
    no_headers, binary, nothing_but_a_subject, encoded_words, deep_nesting, twenty_thousand_headers, a_million_parts,
    a_header_of_ten_megabytes, letters_within_letters,
]  # fmt: skip
UNREADABLE = {binary, broken_base64, a_header_of_ten_megabytes}


@pytest.mark.django_db
@pytest.mark.parametrize("make", ODD, ids=lambda make: make.__name__)
def test_an_odd_mail_is_a_case_within_seconds(make) -> None:
    article = ArticleFactory()
    started = time.monotonic()

    handled = accept(make(article))

    assert handled.notice
    assert handled.outcome == MailOutcome.NOTICE
    assert time.monotonic() - started < 30
    assert "\n" not in handled.notice.name
    if make not in UNREADABLE:
        assert handled.notice.claims.get().article == article


@pytest.mark.django_db
def test_attachments_are_neither_read_nor_served_but_kept_with_the_message() -> None:
    article = ArticleFactory()
    message = EmailMessage()
    message["From"], message["Subject"] = "o@owner.example", "x"
    message.set_content(f"Please remove {address_of(article)}")
    message.add_attachment(
        b"https://else.example/secret", maintype="text", subtype="html", filename="../../etc/x.html"
    )

    handled = accept(message.as_bytes())

    assert handled.notice
    assert handled.notice.lines.count() == 1
    assert "1 attachments" in handled.reason
    assert "else.example" not in handled.notice.letter


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("language", "text"),
    [
        (
            "de",
            "Bitte entfernen Sie diesen Artikel, wir haben das nicht erlaubt und die Rechte sind bei uns.",
        ),
        ("fr", "Veuillez retirer cet article, nous ne vous avons pas donné les droits pour une publication."),
        ("es", "Por favor retiren el artículo, los derechos son nuestros y no está permitido para el sitio."),
        ("uk", "Прошу прибрати цю статтю, ми не давали дозволу на це, будь ласка."),
        ("en", "Please remove this article of ours."),
    ],
)
def test_we_answer_in_the_language_of_the_letter(language: str, text: str) -> None:
    assert letters.spoken(email.language_of(text)) == language


# --- twice, at once ---------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_mail_delivered_twice_is_one_case() -> None:
    message = mail(letter_about(address_of(ArticleFactory())))

    first = accept(message)
    second = accept(b"Received: from relay.example by us; Tue, 1 Jan 2030\r\n" + message)

    assert first.notice == second.notice
    assert (Notice.objects.count(), IncomingMail.objects.count(), Letter.objects.count()) == (1, 1, 1)


@pytest.mark.django_db
def test_the_same_letter_sent_again_by_hand_is_the_same_case() -> None:
    text = letter_about(address_of(ArticleFactory()))

    first, second = accept(mail(text)), accept(mail(text, message_id="<second@owner.example>"))

    assert first.notice == second.notice


@pytest.mark.django_db
def test_two_letters_under_one_message_id_are_both_received() -> None:
    first = accept(mail(letter_about(address_of(ArticleFactory()))))
    second = accept(mail(letter_about(address_of(ArticleFactory()))))

    assert first.notice != second.notice


@pytest.mark.django_db(transaction=True)
def test_one_mail_delivered_by_ten_processes_at_once_is_one_case() -> None:
    message = mail(letter_about(address_of(ArticleFactory())))
    outcomes: list[email.Handled] = []

    def deliver() -> None:
        try:
            outcomes.append(accept(message))
        finally:
            connection.close()

    threads = [threading.Thread(target=deliver) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert len(outcomes) == 10
    assert len({handled.notice for handled in outcomes}) == 1
    assert (Notice.objects.count(), Claim.objects.count(), Letter.objects.count()) == (1, 1, 1)


# --- machines ---------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Auto_Submitted": "auto-replied (vacation)"},
        {"Return_Path": "<>"},
        {"Precedence": "junk"},
        {"X_Autoreply": "yes"},
        {"X_Failed_Recipients": "a@b.example"},
        {"sender": "MAILER-DAEMON@owner.example"},
        {"sender": "Us <REMOVAL_EMAIL>"},
    ],
)
def test_what_a_machine_answered_is_on_record_and_gets_no_answer(headers: dict[str, str]) -> None:
    headers = {name: value.replace("REMOVAL_EMAIL", site.REMOVAL_EMAIL) for name, value in headers.items()}

    handled = accept(mail(letter_about(address_of(ArticleFactory())), **headers))

    assert (handled.outcome, Notice.objects.count(), Letter.objects.count()) == (MailOutcome.IGNORED, 0, 0)
    assert IncomingMail.objects.get().reason


@pytest.mark.django_db
@pytest.mark.parametrize(
    "headers", [{"Auto_Submitted": "auto-generated"}, {"Precedence": "bulk"}, {"List_Id": "<x>"}]
)
def test_a_notice_sent_by_an_owners_machine_counts_but_is_not_answered(headers: dict[str, str]) -> None:
    article = ArticleFactory()

    notice = accept(mail(letter_about(address_of(article)), **headers)).notice
    news = accept(mail("Buy something at https://shop.example/", message_id="<news@shop.example>", **headers))

    assert notice
    assert notice.claims.get().article == article
    assert not notice.letters.exists()
    assert (news.outcome, news.notice) == (MailOutcome.IGNORED, None)


@pytest.mark.django_db
def test_two_robots_writing_to_each_other_stop_at_once() -> None:
    send(address_of(ArticleFactory()))
    for turn in range(5):
        letter = Letter.objects.order_by("pk").last()
        assert letter
        accept(
            mail(
                "I am away.",
                Auto_Submitted="auto-replied",
                In_Reply_To=letter.message_id,
                message_id=f"<{turn}@x.y>",
            )
        )

    assert Letter.objects.count() == 1


@pytest.mark.django_db
def test_a_letter_that_came_back_is_marked_undelivered() -> None:
    send(address_of(ArticleFactory()))
    letter = Letter.objects.get()
    report = mail(f"could not deliver\nMessage-ID: {letter.message_id}", sender="MAILER-DAEMON@x.example")
    report = report.replace(b"text/plain", b"multipart/report", 1)

    assert accept(report).outcome == MailOutcome.IGNORED
    letter.refresh_from_db()
    assert "undelivered" in letter.last_error


@pytest.mark.django_db
def test_our_own_letter_coming_round_starts_nothing() -> None:
    send(address_of(ArticleFactory()))

    handled = accept(mail("x", message_id=Letter.objects.get().message_id))

    assert handled.outcome == MailOutcome.IGNORED


# --- replies ----------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    "word", ["confirm", "Confirm.", "Yes, I confirm", "bestätigen", "Oui", "confirmar", "Підтверджую"]
)
def test_answering_our_letter_with_the_word_confirms(word: str) -> None:
    notice = send(address_of(ArticleFactory()), email="olena@owner.example")
    asked = notice.letters.get().message_id
    text = f"{word}\n\nOn Monday, Newsroom wrote:\n> {address_of(notice.claims.get().article)}\n"

    handled = accept(mail(text, In_Reply_To=asked, subject="Re: Please confirm"))

    assert (handled.outcome, handled.notice) == (MailOutcome.CONFIRMED, notice)
    assert notice.claims.get().lane == Lane.B
    assert Notice.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    "forged", ["no letter of ours quoted", "another sender", "the word only in the quotation"]
)
def test_a_forged_answer_confirms_nothing(forged: str) -> None:
    notice = send(address_of(ArticleFactory()))
    asked = notice.letters.get().message_id
    subject = f"Re: {notice.reference}"
    mails = {
        "no letter of ours quoted": mail("confirm", subject=subject),
        "another sender": mail("confirm", subject=subject, In_Reply_To=asked, sender="x@else.example"),
        "the word only in the quotation": mail("Who are you?\n> confirm", subject=subject, In_Reply_To=asked),
    }

    handled = accept(mails[forged])

    assert (handled.outcome, handled.notice) == (MailOutcome.REPLY, notice)
    notice.refresh_from_db()
    assert notice.confirmed_at is None


@pytest.mark.django_db
@pytest.mark.parametrize("how", ["In-Reply-To", "References", "subject", "subject in small letters"])
def test_an_answer_joins_its_case(how: str) -> None:
    notice = send(address_of(ArticleFactory()), email="olena@owner.example")
    letter = notice.letters.get().message_id
    ways = {
        "In-Reply-To": {"In_Reply_To": letter},
        "References": {"References": f"<other@x.example> {letter}"},
        "subject": {"subject": f"AW: [Fwd] {notice.reference}"},
        "subject in small letters": {"subject": f"re: {notice.reference.lower()}"},
    }

    handled = accept(mail("Here is more about it.", **ways[how]))

    assert (handled.outcome, handled.notice) == (MailOutcome.REPLY, notice)
    assert "more about it" in notice.mails.get().text
    assert Notice.objects.count() == 1


@pytest.mark.django_db
def test_an_answer_that_names_another_article_is_a_notice_of_its_own_with_its_own_clock() -> None:
    notice = send(address_of(ArticleFactory()))
    more = ArticleFactory()

    handled = accept(mail(f"And this one: {address_of(more)}", subject=f"Re: {notice.reference}"))

    assert handled.notice not in (None, notice)
    assert handled.notice
    assert handled.notice.claims.get().article == more


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("mailbox", "text", "proves"),
    [
        ("x@else.example", "The text: {token}", True),
        ("x@else.example", "Never asked for by us, nor was this:\n> {token}", False),
        ("x@else.example", "Please put our article back, we never asked for this.", False),
        ("olena@owner.example", "No! Somebody else wrote that.", False),
        ("olena@owner.example", "I confirm.", True),
    ],
)
def test_a_signed_mail_with_the_reference_proves_the_domain_only_for_who_wants_it(
    names: NameServer, mailbox: str, text: str, proves: bool
) -> None:
    # The reference is in the public log, and whoever protests in the domain's name quotes it.
    article = ArticleFactory(source=SourceFactory(domain="owner.example"))
    notice = send(address_of(article), email=mailbox)
    text = text.format(token=proof_token(notice.reference, "owner.example"))

    accept(signed(mail(text, subject=f"About {notice.reference}"), "owner.example"))

    assert (notice.claims.get().lane == Lane.A) == proves
    assert notice.domain_proofs.filter(proved_at__isnull=False).exists() == proves


@pytest.mark.django_db
def test_an_answer_adds_what_was_missing() -> None:
    notice = send(address_of(ArticleFactory()), good_faith=False, signature="", name="")
    text = "I have a good faith belief that this is not allowed, and I confirm it.\n\nRegards,\nOlena Rights"

    accept(mail(text, In_Reply_To=notice.letters.get().message_id))

    notice.refresh_from_db()
    assert notice.missing == []


# --- the command ------------------------------------------------------------------------------


def run(*arguments: str, message: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """The command as a mail server runs it, on the test's database."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        url = f"sqlite:///{database['NAME']}"
    else:
        url = f"postgres://{database['USER']}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
    environment = {
        **os.environ, "DATABASE_URL": url, "LEDGER_PATH": str(site.LEDGER_PATH), "DNS_RESOLVER": "127.0.0.1:9",
    }  # fmt: skip
    program = [sys.executable, str(site.BASE_DIR / "manage.py"), *arguments]
    return subprocess.run(
        program, input=message, capture_output=True, timeout=120, env=environment, check=False
    )


@pytest.mark.django_db(transaction=True)
def test_the_command_asks_the_mail_server_to_try_again_when_nothing_could_be_stored() -> None:
    site.LEDGER_PATH.parent.mkdir(parents=True, exist_ok=True)
    site.LEDGER_PATH.write_text("not a line of ours\n")

    done = run("receive_notice", message=mail(letter_about(address_of(ArticleFactory()))))

    assert (done.returncode, done.stdout) == (75, b"")
    assert not Notice.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_thirty_megabytes_are_received_and_the_command_prints_a_reference_that_exists() -> None:
    article = ArticleFactory()
    message = mail(letter_about(address_of(article))) + b"\n" + b"x" * 76 + (b"\n" + b"y" * 76) * 400_000

    done = run("receive_notice", message=message)

    reference = done.stdout.decode().strip()
    assert (done.returncode, Notice.objects.get().reference) == (0, reference), done.stderr
    assert Claim.objects.get().article == article
    call_command("notice_exists", reference)
    with pytest.raises(SystemExit):
        call_command("notice_exists", "NR-00000-00000-000")


def with_file(name: str, content: bytes, kind: str = "text/csv", body: str = "") -> bytes:
    message = EmailMessage()
    message["From"], message["To"] = "Olena Rights <olena@owner.example>", "removal@newsroom.example"
    message["Subject"], message["Message-ID"] = "Please remove", f"<{name}@owner.example>"
    message.set_content(
        body or "Please remove what stands in the attached list, it is my work and not yours."
    )
    main, sub = kind.split("/")
    message.add_attachment(content, maintype=main, subtype=sub, filename=name)
    return message.as_bytes()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "kind", "shape"),
    [
        ("list.csv", "text/csv", "number;address;title\n1;{0};Salt\n2;{1};Two\n"),
        ("list.CSV", "application/vnd.ms-excel", '\ufeffTitle,URL\r\n"Salt, and more",{0}\r\nTwo,{1}\r\n'),
        ("urls.txt", "text/plain", "{0}\n{1}\n"),
        ("list.tsv", "application/octet-stream", "1\t{0}\n2\t{1}\n"),
    ],
)
@pytest.mark.parametrize("charset", ["utf-8", "utf-16"])
def test_an_attached_list_becomes_lines(name: str, kind: str, shape: str, charset: str) -> None:
    first, second = ArticleFactory(), ArticleFactory()
    table = shape.format(address_of(first), address_of(second)).encode(charset)

    handled = email.accept(with_file(name, table, kind), at=timezone.now())

    notice = handled.notice
    assert notice
    assert [claim.article for claim in notice.claims.order_by("number")] == [first, second]
    assert list(notice.lines.values_list("verdict", flat=True)) == ["ours", "ours"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "kind"),
    [("list.html", "text/html"), ("list.zip", "application/zip"), ("a.eml", "application/octet-stream")],
)
def test_what_is_no_list_stays_unopened(name: str, kind: str) -> None:
    handled = email.accept(with_file(name, address_of(ArticleFactory()).encode(), kind), at=timezone.now())

    assert handled.notice
    assert not handled.notice.claims.exists()
    assert "1 attachments" in handled.reason


@pytest.mark.django_db
def test_a_list_of_two_megabytes_costs_its_share_and_loses_no_mail() -> None:
    article = ArticleFactory()
    table = f"{address_of(article)}\n".encode() + b"http://" * 300_000

    handled = email.accept(with_file("list.csv", table), at=timezone.now())

    assert handled.notice
    assert [claim.article for claim in handled.notice.claims.all()] == [article]

"""Letters are rows first; each is sent once, in the reader's language, and never with a hole in it."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.conf import settings
from django.core import mail as outbox
from django.core.management import call_command
from django.utils import timezone
from lxml import html as lxml_html

from articles.models import CutKind
from moderation import letters, receive
from moderation.actions import LETTERS
from moderation.models import TO_THE_AFFECTED, ClaimState, Ground, Letter, LetterKind, ReasonCode, Verdict
from moderation.receive import MISSING_WORDS
from moderation.references import confirm_url, status_url
from tests.conftest import free_port
from tests.factories import ArticleFactory
from tests.moderation.cases import claim_in
from tests.moderation.intake import address_of, send

S = ClaimState
# What a letter may find out about its case, and each way in which that can differ: rendered without a database.
SAID: dict[str, Any] = {
    "reference": "NR-AAAAA-BBBBB-CCC", "name": "Olena Rights", "site_name": "Newsroom",
    "removal_email": settings.REMOVAL_EMAIL, "status_url": f"{settings.SITE_URL}/removal/secret/",
    "received_at": datetime(2026, 12, 18, 9, 30, tzinfo=UTC), "deadline_at": datetime(2026, 12, 19, 9, 30, tzinfo=UTC),
    "missing": [], "lines": [], "more_lines": 0, "article_url": f"{settings.SITE_URL}/articles/ferries-sail/",
}  # fmt: skip
OF_ANSWERS = {name: SAID[name] for name in ("reference", "name", "site_name", "removal_email", "article_url")} | {
    "answer_url": f"{settings.SITE_URL}/removal/answer/secret/", "answer": 7,
}  # fmt: skip
REASONS = "Words that the moderator wrote. <img src=https://spy.example/p.gif> & https://spy.example/"
LINES = {"lines": [(SAID["article_url"], verdict) for verdict in Verdict.values], "more_lines": 12}
MISSING = {"missing": list(MISSING_WORDS)}
DAYS = {"not_before": "2027-01-05", "at_latest": "2027-01-11"}
COUNTERED_BY = {
    "counter_name": "Petro", "counter_address": "1 Quay", "counter_phone": "+1", "counter_email": "p@outlet.example",
    "counter_statement": "I wrote it.",
}  # fmt: skip
SUSPENDED = {"suspended_until": "2027-05-01"}
OBJECTION = {"objection": True}
COUNTS = {"until": "2027-05-01", "unfounded": 3, "decided": 4}
BY_CODE = [{"reason_code": code, "reasons": REASONS, "automated": False} for code in ReasonCode.values]
SILENT = [{"reason_code": code, "reasons": "", "automated": True} for code in ReasonCode.values]
K = LetterKind
MATRIX: dict[LetterKind, list[dict[str, Any]]] = {
    K.RECEIVED: [{}, LINES, SUSPENDED], K.INCOMPLETE: [MISSING, MISSING | LINES],
    K.CONFIRM: [{"confirm_url": SAID["status_url"] + "confirm/c/"} | more for more in (LINES, {}, MISSING)],
    K.REMOVED: [*BY_CODE, *SILENT], K.REFUSED: BY_CODE, K.ERASED: SILENT, K.WITHDRAWN: SILENT,
    K.REINSTATED: SILENT, K.COUNTERED: [DAYS, DAYS | COUNTERED_BY],
    K.REDUCED: [BY_CODE[0] | {"part": part, "name_key": "k"} for part in CutKind.values],
    K.WARNED: [COUNTS], K.SUSPENDED: [COUNTS], K.LIFTED: [{}], K.COMPLAINT: [{}], K.DISMISSED: [{"reasons": REASONS}],
    K.ANSWER: [{"ground": ground, "automated": automated} for ground in Ground.values for automated in (True, False)]
    + [{"ground": "copyright", "automated": False, "objection": True}],
    K.VOUCH: [{"vouch_url": f"{settings.SITE_URL}/removal/answer/confirm/7/v/"} | more for more in ({}, OBJECTION)],
    K.ANSWERED: [DAYS, OBJECTION],
    K.SETTLED: [{"shown": shown, "reasons": reasons} for shown in (True, False) for reasons in (REASONS, "")]
    + [{"shown": True, "reasons": "", "withdrawn": True}],
}  # fmt: skip


class Postman:
    """A mail server on the loopback that keeps what it is given, or refuses it."""

    def __init__(self) -> None:
        self.got: list[tuple[str, list[str], EmailMessage]] = []
        self.refuse = ""
        self.lock = threading.Lock()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.refuse:
            return self.refuse
        message = message_from_bytes(envelope.content, policy=policy.default)
        with self.lock:
            self.got.append((envelope.mail_from, envelope.rcpt_tos, message))
        return "250 OK"


@pytest.fixture
def postman(settings) -> Iterator[Postman]:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", free_port(), 5
    handler = Postman()
    controller = Controller(handler, hostname="127.0.0.1", port=settings.EMAIL_PORT)
    controller.start()
    try:
        yield handler
    finally:
        controller.stop()


def letters_of(kind: LetterKind, language: str) -> Iterator[tuple[dict[str, Any], str, str]]:
    """Every letter of this kind that its outcomes can lead to, with and without a name to greet."""
    about = OF_ANSWERS if kind in TO_THE_AFFECTED else SAID
    for outcome in MATRIX[kind]:
        for name in (SAID["name"], ""):
            values = about | {"name": name} | outcome
            yield values, *letters.written(kind, language, values)


@pytest.mark.parametrize("language", list(letters.LANGUAGES))
@pytest.mark.parametrize("kind", list(LetterKind), ids=str)
def test_every_letter_can_be_written(kind: LetterKind, language: str) -> None:
    for values, subject, body in letters_of(kind, language):
        assert values["reference"] in subject
        assert "\n" not in subject
        assert not re.search(r"[{}⟦⟧]|None|True|False", body)
        assert (SAID["name"] in body) == bool(values["name"])
        # What was decided, on what grounds, until when, and where to turn: nothing of it is left out.
        expected = {
            "article_url",
            "status_url",
            "answer_url",
            "confirm_url",
            "vouch_url",
            "unfounded",
            "reasons",
        }
        if kind in (*OF_THE_NOTICE, K.ERASED, K.WITHDRAWN, K.REINSTATED):
            expected -= {"reasons", "article_url"}
        for name in expected & values.keys():
            told = (
                values[name] if name == "article_url" else str(values[name]).removeprefix(settings.SITE_URL)
            )
            assert told in body, (kind, name)
        assert all("2027" in body for name in letters.DAYS if name in values)
        assert all(text in body for text, _ in values.get("lines", ()))
        assert all(values[name] in body for name in COUNTERED_BY if name in values)


OF_THE_NOTICE = (K.RECEIVED, K.CONFIRM, K.INCOMPLETE, K.WARNED, K.SUSPENDED, K.LIFTED)


@pytest.mark.parametrize("language", list(letters.LANGUAGES))
@pytest.mark.parametrize("kind", list(LetterKind), ids=str)
def test_each_outcome_is_said_in_words_of_its_own(kind: LetterKind, language: str) -> None:
    """Two outcomes that read alike are a condition that a template gets wrong."""
    said = [body for values, _, body in letters_of(kind, language) if values["name"]]
    # These two go out when nothing but the outcome itself is left to say.
    alike = {K.ERASED: 1, K.WITHDRAWN: 1, K.REINSTATED: 2}.get(kind, len(MATRIX[kind]))

    assert len(set(said)) == alike


def test_no_letter_in_one_language_reads_as_in_another() -> None:
    for kind in LetterKind:
        texts = {letters.written(kind, language, _values(kind)) for language in letters.LANGUAGES}
        assert len({subject for subject, _ in texts}) == len(letters.LANGUAGES), kind


def _values(kind: LetterKind) -> dict[str, Any]:
    return (OF_ANSWERS if kind in TO_THE_AFFECTED else SAID) | MATRIX[kind][0]


@pytest.mark.parametrize("language", list(letters.LANGUAGES))
def test_the_page_of_a_letter_says_what_its_text_says_and_loads_nothing(language: str) -> None:
    for kind in LetterKind:
        _, subject, body = next(letters_of(kind, language))

        page = letters.page_of(subject, body, language=language)

        assert f'<html lang="{language}" dir="{"rtl" if language == "ar" else "ltr"}">' in page
        tree = lxml_html.document_fromstring(page)
        assert "".join(tree.body.text_content().split()) == "".join(f"{subject}{body}".split())
        assert {element.tag for element in tree.iter()} <= {
            "html", "head", "meta", "title", "style", "body", "h1", "p", "br", "a",
        }  # fmt: skip
        leads = [link.get("href") for link in tree.iter("a")]
        assert all(to.startswith(settings.SITE_URL) and to.endswith("/") for to in leads)
        spoken = (
            f"{settings.SITE_URL}/removal/"
            if language == "en"
            else f"{settings.SITE_URL}/{language}/removal/"
        )
        assert all(to.startswith(spoken) for to in leads if "/removal/" in to)
        assert "url(" not in page
        assert "@import" not in page


@pytest.mark.django_db
@pytest.mark.parametrize("state", [S.REFUSED, S.REDUCED, S.ERASED, S.REINSTATED, S.WITHDRAWN])
def test_what_a_decision_really_leaves_fills_its_letters(state: ClaimState) -> None:
    claim = claim_in(state, language="de")

    written = {letter.kind: letters.render(letter)[1] for letter in claim.notice.letters.all()}

    assert LETTERS[state] in written
    assert (
        (K.COUNTERED in written)
        == (K.ANSWERED in written)
        == (K.SETTLED in written)
        == (state == S.REINSTATED)
    )
    if state == S.REFUSED:
        assert "Grund: wir haben eine Lizenz" in written[K.REFUSED]
        assert "We hold a licence until 2030." in written[K.REFUSED]
    if state == S.REINSTATED:
        assert "Petro Reporter" in written[K.COUNTERED]
        assert "olena" not in f"{written[K.ANSWERED]}{written[K.SETTLED]}".lower()
        assert status_url(claim.notice) not in f"{written[K.ANSWERED]}{written[K.SETTLED]}"


@pytest.mark.django_db
def test_a_hole_in_a_letter_keeps_it_from_being_sent(settings) -> None:
    notice = send(address_of(ArticleFactory()), confirmed=True)
    Letter.objects.all().delete()
    letter = letters.owe(
        kind=LetterKind.COUNTERED, notice=notice, claim=notice.claims.get(), at=timezone.now()
    )
    assert letter

    letters.send_letters(10, timezone.now())

    letter.refresh_from_db()
    assert letter.sent_at is None
    assert "not_before" in letter.last_error
    assert not outbox.outbox


@pytest.mark.django_db(transaction=True)
def test_a_letter_goes_out_by_smtp_once_with_the_headers_of_an_automatic_answer(postman: Postman) -> None:
    notice = send(address_of(ArticleFactory()))

    call_command("send_letters")
    call_command("send_letters")

    [(_, to, message)] = postman.got
    letter = Letter.objects.get()
    assert to == ["olena@owner.example"]
    assert message["Message-ID"] == letter.message_id
    assert message["Auto-Submitted"] == "auto-replied"
    assert notice.reference in message["Subject"]
    assert not [name for name in message if name.lower().startswith("list-")]
    plain, page = message.get_body(("plain",)), message.get_body(("html",))
    assert message.get_content_type() == "multipart/alternative"
    assert confirm_url(notice) in plain.get_content()
    assert f'<a href="{confirm_url(notice)}" dir="ltr">' in page.get_content()
    assert (letter.sent_at is not None, letter.due_at, letter.last_error) == (True, None, "")


@pytest.mark.django_db(transaction=True)
def test_letters_of_a_case_are_one_conversation(postman: Postman) -> None:
    notice = send(address_of(ArticleFactory()), message_id="<theirs@owner.example>")
    letters.send_letters(10, timezone.now())
    receive.confirm(notice=notice, at=timezone.now())
    letters.send_letters(10, timezone.now())

    first, second = (message for _, _, message in postman.got)
    assert first["In-Reply-To"] == "<theirs@owner.example>"
    assert second["In-Reply-To"] == first["Message-ID"]
    assert second["References"].split() == ["<theirs@owner.example>", first["Message-ID"]]


@pytest.mark.django_db(transaction=True)
def test_a_refused_letter_waits_longer_each_time_and_says_why(postman: Postman) -> None:
    send(address_of(ArticleFactory()))
    postman.refuse = "451 later please"
    at = timezone.now()

    for _ in range(3):
        letters.send_letters(10, at)
        letter = Letter.objects.get()
        wait, at = letter.due_at - at, letter.due_at
    assert wait >= timedelta(seconds=120)
    assert "later please" in letter.last_error
    assert letters.send_letters(10, at - timedelta(seconds=1)) == 0

    postman.refuse = ""
    assert letters.send_letters(10, at) == 1
    assert len(postman.got) == 1


@pytest.mark.django_db(transaction=True)
def test_one_refused_letter_does_not_hold_up_the_next(postman: Postman) -> None:
    bad = send(address_of(ArticleFactory()))
    send(address_of(ArticleFactory()), email="second@owner.example")
    Letter.objects.filter(notice=bad).update(to="bad\r\nBcc: victim@owner.example")

    assert letters.send_letters(10, timezone.now()) == 2

    assert [to for _, to, _ in postman.got] == [["second@owner.example"]]


@pytest.mark.django_db(transaction=True)
def test_a_dead_mail_server_delays_letters_and_nothing_else(settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()

    notice = send(address_of(ArticleFactory()), confirmed=True)
    letters.send_letters(10, timezone.now())

    assert notice.claims.get().hold is not None
    assert notice.letters.get().last_error
    assert notice.letters.get().due_at > timezone.now()


@pytest.mark.django_db(transaction=True)
def test_eight_senders_at_once_send_each_letter_once(postman: Postman) -> None:
    for number in range(12):
        send(f"https://else.example/{number}", email=f"owner{number}@owner.example")

    def run() -> None:
        from django.db import connection

        try:
            letters.send_letters(50, timezone.now())
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert sorted(to[0] for _, to, _ in postman.got) == sorted(f"owner{n}@owner.example" for n in range(12))


@pytest.mark.django_db
def test_a_sender_who_died_is_followed_by_another() -> None:
    send(address_of(ArticleFactory()))
    at = timezone.now()
    Letter.objects.claim(Letter.objects.get().pk, at=at, seconds=letters.LEASE_SECONDS)

    assert letters.send_letters(10, at) == 0
    assert letters.send_letters(10, at + timedelta(seconds=letters.LEASE_SECONDS + 1)) == 1


@pytest.mark.django_db
def test_owed_twice_is_one_letter_and_without_a_mailbox_none() -> None:
    notice = send(address_of(ArticleFactory()))
    again = letters.owe(kind=LetterKind.CONFIRM, notice=notice, at=timezone.now())
    assert again == notice.letters.get()

    notice.email = ""
    assert letters.owe(kind=LetterKind.REMOVED, notice=notice, at=timezone.now()) is None


@pytest.mark.django_db
def test_a_stranger_cannot_have_us_mail_words_of_his_to_a_mailbox() -> None:
    article = ArticleFactory()
    send(
        f"https://buy-now.example/pills\n{article.canonical_url}?utm_source=pills",
        name="BUY PILLS at http://buy-now.example",
        email="victim@elsewhere.example",
        work="pills",
    )

    letters.send_letters(10, timezone.now())

    [message] = outbox.outbox
    assert "pills" not in f"{message.subject}{message.body}".lower()
    assert address_of(article) in message.body


@pytest.mark.django_db
@pytest.mark.parametrize(
    "name", ["Olena\r\nBcc: victim@elsewhere.example", "Ol\x00ena", "{{ secret }}", "{% debug %}"]
)
def test_a_name_changes_neither_headers_nor_placeholders(name: str) -> None:
    send(address_of(ArticleFactory()), name=name, confirmed=True)

    assert letters.send_letters(10, timezone.now()) == 1

    [message] = outbox.outbox
    raw = message.message().as_bytes()
    assert message.recipients() == ["olena@owner.example"]
    assert b"\nBcc:" not in raw


@pytest.mark.django_db
def test_an_old_link_still_works_after_the_key_was_changed(settings, client) -> None:
    notice = send(address_of(ArticleFactory()))
    before = status_url(notice)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another key, long enough that no check complains about it"

    assert status_url(notice) == before

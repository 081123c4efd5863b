"""What we write to rights owners: rows in the transaction that made us owe them, mail a moment later.

`owe` writes the row. `send_letters` sends what is due, each once, under a lease. The texts are
templates/moderation/letters/<language>/<kind>.txt, the subject on the first line. A letter in which
a placeholder stayed empty is not sent; the row says why.
"""

from __future__ import annotations

import logging
import re
import smtplib
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from html import escape
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.template import Context, Engine
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import get_language_info

from articles.interface import TONGUES, address_in
from articles.leases import back_off
from articles.tokens import new_token
from moderation.models import (
    ANSWERABLE,
    TO_THE_AFFECTED,
    Claim,
    ClaimState,
    CounterNotice,
    Letter,
    LetterKind,
    Notice,
)
from moderation.references import answer_url, confirm_url, keyed, status_url, vouch_url

logger = logging.getLogger(__name__)

LANGUAGES = {
    "en": "English", "de": "Deutsch", "fr": "Français", "es": "Español", "uk": "Українська", "ar": "العربية",
}  # fmt: skip
LEASE_SECONDS = 120
TRIES = 40
LINES_SHOWN = 60
_MESSAGE_ID = re.compile(r"<[^<>\s@]{1,250}@[^<>\s@]{1,240}>")
_UNFILLED = re.compile(r"⟦([^⟧]*)⟧|\{\{|\{%")


class Unfilled(ValueError):
    """A placeholder of the letter has no value; the message names it."""


@dataclass(frozen=True, slots=True)
class _Empty:
    """Stands for a value that is not there: false in a condition, and visible where it is printed."""

    name: str

    def __bool__(self) -> bool:
        return False

    def __str__(self) -> str:
        return f"⟦{self.name}⟧"


# --- owing ------------------------------------------------------------------------------------


def owe(
    *,
    kind: LetterKind,
    notice: Notice,
    claim: Claim | None = None,
    at: datetime,
    context: dict[str, Any] | None = None,
    key: str = "",
) -> Letter | None:
    """Write down, in the caller's transaction, that this letter is owed; owed twice it is one letter.

    `context` fills what the notice and the claim do not say themselves: `reason_code`, `reasons` (text),
    `automated`, `not_before` and `at_latest` (ISO dates). None when the notice gives no mailbox.
    """
    if not notice.email:
        return None
    key = key or f"{kind}:{notice.pk}:{claim.pk if claim else 0}"
    return _owe(
        kind, notice, claim, to=notice.email, language=notice.language, at=at, context=context, key=key
    )


def owe_answerer(
    *, kind: LetterKind, answer: CounterNotice, at: datetime, context: dict[str, Any] | None = None
) -> Letter:
    """The same for whoever sent a counter-notice or an objection."""
    about = {"name": answer.name, "answer": answer.pk}
    claim: Claim = answer.claim
    # A claim may be answered, upheld again, and answered by somebody else: each hears of their own.
    return _owe(
        kind, claim.notice, claim, to=answer.email, language=answer.language, at=at,
        context=about | (context or {}), key=f"{kind}:{answer.pk}:{claim.version}",
    )  # fmt: skip


def tell_affected(
    *, claim: Claim, to: str, language: str, at: datetime, name: str = "", automated: bool = False
) -> Letter:
    """Say to the publisher or author of what was removed why it was, and where they can answer it (DSA art. 17)."""
    ground = claim.notice.ground
    objection = claim.state == ClaimState.ERASED or ground not in ANSWERABLE
    context = {"name": name, "ground": ground, "automated": automated, "objection": objection}
    key = f"answer:{claim.pk}:{keyed('told', to.casefold())}:{claim.version}"
    return _owe(
        LetterKind.ANSWER, claim.notice, claim, to=to, language=language, at=at, context=context, key=key
    )


def tell_author(*, claim: Claim, at: datetime, automated: bool) -> Letter | None:
    """The same to a colleague whose own article is removed; None for what other outlets wrote."""
    author = claim.article.created_by
    if author is None or not author.is_active or not author.email:
        return None
    name = author.get_full_name()
    return tell_affected(
        claim=claim, to=author.email, language=settings.LANGUAGE_CODE, at=at, name=name, automated=automated
    )


def _owe(
    kind: LetterKind,
    notice: Notice,
    claim: Claim | None,
    *,
    to: str,
    language: str,
    at: datetime,
    context: dict[str, Any] | None,
    key: str,
) -> Letter:
    letter, _ = Letter.objects.get_or_create(
        key=key,
        defaults={
            "notice": notice, "claim": claim, "kind": kind, "to": to, "language": spoken(language),
            "context": context or {}, "created_at": at, "due_at": at, "message_id": new_message_id(notice),
        },
    )  # fmt: skip
    return letter


def new_message_id(notice: Notice) -> str:
    """A name for one mail. Nobody but its reader knows it, so an answer that quotes it comes from there."""
    return f"<{notice.reference.lower()}.{new_token()[:16]}@{settings.REMOVAL_EMAIL.rpartition('@')[2]}>"


def spoken(language: str) -> str:
    """The language we can write in that comes nearest."""
    short = language.lower()[:2]
    return short if short in LANGUAGES else "en"


# --- writing ----------------------------------------------------------------------------------


def render(letter: Letter) -> tuple[str, str]:
    """Subject and text of a letter. Raises Unfilled when a placeholder stayed empty."""
    affected = letter.kind in TO_THE_AFFECTED
    values = _of_answer(letter) if affected else _of_notice(letter)
    return written(LetterKind(letter.kind), spoken(letter.language), values | letter.context)


def written(kind: LetterKind, language: str, values: dict[str, Any]) -> tuple[str, str]:
    """Subject and text from these values alone: texts of strangers made plain, days and moments spelled out."""
    template = _engine().get_template(f"{language}/{kind}.txt")
    with translation.override(language):
        filled = {
            name: _Empty(name) if value in ("", None) else _word(name, value)
            for name, value in values.items()
        }
        text = template.render(Context(filled, autoescape=False))
    if unfilled := _UNFILLED.search(text):
        raise Unfilled(f"Placeholder {unfilled[1] or unfilled[0]} of letter {kind} is empty.")
    subject, _, body = text.partition("\n")
    return subject.strip(), re.sub(r"\n{3,}", "\n\n", body).strip() + "\n"


# A letter leads to pages in its own language.
OF_THE_CASE = ("status_url", "confirm_url", "answer_url", "vouch_url")
DAYS = ("not_before", "at_latest", "until", "suspended_until")


def _word(name: str, value: Any) -> Any:
    """A value as it is printed in the language that is on."""
    if isinstance(value, datetime):
        return f"{_day(value.astimezone(UTC))}, {value.astimezone(UTC):%H:%M} UTC"
    if name in DAYS:
        return _day(date.fromisoformat(value))
    if name == "name":
        return salutation(value) or _Empty(name)
    if name in OF_THE_CASE:
        path = value.removeprefix(settings.SITE_URL)
        return settings.SITE_URL + address_in(path, TONGUES[translation.get_language()])
    return plain(value) if isinstance(value, str) else value


def _day(on: date) -> str:
    """A day as the language that is on writes it."""
    return date_format(on, "DATE_FORMAT")


@lru_cache(maxsize=1)
def _engine() -> Engine:
    folder = settings.BASE_DIR / "templates" / "moderation" / "letters"
    return Engine(dirs=[str(folder)], autoescape=False, string_if_invalid="⟦%s⟧")


def _of_notice(letter: Letter) -> dict[str, Any]:
    """What the notice and the claim say for a letter to the claimant."""
    notice = letter.notice
    values: dict[str, Any] = {
        **_of_site(notice.reference),
        "name": notice.name,
        "status_url": status_url(notice),
        "received_at": notice.received_at,
        "deadline_at": notice.deadline_at,
        "missing": notice.missing,
        "lines": _lines(notice),
        "more_lines": max(0, notice.lines.count() - LINES_SHOWN),
    }
    if letter.kind == LetterKind.CONFIRM:
        values["confirm_url"] = confirm_url(notice)
    if letter.claim:
        values["article_url"] = settings.SITE_URL + letter.claim.article.get_absolute_url()
    answer = letter.claim.counter_notices.in_force().first() if letter.claim else None
    if letter.kind == LetterKind.COUNTERED and answer:
        # The law gives the claimant a copy of the counter-notice; its form says so.
        values |= {
            f"counter_{name}": getattr(answer, name)
            for name in ("name", "email", "address", "phone", "statement")
        }
    return values


def _of_answer(letter: Letter) -> dict[str, Any]:
    """What a letter to the affected party says. Nothing of the claimant, nor the address of the claimant's page."""
    claim = letter.claim
    if claim is None:
        return {}
    values = _of_site(str(claim)) | {
        "answer_url": answer_url(claim),
        "article_url": settings.SITE_URL + claim.article.get_absolute_url(),
    }
    if letter.kind == LetterKind.VOUCH:
        answer = claim.counter_notices.filter(pk=letter.context.get("answer")).first()
        values["vouch_url"] = vouch_url(answer) if answer else ""
    return values


def _of_site(reference: str) -> dict[str, Any]:
    return {
        "reference": reference,
        "site_name": settings.SITE_NAME,
        "removal_email": settings.REMOVAL_EMAIL,
    }


def _lines(notice: Notice) -> list[tuple[str, str]]:
    """The lines of a notice with their verdicts. To a mailbox that never answered only our own addresses:
    whoever filled in the form could otherwise have us mail a stranger any text."""
    rows = notice.lines.select_related("claim__article").order_by("position")
    if notice.confirmed_at is None:
        named = rows.filter(claim__isnull=False)[:LINES_SHOWN]
        return [
            (settings.SITE_URL + row.claim.article.get_absolute_url(), row.verdict)
            for row in named
            if row.claim
        ]
    return [(plain(row.text)[:200], row.verdict) for row in rows[:LINES_SHOWN]]


def salutation(name: str) -> str:
    """The name as we greet with it; nothing that could be more than a name."""
    return (
        name.strip() if re.fullmatch(r"[\w'’.,\- ]{1,60}", name.strip()) and "www" not in name.lower() else ""
    )


def plain(text: str) -> str:
    """Text of a stranger, fit for a letter: no controls, no marks that turn the line round, no placeholders."""
    kept = "".join(
        c if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cf", "Cs") else " " for c in text
    )
    return kept.replace("{", "(").replace("}", ")").replace("⟦", "[").replace("⟧", "]").strip()


# --- sending ----------------------------------------------------------------------------------


def send_letters(limit: int, at: datetime) -> int:
    """Send up to `limit` letters that are due; returns how many were taken in hand.

    One that fails waits twice as long each time, and stays visible as unsent with its error.
    """
    due = Letter.objects.claimable(at).filter(sent_at__isnull=True).order_by("due_at", "pk")
    taken = 0
    with _Post() as post:
        for pk in list(due.values_list("pk", flat=True)[:limit]):
            token = Letter.objects.claim(pk, at=at, seconds=LEASE_SECONDS)
            if token:
                taken += 1
                if not _send_one(pk, token, post, at=at):
                    break
    return taken


class _Post:
    """The connection to the mail server: opened with the first letter, and anew after a failure."""

    def __init__(self) -> None:
        self._connection: BaseEmailBackend | None = None

    def __enter__(self) -> _Post:
        return self

    def __exit__(self, *error: object) -> None:
        self.hang_up()

    def send(self, message: EmailMessage) -> None:
        if self._connection is None:
            self._connection = get_connection()
            self._connection.open()
        self._connection.send_messages([message])

    def hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except (OSError, smtplib.SMTPException):
                logger.info("The mail server did not say goodbye.")


def _send_one(pk: int, token: str, post: _Post, *, at: datetime) -> bool:
    """Send one letter that is ours by lease. False when the server cannot be talked to at all."""
    letter = Letter.objects.select_related("notice", "claim__article").get(pk=pk)
    reachable = True
    try:
        post.send(_message(letter))
    except Unfilled as error:
        _failed(letter, token, error, at=at)
    except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused, ValueError) as error:
        post.hang_up()
        _failed(letter, token, error, at=at)
    except (OSError, smtplib.SMTPException) as error:
        post.hang_up()
        _failed(letter, token, error, at=at)
        reachable = False
    else:
        Letter.objects.finish(pk, token, sent_at=at, due_at=None, last_error="")
    return reachable


def _failed(letter: Letter, token: str, error: Exception, *, at: datetime) -> None:
    logger.warning(
        "Letter %s of %s was not sent: %s", letter.kind, letter.notice.reference, type(error).__name__
    )
    again = at + back_off(letter.attempts) if letter.attempts < TRIES else None
    words = f"{type(error).__name__}: {error}"[:500]
    Letter.objects.finish(letter.pk, token, due_at=again, last_error=words)


def _message(letter: Letter) -> EmailMultiAlternatives:
    subject, body = render(letter)
    headers = {
        "Message-ID": letter.message_id,
        "Auto-Submitted": "auto-replied",
        "X-Auto-Response-Suppress": "All",
        **_thread(letter),
    }
    sender = f"{settings.SITE_NAME} <{settings.REMOVAL_EMAIL}>"
    message = EmailMultiAlternatives(subject, body, sender, [letter.to], headers=headers)
    message.attach_alternative(page_of(subject, body, language=spoken(letter.language)), "text/html")
    return message


# --- the same letter as a page ----------------------------------------------------------------

# What ends a clause after an address is not of it: in letters a colon often stands there.
_OURS = re.compile(r"(?<![\w/])https?://[^\s<>\"']+(?<![.,:;])")


def page_of(subject: str, body: str, *, language: str) -> str:
    """The letter as HTML, from its plain text: every word escaped, nothing loaded from anywhere.

    Only addresses of ours become links: in our letter nobody else's is one click away.
    """
    paragraphs = "\n".join(f"<p>{_linked(part)}</p>" for part in body.strip().split("\n\n") if part.strip())
    return (
        f'<!DOCTYPE html>\n<html lang="{language}" dir="{_direction(language)}">\n'
        f'<head><meta charset="utf-8">\n<title>{escape(subject)}</title>\n'
        f"<style>{_STYLE}</style></head>\n<body>\n<h1>{escape(subject)}</h1>\n{paragraphs}\n</body>\n</html>\n"
    )


_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:38em;padding:1.5em}"
    "h1{font-size:1.25em;line-height:1.3}p{margin:0 0 1em;overflow-wrap:anywhere}"
)


def _direction(language: str) -> str:
    return "rtl" if get_language_info(language)["bidi"] else "ltr"


def _linked(paragraph: str) -> str:
    """One paragraph, escaped, its line breaks kept and our own addresses made links."""
    pieces, last = [], 0
    for match in _OURS.finditer(paragraph):
        if not _is_ours(match[0]):
            continue
        address = escape(match[0])
        pieces += [escape(paragraph[last : match.start()]), f'<a href="{address}" dir="ltr">{address}</a>']
        last = match.end()
    return "".join([*pieces, escape(paragraph[last:])]).replace("\n", "<br>\n")


def _is_ours(address: str) -> bool:
    return address == settings.SITE_URL or address.startswith(f"{settings.SITE_URL}/")


def _thread(letter: Letter) -> dict[str, str]:
    """The headers by which a mail program shows all letters of one case as one conversation."""
    earlier = (
        letter.notice.letters.filter(sent_at__isnull=False, to=letter.to)
        .exclude(pk=letter.pk)
        .order_by("sent_at", "pk")
    )
    theirs = "" if letter.kind in TO_THE_AFFECTED else letter.notice.message_id
    named = [theirs, *earlier.values_list("message_id", flat=True)]
    ids = [name for name in named if _MESSAGE_ID.fullmatch(name) and name.isascii()]
    if not ids:
        return {}
    return {"In-Reply-To": ids[-1], "References": " ".join([ids[0], *ids[1:][-9:]])}

"""The removal mailbox, read over IMAP. A message is marked only after what it asks for is stored."""

from __future__ import annotations

import imaplib
import logging
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import unquote, urlsplit

from django.db import InterfaceError, OperationalError

from articles.models import Heartbeat
from moderation import email
from moderation.email import MAX_BYTES, Handled
from moderation.ledger import LedgerBehind

logger = logging.getLogger(__name__)

SECONDS = 30.0
DONE = "NewsroomReceived"
# The row that says which message was the last that stayed new although it was read.
TURN = "turn: messages of the mailbox"
_DATE = re.compile(rb'INTERNALDATE "([^"]{20,40})"')


class MailboxError(Exception):
    """The mailbox cannot be read; the message says why."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Where the mail is, from imap://user:password@host:port/FOLDER or imaps://…"""

    host: str
    port: int
    secure: bool
    user: str
    password: str
    folder: str

    @classmethod
    def at(cls, url: str) -> Mailbox:
        """The mailbox an address names. Raises MailboxError when it names none."""
        parts = urlsplit(url)
        if parts.scheme not in ("imap", "imaps") or not parts.hostname or not parts.username:
            raise MailboxError("MAILBOX_URL should read imaps://user:password@host/INBOX.")
        secure = parts.scheme == "imaps"
        return cls(
            host=parts.hostname,
            port=parts.port or (993 if secure else 143),
            secure=secure,
            user=unquote(parts.username),
            password=unquote(parts.password or ""),
            folder=unquote(parts.path.strip("/")) or "INBOX",
        )


def poll(mailbox: Mailbox, *, limit: int, at: datetime) -> Iterator[Handled]:
    """Read what is new, oldest first. The clock of each began when it reached the mailbox, not now.

    A message that cannot be received or marked keeps none of those behind it waiting: it is left for the next
    time, and after the others MailboxError says so.
    """
    received = left = 0
    with _open(mailbox) as connection:
        for uid in _in_turn(_new(connection)):
            if received == limit:
                break
            message, arrived_at = _fetch(connection, uid, at=at)
            handled = _accepted(message, uid, at=arrived_at)
            if handled is not None:
                received += 1
                yield handled
            if handled is None or not _marked(connection, uid):
                left += 1
                _note_turn(uid, at)
    if left:
        raise MailboxError(
            f"{left} messages were left as new at {mailbox.host}: they could not be received (the log says why), or it"
            f" keeps no keyword such as {DONE} for an account that may write."
        )


def _in_turn(uids: list[str]) -> list[str]:
    """What came after the last message that could not be marked, then the others again: so each has its turn.

    Where a mailbox keeps no mark, all are new each time; the first would else be read for ever, the last never.
    """
    row = Heartbeat.objects.filter(name=TURN).first()
    last = int(row.detail["uid"]) if row else 0
    return sorted(uids, key=lambda uid: (int(uid) <= last, int(uid)))


def _note_turn(uid: str, at: datetime) -> None:
    Heartbeat.objects.update_or_create(name=TURN, defaults={"at": at, "detail": {"uid": uid}})


def _accepted(message: bytes, uid: str, *, at: datetime) -> Handled | None:
    try:
        return email.accept(message, at=at)
    except (OperationalError, InterfaceError, LedgerBehind):
        # Not about this message: with the next ones it would be the same.
        raise
    except Exception:
        logger.exception("message %s of the mailbox could not be received; it is tried again", uid)
        return None


def _marked(connection: imaplib.IMAP4, uid: str) -> bool:
    """Mark a message as received; False where the mailbox does not keep the mark."""
    _, answer = connection.uid("STORE", uid, "+FLAGS", f"({DONE})")
    return any(DONE.encode().lower() in part.lower() for part in answer if isinstance(part, bytes))


@contextmanager
def _open(mailbox: Mailbox) -> Iterator[imaplib.IMAP4]:
    try:
        connection = _connect(mailbox)
    except (imaplib.IMAP4.error, OSError) as error:
        raise MailboxError(f"The mailbox at {mailbox.host} cannot be opened: {error}") from error
    try:
        _enter(connection, mailbox)
        yield connection
    except (imaplib.IMAP4.abort, OSError) as error:
        raise MailboxError(f"The mailbox at {mailbox.host} fell silent: {error}") from error
    finally:
        connection.shutdown()


def _enter(connection: imaplib.IMAP4, mailbox: Mailbox) -> None:
    try:
        connection.login(mailbox.user, mailbox.password)
        status, answer = connection.select(f'"{mailbox.folder}"')
    except imaplib.IMAP4.error as error:
        raise MailboxError(f"The mailbox at {mailbox.host} cannot be opened: {error}") from error
    if status != "OK":
        raise MailboxError(f"There is no folder {mailbox.folder}: {answer!r}")


def _connect(mailbox: Mailbox) -> imaplib.IMAP4:
    if mailbox.secure:
        context = ssl.create_default_context()
        return imaplib.IMAP4_SSL(mailbox.host, mailbox.port, timeout=SECONDS, ssl_context=context)
    return imaplib.IMAP4(mailbox.host, mailbox.port, timeout=SECONDS)


def _new(connection: imaplib.IMAP4) -> list[str]:
    """The messages we have not received yet, whether or not somebody has looked at them."""
    _, found = connection.uid("SEARCH", f"UNKEYWORD {DONE}")
    return [uid.decode() for uid in (found[0] or b"").split()]


def _fetch(connection: imaplib.IMAP4, uid: str, *, at: datetime) -> tuple[bytes, datetime]:
    _, answer = connection.uid("FETCH", uid, f"(INTERNALDATE BODY.PEEK[]<0.{MAX_BYTES}>)")
    parts = [part for part in answer if isinstance(part, tuple)]
    if not parts:
        raise MailboxError(f"Message {uid} cannot be fetched.")
    about = b" ".join(part if isinstance(part, bytes) else part[0] for part in answer if part)
    return parts[0][1], _arrival(about, at=at)


def _arrival(about: bytes, *, at: datetime) -> datetime:
    """When the message reached the mailbox, by the mailbox's own word; never later than now."""
    found = _DATE.search(about)
    try:
        arrived_at = parsedate_to_datetime(found[1].decode().strip().replace("-", " ")) if found else at
        return min(arrived_at.astimezone(UTC), at)
    except (ValueError, TypeError):
        return at

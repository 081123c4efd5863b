"""The removal mailbox, read from a real IMAP server."""

from __future__ import annotations

import imaplib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import DataError, connection
from django.utils import timezone

from moderation import mailbox
from moderation.mailbox import Mailbox, MailboxError
from moderation.models import IncomingMail, Notice
from tests.conftest import free_port, unavailable, wait_for_port
from tests.factories import ArticleFactory
from tests.moderation.intake import address_of, letter_about, mail

CONFIGURATION = """
protocols = imap
base_dir = {run}
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
mail_location = maildir:{mail}
log_path = {mail}/../log
default_login_user = {user}
default_internal_user = {user}
default_internal_group = {group}
first_valid_uid = 0
passdb {{
  driver = static
  args = password=secret
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={mail}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
"""


@dataclass
class Post:
    """A running mailbox; `put` delivers into it as if at a moment in the past."""

    port: int

    def put(self, message: bytes, *, arrived_at: datetime) -> None:
        with imaplib.IMAP4("127.0.0.1", self.port, timeout=20) as connection:
            connection.login("removal", "secret")
            connection.append("INBOX", "", imaplib.Time2Internaldate(arrived_at), message)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    program = shutil.which("dovecot", path=f"{os.environ['PATH']}:/usr/sbin")
    if not program:
        unavailable("dovecot is not installed (Debian: apt-get install dovecot-imapd)")
    if os.geteuid() != 0:
        unavailable("dovecot is started here as root only")
    folder = Path(f"/tmp/newsroom-imap-{os.getpid()}")
    (folder / "mail").mkdir(parents=True)
    port = free_port()
    shutil.chown(folder / "mail", "nobody")
    configuration = folder / "dovecot.conf"
    configuration.write_text(
        CONFIGURATION.format(
            run=folder / "run",
            mail=folder / "mail",
            user="nobody",
            group="nogroup",
            uid=65534,
            gid=65534,
            port=port,
        )
    )
    process = subprocess.Popen([str(program), "-F", "-c", str(configuration)])
    try:
        wait_for_port(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=60)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def post(server: int, settings) -> Post:
    settings.MAILBOX_URL = f"imap://removal:secret@127.0.0.1:{server}/INBOX"
    settings.DNS_RESOLVER = "127.0.0.1:9"
    with imaplib.IMAP4("127.0.0.1", server, timeout=20) as connection:
        connection.login("removal", "secret")
        connection.select("INBOX")
        _, found = connection.search(None, "ALL")
        for number in found[0].split():
            connection.store(number.decode(), "+FLAGS", "(\\Deleted)")
        connection.expunge()
    return Post(server)


@pytest.mark.django_db
def test_the_clock_runs_since_the_mail_reached_the_mailbox(post: Post) -> None:
    arrived_at = (timezone.now() - timedelta(hours=6)).astimezone(UTC).replace(microsecond=0)
    post.put(mail(letter_about(address_of(ArticleFactory()))), arrived_at=arrived_at)

    call_command("poll_mailbox")

    notice = Notice.objects.get()
    assert notice.received_at == arrived_at
    assert notice.deadline_at == arrived_at + timedelta(hours=24)


@pytest.mark.django_db
def test_each_mail_is_received_once_also_when_somebody_read_it_first(post: Post) -> None:
    now = timezone.now()
    post.put(mail(letter_about(address_of(ArticleFactory()))), arrived_at=now)
    with imaplib.IMAP4("127.0.0.1", post.port, timeout=20) as connection:
        connection.login("removal", "secret")
        connection.select("INBOX")
        connection.store("1:*", "+FLAGS", "(\\Seen)")

    call_command("poll_mailbox")
    call_command("poll_mailbox")
    assert (Notice.objects.count(), IncomingMail.objects.count()) == (1, 1)

    post.put(mail(letter_about(address_of(ArticleFactory())), message_id="<2@x.example>"), arrived_at=now)
    call_command("poll_mailbox")
    assert Notice.objects.count() == 2


@pytest.mark.django_db
def test_a_mail_that_cannot_be_stored_keeps_no_other_waiting(post: Post) -> None:
    for number in ("poison", "good"):
        text = letter_about(f"https://{number}.example/1")
        post.put(mail(text, message_id=f"<{number}@x.example>"), arrived_at=timezone.now())
    refuses = True

    def refuse(execute, sql, params, many, context):
        if refuses and "<poison@x.example>" in (params or ()):
            raise DataError("no such text")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse):
        with pytest.raises(CommandError, match="1 messages were left as new"):
            call_command("poll_mailbox", limit=1)
        assert [one.message_id for one in IncomingMail.objects.all()] == ["<good@x.example>"]
        refuses = False
        call_command("poll_mailbox")

    assert Notice.objects.count() == 2


@pytest.mark.django_db
def test_a_mailbox_that_keeps_no_mark_is_read_to_its_end(post: Post, monkeypatch) -> None:
    # Longer than the server takes.
    monkeypatch.setattr(mailbox, "DONE", "Received" * 20)
    for number in range(5):
        text = letter_about(f"https://outlet.example/{number}")
        post.put(mail(text, message_id=f"<{number}@x.example>"), arrived_at=timezone.now())

    for received in (2, 4, 5, 5):
        with pytest.raises(CommandError, match="2 messages were left as new"):
            call_command("poll_mailbox", limit=2)
        assert Notice.objects.count() == received


@pytest.mark.django_db
def test_a_moment_in_the_future_is_no_arrival(post: Post) -> None:
    post.put(mail(letter_about("https://else.example/1")), arrived_at=timezone.now() + timedelta(days=400))

    call_command("poll_mailbox")

    assert Notice.objects.get().received_at <= timezone.now()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "url", ["", "pop3://a:b@127.0.0.1/", "imap://127.0.0.1/", "imap://a:b@127.0.0.1:9/INBOX"]
)
def test_a_mailbox_that_cannot_be_read_is_an_error_in_words(settings, url: str) -> None:
    settings.MAILBOX_URL = url

    with pytest.raises(CommandError, match=r"MAILBOX_URL|cannot be opened"):
        call_command("poll_mailbox")


@pytest.mark.django_db
def test_a_wrong_password_is_an_error_in_words(post: Post, settings) -> None:
    settings.MAILBOX_URL = settings.MAILBOX_URL.replace("secret", "wrong").replace("removal:", "removal%40x:")
    started = time.monotonic()

    with pytest.raises(CommandError, match="cannot be opened"):
        call_command("poll_mailbox")

    assert time.monotonic() - started < 30


def test_the_address_of_a_mailbox_is_read_whole() -> None:
    mailbox = Mailbox.at("imaps://me%40owner.example:p%2Fw@mail.example/Removal%20box")

    assert mailbox == Mailbox("mail.example", 993, True, "me@owner.example", "p/w", "Removal box")
    with pytest.raises(MailboxError):
        Mailbox.at("https://mail.example")

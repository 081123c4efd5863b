"""Following by e-mail: asked for twice, ended with one press, and nothing removed in any digest."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command
from django.utils import timezone

from articles.actions import erase
from readers import actions, mails
from readers.models import Mailing, Subscription
from tests.factories import ArticleFactory, HoldFactory, SourceFactory, StoryFactory, TagFactory

pytestmark = pytest.mark.django_db

READER = "ines@salt-ferry.example"
DAY = timedelta(days=1)


def ask(client: Any, of: str = "/", prefix: str = "", **more: str) -> Any:
    return client.post(f"{prefix}/follow/", {"of": of, "email": READER, "every": "day", **more})


def deliver(at: Any = None) -> list[Any]:
    """What the worker does; the mails it sent."""
    at, before = at or timezone.now(), len(mail.outbox)
    actions.owe_due(limit=50, at=at)
    mails.send_due(limit=50, at=at)
    return mail.outbox[before:]


def followed(of: str = "/", client: Any = None, **more: str) -> Subscription:
    ask(client, of, **more)
    row = Subscription.objects.get()
    client.post(mails.page_of(row), {"do": "confirm"})
    mail.outbox.clear()
    Mailing.objects.all().delete()
    row.refresh_from_db()
    return row


# --- asked for twice --------------------------------------------------------------------------


def test_nothing_but_the_question_is_sent_before_the_button_is_pressed(client):
    TagFactory(name="Climate")
    assert "Look into your mailbox" in ask(client, "/tags/climate/").content.decode()
    (question,) = deliver()
    page = re.search(r"http://\S+(/follow/\w+/)", question.body)[1]

    assert question.to == [READER]
    assert "Climate" in question.subject
    for program in (client.get(page), client.head(page)):
        assert program.status_code == 200
    ArticleFactory(tags=["Climate"])
    assert deliver(timezone.now() + 3 * DAY) == []

    assert "Yes, send me the digest" in client.get(page).content.decode()
    client.post(page, {"do": "confirm"})
    article = ArticleFactory(tags=["Climate"])
    (digest,) = deliver(timezone.now() + DAY)
    assert article.headline in digest.body


def test_the_answer_does_not_tell_who_follows_already(client):
    followed(client=client)

    again = ask(client)
    other = ask(client, email="stranger@else.example")

    assert deliver()[0].to == ["stranger@else.example"]
    assert again.content == other.content
    assert Subscription.objects.count() == 2


def test_one_mailbox_and_one_sender_are_asked_only_so_often(client):
    for n in range(8):
        TagFactory(name=f"T{n}")
        ask(client, f"/tags/t{n}/")
    assert len(deliver()) == actions.PER_MAILBOX_A_DAY

    answers = [ask(client, email=f"r{n}@else.example").status_code for n in range(14)]
    assert answers[-1] == 429


@pytest.mark.parametrize(
    ("of", "email", "status"),
    [("/tags/nothing/", READER, 404), ("/rights/", READER, 404), ("/x\x00/", READER, 404), ("/", "no mailbox", 422),
     ("/", "", 422), ("/languages/de/", READER, 200), ("/languages/d1/", READER, 404)],
)  # fmt: skip
def test_bad_input_gets_a_right_status(client, of, email, status):
    assert ask(client, of, email=email).status_code == status
    assert Subscription.objects.count() == (status == 200)


# --- what is in it ----------------------------------------------------------------------------


def test_each_kind_of_list_sends_its_own_articles_once(client):
    source, story = SourceFactory(usage="full"), StoryFactory()
    wanted = {
        "tags": ["Climate"],
        "people": ["Ann Ó Briain"],
        "source": source,
        "story": story,
        "language": "de-at",
    }
    ArticleFactory(**wanted)
    lists = ["/", "/tags/climate/", source.get_absolute_url(), story.get_absolute_url(), "/languages/de/"]
    lists.append(ArticleFactory(**wanted).contributors.get().get_absolute_url())
    for of in lists:
        ask(client, of)
    now = timezone.now()
    for row in Subscription.objects.all():
        actions.confirm(subscription=row, at=now)
    Mailing.objects.all().delete()
    ArticleFactory(**wanted, headline="Inside every list")
    ArticleFactory(headline="In none but one")

    digests = deliver(now + DAY)

    assert len(digests) == 6
    assert all("Inside every list" in digest.body for digest in digests)
    assert sum("In none but one" in digest.body for digest in digests) == 1
    assert deliver(now + 2 * DAY) == []


def test_what_was_removed_after_the_digest_was_owed_is_not_in_it(client):
    row = followed(client=client)
    kept, removed = ArticleFactory(headline="This stays here"), ArticleFactory(headline="This was removed")
    at = timezone.now() + DAY
    assert actions.owe_due(limit=5, at=at) == 1
    HoldFactory(article=removed)

    (digest,) = deliver(at)

    html = digest.alternatives[0][0]
    assert kept.headline in digest.body
    assert kept.headline in html
    assert "removed" not in digest.body + html
    assert Mailing.objects.get(subscription=row).articles == 1


def test_no_mail_when_nothing_is_new_or_all_of_it_is_gone(client):
    followed(client=client)
    at = timezone.now() + DAY
    ArticleFactory()
    actions.owe_due(limit=5, at=at)
    HoldFactory(article=ArticleFactory._meta.model.objects.get())

    assert deliver(at) == []
    assert Mailing.objects.get().sent_at is not None


def test_no_more_of_a_text_is_mailed_than_its_outlet_allows(client):
    followed(client=client)
    ArticleFactory(
        source=SourceFactory(usage="headline"),
        standfirst="Not ours to show.",
        body="<p>Not ours to show.</p>",
    )

    (digest,) = deliver(timezone.now() + DAY)

    assert "Not ours" not in digest.body + digest.alternatives[0][0]


def test_a_digest_speaks_the_language_in_which_it_was_asked_for(client):
    ask(client, prefix="/de")
    (question,) = deliver()
    assert question.subject == "Bitte bestätigen: Alles"
    assert "/de/follow/" in question.body
    actions.confirm(subscription=Subscription.objects.get(), at=timezone.now())
    ArticleFactory()

    (digest,) = deliver(timezone.now() + DAY)

    assert "Sie bekommen dies" in digest.body
    assert '<html lang="de" dir="ltr">' in digest.alternatives[0][0]


# --- ended and forgotten ----------------------------------------------------------------------


def test_one_request_of_a_mail_program_ends_it(client):
    followed(client=client)
    ArticleFactory()
    (digest,) = deliver(timezone.now() + DAY)
    address = digest.extra_headers["List-Unsubscribe"].strip("<>")
    path = address.partition("8000")[2] or re.sub(r"^https?://[^/]+", "", address)

    assert digest.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert address.startswith("http")
    assert client.get(path).status_code == 200
    assert Subscription.objects.count() == 1
    first = client.post(path, "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded")
    second = client.post(path, "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded")

    assert (first.status_code, second.status_code) == (200, 200)
    assert Subscription.objects.count() == Mailing.objects.count() == 0


def test_the_rhythm_can_be_changed_and_pages_are_kept_by_nobody(client):
    row = followed(client=client)

    client.post(mails.page_of(row), {"every": "week"})

    row.refresh_from_db()
    assert row.every == "week"
    assert row.next_at > timezone.now() + 6 * DAY
    for path in (mails.page_of(row), mails.stop_of(row), "/de" + mails.page_of(row), "/follow/"):
        answer = client.get(path)
        assert answer.headers["Cache-Control"] == "no-store, private"
        assert not answer.cookies
    assert client.get("/follow/0123456789abcdef/").status_code == 404


def test_a_mailbox_that_never_answered_and_one_that_asks_to_be_forgotten_leave_nothing(client):
    ask(client)
    assert actions.tidy(limit=10, at=timezone.now() + 6 * DAY) == 0
    assert actions.tidy(limit=10, at=timezone.now() + 8 * DAY) == 1
    followed(client=client)

    call_command("forget_reader", READER.upper())

    assert Subscription.objects.count() == Mailing.objects.count() == 0


def test_the_name_of_somebody_who_was_erased_is_in_no_subscription(client):
    article = ArticleFactory(people=["Quillon Zebedee"])
    followed("/contributors/quillon-zebedee/", client=client)
    HoldFactory(article=article)
    assert actions.tidy(limit=10, at=timezone.now()) == 0

    erase(article=article, at=timezone.now())
    actions.tidy(limit=10, at=timezone.now())

    assert Subscription.objects.count() == 0


def test_a_mail_that_cannot_be_sent_is_tried_again(client, settings):
    ask(client)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    now = timezone.now()

    assert mails.send_due(limit=5, at=now) == 1
    waiting = Mailing.objects.get()
    assert waiting.sent_at is None
    assert waiting.due_at > now
    assert waiting.last_error == "ConnectionRefusedError"
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"

    assert len(deliver(waiting.due_at)) == 1

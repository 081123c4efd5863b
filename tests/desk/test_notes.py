"""Notes and tasks on an article: who writes and sees them, who is told, and that they go with the article."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.models import User
from articles import actions, notes
from articles.models import HoldKind, Mention, Note
from articles.sealing import seal, unseal
from newsroom import roles
from tests.factories import ArticleFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann() -> User:
    user: User = UserFactory(superuser=True, username="ann", first_name="Ann", last_name="Ó Briain")
    return user


@pytest.fixture
def bo() -> User:
    user: User = UserFactory(staff=True, username="bo.li")
    user.groups.add(Group.objects.get(name=roles.EDITORS))
    return user


def write(user: User, article: Any, **said: Any) -> str:
    client = Client()
    client.force_login(user)
    answer = client.post(f"/admin/articles/article/{article.pk}/notes/", said, follow=True)
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_a_note_is_read_by_colleagues_and_by_no_reader(ann: User) -> None:
    article = ArticleFactory()

    page = write(ann, article, text="Is the <b>figure</b> right?")

    assert "Is the &lt;b&gt;figure&lt;/b&gt; right?" in page
    assert "figure" not in Client().get(article.get_absolute_url()).content.decode()


def test_who_is_named_is_told_once_and_by_mail_without_a_word_of_it(ann: User, bo: User) -> None:
    article = ArticleFactory(headline="PLANTED")
    write(ann, article, text="Look at this, @bo.li. You too @ann, and @nobody or me@bo.li")

    told = [notes.tell_due(10, timezone.now()) for _ in range(2)]

    assert told == [1, 0]
    [letter] = mail.outbox
    assert letter.to == [bo.email]
    assert letter.subject == "Ann Ó Briain named you in a note"
    assert f"/admin/articles/article/{article.pk}/notes/" in letter.body
    assert "PLANTED" not in letter.subject + letter.body
    assert "Look at" not in letter.body


def test_a_mail_server_that_is_away_is_asked_again(ann: User, bo: User, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    notes.write(article=ArticleFactory(), text="@bo.li", by=ann, at=timezone.now())

    notes.tell_due(10, timezone.now())

    assert Mention.objects.get().due_at > timezone.now()
    assert notes.is_waiting(timezone.now() + timedelta(hours=1))


def test_a_task_waits_on_the_desk_of_whose_it_is_until_it_is_done(ann: User, bo: User) -> None:
    article = ArticleFactory()
    write(ann, article, text="Call the harbour master", task_of=bo.pk, due_on=str(timezone.localdate()))
    desk = Client()
    desk.force_login(bo)

    before = desk.get("/admin/").content.decode()
    page = write(bo, article, _done=Note.objects.get().pk)

    assert re.search(r'desk-urgent">\s*<a[^>]*>Call the harbour master', before)
    assert "done by" in page
    assert "Call the harbour master" not in desk.get("/admin/").content.decode()
    notes.tell_due(10, timezone.now())
    assert mail.outbox[0].subject.endswith("gave you a task")


def test_auditors_read_and_write_none_and_contributors_have_those_of_their_own(ann: User) -> None:
    article = ArticleFactory()
    auditor, contributor = UserFactory(staff=True), UserFactory(staff=True)
    auditor.groups.add(Group.objects.get(name=roles.AUDITORS))
    contributor.groups.add(Group.objects.get(name=roles.CONTRIBUTORS))
    own = actions.save_edit(article=ArticleFactory.build(source=None, url_key=None, draft=True, canonical_url=""),
                            at=timezone.now(), by=contributor)  # fmt: skip
    client = Client()

    client.force_login(auditor)
    address = f"/admin/articles/article/{article.pk}/notes/"
    assert client.get(address).status_code == 200
    assert client.post(address, {"text": "x"}).status_code == 403
    client.force_login(contributor)
    assert client.get(address).status_code == 403
    assert client.post(f"/admin/articles/article/{own.pk}/notes/", {"text": "x"}).status_code == 302


def test_notes_lie_under_seal_with_their_article_and_go_with_it(ann: User, bo: User) -> None:
    article, now = ArticleFactory(), timezone.now()
    note = notes.write(article=article, text="PLANTED quotation", by=ann, at=now, task_of=bo)
    actions.place_hold(
        article=article, kind=HoldKind.LEGAL, reference="claim:1", effective_at=now, at=now, by=None
    )

    sealed = seal(article=article)
    assert not Note.objects.exists()
    bo.delete()
    unseal(article=article, content=sealed.content)
    back = Note.objects.get()
    assert (back.pk, back.text, back.by, back.task_of) == (note.pk, "PLANTED quotation", ann, None)
    actions.erase(article=article, at=now)

    assert not Note.objects.exists()

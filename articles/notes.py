"""What colleagues say to each other about an article: notes and tasks, mentions by @login, and word of them by mail.

The mail says that there is a note and where, and nothing of it: what has left the house cannot be taken back.
"""

from __future__ import annotations

import re
import smtplib
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse

from accounts.models import User
from articles import workflow
from articles.leases import back_off
from articles.models import Article, Mention, Note

LONGEST = 2000
LEASE_SECONDS = 60
MOST_TRIES = 8
MOST_MENTIONED = 20
_LOGIN = re.compile(r"(?<![\w@])@([\w.+-]+)")


@transaction.atomic
def write(
    *,
    article: Article,
    text: str,
    by: User,
    at: datetime,
    task_of: User | None = None,
    due_on: date | None = None,
) -> Note:
    """Add a note, a task when it is somebody's; whoever it names or is for is told."""
    note = Note.objects.create(
        article=article,
        text=text[:LONGEST],
        by=by,
        at=at,
        task_of=task_of,
        due_on=due_on if task_of else None,
    )
    told = {*mentioned_in(text), *([task_of] if task_of else [])} - {by}
    Mention.objects.bulk_create(Mention(note=note, user=user, due_at=at) for user in told)
    return note


@transaction.atomic
def finish(*, note: Note, by: User, at: datetime) -> Note:
    """A task is done; twice is once."""
    Note.objects.filter(pk=note.pk, done_at__isnull=True).update(done_at=at, done_by=by)
    note.refresh_from_db()
    return note


def mentioned_in(text: str) -> list[User]:
    """The colleagues whose logins the text names with an @."""
    logins = {login.rstrip(".") for login in _LOGIN.findall(text)}
    people = User.objects.filter(username__in=logins, is_staff=True, is_active=True)
    return list(people[:MOST_MENTIONED])


def colleagues() -> QuerySet[User]:
    """Who can be given a task."""
    return User.objects.filter(is_staff=True, is_active=True).order_by("username")


def may_write(user: Any, article: Article) -> bool:
    """Who works on articles, about those they see."""
    return bool(user.has_perm(workflow.CHANGE)) or workflow.is_own(user, article)


def open_tasks_of(user: Any) -> QuerySet[Note]:
    """What somebody still has to do, the most pressing first."""
    tasks = Note.objects.filter(task_of=user, done_at__isnull=True).select_related("article")
    return tasks.defer("article__body", "article__signature").order_by("due_on", "pk")


# --- telling ----------------------------------------------------------------------------------


def is_waiting(at: datetime) -> bool:
    """Is anybody to be told of something?"""
    return bool(Mention.objects.claimable(at).exists())


def tell_due(limit: int, at: datetime) -> int:
    """Send word to at most `limit` of those who were named; returns how many were tried."""
    due: Iterable[Mention] = (
        Mention.objects.claimable(at).select_related("user", "note__by").order_by("due_at")[:limit]
    )
    tried = 0
    for mention in due:
        token = Mention.objects.claim(mention.pk, at=at, seconds=LEASE_SECONDS)
        if token:
            tried += 1
            _tell(mention, token, at=at)
    return tried


def _tell(mention: Mention, token: str, *, at: datetime) -> None:
    again = None
    if mention.user.email and mention.user.is_active:
        try:
            _send(mention)
        except (OSError, smtplib.SMTPException):
            tries = mention.attempts + 1
            again = at + back_off(tries, first=60) if tries < MOST_TRIES else None
    Mention.objects.finish(mention.pk, token, due_at=again)


def _send(mention: Mention) -> None:
    where = settings.SITE_URL + reverse("admin:articles_article_notes", args=[mention.note.article_id])
    what = "gave you a task" if mention.note.task_of_id == mention.user_id else "named you in a note"
    who = str(mention.note.by or "Somebody")
    subject = f"{who} {what}".replace("\n", " ")
    body = f"{who} {what} on an article.\n\n{where}\n\nWhat it says stands there, at the desk.\n"
    send_mail(subject, body, None, [mention.user.email])

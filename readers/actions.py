"""Following by e-mail: asked for twice, ended with one press, forgotten when it ends."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from moderation import limits
from readers import following
from readers.following import List
from readers.models import Every, Kind, Mailing, MailingKind, Subscription

PERIODS = {Every.DAY: timedelta(days=1), Every.WEEK: timedelta(days=7)}
# Who does not confirm is forgotten.
UNCONFIRMED_KEPT = timedelta(days=7)
MAILINGS_KEPT = timedelta(days=30)
PER_SENDER, PER_MAILBOX_A_DAY = 20, 5
MOST_EACH = 50


class TooOften(Exception):
    """So many subscriptions came from one place that it has to wait an hour."""


@transaction.atomic
def follow(*, email: str, what: List, every: Every, language: str, sender: str, at: datetime) -> None:
    """Ask the mailbox whether it wants to follow the list. Says to nobody whether it does already.

    A mailbox gets at most a few such questions a day, whoever asks them.
    """
    if limits.count("follow", sender, window=limits.HOUR, at=at) > PER_SENDER:
        raise TooOften
    if Subscription.objects.filter(email__mailbox=email).count() >= MOST_EACH:
        return
    row = _row(email=email, what=what, every=every, language=language, at=at)
    asked = limits.count("follow-mailbox", email, window=limits.DAY, at=at)
    if row.confirmed_at is None and asked <= PER_MAILBOX_A_DAY:
        Mailing.objects.create(subscription=row, kind=MailingKind.CONFIRM, until=at, created_at=at, due_at=at)


def _row(*, email: str, what: List, every: Every, language: str, at: datetime) -> Subscription:
    same = Subscription.objects.filter(email__mailbox=email, kind=what.kind, slug=what.slug)
    if found := same.first():
        return found
    try:
        with transaction.atomic():
            return Subscription.objects.create(
                email=email.lower(), kind=what.kind, slug=what.slug, every=every, language=language, created_at=at
            )  # fmt: skip
    except IntegrityError:
        return same.get()


@transaction.atomic
def confirm(*, subscription: Subscription, at: datetime) -> Subscription:
    """From now on its digests come; confirmed twice it stays as it is."""
    row = Subscription.objects.select_for_update().get(pk=subscription.pk)
    if row.confirmed_at is None:
        row.confirmed_at = row.told_until = at
        row.next_at = at + PERIODS[Every(row.every)]
        row.save(update_fields=["confirmed_at", "told_until", "next_at"])
    return row


@transaction.atomic
def change(*, subscription: Subscription, every: Every, at: datetime) -> Subscription:
    """Another rhythm, counted from now on."""
    row = Subscription.objects.select_for_update().get(pk=subscription.pk)
    row.every = every
    if row.confirmed_at:
        row.next_at = at + PERIODS[every]
    row.save(update_fields=["every", "next_at"])
    return row


def stop(*, token: str) -> None:
    """Forget the subscription, its mailbox and its mails. Stopped twice, nothing happens."""
    Subscription.objects.filter(token=token).delete()


def forget(*, email: str) -> int:
    """Forget a mailbox altogether; returns how many subscriptions it had."""
    return Subscription.objects.filter(email__mailbox=email).delete()[1].get("readers.Subscription", 0)


# --- the worker's part ------------------------------------------------------------------------


def owe_due(limit: int, at: datetime) -> int:
    """Write down the digests that are due, each with the time it covers; returns how many."""
    due = list(
        Subscription.objects.filter(next_at__lte=at).order_by("next_at").values_list("pk", flat=True)[:limit]
    )
    return sum(_owe(pk, at) for pk in due)


@transaction.atomic
def _owe(pk: int, at: datetime) -> int:
    row = Subscription.objects.select_for_update().filter(pk=pk, next_at__lte=at).first()
    if row is None:
        return 0
    Mailing.objects.create(
        subscription=row, kind=MailingKind.DIGEST, since=row.told_until, until=at, created_at=at, due_at=at
    )
    row.told_until, row.next_at = at, at + PERIODS[Every(row.every)]
    row.save(update_fields=["told_until", "next_at"])
    return 1


def tidy(limit: int, at: datetime) -> int:
    """Forget who never confirmed, whoever follows what is gone, and old mails; returns how many rows went.

    The name of a list is in its subscriptions: when an erasure takes a person or a story away, they go too.
    """
    unconfirmed = Subscription.objects.filter(confirmed_at__isnull=True, created_at__lt=at - UNCONFIRMED_KEPT)
    old = Mailing.objects.filter(created_at__lt=at - MAILINGS_KEPT)
    rows = [*unconfirmed[:limit], *old[:limit]]
    for row in rows:
        row.delete()
    return len(rows) + _forget_what_is_gone()


def _forget_what_is_gone() -> int:
    named = Subscription.objects.exclude(kind__in=(Kind.ALL, Kind.LANGUAGE))
    gone = [
        (kind, slug)
        for kind, slug in named.order_by("kind", "slug").values_list("kind", "slug").distinct()
        if not following.exists(kind, slug)
    ]
    for kind, slug in gone:
        Subscription.objects.filter(kind=kind, slug=slug).delete()
    return len(gone)

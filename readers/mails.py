"""The mails to readers: the question, and the digest, whose articles are looked up when it is sent."""

from __future__ import annotations

import logging
import smtplib
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext

from articles import display, interface
from articles.leases import back_off
from articles.models import Article
from moderation.letters import plain
from readers import following
from readers.models import Mailing, MailingKind, Subscription

logger = logging.getLogger(__name__)

LEASE_SECONDS = 300
TRIES = 8
MOST_ARTICLES = 30


def is_waiting(at: datetime) -> bool:
    """Whether some mail is to be sent."""
    return bool(Mailing.objects.claimable(at).filter(sent_at__isnull=True).exists())


def send_due(limit: int, at: datetime) -> int:
    """Send up to `limit` mails that are due; returns how many were taken in hand."""
    due = Mailing.objects.claimable(at).filter(sent_at__isnull=True).order_by("due_at", "pk")
    taken = 0
    for pk in list(due.values_list("pk", flat=True)[:limit]):
        token = Mailing.objects.claim(pk, at=at, seconds=LEASE_SECONDS)
        if token:
            taken += 1
            _send_one(pk, token, at=at)
    return taken


def _send_one(pk: int, token: str, *, at: datetime) -> None:
    mailing = Mailing.objects.select_related("subscription").get(pk=pk)
    try:
        message, count = compose(mailing)
        if message:
            message.send()
    except (OSError, smtplib.SMTPException, ValueError) as error:
        logger.warning("Mail %s to a reader was not sent: %s", pk, type(error).__name__)
        again = at + back_off(mailing.attempts) if mailing.attempts < TRIES else None
        Mailing.objects.finish(pk, token, due_at=again, last_error=type(error).__name__)
    else:
        Mailing.objects.finish(pk, token, sent_at=at, due_at=None, articles=count, last_error="")


def compose(mailing: Mailing) -> tuple[EmailMultiAlternatives | None, int]:
    """The mail as it is right at this moment, and how many articles are in it. None when there is nothing to say."""
    subscription = mailing.subscription
    tongue = interface.TONGUES.get(subscription.language, interface.DEFAULT)
    with translation.override(tongue.code):
        what = following.named(subscription.kind, subscription.slug)
        articles = _articles(mailing)
        asks = mailing.kind == MailingKind.CONFIRM
        if what is None or (not asks and not articles):
            return None, 0
        context = _context(subscription, what, articles, tongue)
        subject = gettext("Please confirm: {title}") if asks else gettext("{title}: what is new")
        return _message(mailing, subject.format(title=plain(what.title)[:120]), context), len(articles)


def _articles(mailing: Mailing) -> list[Article]:
    if mailing.kind == MailingKind.CONFIRM:
        return []
    found = following.articles_of(mailing.subscription, since=mailing.since, until=mailing.until)
    return list(found[:MOST_ARTICLES])


def _context(
    subscription: Subscription, what: following.List, articles: list[Article], tongue: interface.Tongue
) -> dict[str, Any]:
    site = settings.SITE_URL
    return {
        "site_name": settings.SITE_NAME,
        "interface": tongue,
        "title": what.title,
        "list_url": site + tongue.at(what.path),
        "page_url": site + tongue.at(page_of(subscription)),
        "stop_url": site + stop_of(subscription),
        "entries": [_entry(article, tongue) for article in articles],
        "more": len(articles) == MOST_ARTICLES,
    }


def _entry(article: Article, tongue: interface.Tongue) -> dict[str, Any]:
    return {
        "headline": article.headline,
        "teaser": display.teaser_of(article),
        "outlet": article.source.name if article.source else settings.SITE_NAME,
        "url": settings.SITE_URL + tongue.at(article.get_absolute_url()),
        "language": article.language,
        "direction": display.direction(article.language),
        "at": article.published_at,
    }


def page_of(subscription: Subscription) -> str:
    """The path of the page on which the reader confirms, changes and ends it."""
    return f"/follow/{subscription.token}/"


def stop_of(subscription: Subscription) -> str:
    """The path that ends it with one request (RFC 8058)."""
    return f"/follow/{subscription.token}/stop/"


def _message(mailing: Mailing, subject: str, context: dict[str, Any]) -> EmailMultiAlternatives:
    name = f"readers/{mailing.kind}"
    text = render_to_string(f"{name}.txt", context).strip() + "\n"
    host = settings.REMOVAL_EMAIL.rpartition("@")[2]
    headers = {
        "Message-ID": f"<digest.{mailing.pk}.{mailing.subscription.token[:12]}@{host}>",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "List-Id": f"<{mailing.subscription.kind}.{host}>",
        "List-Unsubscribe": f"<{context['stop_url']}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    sender = f"{settings.SITE_NAME} <{settings.REMOVAL_EMAIL}>"
    message = EmailMultiAlternatives(subject, text, sender, [mailing.subscription.email], headers=headers)
    message.attach_alternative(render_to_string(f"{name}.html", context), "text/html")
    return message

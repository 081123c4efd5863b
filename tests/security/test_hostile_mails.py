"""Nothing hostile runs in a reader of mail, which has no policy of ours, and nothing is loaded from anywhere."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Route

from moderation import actions
from readers import actions as following
from readers import mails
from readers.models import Subscription
from tests.factories import ArticleFactory
from tests.moderation.cases import moderator
from tests.moderation.intake import address_of, send
from tests.security.vectors import vectors

WATCH = "window.ran = []; window.canary = what => window.ran.push(what);"
TOGETHER = 12
ALL = vectors()


def bundles() -> list[str]:
    """All vectors, some at a time, as long as a headline may be."""
    return [" ".join(ALL[start : start + TOGETHER])[:480] for start in range(0, len(ALL), TOGETHER)]


def a_digest_of_hostile_articles() -> None:
    Client().post("/follow/", {"of": "/", "email": "ines@reader.example", "every": "day"})
    row, at = Subscription.objects.get(), timezone.now()
    following.confirm(subscription=row, at=at)
    for bundle in bundles():
        ArticleFactory(headline=bundle[:240], standfirst=bundle[240:])
    following.owe_due(limit=50, at=at + timedelta(days=1))
    mails.send_due(limit=50, at=at + timedelta(days=1))


def letters_to_hostile_claimants() -> None:
    for bundle in bundles()[::6]:
        told = {"name": bundle[:120], "work": bundle, "rights_holder": bundle[:120], "letter": bundle}
        notice = send(address_of(ArticleFactory(headline=bundle[:240])), confirmed=True, **told)
        actions.uphold(claim_id=notice.claims.get().pk, by=moderator(), at=timezone.now(), reasons=bundle)
    call_command("send_letters", verbosity=0)


@pytest.mark.django_db
def test_no_letter_and_no_digest_runs_or_loads_anything(browser: Browser) -> None:
    a_digest_of_hostile_articles()
    letters_to_hostile_claimants()
    pages = [
        str(content) for letter in mail.outbox for content, kind in letter.alternatives if kind == "text/html"
    ]  # type: ignore[attr-defined]
    assert len(pages) >= 10
    assert any("canary" in page for page in pages)
    asked: list[str] = []

    def answer(route: Route) -> None:
        number = route.request.url.rpartition("/")[2]
        if number.isdecimal():
            route.fulfill(body=pages[int(number)], content_type="text/html; charset=utf-8")
        else:
            asked.append(route.request.url)
            route.abort()

    context = browser.new_context(base_url="https://mailbox.example")
    context.add_init_script(WATCH)
    context.route("**/*", answer)
    window = context.new_page()
    ran: list[Any] = []
    for number in range(len(pages)):
        window.goto(f"/{number}")
        ran += window.evaluate("window.ran")
    context.close()

    assert (ran, asked) == ([], [])

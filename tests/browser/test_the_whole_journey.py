"""The product's main job from end to end: a feed comes in, a reader reads it, its owner has it removed.

Real HTTP to the outlet, real SMTP to the owner's mailbox, a real browser at the front door, and no
worker: each thing a worker would do is one command, so the deadline is met with nothing running.
"""

from __future__ import annotations

import email
import re
import time
from collections.abc import Iterator
from datetime import datetime
from email import policy
from io import StringIO
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.core.management import call_command
from playwright.sync_api import Page, expect

from articles.models import Article
from moderation.models import Claim
from moderation.references import answer_url
from tests.conftest import free_port
from tests.factories import UserFactory
from tests.loopback import WebServer, web_server

OWNER = "ines@salt-ferry.example"
FIRST = "Ferry towns wait for the second tide"
SECOND = "A lighthouse keeper counts the storms"
FEED = """<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:content="http://purl.org/rss/1.0/modules/content/">
<channel><title>The Salt Ferry</title><link>{site}/</link><language>en</language>
<item><title>{first}</title><link>{site}/second-tide</link><guid>{site}/second-tide</guid>
  <dc:creator>Ines Marlow and Bo Lindqvist</dc:creator><category>Harbours</category>
  <content:encoded><![CDATA[<p>The second tide came late, and the ferry towns waited with lamps along the quay,
  as they had for a hundred years before the dredgers came.</p><p>Reporting was contributed by Ann Ó Briain and
  Cy Diaz.</p>]]></content:encoded></item>
<item><title>{second}</title><link>{site}/storms</link><guid>{site}/storms</guid>
  <dc:creator>Ines Marlow</dc:creator><category>Harbours</category>
  <content:encoded><![CDATA[<p>He has a notebook for every winter since the lamp was lit, and in each of them
  a number in pencil on the last page.</p>]]></content:encoded></item>
</channel></rss>"""


class Mailbox:
    """A real SMTP server that keeps what it is given."""

    def __init__(self) -> None:
        self.letters: list[Any] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.letters.append(email.message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"

    def newest(self) -> str:
        plain = self.letters[-1].get_body(("plain",))
        assert plain
        return str(plain.get_content())


@pytest.fixture
def mailbox(settings: Any) -> Iterator[Mailbox]:
    kept = Mailbox()
    controller = Controller(kept, hostname="127.0.0.1", port=free_port())
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = controller.hostname, controller.port
    yield kept
    controller.stop()


@pytest.fixture
def outlet() -> Iterator[WebServer]:
    with web_server() as web:
        document = FEED.format(site=web.url(""), first=FIRST, second=SECOND)
        web.put("/feed.xml", document.encode(), headers=[("Content-Type", "application/rss+xml")])
        yield web


def surfaces(front_door: str, article: Article) -> list[str]:
    tag = article.tags.get()
    person = article.contributors.order_by("pk").first()
    assert person is not None
    paths = [
        "/", article.get_absolute_url(), tag.get_absolute_url(), person.get_absolute_url(),
        article.source.get_absolute_url(), "/search/?q=" + article.headline.split()[-1],  # type: ignore[union-attr]
        "/feeds/latest.rss", "/feeds/latest.atom", "/feeds/latest.json", f"{tag.get_absolute_url()}feed.rss",
        "/news-sitemap.xml", "/api/articles/",
    ]  # fmt: skip
    return [front_door + path for path in paths]


def seen_on(page: Page, addresses: list[str], words: str) -> list[str]:
    """Of these addresses those whose answer has the words; marks of what was searched for do not count."""
    answers = {address: page.request.get(address).text() for address in addresses}
    return [address for address, text in answers.items() if words in re.sub("</?mark>", "", text)]


def file_notice(page: Page, front_door: str, article: Article) -> str:
    """Post the form as its owner would, from the link under the article; returns the reference."""
    page.goto(front_door + article.get_absolute_url())
    page.get_by_role("link", name=re.compile("remov", re.IGNORECASE)).first.click()
    assert article.slug in page.get_by_label("The addresses").input_value()
    page.get_by_label("Your e-mail address").fill(OWNER)
    page.get_by_label("Your full name").fill("Ines Marlow")
    page.get_by_label("What you are to the work").select_option("owner")
    page.get_by_label("Who owns the rights").fill("The Salt Ferry")
    page.get_by_label("The work", exact=True).fill(article.headline)
    page.get_by_label("Where the original is").fill(article.canonical_url)
    page.get_by_label("Why it should go").fill("It is ours and we did not agree.")
    page.get_by_label("Your postal address").fill("1 Quay, Salt Ferry")
    page.get_by_label("Your telephone number").fill("+1 555 0100")
    page.get_by_label("I believe in good faith").check()
    page.get_by_label("What I say here is accurate").check()
    page.get_by_label("Your signature").fill("Ines Marlow")
    page.get_by_role("button", name="Send the notice").click()
    reference = re.search(r"NR-[A-Z0-9-]+", page.get_by_role("main").inner_text())
    assert reference, page.get_by_role("main").inner_text()
    return reference.group()


def confirm(page: Page, mailbox: Mailbox) -> None:
    call_command("send_letters", stdout=StringIO())
    link = next(word for word in mailbox.newest().split() if "/confirm/" in word)
    page.goto(link)
    page.get_by_role("button", name="Confirm the notice").click()


def counter(page: Page, mailbox: Mailbox, address: str) -> None:
    """Send a counter-notice as the article's publisher would, and confirm it from the letter."""
    page.goto(address)
    page.get_by_label("Why the removal is a mistake").fill("I wrote this myself.")
    page.get_by_label("Your full name").fill("Petro Reporter")
    page.get_by_label("Your e-mail address").fill("petro@outlet.example")
    page.get_by_label("Your postal address").fill("1 Quay Street")
    page.get_by_label("Your telephone number").fill("+1 555 0101")
    for declared in ("Under penalty of perjury", "I consent to the jurisdiction", "I will accept service"):
        page.get_by_label(declared).check()
    page.get_by_label("Your signature").fill("Petro Reporter")
    page.get_by_role("button", name="Send the counter-notice").click()
    expect(page.get_by_text("One step is left")).to_be_visible()
    call_command("send_letters", stdout=StringIO())
    page.goto(next(word for word in mailbox.newest().split() if "/answer/confirm/" in word))
    page.get_by_role("button", name="Confirm the counter-notice").click()
    expect(page.get_by_text("is in force")).to_be_visible()


def work(*command: str) -> str:
    out = StringIO()
    call_command(*command, stdout=out)
    return out.getvalue()


def test_a_feed_comes_in_a_reader_reads_it_and_its_owner_has_it_removed(
    page: Page, front_door: str, outlet: WebServer, mailbox: Mailbox, settings: Any
) -> None:
    work("add_feed", outlet.url("/feed.xml"))
    work("fetch_feeds", "--all")
    article, undecided = Article.objects.get(headline=FIRST), Article.objects.get(headline=SECOND)

    # A reader reads it, with everybody credited and the way to the original.
    page.goto(front_door)
    page.get_by_role("link", name=FIRST).first.click()
    expect(page.get_by_role("heading", name=FIRST)).to_be_visible()
    for name in ("Ines Marlow", "Bo Lindqvist", "Ann Ó Briain", "Cy Diaz"):
        expect(page.get_by_role("link", name=name).first).to_be_visible()
    assert page.locator(f'main a[href="{outlet.url("/second-tide")}"]').count() > 0
    places = surfaces(front_door, article)
    assert seen_on(page, places, FIRST) == places

    # Its owner sends a notice and confirms it from the letter.
    reference = file_notice(page, front_door, article)
    confirm(page, mailbox)
    expect(page.get_by_role("heading", name=reference)).to_be_visible()
    work("notice_exists", reference)

    # A moderator finds it first in the queue, with its countdown, and upholds it.
    moderator = UserFactory(superuser=True)
    page.goto(f"{front_door}/admin/login/?next=/admin/moderation/claim/")
    page.get_by_label("Username").fill(moderator.username)
    page.get_by_label("Password").fill("a long test password")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text(re.compile(r"23 h \d+ min left"))).to_be_visible()
    page.get_by_role("link", name=reference).click()
    page.get_by_role("button", name="Withhold now", exact=True).click()
    expect(page.get_by_text("is upheld: the article is withheld")).to_be_visible()

    # It is gone from everywhere with the next request, and says why.
    answer = page.request.get(front_door + article.get_absolute_url())
    assert (answer.status, 'rel="blocked-by"' in answer.headers["link"]) == (451, True)
    assert seen_on(page, places, FIRST) == []
    call_command("send_letters", stdout=StringIO())
    assert reference in mailbox.newest()

    # Its publisher answers; until the statutory days are over it stays away.
    counter(page, mailbox, answer_url(Claim.objects.get(article=article)))
    assert Claim.objects.get(article=article).state == "countered"
    assert page.request.get(front_door + article.get_absolute_url()).status == 451

    # The second notice nobody decides: at its deadline the article is gone all the same.
    settings.HOLD_AFTER_HOURS = 4 / 3600
    file_notice(page, front_door, undecided)
    confirm(page, mailbox)
    elsewhere = surfaces(front_door, undecided)
    wait_until(undecided.holds.get().effective_at)
    assert page.request.get(front_door + undecided.get_absolute_url()).status == 451
    assert seen_on(page, elsewhere, SECOND) == []

    # And the next fetch brings neither back.
    work("fetch_feeds", "--all")
    assert seen_on(page, places + elsewhere, FIRST) + seen_on(page, places + elsewhere, SECOND) == []
    assert Article.objects.count() == 2


def wait_until(moment: datetime) -> None:
    time.sleep(max(0.0, (moment - datetime.now(moment.tzinfo)).total_seconds()) + 0.1)

"""The reader's own tools in a real browser: reading list, theme, and pages kept for reading offline."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.servers.basehttp import ThreadedWSGIServer
from django.test.testcases import QuietWSGIRequestHandler
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from articles.models import Article
from tests.factories import ArticleFactory, HoldFactory


class OneRequest(QuietWSGIRequestHandler):
    """Closes each connection after its answer: one kept open would go on after the server was stopped."""

    def handle(self) -> None:
        self.close_connection = True
        self.handle_one_request()


class Site:
    """The real application on one port, which can be cut off and come back."""

    def __init__(self) -> None:
        self.port = 0
        self.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        from newsroom.wsgi import application

        self.server = ThreadedWSGIServer(("127.0.0.1", self.port), OneRequest)
        self.server.set_app(application)
        self.port = self.server.server_port
        arguments = {"poll_interval": 0.05}
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs=arguments, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(timeout=10)


@pytest.fixture
def site(transactional_db: None, settings: Any) -> Iterator[Site]:
    site = Site()
    settings.SITE_URL = site.address
    yield site
    site.stop()


@pytest.fixture
def articles(site: Site) -> list[Article]:
    return [ArticleFactory(headline="Ferries sail again"), ArticleFactory(headline="The lighthouse is lit")]


def switch_offline_reading_on(page: Page, site: Site) -> None:
    page.goto(site.address + "/tools/")
    page.get_by_label("Keep the pages I open").check()
    page.evaluate("navigator.serviceWorker.ready")
    page.wait_for_function("navigator.serviceWorker.controller !== null")


def kept(page: Page) -> list[str]:
    return page.evaluate(
        "caches.open('pages-1').then(c => c.keys()).then(all => all.map(r => new URL(r.url).pathname))"
    )


def open_and_keep(page: Page, site: Site, article: Article) -> None:
    path = article.get_absolute_url()
    page.goto(site.address + path)
    page.wait_for_function("path => caches.open('pages-1').then(c => c.match(path)).then(Boolean)", arg=path)


def age_all(page: Page, hours: float) -> None:
    """As if the copies had been confirmed so many hours earlier."""
    page.evaluate(
        """async (ms) => {
            const pages = await caches.open('pages-1');
            for (const request of await pages.keys()) {
                const copy = await pages.match(request), headers = new Headers(copy.headers);
                headers.set('X-Confirmed-At', String(Number(headers.get('X-Confirmed-At')) - ms));
                await pages.put(request, new Response(await copy.blob(), { headers }));
            }
        }""",
        hours * 3_600_000,
    )


def test_what_is_saved_stands_in_the_list_until_it_is_removed(page: Page, site, articles):
    ferries = articles[0]
    for article in articles:
        page.goto(site.address + article.get_absolute_url())
        page.get_by_role("button", name="Save for later").click()
        expect(page.get_by_role("button", name="Save for later")).to_have_attribute("aria-pressed", "true")

    page.goto(site.address + "/tools/")
    saved = page.locator("[data-saved] a")
    expect(saved).to_have_text(["The lighthouse is lit", "Ferries sail again"])
    assert "Ferries sail" not in page.evaluate("JSON.stringify(localStorage)")

    HoldFactory(article=ferries)
    page.reload()
    expect(saved).to_have_text(["The lighthouse is lit"])
    page.wait_for_function(
        "localStorage.saved.includes('articles') && JSON.parse(localStorage.saved).length === 1"
    )


def test_a_chosen_theme_holds_from_the_first_paint_on(browser: Browser, site, articles):
    context = browser.new_context(color_scheme="light")
    page = context.new_page()
    page.goto(site.address + "/tools/")
    paper = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(paper)

    page.get_by_label("Dark", exact=True).check()
    dark = page.evaluate(paper)
    page.add_init_script(
        "addEventListener('DOMContentLoaded', () => { window.first = document.documentElement.dataset.theme })"
    )
    page.goto(site.address + articles[0].get_absolute_url())

    assert dark != light
    assert page.evaluate("window.first") == "dark"
    assert page.evaluate(paper) == dark
    page.goto(site.address + "/tools/")
    page.get_by_label("As the system does").check()
    assert page.evaluate(paper) == light
    context.close()


def test_an_opened_page_can_be_read_without_a_network_and_others_say_why_not(page: Page, site, articles):
    switch_offline_reading_on(page, site)
    open_and_keep(page, site, articles[0])

    site.stop()
    try:
        page.goto(site.address + articles[0].get_absolute_url())
        expect(page.get_by_role("heading", level=1)).to_have_text("Ferries sail again")
        page.goto(site.address + articles[1].get_absolute_url())
        expect(page.get_by_role("heading", level=1)).to_have_text("You are offline")
    finally:
        site.start()


def test_a_removed_article_leaves_the_offline_copy_at_the_next_contact(page: Page, site, articles):
    switch_offline_reading_on(page, site)
    open_and_keep(page, site, articles[0])
    HoldFactory(article=articles[0])
    age_all(page, hours=1)

    open_and_keep(page, site, articles[1])

    removed = articles[0].get_absolute_url()
    page.wait_for_function(
        "path => caches.open('pages-1').then(c => c.match(path)).then(found => !found)", arg=removed
    )
    assert articles[1].get_absolute_url() in kept(page)


def test_a_copy_is_not_shown_after_its_deadline_nor_a_day_without_contact(page: Page, site, articles):
    switch_offline_reading_on(page, site)
    soon = timezone.now() + timedelta(seconds=6)
    HoldFactory(article=articles[0], effective_at=soon)
    for article in articles:
        open_and_keep(page, site, article)
    age_all(page, hours=22.9)
    page.goto("about:blank")

    site.stop()
    try:
        page.wait_for_timeout(max(0, (soon - timezone.now()).total_seconds() * 1000))
        page.goto(site.address + articles[0].get_absolute_url())
        expect(page.get_by_role("heading", level=1)).to_have_text("You are offline")
        page.goto(site.address + articles[1].get_absolute_url())
        expect(page.get_by_role("heading", level=1)).to_have_text("The lighthouse is lit")
        age_all(page, hours=0.2)
        page.reload()
        expect(page.get_by_role("heading", level=1)).to_have_text("You are offline")
    finally:
        site.start()


def test_switching_it_off_deletes_every_copy(page: Page, site, articles):
    switch_offline_reading_on(page, site)
    open_and_keep(page, site, articles[0])

    page.goto(site.address + "/tools/")
    page.get_by_label("Keep the pages I open").uncheck()

    page.wait_for_function("caches.keys().then(all => all.length === 0)")
    assert page.evaluate("navigator.serviceWorker.getRegistrations().then(all => all.length)") == 0

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

# No wait in this file is longer (ms): a worker that does not come up fails its test instead of holding up the run.
LONGEST_WAIT = 60_000


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
def reader(browser: Browser, site: Site) -> Iterator[Page]:
    """A page in a browser of its own, closed before the site is."""
    with browser.new_context(color_scheme="light") as context:
        page = context.new_page()
        page.set_default_timeout(LONGEST_WAIT)
        page.set_default_navigation_timeout(LONGEST_WAIT)
        yield page


@pytest.fixture
def articles(site: Site) -> list[Article]:
    return [ArticleFactory(headline="Ferries sail again"), ArticleFactory(headline="The lighthouse is lit")]


def switch_offline_reading_on(page: Page, site: Site) -> None:
    page.goto(site.address + "/tools/")
    page.get_by_label("Keep the pages I open").check()
    wait_until(page, "async () => navigator.serviceWorker.controller !== null")


def told(page: Page, promise: str, *given: Any) -> Any:
    """What an async function in the page returns; an error when it takes too long (`evaluate` waits for ever)."""
    late = f"new Promise((_, no) => setTimeout(() => no(new Error('too late')), {LONGEST_WAIT}))"
    return page.evaluate(f"(given) => Promise.race([({promise})(...given), {late}])", given)


def wait_until(page: Page, condition: str, *given: Any) -> None:
    """Until an async function in the page returns something true; Playwright's own wait needs `eval`."""
    loop = f"""async (...given) => {{
        const end = Date.now() + {LONGEST_WAIT};
        while (!await ({condition})(...given)) {{
            if (Date.now() > end) throw new Error('never came true');
            await new Promise(on => setTimeout(on, 30));
        }}
    }}"""
    told(page, loop, *given)


def kept(page: Page) -> list[str]:
    return told(
        page, "async () => (await (await caches.open('pages-1')).keys()).map(r => new URL(r.url).pathname)"
    )


def open_and_keep(page: Page, site: Site, article: Article) -> None:
    path = article.get_absolute_url()
    page.goto(site.address + path)
    wait_until(page, "async path => (await caches.open('pages-1')).match(path)", path)


def age_all(page: Page, hours: float) -> None:
    """As if the copies had been confirmed so many hours earlier, and their deadlines were as much nearer."""
    told(
        page,
        """async (ms) => {
            const pages = await caches.open('pages-1');
            for (const request of await pages.keys()) {
                const copy = await pages.match(request), headers = new Headers(copy.headers);
                const until = Date.parse(headers.get('X-Valid-Until') ?? '');
                headers.set('X-Confirmed-At', String(Number(headers.get('X-Confirmed-At')) - ms));
                if (until) headers.set('X-Valid-Until', new Date(until - ms).toISOString());
                await pages.put(request, new Response(await copy.blob(), { headers }));
            }
        }""",
        hours * 3_600_000,
    )


def test_list_theme_and_keys_live_in_the_browser_alone(reader: Page, site, articles):
    what_is_saved_stands_in_the_list_until_it_is_removed(reader, site, articles)
    a_chosen_theme_holds_from_the_first_paint_on(reader, site, articles[1])
    single_keys_work_once_switched_on_and_never_in_a_field(reader, site)


def what_is_saved_stands_in_the_list_until_it_is_removed(reader: Page, site: Site, articles: list[Article]):
    ferries = articles[0]
    for article in articles:
        reader.goto(site.address + article.get_absolute_url())
        reader.get_by_role("button", name="Save for later").click()
        expect(reader.get_by_role("button", name="Save for later")).to_have_attribute("aria-pressed", "true")

    reader.goto(site.address + "/tools/")
    saved = reader.locator("[data-saved] a")
    expect(saved).to_have_text(["The lighthouse is lit", "Ferries sail again"])
    assert "Ferries sail" not in reader.evaluate("JSON.stringify(localStorage)")

    HoldFactory(article=ferries)
    reader.reload()
    expect(saved).to_have_text(["The lighthouse is lit"])
    wait_until(reader, "async () => JSON.parse(localStorage.saved).length === 1")


def a_chosen_theme_holds_from_the_first_paint_on(reader: Page, site: Site, article: Article):
    paper = "getComputedStyle(document.documentElement).backgroundColor"
    light = reader.evaluate(paper)

    reader.get_by_label("Dark", exact=True).check()
    dark = reader.evaluate(paper)
    reader.add_init_script(
        "addEventListener('DOMContentLoaded', () => { window.first = document.documentElement.dataset.theme })"
    )
    reader.goto(site.address + article.get_absolute_url())

    assert dark != light
    assert reader.evaluate("window.first") == "dark"
    assert reader.evaluate(paper) == dark
    reader.goto(site.address + "/tools/")
    reader.get_by_label("As the system does").check()
    assert reader.evaluate(paper) == light


def single_keys_work_once_switched_on_and_never_in_a_field(reader: Page, site: Site):
    ArticleFactory(headline="The harbour is open")
    reader.goto(site.address + "/latest/")
    reader.keyboard.press("j")
    assert reader.evaluate("document.activeElement === document.body")

    reader.goto(site.address + "/de/tools/")
    with reader.expect_navigation():
        reader.get_by_label("Tastenkürzel benutzen").check()
    reader.goto(site.address + "/de/latest/")
    wait_until(reader, "async () => performance.getEntriesByType('resource').some(e => /keys/.test(e.name))")
    for headline in ("The harbour is open", "The lighthouse is lit"):
        reader.keyboard.press("j")
        expect(reader.get_by_role("link", name=headline)).to_be_focused()

    reader.keyboard.press("/")
    field = reader.get_by_role("searchbox")
    expect(field).to_be_focused()
    reader.keyboard.type("jh?")
    expect(field).to_have_value("jh?")
    reader.evaluate("document.activeElement.blur()")
    reader.keyboard.press("?")
    dialog = reader.get_by_role("dialog", name="Tastenkürzel")
    expect(dialog).to_contain_text("nächster Artikel der Liste")
    reader.keyboard.press("l")
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="Schließen").click()
    # Hidden is not yet gone: until the page has taken the box away, keys are still pressed inside it.
    wait_until(
        reader, "async () => !document.querySelector('dialog') && document.activeElement === document.body"
    )
    reader.keyboard.press("h")
    reader.wait_for_url(site.address + "/de/")


def test_pages_kept_to_read_offline_go_with_what_is_removed(reader: Page, site, articles):
    the_page_may_start_this_one_worker_and_nothing_else(reader, site, articles[0])
    switch_offline_reading_on(reader, site)
    open_and_keep(reader, site, articles[0])
    opened_pages_are_read_without_a_network_and_others_say_why_not(reader, site, articles)

    # At the next contact what was removed goes, however new its copy is.
    HoldFactory(article=articles[0])
    age_all(reader, hours=1)
    open_and_keep(reader, site, articles[1])
    removed = articles[0].get_absolute_url()
    wait_until(reader, "async path => !await (await caches.open('pages-1')).match(path)", removed)
    assert articles[1].get_absolute_url() in kept(reader)

    # Switched off, nothing is left.
    reader.goto(site.address + "/tools/")
    reader.get_by_label("Keep the pages I open").uncheck()
    wait_until(reader, "async () => (await caches.keys()).length === 0")
    assert told(reader, "async () => (await navigator.serviceWorker.getRegistrations()).length") == 0


def the_page_may_start_this_one_worker_and_nothing_else(reader: Page, site: Site, article: Article):
    unvouched = "async () => navigator.serviceWorker.register('/offline.js').then(() => '', e => e.name)"
    another = (
        "(name) => { try { trustedTypes.createPolicy(name, {}); return '' } catch (e) { return e.name } }"
    )
    reader.goto(site.address + "/tools/")
    assert told(reader, unvouched) == "TypeError"
    assert reader.evaluate(another, "another") == "TypeError"
    reader.goto(site.address + article.get_absolute_url())
    assert reader.evaluate(another, "offline-worker") == "TypeError"


def opened_pages_are_read_without_a_network_and_others_say_why_not(
    reader: Page, site: Site, articles: list[Article]
):
    site.stop()
    try:
        reader.goto(site.address + articles[0].get_absolute_url())
        expect(reader.get_by_role("heading", level=1)).to_have_text("Ferries sail again")
        reader.goto(site.address + articles[1].get_absolute_url())
        expect(reader.get_by_role("heading", level=1)).to_have_text("You are offline")
    finally:
        site.start()


def test_a_copy_is_not_shown_after_its_deadline_nor_a_day_without_contact(reader: Page, site, articles):
    switch_offline_reading_on(reader, site)
    HoldFactory(article=articles[0], effective_at=timezone.now() + timedelta(hours=22))
    for article in articles:
        open_and_keep(reader, site, article)
    age_all(reader, hours=22.9)
    reader.goto("about:blank")

    site.stop()
    try:
        reader.goto(site.address + articles[0].get_absolute_url())
        expect(reader.get_by_role("heading", level=1)).to_have_text("You are offline")
        reader.goto(site.address + articles[1].get_absolute_url())
        expect(reader.get_by_role("heading", level=1)).to_have_text("The lighthouse is lit")
        age_all(reader, hours=0.2)
        reader.reload()
        expect(reader.get_by_role("heading", level=1)).to_have_text("You are offline")
    finally:
        site.start()

"""Nothing that a feed or a list says runs in a browser, on any page, even with our policy switched off."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit
from xml.sax.saxutils import quoteattr

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page

from aggregator import actions as feeds
from aggregator.opml import read_opml
from articles.models import Article, Contributor, Media, Source, Story, Tag
from tests.factories import UserFactory
from tests.loopback import WebServer
from tests.security.hostile_feeds import FORMATS, entries
from tests.security.vectors import vectors

PER_FORMAT = 12
WATCH = "window.ran = []; window.canary = what => { window.ran.push(document.title + what) };"
DESK_LISTS = ["articles/article", "articles/tag", "articles/contributor", "articles/source", "articles/story",
              "articles/media", "aggregator/feed", "moderation/claim", "moderation/notice"]  # fmt: skip
ALL = vectors()


class Watched:
    """A browser window that remembers every script that ran although it should not have."""

    def __init__(self, browser: Browser, site: str, cookie: str, *, bypass_csp: bool) -> None:
        self.site = site
        self.context: BrowserContext = browser.new_context(bypass_csp=bypass_csp)
        self.context.add_init_script(WATCH)
        self.context.add_cookies([{"name": "session", "value": cookie, "url": site}] if cookie else [])
        self.page: Page = self.context.new_page()
        self.page.on(
            "dialog", lambda dialog: (self.ran.append(f"dialog on {self.page.url}"), dialog.dismiss())
        )
        self.page.on("request", self.asked)
        self.page.on("popup", lambda popup: self.ran.append(f"popup {popup.url}"))
        self.ran: list[str] = []
        self.opened = 0

    def asked(self, request: Any) -> None:
        if "canary.js" in urlsplit(request.url).path:
            self.ran.append(f"{request.url} from {self.page.url}")

    def open(self, path: str) -> None:
        """Look at a page, wait for what it starts, and keep what ran."""
        address = self.site + path
        self.page.goto(address, wait_until="load")
        self.look(address)

    def look(self, address: str) -> None:
        self.opened += 1
        self.ran += [f"{what} on {address}" for what in self.page.evaluate("window.ran || []")]
        if urlsplit(self.page.url)[:3] != urlsplit(address)[:3]:
            self.ran.append(f"{address} led to {self.page.url}")


@pytest.fixture
def hostile_site(front_door: str, web: WebServer) -> str:
    """The site after it has read four hostile feeds and one hostile list."""
    for share, (path, form) in enumerate(FORMATS.items()):
        found = list(entries(ALL, share, len(FORMATS), PER_FORMAT))
        call_command("add_feed", web.put(path, form(found, ALL[share])), stdout=_Silent())
    Source.objects.update(usage="full", terms="Full text.")
    call_command("fetch_feeds", "--all", stdout=_Silent())
    outlines = "".join(
        f'<outline text={quoteattr(vector)} type="rss" xmlUrl="https://list{n}.example/f"/>'
        for n, vector in enumerate(ALL[::12])
    )
    listed = read_opml(f"<opml version='2.0'><body>{outlines}</body></opml>".encode())
    feeds.import_outlines(outlines=listed, at=timezone.now())
    return front_door


class _Silent:
    def write(self, text: str) -> None:
        pass

    def flush(self) -> None:
        pass


def public_pages() -> Iterator[str]:
    yield from (
        "/",
        "/latest/",
        "/archive/",
        "/transparency/",
        "/transparency/log.csv",
        "/transparency/feed.atom",
    )
    yield from (
        "/feeds/latest.rss",
        "/feeds/latest.atom",
        "/feeds/latest.json",
        "/sitemap.xml",
        "/news-sitemap.xml",
    )
    yield from (
        "/sitemaps/1.xml",
        "/api/articles/",
        "/api/tags/",
        "/api/contributors/",
        "/api/sources/",
        "/llms.txt",
    )
    yield from ("/search/?q=" + quote(" ".join(ALL[n : n + 3])[:190]) for n in range(0, len(ALL), 60))
    yield from ("/removal/?url=" + quote("\n".join(ALL[n : n + 100])[:6000]) for n in range(0, len(ALL), 100))
    for model, most in ((Tag, 12), (Contributor, 12), (Source, 6), (Story, 4)):
        for row in model.objects.order_by("-pk")[:most]:
            yield row.get_absolute_url()


def desk_pages() -> Iterator[str]:
    yield "/admin/"
    yield from (f"/admin/{name}/" for name in DESK_LISTS)
    yield from (f"/admin/articles/article/{pk}/change/" for pk in _some(Article, 6))
    yield from (f"/admin/articles/source/{pk}/change/" for pk in _some(Source, 2))
    yield from (f"/admin/articles/media/{pk}/change/" for pk in _some(Media, 2))
    yield f"/admin/articles/article/?q={quote(ALL[6])}"


def _some(model: Any, most: int) -> list[int]:
    return list(model.objects.order_by("pk").values_list("pk", flat=True)[:most])


def signed_in() -> str:
    visitor = Client()
    visitor.force_login(UserFactory(superuser=True))
    return visitor.cookies["session"].value


def test_there_are_enough_vectors() -> None:
    assert len(set(ALL)) >= 500


def test_the_watch_sees_a_script_that_runs(browser: Browser, front_door: str) -> None:
    watched = Watched(browser, front_door, "", bypass_csp=True)
    watched.open("/about/")
    watched.page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=/x onerror=canary(1)>')")
    watched.page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {src: '/canary.js'}))"
    )
    watched.page.wait_for_function("window.ran.length > 0")
    watched.look(watched.page.url)

    assert len(watched.ran) == 2
    watched.context.close()


def test_nothing_hostile_runs_on_any_page(browser: Browser, hostile_site: str) -> None:
    articles = list(Article.objects.public().order_by("pk"))
    assert len(articles) >= PER_FORMAT * len(FORMATS) * 0.9

    open_window = Watched(browser, hostile_site, "", bypass_csp=True)
    kept = 0
    for article in articles:
        open_window.open(article.get_absolute_url())
        kept += open_window.page.locator("main em", has_text="of weight").count() > 0
    for path in public_pages():
        open_window.page.goto("about:blank")
        _open_or_download(open_window, path)
    guarded = Watched(browser, hostile_site, "", bypass_csp=False)
    for article in articles[::5]:
        guarded.open(article.get_absolute_url())
    cookie = signed_in()
    desks = [Watched(browser, hostile_site, cookie, bypass_csp=off) for off in (True, False)]
    for path in desk_pages():
        desks[0].open(path)
    for path in list(desk_pages())[::4]:
        desks[1].open(path)

    for window in (open_window, guarded, *desks):
        assert window.ran == []
        window.context.close()
    assert kept >= 0.99 * len(articles)


def _open_or_download(window: Watched, path: str) -> None:
    """A file that is offered to be saved cannot run; it is enough that it is offered."""
    if path.endswith(".csv"):
        assert "attachment" in window.page.request.get(window.site + path).headers["content-disposition"]
    else:
        window.open(path)

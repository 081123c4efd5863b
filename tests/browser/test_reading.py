"""A reader's browser on every kind of public page: accessible, steady, without scripts, on any screen."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from articles.actions import place_hold
from articles.models import Article, HoldKind, Revision, RevisionKind
from tests.factories import (
    ArticleFactory,
    ContributionFactory,
    RelatedLinkFactory,
    RenditionFactory,
    SourceFactory,
    StoryFactory,
    TagFactory,
)

KINDS = [
    "front", "latest", "article", "excerpt", "arabic", "withheld", "story", "tag", "contributor", "source",
    "search", "found", "not found", "archive", "day", "rights", "about", "tools", "missing",
]  # fmt: skip
NARROW, WIDE, WIDEST = 320, 1280, 1920


@pytest.fixture
def paths(front_door: str) -> dict[str, str]:
    """An edition with everything a page can show; the address of each kind of page."""
    for position, name in enumerate(("Climate", "World", "Culture")):
        TagFactory(name=name, featured=True, position=position)
    story = StoryFactory()
    lead = full_article(story)
    excerpt = ArticleFactory(source=SourceFactory(usage="excerpt", excerpt_words=12), tags=["World"])
    arabic = ArticleFactory(
        language="ar", headline="الصيادون يعودون إلى المرفأ القديم", tags=["World"], story=story
    )
    for n in range(12):
        ArticleFactory(tags=[("Climate", "World", "Culture")[n % 3]])
    RelatedLinkFactory(article=lead, to_article=excerpt)
    withheld = ArticleFactory()
    now = timezone.now()
    place_hold(article=withheld, kind=HoldKind.LEGAL, reference="claim:1", effective_at=now, at=now, by=None)
    return {
        "front": "/",
        "latest": "/latest/",
        "article": lead.get_absolute_url(),
        "excerpt": excerpt.get_absolute_url(),
        "arabic": arabic.get_absolute_url(),
        "withheld": withheld.get_absolute_url(),
        "story": story.get_absolute_url(),
        "tag": "/tags/climate/",
        "contributor": lead.contributors.all()[0].get_absolute_url(),
        "source": lead.source.get_absolute_url(),
        "search": "/search/",
        "found": "/search/?q=ferry",
        "not found": "/search/?q=nothingofthekind",
        "archive": "/archive/",
        "day": f"/archive/{lead.published_at:%Y-%m-%d}/",
        "rights": "/rights/",
        "about": "/about/",
        "tools": "/tools/",
        "missing": "/nowhere/",
    }


def full_article(story: Any) -> Article:
    picture = RenditionFactory(width=960, height=640).media
    picture.file = picture.renditions.get().file.name
    picture.caption, picture.terms = "Low sun over the strait.", "Shown with permission."
    picture.save()
    article = ArticleFactory(
        headline="Ferries sail again as the strait reopens",
        body="<p>The first ferry left at dawn.</p><h2>Before dawn</h2><blockquote><p>Said.</p></blockquote>"
        + "<p>A paragraph of a usual length that goes on for a while and then ends.</p>" * 12,
        dateline="OLD QUAY",
        tags=["Climate"],
        people=["Ann Ó Briain", "Bo Li"],
        story=story,
        lead_media=picture,
        updated_at=timezone.now(),
    )
    ContributionFactory(
        article=article, contributor__name="Cy Diaz", role="contributing_reporter", position=9
    )
    Revision.objects.create(
        article=article,
        number=1,
        kind=RevisionKind.CORRECTION,
        snapshot={},
        at=timezone.now(),
        note="It was 214.",
    )
    return article


def visit(page: Page, address: str) -> None:
    page.goto(address, wait_until="load")
    page.evaluate("document.fonts.ready")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_any_kind_of_page(scheme, browser: Browser, front_door, paths):
    context = browser.new_context(color_scheme=scheme, viewport={"width": WIDE, "height": 900})
    page = context.new_page()
    found = {}

    for kind in KINDS:
        visit(page, front_door + paths[kind])
        results = Axe().run(page)
        found[kind] = [(v["id"], v["nodes"][0]["html"]) for v in results.response["violations"]]

    context.close()
    assert {kind: violations for kind, violations in found.items() if violations} == {}


@pytest.mark.parametrize("width", [NARROW, WIDE, WIDEST])
def test_no_page_is_wider_than_the_screen(width, browser: Browser, front_door, paths):
    context = browser.new_context(viewport={"width": width, "height": 800})
    page = context.new_page()
    too_wide = {}

    for kind in KINDS:
        visit(page, front_door + paths[kind])
        too_wide[kind] = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )

    context.close()
    assert {kind: pixels for kind, pixels in too_wide.items() if pixels > 0} == {}


def test_nothing_moves_while_a_page_loads(browser: Browser, front_door, paths):
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.add_init_script(
        "window.moved = 0; new PerformanceObserver(list => list.getEntries().forEach(e => window.moved += e.value))"
        ".observe({type: 'layout-shift', buffered: true})"
    )
    moved = {}

    for kind in ("front", "article", "story"):
        visit(page, front_door + paths[kind])
        page.wait_for_timeout(300)
        moved[kind] = page.evaluate("window.moved")

    context.close()
    assert all(value < 0.02 for value in moved.values()), moved


def test_the_pages_work_and_ask_for_little_without_scripts(browser: Browser, front_door, paths):
    context = browser.new_context(java_script_enabled=False, viewport={"width": WIDE, "height": 900})
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    page.goto(front_door + paths["article"], wait_until="load")
    on_article = len(asked)
    page.get_by_role("link", name="Cy Diaz").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Cy Diaz")
    page.get_by_role("searchbox", name="Search the news").fill("strait")
    page.get_by_role("searchbox", name="Search the news").press("Enter")
    expect(page.get_by_role("link", name="Ferries sail again as the strait reopens")).to_be_visible()
    expect(page.locator("mark").first).to_have_text("strait")

    context.close()
    assert on_article <= 8
    assert all(url.startswith((front_door, "data:")) for url in asked)


def test_the_keyboard_reaches_everything_and_shows_where_it_is(page: Page, front_door, paths):
    visit(page, front_door + paths["article"])

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_in_viewport()
    reached = 0
    while reached < 200 and page.evaluate("document.activeElement !== document.body"):
        outline = page.evaluate(
            "(() => { const s = getComputedStyle(document.activeElement); return [s.outlineStyle, s.outlineWidth] })()"
        )
        assert outline[0] != "none", page.evaluate("document.activeElement.outerHTML")
        assert float(outline[1].removesuffix("px")) >= 2
        reached += 1
        page.keyboard.press("Tab")

    assert reached == page.locator("a[href]:visible, button:visible, input:visible").count()


def test_the_original_is_one_press_away_without_scrolling(browser: Browser, front_door, paths):
    for width, height in ((390, 844), (WIDE, 800)):
        context = browser.new_context(viewport={"width": width, "height": height})
        page = context.new_page()
        visit(page, front_door + paths["article"])
        expect(page.get_by_role("link", name="Read the original at")).to_be_in_viewport(ratio=1)
        context.close()


def test_twice_the_text_size_loses_nothing(browser: Browser, front_door, paths):
    context = browser.new_context(viewport={"width": 640, "height": 800})
    page = context.new_page()
    for kind in ("front", "article", "rights"):
        visit(page, front_door + paths[kind])
        page.evaluate("document.documentElement.style.setProperty('font-size', '34px')")
        assert (
            page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
        )
    context.close()

"""A reader's browser on every kind of public page: accessible, steady, without scripts, on any screen."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core import mail
from django.utils import timezone
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from articles import interface
from readers import mails
from tests.browser import edition, looks

TELEPHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 800}
ARABIC = interface.TONGUES["ar"]
# What a picture shows of a page: so much of its height (pixels).
DEEP = 1600
# Colours alone differ between light and dark; they alone are the same from right to left.
COLOURS = {"runOnly": ["color-contrast"], "resultTypes": ["violations"]}
ALL_BUT_COLOURS = {"rules": {"color-contrast": {"enabled": False}}, "resultTypes": ["violations"]}
WATCH = """window.moved = 0;
new PerformanceObserver(list => list.getEntries().forEach(e => window.moved += e.value))
    .observe({type: 'layout-shift', buffered: true})"""
FONTS = "performance.getEntriesByType('resource').map(e => e.name).filter(name => name.endsWith('.woff2'))"
OVERHANG = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# The great boxes of a page whose place the page's own direction decides, from the side where lines begin.
BOXES = """() => {
    const rtl = document.documentElement.dir === 'rtl', width = document.documentElement.clientWidth;
    const names = '.masthead-top, .sections, main, .lead > *, .section, .page-head, .river, .facets, .prose,'
        + ' .form, .steps, .footer .page > *';
    return [...document.querySelectorAll(names)]
        .filter(box => box.parentElement.closest('[dir]') === document.documentElement)
        .map(box => { const at = box.getBoundingClientRect();
                      return [box.className || box.tagName, rtl ? width - at.right : at.left, at.width] })
}"""


@pytest.fixture
def paths(front_door: str) -> dict[str, str]:
    return edition.print_edition()


def visit(page: Page, address: str) -> None:
    page.goto(address, wait_until="load")
    page.evaluate("document.fonts.ready")


def violations(page: Page, options: dict[str, Any] | None = None) -> Iterator[str]:
    """What axe-core finds."""
    results = Axe().run(page, options=options or {"resultTypes": ["violations"]})
    for violation in results.response["violations"]:
        yield f"{violation['id']}: {violation['nodes'][0]['html']}"


def too_wide(page: Page, *widths: int) -> Iterator[str]:
    for width in widths:
        page.set_viewport_size({"width": width, "height": 800})
        if page.evaluate(OVERHANG) > 0:
            yield f"wider than {width} pixels"


def views(page: Page) -> dict[str, Image.Image]:
    """The page small and large, light and dark."""
    taken = {}
    for size, viewport in (("telephone", TELEPHONE), ("desk", DESK)):
        page.set_viewport_size({"width": viewport["width"], "height": DEEP})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            taken[f"{size}, {scheme}"] = looks.small(
                page.screenshot(type="jpeg", quality=80, animations="disabled")
            )
    page.emulate_media(color_scheme="light")
    return taken


def faults(page: Page, kind: str, address: str) -> Iterator[str]:
    """Everything that is wrong with one page in the language of its address."""
    page.set_viewport_size(TELEPHONE)
    visit(page, address)
    moved = page.evaluate("window.moved")
    if moved >= 0.02:
        yield f"moves while it loads: {moved}"
    fonts = page.evaluate(FONTS)
    if kind in ("front", "article") and len(fonts) > 2:
        yield f"asks for more than two fonts: {fonts}"
    yield from violations(page)
    page.emulate_media(color_scheme="dark")
    yield from (f"dark: {one}" for one in violations(page, COLOURS))
    page.emulate_media(color_scheme="light")
    yield from (f"looks different: {one}" for one in looks.differences(kind, views(page)))
    yield from too_wide(page, 320, 1280, 1920)
    page.set_viewport_size({"width": 640, "height": 800})
    page.evaluate("document.documentElement.style.setProperty('font-size', '34px')")
    if page.evaluate(OVERHANG) > 0:
        yield "wider than the screen with text twice the size"


def faults_in_arabic(page: Page, kind: str, address: str, boxes: list[Any]) -> Iterator[str]:
    """Everything that is wrong with the same page in Arabic."""
    page.set_viewport_size(DESK)
    visit(page, address)
    yield from (f"Arabic: {one}" for one in violations(page, ALL_BUT_COLOURS))
    for (name, left, width), (_, other_left, other_width) in zip(boxes, page.evaluate(BOXES), strict=True):
        if abs(left - other_left) > 2 or abs(width - other_width) > 2:
            yield f"Arabic: {name} is not where a mirror shows it: {left, width}, {other_left, other_width}"
    yield from (f"Arabic: {one}" for one in looks.differences(f"{kind} ar", views(page)))
    yield from (f"Arabic: {one}" for one in too_wide(page, 320))


def test_every_kind_of_page_is_accessible_fits_any_screen_and_looks_as_it_did(
    browser: Browser, front_door, paths
):
    found: dict[str, list[str]] = defaultdict(list)
    with browser.new_context(color_scheme="light") as context:
        page = context.new_page()
        page.add_init_script(WATCH)
        for kind, path in paths.items():
            found[kind] += faults(page, kind, front_door + path)
            if interface.is_page(path.partition("?")[0]):
                page.set_viewport_size(DESK)
                page.evaluate("document.documentElement.style.removeProperty('font-size')")
                boxes = page.evaluate(BOXES)
                found[kind] += faults_in_arabic(page, kind, front_door + ARABIC.at(path), boxes)
        page.goto("about:blank")
        page.set_content(edition.digest())
        found["digest"] += violations(page)

    lines = [f"{kind}: {fault}" for kind, faults_found in found.items() for fault in faults_found]
    assert not lines, "\n".join(lines)


def test_the_pages_work_by_keyboard_and_ask_for_little_without_scripts(browser: Browser, front_door, paths):
    with browser.new_context(viewport=DESK) as context:
        everything_is_reached_and_seen(context.new_page(), front_door + paths["article"])
    with browser.new_context(java_script_enabled=False, viewport=DESK) as context:
        page = context.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))

        page.goto(front_door + paths["article"], wait_until="load")
        assert len(asked) <= 8
        for viewport in (TELEPHONE, DESK):
            page.set_viewport_size(viewport)
            expect(page.get_by_role("link", name="Read the original at")).to_be_in_viewport(ratio=1)
        page.get_by_role("link", name="Cy Diaz").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Cy Diaz")
        page.get_by_role("searchbox", name="Search the news").fill("strait")
        page.get_by_role("searchbox", name="Search the news").press("Enter")
        expect(page.get_by_role("link", name="Ferries sail again as the strait reopens")).to_be_visible()
        expect(page.locator("mark").first).to_have_text("strait")
        results_are_narrowed_and_slips_forgiven(page, front_door)
        a_page_is_read_in_another_language(page, front_door)
        a_tag_is_followed_by_mail_until_it_is_ended(page, front_door)

    assert all(url.startswith((front_door, "data:")) for url in asked)


def results_are_narrowed_and_slips_forgiven(page: Page, front_door: str) -> None:
    page.goto(f"{front_door}/search/?q=harbour")
    found = page.locator("ol.river > li")
    everything = found.count()
    page.get_by_role("navigation", name="Narrow the results").get_by_role("link", name="Culture").click()
    expect(page.get_by_role("list", name="Only")).to_contain_text("Culture")
    assert 0 < found.count() < everything
    page.get_by_role("list", name="Only").get_by_role("link").click()
    expect(found).to_have_count(everything)

    page.goto(f"{front_door}/search/?q=feries")
    expect(page.get_by_role("status")).to_contain_text("These are the articles for")


def a_page_is_read_in_another_language(page: Page, front_door: str) -> None:
    page.goto(f"{front_door}/tags/climate/")
    page.get_by_role("navigation", name="Language of the pages").get_by_role("link", name="Deutsch").click()
    page.wait_for_url(f"{front_door}/de/tags/climate/")
    page.locator(".river a").first.click()
    expect(page.get_by_role("heading", name="Woher das kommt")).to_be_visible()


def a_tag_is_followed_by_mail_until_it_is_ended(page: Page, front_door: str) -> None:
    page.goto(f"{front_door}/tags/climate/")
    page.get_by_role("link", name="E-mail", exact=True).click()
    page.get_by_label("Your e-mail address").fill("ines@salt-ferry.example")
    page.get_by_role("button", name="Follow").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Look into your mailbox")

    mails.send_due(limit=9, at=timezone.now())
    question = next(sent for sent in mail.outbox if sent.to == ["ines@salt-ferry.example"])
    page.goto(re.search(r"http://\S+/follow/\w+/", str(question.body))[0])  # type: ignore[index]
    page.get_by_role("button", name="Yes, send me the digest").click()
    expect(page.get_by_label("How often")).to_be_visible()
    page.get_by_role("button", name="End this digest").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("It has ended")


def everything_is_reached_and_seen(page: Page, address: str) -> None:
    visit(page, address)
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

"""A moderator works the queue by keyboard alone, and a second person agrees; at a desk and on a phone."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from playwright.sync_api import Page, expect

from articles.models import Article
from moderation.desk_models import CannedReason
from moderation.models import Claim, ClaimState
from tests.factories import ArticleFactory
from tests.moderation.cases import moderator, notice_about

LIST = "/admin/moderation/claim/"
WORDS = "We hold a licence for this."


@pytest.fixture(autouse=True)
def groups(transactional_db: None) -> None:
    call_command("migrate", verbosity=0)


def sign_in(page: Page, front_door: str, name: str) -> None:
    page.context.clear_cookies()
    page.goto(front_door + LIST)
    expect(page.get_by_label("Username")).to_be_focused()
    page.keyboard.type(name)
    page.keyboard.press("Tab")
    page.keyboard.type("a long test password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Open the next claim")).to_be_visible()


def press(page: Page, key: str) -> None:
    """Once the page's scripts are there to hear it."""
    page.wait_for_load_state("load")
    page.keyboard.press(key)


def has_visible_focus(page: Page) -> bool:
    return bool(page.evaluate("getComputedStyle(document.activeElement).outlineStyle !== 'none'"))


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1"))


@pytest.mark.parametrize("width", [1280, 390])
def test_the_queue_is_worked_by_keyboard(
    page: Page, front_door: str, width: int, transactional_db: Any
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    CannedReason.objects.update_or_create(
        language="en", title="A licence", defaults={"reason_code": "licensed", "text": WORDS}
    )
    for name in ("first", "second"):
        moderator(username=name)
    stays, goes = (
        notice_about(ArticleFactory(), hours_ago=hours, letter=f"Letter {hours}").claims.get()
        for hours in (5, 3)
    )

    sign_in(page, front_door, "first")
    press(page, "j")
    assert has_visible_focus(page)
    press(page, "n")
    expect(page.get_by_role("region", name="The letter")).to_contain_text("Letter 5")
    assert fits(page)
    press(page, "3")
    expect(page.get_by_role("heading", name="The notice, as it came")).to_be_focused()
    press(page, "p")
    press(page, "ArrowDown")
    expect(page.locator("#reasons-propose")).to_have_value(WORDS)
    press(page, "Tab")
    press(page, "Tab")
    assert has_visible_focus(page)
    press(page, "Control+Shift+Enter")

    expect(page.get_by_role("region", name="The letter")).to_contain_text("Letter 3")
    press(page, "u")
    press(page, "Control+Enter")
    expect(page.get_by_text("is upheld: the article is withheld.")).to_be_visible()

    sign_in(page, front_door, "second")
    press(page, "n")
    expect(page.get_by_role("region", name="The letter")).to_contain_text("Letter 5")
    press(page, "s")
    expect(page.get_by_text("is decided: the article stays")).to_be_visible()
    press(page, "n")
    expect(page.get_by_text("Nothing else waits for a decision.")).to_be_visible()
    press(page, "?")
    expect(page.get_by_text("Take and open the one that is due next")).to_be_visible()

    assert Claim.objects.get(pk=stays.pk).state == ClaimState.REFUSED
    assert Claim.objects.get(pk=goes.pk).state == ClaimState.UPHELD
    assert list(Article.objects.public()) == [stays.article]

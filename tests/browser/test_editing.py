"""An editor at the desk, in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from articles.models import Article
from tests.factories import ArticleFactory, SourceFactory, TagFactory, UserFactory


def sign_in(page: Page, front_door: str, username: str) -> None:
    page.goto(f"{front_door}/admin/login/")
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill("a long test password")
    page.get_by_role("button", name="Log in").click()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_editor_writes_formats_tags_and_publishes(page: Page, front_door: str, scheme: str) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    editor = UserFactory(superuser=True)
    TagFactory(name="Harbours")
    SourceFactory()
    sign_in(page, front_door, editor.username)

    page.goto(f"{front_door}/admin/articles/article/add/")
    page.get_by_label("Headline:").fill("The harbour opens again")
    page.locator(".cke_wysiwyg_div").click()
    page.keyboard.type("Ships came in at dawn. ")
    page.get_by_role("button", name="Bold").click()
    page.keyboard.type("All of them.")
    page.locator(".field-tags .select2-search__field").click()
    page.keyboard.type("harb")
    page.get_by_role("option", name="Harbours").click()
    page.get_by_role("button", name="Publish", exact=True).first.click()

    expect(page.get_by_text("was published")).to_be_visible()
    article = Article.objects.public().get()
    assert (
        article.body.replace("&nbsp;", " ") == "<p>Ships came in at dawn. <strong>All of them.</strong></p>"
    )
    assert [tag.name for tag in article.tags.all()] == ["Harbours"]
    page.goto(front_door + article.get_absolute_url())
    expect(page.get_by_role("heading", name="The harbour opens again")).to_be_visible()
    assert said == []


def test_what_was_typed_survives_a_lost_session_and_is_previewed(page: Page, front_door: str) -> None:
    editor = UserFactory(superuser=True)
    article = ArticleFactory(headline="As it was saved")
    sign_in(page, front_door, editor.username)
    form = f"{front_door}/admin/articles/article/{article.pk}/change/"
    page.goto(form)
    page.get_by_label("Headline:").fill("Typed before the train left")
    expect(page.get_by_text("not saved yet")).to_be_visible()
    expect(page.get_by_text("words", exact=False).first).to_be_visible()

    page.context.clear_cookies()
    page.goto(form)
    sign_in(page, front_door, editor.username)
    page.goto(form)
    page.get_by_role("button", name="Put it back into the form").click()

    expect(page.get_by_label("Headline:")).to_have_value("Typed before the train left")
    with page.context.expect_page() as opened:
        page.get_by_role("button", name="Preview").first.click()
    phone = opened.value.frame_locator("iframe.phone")
    expect(phone.get_by_role("heading", name="Typed before the train left")).to_be_visible()
    article.refresh_from_db()
    assert article.headline == "As it was saved"


def test_the_front_page_is_arranged_by_keyboard_alone(page: Page, front_door: str) -> None:
    editor = UserFactory(superuser=True)
    TagFactory(name="Harbours", featured=True)
    first, second = ArticleFactory(headline="First pinned"), ArticleFactory(headline="Then this")
    ArticleFactory.create_batch(6)
    sign_in(page, front_door, editor.username)

    page.goto(f"{front_door}/admin/articles/frontpin/")
    for article in (first, second):
        choice = page.locator(f'[data-article="{article.pk}"] select')
        choice.focus()
        choice.press("T")  # the top
        choice.blur()
    up = page.get_by_role("button", name="Up: Then this")
    up.focus()
    up.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("place 1 in")
    expect(up).to_be_focused()
    save = page.get_by_role("button", name="Save: readers have it at once")
    save.focus()
    save.press("Enter")

    expect(page.get_by_text("Readers have this front page now.")).to_be_visible()
    page.goto(front_door)
    expect(page.locator(".teaser-lead h2")).to_have_text("Then this")
    expect(page.locator(".stack h3").first).to_have_text("First pinned")

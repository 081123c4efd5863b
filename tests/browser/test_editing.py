"""An editor at the desk, in a real browser."""

from __future__ import annotations

from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Group
from django.test import Client
from playwright.sync_api import Locator, Page, expect

from accounts.models import User
from articles.models import Article, Tag
from newsroom import roles
from tests.factories import ArticleFactory, RenditionFactory, SourceFactory, TagFactory, UserFactory
from tests.moderation.cases import notice_about


def enter(page: Page, front_door: str, role: str = "") -> User:
    """Go to the desk as a new member of a role, or as who may do everything, signed in already."""
    user: User = UserFactory(staff=True, superuser=not role)
    if role:
        user.groups.add(Group.objects.get(name=role))
    client = Client()
    client.force_login(user)
    page.context.clear_cookies()
    name = settings.SESSION_COOKIE_NAME
    cookie = {"name": name, "value": client.cookies[name].value, "url": front_door}
    page.context.add_cookies([cookie])  # type: ignore[list-item]
    page.goto(f"{front_door}/admin/")
    return user


def sign_in(page: Page, front_door: str, username: str) -> None:
    page.goto(f"{front_door}/admin/login/")
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill("a long test password")
    page.get_by_role("button", name="Log in").click()


def test_each_role_does_its_part_of_the_work(page: Page, front_door: str) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    roles.make_groups(apps.get_app_config("newsroom"), using="default")
    TagFactory(name="Harbours", featured=True)
    source = SourceFactory(usage="excerpt", terms="")
    claimed = notice_about(ArticleFactory(headline="Somebody's text", source=source)).claims.get()
    ArticleFactory.create_batch(5)
    page.set_default_timeout(20_000)

    enter(page, front_door, roles.CONTRIBUTORS)
    page.goto(f"{front_door}/admin/articles/article/add/")
    page.get_by_label("Headline:").fill("The harbour opens again")
    page.locator(".cke_wysiwyg_div").click()
    expect(page.locator(".cke_wysiwyg_div")).to_be_focused()
    page.keyboard.type("Ships came in at dawn. ")
    page.get_by_role("button", name="Bold").click()
    page.keyboard.type("All of them.")
    page.locator(".field-tags .select2-search__field").click()
    page.keyboard.type("harb")
    page.get_by_role("option", name="Harbours").click()
    expect(page.get_by_role("button", name="Publish", exact=True)).to_have_count(0)
    page.get_by_role("button", name="Send to review").first.click()
    expect(page.get_by_text("was sent to review")).to_be_visible()

    enter(page, front_door, roles.EDITORS)
    page.get_by_role("link", name="The harbour opens again").click()
    page.get_by_role("button", name="Approve").first.click()
    expect(page.get_by_text("was approved")).to_be_visible()
    page.locator("#id_published_at_0").fill("2036-01-01")
    page.locator("#id_published_at_1").fill("08:00:00")
    page.get_by_role("button", name="Publish", exact=True).first.click()
    expect(page.get_by_text("was scheduled for")).to_be_visible()
    page.locator("#id_published_at_0").fill("2026-01-01")
    page.get_by_role("button", name="Save", exact=True).first.click()
    article = Article.objects.public().get(headline="The harbour opens again")
    assert (
        article.body.replace("&nbsp;", " ") == "<p>Ships came in at dawn. <strong>All of them.</strong></p>"
    )
    assert [tag.name for tag in article.tags.all()] == ["Harbours"]

    enter(page, front_door, roles.CHIEFS)
    second = ArticleFactory(headline="First pinned")
    page.goto(f"{front_door}/admin/articles/frontpin/")
    for one in (second, article):
        choice = page.locator(f'[data-article="{one.pk}"] select')
        choice.focus()
        choice.press("T")  # the top
        choice.blur()
    up = page.get_by_role("button", name="Up: The harbour opens again")
    up.focus()
    up.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("place 1 in")
    expect(up).to_be_focused()
    save = page.get_by_role("button", name="Save: readers have it at once")
    save.focus()
    save.press("Enter")
    expect(page.get_by_text("Readers have this front page now.")).to_be_visible()

    enter(page, front_door, roles.MODERATORS)
    page.get_by_role("link", name="Somebody's text").click()
    page.get_by_role("form", name="Withhold now").get_by_role(
        "button", name="Withhold now", exact=True
    ).click()
    expect(page.get_by_text("is upheld: the article is withheld.")).to_be_visible()
    assert not Article.objects.public().filter(pk=claimed.article_id).exists()

    enter(page, front_door, roles.RIGHTS_MANAGERS)
    page.goto(f"{front_door}/admin/articles/source/{source.pk}/change/")
    page.get_by_label("Terms:", exact=True).fill("Full text, by letter of May.")
    page.get_by_label("Usage:").select_option("full")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was changed successfully")).to_be_visible()

    enter(page, front_door, roles.AUDITORS)
    page.goto(f"{front_door}/admin/auditlog/logentry/")
    expect(page.get_by_text("excerpt → full")).to_be_visible()

    page.context.clear_cookies()
    page.goto(front_door)
    expect(page.locator(".teaser-lead h2")).to_have_text("The harbour opens again")
    expect(page.locator(".stack h3").first).to_have_text("First pinned")
    page.goto(front_door + article.get_absolute_url())
    expect(page.get_by_role("heading", name="The harbour opens again")).to_be_visible()
    assert said == []


# What Word, Google Docs and a page with a player put onto the clipboard, and what is left of it.
CLIPBOARD = Path(__file__).parent / "clipboard"
PASTE = """async (html) => {
  const editor = CKEDITOR.instances.id_body;
  await new Promise((done) => editor.setData("", { callback: done }));
  editor.focus();
  const dataTransfer = new CKEDITOR.plugins.clipboard.dataTransfer();
  editor.fire("paste", { type: "html", method: "paste", dataValue: html, dataTransfer });
  return editor.getData().replace(/\\s*\\n\\s*/g, "").replace(/&nbsp;/g, " ");
}"""


def test_what_was_typed_survives_a_lost_session_and_is_previewed(page: Page, front_door: str) -> None:
    editor = UserFactory(superuser=True)
    ArticleFactory(headline="Ferries wait for the tide")
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
    phone = opened.value.frame_locator("iframe.phone").first
    expect(phone.get_by_role("heading", name="Typed before the train left")).to_be_visible()
    article.refresh_from_db()
    assert article.headline == "As it was saved"

    opened.value.close()
    for name in ("word", "docs", "player"):
        pasted, cleaned = ((CLIPBOARD / f"{name}{end}").read_text() for end in (".html", ".cleaned.html"))
        assert page.evaluate(PASTE, pasted) == cleaned.strip()
    page.get_by_role("button", name="Link", exact=True).click()
    page.get_by_label("Find an article of ours").fill("ferries tide")
    page.get_by_role("button", name="Ferries wait for the tide").click()
    page.get_by_role("button", name="OK").click()
    assert f"{front_door}/articles/" in page.evaluate("CKEDITOR.instances.id_body.getData()")


def reach(page: Page, target: Locator) -> None:
    """By the key that goes from one thing to the next, as whoever has no mouse."""
    expect(target).to_be_visible()
    for _ in range(120):
        if target.evaluate("one => one === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{target} cannot be reached by keyboard")


def press(page: Page, target: Locator) -> None:
    reach(page, target)
    page.keyboard.press("Enter")


def past_the_menu(page: Page, address: str) -> None:
    page.goto(address)
    press(page, page.get_by_role("link", name="Skip to main content"))


def test_an_article_is_made_and_tags_are_merged_by_keyboard_alone(page: Page, front_door: str) -> None:
    picture = RenditionFactory(media__alt="Ferries at the quay", media__file="x.webp").media
    other = ArticleFactory(headline="Ferries wait for the tide", tags=["Harbours"])
    ports = TagFactory(name="Ports")
    page.set_default_timeout(20_000)
    enter(page, front_door)

    past_the_menu(page, f"{front_door}/admin/articles/article/add/")
    reach(page, page.get_by_label("Headline:"))
    page.keyboard.type("Ferries sail with the tide")
    reach(page, page.locator(".cke_wysiwyg_div"))
    page.keyboard.type("Ferries came in at dawn.")
    page.keyboard.press("Alt+F10")
    press(page, page.get_by_role("button", name="Picture from the library"))
    box = page.get_by_role("dialog", name="A picture from the library")
    expect(box.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("quay")
    press(page, box.get_by_role("button", name="Ferries at the quay"))
    expect(box.get_by_label("What it shows, for those")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".cke_wysiwyg_div").get_by_role("img", name="Ferries at the quay")).to_be_visible()
    press(page, page.get_by_role("button", name="Send to review").last)
    expect(page.get_by_text("was sent to review")).to_be_visible()
    expect(page.get_by_role("heading", name="Before readers see it")).to_be_visible()
    for move, done in (("Approve", "was approved"), ("Publish", "was published")):
        press(page, page.get_by_role("button", name=move, exact=True).last)
        expect(page.get_by_text(done)).to_be_visible()
    press(page, page.get_by_role("button", name="Add: Ferries wait for the tide"))
    expect(page.get_by_text("Added", exact=True)).to_be_visible()
    article = Article.objects.public().get(headline="Ferries sail with the tide")
    assert article.related_links.get().to_article == other
    assert article.illustrations.get().media == picture

    past_the_menu(page, f"{front_door}/admin/articles/tag/")
    for name in ("Harbours", "Ports"):
        reach(page, page.get_by_role("row", name=name).get_by_role("checkbox").first)
        page.keyboard.press("Space")
    page.keyboard.press("Shift+Tab")
    choice = page.get_by_label("Action:")
    for _ in range(30):
        if choice.evaluate("one => one === document.activeElement"):
            break
        page.keyboard.press("Shift+Tab")
    page.keyboard.type("Merge")
    press(page, page.get_by_role("button", name="Go"))
    reach(page, page.get_by_role("radio").first)
    page.keyboard.press("Space")
    press(page, page.get_by_role("button", name="Merge them"))
    expect(page.get_by_text("from now on")).to_be_visible()
    assert Tag.objects.filter(pk__in=[ports.pk, other.tags.get().pk]).count() == 1

"""The desk's own pages in a real browser: accessible in light and dark, and no wider than a phone."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page, expect

from articles import notes
from tests.browser.test_editing import enter
from tests.factories import ArticleFactory, RenditionFactory, StoryFactory, TagFactory, correct

# What Django's own widgets lack is Django's to mend.
OURS = {
    "exclude": [
        [".select2-selection__rendered"],
        ["th.original"],
        [".related-lookup"],
        ["#searchbar"],
    ]
}

# Tables of Django's inlines and calendars have columns without a heading.
OPTIONS = {"rules": {"empty-table-header": {"enabled": False}}}


# In the dark only colours differ.
IN_THE_DARK = {"runOnly": ["color-contrast"]}


def test_our_pages_of_the_desk_are_accessible(page: Page, front_door: str) -> None:
    editor = enter(page, front_door)
    TagFactory(name="Harbours", featured=True)
    story, media = StoryFactory(), RenditionFactory().media
    article = ArticleFactory(story=story, tags=["Harbours"], lead_media=media)
    ArticleFactory(story=story)
    correct(article=article, at=timezone.now(), by=None, note="There were ten.", headline="Ten")
    notes.write(article=article, text="Look", by=editor, at=timezone.now(), task_of=editor)
    one = f"/admin/articles/article/{article.pk}"
    pages = (
        "/admin/", f"{one}/change/", f"{one}/versions/", f"{one}/notes/", f"{one}/retract/",
        f"/admin/articles/story/{story.pk}/articles/", "/admin/articles/frontpin/", "/admin/articles/media/",
        f"/admin/articles/media/{media.pk}/change/", "/admin/articles/tag/merge/?ids=1,2", "/admin/help/",
        "/admin/account/factors/", "/admin/account/factors/webauthn/add/", "/admin/account/sessions/",
        "/admin/account/reauthenticate/", "/admin/accounts/accesstoken/add/",
        "/admin/articles/hook/add/", "/admin/auditlog/logentry/",
    )  # fmt: skip
    wrong: list[str] = []
    for scheme, options in (("light", OPTIONS), ("dark", IN_THE_DARK)):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for path in pages:
            page.goto(front_door + path)
            # An editor is dressed after its page has loaded; half dressed it is no text field yet.
            if page.locator("textarea[data-type=ckeditortype]").count():
                expect(page.locator("[contenteditable][role=textbox]").first).to_be_visible()
            found = Axe().run(page, context=OURS, options=options).response["violations"]
            wrong += [f"{path} {scheme}: {v['id']}: {v['nodes'][0]['html']}" for v in found]

    assert "\n".join(wrong) == ""

"""The desk's own pages in a real browser: accessible in light and dark, and no wider than a phone."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page

from articles import actions, notes
from tests.browser.test_editing import sign_in
from tests.factories import ArticleFactory, RenditionFactory, StoryFactory, TagFactory, UserFactory

# What Django's own widgets lack is Django's to mend.
OURS = {
    "exclude": [
        [".select2-container"],
        ["th.original"],
        [".vDateField"],
        [".vTimeField"],
        [".related-lookup"],
    ]
}

# Tables of Django's inlines and calendars have columns without a heading.
OPTIONS = {"rules": {"empty-table-header": {"enabled": False}}}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_our_pages_of_the_desk_are_accessible(page: Page, front_door: str, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    editor = UserFactory(superuser=True)
    TagFactory(name="Harbours", featured=True)
    story, media = StoryFactory(), RenditionFactory().media
    article = ArticleFactory(story=story, tags=["Harbours"], lead_media=media)
    ArticleFactory(story=story)
    actions.correct(article=article, at=timezone.now(), by=None, note="There were ten.", headline="Ten")
    notes.write(article=article, text="Look", by=editor, at=timezone.now(), task_of=editor)
    one = f"/admin/articles/article/{article.pk}"
    sign_in(page, front_door, editor.username)
    wrong: list[str] = []
    for path in (
        "/admin/", f"{one}/change/", f"{one}/versions/", f"{one}/notes/", f"{one}/retract/",
        f"/admin/articles/story/{story.pk}/articles/", "/admin/articles/frontpin/", "/admin/articles/media/",
        f"/admin/articles/media/{media.pk}/change/", "/admin/account/factors/",
        "/admin/account/sessions/", "/admin/account/reauthenticate/",
    ):  # fmt: skip
        page.goto(front_door + path)
        found = Axe().run(page, context=OURS, options=OPTIONS).response["violations"]
        wrong += [f"{path}: {v['id']}: {v['nodes'][0]['html']}" for v in found]

    assert "\n".join(wrong) == ""

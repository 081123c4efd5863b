"""What an editor typed and did not save: kept, offered back, previewed, and gone with its article."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from accounts.models import UnsavedForm, User
from articles import actions
from articles.models import Article, HoldKind, RelatedLink
from tests.desk.test_articles import form_of, save
from tests.factories import ArticleFactory, ContributorFactory, TagFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def editor() -> User:
    user: User = UserFactory(superuser=True, first_name="Ann", last_name="Ó Briain")
    return user


@pytest.fixture
def desk(client: Client, editor: User) -> Client:
    client.force_login(editor)
    return client


def page(article: Article | None, name: str) -> str:
    return f"/admin/articles/article/{f'{article.pk}/' if article else ''}{name}/"


def test_what_was_typed_is_offered_back_after_a_lost_session(desk: Client, editor: User) -> None:
    article = ArticleFactory(headline="As saved")

    desk.post(page(article, "unsaved"), form_of(desk, article, headline="Typed in vain"))
    desk.logout()
    desk.force_login(editor)

    form = desk.get(page(article, "change")).content.decode()
    assert "was not saved" in form
    assert "Typed+in+vain" in form
    assert Article.objects.get(pk=article.pk).headline == "As saved"


def test_nobody_else_is_shown_it(desk: Client) -> None:
    article = ArticleFactory()
    desk.post(page(article, "unsaved"), form_of(desk, article, headline="Typed in vain"))
    other = Client()
    other.force_login(UserFactory(superuser=True))

    assert "Typed+in+vain" not in other.get(page(article, "change")).content.decode()
    assert other.get(page(article, "preview/page")).status_code == 404


def test_it_goes_when_it_is_saved_or_thrown_away(desk: Client) -> None:
    article = ArticleFactory()
    data = form_of(desk, article, headline="Typed")
    desk.post(page(article, "unsaved"), data)
    save(desk, article, data)
    assert not UnsavedForm.objects.exists()

    desk.post(page(article, "unsaved"), data)
    desk.post(page(article, "unsaved"), {"_forget": "1"})
    assert not UnsavedForm.objects.exists()


def test_what_was_typed_into_a_new_form_goes_when_that_is_saved(desk: Client) -> None:
    data = form_of(desk, headline="Begun")
    desk.post(page(None, "unsaved"), data)

    save(desk, None, data)

    assert not UnsavedForm.objects.exists()


def test_a_heartbeat_without_words_keeps_none(desk: Client) -> None:
    article = ArticleFactory()

    desk.post(page(article, "unsaved"), {"csrfmiddlewaretoken": "x"})

    assert not UnsavedForm.objects.exists()


def test_two_at_one_article_are_told_of_each_other(desk: Client, editor: User) -> None:
    article = ArticleFactory()
    other = Client()
    other.force_login(UserFactory(superuser=True))
    desk.post(page(article, "unsaved"), {})

    told = other.post(page(article, "unsaved"), {}).json()

    assert told["others"] == ["Ann Ó Briain"]
    assert "Ann Ó Briain" in other.get(page(article, "change")).content.decode()


def test_erasing_an_article_erases_what_anybody_typed_about_it(desk: Client) -> None:
    article, other = ArticleFactory(headline="PLANTED"), ArticleFactory()
    desk.post(page(article, "unsaved"), form_of(desk, article, headline="PLANTED typed"))
    RelatedLink.objects.create(article=other, to_article=article)
    save(desk, other, form_of(desk, other, **{"related_links-0-position": 3}))
    now = timezone.now()
    actions.place_hold(
        article=article, kind=HoldKind.LEGAL, reference="claim:1", effective_at=now, at=now, by=None
    )

    actions.erase(article=article, at=now)

    assert not UnsavedForm.objects.exists()
    assert not [e for e in LogEntry.objects.all() if "PLANTED" in f"{e.object_repr}{e.change_message}"]


def test_the_preview_is_the_readers_page_with_what_was_typed(desk: Client) -> None:
    article, tag, person = ArticleFactory(), TagFactory(name="Tides"), ContributorFactory(name="Bo Li")
    credit: dict[str, Any] = {
        "contributions-TOTAL_FORMS": 1, "contributions-0-contributor": person.pk, "contributions-0-role": "author",
        "contributions-0-position": 0,
    }  # fmt: skip
    typed = form_of(desk, article, headline="Typed <b>headline</b>", tags=[tag.pk]) | credit
    typed["body"] = "<p>Typed words</p><script>alert(1)</script>"

    answer = desk.post(page(article, "preview"), typed, follow=True)
    inner = desk.get(page(article, "preview/page"))

    assert answer.status_code == 200
    shown = inner.content.decode()
    assert "Typed &lt;b&gt;headline&lt;/b&gt;" in shown
    assert "Typed words" in shown
    assert "alert(1)" not in shown
    assert "Tides" in shown
    assert "Bo Li" in shown
    assert "no-store" in inner.headers["Cache-Control"]
    assert Article.objects.get(pk=article.pk).headline == article.headline


def test_an_article_that_was_never_saved_can_be_previewed(desk: Client) -> None:
    desk.post(page(None, "preview"), form_of(desk, headline="Not even begun", body="<p>x</p>"))

    assert "Not even begun" in desk.get(page(None, "preview/page")).content.decode()
    assert not Article.objects.exists()


def test_only_the_preview_may_be_framed_and_only_by_us(desk: Client) -> None:
    article = ArticleFactory()
    desk.post(page(article, "preview"), form_of(desk, article))

    inner = desk.get(page(article, "preview/page"))
    form = desk.get(page(article, "change"))

    assert "frame-ancestors 'self'" in inner.headers["Content-Security-Policy"]
    assert inner.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-ancestors 'none'" in form.headers["Content-Security-Policy"]


def test_who_may_not_change_it_keeps_and_previews_nothing(client: Client) -> None:
    article = ArticleFactory()
    client.force_login(UserFactory(staff=True))

    for name in ("unsaved", "preview"):
        assert client.post(page(article, name), {"headline": "x"}).status_code == 403
        assert client.post(page(None, name), {"headline": "x"}).status_code == 403

"""The editors' desk: what an editor can do in the admin, and what nobody can."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError
from django.test import Client
from django.utils import timezone

from accounts.models import User
from articles import actions
from articles.models import Article, ArticleState, HoldKind, Revision
from tests.factories import ArticleFactory, ContributorFactory, TagFactory

pytestmark = pytest.mark.django_db
HOSTILE = '<p onclick="alert(1)">Kept words</p><script>alert(2)</script>'


@pytest.fixture
def desk(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("chief", "chief@newsroom.example", "a long password"))
    return client


def form_of(desk: Client, article: Article | None = None, **changes: Any) -> dict[str, Any]:
    """What the browser would send: every field as the page offers it, with `changes`."""
    address = f"/admin/articles/article/{article.pk}/change/" if article else "/admin/articles/article/add/"
    page = desk.get(address)
    data: dict[str, Any] = {}
    forms = [page.context["adminform"].form]
    for inline in page.context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.initial_forms]
    for form in forms:
        for field in form:
            value = field.value()
            if value is None or value is False:
                continue
            if hasattr(value, "strftime"):
                data[field.html_name + "_0"] = value.strftime("%Y-%m-%d")
                data[field.html_name + "_1"] = value.strftime("%H:%M:%S")
            else:
                data[field.html_name] = value
    return data | changes


def save(desk: Client, article: Article | None, data: dict[str, Any]) -> Any:
    address = f"/admin/articles/article/{article.pk}/change/" if article else "/admin/articles/article/add/"
    return desk.post(address, data)


def test_an_editor_writes_and_publishes_an_article(desk: Client) -> None:
    tag, person = TagFactory(), ContributorFactory()
    inline = {"contributions-TOTAL_FORMS": 1, "contributions-0-position": 0, "contributions-0-role": "author"}
    data = form_of(desk, headline="A quiet morning", body="<p>It began.</p>", tags=[tag.pk])

    answer = save(desk, None, data | inline | {"contributions-0-contributor": person.pk, "_move": "publish"})

    assert answer.status_code == 302, answer.context["errors"]
    article = Article.objects.public().get(headline="A quiet morning")
    assert list(article.tags.all()) == [tag]
    assert list(article.contributors.all()) == [person]


def test_hostile_markup_typed_into_the_form_is_cleaned(desk: Client) -> None:
    article = ArticleFactory()

    save(desk, article, form_of(desk, article, body=HOSTILE))

    article.refresh_from_db()
    assert article.body == "<p>Kept words</p>"


def by_save(article: Article) -> None:
    article.body = HOSTILE
    article.save()


def by_update(article: Article) -> None:
    Article.objects.filter(pk=article.pk).update(body=HOSTILE)


def by_bulk_update(article: Article) -> None:
    article.body = HOSTILE
    Article.objects.bulk_update([article], ["body"])


@pytest.mark.parametrize("write", [by_save, by_update, by_bulk_update])
def test_hostile_markup_that_goes_round_the_forms_is_cleaned(write: Any) -> None:
    article = ArticleFactory()

    write(article)

    article.refresh_from_db()
    assert article.body == "<p>Kept words</p>"


def test_hostile_markup_in_a_fixture_is_cleaned(tmp_path: Path) -> None:
    fields = {"headline": "x", "slug": "x", "body": HOSTILE, "created_at": "2026-01-01T00:00:00Z"}
    fixture = tmp_path / "articles.json"
    fixture.write_text(json.dumps([{"model": "articles.article", "pk": 7, "fields": fields}]))

    call_command("loaddata", str(fixture), verbosity=0)

    assert Article.objects.get(pk=7).body == "<p>Kept words</p>"


def test_a_stale_form_overwrites_nothing_and_loses_nothing(desk: Client) -> None:
    article = ArticleFactory()
    opened = form_of(desk, article, headline="Typed by the second editor")
    save(desk, article, form_of(desk, article, headline="Saved by the first editor"))

    answer = save(desk, article, opened)

    article.refresh_from_db()
    assert article.headline == "Saved by the first editor"
    assert "Somebody saved this article" in answer.content.decode()
    page = answer.content.decode()
    assert "Typed by the second editor" in page
    assert "<del>Saved</del><ins>Typed</ins> by the <del>first</del><ins>second</ins> editor" in page


def test_whoever_read_the_differences_saves_theirs_in_its_place(desk: Client) -> None:
    article = ArticleFactory()
    opened = form_of(desk, article, headline="Typed by the second editor")
    save(desk, article, form_of(desk, article, headline="Saved by the first editor"))
    version = Article.objects.get(pk=article.pk).version

    refused = save(desk, article, opened | {"seen_version": version - 1})
    save(desk, article, opened | {"seen_version": version})

    assert "Somebody saved this article" in refused.content.decode()
    article.refresh_from_db()
    assert article.headline == "Typed by the second editor"
    assert article.revisions.first().snapshot["headline"] == "Saved by the first editor"


def test_a_save_keeps_the_version_before(desk: Client) -> None:
    article = ArticleFactory(headline="Before")

    save(desk, article, form_of(desk, article, headline="After"))

    assert Revision.objects.get(article=article).snapshot["headline"] == "Before"


def test_a_removed_work_cannot_be_typed_in_again(desk: Client) -> None:
    removed = ArticleFactory(body="<p>One of a kind sentence about the harbour wall.</p>")
    actions.identify(removed).save()
    now = timezone.now()
    actions.place_hold(
        article=removed, kind=HoldKind.LEGAL, reference="claim:1", effective_at=now, at=now, by=None
    )
    copy = form_of(desk, headline="Another headline", body=removed.body, _move="publish")

    answer = save(desk, None, copy)

    assert answer.status_code == 200
    assert "removed at its owner" in answer.content.decode()
    assert not Article.objects.filter(headline="Another headline").exists()


def test_the_database_refuses_a_removed_work_whatever_writes_it() -> None:
    removed = ArticleFactory(body="<p>One of a kind sentence about the harbour wall.</p>")
    actions.identify(removed).save()
    now = timezone.now()
    actions.place_hold(
        article=removed, kind=HoldKind.LEGAL, reference="claim:1", effective_at=now, at=now, by=None
    )

    with pytest.raises(IntegrityError, match="removed at its owner"):
        Article.objects.bulk_create([Article(headline="Copy", slug="copy", text_key=removed.text_key)])


def test_an_article_does_not_expire_before_it_is_published(desk: Client) -> None:
    article = ArticleFactory()
    day = {"published_at_0": "2030-01-02", "published_at_1": "10:00", "expires_at_0": "2030-01-02"}

    early = save(desk, article, form_of(desk, article, **day, expires_at_1="10:00"))
    later = save(desk, article, form_of(desk, article, **day, expires_at_1="10:01"))

    assert "would expire before it is published" in early.content.decode()
    assert later.status_code == 302


def test_an_article_of_a_source_needs_its_primary_source(desk: Client) -> None:
    article = ArticleFactory()

    answer = save(desk, article, form_of(desk, article, canonical_url=""))

    assert "needs the address of the original" in answer.content.decode()


@pytest.mark.parametrize("address", ["javascript:alert(1)", "ftp://x.example/a", "https://", "no address"])
def test_an_address_that_is_none_gets_a_clear_answer(desk: Client, address: str) -> None:
    article = ArticleFactory()

    answer = save(desk, article, form_of(desk, article, canonical_url=address))

    assert answer.status_code == 200
    assert answer.context["adminform"].form.errors["canonical_url"]


def test_an_embargo_is_a_publication_time_in_the_future(desk: Client) -> None:
    later = timezone.now() + timedelta(hours=2)
    date = {"published_at_0": later.strftime("%Y-%m-%d"), "published_at_1": later.strftime("%H:%M:%S")}

    save(desk, None, form_of(desk, headline="For later", body="<p>x</p>", _move="publish") | date)

    assert Article.objects.get(headline="For later").state == ArticleState.PUBLISHED
    assert not Article.objects.public().filter(headline="For later").exists()


def test_the_editor_runs_under_a_policy_that_lets_no_script_element_in(desk: Client) -> None:
    form = desk.get("/admin/articles/article/add/").headers["Content-Security-Policy"]
    listing = desk.get("/admin/articles/article/").headers["Content-Security-Policy"]

    assert "script-src-elem 'self';" in form + ";"
    assert "unsafe-inline" not in listing
    assert "unsafe-eval" not in form


def test_the_list_asks_the_same_number_of_questions_for_any_number_of_articles(
    desk: Client, django_assert_max_num_queries: Any
) -> None:
    ArticleFactory.create_batch(30)

    with django_assert_max_num_queries(9):
        desk.get("/admin/articles/article/")


def test_nobody_deletes_an_article(desk: Client) -> None:
    article = ArticleFactory()

    assert desk.post(f"/admin/articles/article/{article.pk}/delete/", {"post": "yes"}).status_code == 403

"""Versions of an article: compared word by word, and made the text again."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from articles import actions
from articles.models import Article, HoldKind
from articles.versions import compare, words
from tests.factories import ArticleFactory, UserFactory, correct


def told(before: str, after: str) -> list[tuple[str, str]]:
    return [(piece.kind, piece.text) for piece in words(before, after)]


def test_words_that_changed_are_shown_between_those_that_did_not() -> None:
    assert told("Nine ferries sail.", "Ten ferries sail.") == [
        ("gone", "Nine"), ("new", "Ten"), ("same", " ferries sail."),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after"),
    [("", "All new."), ("All gone.", ""), ("a b c", "c b a"), ("Zeile eins\nZwei", "Zeile\nZwei drei"),
     ("日本語のテキスト", "日本語の文章"), ("x " * 9000, "y x " * 9000)],
)  # fmt: skip
def test_both_versions_can_be_read_back_from_their_difference(before: str, after: str) -> None:
    pieces = words(before, after)

    assert "".join(p.text for p in pieces if p.kind != "new") == before
    assert "".join(p.text for p in pieces if p.kind != "gone") == after


def test_long_texts_are_compared_in_good_time() -> None:
    before = " ".join(f"word{n % 97}." for n in range(60_000))
    began = time.monotonic()

    words(before, before.replace("word3.", "another."))

    assert time.monotonic() - began < 20


def test_a_change_of_markup_alone_is_called_so() -> None:
    found = list(compare({"body": "<p>Ten <b>ferries</b></p>"}, {"body": "<p>Ten ferries</p>"}))

    assert [(d.name, d.pieces, d.note) for d in found] == [
        ("body", [], "Only links or formatting differ."),
    ]  # fmt: skip


@pytest.fixture
def desk(db: None, client: Client) -> Client:
    client.force_login(UserFactory(superuser=True))
    return client


def corrected(**before: Any) -> Article:
    article: Article = ArticleFactory(**before)
    correct(
        article=article,
        at=timezone.now(),
        by=None,
        note="There were ten.",
        headline="Ten <b>ferries</b> sail",
    )
    return article


def test_a_version_is_compared_with_what_stands_now_and_escaped(desk: Client) -> None:
    article = corrected(headline="Nine <i>ferries</i> sail")

    page = desk.get(f"/admin/articles/article/{article.pk}/versions/").content.decode()

    assert "<del>Nine</del><ins>Ten</ins>" in page
    assert "&lt;b&gt;ferries&lt;/b&gt;" in page
    assert "<b>ferries" not in page


def test_two_versions_are_compared_with_each_other(desk: Client) -> None:
    article = corrected(headline="Nine sail")
    correct(article=article, at=timezone.now(), by=None, note="Again.", headline="Eleven sail")

    page = desk.get(f"/admin/articles/article/{article.pk}/versions/?before=1&after=2").content.decode()

    assert "<del>Nine</del><ins>Ten" in page
    assert "Eleven" not in page.split('id="differences"')[1]


def restore(desk: Client, article: Article, version: int | None = None) -> Any:
    data = {"opened_version": version or article.version}
    return desk.post(f"/admin/articles/article/{article.pk}/versions/1/restore/", data, follow=True)


def test_a_restored_version_is_the_text_again_and_what_stood_is_kept(desk: Client) -> None:
    article = corrected(headline="Nine sail")

    restore(desk, article)

    article.refresh_from_db()
    assert article.headline == "Nine sail"
    assert article.revisions.first().snapshot["headline"] == "Ten <b>ferries</b> sail"
    assert article.headline in desk.get(article.get_absolute_url()).content.decode()


def test_a_restore_from_a_stale_page_changes_nothing(desk: Client) -> None:
    article = corrected(headline="Nine sail")

    answer = restore(desk, article, version=1)

    assert "Somebody saved the article meanwhile" in answer.content.decode()
    assert Article.objects.get(pk=article.pk).headline == "Ten <b>ferries</b> sail"


def test_a_removed_text_does_not_come_back_as_a_version(desk: Client) -> None:
    body = "<p>One of a kind sentence about the harbour wall.</p>"
    removed, article = ArticleFactory(body=body), ArticleFactory(body=body)
    correct(article=article, at=timezone.now(), by=None, note="Rewritten.", body="<p>Ours.</p>")
    actions.identify(removed).save()
    now = timezone.now()
    actions.place_hold(
        article=removed, kind=HoldKind.LEGAL, reference="claim:1", effective_at=now, at=now, by=None
    )

    answer = restore(desk, article)

    assert "removed at its owner" in answer.content.decode()
    assert Article.objects.get(pk=article.pk).body == "<p>Ours.</p>"


def test_only_who_may_see_the_article_sees_its_versions(client: Client, db: None) -> None:
    article = corrected()
    client.force_login(UserFactory(staff=True))

    assert client.get(f"/admin/articles/article/{article.pk}/versions/").status_code == 403
    assert restore(client, article).status_code == 403

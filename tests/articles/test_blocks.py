"""A withheld work does not come back: under no other address, by no other way into the database."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from articles.actions import BLOCKED, CREATED, SKIPPED, UPDATED, erase, ingest, place_hold, release_hold
from articles.drafts import Draft
from articles.models import Article, BlockedWork, BlockKind, Hold, HoldKind
from tests.factories import ArticleFactory, HoldFactory, SourceFactory

pytestmark = pytest.mark.django_db

KEYS = {"url_key": "a" * 64, "guid_key": "d" * 64, "text_key": "b" * 64, "title_day_key": "c" * 64}


@pytest.fixture
def held() -> Article:
    article = ArticleFactory(**KEYS)
    HoldFactory(article=article)
    return article


def draft(**facts) -> Draft:
    known = {
        "canonical_url": "https://mirror.example/1",
        "url_key": "f" * 64,
        "guid_key": "g" * 64,
        "headline": "Copy",
    }
    return Draft(**{**known, **facts})


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("way", ["save", "bulk_create", "update", "loaddata", "sql"])
def test_the_database_itself_refuses_a_copy(held, key, way, tmp_path):
    source = SourceFactory()
    bystander = ArticleFactory()
    copy = Article(
        slug="copy", headline="Copy", source=source, canonical_url="https://mirror.example/1", state="published",
        published_at=timezone.now(), **{key: KEYS[key]},
    )  # fmt: skip
    Article.objects.filter(pk=held.pk).update(url_key=None)
    ways = {
        "save": copy.save,
        "bulk_create": lambda: Article.objects.bulk_create([copy]),
        "update": lambda: Article.objects.filter(pk=bystander.pk).update(**{key: KEYS[key]}),
        "loaddata": lambda: call_command("loaddata", fixture(copy, tmp_path), verbosity=0),
        "sql": lambda: by_hand(
            f"UPDATE articles_article SET {key} = %s WHERE id = %s", KEYS[key], bystander.pk
        ),
    }

    with pytest.raises(IntegrityError), transaction.atomic():
        ways[way]()


def fixture(article: Article, folder: Path) -> str:
    plain = ("slug", "headline", "canonical_url", "state", *KEYS)
    fields = {name: getattr(article, name) for name in plain}
    fields |= {"source": article.source_id, "created_at": "2026-01-01T00:00Z"}
    fields["published_at"] = article.published_at.isoformat()
    path = folder / "copy.json"
    path.write_text(json.dumps([{"model": "articles.article", "pk": 4_000_000, "fields": fields}]))
    return str(path)


def by_hand(sql: str, *parameters) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


@pytest.mark.parametrize(
    "facts",
    [{"url_key": KEYS["url_key"]}, {"text_key": KEYS["text_key"]}, {"title_day_key": KEYS["title_day_key"]},
     {"other_url_keys": (KEYS["url_key"],)}, {"guid_key": "9" * 64}],
)  # fmt: skip
def test_a_feed_that_brings_it_again_is_told_it_is_blocked(facts):
    article = ArticleFactory(**KEYS)
    place_hold(
        article=article, kind=HoldKind.LEGAL, reference="claim:1", effective_at=timezone.now(), at=timezone.now(),
        by=None, other_keys=[(BlockKind.GUID, "9" * 64)],
    )  # fmt: skip

    (outcome,) = ingest(source=SourceFactory(), drafts=[draft(**facts)], at=timezone.now())

    assert outcome.outcome == BLOCKED
    assert Article.objects.count() == 1


def test_one_blocked_entry_does_not_stop_the_others(held):
    drafts = [draft(text_key=KEYS["text_key"]), draft(url_key="1" * 64), draft(url_key="2" * 64)]

    outcomes = ingest(source=SourceFactory(), drafts=drafts, at=timezone.now())

    assert sorted(outcome.outcome for outcome in outcomes) == [BLOCKED, CREATED, CREATED][: len(outcomes)]


def test_an_article_that_turns_into_a_withheld_work_is_not_updated(held):
    source = SourceFactory()
    ingest(source=source, drafts=[draft(headline="Harmless")], at=timezone.now())

    turned = draft(headline="Now the withheld text", text_key=KEYS["text_key"])
    (outcome,) = ingest(source=source, drafts=[turned], at=timezone.now())

    assert outcome.outcome == BLOCKED
    assert Article.objects.get(url_key="f" * 64).headline == "Harmless"


def test_a_hold_whose_moment_has_not_come_blocks_nothing_yet():
    article = ArticleFactory(**KEYS)
    HoldFactory(article=article, effective_at=timezone.now() + timedelta(hours=5))

    (outcome,) = ingest(source=SourceFactory(), drafts=[draft(text_key=KEYS["text_key"])], at=timezone.now())

    assert outcome.outcome == CREATED


def test_what_was_erased_stays_blocked(held):
    erase(article=held, at=timezone.now())

    (outcome,) = ingest(source=SourceFactory(), drafts=[draft(url_key=KEYS["url_key"])], at=timezone.now())

    assert outcome.outcome == BLOCKED


def test_a_released_work_may_come_in_again(held):
    release_hold(hold=Hold.objects.get(), at=timezone.now(), by=None)

    (outcome,) = ingest(source=held.source, drafts=[draft(url_key=KEYS["url_key"])], at=timezone.now())

    assert outcome.outcome == UPDATED


def test_another_outlet_changes_no_article_but_the_one_it_stands_with_does():
    article = ArticleFactory(**KEYS)
    stands_with, source = article.source, SourceFactory()
    Article.objects.update(source=SourceFactory())
    theirs = draft(url_key=article.url_key, headline="Theirs now", canonical_url=source.homepage)

    (foreign,) = ingest(source=source, drafts=[theirs], at=timezone.now())
    (own,) = ingest(
        source=stands_with,
        drafts=[draft(url_key=article.url_key, headline="Put right")],
        at=timezone.now(),
    )

    assert (foreign.outcome, foreign.article_id) == (SKIPPED, None)
    assert (own.outcome, own.article_id) == (UPDATED, article.pk)
    assert Article.objects.get().headline == "Put right"


def test_an_editorial_hold_blocks_no_copies():
    HoldFactory(article=ArticleFactory(**KEYS), kind=HoldKind.EDITORIAL)

    assert not BlockedWork.objects.exists()


def test_withholding_twice_remembers_each_key_once(held):
    HoldFactory(article=held, reference=Hold.objects.get().reference)

    assert BlockedWork.objects.count() == len(KEYS)

"""A rule of an owner who opted out is obeyed by the public query, by ingestion, and by the database itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from articles.actions import BLOCKED, CREATED, ingest, is_blocked, name_key
from articles.bylines import Credit
from articles.drafts import Draft
from articles.models import Article, Role, Source
from articles.opting_out import lift, opt_out
from articles.optouts import OptOutKind, author_value, path_value
from tests.factories import ArticleFactory, SourceFactory

pytestmark = pytest.mark.django_db

DOMAIN = "harbour.example"


@pytest.fixture
def harbour() -> Source:
    return SourceFactory(domain=DOMAIN)


def rule(kind: OptOutKind, value: str = ""):
    return opt_out(domain=DOMAIN, kind=kind, value=value, at=timezone.now())


def public() -> set[str]:
    return set(Article.objects.public().values_list("headline", flat=True))


def test_everything_of_a_source_is_gone_at_the_commit_and_nothing_else(harbour: Source) -> None:
    ArticleFactory.create_batch(3, source=harbour)
    other = ArticleFactory()

    rule(OptOutKind.SOURCE)

    assert public() == {other.headline}


def test_lifted_it_shows_again_byte_for_byte(harbour: Source) -> None:
    article = ArticleFactory(source=harbour)
    before = Article.objects.values().get(pk=article.pk)
    standing = rule(OptOutKind.SOURCE)
    assert not public()

    lift(rule=standing, at=timezone.now())

    assert public() == {article.headline}
    assert Article.objects.values().get(pk=article.pk) == before


def test_one_author_is_gone_at_that_source_and_stays_elsewhere(harbour: Source) -> None:
    hers = ArticleFactory(source=harbour, people=["Ann Ó Briain"])
    his = ArticleFactory(source=harbour, people=["Bo Li"])
    elsewhere = ArticleFactory(people=["Ann Ó Briain"])
    name = hers.contributors.get().name_key

    rule(OptOutKind.AUTHOR, author_value(name))

    assert public() == {his.headline, elsewhere.headline}


@pytest.mark.parametrize(
    ("address", "gone"),
    [
        ("https://harbour.example/culture/opera", True),
        ("http://www.harbour.example/Culture/opera?page=2", True),
        ("https://harbour.example/culture", True),
        ("https://harbour.example/culture?page=2", True),
        ("https://harbour.example/culture-wars/1", False),
        ("https://harbour.example/sport/culture/1", False),
        ("https://harbour.example/", False),
    ],
)
def test_a_path_covers_what_lies_under_it(harbour: Source, address: str, gone: bool) -> None:
    ArticleFactory(source=harbour, canonical_url=address)

    rule(OptOutKind.PATH, path_value(DOMAIN, "/culture/"))

    assert (not public()) is gone


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("culture", "/culture/"),
        ("/Culture/Opera/", "/culture/opera/"),
        ("https://www.harbour.example/culture", "/culture/"),
        ("https://else.example/culture", ""),
        ("/", ""),
        ("", ""),
    ],
)
def test_a_path_has_one_spelling_and_belongs_to_its_domain(typed: str, kept: str) -> None:
    assert path_value(DOMAIN, typed) == kept


def test_its_page_says_that_it_is_withheld_and_nothing_of_it(harbour: Source, client: Client) -> None:
    article = ArticleFactory(source=harbour)
    rule(OptOutKind.SOURCE)

    page = client.get(article.get_absolute_url())

    assert page.status_code == 451
    assert article.headline not in page.content.decode()


def draft(url: str, **facts) -> Draft:
    return Draft(
        canonical_url=url, url_key=name_key(url).ljust(64, "0")[:64], guid_key="", headline="New", **facts
    )


def test_a_feed_brings_nothing_of_it_any_more_whoever_publishes_the_feed(harbour: Source) -> None:
    aggregator = SourceFactory()
    rule(OptOutKind.SOURCE)

    own = ingest(source=harbour, drafts=[draft("https://else.example/1")], at=timezone.now())
    brought = ingest(
        source=aggregator,
        drafts=[draft("https://www.harbour.example/2"), draft("https://fine.example/3")],
        at=timezone.now(),
    )

    assert [one.outcome for one in own + brought] == [BLOCKED, BLOCKED, CREATED]


def test_a_feed_brings_nothing_of_the_author_any_more(harbour: Source) -> None:
    rule(OptOutKind.AUTHOR, author_value(name_key("Ann Ó Briain")))
    drafts = [
        draft("https://harbour.example/1", credits=(Credit("Ann Ó Briain", Role.AUTHOR),)),
        draft("https://harbour.example/2", credits=(Credit("Bo Li", Role.AUTHOR),)),
    ]

    outcomes = ingest(source=harbour, drafts=drafts, at=timezone.now())

    assert [one.outcome for one in outcomes] == [BLOCKED, CREATED]


@pytest.mark.parametrize("way", ["save", "bulk_create", "update", "loaddata"])
@pytest.mark.parametrize(
    "address", ["https://news.harbour.example/culture/1", "https://HARBOUR.example:8443/culture"]
)
def test_the_database_itself_refuses_what_lies_on_the_domain(way: str, address: str, tmp_path: Path) -> None:
    source, bystander = SourceFactory(), ArticleFactory()
    rule(OptOutKind.PATH, "/culture/")
    article = Article(slug="new", headline="New", source=source, canonical_url=address, state="draft")
    ways = {
        "save": article.save,
        "bulk_create": lambda: Article.objects.bulk_create([article]),
        "update": lambda: Article.objects.filter(pk=bystander.pk).update(canonical_url=address),
        "loaddata": lambda: call_command("loaddata", fixture(article, tmp_path), verbosity=0),
    }

    with pytest.raises(IntegrityError, match="does not want"), transaction.atomic():
        ways[way]()

    assert is_blocked(article=article)


def test_what_lies_elsewhere_or_was_there_before_can_be_saved(harbour: Source) -> None:
    before = ArticleFactory(source=harbour)
    rule(OptOutKind.SOURCE)

    before.headline = "Corrected"
    before.save()
    ArticleFactory(canonical_url="https://notharbour.example/1")
    ArticleFactory(ours=True)

    assert Article.objects.count() == 3


def fixture(article: Article, folder: Path) -> str:
    row = {
        "model": "articles.article",
        "fields": {
            "slug": article.slug, "headline": "x", "source": article.source_id, "canonical_url": article.canonical_url,
            "created_at": timezone.now().isoformat(), "key": str(article.key),
        },
    }  # fmt: skip
    path = folder / "articles.json"
    path.write_text(json.dumps([row]))
    return str(path)


def test_an_empty_domain_and_an_unknown_kind_cannot_be_stored() -> None:
    for fields in ({"domain": "", "kind": "source"}, {"domain": "a.example", "kind": "all"},
                   {"domain": "a.example", "kind": "path"}):  # fmt: skip
        with pytest.raises(IntegrityError), transaction.atomic():
            opt_out(value="", at=timezone.now(), **fields)

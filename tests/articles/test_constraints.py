"""What the database refuses, whoever asks: tested by going round every form and action."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils import timezone

from articles.models import Article, Contribution, Hold, ReadyPage, ReadyPageKey, RelatedLink, Source
from tests.factories import (
    ArticleFactory,
    ContributionFactory,
    HoldFactory,
    RelatedLinkFactory,
    SourceFactory,
)

pytestmark = pytest.mark.django_db


def refused(write) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        write()


@pytest.mark.parametrize(
    "change",
    [{"state": "banana"}, {"canonical_url": ""}, {"canonical_url": "javascript:alert(1)"}, {"canonical_url": "ftp://x"},
     {"published_at": None}, {"headline": None}],
)  # fmt: skip
def test_an_article_from_a_source_is_never(change):
    article = ArticleFactory()

    refused(lambda: Article.objects.filter(pk=article.pk).update(**change))


def test_an_article_of_ours_needs_no_original():
    assert ArticleFactory(ours=True).canonical_url == ""


@pytest.mark.parametrize("name", ["slug", "key", "url_key"])
def test_no_two_articles_share(name):
    first, second = ArticleFactory(), ArticleFactory()

    refused(lambda: Article.objects.filter(pk=second.pk).update(**{name: getattr(first, name)}))


@pytest.mark.parametrize("change", [{"usage": "all"}, {"usage": "full", "terms": ""}])
def test_a_source_is_never(change):
    source = SourceFactory()

    refused(lambda: Source.objects.filter(pk=source.pk).update(**change))


def test_a_hold_stands_once_for_a_reference():
    hold = HoldFactory()

    refused(
        lambda: Hold.objects.create(
            article=hold.article, kind="legal", reference=hold.reference, effective_at=timezone.now(),
            placed_at=timezone.now(),
        )
    )  # fmt: skip
    refused(lambda: Hold.objects.update(kind="whim"))


def test_an_article_under_a_hold_is_not_deleted():
    hold = HoldFactory()

    with pytest.raises(ProtectedError):
        hold.article.delete()


def test_a_person_is_credited_once_in_a_role():
    credit = ContributionFactory()

    refused(
        lambda: Contribution.objects.create(
            article=credit.article, contributor=credit.contributor, role="author"
        )
    )
    refused(lambda: Contribution.objects.update(role="influencer"))


def test_a_related_link_leads_to_one_other_place():
    link = RelatedLinkFactory()

    refused(lambda: RelatedLink.objects.filter(pk=link.pk).update(to_article=link.article))
    refused(lambda: RelatedLink.objects.filter(pk=link.pk).update(url="https://x.example/"))
    refused(lambda: RelatedLink.objects.filter(pk=link.pk).update(to_article=None))


def test_a_ready_page_depends_on_a_thing_once():
    page = ReadyPage.objects.create(path="/x", etag="e", body_gzip=b"", body_br=b"")
    ReadyPageKey.objects.create(page=page, key="article:1")

    refused(lambda: ReadyPageKey.objects.create(page=page, key="article:1"))

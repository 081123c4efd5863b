"""One person across spellings: credits, addresses, spellings to come, and what an owner decided."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from articles.actions import BLOCKED, erase, ingest, place_hold
from articles.bylines import Credit
from articles.drafts import Draft
from articles.merging import CannotMerge, lead_to, merge_contributors, now_at, perhaps_the_same
from articles.models import Article, Contributor, ContributorName, FormerAddress, HoldKind, Role, Source, Tag
from articles.opting_out import opt_out
from articles.optouts import OptOutKind, author_value
from articles.sealing import seal, unseal
from tests.factories import ArticleFactory, ContributorFactory, SourceFactory, TagFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def john() -> Contributor:
    return ContributorFactory(name="John Smith")


@pytest.fixture
def jon() -> Contributor:
    return ContributorFactory(name="Jon Smith")


def merged(kept: Contributor, *others: Contributor) -> Contributor:
    return merge_contributors(kept=kept, others=others, by=UserFactory(superuser=True))


def brought(source: Source, name: str, number: int = 1) -> Any:
    draft = Draft(
        canonical_url=f"https://{source.domain}/{number}", url_key=f"key-{number}", guid_key=f"guid-{number}",
        headline=f"Report {number} of the harbour", credits=(Credit(name, Role.AUTHOR),),
    )  # fmt: skip
    return ingest(source=source, drafts=[draft], at=timezone.now())[0]


def test_credits_become_one_and_what_comes_later_joins_them(john: Contributor, jon: Contributor) -> None:
    both = ArticleFactory(people=["John Smith", "Jon Smith"])
    one = ArticleFactory(people=["Jon Smith"])

    merged(john, jon)
    later = brought(SourceFactory(), "JON SMITH")

    assert [credit.contributor for credit in both.contributions.all()] == [john]
    assert [credit.contributor for credit in one.contributions.all()] == [john]
    assert Article.objects.get(pk=later.article_id).contributors.get() == john
    assert not Contributor.objects.filter(name="Jon Smith").exists()


def test_old_addresses_lead_to_the_page_for_ever(
    client: Client, john: Contributor, jon: Contributor, django_capture_on_commit_callbacks: Any
) -> None:
    johnny = ContributorFactory(name="Johnny Smith")
    ArticleFactory(people=["Jon Smith"])
    assert client.get("/contributors/jon-smith/").status_code == 200

    with django_capture_on_commit_callbacks(execute=True):
        merged(john, jon)
    assert client.get("/contributors/jon-smith/").headers["Location"] == "/contributors/john-smith/"
    merged(johnny, john)

    for path in ("/contributors/jon-smith/", "/contributors/john-smith/"):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["Location"]) == (301, "/contributors/johnny-smith/")
    feed = client.get("/contributors/jon-smith/feed.rss")
    assert (feed.status_code, feed.headers["Location"]) == (301, "/contributors/johnny-smith/feed.rss")


def test_an_old_address_does_not_name_whom_nothing_public_names(
    client: Client, john: Contributor, jon: Contributor
) -> None:
    article = ArticleFactory(people=["Jon Smith"])
    merged(john, jon)
    place_hold(
        article=article, kind=HoldKind.LEGAL, reference="claim:1", at=timezone.now(),
        effective_at=timezone.now(), by=None,
    )  # fmt: skip

    assert client.get("/contributors/jon-smith/").status_code == 404

    erase(article=article, at=timezone.now())
    assert not Contributor.objects.exists()
    assert not FormerAddress.objects.exists()
    assert not ContributorName.objects.exists()


def test_what_lies_under_seal_comes_back_to_who_they_are_now(john: Contributor, jon: Contributor) -> None:
    article = ArticleFactory(people=["Jon Smith"])
    ArticleFactory(people=["Jon Smith"])
    sealed = seal(article=article)

    merged(john, jon)
    unseal(article=article, content=sealed.content)

    assert article.contributors.get() == john


@pytest.mark.parametrize("name", ["john-smith", "jon-smith"])
def test_an_author_who_opted_out_is_covered_under_every_spelling(
    name: str, john: Contributor, jon: Contributor
) -> None:
    source = SourceFactory()
    ArticleFactory(source=source, people=["Jon Smith"])
    merged(john, jon)

    opt_out(domain=source.domain, kind=OptOutKind.AUTHOR, value=author_value(name), at=timezone.now())

    assert not Article.objects.public().exists()
    assert brought(source, "John Smith").outcome == BLOCKED
    assert brought(source, "Jon Smith").outcome == BLOCKED


def test_a_rule_made_before_covers_who_they_became(john: Contributor, jon: Contributor) -> None:
    source = SourceFactory()
    opt_out(domain=source.domain, kind=OptOutKind.AUTHOR, value=author_value("jon-smith"), at=timezone.now())

    merged(john, jon)

    ArticleFactory(source=source, people=["John Smith"])
    assert not Article.objects.public().exists()


def test_a_person_and_an_agency_are_not_one(john: Contributor) -> None:
    with pytest.raises(CannotMerge, match="agency"):
        merged(john, ContributorFactory(name="John Smith Agency", is_agency=True))
    with pytest.raises(CannotMerge, match="at least two"):
        merged(john, john)


def test_nobodys_history_keeps_a_name_that_is_no_more(john: Contributor, jon: Contributor) -> None:
    merged(john, jon)

    entry = LogEntry.objects.get(object_id=str(john.pk))
    assert entry.change_message == "Merged with 1 other."
    assert not LogEntry.objects.filter(object_repr__contains="Jon").exists()


def test_tags_have_former_addresses_too_and_an_address_leads_to_one_place() -> None:
    old, new = TagFactory(name="Ports"), TagFactory(name="Harbours")
    lead_to(old, ["docks"])
    lead_to(new, ["docks"])

    assert now_at(Tag, "docks") == new
    with pytest.raises(IntegrityError), transaction.atomic():
        FormerAddress.objects.create(slug="docks", tag=old)
    with pytest.raises(IntegrityError), transaction.atomic():
        FormerAddress.objects.create(slug="nowhere")


def test_the_desk_finds_and_merges_them(admin_client: Client, john: Contributor, jon: Contributor) -> None:
    ArticleFactory(people=["Jon Smith"])
    assert perhaps_the_same(john) == [jon]
    page = admin_client.get(f"/admin/articles/contributor/{john.pk}/change/").content.decode()
    address = f"/admin/articles/contributor/merge/?ids={john.pk},{jon.pk}"
    assert address in page
    chosen = {"action": "merge", "_selected_action": [john.pk, jon.pk]}
    assert "merge/?ids=" in admin_client.post("/admin/articles/contributor/", chosen).headers["Location"]
    assert "Jon Smith (1 article)" in admin_client.get(address).content.decode()

    admin_client.post(address, {"kept": john.pk})

    assert list(Contributor.objects.all()) == [john]
    page = admin_client.get(f"/admin/articles/contributor/{john.pk}/change/").content.decode()
    assert "Jon Smith" in page
    answer = admin_client.post("/admin/articles/contributor/add/", {"name": "Jon Smith", "slug": "x"})
    assert "This is John Smith, who is listed already." in answer.content.decode()

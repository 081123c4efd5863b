"""Tags at the desk: merged, renamed and given synonyms; their addresses and words lead on for ever."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from articles import actions, search
from articles.drafts import Draft
from articles.merging import CannotMerge, merge_tags
from articles.models import HoldKind, Tag
from articles.sealing import seal, unseal
from tests.factories import ArticleFactory, SourceFactory, TagFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client: Client) -> Client:
    client.force_login(UserFactory(superuser=True))
    return client


def tag_form(tag: Tag, *synonyms: str, **changes: Any) -> dict[str, Any]:
    rows = {f"synonyms-{number}-name": name for number, name in enumerate(synonyms)}
    return {
        "name": tag.name, "slug": tag.slug, "description": "", "position": tag.position,
        "synonyms-TOTAL_FORMS": len(synonyms), "synonyms-INITIAL_FORMS": 0, **rows, **changes,
    }  # fmt: skip


def brought_with(word: str) -> list[str]:
    draft = Draft(
        canonical_url="https://x.example/1", url_key="k", guid_key="g", headline="News", tags=(word,)
    )
    found = actions.ingest(source=SourceFactory(), drafts=[draft], at=timezone.now())[0]
    return list(Tag.objects.filter(tagged__content_object=found.article_id).values_list("name", flat=True))


def test_merged_tags_are_one_on_articles_at_addresses_and_in_feeds_to_come(desk: Client) -> None:
    kept, other = TagFactory(name="Climate change"), TagFactory(name="Global warming")
    both = ArticleFactory(tags=["Climate change", "Global warming"])
    one = ArticleFactory(tags=["Global warming"])
    public = Client()
    public.get(other.get_absolute_url())

    address = f"/admin/articles/tag/merge/?ids={kept.pk},{other.pk}"
    assert "2 articles" in desk.get(address).content.decode()
    desk.post(address, {"kept": kept.pk})

    assert [list(article.tags.all()) for article in (both, one)] == [[kept], [kept]]
    assert public.get("/tags/global-warming/").headers["Location"] == "/tags/climate-change/"
    assert public.get("/tags/global-warming/feed.rss").headers["Location"] == "/tags/climate-change/feed.rss"
    assert one.headline in public.get("/tags/climate-change/").content.decode()
    assert brought_with("global warming") == ["Climate change"]


def test_one_tag_alone_is_not_merged(desk: Client) -> None:
    tag = TagFactory()

    with pytest.raises(CannotMerge):
        merge_tags(kept=tag, others=[tag], by=None)

    assert "Choose at least two" in desk.get(f"/admin/articles/tag/merge/?ids={tag.pk}").content.decode()


def test_a_renamed_tag_is_met_under_its_former_address_and_word_and_found_by_its_new_one(
    desk: Client,
) -> None:
    tag = TagFactory(name="Harbours")
    article = ArticleFactory(tags=["Harbours"])
    page = f"/admin/articles/tag/{tag.pk}/change/"

    assert desk.post(page, tag_form(tag, name="Seaports", slug="seaports")).status_code == 302

    assert Client().get("/tags/harbours/").headers["Location"] == "/tags/seaports/"
    assert [hit.article for hit in search.find("seaports").hits] == [article]
    assert brought_with("Harbours") == ["Seaports"]


def test_a_tag_may_take_its_own_former_address_back(desk: Client) -> None:
    tag = TagFactory(name="Harbours")
    page = f"/admin/articles/tag/{tag.pk}/change/"
    desk.post(page, tag_form(tag, slug="seaports"))
    assert Client().get("/tags/seaports/").status_code == 200

    tag.refresh_from_db()
    synonym = tag.synonyms.get()
    rows = {
        "synonyms-TOTAL_FORMS": 1, "synonyms-INITIAL_FORMS": 1, "synonyms-0-id": synonym.pk,
        "synonyms-0-tag": tag.pk, "synonyms-0-name": synonym.name, "synonyms-0-DELETE": "on",
    }  # fmt: skip
    assert desk.post(page, tag_form(tag, slug="harbours") | rows).status_code == 302

    assert Client().get("/tags/harbours/").status_code == 200
    assert Client().get("/tags/seaports/").headers["Location"] == "/tags/harbours/"


@pytest.mark.parametrize(
    ("word", "said"), [("Ports", "is a tag itself"), ("Docks", "synonym of"), ("!?", "letters")]
)
def test_a_word_leads_to_one_tag(desk: Client, word: str, said: str) -> None:
    tag, other = TagFactory(name="Harbours"), TagFactory(name="Ports")
    other.synonyms.create(name="Docks", slug="docks")

    page = desk.post(f"/admin/articles/tag/{tag.pk}/change/", tag_form(tag, word))

    assert said in page.content.decode()
    assert not tag.synonyms.exists()


def test_a_former_address_is_no_other_tag_s(desk: Client) -> None:
    tag, other = TagFactory(name="Harbours"), TagFactory(name="Ports")
    desk.post(f"/admin/articles/tag/{tag.pk}/change/", tag_form(tag, slug="seaports"))

    page = desk.post(f"/admin/articles/tag/{other.pk}/change/", tag_form(other, slug="harbours"))

    assert "once had this address" in page.content.decode()


def test_what_lies_under_seal_comes_back_with_the_tag_there_is_now() -> None:
    article, now = ArticleFactory(tags=["Docks"]), timezone.now()
    actions.place_hold(
        article=article, kind=HoldKind.LEGAL, reference="claim:1", effective_at=now, at=now, by=None
    )
    kept = TagFactory(name="Harbours")
    sealed = seal(article=article)
    merge_tags(kept=kept, others=[Tag.objects.get(slug="docks")], by=None)

    unseal(article=article, content=sealed.content)

    assert list(article.tags.all()) == [kept]


def test_who_may_not_change_tags_merges_none(client: Client) -> None:
    client.force_login(UserFactory(staff=True))
    one, other = TagFactory(), TagFactory()

    answer = client.post(f"/admin/articles/tag/merge/?ids={one.pk},{other.pk}", {"kept": one.pk})

    assert answer.status_code == 403
    assert Tag.objects.count() == 2


def test_tags_are_put_into_the_navigation_from_the_list(desk: Client) -> None:
    tags = [TagFactory(name=name) for name in ("Ports", "Ferries")]
    chosen = {"_selected_action": [tag.pk for tag in tags]}

    desk.post("/admin/articles/tag/", {**chosen, "action": "feature"})
    assert Tag.objects.filter(featured=True).count() == 2
    desk.post("/admin/articles/tag/", {**chosen, "action": "unfeature"})
    assert not Tag.objects.filter(featured=True).exists()

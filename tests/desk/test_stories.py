"""A story at the desk: merged, split, led and named; related articles accepted with one click."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from articles.models import Article, Story
from articles.views import at_story
from newsroom import roles
from tests.factories import ArticleFactory, StoryFactory, TagFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client: Client) -> Client:
    client.force_login(UserFactory(superuser=True))
    return client


def do(desk: Client, story: Story, button: str, **data: Any) -> str:
    answer = desk.post(f"/admin/articles/story/{story.pk}/articles/", {"_do": button, **data}, follow=True)
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_the_chosen_article_leads_and_readers_see_its_headline(desk: Client) -> None:
    story = StoryFactory(headline="")
    ArticleFactory(story=story, headline="Storm nears")
    second = ArticleFactory(story=story, headline="Storm has passed")
    public = Client()
    public.get(story.get_absolute_url())

    page = do(desk, story, "lead", lead=second.pk)

    assert "leads the story now" in page
    assert "<h1" in (read := public.get(story.get_absolute_url()).content.decode())
    assert read.index("Storm has passed") < read.index("Storm nears")


def test_articles_leave_a_story_for_a_new_one(desk: Client) -> None:
    story = StoryFactory()
    stays, goes = ArticleFactory(story=story), ArticleFactory(story=story)

    do(desk, story, "split_new", article_ids=[goes.pk])

    stays.refresh_from_db()
    goes.refresh_from_db()
    assert stays.story == story
    assert goes.story not in (None, story)
    assert goes.story.lead == goes
    assert goes.membership.pinned


def test_nothing_is_taken_out_that_is_in_another_story(desk: Client) -> None:
    story, elsewhere = StoryFactory(), ArticleFactory(story=StoryFactory())

    page = do(desk, story, "split", article_ids=[elsewhere.pk])

    assert "Tick the articles" in page
    elsewhere.refresh_from_db()
    assert elsewhere.story is not None


def test_an_article_is_added_and_another_story_merged_in(desk: Client) -> None:
    story, other = StoryFactory(), StoryFactory()
    alone, inside = ArticleFactory(), ArticleFactory(story=other)

    do(desk, story, "add", article=alone.pk)
    do(desk, story, "merge", stories=[other.pk])

    assert set(Article.objects.filter(story=story)) == {alone, inside}
    assert desk.get(other.get_absolute_url()).headers["Location"] == story.get_absolute_url()


def test_a_story_merged_away_gets_no_more_articles(desk: Client) -> None:
    story, other, alone = StoryFactory(), StoryFactory(), ArticleFactory()
    ArticleFactory(story=other)
    do(desk, story, "merge", stories=[other.pk])

    page = do(desk, other, "add", article=alone.pk)

    assert "merged into another" in page
    assert Article.objects.get(pk=alone.pk).story is None


def test_selected_stories_become_the_one_that_is_chosen(desk: Client) -> None:
    first, second = StoryFactory(), StoryFactory()
    article = ArticleFactory(story=first)
    selected = {"action": "merge", "_selected_action": [first.pk, second.pk]}

    page = desk.post("/admin/articles/story/", selected, follow=True)
    desk.post(f"/admin/articles/story/merge/?ids={first.pk},{second.pk}", {"kept": second.pk})

    assert "Go on as" in page.content.decode()
    article.refresh_from_db()
    assert article.story == second


def test_a_new_name_for_a_story_reaches_readers_at_once(desk: Client) -> None:
    story = StoryFactory(headline="Storm")
    article = ArticleFactory(story=story)
    public = Client()
    public.get(story.get_absolute_url())

    named = {"headline": "The great storm", "standfirst": "", "slug": "the-great-storm"}
    desk.post(f"/admin/articles/story/{story.pk}/change/", named)

    assert "The great storm" in public.get("/stories/the-great-storm/").content.decode()
    moved = public.get(story.get_absolute_url())
    assert (moved.status_code, moved.headers["Location"]) == (301, "/stories/the-great-storm/")
    assert story.get_absolute_url() in at_story(article)
    refused = desk.post("/admin/articles/story/add/", named | {"slug": story.slug})
    assert "once had this address" in refused.content.decode()

    # Back under the first name: that leads no longer elsewhere.
    desk.post(f"/admin/articles/story/{story.pk}/change/", named | {"slug": story.slug})
    assert public.get(story.get_absolute_url()).status_code == 200
    assert public.get("/stories/the-great-storm/").headers["Location"] == story.get_absolute_url()


def test_who_may_only_look_changes_nothing(client: Client) -> None:
    user = UserFactory(staff=True)
    user.groups.add(Group.objects.get(name=roles.AUDITORS))
    client.force_login(user)
    story = StoryFactory()
    article = ArticleFactory(story=story)
    address = f"/admin/articles/story/{story.pk}/articles/"

    page = client.get(address)

    assert page.status_code == 200
    assert "_do" not in page.content.decode()
    assert client.post(address, {"_do": "split", "article_ids": [article.pk]}).status_code == 403
    assert client.post("/admin/articles/story/merge/?ids=1,2", {"kept": 1}).status_code == 403


def test_the_list_of_stories_asks_the_same_however_many_there_are(
    desk: Client, django_assert_max_num_queries: Any
) -> None:
    for _ in range(12):
        story = StoryFactory(headline="")
        story.lead = ArticleFactory(story=story)
        story.save()

    with django_assert_max_num_queries(7):
        page = desk.get("/admin/articles/story/")

    assert page.status_code == 200


def test_a_suggested_article_is_related_with_one_click(desk: Client) -> None:
    tag = TagFactory(name="Harbours")
    article = ArticleFactory(headline="Harbour wall of Wexley breaks", draft=True)
    near = ArticleFactory(headline="Wexley harbour wall was old", slug="near")
    for one in (article, near):
        one.tags.add(tag)

    form = desk.get(f"/admin/articles/article/{article.pk}/change/").content.decode()
    address = f"/admin/articles/article/{article.pk}/relate/{near.pk}/"
    answers = [desk.post(address, HTTP_ACCEPT="application/json") for _ in range(2)]

    assert address in form
    assert [answer.json() for answer in answers] == [{"added": True}] * 2
    assert [link.to_article for link in article.related_links.all()] == [near]
    assert address not in desk.get(f"/admin/articles/article/{article.pk}/change/").content.decode()


def test_only_what_readers_see_is_related_by_who_may_change_the_article(client: Client, desk: Client) -> None:
    article, hidden = ArticleFactory(), ArticleFactory(draft=True)
    assert desk.post(f"/admin/articles/article/{article.pk}/relate/{hidden.pk}/").status_code == 404
    client.force_login(UserFactory(staff=True))
    other = ArticleFactory()
    assert client.post(f"/admin/articles/article/{article.pk}/relate/{other.pk}/").status_code == 403

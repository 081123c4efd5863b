"""The verbs: publish, correct, retract, relate, rename, erase, and what follows from each at once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.utils import timezone

from articles import actions
from articles.actions import NotAllowed
from articles.models import Article, ArticleState, Contributor, HoldKind, RelatedLink, RevisionKind, Story
from articles.search import find
from tests.factories import (
    ArticleFactory,
    ContributionFactory,
    HoldFactory,
    MediaFactory,
    StoryFactory,
    TagFactory,
    UserFactory,
    correct,
)
from tests.front_door import FrontDoor

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def test_publishing_makes_an_article_public_and_found():
    article = ArticleFactory(draft=True, headline="Glacier retreats")
    assert not find("glacier").hits

    actions.publish(article=article, at=NOW, by=None)

    assert Article.objects.public().get() == article
    assert [hit.article for hit in find("glacier").hits] == [article]


def test_an_embargo_is_kept_by_the_query():
    article = ArticleFactory(draft=True)

    actions.publish(article=article, at=NOW, by=None, embargo_until=timezone.now() + timedelta(hours=1))

    assert not Article.objects.public().exists()


def test_a_correction_keeps_the_version_before_and_says_why():
    editor = UserFactory(staff=True)
    article = ArticleFactory(body="<p>Twelve ferries.</p>")

    correct(article=article, at=NOW, by=editor, note="There were ten.", body="<p>Ten ferries.</p>")

    (revision,) = article.revisions.all()
    assert revision.snapshot["body"] == "<p>Twelve ferries.</p>"
    assert (revision.kind, revision.note, revision.by) == (RevisionKind.CORRECTION, "There were ten.", editor)
    article.refresh_from_db()
    assert (article.body, article.version) == ("<p>Ten ferries.</p>", 2)


def test_a_retracted_article_is_public_nowhere():
    article = ArticleFactory(headline="Glacier retreats")

    actions.retract(article=article, at=NOW, by=None, note="We were misled.")

    assert not Article.objects.public().exists()
    assert not find("glacier").hits
    with pytest.raises(NotAllowed):
        actions.retract(article=article, at=NOW, by=None, note="Again.")


def test_related_articles_keep_the_editor_s_order():
    article, first, second = ArticleFactory(), ArticleFactory(), ArticleFactory()

    actions.relate(article=article, to=[second, article, first], by=None)

    assert [link.to_article for link in article.related_links.all()] == [second, first]


def test_an_old_address_leads_to_the_new_one():
    article = ArticleFactory(slug="first-address")

    article.slug = "second-address"
    actions.save_edit(article=article, at=NOW, by=None)

    answer = FrontDoor().get("/articles/first-address/")
    assert (answer.status, answer.headers["Location"]) == (301, "/articles/second-address/")
    assert FrontDoor().get("/articles/second-address/").status == 200


def test_a_stored_page_follows_each_change():
    door = FrontDoor()
    article = ArticleFactory(headline="First headline")
    path = f"/articles/{article.slug}/"
    assert "First headline" in door.get(path).text

    correct(article=article, at=NOW, by=None, note="Wording.", headline="Second headline")

    assert "Second headline" in door.get(path).text
    assert "First headline" not in door.get("/").text


def test_only_what_is_withheld_can_be_erased():
    article = ArticleFactory()
    HoldFactory(article=article, effective_at=timezone.now() + timedelta(hours=1))

    with pytest.raises(NotAllowed):
        actions.erase(article=article, at=NOW)


def test_two_copies_of_one_work_that_are_both_withheld_can_both_be_erased() -> None:
    words = " ".join(f"word{number}" for number in range(80))
    copies = [actions.identify(ArticleFactory(body=f"<p>{words}</p>")) for _ in range(2)]
    for copy in copies:
        copy.save()
    for number, copy in enumerate(copies):
        actions.place_hold(
            article=copy, kind=HoldKind.LEGAL, reference=f"claim:{number}", effective_at=NOW, at=NOW, by=None
        )

    for copy in copies:
        actions.erase(article=copy, at=NOW)

    assert set(Article.objects.values_list("state", "body")) == {(ArticleState.ERASED, "")}


def test_an_erased_article_cannot_be_published_again():
    article = ArticleFactory()
    HoldFactory(article=article)
    erased = actions.erase(article=article, at=NOW)

    with pytest.raises(NotAllowed):
        actions.publish(article=erased, at=NOW, by=None)


def test_erasing_leaves_nothing_of_it_in_any_column():
    door, editor = FrontDoor(), UserFactory(staff=True)
    words = ("standfirst", "byline", "dateline", "copyright_holder", "usage_terms")
    article = ArticleFactory(
        **{name: f"PLANTED{name}" for name in words},
        headline="PLANTEDheadline",
        slug="an-address",
        body="<p>PLANTEDbody</p>",
        people=["PLANTEDperson"],
        canonical_url="https://outlet.example/PLANTEDpath",
        lead_media=MediaFactory(alt="PLANTEDalt", caption="PLANTEDcaption"),
        story=StoryFactory(headline="PLANTEDheadline", slug="PLANTEDstory"),
    )
    other = ArticleFactory()
    RelatedLink.objects.create(article=other, to_article=article, title="PLANTEDlink")
    correct(article=article, at=NOW, by=editor, note="PLANTEDnote", standfirst="PLANTEDsecond")
    LogEntry.objects.create(
        user=editor, content_type=ContentType.objects.get_for_model(Article), object_id=article.pk,
        object_repr=str(article), action_flag=CHANGE, change_message='PLANTED change of "headline"',
    )  # fmt: skip
    for path in ("/", "/articles/an-address/", "/feeds/latest.rss", "/api/articles/"):
        assert "PLANTEDheadline" in door.get(path).text
    assert planted_places()
    HoldFactory(article=article)

    actions.erase(article=article, at=NOW)

    assert planted_places() == set()
    assert Article.objects.get(pk=article.pk).state == ArticleState.ERASED


def planted_places() -> set[str]:
    """Every table and column in which PLANTED stands; packed pages are gone with their rows."""
    found = set()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}" LIMIT 0')
            for column in [description[0] for description in cursor.description]:
                held = f"LOWER(CAST(\"{column}\" AS TEXT)) LIKE '%%planted%%'"
                cursor.execute(f'SELECT COUNT(*) FROM "{table}" WHERE {held}', [])
                if cursor.fetchone()[0]:
                    found.add(f"{table}.{column}")
    return found


def test_a_person_with_other_articles_is_kept():
    article = ArticleFactory()
    ContributionFactory(article=article, contributor__name="Ann Bo")
    ContributionFactory(contributor__name="Ann Bo")
    HoldFactory(article=article)

    actions.erase(article=article, at=NOW)

    assert Contributor.objects.get().contributions.count() == 1


def test_a_story_takes_its_words_from_an_article_that_stays():
    story = StoryFactory(headline="Erased words", standfirst="More of them")
    article = ArticleFactory(headline="Erased words", story=story)
    other = ArticleFactory(headline="What stays", story=story)
    HoldFactory(article=article)

    actions.erase(article=article, at=NOW)

    assert (Story.objects.get().headline, Story.objects.get().standfirst) == (other.headline, "")


def test_suspending_a_source_empties_every_stored_page():
    door = FrontDoor()
    article = ArticleFactory()
    assert article.headline in door.get("/").text

    actions.suspend_source(source=article.source, at=timezone.now(), by=None, reason="Repeated infringement.")

    assert article.headline not in door.get("/").text
    assert door.get(f"/articles/{article.slug}/").status == 410


def test_synonyms_fold_to_the_tag_we_use():
    tag = TagFactory(name="Climate", slug="climate")
    tag.synonyms.create(name="Global warming", slug="global-warming")

    assert actions.tags_named(["Global Warming", "climate"]) == {"Global Warming": tag, "climate": tag}

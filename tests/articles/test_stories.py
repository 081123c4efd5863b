"""One story, many outlets: what is grouped, what is folded, and what an editor decided stays."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from articles import actions, comparison, reads, search, stories
from articles.fingerprint import signature, text_fingerprint
from articles.models import (
    Article,
    ArticleState,
    Comparison,
    ComparisonKey,
    Heartbeat,
    ReadyPage,
    Story,
    StoryMembership,
)
from newsroom import work
from newsroom.health import TURN
from tests.factories import ArticleFactory, HoldFactory, SourceFactory, StoryFactory, UserFactory

pytestmark = pytest.mark.django_db

DIKE = [
    ("Storm Ilse breaches dike at Norddamm, thousands moved",
     "A dike on the Wemme gave way near Norddamm as Storm Ilse drove the highest tide in 60 years up the river."),
    ("Dike gives way at Norddamm as Storm Ilse drives tide up the Wemme",
     "Some 9,000 people left their homes in Norddamm after Storm Ilse breached the Wemme dike."),
    ("Norddamm flooded: Storm Ilse breaks the Wemme dike",
     "Three districts of Norddamm stood under water after the Wemme dike broke in Storm Ilse."),
]  # fmt: skip
OPERA = (
    "Lost opera by Clémence Audrac found in Saint-Aubrac",
    "The score of an opera believed destroyed in 1793 was found in the library of Saint-Aubrac.",
)
OTHERS = [
    ("Council adjourns after parrot speaks during budget", "The bird, in the gallery, was judged to be out of order."),
    ("Kelp forests return to the coast after trawling ban", "Divers count seahorses for the first time in decades."),
    ("Bank holds rate at 3.75 per cent", "The governor says strike and storm have muddied the figures."),
]  # fmt: skip


def report(told, **fields):
    headline, standfirst = told
    return ArticleFactory(headline=headline, standfirst=standfirst, body="", **fields)


def wire_copy(text, **fields):
    """An article whose text is sketched as ingest would."""
    return ArticleFactory(
        headline=fields.pop("headline", "Talks collapse before dawn"), standfirst="", body=f"<p>{text}</p>",
        signature=signature(text), text_key=text_fingerprint(text), **fields,
    )  # fmt: skip


def text_of(words=160, seed=0):
    return " ".join(f"word{(n * 7919 + seed * 104729) % 100003}" for n in range(words))


def ago(minutes):
    return timezone.now() - timedelta(minutes=minutes)


def relate():
    while stories.relate_due(50, timezone.now()):
        pass


def reread(*articles):
    found = Article.objects.in_bulk([article.pk for article in articles])
    return [found[article.pk] for article in articles]


# --- one event --------------------------------------------------------------------------------


def test_two_outlets_on_one_event_become_a_story_named_by_the_first():
    first, second = report(DIKE[0], published_at=ago(50)), report(DIKE[1], published_at=ago(10))

    relate()

    first, second = reread(first, second)
    assert first.story_id is not None
    assert first.story_id == second.story_id
    story = Story.objects.told().get()
    assert story.told_headline == first.headline
    membership = StoryMembership.objects.get(pk=second.pk)
    assert membership.score >= stories.PAIR
    assert "Norddamm" in membership.reasons


def test_a_different_event_does_not_join():
    for told in DIKE:
        report(told)
    apart = [report(told) for told in [OPERA, *OTHERS]]

    relate()

    assert Story.objects.get().articles.count() == len(DIKE)
    assert all(article.story_id is None for article in reread(*apart))


def test_one_outlet_alone_makes_no_story():
    source = SourceFactory()
    for told in DIKE:
        report(told, source=source)

    relate()

    assert not Story.objects.exists()


def test_figures_alone_bring_nothing_together():
    report(("Harvest of 9,412 tonnes by 1793 growers", "Some 84 sheds were full."), language="en")
    report(("9.412 Besucher sahen 1793 Bilder", "In 84 Räumen hingen sie."), language="de")

    relate()

    assert not Story.objects.exists()


def test_a_story_crosses_languages_by_the_names_in_it():
    english = report(OPERA)
    polish = report(
        ("Opera Clémence Audrac odnaleziona w Saint-Aubrac", "Partytura z 1793 roku leżała w księdze soli."),
        language="pl",
    )
    ukrainian = report(("Перегони в Порт-Мерроу виграла учителька", "Вона бігла в тумані."), language="uk")

    relate()

    english, polish, ukrainian = reread(english, polish, ukrainian)
    assert english.story_id is not None
    assert polish.story_id == english.story_id
    assert ukrainian.story_id is None


def test_a_name_is_one_name_in_other_scripts():
    from articles.similarity import name_form

    assert name_form("Долинна") == name_form("Dolynna")
    assert name_form("Бренні") == name_form("Brenna")
    assert name_form("ヘロン") == name_form("Heron")


def test_reports_that_come_a_fortnight_later_are_another_event():
    report(DIKE[0], published_at=timezone.now() - timedelta(days=15))
    report(DIKE[1])

    relate()

    assert not Story.objects.exists()


def test_a_later_report_joins_the_story_that_is_there():
    report(DIKE[0]), report(DIKE[1])
    relate()

    third = report(DIKE[2])
    relate()

    assert reread(third)[0].story_id == Story.objects.get().pk


def test_a_full_story_takes_no_more(monkeypatch):
    monkeypatch.setattr(stories, "MOST_IN_STORY", 2)
    for told in DIKE:
        report(told)

    relate()

    assert Article.objects.filter(story__isnull=False).count() == 2


def test_drafts_and_embargoed_articles_wait():
    draft = report(DIKE[0], draft=True)
    coming = report(DIKE[1], published_at=timezone.now() + timedelta(hours=1))
    report(DIKE[2])

    relate()

    assert not Story.objects.exists()
    assert all(article.compared_at is None for article in reread(draft, coming))


def test_an_article_changed_by_its_source_is_compared_again(django_user_model):
    article = report(DIKE[0])
    relate()
    assert not stories.to_compare(timezone.now()).exists()

    actions.save_edit(article=article, at=timezone.now(), by=UserFactory(staff=True))

    assert stories.to_compare(timezone.now()).exists()


def test_ready_pages_of_what_was_grouped_are_gone(client):
    first, second = report(DIKE[0]), report(DIKE[1])
    client.get(first.get_absolute_url())

    relate()

    html = client.get(first.get_absolute_url()).content.decode()
    assert second.headline in html
    assert not ReadyPage.objects.filter(path=second.get_absolute_url()).exists()


# --- copies -----------------------------------------------------------------------------------


def test_copies_fold_to_the_earliest_of_another_outlet():
    text = text_of()
    late = wire_copy(text + " cut here", published_at=ago(10))
    first = wire_copy(text, published_at=ago(90))
    middle = wire_copy(text[:-60], published_at=ago(40))

    relate()

    late, first, middle = reread(late, first, middle)
    assert first.copy_of_id is None
    assert {late.copy_of_id, middle.copy_of_id} == {first.pk}
    assert set(Article.objects.without_copies()) == {first}


def test_an_earlier_report_that_comes_later_takes_the_first_place():
    text = text_of()
    first, second = wire_copy(text, published_at=ago(50)), wire_copy(text, published_at=ago(20))
    relate()

    origin = wire_copy(text, published_at=ago(200))
    relate()

    first, second, origin = reread(first, second, origin)
    assert origin.copy_of_id is None
    assert {first.copy_of_id, second.copy_of_id} == {origin.pk}


def test_other_texts_and_the_outlet_s_own_repeats_stay_unfolded():
    source, text = SourceFactory(), text_of()
    wire_copy(text, source=source), wire_copy(text + " again", source=source)
    wire_copy(text_of(seed=3), headline="Ferry refloated")

    relate()

    assert not Article.objects.filter(copy_of__isnull=False).exists()


def test_a_copy_follows_its_primary_into_the_story():
    text = " ".join(DIKE[0]) + " " + text_of()
    first = wire_copy(text, headline=DIKE[0][0], published_at=ago(60))
    copy = wire_copy(text, headline=DIKE[0][0], published_at=ago(50))
    relate()
    report(DIKE[1], published_at=ago(10))

    relate()

    first, copy = reread(first, copy)
    assert first.story_id is not None
    assert copy.story_id == first.story_id


def test_a_copy_that_was_rewritten_stands_on_its_own_again():
    text = text_of()
    wire_copy(text, published_at=ago(60))
    copy = wire_copy(text, published_at=ago(30))
    relate()
    assert reread(copy)[0].copy_of_id is not None

    Article.objects.filter(pk=copy.pk).update(signature=signature(text_of(seed=9)), compared_at=None)
    relate()

    assert reread(copy)[0].copy_of_id is None


def test_an_editor_unfolds_a_copy_for_good():
    text = text_of()
    wire_copy(text, published_at=ago(60))
    copy = wire_copy(text, published_at=ago(30))
    relate()

    stories.unfold(article=reread(copy)[0], by=UserFactory(staff=True), at=timezone.now())
    Article.objects.update(compared_at=None)
    relate()

    assert reread(copy)[0].copy_of_id is None


def test_a_text_is_listed_once_and_names_who_else_published_it(client):
    text = text_of()
    first = wire_copy(text, headline="Talks collapse at dawn", published_at=ago(60))
    copy = wire_copy(text, headline="No deal on the docks", published_at=ago(30))
    assert copy.headline in client.get("/latest/").content.decode()

    relate()

    for path in ("/", "/latest/"):
        html = client.get(path).content.decode()
        assert first.headline in html
        assert copy.headline not in html
    assert copy.get_absolute_url() in client.get(first.get_absolute_url()).content.decode()
    page = client.get(copy.get_absolute_url()).content.decode()
    assert copy.headline in page
    assert first.get_absolute_url() in page


# --- removal ----------------------------------------------------------------------------------


def test_a_withheld_lead_leaves_its_story_with_another_headline(client):
    first, second = report(DIKE[0], published_at=ago(60)), report(DIKE[1], published_at=ago(30))
    relate()
    story = Story.objects.get()

    HoldFactory(article=first)

    html = client.get(story.get_absolute_url()).content.decode()
    assert f"<h1><bdi>{second.headline}</bdi></h1>" in html
    assert first.headline not in html
    assert first.headline not in client.get(second.get_absolute_url()).content.decode()


def test_a_removed_primary_s_copies_are_listed_for_the_moderator_and_shown_when_it_is_erased():
    text = text_of()
    first, copy = wire_copy(text, published_at=ago(60)), wire_copy(text + " more", published_at=ago(30))
    relate()

    HoldFactory(article=first)

    ((found, alike),) = stories.copies_of(reread(first)[0])
    assert found == copy
    assert alike > stories.COPY
    public = Article.objects.public()
    assert copy in public
    assert copy not in public.without_copies()

    actions.erase(article=first, at=timezone.now())

    assert copy in public.without_copies()


def test_erasing_leaves_no_term_and_no_membership():
    first, second = report(DIKE[0]), report(DIKE[1])
    relate()
    assert ComparisonKey.objects.filter(article_id=first.pk).exists()

    HoldFactory(article=first)
    actions.erase(article=first, at=timezone.now())

    assert not ComparisonKey.objects.filter(article_id=first.pk).exists()
    assert not Comparison.objects.filter(pk=first.pk).exists()
    assert not StoryMembership.objects.filter(pk=first.pk).exists()
    assert reread(second)[0].story_id is not None
    assert Story.objects.told().get().told_headline == second.headline


def test_an_article_erased_while_it_waits_is_not_compared():
    article = report(DIKE[0])
    Article.objects.filter(pk=article.pk).update(state=ArticleState.ERASED)

    stories.relate([article.pk], at=timezone.now())

    assert not Comparison.objects.exists()


def test_what_is_older_than_ninety_days_is_forgotten():
    old, young = report(DIKE[0]), report(OPERA)
    relate()
    Comparison.objects.filter(pk=old.pk).update(published_at=timezone.now() - timedelta(days=91))
    # The hour is part of the key under which a row is deleted.
    hour = comparison.hour_of(timezone.now() - timedelta(days=91))
    ComparisonKey.objects.filter(article_id=old.pk).update(hour=hour)

    assert comparison.prune(10, timezone.now()) == 1

    assert set(ComparisonKey.objects.values_list("article_id", flat=True)) == {young.pk}


# --- editors ----------------------------------------------------------------------------------


def test_what_an_editor_split_off_stays_out():
    editor, articles = UserFactory(staff=True), [report(told) for told in DIKE]
    relate()

    stories.split(articles=[articles[0].pk], by=editor, at=timezone.now())
    Article.objects.update(compared_at=None)
    report(("Wemme dike: Storm Ilse floods Norddamm", "Storm Ilse broke the dike on the Wemme at Norddamm."))
    relate()

    assert reread(articles[0])[0].story_id is None
    assert StoryMembership.objects.get(pk=articles[0].pk).by == editor


def test_what_an_editor_placed_by_hand_is_not_moved():
    chosen = StoryFactory()
    placed = report(DIKE[0], story=chosen)
    report(DIKE[1]), report(DIKE[2])

    relate()

    assert reread(placed)[0].story_id == chosen.pk
    assert StoryMembership.objects.get(pk=placed.pk).pinned


def test_what_an_editor_took_from_a_story_by_hand_is_not_put_back():
    first, second = report(DIKE[0]), report(DIKE[1])
    relate()

    Article.objects.filter(pk=second.pk).update(story=None, compared_at=None)
    relate()

    assert reread(second)[0].story_id is None
    assert reread(first)[0].story_id is not None


def test_merged_stories_are_one_and_the_old_address_leads_there(client):
    one, other = StoryFactory(), StoryFactory()
    article = report(OPERA, story=one)
    moved = report(DIKE[0], story=other)

    stories.merge(stories=[one, other], into=one, by=UserFactory(), at=timezone.now())

    assert set(one.articles.all()) == {article, moved}
    answer = client.get(other.get_absolute_url())
    assert answer.status_code == 301
    assert answer.url == one.get_absolute_url()


def test_an_editor_names_a_story_or_chooses_who_does(client):
    _, second = report(DIKE[0], published_at=ago(60)), report(DIKE[1], published_at=ago(30))
    relate()
    story = Story.objects.get()

    stories.rename(story=story, headline="The night of the dike")
    assert "The night of the dike" in client.get(story.get_absolute_url()).content.decode()

    stories.choose_lead(story=story, article=reread(second)[0])
    assert Story.objects.told().get().told_headline == second.headline
    with pytest.raises(stories.NotTogether):
        stories.choose_lead(story=story, article=report(OPERA))


# --- the work ---------------------------------------------------------------------------------


def test_what_another_worker_compared_or_somebody_changed_meanwhile_is_left_as_it_is():
    compared, changed = report(DIKE[0]), report(DIKE[1])
    at = timezone.now()
    subjects = comparison.described([compared.pk, changed.pk])
    Article.objects.filter(pk=compared.pk).update(compared_at=at)
    Article.objects.filter(pk=changed.pk).update(version=changed.version + 1, body="<p>Other words.</p>")

    stories._relate(subjects, at=at)

    assert not Comparison.objects.exists()
    assert [one.compared_at for one in reread(compared, changed)] == [at, None]
    assert stories.relate_due(10, at) == 1


def test_one_worker_compares_at_a_time_and_one_that_died_is_waited_for_a_minute():
    report(DIKE[0]), report(DIKE[1])
    at, [kind] = timezone.now(), [kind for kind in work.KINDS if kind.name == "group stories"]
    died = Heartbeat.objects.create(name=f"{TURN}group stories", at=at + timedelta(minutes=1))

    assert kind.run(1, at) == 0
    assert kind.run(1, died.at) == 1
    # Who is done lets the next one begin at once.
    assert kind.run(1, died.at) == 1
    assert Story.objects.get().articles.count() == 2


def test_while_one_worker_has_the_turn_another_does_other_work():
    meanwhile = []

    def run(limit, at):
        meanwhile.append(kind.run(limit, at))
        return 1

    kind = work.by_one(work.Kind("one", run, waiting=lambda at: True))

    assert kind.run(1, timezone.now()) == 1
    assert meanwhile == [0]


@pytest.mark.django_db(transaction=True)
def test_of_two_workers_at_once_each_sees_what_the_other_grouped():
    articles = [report(DIKE[n % 3], published_at=ago(60 - n)) for n in range(12)]
    at = timezone.now()

    def work():
        while stories.relate_due(1, at):
            pass
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)

    assert Story.objects.get().articles.count() == len(articles)


def test_a_batch_asks_the_same_few_questions_for_two_articles_and_for_forty():
    def asked():
        with CaptureQueriesContext(connection) as captured:
            stories.relate_due(50, timezone.now())
        return len(captured)

    report(OTHERS[0]), report(OTHERS[1])
    few = asked()
    for n in range(40):
        words = text_of(12, seed=n).replace("word", "w")
        report((words[:60], words[60:]))

    assert asked() <= few
    assert few <= 19


def test_a_term_that_a_crowd_has_is_kept_of_no_more(monkeypatch):
    monkeypatch.setattr(comparison, "CROWD", 3)
    for n in range(9):
        report((f"Zanzibar meets club{n} again", f"Hall{n * 53} was full."))
        relate()

    (zanzibar,) = {
        key
        for key, term in comparison.terms_of("They saw Zanzibar", "", "en").items()
        if term.said == "Zanzibar"
    }
    assert ComparisonKey.objects.filter(key=zanzibar).count() == 3


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL counts how many rows meet a condition")
def test_what_is_asked_of_a_batch_does_not_look_through_all_that_is_published() -> None:
    pks = [report(DIKE[number % 3]).pk for number in range(30)]
    slugs = Article.objects.values_list("slug", flat=True)
    Article.objects.update(compared_at=None)
    with CaptureQueriesContext(connection) as asked:
        stories.relate(pks, at=timezone.now())
        search.index(pks)
        reads.add(Counter(slugs), on=timezone.now().date())
    with connection.cursor() as cursor:
        for query in asked.captured_queries:
            if "articles_article" in query["sql"] and query["sql"].startswith(("SELECT", "UPDATE")):
                cursor.execute(f"EXPLAIN QUERY PLAN {query['sql']}")
                steps = [row[3] for row in cursor.fetchall()]
                assert not [step for step in steps if "articles_article " in step and "(state=?" in step], (
                    query
                )

"""The audit log: who changed what, from what to what, from where; who may read it; and what never enters it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from articles import actions, curating, stories
from articles.models import HoldKind, Source
from newsroom import audit, roles
from tests.desk.test_articles import form_of, save
from tests.factories import ArticleFactory, MediaFactory, SourceFactory, StoryFactory, UserFactory

pytestmark = pytest.mark.django_db
LIST = "/admin/auditlog/logentry/"


@pytest.fixture
def desk(client: Client) -> Client:
    client.force_login(UserFactory(superuser=True, username="ann"))
    return client


def change_terms(desk: Client, source: Source, **terms: Any) -> None:
    form = desk.get(f"/admin/articles/source/{source.pk}/change/").context["adminform"].form
    data = {field.html_name: field.value() for field in form if field.value() is not None}
    answer = desk.post(
        f"/admin/articles/source/{source.pk}/change/", data | terms, REMOTE_ADDR="198.51.100.4"
    )
    assert answer.status_code == 302


def test_a_change_is_told_with_who_and_where_and_before_and_after(desk: Client) -> None:
    source = SourceFactory(terms="Ten words.", usage="excerpt")

    change_terms(desk, source, terms="Twenty words.")

    entry = LogEntry.objects.get(action=LogEntry.Action.UPDATE, content_type__model="source")
    assert (str(entry.actor.username), entry.remote_addr) == ("ann", "198.51.100.4")
    assert entry.changes["terms"] == ["Ten words.", "Twenty words."]
    page = desk.get(LIST).content.decode()
    assert "Ten words. → Twenty words." in page


def test_an_article_s_moves_and_facts_are_told_and_none_of_its_words(desk: Client) -> None:
    article = ArticleFactory(draft=True, headline="PLANTED headline", body="<p>PLANTED body</p>")

    save(desk, article, form_of(desk, article, headline="PLANTED again", language="de", _move="publish"))

    told = {
        name: change for e in LogEntry.objects.order_by("pk") for name, change in (e.changes or {}).items()
    }
    assert told["state"] == ["draft", "published"]
    assert told["language"] == ["en", "de"]
    assert "PLANTED" not in json.dumps([[e.object_repr, e.changes] for e in LogEntry.objects.all()])


def test_nothing_of_a_removed_article_lives_on_in_it(desk: Client) -> None:
    article, now = ArticleFactory(headline="PLANTED in the open"), timezone.now()
    save(desk, article, form_of(desk, article, standfirst="PLANTED", correction="PLANTED correction"))
    actions.place_hold(
        article=article, kind=HoldKind.LEGAL, reference="claim:1", effective_at=now, at=now, by=None
    )

    actions.erase(article=article, at=now)

    assert not [
        e for e in LogEntry.objects.all() if "PLANTED" in f"{e.object_repr}{e.changes}{e.changes_text}"
    ]


def test_pins_pictures_and_stories_are_told_and_none_of_their_words(desk: Client) -> None:
    user = UserFactory()
    article, media, story = ArticleFactory(), MediaFactory(alt="PLANTED"), StoryFactory(headline="PLANTED")
    curating.arrange(places=[curating.Place(article.pk, None)], opened=curating.arrangement([]), by=user,
                     at=timezone.now())  # fmt: skip
    stories.place(articles=[article.pk], story=story, by=user, at=timezone.now())
    article.refresh_from_db()
    stories.choose_lead(story=story, article=article)
    for row, changed in ((media, {"credit": "PLANTED too"}), (story, {"headline": "PLANTED again"})):
        address = f"/admin/articles/{row._meta.model_name}/{row.pk}/change/"
        form = desk.get(address).context["adminform"].form
        data = {field.html_name: field.value() for field in form if field.value() not in (None, False)}
        assert desk.post(address, data | changed).status_code == 302

    told = [(e.content_type.model, e.changes) for e in LogEntry.objects.order_by("pk") if e.actor]
    assert ("article", {"front page": ["not pinned", "top, place 1"]}) in told
    assert ("article", {"story_id": ["None", str(story.pk)]}) in told
    assert ("media", {"credit": ["…", "changed"]}) in told
    assert ("story", {"headline": ["…", "changed"]}) in told
    assert LogEntry.objects.filter(
        content_type__model="story", changes__lead_id=["None", str(article.pk)]
    ).exists()
    assert "PLANTED" not in json.dumps([[e.object_repr, e.changes] for e in LogEntry.objects.all()])


def test_a_right_given_is_told_and_no_password_is(desk: Client) -> None:
    user = UserFactory(staff=True)

    user.groups.add(Group.objects.get(name=roles.CHIEFS))
    user.set_password("another long password")
    user.save()

    told = json.dumps([entry.changes for entry in LogEntry.objects.all()])
    assert "Chiefs" in told
    assert "password" not in told


def test_what_is_listed_is_exported_whole_and_safe_for_a_spreadsheet(desk: Client) -> None:
    source, other = SourceFactory(name="=HYPERLINK(1)", usage="excerpt"), SourceFactory(usage="excerpt")
    change_terms(desk, source, terms="A")
    change_terms(desk, other, terms="B")

    lines = b"".join(desk.get(f"{LIST}export/jsonl/?q={other.name}")).decode().splitlines()
    table = b"".join(desk.get(f"{LIST}export/csv/")).decode()

    assert [json.loads(line)["named"] for line in lines] == [other.name] * 2
    assert "'=HYPERLINK(1)" in table
    assert ",=HYPERLINK" not in table


@pytest.mark.parametrize("role", sorted(roles.GROUPS))
def test_auditors_alone_read_it_and_nobody_changes_it(role: str, client: Client) -> None:
    SourceFactory()
    entry = LogEntry.objects.first()
    user = UserFactory(staff=True)
    user.groups.add(Group.objects.get(name=role))
    client.force_login(user)
    wanted = 200 if role == roles.AUDITORS else 403

    assert client.get(LIST).status_code == wanted
    assert client.get(f"{LIST}export/csv/").status_code == wanted
    assert client.post(f"{LIST}{entry.pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.post(f"{LIST}{entry.pk}/change/", {}).status_code == 403


def test_it_is_forgotten_after_its_time() -> None:
    SourceFactory()
    LogEntry.objects.update(timestamp=timezone.now() - audit.KEPT - timedelta(seconds=1))
    SourceFactory()

    audit.prune(100, timezone.now())

    assert LogEntry.objects.count() == 1


def test_a_reader_s_request_knows_nothing_of_it(client: Client) -> None:
    """The middleware looks at who asks, which would make every public page personal."""
    answer = client.get("/")

    assert "Cookie" not in answer.headers.get("Vary", "")

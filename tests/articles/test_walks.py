"""Changes to very many articles go in portions, and on from where they ended."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from articles import search, surfaces, walks
from articles.merging import merge_tags
from articles.models import Article, ReadyPage, Tag, Walk, WalkKind
from tests.factories import ArticleFactory, SourceFactory, TagFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Portions of two articles, nine keys looked through for them."""
    monkeypatch.setattr(walks, "AT_ONCE", 2)
    monkeypatch.setattr(walks, "SPAN", 9)


def tagged(name: str) -> set[int]:
    return set(Article.objects.filter(tags__name=name).values_list("pk", flat=True))


def test_a_walk_that_was_killed_goes_on_where_it_was_and_changes_each_article_once() -> None:
    at = timezone.now()
    mine = [ArticleFactory(tags=["Ports"], headline=f"Ferry {n}").pk for n in range(5)]
    other = ArticleFactory(tags=["Rivers"])
    ships = TagFactory(name="Ships")
    walk = walks.ask(WalkKind.RETAG, walks.Of(tagged=Tag.objects.get(name="Ports")), tag=ships, at=at)
    shown = surfaces.Shown(began=surfaces.now(), keys={f"article:{mine[0]}"}, article_ids={mine[0]})
    surfaces.store("/x/", build="", headers={}, packed=surfaces.pack(b"x", "1"), shown=shown)

    token = Walk.objects.claim(walk.pk, at=at, seconds=60)
    next(walks.steps(walk.pk, token, at=at))
    while not tagged("Ships"):  # keys before the first of ours
        next(walks.steps(walk.pk, token, at=at))

    assert len(tagged("Ships")) <= 2
    assert not ReadyPage.objects.filter(path="/x/").exists()
    assert not walks.go_on(walk, at=at), "somebody else has it"

    later = at + timedelta(minutes=2)
    while walks.run_due(5, later):
        pass
    walk.refresh_from_db()

    assert tagged("Ships") == set(mine)
    assert not tagged("Ports")
    assert tagged("Rivers") == {other.pk}
    assert (walk.done, walk.share) == (5, 1.0)
    assert len(search.find("ferry", tag=ships.slug).hits) == 5


def test_who_lost_the_lease_writes_nothing() -> None:
    at = timezone.now()
    ArticleFactory(tags=["Ports"])
    walk = walks.ask(
        WalkKind.UNTAG,
        walks.Of(tagged=Tag.objects.get(name="Ports")),
        tag=Tag.objects.get(name="Ports"),
        at=at,
    )
    Walk.objects.claim(walk.pk, at=at, seconds=60)

    assert list(walks.steps(walk.pk, "another's", at=at)) == []
    assert tagged("Ports")


def test_a_large_merge_leaves_search_to_a_walk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("articles.merging.ARTICLES_AT_ONCE", 1)
    for headline in ("Ferry one", "Ferry two"):
        ArticleFactory(tags=["Boats"], headline=headline)
    ships = TagFactory(name="Ships")

    merge_tags(kept=ships, others=[Tag.objects.get(name="Boats")], by=None)
    assert len(tagged("Ships")) == 2
    while walks.run_due(5, timezone.now()):
        pass

    assert len(search.find("ferry", tag=ships.slug).hits) == 2


def test_the_commands_tag_an_outlets_articles_and_suspend_it(client: Client) -> None:
    source = SourceFactory(slug="post")
    article = ArticleFactory(source=source)
    TagFactory(name="Ports")
    said = StringIO()

    call_command("tag_articles", "ports", source="post", stdout=said)
    call_command("suspend_source", "post", reason="They asked.", stdout=said)

    assert tagged("Ports") == {article.pk}
    assert "100%" in said.getvalue()
    assert client.get(article.get_absolute_url()).status_code == 410
    call_command("suspend_source", "post", lift=True, stdout=said)
    assert client.get(article.get_absolute_url()).status_code == 200
    with pytest.raises(CommandError, match="no tag nowhere"):
        call_command("tag_articles", "nowhere", source="post", stdout=said)


def test_the_desk_asks_for_one_and_shows_how_far_it_is(client: Client) -> None:
    client.force_login(UserFactory(superuser=True))
    source, tag = ArticleFactory(source=SourceFactory()).source, TagFactory(name="Ports")
    add, every = reverse("admin:articles_walk_add"), reverse("admin:articles_walk_changelist")
    said: dict[str, Any] = {"kind": "tag", "tag": tag.pk, "source": source.pk, "tagged": tag.pk}

    refused = client.post(add, said)
    client.post(add, said | {"tagged": ""})

    assert "Name one outlet" in refused.content.decode()
    assert Walk.objects.get().source == source
    assert "0 %" in client.get(every).content.decode()

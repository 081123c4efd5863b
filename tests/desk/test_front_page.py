"""The front page arranged by the desk: pins, their end, and what happens to what readers may not see."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from articles import actions, curating
from articles.models import Article, ArticleState, FrontPin, HoldKind, ReadyPage, Tag
from newsroom import roles
from tests.factories import ArticleFactory, HoldFactory, TagFactory, UserFactory
from tests.front_door import FrontDoor

pytestmark = pytest.mark.django_db
BOARD = "/admin/articles/frontpin/"


@pytest.fixture
def desk(client: Client) -> Client:
    client.force_login(UserFactory(superuser=True))
    return client


def arranged(desk: Client, *, opened: str | None = None, **fields: Any) -> str:
    """Save the board with these pins, as it stands opened now."""
    opened = curating.arrangement(FrontPin.objects.all()) if opened is None else opened
    sent = {name.replace("pin_", "pin-"): value for name, value in fields.items()} | {"opened": opened}
    return str(desk.post(BOARD, sent, follow=True).content.decode())


def lead() -> str:
    page = Client().get("/").content.decode()
    found = re.search(r'teaser-lead.*?<h2><a href="([^"]+)"', page, re.DOTALL)
    return found.group(1) if found else ""


def test_a_pinned_article_leads_until_its_time_is_over(desk: Client) -> None:
    old = ArticleFactory(published_at=timezone.now() - timedelta(days=9))
    newest = ArticleFactory()

    arranged(desk, pin_top=[old.pk], **{f"until-{old.pk}": "2099-01-01T10:00"})
    assert lead() == old.get_absolute_url()
    FrontPin.objects.update(until=timezone.now() - timedelta(seconds=1))

    assert lead() == newest.get_absolute_url()


def test_the_ready_page_ends_with_the_first_pin(desk: Client) -> None:
    article = ArticleFactory()
    until = timezone.now() + timedelta(hours=1)
    arranged(desk, pin_top=[article.pk], **{f"until-{article.pk}": until.strftime("%Y-%m-%dT%H:%M:%S")})

    FrontDoor().get("/")

    assert ReadyPage.objects.get(path="/").valid_until == until.replace(microsecond=0)


def test_rows_are_ordered_on_the_board_and_nobody_is_overwritten(desk: Client) -> None:
    first, second, third = (TagFactory(name=name, featured=True, position=n) for n, name in enumerate("ABC"))
    stood, wanted = [first.pk, second.pk, third.pk], [third.pk, first.pk, second.pk]
    sent = {"row": wanted, "rows_opened": ",".join(map(str, stood))}

    preview = desk.post(f"{BOARD}preview/", sent)
    assert re.findall(r'href="/tags/(\w+)/"', preview.content.decode()) == ["c", "a", "b"]
    assert list(Tag.objects.filter(featured=True).values_list("pk", flat=True)) == stood
    assert "Readers have this front page now." in arranged(desk, **sent)
    assert list(Tag.objects.filter(featured=True).values_list("pk", flat=True)) == wanted

    assert "moved the rows" in arranged(desk, **sent | {"row": stood[::-1]})
    editor = UserFactory(staff=True)
    editor.groups.add(Group.objects.get(name=roles.EDITORS))
    desk.force_login(editor)
    assert 'name="row"' not in desk.get(BOARD).content.decode()
    arranged(desk, row=stood, rows_opened=",".join(map(str, wanted)))
    assert list(Tag.objects.filter(featured=True).values_list("pk", flat=True)) == wanted


def test_saving_takes_the_ready_front_page_away_and_no_other(desk: Client) -> None:
    article = ArticleFactory()
    door = FrontDoor()
    for path in ("/", "/latest/", article.get_absolute_url()):
        door.get(path)

    arranged(desk, pin_top=[article.pk])

    assert set(ReadyPage.objects.values_list("path", flat=True)) == {"/latest/", article.get_absolute_url()}


@pytest.mark.parametrize("gone", ["held", "taken back", "embargoed"])
def test_what_readers_may_not_see_drops_out_and_comes_back(desk: Client, gone: str) -> None:
    pinned, other = ArticleFactory(), ArticleFactory()
    arranged(desk, pin_top=[pinned.pk])

    if gone == "held":
        hold = HoldFactory(article=pinned)
    elif gone == "taken back":
        actions.set_aside(article=pinned, to=ArticleState.DRAFT, by=None)
    else:
        Article.objects.filter(pk=pinned.pk).update(published_at=timezone.now() + timedelta(hours=1))

    assert lead() == other.get_absolute_url()
    assert "Not shown" in desk.get(BOARD).content.decode()
    if gone == "held":
        actions.release_hold(hold=hold, at=timezone.now(), by=None)
        assert lead() == pinned.get_absolute_url()


def test_an_erased_article_leaves_no_pin(desk: Client) -> None:
    article, now = ArticleFactory(), timezone.now()
    arranged(desk, pin_top=[article.pk])
    actions.place_hold(
        article=article, kind=HoldKind.LEGAL, reference="claim:1", effective_at=now, at=now, by=None
    )

    actions.erase(article=article, at=now)

    assert not FrontPin.objects.exists()


def test_a_row_begins_with_what_is_pinned_to_it_and_shows_nothing_twice(desk: Client) -> None:
    tag = TagFactory(name="Harbours", featured=True)
    tagged = ArticleFactory.create_batch(5, tags=["Harbours"])
    outside = ArticleFactory(headline="Not tagged at all", published_at=timezone.now() - timedelta(days=30))

    arranged(desk, **{f"pin-{tag.pk}": [outside.pk], "pin-top": [tagged[0].pk]})

    page = Client().get("/").content.decode()
    row = page.split('aria-label="Harbours"')[1].split("</section>")[0]
    assert row.index("Not tagged at all") < row.index("<ul")
    for article in [outside, *tagged]:
        assert page.count(f'href="{article.get_absolute_url()}"') <= 1


def test_of_two_who_arrange_at_once_the_second_is_told_and_keeps_what_was_done(desk: Client) -> None:
    first, second = ArticleFactory(), ArticleFactory(headline="Mine to pin")
    opened = curating.arrangement([])
    arranged(desk, pin_top=[first.pk], opened=opened)

    page = arranged(desk, pin_top=[second.pk], opened=opened)

    assert "Somebody arranged the front page meanwhile" in page
    assert list(FrontPin.objects.values_list("article_id", flat=True)) == [first.pk]
    assert re.search(rf'name="pin-top" value="{second.pk}"\s*>', page)


@pytest.mark.parametrize("wrong", ["too many", "twice", "unknown"])
def test_an_arrangement_that_cannot_be_is_refused_in_words(desk: Client, wrong: str) -> None:
    tag, articles = TagFactory(featured=True), ArticleFactory.create_batch(5)
    ids = [article.pk for article in articles]
    fields = {
        "too many": {"pin-top": ids},
        "twice": {"pin-top": ids[:1], f"pin-{tag.pk}": ids[:1]},
        "unknown": {"pin-top": [987654]},
    }[wrong]

    page = arranged(desk, **fields)

    assert 'class="error"' in page
    assert not FrontPin.objects.exists()


def test_the_preview_shows_the_arrangement_and_saves_nothing(desk: Client) -> None:
    old, _ = ArticleFactory(published_at=timezone.now() - timedelta(days=9)), ArticleFactory()

    page = desk.post(f"{BOARD}preview/", {"pin-top": [old.pk]}).content.decode()

    assert old.get_absolute_url() in page.split("teaser-lead")[1].split("</h2>")[0]
    assert not FrontPin.objects.exists()


@pytest.mark.parametrize(
    ("role", "sees", "arranges"),
    [(roles.EDITORS, True, True), (roles.CHIEFS, True, True), (roles.AUDITORS, True, False),
     (roles.CONTRIBUTORS, False, False), (roles.RIGHTS_MANAGERS, False, False)],
)  # fmt: skip
def test_each_role_may_look_or_arrange(role: str, sees: bool, arranges: bool, client: Client) -> None:
    user = UserFactory(staff=True)
    user.groups.add(Group.objects.get(name=role))
    client.force_login(user)
    article = ArticleFactory()

    assert client.get(BOARD).status_code == (200 if sees else 403)
    assert ("Save: readers" in client.get(BOARD).content.decode()) == arranges
    client.post(BOARD, {"pin-top": [article.pk], "opened": curating.arrangement([])})
    assert FrontPin.objects.exists() == arranges
    assert client.post(f"{BOARD}preview/", {}).status_code == (200 if arranges else 403)

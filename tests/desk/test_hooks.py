"""Programs that follow the desk: told what is so when it takes effect, once, signed; and nothing of the text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from articles import actions, hooks
from articles.models import Article, ArticleState, HoldKind, Hook, HookDelivery, HookEvent
from articles.webhooks import NotUsable, secret_of, sign
from tests.factories import ArticleFactory, UserFactory, correct
from tests.loopback import WebServer, web_server

pytestmark = pytest.mark.django_db
EVENTS = [event for event in HookEvent.values if event != HookEvent.PING]


@pytest.fixture(scope="module")
def server() -> Iterator[WebServer]:
    with web_server() as running:
        running.put("/hook", b"thanks")
        yield running


@pytest.fixture
def web(server: WebServer) -> WebServer:
    server.asked.clear()
    return server


def follow(web: WebServer, events: list[str] = EVENTS) -> Hook:
    return hooks.register(name="App", url=web.url("/hook"), events=events, by=None, at=timezone.now())


def told(web: WebServer, *, after: timedelta = timedelta(0)) -> list[str]:
    hooks.send_due(100, timezone.now() + after)
    return [json.loads(asked.body)["type"].removeprefix("article.") for asked in web.asked]


def withhold(article: Article, *, hours: float) -> None:
    now = timezone.now()
    actions.place_hold(
        article=article, kind=HoldKind.LEGAL, reference="claim:1", effective_at=now + timedelta(hours=hours), at=now,
        by=None,
    )  # fmt: skip


def test_what_the_desk_does_is_told_in_its_order_with_a_signature(web: WebServer) -> None:
    hook, at = follow(web), timezone.now()
    article = ArticleFactory(draft=True, headline="Pink and restless sky")

    actions.publish(article=article, at=at, by=None)
    correct(article=article, at=at, by=None, note="Ten.", headline="Pink and restless skies")
    told(web)
    actions.retract(article=article, at=at, by=None, note="We were misled.")
    assert told(web) == ["published", "corrected", "retracted"]
    actions.publish(article=article, at=at, by=None)
    actions.set_aside(article=article, to=ArticleState.DRAFT, by=None)

    assert told(web) == ["published", "corrected", "retracted", "removed"]
    said = json.loads(web.asked[0].body)
    assert (said["article"], said["version"]) == (str(article.key), 2)
    header = web.asked[0].headers["Newsroom-Signature"]
    signed = int(header.partition(",")[0].removeprefix("t="))
    moment = timezone.now().fromtimestamp(signed, tz=at.tzinfo)
    assert header == sign(secret_of(hook), web.asked[0].body, at=moment)


def test_a_removal_is_told_when_its_deadline_comes_and_so_is_its_end(web: WebServer) -> None:
    follow(web)
    article = ArticleFactory()

    withhold(article, hours=5)
    assert told(web) == []
    withhold(article, hours=-1)
    assert told(web) == ["removed"]
    actions.release_hold(hold=article.holds.get(), at=timezone.now(), by=None)
    assert told(web) == ["removed", "published"]


def test_what_is_no_longer_so_is_not_told(web: WebServer) -> None:
    follow(web)
    released, early = ArticleFactory(), ArticleFactory(draft=True)
    withhold(released, hours=5)
    actions.release_hold(hold=released.holds.get(), at=timezone.now(), by=None)
    tomorrow = timezone.now() + timedelta(days=1)
    actions.publish(article=early, at=timezone.now(), by=None, embargo_until=tomorrow)
    early.published_at = tomorrow + timedelta(days=1)
    actions.save_edit(article=early, at=timezone.now(), by=None)

    assert told(web, after=timedelta(hours=25)) == []
    assert list(HookDelivery.objects.order_by("pk").values_list("last_error", flat=True)) == [
        "No longer so.",
        "",
    ]
    early.published_at = timezone.now() - timedelta(minutes=1)
    actions.save_edit(article=early, at=timezone.now(), by=None)
    assert told(web) == ["published"]


def test_many_at_once_cost_as_many_statements_and_other_events_are_left_out(
    web: WebServer, django_assert_max_num_queries: object
) -> None:
    follow(web, [HookEvent.REMOVED])
    articles, now = [ArticleFactory() for _ in range(4)], timezone.now()

    actions.place_holds(
        wanted=[(article, f"claim:{article.pk}", now) for article in articles],
        kind=HoldKind.LEGAL,
        at=now,
        by=None,
    )
    correct(article=ArticleFactory(), at=now, by=None, note="Ten.")

    assert told(web) == ["removed"] * 4


def test_nobody_is_told_who_ended_it_or_listens_where_nothing_may_go(web: WebServer, settings) -> None:
    hook = follow(web)
    withhold(ArticleFactory(), hours=-1)
    hooks.end(hook=hook, at=timezone.now())
    settings.FETCH_ALLOW_NETWORKS = []

    assert told(web) == []
    for url in (
        "http://app.example/hook",
        "https://a:b@app.example/",
        "ftp://app.example/",
    ):
        with pytest.raises(NotUsable):
            hooks.register(name="App", url=url, events=EVENTS, by=None, at=timezone.now())


def test_a_chief_registers_one_tries_it_and_ends_it(web: WebServer, client: Client) -> None:
    client.force_login(UserFactory(superuser=True))
    bad = client.post("/admin/articles/hook/add/", {"name": "App", "url": "gopher://x", "events": EVENTS})
    assert "cannot be used" in bad.content.decode()

    client.post("/admin/articles/hook/add/", {"name": "App", "url": web.url("/hook"), "events": EVENTS[:2]})
    hook = Hook.objects.get()
    client.post("/admin/articles/hook/", {"action": "ping", "_selected_action": [hook.pk]})

    assert told(web) == ["ping"]
    page = client.get(f"/admin/articles/hook/{hook.pk}/change/").content.decode()
    assert secret_of(hook) in page
    assert "taken, answered 200" in page
    client.post("/admin/articles/hook/", {"action": "end", "_selected_action": [hook.pk]})
    hook.refresh_from_db()
    assert hook.ended_at
    assert secret_of(hook) not in client.get(f"/admin/articles/hook/{hook.pk}/change/").content.decode()

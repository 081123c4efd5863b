"""Who may do what at the desk: each role, each list, each form, each button."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from accounts.models import User
from aggregator.models import Feed
from articles import actions
from articles.models import Article, ArticleState, HoldKind
from newsroom import roles
from tests.factories import (
    ArticleFactory,
    ContributorFactory,
    MediaFactory,
    StoryFactory,
    TagFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

V, A, C = "view", "add", "change"
OWNERS = {name: {V} for name in ("measure", "domainproof", "standingoptout", "apikey", "webhook")}
# role → model → what may be done. A model that is not named may not even be looked at.
MAY: dict[str, dict[str, set[str]]] = {
    roles.CONTRIBUTORS: {
        "article": {V, A, C}, "contributor": {V, A}, "tag": {V}, "source": {V}, "story": {V},
        "media": {V, A},
    },
    roles.EDITORS: {
        "article": {V, A, C}, "contributor": {V, A, C}, "tag": {V}, "source": {V}, "story": {V, A, C},
        "media": {V, A, C}, "feed": {V},
    },
    roles.CHIEFS: {
        "article": {V, A, C}, "contributor": {V, A, C}, "tag": {V, A, C}, "source": {V, A, C},
        "story": {V, A, C}, "media": {V, A, C}, "feed": {V, A, C}, "sitepage": {V, A, C},
    },
    roles.MODERATORS: {
        "article": {V}, "contributor": {V}, "tag": {V}, "source": {V}, "story": {V}, "media": {V},
        "claim": {V}, "notice": {V}, "ledgerentry": {V}, **OWNERS, "cannedreason": {V, A, C},
    },
    roles.RIGHTS_MANAGERS: {
        "article": {V}, "contributor": {V}, "tag": {V}, "source": {V, C}, "story": {V}, "media": {V, C},
        "claim": {V}, "notice": {V}, "ledgerentry": {V}, **OWNERS, "cannedreason": {V},
    },
    roles.AUDITORS: {
        "article": {V}, "contributor": {V}, "tag": {V}, "source": {V}, "story": {V}, "media": {V},
        "feed": {V}, "claim": {V}, "notice": {V}, "ledgerentry": {V}, "user": {V}, **OWNERS, "cannedreason": {V},
        "sitepage": {V},
    },
}  # fmt: skip
MODELS = ["article", "contributor", "tag", "source", "story", "media", "feed", "claim", "notice",
          "ledgerentry", "user", "group", "cannedreason", "sitepage", *OWNERS]  # fmt: skip
ROLES = sorted(MAY)


def member(role: str) -> User:
    user: User = UserFactory(staff=True)
    user.groups.add(Group.objects.get(name=role))
    return user


@pytest.fixture
def newsroom() -> dict[str, Any]:
    """One row of each kind that a role could open."""
    article = ArticleFactory(tags=["Harbours"], people=["Ann Ó Briain"])
    actions.retract(article=ArticleFactory(), at=timezone.now(), by=None, note="We were misled.")
    ArticleFactory(draft=True)
    ArticleFactory(state=ArticleState.REVIEW)
    return {
        "article": article, "contributor": ContributorFactory(), "tag": TagFactory(), "story": StoryFactory(),
        "source": article.source, "media": MediaFactory(),
        "feed": Feed.objects.create(url="https://a.example/feed", url_key="a", source=article.source),
        "user": UserFactory(),
    }  # fmt: skip


def address(model: str, page: str, pk: Any = None) -> str:
    app = {"feed": "aggregator", "claim": "moderation", "notice": "moderation", "ledgerentry": "moderation",
           "user": "accounts", "group": "auth", **dict.fromkeys([*OWNERS, "cannedreason"], "moderation")}.get(
        model, "articles"
    )  # fmt: skip
    base = f"/admin/{app}/{model}/"
    return {"list": base, "add": f"{base}add/"}.get(page, f"{base}{pk}/{page}/")


@pytest.mark.parametrize("role", ROLES)
def test_each_role_gets_into_what_is_theirs_and_nothing_else(
    role: str, client: Client, newsroom: dict[str, Any]
) -> None:
    client.force_login(member(role))
    own = actions.save_edit(
        article=Article(headline="Mine"),
        at=timezone.now(),
        by=User.objects.get(pk=client.session["_auth_user_id"]),
    )
    rows = newsroom | ({"article": own} if role == roles.CONTRIBUTORS else {})
    known = {m._meta.model_name for m in admin.site._registry}
    for model in [m for m in MODELS if m in known]:
        may, row = MAY[role].get(model, set()), rows.get(model)

        assert _status(client.get(address(model, "list"))) == (V in may), (model, "list")
        assert _status(client.get(address(model, "add"))) == (A in may), (model, "add")
        if row is None:
            continue
        assert _status(client.get(address(model, "change", row.pk))) == (V in may), (model, "change")
        assert _status(client.get(address(model, "history", row.pk))) == (V in may), (model, "history")
        assert client.post(address(model, "delete", row.pk), {"post": "yes"}).status_code == 403, model
        if C not in may:
            assert client.post(address(model, "change", row.pk), {}).status_code == 403, (model, "post")
        if A not in may:
            assert client.post(address(model, "add"), {}).status_code == 403, (model, "post")


def _status(answer: Any) -> bool:
    assert answer.status_code in (200, 302, 403), answer.status_code
    return bool(answer.status_code == 200)


def links(page: str, base: str) -> Iterator[str]:
    for found in re.findall(r"""(?:href|action)="([^"#]*)\"""", page):
        where = urlsplit(urljoin(base, found.replace("&amp;", "&")))
        if where.netloc == "testserver" and not re.search(r"logout|/static/|/jsi18n", where.path):
            yield where.path + (f"?{where.query}" if where.query else "")


@pytest.mark.parametrize("role", ROLES)
def test_no_link_leads_to_a_closed_door(role: str, client: Client, newsroom: dict[str, Any]) -> None:
    client.force_login(member(role))
    waiting, seen = ["/admin/"], {"/admin/"}
    while waiting and len(seen) < 150:
        here = waiting.pop(0)
        answer = client.get(here)
        assert answer.status_code in (200, 302), (here, answer.status_code)
        if not here.startswith("/admin/") or "html" not in answer.headers.get("Content-Type", ""):
            continue
        for found in links(answer.content.decode(), f"http://testserver{here}"):
            if found not in seen and found.count("=") < 2:
                seen.add(found)
                waiting.append(found)
    assert len(seen) > 5


# --- the article's moves ----------------------------------------------------------------------

BUTTONS = {
    (roles.CONTRIBUTORS, "own draft"): {"submit"},
    (roles.CONTRIBUTORS, "draft"): None,
    (roles.CONTRIBUTORS, "published"): None,
    (roles.EDITORS, "draft"): {"submit", "approve", "publish"},
    (roles.EDITORS, "review"): {"approve", "publish", "draft"},
    (roles.EDITORS, "approved"): {"publish", "review", "draft"},
    (roles.EDITORS, "published"): {"review", "draft"},
    (roles.EDITORS, "retracted"): set(),
    (roles.CHIEFS, "published"): {"review", "draft", "retract"},
    (roles.CHIEFS, "retracted"): {"restore"},
    (roles.MODERATORS, "draft"): set(),
    (roles.RIGHTS_MANAGERS, "draft"): set(),
    (roles.AUDITORS, "published"): set(),
}
EVERY_MOVE = ["submit", "approve", "publish", "review", "draft", "restore", "retract"]


def article_in(state: str, user: User) -> Article:
    article: Article = ArticleFactory(state=state.removeprefix("own "))
    if state.startswith("own "):
        Article.objects.filter(pk=article.pk).update(created_by=user)
    return article


@pytest.mark.parametrize(("role", "state"), list(BUTTONS))
def test_each_role_is_offered_its_own_buttons(role: str, state: str, client: Client) -> None:
    user = member(role)
    client.force_login(user)
    article = article_in(state, user)

    answer = client.get(address("article", "change", article.pk))

    if BUTTONS[role, state] is None:
        assert answer.status_code == 403
        return
    page = answer.content.decode()
    offered = {name for name in EVERY_MOVE if f'name="_move" value="{name}"' in page}
    if f"/{article.pk}/retract/" in page:
        offered.add("retract")
    assert offered == BUTTONS[role, state]


@pytest.mark.parametrize(("role", "state"), list(BUTTONS))
def test_no_button_works_that_is_not_offered(role: str, state: str, client: Client) -> None:
    user = member(role)
    article = article_in(state, user)
    client.force_login(UserFactory(superuser=True))
    form = client.get(address("article", "change", article.pk)).context["adminform"].form
    data = {field.html_name: field.value() for field in form if field.value() not in (None, [])}
    inline = {
        f"{prefix}-{name}": 0
        for prefix in ("contributions", "related_links", "holds", "revisions")
        for name in ("TOTAL_FORMS", "INITIAL_FORMS")
    }
    client.force_login(user)

    for move in set(EVERY_MOVE) - (BUTTONS[role, state] or set()):
        if move == "retract":
            answer = client.post(
                address("article", "retract", article.pk), {"note": "x", "opened_version": 1}
            )
        else:
            answer = client.post(address("article", "change", article.pk), data | inline | {"_move": move})
        assert answer.status_code == 403, move

    assert Article.objects.get(pk=article.pk).state == article.state


def test_a_published_article_is_not_changed_without_the_right_to_publish(client: Client) -> None:
    from django.contrib.auth.models import Permission

    user = UserFactory(staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_article", "change_article"]))
    client.force_login(user)

    assert client.post(address("article", "change", ArticleFactory().pk), {}).status_code == 403


def test_a_bulk_action_is_no_way_round(client: Client) -> None:
    user = member(roles.CONTRIBUTORS)
    own = article_in("own draft", user)
    client.force_login(user)

    client.post(address("article", "list"), {"action": "publish", "_selected_action": [own.pk]})
    client.post(address("article", "list"), {"action": "to_draft", "_selected_action": [own.pk]})

    own.refresh_from_db()
    assert own.state == ArticleState.DRAFT


def test_contributors_see_their_own_articles_and_no_other(client: Client) -> None:
    user = member(roles.CONTRIBUTORS)
    own, other = article_in("own review", user), ArticleFactory(draft=True, headline="Somebody else's")
    client.force_login(user)

    page = client.get(address("article", "list")).content.decode()

    assert own.headline in page
    assert other.headline not in page
    assert client.get(address("article", "change", own.pk)).status_code == 200
    assert client.get(address("article", "history", other.pk)).status_code == 403


def test_a_rights_manager_sets_the_terms_of_a_source_and_nothing_else(client: Client) -> None:
    source = ArticleFactory().source
    client.force_login(member(roles.RIGHTS_MANAGERS))
    terms = {"usage": "excerpt", "excerpt_words": 20, "terms": "Twenty words.", "name": "Another name"}

    answer = client.post(address("source", "change", source.pk), terms)

    assert answer.status_code == 302
    before = source.name
    source.refresh_from_db()
    assert (source.terms, source.name) == ("Twenty words.", before)


def test_what_an_operator_changes_in_a_group_stays(client: Client) -> None:
    from django.apps import apps

    auditors = Group.objects.get(name=roles.AUDITORS)
    auditors.permissions.clear()

    roles.make_groups(apps.get_app_config("newsroom"), using="default")

    assert not auditors.permissions.exists()


def test_an_auditor_reads_the_holds_and_versions_of_an_article(client: Client) -> None:
    article = ArticleFactory()
    actions.correct(article=article, at=timezone.now(), by=None, note="There were ten.", headline="Ten")
    now = timezone.now()
    actions.place_hold(
        article=article, kind=HoldKind.EDITORIAL, reference="desk:1", effective_at=now, at=now, by=None
    )
    client.force_login(member(roles.AUDITORS))

    page = client.get(address("article", "change", article.pk)).content.decode()

    assert "There were ten." in page
    assert "desk:1" in page

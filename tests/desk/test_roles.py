"""Who may do what at the desk: each role, each list, each form, each button."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import resolve
from django.utils import timezone

from accounts.models import RoleRight, User
from aggregator.models import Feed
from articles import actions
from articles.models import Article, ArticleState, HoldKind
from newsroom import roles
from tests.desk.test_writing_api import ARTICLES, Program, member
from tests.factories import (
    ArticleFactory,
    ContributorFactory,
    MediaFactory,
    StoryFactory,
    TagFactory,
    UserFactory,
    correct,
)

pytestmark = pytest.mark.django_db

V, A, C = "view", "add", "change"
OWNERS = {name: {V} for name in ("measure", "domainproof", "standingoptout", "apikey", "webhook")}
# role → model → what may be done. A model that is not named may not even be looked at.
MAY: dict[str, dict[str, set[str]]] = {
    roles.CONTRIBUTORS: {
        "article": {V, A, C}, "contributor": {V, A}, "tag": {V}, "source": {V}, "story": {V},
        "media": {V, A}, "accesstoken": {V, A},
    },
    roles.EDITORS: {
        "article": {V, A, C}, "contributor": {V, A, C}, "tag": {V}, "source": {V}, "story": {V, A, C},
        "media": {V, A, C}, "feed": {V}, "accesstoken": {V, A},
    },
    roles.CHIEFS: {
        "article": {V, A, C}, "contributor": {V, A, C}, "tag": {V, A, C}, "source": {V, A, C},
        "story": {V, A, C}, "media": {V, A, C}, "feed": {V, A, C}, "sitepage": {V, A, C},
        "accesstoken": {V, A}, "hook": {V, A, C},
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
        "sitepage": {V}, "accesstoken": {V}, "hook": {V},
    },
}  # fmt: skip
MODELS = ["article", "contributor", "tag", "source", "story", "media", "feed", "claim", "notice",
          "ledgerentry", "user", "group", "cannedreason", "sitepage", "accesstoken", "hook", *OWNERS]  # fmt: skip
ROLES = sorted(MAY)
# Of one kind of page so many are tried: rows differ in whose they are and where they stand.
OF_A_KIND = 2


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
           "user": "accounts", "accesstoken": "accounts", "group": "auth",
           **dict.fromkeys([*OWNERS, "cannedreason"], "moderation")}.get(
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
    waiting, seen, tried = ["/admin/"], {"/admin/"}, Counter[tuple[str, ...]]()
    while waiting:
        here = waiting.pop(0)
        answer = client.get(here)
        assert answer.status_code in (200, 302, 405), (here, answer.status_code)
        if not here.startswith("/admin/") or "html" not in answer.headers.get("Content-Type", ""):
            continue
        for found in links(answer.content.decode(), f"http://testserver{here}"):
            if found not in seen and found.count("=") < 2:
                seen.add(found)
                tried[kind_of(found)] += 1
                waiting += [found] if tried[kind_of(found)] <= OF_A_KIND else []
    assert len(seen) > 5


def kind_of(address: str) -> tuple[str, ...]:
    """What kind of page it is: which view, narrowed by what. Public pages, which nobody is kept from, are one kind."""
    path, _, query = address.partition("?")
    return (resolve(path).route if path.startswith("/admin/") else "", query.partition("=")[0])


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
NOTE = {"note": "x", "opened_version": 1}
# A form in which nothing is wrong.
FILLED = {"body": "<p>Words</p>", "opened_version": 1} | {
    f"{prefix}-{name}": 0
    for prefix in ("contributions", "related_links", "holds", "revisions")
    for name in ("TOTAL_FORMS", "INITIAL_FORMS")
}
EVERY_MOVE = ["submit", "approve", "publish", "review", "draft", "restore", "retract"]


def article_in(state: str, user: User) -> Article:
    article: Article = ArticleFactory(state=state.removeprefix("own "))
    if state.startswith("own "):
        Article.objects.filter(pk=article.pk).update(created_by=user)
    return article


@pytest.mark.parametrize(("role", "state"), list(BUTTONS))
def test_each_role_has_its_own_buttons_and_no_other_works(role: str, state: str, client: Client) -> None:
    user = member(role)
    article, may = article_in(state, user), BUTTONS[role, state]
    client.force_login(user)
    program, opened = Program(user), {"If_Match": f'"{article.version}"'}

    answer = client.get(address("article", "change", article.pk))
    told = program.read(article)

    if may is None:
        assert (answer.status_code, told.status_code) == (403, 403)
    else:
        page = answer.content.decode()
        offered = {name for name in EVERY_MOVE if f'name="_move" value="{name}"' in page}
        offered |= {"retract"} if f"/{article.pk}/retract/" in page else set()
        assert offered == may == set(told.json()["moves"])
    for move in set(EVERY_MOVE) - (may or set()):
        page = "retract" if move == "retract" else "change"
        filled = NOTE if move == "retract" else FILLED | {"headline": article.headline, "_move": move}
        assert client.post(address("article", page, article.pk), filled).status_code == 403, move
        told = program("POST", f"{ARTICLES}{article.key}/{move}", NOTE, **opened)
        assert told.status_code == 403, move
    assert Article.objects.get(pk=article.pk).state == article.state


@pytest.mark.parametrize("role", ROLES)
def test_a_program_may_what_its_person_may(role: str) -> None:
    user = member(role)
    program, own = Program(user), article_in("own draft", user)
    may = MAY[role]["article"]

    assert (program("GET", ARTICLES).status_code == 200) == (V in may)
    assert (program("POST", ARTICLES, {"headline": "A"}).status_code == 201) == (A in may)
    changed = program("PATCH", f"{ARTICLES}{own.key}", {"headline": "A"}, If_Match='"1"')
    assert (changed.status_code == 200) == (C in may)


def test_a_published_article_is_not_changed_without_the_right_to_publish(client: Client) -> None:
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


def rights_of(name: str) -> set[str]:
    rows = Group.objects.get(name=name).permissions.select_related("content_type")
    return {f"{row.content_type.app_label}.{row.codename}" for row in rows}


def upgrade() -> None:
    roles.make_groups(apps.get_app_config("newsroom"), using="default")


def test_an_upgrade_gives_what_is_new_and_leaves_what_an_operator_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken, added, new, old = (
        f"articles.{right}" for right in ("publish_article", "delete_tag", "change_sitepage", "change_story")
    )
    editors, ours = (
        Group.objects.get(name=roles.EDITORS),
        Permission.objects.filter(content_type__app_label="articles"),
    )
    editors.permissions.remove(ours.get(codename="publish_article"))
    editors.permissions.add(ours.get(codename="delete_tag"))
    before = rights_of(roles.EDITORS)
    Group.objects.get(name=roles.CHIEFS).delete()
    wanted = (roles.GROUPS[roles.EDITORS] | {new}) - {old}
    monkeypatch.setitem(roles.GROUPS, roles.EDITORS, wanted)

    upgrade()
    upgrade()

    assert rights_of(roles.EDITORS) == (before | {new}) - {old}
    assert added in rights_of(roles.EDITORS)
    assert taken not in rights_of(roles.EDITORS)
    assert not Group.objects.filter(name=roles.CHIEFS).exists()

    said = io.StringIO()
    call_command("role_rights", stdout=said)
    call_command("role_rights", "--restore", "--role", roles.EDITORS, stdout=said)
    call_command("role_rights", "--restore", "--role", roles.EDITORS, stdout=said)

    assert rights_of(roles.EDITORS) == (before - {old}) | wanted
    assert not Group.objects.filter(name=roles.CHIEFS).exists()
    lines = said.getvalue().splitlines()
    assert f"Editors: lacks {taken}" in lines
    assert f"Editors: has {added} beside ours" in lines
    assert lines.count(f"Editors: now has {taken}") == 1


def test_groups_of_an_earlier_version_get_only_the_rights_there_were_not_then() -> None:
    from importlib import import_module

    module = import_module("accounts.migrations.0003_tokens_and_roles")
    editors, known = Group.objects.get(name=roles.EDITORS), rights_of(roles.EDITORS)
    editors.permissions.clear()
    Permission.objects.filter(codename="add_accesstoken").delete()
    RoleRight.objects.all().delete()

    module.rights_there_are(apps, SimpleNamespace(connection=connection))
    upgrade()

    assert "accounts.add_accesstoken" in known
    assert rights_of(roles.EDITORS) == {"accounts.add_accesstoken"}


def test_an_auditor_reads_the_holds_and_versions_of_an_article(client: Client) -> None:
    article = ArticleFactory()
    correct(article=article, at=timezone.now(), by=None, note="There were ten.", headline="Ten")
    now = timezone.now()
    actions.place_hold(
        article=article, kind=HoldKind.EDITORIAL, reference="desk:1", effective_at=now, at=now, by=None
    )
    client.force_login(member(roles.AUDITORS))

    page = client.get(address("article", "change", article.pk)).content.decode()

    assert "There were ten." in page
    assert "desk:1" in page

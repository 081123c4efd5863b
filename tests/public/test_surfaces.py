"""Every public address is a registered surface, and what is withheld is on none of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

import newsroom.urls  # noqa: F401  (registers every surface)
from articles.actions import place_hold
from articles.models import Article, HoldKind
from articles.surfaces import REGISTER

# Neither stored nor listed: the desk, the owner's own case, and what machines of the operator ask.
PRIVATE = (
    "admin/",
    "removal/",
    "follow/<",
    "api/notices",
    "api/owner/",
    "healthz",
    "csp-reports",
    "api/desk/",
    "readyz",
    "metrics",
)
# What the API is, not what is in it.
DESCRIPTIONS = {"api/", "api/docs", "api/openapi.json"}
# They name no article, so there is nothing of it to be found on them.
WITHOUT_ARTICLES = {
    "rights", "about", "ethics", "archive_index", "sitemap", "sitemap_pages", "robots",
    "favicon", "follow", "languages", "llms_txt", "offline", "tools", "security_txt", "tdmrep", "indexnow",
    "transparency", "transparency-csv", "transparency-feed", "transparency-key",
    "transparency-year", "transparency-year-csv", "transparency-lumen",
    "transparency-counter-notices", "transparency-statements", "websub",
    "removal-answering",
}  # fmt: skip
# These list names, and a name only while something of its owner is public.
NAMED = {
    "api contributors": "Quillon Zebedee", "api tags": "Climate", "api sources": "Lighthouse Gazette",
    "api ninjs": "Zebrafinch", "opml": "Lighthouse Gazette",
}  # fmt: skip


def routes(patterns: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            yield route, pattern.callback


@pytest.mark.parametrize(("route", "view"), list(routes(get_resolver().url_patterns)))
def test_a_route_is_a_surface_or_private(route, view):
    assert route.startswith(PRIVATE) or route in DESCRIPTIONS or hasattr(view, "surface_name"), route


def hold(article: Article) -> None:
    now = timezone.now()
    place_hold(article=article, kind=HoldKind.LEGAL, reference="claim:1", effective_at=now, at=now, by=None)


def shown(client: Client, path: str, telling: str) -> bool:
    response = client.get(path, follow=True)
    if path.startswith("/media/") or path.endswith("card.png"):
        return response.status_code == 200
    return telling in response.content.decode()


@pytest.mark.parametrize("name", sorted(REGISTER.keys() - WITHOUT_ARTICLES))
def test_a_held_article_is_gone_from(name, client, somewhere_everywhere):
    paths = list(REGISTER[name].locate(somewhere_everywhere))
    telling = NAMED.get(name, somewhere_everywhere.slug)
    before = [shown(client, path, telling) for path in paths]
    assert any(before)

    hold(somewhere_everywhere)

    assert not [path for path in paths if shown(client, path, telling)]


@pytest.mark.parametrize("name", sorted(REGISTER.keys() & WITHOUT_ARTICLES))
def test_a_page_without_articles_says_so(name, somewhere_everywhere):
    assert list(REGISTER[name].locate(somewhere_everywhere)) == []


def test_in_place_of_a_held_article_nothing_of_it_is_said(client, somewhere_everywhere):
    hold(somewhere_everywhere)

    response = client.get(somewhere_everywhere.get_absolute_url())
    page = response.content.decode()

    assert response.status_code == 451
    for telling in ("Zebrafinch", "zz-kx7", "Ornithologists", "volunteers", "Quillon", "Vance", "/media/"):
        assert telling not in page


def test_the_page_of_a_person_is_gone_with_their_last_article(client, somewhere_everywhere):
    person = somewhere_everywhere.contributors.get(name="Quillon Zebedee")
    assert client.get(person.get_absolute_url()).status_code == 200

    hold(somewhere_everywhere)

    for path in (person.get_absolute_url(), f"{person.get_absolute_url()}feed.atom"):
        response = client.get(path)
        assert response.status_code == 404
        assert "Quillon" not in response.content.decode()


@pytest.mark.parametrize(
    "path", ["/", "/latest/", "/rights/", "/search/?q=colony", "/articles/zz-kx7-colony/"]
)
def test_a_public_page_sets_no_cookie_and_is_the_same_for_all(path, client, somewhere_everywhere):
    response = client.get(path)

    assert response.status_code == 200
    assert not response.cookies
    assert "Cookie" not in response.headers.get("Vary", "")

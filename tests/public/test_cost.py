"""Pages cost a constant number of queries and few bytes."""

from __future__ import annotations

import re
from pathlib import Path

import brotli
import pytest
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.handlers.wsgi import WSGIRequest
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import resolve
from django.utils import timezone

from articles.surfaces import Shown, keep, now
from tests.factories import (
    ArticleFactory,
    ContributionFactory,
    RenditionFactory,
    SourceFactory,
    StoryFactory,
    TagFactory,
)

pytestmark = pytest.mark.django_db

WEIGHT = 15_000
TAGS = ["Climate", "World", "Culture", "Science", "Sport", "Economy"]


def queries(path: str) -> int:
    """What the page itself asks of the database, without the question of every surface.

    The second time: at the first what is near an article is found, what is shown of each is set, and both kept.
    """
    first = _request(path)
    _ask(path, first)
    assert keep(first.surface)  # type: ignore[attr-defined]
    request = _request(path)
    with CaptureQueriesContext(connection) as captured:
        _ask(path, request)
    return len(captured)


def _request(path: str) -> WSGIRequest:
    request = RequestFactory().get(path)
    request.surface = Shown(began=now())  # type: ignore[attr-defined]
    return request


def _ask(path: str, request: WSGIRequest) -> None:
    view, args, kwargs = resolve(path.partition("?")[0])
    assert view.__wrapped__(request, *args, **kwargs).status_code == 200


def edition(count: int) -> None:
    for position, name in enumerate(TAGS):
        TagFactory._meta.model.objects.get_or_create(
            name=name, slug=name.lower(), featured=True, position=position
        )
    source, story = SourceFactory(slug=f"post-{count}"), StoryFactory()
    for n in range(count):
        picture = RenditionFactory().media
        picture.file = picture.renditions.get().file.name
        picture.save()
        article = ArticleFactory(
            source=source if n % 2 else SourceFactory(),
            tags=[TAGS[n % 6]],
            lead_media=picture,
            story=story if n % 3 == 0 else None,
            standfirst="The sentence under a headline tells what the headline could not, in some twenty words or so.",
            body="<p>"
            + "A paragraph of a usual length says one thing and says it once, with a name and a number. " * 5
            + "</p>",
        )
        ContributionFactory(article=article)


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/", 6), ("/latest/", 3), ("/tags/climate/", 5), ("/archive/", 3), ("/feeds/latest.rss", 5),
        ("/feeds/latest.atom", 5), ("/feeds/latest.json", 5), ("/sitemap.xml", 1), ("/sitemaps/0.xml", 1),
        ("/news-sitemap.xml", 1), ("/rights/", 1),
    ],
)  # fmt: skip
def test_a_page_asks_the_same_few_questions_of_two_articles_and_of_forty(path, most):
    edition(2)
    few = queries(path)

    edition(38)

    assert queries(path) <= most
    assert few <= most


def test_an_article_asks_a_constant_number_of_questions():
    edition(2)
    article = ArticleFactory(people=["A B"], tags=["Climate"], story=StoryFactory())
    few = queries(article.get_absolute_url())

    edition(30)
    ArticleFactory.create_batch(5, story=article.story)
    ContributionFactory.create_batch(6, article=article)

    assert queries(article.get_absolute_url()) <= 6
    assert few <= 6


@pytest.mark.parametrize(
    ("kind", "most"), [("story", 5), ("contributor", 6), ("source", 4), ("day", 5), ("article", 8)]
)
def test_each_kind_of_page_asks_a_constant_number_of_questions(kind, most):
    edition(2)
    article = ArticleFactory(people=["A B"], tags=TAGS[:2], story=StoryFactory(), updated_at=timezone.now())
    article.lead_media = RenditionFactory().media
    article.save()
    article.lead_media.file = "x.webp"
    article.lead_media.save()
    paths = {
        "story": article.story.get_absolute_url(),
        "contributor": "/contributors/a-b/",
        "source": article.source.get_absolute_url(),
        "day": f"/archive/{article.published_at:%Y-%m-%d}/",
        "article": article.get_absolute_url(),
    }
    few = queries(paths[kind])

    edition(24)
    for n in range(20):
        ArticleFactory(people=["A B"], story=article.story, source=article.source, tags=[TAGS[n % 6]])

    assert queries(paths[kind]) <= most
    assert few <= most


@pytest.mark.parametrize("kind", ["front", "article"])
def test_front_page_and_article_weigh_little(kind, client):
    edition(40)
    article = ArticleFactory(body="<p>" + "Many words make a long report of a day at sea. " * 90 + "</p>")
    path = "/" if kind == "front" else article.get_absolute_url()

    html = client.get(path).content
    with staticfiles_storage.open(staticfiles_storage.stored_name("css/site.css")) as file:
        css = file.read()

    assert len(brotli.compress(html, quality=5)) + len(brotli.compress(css, quality=11)) <= WEIGHT


def test_the_fonts_of_the_first_view_are_two_and_small_and_know_the_names_of_europe():
    sizes = [staticfiles_storage.size(f"fonts/{name}.woff2") for name in ("newsreader", "franklin")]
    names = (
        "Łukasz Śliwa Þórður Šárka Dvořáková Çağla Işık Gyűrűs Erdős Țepeș Jānis Bērziņš Đurđević João Ærø"
    )

    assert sum(sizes) < 37_000
    assert {sign for sign in names if ord(sign) not in letters_of("newsreader.woff2")} == set()


def letters_of(file: str) -> set[int]:
    with staticfiles_storage.open(staticfiles_storage.stored_name("css/site.css")) as css:
        face = next(
            face
            for face in css.read().decode().split("@font-face")
            if file.removesuffix(".woff2") + "." in face
        )
    runs = re.findall(r"U\+([0-9A-F]+)(?:-([0-9A-F]+))?", face)
    return {code for first, last in runs for code in range(int(first, 16), int(last or first, 16) + 1)}


def test_the_readers_choice_of_light_or_dark_holds_for_every_colour() -> None:
    for path in sorted(Path("static/css").glob("*.css")):
        dark = re.findall(r"@media \(prefers-color-scheme: dark\) \{\s*(.*?) \{", path.read_text())
        assert set(dark) <= {':root:not([data-theme="light"])'}, path.name
        assert bool(dark) == (':root[data-theme="dark"]' in path.read_text()), path.name

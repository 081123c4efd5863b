"""What a reader finds on the public pages."""

from __future__ import annotations

import re
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from django.conf import settings
from django.utils import timezone

from articles.models import Revision, RevisionKind, SlugRedirect, Story
from tests.factories import (
    ArticleFactory,
    ContributionFactory,
    RelatedLinkFactory,
    SourceFactory,
    StoryFactory,
    TagFactory,
)

pytestmark = pytest.mark.django_db

PAGES = [
    "/", "/latest/", "/articles/zz-kx7-colony/", "/tags/climate/", "/contributors/quillon-zebedee/",
    "/search/", "/search/?q=colony", "/search/?q=nothingofthekind", "/archive/", "/rights/", "/about/", "/nowhere/",
]  # fmt: skip


def page(client, path: str) -> str:
    return client.get(path).content.decode()


def test_the_way_to_the_original_comes_before_the_text(client):
    article = ArticleFactory()

    html = page(client, article.get_absolute_url())

    button = html.index(f'<a class="button" href="{article.canonical_url}"')
    assert html.index("<h1>") < button < html.index("The first ferry left")


def test_a_source_in_full_shows_all_of_it(client):
    article = ArticleFactory(body="<p>One.</p><p>Last words.</p>")
    assert "Last words." in page(client, article.get_absolute_url())


def test_a_source_as_excerpt_shows_its_words_and_no_more(client):
    body = "".join(f"<p>word{n}</p>" for n in range(40))
    source = SourceFactory(usage="excerpt", excerpt_words=10)
    article = ArticleFactory(source=source, standfirst="one two three four", body=body)

    html = page(client, article.get_absolute_url())

    assert "word5…" in html
    assert "word6" not in html
    assert f"Continue reading at <bdi>{article.source.name}</bdi>" in html


def test_a_source_by_headline_shows_nothing_else_anywhere(client):
    article = ArticleFactory(
        source=SourceFactory(usage="headline"), standfirst="Secret standfirst", body="<p>Secret</p>"
    )

    for path in (article.get_absolute_url(), "/", "/latest/", article.source.get_absolute_url()):
        html = page(client, path)
        assert article.headline in html
        assert "Secret" not in html


def test_changing_a_policy_changes_what_is_shown(client):
    article = ArticleFactory(body="<p>All the words.</p>")
    article.source.usage = "headline"
    article.source.save()

    assert "All the words." not in page(client, article.get_absolute_url() + "?fresh")


def test_contributors_stand_in_their_order_and_lead_to_their_pages(client):
    article = ArticleFactory(people=["Ann Ó Briain", "Bo Li"])
    for position, name in enumerate(["Cy Diaz", "Di Eck"], start=5):
        ContributionFactory(
            article=article, contributor__name=name, role="contributing_reporter", position=position
        )

    html = page(client, article.get_absolute_url())
    text = re.sub(r"<[^>]+>", "", html)

    assert "By Ann Ó Briain and Bo Li" in text
    assert "Reporting was contributed by Cy Diaz and Di Eck." in text
    assert 'href="/contributors/bo-li/" rel="author"' in html


def test_an_old_address_leads_to_the_new_one(client):
    article = ArticleFactory()
    SlugRedirect.objects.create(slug="before", article=article)

    response = client.get("/articles/before/")

    assert response.status_code == 301
    assert response.headers["Location"] == article.get_absolute_url()


def test_a_correction_is_told_under_the_text(client):
    article = ArticleFactory(updated_at=timezone.now())
    Revision.objects.create(
        article=article,
        number=1,
        kind=RevisionKind.CORRECTION,
        snapshot={},
        at=timezone.now(),
        note="It was 214.",
    )
    Revision.objects.create(
        article=article, number=2, kind=RevisionKind.EDIT, snapshot={}, at=timezone.now(), note="for the desk"
    )

    html = page(client, article.get_absolute_url())

    assert "It was 214." in html
    assert "for the desk" not in html


def test_a_foreign_text_is_marked_with_its_language_and_direction(client):
    article = ArticleFactory(language="ar", headline="الصيادون يعودون")

    for path in ("/", article.get_absolute_url()):
        assert 'lang="ar" dir="rtl"' in page(client, path)


def test_chosen_links_come_first_and_only_public_ones(client):
    article, chosen, draft = ArticleFactory(), ArticleFactory(), ArticleFactory(draft=True)
    RelatedLinkFactory(article=article, to_article=chosen)
    RelatedLinkFactory(article=article, to_article=draft, position=1)

    html = page(client, article.get_absolute_url())

    assert chosen.headline in html
    assert draft.headline not in html


def test_an_article_of_a_story_names_the_other_outlets(client):
    story = StoryFactory()
    article, other = ArticleFactory(story=story), ArticleFactory(story=story)

    html = page(client, article.get_absolute_url())

    assert "Also reported by" in html
    assert other.source.name in html
    assert story.get_absolute_url() in html


def test_an_article_leads_to_what_came_next_in_its_story(client):
    story, at = StoryFactory(), timezone.now() - timedelta(hours=9)
    first, second, third = (
        ArticleFactory(story=story, published_at=at + timedelta(hours=n), headline=f"Part {n}")
        for n in range(3)
    )
    ArticleFactory(story=story, draft=True, headline="Not yet")

    def following(article) -> str:
        html = page(client, article.get_absolute_url())
        found = re.search(r"<h2>Next in the story</h2>.*?<h3[^>]*><a[^>]*>([^<]+)", html, re.DOTALL)
        return found[1] if found else ""

    assert [following(article) for article in (first, second, third)] == ["Part 1", "Part 2", ""]


def test_an_article_can_be_passed_on_without_telling_anybody_else(client):
    article = ArticleFactory(headline="Ferries & fares")
    html = page(client, article.get_absolute_url())
    address = settings.SITE_URL + article.get_absolute_url()

    assert 'href="mailto:?subject=Ferries%20%26%20fares&amp;body=Ferries%20%26%20fares%0A%0A' in html
    assert f'readonly value="{address}"' in html


def test_the_time_to_read_is_told_of_whole_texts_only(client):
    body = "<p>" + "word " * 1000 + "</p>"
    whole = ArticleFactory(body=body)
    part = ArticleFactory(body=body, source=SourceFactory(usage="excerpt"))

    assert "4 minutes to read" in page(client, whole.get_absolute_url())
    assert "to read" not in page(client, part.get_absolute_url())


def test_the_way_to_the_original_counts_nobody(client):
    article = ArticleFactory()
    article.canonical_url += "?id=7&utm_source=feed&fbclid=abc"
    article.save()

    html = page(client, article.get_absolute_url())

    assert "?id=7" in html
    assert "utm_source" not in re.sub(r"ld\+json.*?</script>", "", html, flags=re.DOTALL)


def test_a_story_with_nothing_public_is_not_there(client):
    story: Story = StoryFactory()
    ArticleFactory(story=story, draft=True)
    assert client.get(story.get_absolute_url()).status_code == 404


def test_every_article_has_the_way_to_its_removal(client):
    article = ArticleFactory()
    address = f"{settings.SITE_URL}{article.get_absolute_url()}".replace(":", "%3A").replace("/", "%2F")
    assert f'href="/removal/?url={address}"' in page(client, article.get_absolute_url())


def test_markup_in_a_headline_is_text_everywhere(client, somewhere_everywhere):
    somewhere_everywhere.headline = "</script><script>alert(1)</script>"
    somewhere_everywhere.save()

    for path in PAGES:
        assert "<script>alert" not in page(client, path + ("&" if "?" in path else "?") + "fresh")


def test_markup_in_any_line_about_an_article_is_text(client, somewhere_everywhere):
    article, marks = somewhere_everywhere, "</p>\"'><b>bold"
    of_article = ("standfirst", "dateline", "copyright_holder", "usage_terms")
    parts = [
        (article, of_article), (article.source, ("name", "terms")),
        (article.lead_media, ("caption", "credit", "terms", "alt")),
        (article.story, ("headline",)), *((person, ("name",)) for person in article.contributors.all()),
        *((tag, ("name",)) for tag in article.tags.all()),
    ]  # fmt: skip
    for number, (row, names) in enumerate(parts):
        type(row).objects.filter(pk=row.pk).update(**{name: f"{name}{number}{marks}" for name in names})
    RelatedLinkFactory(
        article=article, to_article=None, url="https://elsewhere.example/?<b>", title=f"link{marks}"
    )
    text = page(client, article.get_absolute_url())

    assert "<b>" not in text
    said = {"dateline0", "holder0", "usage_terms0", "name1", "caption2", "credit2", "terms2", "alt2"}
    said |= {"name4", "name5", "name6", "link"}
    assert {one for one in said if f"{one}&lt;/p&gt;" not in text} == set()


def test_a_list_goes_on_by_place_and_loses_nobody(client):
    at = timezone.now() - timedelta(hours=2)
    articles = [ArticleFactory(published_at=at - timedelta(minutes=n // 3)) for n in range(65)]
    path, seen = "/latest/", []
    for _ in range(3):
        html = page(client, path)
        seen += re.findall(r"<h3><a href=\"(/articles/[^\"]+)\"", html)
        following = re.search(r'href="(\?before=[^"]+)"', html)
        path = "/latest/" + following[1] if following else ""

    assert path == ""
    assert len(seen) == 65
    assert set(seen) == {article.get_absolute_url() for article in articles}


@pytest.mark.parametrize("cursor", ["zzz", "%00", "MTIz", "ZmZmLjA", "ÿ", "a" * 500, "LTE.LTE", "Zg.."])
def test_a_bad_cursor_gets_a_clear_answer(cursor, client):
    response = client.get(f"/latest/?before={cursor}")
    assert response.status_code == 400
    assert "Start from the newest" in response.content.decode()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/articles/none/", 404), ("/tags/none/", 404), ("/stories/none/", 404), ("/sources/none/", 404),
        ("/contributors/none/", 404), ("/archive/2020-02-31/", 404), ("/archive/0001-01-01/", 404),
        ("/archive/9999-12-31/", 404), ("/archive/?day=yesterday", 400), ("/archive/?day=2026-11-20", 302),
        ("/sitemaps/99999999999999999999.xml", 404), ("/sitemaps/999.xml", 404), ("/tags/none/feed.rss", 404),
        ("/feeds/latest.csv", 404), ("/search/?q=%00", 200), ("/search/?q=" + "a" * 5000, 200),
        ("/search/?q=%22&language=%22&source=%00", 200),
    ],
)  # fmt: skip
def test_odd_addresses_get_the_right_status(path, status, client):
    assert client.get(path).status_code == status


def test_an_empty_site_looks_intended(client):
    assert "The first edition is being set" in page(client, "/")
    for path in ("/latest/", "/archive/", "/search/"):
        assert client.get(path).status_code == 200


def test_the_front_page_shows_a_row_for_each_featured_tag(client):
    TagFactory(name="Climate", featured=True, position=2)
    TagFactory(name="Culture", featured=True, position=1)
    TagFactory(name="Hidden")
    for n in range(30):
        ArticleFactory(tags=[("Climate", "Culture", "Hidden")[n % 3]])

    html = page(client, "/")

    assert re.findall(r'<section class="section" aria-label="([^"]+)"', html) == [
        "Culture",
        "Climate",
        "Latest",
    ]
    links = re.findall(r'<h[23]><a href="(/articles/[^"]+)"', html)
    assert len(links) == len(set(links))


def test_one_outlet_cannot_fill_the_top_of_the_front_page(client):
    loud = SourceFactory(name="Loud Daily")
    for _ in range(10):
        ArticleFactory(source=loud)
    for _ in range(3):
        ArticleFactory(published_at=timezone.now() - timedelta(hours=3))

    html = page(client, "/")
    top = html[html.index('class="lead"') : html.index('class="halves"')]

    assert top.count("Loud Daily") == 2


class Outside(HTMLParser):
    """Collects what a browser would load by itself, and what it would run."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.inline: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag in ("img", "script", "iframe", "source", "video", "audio"):
            self.loaded += [values.get("src", ""), values.get("srcset", "")]
        if tag == "link" and set(values.get("rel", "").split()) & {
            "stylesheet",
            "preload",
            "icon",
            "manifest",
        }:
            self.loaded.append(values["href"])
        is_inline = not values.get("src") and values.get("type") != "application/ld+json"
        if tag == "style" or (tag == "script" and is_inline):
            self.inline.append(tag)
        self.inline += [name for name in values if name == "style" or name.startswith("on")]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_loads_nothing_from_elsewhere_and_runs_nothing(path, client, somewhere_everywhere):
    somewhere_everywhere.body = (
        '<p>Text</p><figure><img src="https://tracker.example/x.png" alt="x"></figure>'
    )
    somewhere_everywhere.save()
    found = Outside()

    found.feed(page(client, path + ("&" if "?" in path else "?") + "fresh"))

    assert [address for address in found.loaded if address and not re.match(r"/(?!/)", address)] == []
    assert found.inline == []


@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_a_title_a_heading_and_landmarks(path, client, somewhere_everywhere):
    html = page(client, path)

    assert re.search(r"<title>[^<]*\w[^<]*</title>", html)
    assert html.count("<h1") == 1
    for landmark in ("<header", "<nav", "<main", "<footer"):
        assert landmark in html


@pytest.mark.parametrize("typed", ["By the night desk", "the night desk"])
def test_a_printed_line_has_one_by(client, typed):
    article = ArticleFactory(byline=typed, language="en")

    assert '<p dir="ltr">By the night desk</p>' in page(client, article.get_absolute_url())

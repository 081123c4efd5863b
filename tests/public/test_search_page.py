"""What a reader can do on the search page, without a script."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import ArticleFactory, SourceFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def found() -> None:
    gazette, post = SourceFactory(name="The Gazette", slug="gazette"), SourceFactory(name="Post", slug="post")
    for n, (source, language, tag) in enumerate(
        [(gazette, "en", "Ports"), (gazette, "de", "Ports"), (post, "de-AT", "Ships"), (post, "en", "Ships")]
    ):
        ArticleFactory(
            headline=f"Lighthouse number {n}",
            source=source,
            language=language,
            tags=[tag],
            published_at=datetime(2026, 11, 10 + n, 12, tzinfo=UTC),
        )


def page(client, query: str) -> str:
    return client.get(f"/search/?{query}").content.decode()


def headlines(html: str) -> set[str]:
    return set(re.findall(r"number <?m?a?r?k?>?(\d)", re.sub(r"</?mark>", "", html)))


def links(html: str, label: str) -> list[str]:
    section = html[html.index('class="facets"') :] if 'class="facets"' in html else html
    return [unescape(href) for href in re.findall(rf'href="\?([^"]+)"><bdi>{label}</bdi>', section)]


def test_results_can_be_narrowed_by_outlet_topic_and_language_and_back(client, found):
    html = page(client, "q=lighthouse")
    assert headlines(html) == {"0", "1", "2", "3"}

    by_outlet = page(client, links(html, "The Gazette")[0])
    both = page(client, links(by_outlet, "German")[0])

    assert headlines(by_outlet) == {"0", "1"}
    assert headlines(both) == {"1"}
    way_back = re.search(r'href="\?([^"]+)"><span class="unseen">Without: </span>Outlet: The Gazette', both)
    assert headlines(page(client, unescape(way_back[1]))) == {"1", "2"}


def test_a_language_counts_its_regions(client, found):
    html = page(client, "q=lighthouse")
    assert re.search(r'<bdi>German</bdi> <span class="meta">2</span>', html)


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        ("since=2026-11-12", {"2", "3"}), ("until=2026-11-11", {"0", "1"}),
        ("since=2026-11-11&until=2026-11-12", {"1", "2"}), ("since=2027-01-01", set()),
    ],
)  # fmt: skip
@pytest.mark.parametrize("few", [2_000, 0], ids=["of few articles", "of many"])
def test_results_can_be_limited_to_days(few, dates, expected, client, found, monkeypatch):
    monkeypatch.setattr("articles.search.FEW_OF_A_TIME", few)
    assert headlines(page(client, f"q=lighthouse&{dates}")) == expected


@pytest.mark.parametrize("day", ["yesterday", "2026-02-31", "9999-12-31", "0001-01-01"])
def test_an_odd_day_gets_a_clear_answer(day, client, found):
    for name in ("since", "until"):
        assert client.get(f"/search/?q=lighthouse&{name}={day}").status_code in (200, 400)
    assert client.get("/search/?q=lighthouse&since=yesterday").status_code == 400


def test_the_next_page_and_a_new_search_keep_the_limits(client, found):
    gazette = ArticleFactory(headline="Lighthouse").source
    for _ in range(25):
        ArticleFactory(headline="Lighthouse again", source=gazette)

    html = page(client, f"q=lighthouse&source={gazette.slug}&since=2026-01-01")

    following = unescape(re.search(r'href="\?([^"]+)" rel="next"', html)[1])
    assert f"source={gazette.slug}" in following
    assert "since=2026-01-01" in following
    assert f'<input type="hidden" name="source" value="{gazette.slug}">' in html


def test_a_misspelt_word_is_answered_with_the_right_one(client, found):
    html = page(client, "q=lighthuose")
    assert "These are the articles for <strong>lighthouse</strong>" in html


def test_nothing_within_limits_offers_everything(client, found):
    html = page(client, "q=lighthouse&since=2027-01-01")
    assert "Nothing with these limits" in html
    assert 'href="?q=lighthouse"' in html


def test_a_search_asks_the_same_number_of_questions_of_few_and_of_many(client, found):
    def asked() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get("/search/?q=lighthouse").status_code == 200
        return len([query for query in captured if "PRAGMA" not in query["sql"]])

    few = asked()
    for n in range(40):
        ArticleFactory(headline=f"Lighthouse again {n}", tags=[f"Tag {n}"])

    # A full page of the best matches needs the lower tiers no more.
    assert asked() <= few

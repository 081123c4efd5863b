"""An entry becomes a draft by values alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from aggregator.documents import Category, Credit, Entry, FeedDocument
from aggregator.normalise import Outlet, Vocabulary, draft, guid_key, offers
from articles.drafts import Draft

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
OUTLET = Outlet("harbour", "The Harbour Post", "harbour.example", "en", ("Ports",))
ENTRY = Entry(id="1", link="https://harbour.example/1", title="A ship came in", summary="<p>It did.</p>")


def drafted(entry: Entry, document: FeedDocument | None = None) -> Draft:
    found = draft(
        offers(FeedDocument("RSS", entries=(entry,)), domain="")[0],
        document or FeedDocument("RSS"),
        OUTLET,
        at=NOON,
    )
    assert found is not None
    return found


def test_a_closing_line_of_credits_leaves_the_body_and_credits_its_people() -> None:
    made = drafted(
        ENTRY._replace(
            content="<p>A long day at the quay.</p>"
            "<p>Reporting was contributed by Ann Ó Briain, Bo Li and Cy Diaz.</p>",
            credits=(Credit("By Rosa Lind and Tom Oyelaran"), Credit("Ola Venn", "photographer")),
        )
    )

    assert "contributed" not in made.body
    assert [(one.name, str(one.role)) for one in made.credits] == [
        ("Rosa Lind", "author"),
        ("Tom Oyelaran", "author"),
        ("Ola Venn", "photographer"),
        ("Ann Ó Briain", "contributing_reporter"),
        ("Bo Li", "contributing_reporter"),
        ("Cy Diaz", "contributing_reporter"),
    ]
    assert made.byline == "By Rosa Lind and Tom Oyelaran"


def test_the_outlet_is_nobody() -> None:
    assert drafted(ENTRY._replace(credits=(Credit("The Harbour Post"),))).credits == ()


def test_an_atom_entry_without_authors_has_those_of_its_feed() -> None:
    feed = FeedDocument("Atom 1.0", title="Blog", credits=(Credit("Lucía Paz"), Credit("Blog")))

    assert [one.name for one in drafted(ENTRY, feed).credits] == ["Lucía Paz"]


@pytest.mark.parametrize(
    ("declared", "kept"),
    [
        (NOON - timedelta(hours=1), NOON - timedelta(hours=1)),
        (NOON + timedelta(minutes=5), NOON),
        (NOON + timedelta(days=400), None),
        (datetime(1970, 1, 1, tzinfo=UTC), None),
        (None, None),
    ],
)
def test_impossible_dates_are_none(declared: datetime | None, kept: datetime | None) -> None:
    assert drafted(ENTRY._replace(published=declared)).published_at == kept


def test_tags_are_those_that_say_something() -> None:
    words = [
        "Shipping",
        "shipping",
        "Uncategorized",
        "2026",
        "https://x.example/",
        "x" * 90,
        "Wind &amp; weather",
    ]
    made = drafted(ENTRY._replace(categories=tuple(Category(word) for word in words)))

    assert [tag.casefold() for tag in made.tags] == ["ports", "shipping", "wind & weather"]


def test_relative_links_in_the_text_are_made_absolute_and_scripts_leave() -> None:
    made = drafted(ENTRY._replace(content='<p onclick="x()"><a href="/2">two</a><script>x()</script></p>'))

    assert 'href="https://harbour.example/2"' in made.body
    assert "script" not in made.body
    assert "onclick" not in made.body


def test_an_untitled_entry_is_headed_by_its_first_words() -> None:
    made = drafted(ENTRY._replace(title="", summary="<p>" + "word " * 40 + "</p>"))

    assert made.headline.startswith("word word")
    assert len(made.headline.split()) <= 15


def test_a_summary_that_only_repeats_the_text_is_no_standfirst() -> None:
    text = (
        "<p>The ferry met the pilot in thick fog off the point, and nobody aboard was hurt.</p><p>More.</p>"
    )

    assert drafted(ENTRY._replace(content=text, summary=text)).standfirst == ""
    assert (
        drafted(ENTRY._replace(content=text, summary="Two boats, no one hurt")).standfirst
        == "Two boats, no one hurt"
    )


def test_short_identifiers_are_kept_apart_by_outlet_and_worldwide_ones_are_not() -> None:
    assert guid_key("17", "a.example") != guid_key("17", "b.example")
    assert guid_key("tag:a.example,2026:17", "a.example") == guid_key("tag:a.example,2026:17", "b.example")


@pytest.mark.parametrize("link", ["", "javascript:1", "http://", "https://user:pw@harbour.example/"])
def test_without_an_address_there_is_no_draft(link: str) -> None:
    offer = offers(FeedDocument("RSS", entries=(ENTRY._replace(link=link),)), domain="")[0]

    assert draft(offer, FeedDocument("RSS"), OUTLET, at=NOON) is None


def test_the_dateline_stands_by_itself_and_not_in_the_text() -> None:
    made = drafted(
        ENTRY._replace(content="<p>LESK (Northline) - The list is pinned up.</p><p>More.</p>", summary="")
    )

    assert (made.dateline, made.body) == ("LESK (Northline)", "<p>The list is pinned up.</p><p>More.</p>")


def test_the_language_is_found_where_none_is_declared() -> None:
    outlet = replace(OUTLET, language="")
    said = "<p>Der Rat hat sich mit dem Bau nicht befasst, und das ist auch für die Stadt ein Problem.</p>"
    offer = offers(FeedDocument("RSS", entries=(ENTRY._replace(summary=said),)), domain="")[0]

    made = draft(offer, FeedDocument("RSS"), outlet, at=NOON)

    assert made is not None
    assert made.language == "de"


def test_the_desk_s_synonyms_and_refused_words_shape_the_tags() -> None:
    outlet = replace(OUTLET, vocabulary=Vocabulary({"footie": "Football"}, {"promoted"}))
    entry = ENTRY._replace(categories=(Category("Footie"), Category("Promoted"), Category("Rail > Trams")))

    made = draft(
        offers(FeedDocument("RSS", entries=(entry,)), domain="")[0], FeedDocument("RSS"), outlet, at=NOON
    )

    assert made is not None
    assert made.tags == ("Ports", "Football", "Rail", "Trams")


def test_readers_are_sent_to_the_address_without_what_counts_them() -> None:
    link = "http://www.harbour.example/a ü<b>?id=7&utm_source=feed#at_medium=rss"

    assert drafted(ENTRY._replace(link=link)).canonical_url == "http://www.harbour.example/a%20ü%3Cb%3E?id=7"

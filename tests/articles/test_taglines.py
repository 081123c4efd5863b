from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from articles.taglines import MAX_NAME_CHARS, MAX_SLUG_CHARS, MAX_TAGS, tag_names, tag_slug


def names(*categories: str) -> list[str]:
    return list(tag_names(categories, synonyms={}, blocked=()))


@pytest.mark.parametrize(
    ("category", "expected"),
    [
        ("Politics", ["Politics"]),
        ("  climate \n change ", ["climate change"]),
        ("News > World > Europe", ["News", "World", "Europe"]),
        ("News / World", ["News", "World"]),
        ("News/World", ["News", "World"]),
        ("Sport;Football", ["Sport", "Football"]),
        ("Sport | Football", ["Sport", "Football"]),
        ("Sport » Football", ["Sport", "Football"]),
        ("war, peace, elections", ["war", "peace", "elections"]),
        ("Washington, D.C.", ["Washington, D.C."]),
        ("AC/DC", ["AC/DC"]),
        ("HIV/AIDS", ["HIV/AIDS"]),
        ("9/11", []),
        ("#Wildfires", ["Wildfires"]),
        ("&quot;Health&quot;", ["Health"]),
        ("Arts &amp; Culture", ["Arts & Culture"]),
        ("<b>Science</b>", ["Science"]),
        ("Covid-19", ["Covid-19"]),
        ("G20", ["G20"]),
        ("5G", ["5G"]),
        ("Election 2026", ["Election 2026"]),
        ("Війна; Суспільство", ["Війна", "Суспільство"]),
        ("الاقتصاد، السياسة، الرياضة", ["الاقتصاد", "السياسة", "الرياضة"]),
        ("政治、経済", ["政治", "経済"]),
        ("米", ["米"]),
        ("हिन्दी", ["हिन्दी"]),
        ("2026", []),
        ("12345678", []),
        ("https://news.example/tag/x", []),
        ("www.news.example", []),
        ("ann@news.example", []),
        ("type:article", []),
        ("topic=war", []),
        ("nyt_des_x", []),
        ("0f8fad5b-d9cb-469f-a165-70867728950e", []),
        ("deadbeefdeadbeef", []),
        ("a" + "_a" * 28 + "§x", ["a" + "_a" * 28 + "§x"]),
        ("Uncategorized", []),
        ("Allgemein", []),
        ("Non classé", []),
        ("Без рубрики", []),
        ("未分類", []),
        ("a", []),
        ("", []),
        ("---", []),
        ("x" * (MAX_NAME_CHARS + 1), []),
        ("this is a whole sentence that somebody typed there", []),
    ],
)
def test_a_category_becomes_names_or_nothing(category, expected):
    assert names(category) == expected


def test_names_with_one_slug_are_one_tag_in_the_first_spelling():
    assert names("Climate Change", "climate change", "CLIMATE-CHANGE", "Climate  change") == [
        "Climate Change"
    ]


def test_a_synonym_is_replaced_by_its_tag():
    found = tag_names(
        ["USA", "U.S.", "United States"],
        synonyms={"usa": "United States", "u-s": "United States"},
        blocked=(),
    )

    assert found == ("United States",)


def test_a_blocked_tag_stays_out_under_its_synonyms_too():
    synonyms = {"sponsored": "Advertorial"}

    assert tag_names(["Sponsored", "Advertorial", "War"], synonyms=synonyms, blocked={"advertorial"}) == (
        "War",
    )
    assert tag_names(["Sponsored", "War"], synonyms=synonyms, blocked={"sponsored"}) == ("War",)


def test_there_are_at_most_twelve_and_the_first_ones_win():
    assert names(*(f"Topic {chr(65 + number)}" for number in range(26))) == [
        f"Topic {letter}" for letter in "ABCDEFGHIJKL"
    ]


def test_a_feed_with_endless_categories_is_read_only_at_its_beginning():
    taken = []

    def categories():
        for number in range(1_000_000):
            taken.append(number)
            yield "2026"

    assert tag_names(categories(), synonyms={}, blocked=()) == ()
    assert len(taken) < 1_000


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Climate Change", "climate-change"),
        ("Arts & Culture", "arts-culture"),
        ("C++", "cplusplus"),
        ("Straße", "strasse"),
        ("Élections", "élections"),
        ("Київ", "київ"),
        ("İstanbul", "istanbul"),
        ("القاهرة", "القاهرة"),
        ("हिन्दी", "हिन्दी"),
        ("東京 五輪", "東京-五輪"),
        ("ＴＯＫＹＯ", "tokyo"),
        ("a/b", "a-b"),
        ("--x--", "x"),
        ("under_score", "under-score"),
    ],
)
def test_a_slug_keeps_the_letters_of_every_script(name, slug):
    assert tag_slug(name) == slug
    assert tag_slug(slug) == slug


def test_a_name_of_signs_alone_has_a_slug_of_its_own():
    assert tag_slug("🔥") != tag_slug("💧")
    assert re.fullmatch(r"tag-[0-9a-f]{10}", tag_slug("🔥"))


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=120))
def test_any_name_has_a_slug_that_an_address_can_carry(name):
    slug = tag_slug(name)

    assert 0 < len(slug) <= MAX_SLUG_CHARS
    assert not set(slug) & set("/?#%&. \t\n\\<>\"'")


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(max_size=40), max_size=30))
def test_any_categories_give_short_distinct_names(categories):
    found = names(*categories)

    assert len(found) <= MAX_TAGS
    assert len({tag_slug(name) for name in found}) == len(found)
    assert all(0 < len(name) <= MAX_NAME_CHARS for name in found)

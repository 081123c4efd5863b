from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from articles.related import Card, Rarity, headline_words, score, suggest

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def card(
    key: int, headline: str, *, days: float = 0, tags: str = "", people: str = "", language: str = "en"
) -> Card:
    return Card(
        key=key,
        headline=headline,
        published_at=NOON - timedelta(days=days),
        tags=frozenset(tags.split()),
        contributors=frozenset(filter(None, people.split(","))),
        language=language,
    )


FERRY = card(1, "Hoyle Island ferry stops for the winter", tags="islands transport", people="Ann Lee")


def test_shared_rare_words_come_before_shared_common_ones():
    about_it = card(2, "Islanders protest as Hoyle ferry is cancelled")
    chance = card(3, "Winter sales start early in the capital")

    found = suggest(
        FERRY, [chance, about_it, card(4, "Winter wheat prices rise"), card(5, "Winter games begin")], 5
    )

    assert found[0].key == about_it.key
    assert "ferry" in found[0].reasons
    assert "hoyle" in found[0].reasons


def test_a_tag_that_few_articles_carry_says_more_than_one_that_all_carry():
    crowd = [card(10 + number, f"Crowd {chr(97 + number) * 4}", tags="transport") for number in range(20)]
    rare = card(99, "Lighthouse repainted", tags="islands")

    found = suggest(FERRY, [*crowd, rare], 3)

    assert found[0].key == rare.key


def test_a_shared_author_counts_and_less_than_the_matter():
    same_author = card(2, "Bakers strike in the capital", people="Ann Lee")
    same_matter = card(3, "Ferry to Hoyle Island sold", tags="islands")

    assert [found.key for found in suggest(FERRY, [same_author, same_matter], 5)] == [3, 2]


def test_of_two_equally_near_the_newer_comes_first():
    old, new = card(2, "Hoyle ferry sold", days=90), card(3, "Ferry Hoyle: sold again", days=1)

    assert [found.key for found in suggest(FERRY, [old, new], 5)] == [3, 2]


def test_an_old_article_on_the_matter_beats_a_new_one_on_nothing():
    assert [
        found.key
        for found in suggest(FERRY, [card(2, "Hoyle ferry founded", days=2_000), card(3, "Bakers strike")], 5)
    ] == [2]


def test_the_article_itself_its_copies_and_doubles_are_left_out():
    copies = [
        FERRY,
        card(2, "Hoyle Island Ferry Stops For The Winter!"),
        card(3, "Hoyle ferry sold"),
        card(4, "HOYLE FERRY SOLD"),
    ]

    assert [found.key for found in suggest(FERRY, copies, 5)] == [3]


def test_nothing_in_common_suggests_nothing():
    assert suggest(FERRY, [card(2, "Bakers strike in the capital", tags="bread", people="Bo Li")], 5) == ()
    assert suggest(FERRY, [], 5) == ()
    assert suggest(FERRY, [card(2, "Hoyle ferry sold")], 0) == ()


def test_the_limit_holds():
    many = [card(10 + number, f"Hoyle ferry {chr(97 + number) * 5}") for number in range(20)]

    assert len(suggest(FERRY, many, 4)) == 4


def test_numbers_and_common_words_alone_make_no_relation():
    a, b = card(1, "The 12 of 2026: what was it for?"), card(2, "For the 12 of 2026 it was not")

    assert score(a, b) == 0


def test_common_words_are_those_of_the_articles_language():
    assert headline_words(card(1, "Die Fähre nach dem Sturm", language="de-DE")) == {"fähre", "sturm"}
    assert headline_words(card(1, "Пором після шторму", language="uk")) == {"пором", "шторму"}


def test_headlines_without_spaces_are_compared_by_pairs_of_characters():
    a, b = card(1, "離島フェリー運航停止", language="ja"), card(2, "フェリー運航を再開", language="ja")

    assert score(a, b) > score(a, card(3, "首相が辞任", language="ja"))


@pytest.mark.parametrize("days", [0, 1, 30, 4_000])
def test_the_score_is_the_same_both_ways_and_between_nought_and_one(days):
    other = card(2, "Hoyle Island ferry to stop", days=days, tags="islands", people="Ann Lee")

    assert 0 <= score(FERRY, other) <= 1
    assert score(FERRY, other) == score(other, FERRY)


def test_an_article_is_nearest_to_itself():
    assert score(FERRY, FERRY, Rarity.among([FERRY])) == pytest.approx(1)

"""The words of headlines, names and standfirsts, found by what is typed in their place.

A word lies under everything that is left of its beginning when one letter of it is left out, or two of a
long word. Two words that differ by so many slips have one of these in common; so a lookup is a few primary
keys however many words are known, the same on both databases. A word stays while an indexed article has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, combinations

from django.db import connection

from articles import bulk, listed
from articles.models import SearchRow, SearchSlip
from articles.statements import ask

SHORTEST, LONGEST = 4, 24
OPENING = 7
LONG_FROM = 8
# What stands in any of so many articles is common: whether others have it need not be asked for each word.
NEWEST = 300
_KNOWN = "SELECT value FROM {given} CROSS JOIN articles_searchslip WHERE slip = SUBSTR(value, 1, 7) AND word = value"
_NEAR = "SELECT word FROM {given} CROSS JOIN articles_searchslip WHERE slip = value LIMIT 4000"
_LEARN = (
    "INSERT INTO articles_searchslip (slip, word) SELECT * FROM unnest(%s::text[], %s::text[])"
    " ON CONFLICT DO NOTHING"
)
_ANY = {
    "sqlite": "SELECT 1 FROM articles_searchindex WHERE articles_searchindex MATCH"
    " '{headline names standfirst} : \"' || %s || '\"' LIMIT 1",
    "postgresql": "SELECT 1 FROM articles_searchrow WHERE top @@ to_tsquery('simple', '''' || %s || '''') LIMIT 1",
}


def words_of(texts: Iterable[str]) -> set[str]:
    """The words of folded texts whose spelling can be put right."""
    words = set(chain.from_iterable(text.split() for text in texts))
    return {word for word in words if SHORTEST <= len(word) <= LONGEST and word.isalpha()}


def slips_allowed(word: str) -> int:
    """By how many letters what was typed may differ."""
    return 2 if len(word) >= LONG_FROM else 1


def keys_of(word: str) -> list[str]:
    """What may be left of the word's beginning after as many slips, always in the same order."""
    opening = word[:OPENING]
    lengths = range(len(opening) - slips_allowed(word), len(opening) + 1)
    left = chain.from_iterable(combinations(opening, length) for length in lengths)
    return list(dict.fromkeys(map("".join, left)))


# --- keeping ----------------------------------------------------------------------------------


def learn(words: set[str]) -> None:
    """Know these words from now on, in the caller's transaction."""
    if not words:
        return
    # In one order, so that two transactions never wait for each other.
    rows = [(key, word) for word in sorted(words - known(words)) for key in keys_of(word)]
    if connection.vendor == "sqlite" or not rows:
        bulk.insert(SearchSlip, ("slip", "word"), rows, conflicts="DO NOTHING")
        return
    with connection.cursor() as cursor:
        # Each column as one list in the database's own notation, which for letters alone is this: a quarter less.
        cursor.execute(_LEARN, ['{"' + '","'.join(column) + '"}' for column in zip(*rows, strict=True)])


def forget(words: set[str]) -> None:
    """Drop those of these words that no indexed article has any more, in the caller's transaction."""
    if not words:
        return
    gone = [word for word in words - _newest_words() if not _stands(word)]
    with connection.cursor() as cursor:
        cursor.executemany(
            "DELETE FROM articles_searchslip WHERE slip = %s AND word = %s",
            [(key, word) for word in gone for key in keys_of(word)],
        )


def tops(article_ids: Sequence[int]) -> set[str]:
    """The words that are indexed for these articles."""
    return _words_of_rows(SearchRow.objects.filter(pk__in=article_ids).values_list(*_TOP))


_TOP = ("headline", "names", "standfirst")


def _newest_words() -> set[str]:
    return _words_of_rows(SearchRow.objects.order_by("-pk").values_list(*_TOP)[:NEWEST])


def _words_of_rows(rows: Iterable[Sequence[str]]) -> set[str]:
    return words_of(chain.from_iterable(rows))


def _stands(word: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_ANY[connection.vendor], [word])
        return cursor.fetchone() is not None


# --- putting right ----------------------------------------------------------------------------


def known(words: Iterable[str]) -> set[str]:
    """Those of the words that stand in a headline, name or standfirst that is indexed."""
    return _found(_KNOWN, sorted(words))


def nearest(word: str) -> list[tuple[int, str]]:
    """Known words that differ from this one by few slips, with how many, the nearest first; none for a known word."""
    if not SHORTEST <= len(word) <= LONGEST or not word.isalpha():
        return []
    near = _found(_NEAR, sorted(keys_of(word), key=len, reverse=True))
    if word in near:
        return []
    most = slips_allowed(word)
    measured = [(_slips(word, other, most), other[0] != word[0], other) for other in near]
    return [(slips, other) for slips, _, other in sorted(measured) if slips <= most]


def _found(sql: str, values: Sequence[str]) -> set[str]:
    """The first column of a statement over a list of texts, which stands for {given}."""
    return {text for (text,) in ask(sql.format(given=listed.table("given")), [listed.parameter(values)])}


def _slips(one: str, other: str, most: int) -> int:
    """How many letters were put in, left out, mistaken or exchanged with their neighbour; `most` + 1 is too many."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for at, letter in enumerate(one, 1):
        above, before, row = before, row, [at]
        for place, its in enumerate(other, 1):
            slips = min(before[place] + 1, row[-1] + 1, before[place - 1] + (letter != its))
            if at > 1 and place > 1 and letter == other[place - 2] and one[at - 2] == its:
                slips = min(slips, above[place - 2] + 1)
            row.append(slips)
        if min(row) > most:
            return most + 1
    return row[-1]

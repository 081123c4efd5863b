from __future__ import annotations

import itertools
import random
from datetime import date

import pytest

from articles.fingerprint import (
    BANDS,
    ENOUGH_ANCHORS,
    SIGNATURE_BYTES,
    anchors,
    bands,
    signature,
    similarity,
    text_fingerprint,
    title_day_key,
)

HAN = [chr(0x4E00 + number) for number in range(900)]
SYLLABLES = [a + b for a in "bcdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "an", "el", "ir")]


def vocabulary(count: int = 3_000) -> list[str]:
    chooser = random.Random(7)
    return ["".join(chooser.choices(SYLLABLES, k=chooser.choice([1, 1, 2, 2, 3, 4]))) for _ in range(count)]


WORDS = vocabulary()
WEIGHTS = [1 / (rank + 5) for rank in range(len(WORDS))]


def write(seed: int, words: int) -> list[str]:
    return random.Random(seed).choices(WORDS, WEIGHTS, k=words)


def edit(text: list[str], seed: int, *, changed: float = 0.08, kept: float = 0.85) -> list[str]:
    chooser = random.Random(-seed)
    replaced = [chooser.choice(WORDS) if chooser.random() < changed else word for word in text]
    return replaced[: int(len(text) * kept)]


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Kyiv, Monday.", "kyiv monday"),
        ("“Quoted” — text", '"quoted" - TEXT'),
        ("ﬁne", "fine"),
        ("Straße", "STRASSE"),
        ("e\u0301tude", "étude"),
        ("two  \n words", "two words"),
        ("１２３ ＡＢＣ", "123 abc"),
    ],
)
def test_spelling_without_meaning_does_not_change_the_fingerprint(a, b):
    assert text_fingerprint(a) == text_fingerprint(b)


@pytest.mark.parametrize(
    ("a", "b"), [("one two", "one three"), ("onetwo", "one two"), ("", "a"), ("5 of 6", "6 of 5")]
)
def test_other_words_have_another_fingerprint(a, b):
    assert text_fingerprint(a) != text_fingerprint(b)


@pytest.mark.parametrize("words", [100, 250, 700])
def test_edited_copies_are_near_and_different_texts_far(words):
    texts = [write(seed, words) for seed in range(1, 61)]
    signatures = [signature(" ".join(text)) for text in texts]
    copies = [signature(" ".join(edit(text, seed))) for seed, text in enumerate(texts, 1)]
    near = [similarity(*pair) for pair in zip(signatures, copies, strict=True)]
    far = [similarity(*pair) for pair in itertools.pairwise(signatures)]

    assert sum(value >= 0.7 for value in near) >= 0.88 * len(near)
    assert min(near) >= 0.55
    assert max(far) < 0.3


def test_nine_in_ten_edited_copies_share_a_band_and_different_texts_none():
    texts = [write(seed, 200) for seed in range(1, 101)]
    banded = [set(enumerate(bands(signature(" ".join(text))))) for text in texts]
    copies = [
        set(enumerate(bands(signature(" ".join(edit(text, seed)))))) for seed, text in enumerate(texts, 1)
    ]

    found = sum(bool(ours & theirs) for ours, theirs in zip(banded, copies, strict=True))
    false = sum(bool(ours & theirs) for ours, theirs in itertools.pairwise(banded))
    assert found >= 0.88 * len(texts)
    assert false == 0


def test_texts_in_scripts_without_spaces_are_compared_by_characters():
    text = random.Random(3).choices(HAN, k=400)
    copy = [
        random.Random(4).choice(HAN) if place % 25 == 0 else character for place, character in enumerate(text)
    ]
    other = random.Random(5).choices(HAN, k=400)

    assert similarity(signature("".join(text)), signature("".join(copy))) >= 0.7
    assert similarity(signature("".join(text)), signature("".join(other))) < 0.3


def test_a_text_is_wholly_like_itself():
    sketched = signature("Ann Ó Briain reports from the harbour of Odesa")

    assert similarity(sketched, sketched) == 1.0


@pytest.mark.parametrize("text", ["", "   ", "—!?", "\n"])
def test_a_text_without_words_is_like_nothing_and_in_no_band(text):
    empty = signature(text)

    assert len(empty) == SIGNATURE_BYTES
    assert similarity(empty, empty) == 0.0
    assert bands(empty) == ()


@pytest.mark.parametrize("text", ["a", "of the", "東", "one two three", "x" * 300_000, "word " * 100_000])
def test_signature_and_bands_have_one_length_and_fit_their_columns(text):
    sketched = signature(text)

    assert len(sketched) == SIGNATURE_BYTES
    assert len(bands(sketched)) == BANDS
    assert all(-(2**63) <= band < 2**63 for band in bands(sketched))
    assert similarity(sketched, sketched) == 1.0


def test_a_signature_read_back_from_a_database_works_as_before():
    sketched = signature("A text of a few words that was stored and read again")

    assert similarity(memoryview(sketched), sketched) == 1.0
    assert bands(memoryview(sketched)) == bands(sketched)


def test_stored_figures_never_change():
    """Signatures lie in the database: another result here would need every article to be signed again."""
    text = "The ferry to Hoyle Island stopped for the winter, and the islanders did not mind."

    assert signature(text).hex()[:32] == "9c383468eca464761f28178c7175a4e1"
    assert text_fingerprint(text)[:16] == "d50a417a65d372b1"


def test_headline_and_day_name_an_entry_of_one_source():
    key = title_day_key("daily.example", "Ferry stops!", date(2026, 11, 1))

    assert key == title_day_key("daily.example", "FERRY  stops", date(2026, 11, 1))
    assert key != title_day_key("daily.example", "Ferry stops", date(2026, 11, 2))
    assert key != title_day_key("other.example", "Ferry stops", date(2026, 11, 1))


def test_an_edited_copy_keeps_most_anchors_and_another_text_none():
    words = [f"word{(n * 7919) % 10007}" for n in range(300)]
    edited = ["A", "lead", "of", "its", "own", *words[:120], "changed", *words[121:270]]
    other = [f"other{(n * 7919) % 10007}" for n in range(300)]

    own = set(anchors(" ".join(words)))

    assert len(own & set(anchors(" ".join(edited)))) > 2 * ENOUGH_ANCHORS
    assert not own & set(anchors(" ".join(other)))
    assert anchors("東京" * 40 + "大阪")
    assert anchors("short") == []

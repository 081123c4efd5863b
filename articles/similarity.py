"""How near two reports are to one event: telling words, names and figures, weighed by rarity.

Pure. The numbers that stand for terms are stored: to change how a term is made is to describe every
article of the window again.
"""

from __future__ import annotations

import hashlib
import math
import re
import struct
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from itertools import chain
from typing import NamedTuple

from anyascii import anyascii

from articles.language import COMMON_WORDS, normalise_language

WORD, NAME, FIGURE = 0, 1, 2
MOST_TERMS = 48
LEAD_WORDS = 70
HEADLINE_FACTOR = 1.6
HALF_LIFE = timedelta(days=4)
STEM = 6
MOST_REASONS = 6
LEAST_SHARED = 3
FLOOR = 1.8

_ONE = struct.Struct("<qfB")
_TOKEN = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*|\d+(?:[.,:]\d+)*|[.!?:;–—]")
_KANJI = re.compile(r"[\u3400-\u9fff]{2,}")
_KATAKANA = re.compile(r"[\u30a1-\u30fa\u30fc]{3,}")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
# Before the lead of an agency's report: "PORT MERROW (Northline) - ". The place is told again in the text.
_DATELINE = re.compile(r"^[^()\n]{2,60}\([^()\n]{2,40}\)\s*[-–—]\s*")
_FORMS = str.maketrans({"y": "i", "j": "i", "w": "u", "’": "", "'": "", "-": ""})
_DOUBLED = re.compile(r"(.)\1+")


class Term(NamedTuple):
    """One thing an article says: how it was written, and what its place makes it worth.

    Words of one name ("Puerto Albo") have the same `run`.
    """

    said: str
    factor: float
    run: int


class Profile:
    """An article as it is compared: its terms with their weights, its language and when it came out."""

    def __init__(
        self, weights: dict[int, float], runs: dict[int, int], language: str, published_at: datetime
    ) -> None:
        self.weights, self.runs = weights, runs
        self.language, self.published_at = language, published_at

    # Of a text with two names both would be shared by chance too often: a short profile is never a full match.

    @cached_property
    def length(self) -> float:
        """How much it says in all."""
        return math.sqrt(sum([weight * weight for weight in self.weights.values()]) + FLOOR)

    @cached_property
    def length_of_names(self) -> float:
        """How much its names and figures say."""
        names = [weight * weight for key, weight in self.weights.items() if key & 3 != WORD]
        return math.sqrt(sum(names) + FLOOR)

    def pack(self) -> bytes:
        """The terms with their weights and runs as they are stored."""
        return b"".join(
            map(_ONE.pack, self.weights, self.weights.values(), map(self.runs.__getitem__, self.weights))
        )

    @classmethod
    def unpack(cls, packed: bytes, language: str, published_at: datetime) -> Profile:
        """The profile as it was packed."""
        keys, weights, runs = tuple(zip(*_ONE.iter_unpack(packed), strict=True)) or ((), (), ())
        return cls(
            dict(zip(keys, weights, strict=True)), dict(zip(keys, runs, strict=True)), language, published_at
        )


@dataclass(frozen=True, slots=True)
class Likeness:
    """How near two reports are, 0 to 1, and the terms that say so, the most telling first."""

    score: float
    shared: tuple[int, ...] = ()


NOTHING = Likeness(0.0)


def terms_of(headline: str, lead: str, language: str) -> dict[int, Term]:
    """What an article's beginning says, the headline's words first, by its key; no common words, each thing once."""
    common = COMMON_WORDS.get(normalise_language(language), frozenset())
    found: dict[int, Term] = {}
    if dateline := _DATELINE.match(lead):
        lead = lead[dateline.end() :]
    lead = " ".join(lead.split(None, LEAD_WORDS)[:LEAD_WORDS])
    for text, factor in ((headline, HEADLINE_FACTOR), (lead, 1.0)):
        _note(found, unicodedata.normalize("NFKC", text), factor, common)
    return found


def _note(found: dict[int, Term], text: str, factor: float, common: frozenset[str]) -> None:
    """Add what a text says in its order. A capital says name; at the start of a sentence it may not."""
    tokens = [_read(token, common) for token in _TOKEN.findall(text)]
    # In a headline Written Like This capitals say nothing.
    capitals, longer = sum([token[0] for token in tokens]), sum([token[1] for token in tokens])
    shouted, starts, run = capitals > 0.7 * longer, True, len(found)
    for capital, _, ends, sure, unsure in tokens:
        run += not capital
        for key, said in unsure if starts or shouted else sure:
            if key not in found:
                if len(found) == MOST_TERMS:
                    return
                found[key] = Term(said, factor, run)
        starts = ends


@lru_cache(maxsize=4096)
def rarity(count: int, articles: int) -> float:
    """What a term says that `count` of so many articles have, 1 at most and above 0."""
    return min(1.0, math.log1p(articles / (count + 1)) / math.log1p(articles))


def likeness(a: Profile, b: Profile) -> Likeness:
    """How near two reports are; the same both ways round. Across languages only names and figures count.

    Figures alone never make two reports alike, nor does a single name, however many words it has.
    """
    speaks_same = a.language == b.language
    shared = a.weights.keys() & b.weights.keys()
    if not speaks_same:
        shared = {key for key in shared if key & 3 != WORD}
    if len(shared) < (LEAST_SHARED if speaks_same else 2) or not _enough(shared, a, b, speaks_same):
        return NOTHING
    total = a.length * b.length if speaks_same else a.length_of_names * b.length_of_names
    # The lower of two weights knows more: a term was weighed before others took it up.
    worth = {key: min(a.weights[key], b.weights[key]) ** 2 for key in shared}
    product = math.fsum(worth.values())
    score = product / total * math.exp2(-(abs(a.published_at - b.published_at) / HALF_LIFE))
    reasons = sorted(shared, key=lambda key: (-worth[key], key))[:MOST_REASONS]
    return Likeness(min(1.0, score), tuple(reasons))


def _enough(shared: set[int], a: Profile, b: Profile, speaks_same: bool) -> bool:
    names = [key for key in shared if key & 3 == NAME]
    told = min(len({a.runs[key] for key in names}), len({b.runs[key] for key in names}))
    if speaks_same:
        return told + len([key for key in shared if key & 3 == WORD]) >= LEAST_SHARED
    return told >= 2 or (told == 1 and len(shared) > len(names))


class _Read(NamedTuple):
    """A token: whether it begins with a capital, is long, ends a sentence; what it says within one and at its start."""

    capital: bool
    is_long: bool
    ends: bool
    sure: tuple[tuple[int, str], ...] = ()
    unsure: tuple[tuple[int, str], ...] = ()


@lru_cache(maxsize=32_768)
def _read(token: str, common: frozenset[str]) -> _Read:
    is_long = len(token) > 3
    if not token[0].isalnum():
        return _Read(capital=False, is_long=is_long, ends=True)
    if token[0].isdigit():
        figure = ((_key(FIGURE, token.replace(".", "").replace(",", "")), token),) if len(token) > 1 else ()
        return _Read(False, is_long, False, figure, figure)
    capital = token[0].isupper()
    if _UNSPACED.search(token):
        keys = tuple(_unspaced_keys(token))
        return _Read(capital, is_long, False, keys, keys)
    parts = list(_keys_of_parts(token, common))
    sure = tuple([name or word for name, word in parts])
    unsure = sure if token.islower() else tuple(filter(None, chain.from_iterable(parts)))
    return _Read(capital, is_long, False, sure, unsure)


def _keys_of_parts(
    token: str, common: frozenset[str]
) -> Iterable[tuple[tuple[int, str] | None, tuple[int, str]]]:
    """Each part of the token as a name, where it has a capital, and as a word."""
    for part in token.split("-"):
        word = part.casefold().replace("’", "'").removesuffix("'s")
        if len(word) >= 3 and word not in common:
            name = (_key(NAME, name_form(word)), part) if part[0].isupper() else None
            yield name, (_key(WORD, _stem(word)), word)


def _unspaced_keys(token: str) -> Iterable[tuple[int, str]]:
    for name in _KATAKANA.findall(token):
        yield _key(NAME, name_form(name)), name
    for kanji in _KANJI.findall(token):
        for index in range(len(kanji) - 1):
            yield _key(WORD, kanji[index : index + 2]), kanji[index : index + 2]


def name_form(name: str) -> str:
    """A name as it sounds, in small Latin letters: one form for its spellings, scripts and case endings."""
    plain = (name if name.isascii() else anyascii(name)).lower().translate(_FORMS)
    plain = _DOUBLED.sub(r"\1", plain)
    bare = plain.rstrip("aeiou")
    return bare if len(bare) >= 3 else plain


def _stem(word: str) -> str:
    bare = word
    if not word.isascii():
        bare = "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))
    return bare[:STEM].rstrip("seid") or bare


def _key(kind: int, form: str) -> int:
    digest = hashlib.blake2b(f"{kind}{form}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True) & ~3 | kind

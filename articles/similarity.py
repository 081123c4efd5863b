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
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

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


@dataclass(frozen=True, slots=True)
class Term:
    """One thing an article says: by what it is known, how it was written, and what its place makes it worth.

    Words of one name ("Puerto Albo") have the same `run`.
    """

    key: int
    said: str
    factor: float
    run: int


@dataclass(frozen=True, slots=True)
class Profile:
    """An article as it is compared: its terms with their weights, its language and when it came out."""

    weights: Mapping[int, float]
    runs: Mapping[int, int]
    language: str
    published_at: datetime

    def pack(self) -> bytes:
        """The terms with their weights and runs as they are stored."""
        return b"".join(
            _ONE.pack(key, weight, self.runs.get(key, 0) & 0xFF) for key, weight in self.weights.items()
        )

    @classmethod
    def unpack(cls, packed: bytes, language: str, published_at: datetime) -> Profile:
        """The profile as it was packed."""
        rows = list(_ONE.iter_unpack(packed))
        weights = {key: weight for key, weight, _ in rows}
        return cls(weights, {key: run for key, _, run in rows}, language, published_at)


@dataclass(frozen=True, slots=True)
class Likeness:
    """How near two reports are, 0 to 1, and the terms that say so, the most telling first."""

    score: float
    shared: tuple[int, ...] = ()


def terms_of(headline: str, lead: str, language: str) -> list[Term]:
    """What an article's beginning says, the headline's words first; no common words, each thing once."""
    common = COMMON_WORDS.get(normalise_language(language), frozenset())
    found: dict[int, Term] = {}
    lead = " ".join(_DATELINE.sub("", lead).split()[:LEAD_WORDS])
    for text, factor in ((headline, HEADLINE_FACTOR), (lead, 1.0)):
        for key, said, run in _keys(unicodedata.normalize("NFKC", text), common, run=len(found)):
            found.setdefault(key, Term(key, said, factor, run))
    return list(found.values())[:MOST_TERMS]


def kind_of(key: int) -> int:
    """WORD, NAME or FIGURE."""
    return key & 3


def rarity(count: int, articles: int) -> float:
    """What a term says that `count` of so many articles have, 1 at most and above 0."""
    return min(1.0, math.log1p(articles / (count + 1)) / math.log1p(articles))


def likeness(a: Profile, b: Profile) -> Likeness:
    """How near two reports are; the same both ways round. Across languages only names and figures count.

    Figures alone never make two reports alike, nor does a single name, however many words it has.
    """
    speaks_same = a.language == b.language
    shared = [key for key in a.weights if key in b.weights and (speaks_same or kind_of(key) != WORD)]
    if not _enough(shared, a, b, speaks_same):
        return Likeness(0.0)
    total = _length(a, speaks_same) * _length(b, speaks_same)
    # The lower of two weights knows more: a term was weighed before others took it up.
    worth = {key: min(a.weights[key], b.weights[key]) ** 2 for key in shared}
    product = math.fsum(worth.values())
    shared.sort(key=lambda key: (-worth[key], key))
    score = product / total * math.exp2(-(abs(a.published_at - b.published_at) / HALF_LIFE))
    return Likeness(min(1.0, score), tuple(shared[:MOST_REASONS]))


def _enough(shared: list[int], a: Profile, b: Profile, speaks_same: bool) -> bool:
    names = [key for key in shared if kind_of(key) == NAME]
    told = min(len({a.runs[key] for key in names}), len({b.runs[key] for key in names}))
    if speaks_same:
        return told + sum(1 for key in shared if kind_of(key) == WORD) >= LEAST_SHARED
    return told >= 2 or (told == 1 and len(shared) > len(names))


def _length(profile: Profile, with_words: bool) -> float:
    weights = (w for key, w in profile.weights.items() if with_words or kind_of(key) != WORD)
    # Of a text with two names both would be shared by chance too often: a short profile is never a full match.
    return math.sqrt(math.fsum(weight * weight for weight in weights) + FLOOR)


def _keys(text: str, common: frozenset[str], run: int) -> Iterable[tuple[int, str, int]]:
    """(key, word, run) of a text in its order. A capital says name; at the start of a sentence it may not."""
    tokens = _TOKEN.findall(text)
    capitals = sum(1 for token in tokens if token[:1].isupper())
    # In a headline Written Like This capitals say nothing.
    shouted = capitals > 0.7 * sum(1 for token in tokens if len(token) > 3)
    starts = True
    for token in tokens:
        run += not token[0].isupper()
        if not token[0].isalnum():
            starts = True
            continue
        if not token[0].isdigit():
            for key, said in _word_keys(token, common, unsure=starts or shouted):
                yield key, said, run
        elif len(token) > 1:
            yield _key(FIGURE, token.replace(".", "").replace(",", "")), token, run
        starts = False


@lru_cache(maxsize=32_768)
def _word_keys(token: str, common: frozenset[str], *, unsure: bool) -> tuple[tuple[int, str], ...]:
    return tuple(_keys_of_word(token, common, unsure=unsure))


def _keys_of_word(token: str, common: frozenset[str], *, unsure: bool) -> Iterable[tuple[int, str]]:
    if _UNSPACED.search(token):
        yield from _unspaced_keys(token)
        return
    for part in token.split("-"):
        word = part.casefold().replace("’", "'").removesuffix("'s")
        if len(word) < 3 or word in common:
            continue
        capital = part[0].isupper()
        if capital:
            yield _key(NAME, name_form(word)), part
        if not capital or unsure:
            yield _key(WORD, _stem(word)), word


def _unspaced_keys(token: str) -> Iterable[tuple[int, str]]:
    for name in _KATAKANA.findall(token):
        yield _key(NAME, name_form(name)), name
    for kanji in _KANJI.findall(token):
        for index in range(len(kanji) - 1):
            yield _key(WORD, kanji[index : index + 2]), kanji[index : index + 2]


def name_form(name: str) -> str:
    """A name as it sounds, in small Latin letters: one form for its spellings, scripts and case endings."""
    plain = anyascii(name).lower().translate(_FORMS)
    plain = _DOUBLED.sub(r"\1", plain)
    bare = plain.rstrip("aeiou")
    return bare if len(bare) >= 3 else plain


def _stem(word: str) -> str:
    bare = "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))
    return bare[:STEM].rstrip("seid") or bare


def _key(kind: int, form: str) -> int:
    digest = hashlib.blake2b(f"{kind}{form}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True) & ~3 | kind

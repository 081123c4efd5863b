"""Which articles to read next, suggested from shared tags, people and rare words of the headline."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from articles.language import COMMON_WORDS, normalise_language

HEADLINE_SHARE = 0.5
TAGS_SHARE = 0.35
PEOPLE_SHARE = 0.15
HALF_LIFE = timedelta(days=14)
LEAST_SCORE = 0.1

_WORD = re.compile(r"[^\W_]+")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]{2,}")


@dataclass(frozen=True)
class Card:
    """What there is to know of an article in order to compare it."""

    key: int
    headline: str
    published_at: datetime
    tags: frozenset[str] = frozenset()
    contributors: frozenset[str] = frozenset()
    language: str = ""
    words: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Once for each card: it is compared with all the others.
        object.__setattr__(self, "words", headline_words(self))


@dataclass(frozen=True)
class Suggestion:
    """An article to read next, and the words, tags and people that speak for it."""

    key: int
    score: float
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rarity:
    """How much a word or tag says: the fewer articles carry it, the more."""

    articles: int = 1
    carried_by: Mapping[str, int] = field(default_factory=dict)

    def weight(self, term: str) -> float:
        """Above 0; what no counted article carries weighs most."""
        return math.log1p(self.articles / max(1, self.carried_by.get(term, 0)))

    @classmethod
    def among(cls, cards: Sequence[Card]) -> Rarity:
        """Counted over the articles at hand."""
        counts: Counter[str] = Counter()
        for card in cards:
            counts.update(card.words | _marked(card.tags))
        return cls(articles=max(1, len(cards)), carried_by=counts)


def headline_words(card: Card) -> frozenset[str]:
    """The telling words of a headline: no numbers, none of its language's commonest words."""
    text = unicodedata.normalize("NFKC", card.headline).casefold()
    common = COMMON_WORDS.get(normalise_language(card.language), COMMON_WORDS["en"])
    words = {
        word for word in _WORD.findall(text) if len(word) > 2 and not word.isdigit() and word not in common
    }
    for run in _UNSPACED.findall(text):
        words.discard(run)
        words.update(run[index : index + 2] for index in range(len(run) - 1))
    return frozenset(words)


def score(a: Card, b: Card, rarity: Rarity | None = None) -> float:
    """How near two articles are, 0 to 1; the same both ways round."""
    rarity = rarity or Rarity()
    headline = _overlap(a.words, b.words, rarity)
    tags = _common_share(_marked(a.tags), _marked(b.tags), rarity)
    people = 1.0 if a.contributors & b.contributors else 0.0
    content = HEADLINE_SHARE * headline + TAGS_SHARE * tags + PEOPLE_SHARE * people
    return content * _nearness(a.published_at, b.published_at)


def suggest(article: Card, candidates: Iterable[Card], limit: int) -> tuple[Suggestion, ...]:
    """The nearest candidates, best first; never the article itself, nor one headline twice."""
    others = [card for card in candidates if card.key != article.key]
    rarity = Rarity.among([article, *others])
    scored = [(score(article, card, rarity), card) for card in others]
    scored.sort(key=lambda pair: (-pair[0], -pair[1].published_at.timestamp(), pair[1].key))
    chosen: list[Suggestion] = []
    told = {_folded(article.headline)}
    for value, card in scored:
        if len(chosen) >= limit or value < LEAST_SCORE:
            break
        if _folded(card.headline) not in told:
            told.add(_folded(card.headline))
            chosen.append(Suggestion(card.key, round(value, 4), _reasons(article, card, rarity)))
    return tuple(chosen)


def _overlap(a: frozenset[str], b: frozenset[str], rarity: Rarity) -> float:
    """The weight of the shared words against the lighter headline. One shared word is chance more often than not."""
    shared = a & b
    if not shared:
        return 0.0
    total = min(_weight(a, rarity), _weight(b, rarity))
    return _weight(shared, rarity) / total * (0.4 if len(shared) == 1 else 1.0)


def _common_share(a: frozenset[str], b: frozenset[str], rarity: Rarity) -> float:
    shared = a & b
    return _weight(shared, rarity) / _weight(a | b, rarity) if shared else 0.0


def _weight(terms: frozenset[str], rarity: Rarity) -> float:
    return math.fsum(rarity.weight(term) for term in terms)


def _nearness(a: datetime, b: datetime) -> float:
    """1 for the same hour, falling to a half: an old article on the same matter is still worth a link."""
    return 0.5 + 0.5 * math.exp2(-(abs(a - b) / HALF_LIFE))


def _reasons(a: Card, b: Card, rarity: Rarity) -> tuple[str, ...]:
    words = sorted(a.words & b.words, key=lambda word: (-rarity.weight(word), word))
    return (*sorted(a.tags & b.tags), *sorted(a.contributors & b.contributors), *words[:3])


def _marked(tags: frozenset[str]) -> frozenset[str]:
    """Tags apart from words of the same spelling, so that each is counted among its own."""
    return frozenset(f"#{tag}" for tag in tags)


def _folded(headline: str) -> str:
    return "".join(_WORD.findall(unicodedata.normalize("NFKC", headline).casefold()))

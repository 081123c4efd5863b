"""What is kept of an article to compare it with others, and how those worth comparing are found.

Every article leaves a few dozen keys: its rarest terms and the bands of its text's sketch. A key that
many articles of a week have already is left with no more of them, so no look-up grows with the table.
"""

from __future__ import annotations

import html
import json
import re
import struct
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Value
from django.db.models.functions import Coalesce, Substr

from articles import bulk
from articles.fingerprint import bands, is_telling, signature
from articles.language import normalise_language
from articles.models import Article, ArticleState, Comparison
from articles.sanitise import to_text
from articles.similarity import FIGURE, NAME, WORD, Profile, Term, rarity, terms_of

WINDOW = timedelta(days=7)
KEPT = timedelta(days=90)
# How many of its terms an article can be found by, and how many articles of a week one term can find.
INDEXED = 24
CROWD = 64
# The most articles that one is compared with.
NEAREST = 32
SHORT = 100
OPENING = 1500
LEAST_ARTICLES = 500
MOST_COUNTED = 20_000
BAND = 3
_INDEX_FACTOR = {WORD: 1.0, NAME: 2.0, FIGURE: 1.2}
_SPREAD = 0x9E3779B97F4A7C15
_TAG = re.compile(r"<[^>]*>?")


@dataclass(slots=True)
class Subject:
    """An article on its way into the comparison."""

    pk: int
    published_at: datetime
    language: str
    terms: list[Term]
    bands: list[int]
    is_short: bool
    profile: Profile = field(init=False)
    rarest: list[int] = field(init=False)
    stored: list[int] = field(init=False)

    def said(self, key: int) -> str:
        """The word behind a key of this article."""
        return next((term.said for term in self.terms if term.key == key), "")


@dataclass(slots=True)
class Report:
    """An article as others are compared with it."""

    pk: int
    source_id: int | None
    story_id: int | None
    copy_of_id: int | None
    published_at: datetime
    signature: bytes
    is_short: bool
    profile: Profile
    pinned: bool
    own_text: bool


# --- describing -------------------------------------------------------------------------------


def described(article_ids: Sequence[int]) -> list[Subject]:
    """What these articles say, in the order of their publication. Texts not sketched yet are sketched first."""
    _sketch(article_ids)
    articles = (
        Article.objects.filter(pk__in=article_ids, published_at__isnull=False)
        .annotate(opening=Substr("body", 1, OPENING))
        .only("headline", "standfirst", "language", "published_at", "signature")
        .order_by("published_at", "pk")
    )
    return [_subject(article) for article in articles]


def _sketch(article_ids: Sequence[int]) -> None:
    """Store the sketches that are missing. A text too short to tell has none."""
    unsketched = Article.objects.filter(
        pk__in=article_ids, signature__isnull=True, state=ArticleState.PUBLISHED
    )
    texts = [
        (pk, version, to_text(body)) for pk, version, body in unsketched.values_list("pk", "version", "body")
    ]
    sketches = [
        (signature(text), version, ArticleState.PUBLISHED.value, pk)
        for pk, version, text in texts
        if is_telling(text)
    ]
    # Not over a version that came in meanwhile, nor over what was erased.
    bulk.update(Article, ["signature"], sketches, where=["version", "state"])


def _subject(article: Any) -> Subject:
    opening = html.unescape(_TAG.sub(" ", article.opening))
    language = normalise_language(article.language)
    return Subject(
        pk=article.pk,
        published_at=article.published_at,
        language=language,
        terms=terms_of(article.headline, f"{article.standfirst} {opening}", language),
        bands=_band_keys(article.signature),
        is_short=len(opening.split(None, SHORT)) <= SHORT,
    )


def _band_keys(signature: bytes | memoryview | None) -> list[int]:
    values = bands(bytes(signature)) if signature else ()
    return [_signed((value ^ (index + 1) * _SPREAD) & ~3 | BAND) for index, value in enumerate(values)]


def _signed(number: int) -> int:
    number &= 0xFFFFFFFFFFFFFFFF
    return number - (1 << 64) if number >> 63 else number


# --- keeping ----------------------------------------------------------------------------------


def keep(subjects: Sequence[Subject]) -> None:
    """Weigh the subjects' terms and store by what they can be found. What was kept of them before goes."""
    drop([subject.pk for subject in subjects])
    _weigh(subjects)
    _insert(
        (key, hour_of(subject.published_at), subject.pk) for subject in subjects for key in subject.stored
    )
    Comparison.objects.bulk_create(
        Comparison(
            article_id=subject.pk,
            terms=subject.profile.pack(),
            keys=struct.pack(f"<{len(subject.stored)}q", *subject.stored),
            language=subject.language,
            is_short=subject.is_short,
            published_at=subject.published_at,
        )
        for subject in subjects
    )


def drop(article_ids: Sequence[int]) -> int:
    """Forget what was kept of these articles; returns of how many there was anything."""
    rows = list(
        Comparison.objects.filter(pk__in=article_ids).values_list("article_id", "keys", "published_at")
    )
    _delete((key, hour_of(at), pk) for pk, keys, at in rows for (key,) in struct.iter_unpack("<q", keys))
    Comparison.objects.filter(pk__in=[pk for pk, _, _ in rows]).delete()
    return len(rows)


def prune(limit: int, at: datetime) -> int:
    """Forget at most `limit` of the articles too old to be compared; returns how many."""
    old = Comparison.objects.filter(published_at__lt=at - KEPT).order_by("published_at")
    return drop(list(old.values_list("pk", flat=True)[:limit]))


def _weigh(subjects: Sequence[Subject]) -> None:
    """Give the subjects their profiles: each term by how few of the articles around have it."""
    asked = [(number, key) for number, subject in enumerate(subjects) for key in _all_keys(subject)]
    stored = _counts([(number, key, subjects[number].published_at) for number, key in asked])
    beside = Counter(key for _, key in asked)
    articles = _articles_around(subjects)
    for number, subject in enumerate(subjects):
        counts = {key: stored[number, key] + beside[key] - 1 for key in _all_keys(subject)}
        weights = {
            term.key: term.factor * rarity(_guessed(counts[term.key], articles), articles)
            for term in subject.terms
        }
        runs = {term.key: term.run & 0xFF for term in subject.terms}
        subject.profile = Profile(weights, runs, subject.language, subject.published_at)
        # A name is what reports on one event share; of a text's rarest words most are in no other text.
        subject.rarest = sorted(weights, key=lambda key: -weights[key] * _INDEX_FACTOR[key & 3])[:INDEXED]
        subject.stored = [key for key in {*subject.rarest, *subject.bands} if stored[number, key] < CROWD]


def _all_keys(subject: Subject) -> list[int]:
    return [*(term.key for term in subject.terms), *subject.bands]


def _guessed(count: int, articles: int) -> int:
    """How many have a term of which no more than a crowd is kept."""
    return max(count, articles // 20) if count >= CROWD else count


def _articles_around(subjects: Sequence[Subject]) -> int:
    """How many articles came out around these, as far as that is worth counting."""
    first = min(subject.published_at for subject in subjects) - WINDOW
    last = max(subject.published_at for subject in subjects) + WINDOW
    around = Comparison.objects.filter(published_at__range=(first, last))
    return max(LEAST_ARTICLES, len(subjects) + around[:MOST_COUNTED].count())


# --- finding ----------------------------------------------------------------------------------


def found_for(subjects: Sequence[Subject]) -> dict[int, list[int]]:
    """Subject to the articles worth comparing with it, the likeliest first; never more than NEAREST."""
    asked = [
        (number, key, subject.published_at)
        for number, subject in enumerate(subjects)
        for key in {*subject.rarest, *subject.bands}
    ]
    points: dict[int, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for number, key, other in _postings(asked):
        subject = subjects[number]
        if other != subject.pk:
            # A common band is as good as two terms.
            worth = [1.0, 1.0] if key & 3 == BAND else [subject.profile.weights[key]]
            points[subject.pk][other] += worth
    return {
        pk: sorted(
            (other for other, values in others.items() if len(values) >= 2),
            key=lambda other: (-sum(others[other]), other),
        )[:NEAREST]
        for pk, others in points.items()
    }


def reports(article_ids: Iterable[int]) -> dict[int, Report]:
    """These articles as far as they are published and kept for comparison, by their key."""
    rows = Comparison.objects.filter(
        pk__in=set(article_ids), article__state=ArticleState.PUBLISHED
    ).values_list(
        "article_id", "article__source_id", "article__story_id", "article__copy_of_id", "published_at",
        "article__signature", "is_short", "terms", "language",
        Coalesce("article__membership__pinned", Value(False)),
        Coalesce("article__membership__own_text", Value(False)),
    )  # fmt: skip
    return {
        pk: Report(
            pk, source, story, copy_of, at, bytes(signature or b""), short,
            Profile.unpack(bytes(terms), language, at), pinned, own,
        )
        for pk, source, story, copy_of, at, signature, short, terms, language, pinned, own in rows
    }  # fmt: skip


def sharing_text(article: Article) -> list[int]:
    """Articles around this one that share a band of its text's sketch."""
    if not article.published_at:
        return []
    keys = _band_keys(article.signature)
    return sorted({pk for _, _, pk in _postings([(0, key, article.published_at) for key in keys])})


# --- the table of keys ------------------------------------------------------------------------

_Asked = tuple[int, int, datetime]


def hour_of(at: datetime) -> int:
    """The hour of a moment, as keys have it."""
    return int(at.timestamp() // 3600)


def _columns(rows: Iterable[Sequence[int]], width: int) -> list[Any]:
    """Any number of rows as parameters: one JSON text, or an array a column."""
    listed = list(rows)
    if connection.vendor == "sqlite":
        return [json.dumps(listed)]
    return [[row[index] for row in listed] for index in range(width)]


def _table(types: Sequence[str]) -> str:
    """The rows of `_columns` as a table `given` with the columns c0, c1, ..."""
    if connection.vendor == "sqlite":
        columns = ", ".join(f"json_extract(value, '$[{index}]') AS c{index}" for index in range(len(types)))
        return f"(SELECT {columns} FROM json_each(%s)) AS given"  # noqa: S608
    arrays = ", ".join(f"%s::{name}[]" for name in types)
    return f"unnest({arrays}) AS given({', '.join(f'c{index}' for index in range(len(types)))})"


def _run(sql: str, rows: Iterable[Sequence[int]], width: int) -> Iterator[tuple[int, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, _columns(rows, width))
        yield from cursor.fetchall() if cursor.description else ()


def _around(asked: Iterable[_Asked]) -> Iterator[tuple[int, int, int, int]]:
    for number, key, at in asked:
        yield number, key, hour_of(at - WINDOW), hour_of(at + WINDOW)


_ASKED = ("int", "bigint", "int", "int")
_HIT = "JOIN articles_comparisonkey kept ON kept.key = c1 AND kept.hour BETWEEN c2 AND c3"


def _counts(asked: Iterable[_Asked]) -> Counter[tuple[int, int]]:
    """(number, key) to how many kept articles of the time around have the key."""
    sql = f"SELECT c0, c1, COUNT(*) FROM {_table(_ASKED)} {_HIT} GROUP BY c0, c1"  # noqa: S608
    return Counter({(number, key): count for number, key, count in _run(sql, _around(asked), 4)})


def _postings(asked: Iterable[_Asked]) -> list[tuple[int, ...]]:
    sql = f"SELECT c0, c1, kept.article_id FROM {_table(_ASKED)} {_HIT}"  # noqa: S608
    return list(_run(sql, _around(asked), 4))


_KEY = ("bigint", "int", "bigint")


def _insert(rows: Iterable[tuple[int, int, int]]) -> None:
    # SQLite needs the WHERE to tell the conflict clause from a join's condition.
    sql = (
        f"INSERT INTO articles_comparisonkey (key, hour, article_id) SELECT c0, c1, c2 FROM {_table(_KEY)}"  # noqa: S608
        " WHERE true ON CONFLICT DO NOTHING"
    )
    list(_run(sql, sorted(rows), 3))


def _delete(rows: Iterable[tuple[int, int, int]]) -> None:
    listed = sorted(rows)
    if listed:
        sql = (
            "DELETE FROM articles_comparisonkey WHERE (key, hour, article_id) IN"  # noqa: S608
            f" (SELECT c0, c1, c2 FROM {_table(_KEY)})"
        )
        list(_run(sql, listed, 3))

"""What is kept of an article to compare it with others, and how those worth comparing are found.

Every article leaves a few dozen keys: its rarest terms and the anchors of its text. A key that many
articles of a week have already is left with no more of them, so no look-up grows with the table. Texts
are sketched only where two share anchors: for most there is nothing to be compared with.
"""

from __future__ import annotations

import html
import json
import re
import struct
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from django.db import connection
from django.db.models import Value
from django.db.models.functions import Coalesce

from articles import bulk, listed
from articles.fingerprint import ENOUGH_ANCHORS, anchors, is_telling, signature
from articles.language import normalise_language
from articles.models import Article, ArticleState, Comparison
from articles.sanitise import to_text
from articles.similarity import Profile, Term, rarity, terms_of

WINDOW = timedelta(days=7)
HOURS = WINDOW // timedelta(hours=1)
KEPT = timedelta(days=90)
# How many of its terms an article can be found by, and how many articles of a week one term can find.
INDEXED = 24
CROWD = 64
# The most articles that one is compared with, and what terms in common must be worth for it: the least of any
# two on one event is 3.6 (docs/decisions/stories.md), and two words that both have by chance are not worth 3.
NEAREST = 32
LEAST_POINTS = 3.0
SHORT = 100
OPENING = 1500
READ = 3_500
LEAST_ARTICLES = 500
MOST_COUNTED = 20_000
ANCHOR = 3
# By the kind of a term, which its key ends in.
_INDEX_FACTOR = (1.0, 2.0, 1.2)
_TAG = re.compile(r"<[^>]*>?")


@dataclass(slots=True)
class Subject:
    """An article on its way into the comparison."""

    pk: int
    published_at: datetime
    hour: int
    version: int
    language: str
    terms: dict[int, Term]
    anchors: list[int]
    is_short: bool
    profile: Profile = field(init=False)
    # The terms by which it may find others, to how much sharing one tells of one event; and such anchors.
    telling: dict[int, float] = field(init=False)
    shared_anchors: list[int] = field(init=False)

    def said(self, key: int) -> str:
        """The word behind a key of this article."""
        return self.terms[key].said if key in self.terms else ""


@dataclass(slots=True)
class Report:
    """An article as others are compared with it."""

    pk: int
    source_id: int | None
    story_id: int | None
    copy_of_id: int | None
    pinned: bool
    own_text: bool
    profile: Profile
    is_short: bool


@dataclass(slots=True)
class Found:
    """What is worth comparing with an article: for one event the likeliest first, and for one text."""

    near: list[int] = field(default_factory=list)
    worded_alike: list[int] = field(default_factory=list)


# --- describing -------------------------------------------------------------------------------


def described(article_ids: Sequence[int]) -> list[Subject]:
    """What these articles say, in the order of their publication."""
    rows = Article.objects.filter(pk__in=article_ids, published_at__isnull=False)
    columns = ("pk", "version", "published_at", "language", "headline", "standfirst", "body")
    return [_subject(*row) for row in rows.order_by("published_at", "pk").values_list(*columns)]


def _subject(
    pk: int, version: int, at: datetime, language: str, headline: str, standfirst: str, body: str
) -> Subject:
    text = _bare(body)
    language = normalise_language(language)
    return Subject(
        pk=pk,
        version=version,
        published_at=at,
        hour=hour_of(at),
        language=language,
        terms=terms_of(headline, f"{standfirst} {text[:OPENING]}", language),
        anchors=_anchor_keys(text),
        is_short=len(text[:OPENING].split(None, SHORT)) <= SHORT,
    )


def _bare(body: str) -> str:
    """The words of sanitised markup, quickly: only to be compared with what was read the same way."""
    text = _TAG.sub(" ", body[:READ])
    return html.unescape(text) if "&" in text else text


def _anchor_keys(text: str) -> list[int]:
    return [anchor << 2 | ANCHOR for anchor in anchors(text)] if is_telling(text) else []


# --- keeping ----------------------------------------------------------------------------------


def keep(subjects: Sequence[Subject]) -> None:
    """Weigh the subjects' terms and store by what they can be found. What was kept of them before goes."""
    drop([subject.pk for subject in subjects])
    beside = Counter(chain.from_iterable(map(_all_keys, subjects)))
    stored = [keys for some in _of_a_day(subjects) for keys in _weigh(some, beside)]
    _insert(
        (key, subject.hour, subject.pk)
        for subject, keys in zip(subjects, stored, strict=True)
        for key in keys
    )
    rows = [
        (one.pk, one.profile.pack(), _packed(keys), one.language, one.is_short, one.published_at)
        for one, keys in zip(subjects, stored, strict=True)
    ]
    columns = ("article_id", "terms", "keys", "language", "is_short", "published_at")
    bulk.insert(Comparison, columns, rows)


def _packed(keys: Sequence[int]) -> bytes:
    return struct.pack(f"<{len(keys)}q", *keys)


def drop(article_ids: Sequence[int]) -> int:
    """Forget what was kept of these articles; returns of how many there was anything."""
    rows = list(
        Comparison.objects.filter(pk__in=article_ids).values_list("article_id", "keys", "published_at")
    )
    _delete((key, hour_of(at), pk) for pk, keys, at in rows for (key,) in struct.iter_unpack("<q", keys))
    if rows:
        Comparison.objects.filter(pk__in=[pk for pk, _, _ in rows]).delete()
    return len(rows)


def prune(limit: int, at: datetime) -> int:
    """Forget at most `limit` of the articles too old to be compared; returns how many."""
    old = Comparison.objects.filter(published_at__lt=at - KEPT).order_by("published_at")
    return drop(list(old.values_list("pk", flat=True)[:limit]))


def _of_a_day(subjects: Sequence[Subject]) -> Iterator[list[Subject]]:
    """Neighbours that came out within a day of each other: one week around fits all of them."""
    some: list[Subject] = []
    for subject in subjects:
        if some and subject.hour - some[0].hour > 24:
            yield some
            some = []
        some.append(subject)
    if some:
        yield some


def _weigh(subjects: Sequence[Subject], beside: Counter[int]) -> Iterator[list[int]]:
    """Give subjects of one day their profiles, each term by how few of the articles around have it.

    Yields the keys under which each is stored, and notes those by which it may find others.
    """
    stored = _counts(subjects, set(chain.from_iterable(map(_all_keys, subjects))))
    articles = _articles_around(subjects)
    weight_of = {
        key: rarity(_guessed(count + beside[key] - 1, articles), articles) for key, count in stored.items()
    }
    free = {key for key, count in stored.items() if count < CROWD}
    shared = {key for key, count in stored.items() if count + beside[key] > 1}
    for subject in subjects:
        weights = {key: term.factor * weight_of[key] for key, term in subject.terms.items()}
        runs = {key: term.run & 0xFF for key, term in subject.terms.items()}
        subject.profile = Profile(weights, runs, subject.language, subject.published_at)
        # A name is what reports on one event share; of a text's rarest words most are in no other text.
        worth = {key: weight * _INDEX_FACTOR[key & 3] for key, weight in weights.items()}
        rarest = sorted(worth, key=worth.__getitem__, reverse=True)[:INDEXED]
        subject.telling = {key: worth[key] for key in rarest if key in shared}
        subject.shared_anchors = [key for key in subject.anchors if key in shared]
        yield [key for key in chain(rarest, subject.anchors) if key in free]


def _all_keys(subject: Subject) -> Iterator[int]:
    return chain(subject.terms, subject.anchors)


def _guessed(count: int, articles: int) -> int:
    """How many have a term of which no more than a crowd is kept."""
    return max(count, articles // 20) if count >= CROWD else count


def _articles_around(subjects: Sequence[Subject]) -> int:
    """How many articles came out around these, as far as that is worth counting."""
    first, last = subjects[0].published_at - WINDOW, subjects[-1].published_at + WINDOW
    # The moment alone is counted from the index, without a look at each row.
    around = Comparison.objects.filter(published_at__range=(first, last)).values("published_at")
    return max(LEAST_ARTICLES, len(subjects) + around[:MOST_COUNTED].count())


# --- finding ----------------------------------------------------------------------------------


def found_for(subjects: Sequence[Subject]) -> dict[int, Found]:
    """Subject to the articles worth comparing with it; never more than NEAREST of a kind."""
    return {subject.pk: found for some in _of_a_day(subjects) for subject, found in _found_for(some)}


def _found_for(subjects: Sequence[Subject]) -> Iterator[tuple[Subject, Found]]:
    asked = sorted(set(chain.from_iterable(chain(one.telling, one.shared_anchors) for one in subjects)))
    having = _postings(asked, *_around(subjects))
    for subject in subjects:
        points = dict.fromkeys(_having_several(subject.telling, having, 2, subject.pk), 0.0)
        for key, worth in subject.telling.items() if points else ():
            for pk in having[key]:
                if pk in points:
                    points[pk] += worth
        near = [pk for pk, found in points.items() if found >= LEAST_POINTS]
        near.sort(key=lambda pk: (-points[pk], pk))
        alike = _having_several(subject.shared_anchors, having, ENOUGH_ANCHORS, subject.pk)
        yield subject, Found(near[:NEAREST], alike[:NEAREST])


def _having_several(
    keys: Iterable[int], having: Mapping[int, list[int]], several: int, but: int
) -> list[int]:
    """The articles that have several of these keys, those with most of them first."""
    counts = Counter(chain.from_iterable([having[key] for key in keys]))
    found = [pk for pk, count in counts.items() if count >= several and pk != but]
    return sorted(found, key=lambda pk: -counts[pk])


def reports(subjects: Iterable[Subject], others: Iterable[int]) -> dict[int, Report]:
    """These, and of the others those published and kept for comparison, by their key."""
    profiles = {one.pk: (one.profile, one.is_short) for one in subjects}
    kept = Comparison.objects.filter(pk__in=set(others) - profiles.keys())
    for pk, terms, language, at, is_short in kept.values_list(
        "pk", "terms", "language", "published_at", "is_short"
    ):
        profiles[pk] = Profile.unpack(bytes(terms), language, at), is_short
    rows = Article.objects.published().filter(pk__in=profiles).values_list(
        "pk", "source_id", "story_id", "copy_of_id",
        Coalesce("membership__pinned", Value(False)), Coalesce("membership__own_text", Value(False)),
    )  # fmt: skip
    return {
        pk: Report(pk, source, story, copy_of, pinned, own_text, *profiles[pk])
        for pk, source, story, copy_of, pinned, own_text in rows
    }


def sketches(article_ids: Iterable[int], *, keep: bool = False) -> dict[int, bytes]:
    """The sketches of these articles' texts, made where there is none yet; none for a text too short to tell."""
    pks = set(article_ids)
    if not pks:
        return {}
    rows = Article.objects.filter(pk__in=pks).exclude(state=ArticleState.ERASED)
    stored = rows.exclude(signature=None).values_list("pk", "signature")
    known = {pk: bytes(sketch) for pk, sketch in stored if sketch}
    made = [
        (signature(text), version, ArticleState.PUBLISHED.value, pk)
        for pk, version, body in rows.filter(signature=None).values_list("pk", "version", "body")
        if is_telling(text := to_text(body))
    ]
    if keep:
        # Not over a version that came in meanwhile, nor over what was erased.
        bulk.update(Article, ["signature"], made, where=["version", "state"])
    return known | {pk: sketch for sketch, _, _, pk in made}


def sharing_text(article: Article) -> list[int]:
    """Articles around this one that share wording with it, to be held side by side, the likeliest first."""
    if not article.published_at:
        return []
    hour = hour_of(article.published_at)
    keys = sorted(_anchor_keys(_bare(article.body)))
    return _having_several(keys, _postings(keys, hour - HOURS, hour + HOURS), ENOUGH_ANCHORS, article.pk)


# --- the table of keys ------------------------------------------------------------------------


def hour_of(at: datetime) -> int:
    """The hour of a moment, as keys have it."""
    return int(at.timestamp() // 3600)


def _around(subjects: Sequence[Subject]) -> tuple[int, int]:
    return subjects[0].hour - HOURS, subjects[-1].hour + HOURS


def _counts(subjects: Sequence[Subject], keys: Iterable[int]) -> dict[int, int]:
    """Key to how many kept articles of the time around have it."""
    sql = (
        "SELECT given.value, (SELECT COUNT(*) FROM articles_comparisonkey kept"  # noqa: S608
        f" WHERE kept.key = given.value AND kept.hour BETWEEN %s AND %s) FROM {listed.table('given', 'bigint')}"
    )
    return dict(_asked(sql, [*_around(subjects), listed.parameter(sorted(keys))]))


def _postings(keys: Sequence[int], first: int, last: int) -> Mapping[int, list[int]]:
    """Key to the articles of those hours that have it.

    In a row for each key, which is read several times as fast as one for each article.
    """
    sql = (
        f"SELECT given.value, (SELECT {_TOGETHER[connection.vendor]} FROM articles_comparisonkey kept"  # noqa: S608
        f" WHERE kept.key = given.value AND kept.hour BETWEEN %s AND %s) FROM {listed.table('given', 'bigint')}"
    )
    having: dict[int, list[int]] = defaultdict(list)
    rows = _asked(sql, [first, last, listed.parameter(keys)]) if keys else []
    having.update((key, json.loads(f"[{pks}]")) for key, pks in rows if pks)
    return having


_TOGETHER = {
    "sqlite": "group_concat(kept.article_id)",
    "postgresql": "string_agg(kept.article_id::text, ',')",
}


def _asked(sql: str, parameters: Sequence[Any]) -> list[tuple[int, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


def _insert(rows: Iterable[tuple[int, int, int]]) -> None:
    _with_each("INSERT INTO articles_comparisonkey (key, hour, article_id) {} ON CONFLICT DO NOTHING", rows)


def _delete(rows: Iterable[tuple[int, int, int]]) -> None:
    _with_each("DELETE FROM articles_comparisonkey WHERE (key, hour, article_id) IN ({})", rows)


def _with_each(sql: str, rows: Iterable[tuple[int, int, int]]) -> None:
    """Run the statement with the rows; sorted, because neighbours stand on one page of the table."""
    given = sorted(rows)
    if not given:
        return
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.executemany(sql.format("VALUES (%s, %s, %s)"), given)
        else:
            columns = [list(column) for column in zip(*given, strict=True)]
            cursor.execute(sql.format("SELECT * FROM unnest(%s::bigint[], %s::int[], %s::bigint[])"), columns)

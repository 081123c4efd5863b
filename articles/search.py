"""Full-text search over public articles: FTS5 on SQLite, tsvector on PostgreSQL, the same answers from both.

Words are folded here (case, accents) before either database sees them. What is found in the headline
comes first, then names, tags and standfirst, then the text; within each the newest. Each of these
three is read along the index from where the last page ended, so page 300 costs what page 1 costs.
Only what the usage policy lets us show is indexed, and every hit has passed `public()`.
"""

from __future__ import annotations

import html
import re
import time
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from heapq import merge
from itertools import groupby
from typing import Any, NamedTuple

from django.core.exceptions import BadRequest
from django.db import OperationalError, connection, transaction
from django.db.models import DateTimeField, QuerySet
from django.utils import timezone
from django.utils.safestring import SafeString

from articles import bulk, fts, prepared, replicas, spelling, surfaces
from articles.display import text_of
from articles.fingerprint import ASCII_FOLDED, SIGNS
from articles.models import (
    Article,
    ArticleState,
    Contribution,
    SearchOwed,
    SearchRow,
    Source,
    Tag,
    TaggedArticle,
)
from articles.statements import OneOf, Slot, Statement, ask
from articles.visibility import IsAllowed

LONGEST_QUERY, MOST_TERMS, MOST_WORDS = 200, 16, 12
SHORTEST_BEGINNING = 3
LONGEST_BODY = 60_000
EXCERPT_WORDS, WORDS_BEFORE = 34, 8
SECONDS = 2.0
COUNTED = 200
ROUNDS = 8
FEW, MOST_NEAR = 10, 3
MOST_COMPARED, MOST_ASKED = 500, 6
FEW_OF_A_TIME = 2_000
TIERS = (3, 2, 1)
# So many articles that came in are indexed in one transaction, under a lease of so many seconds.
OWED_AT_ONCE, LEASE = 500, 60
LEFT_TO_THE_WORKER, FEW_OWED = timedelta(minutes=5), 20
LOOKED_AT_AGAIN = timedelta(hours=1)

_CJK = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
# Letters that FTS5 takes for none (New Tai Lue vowels, two Vedic signs), so no part of a word here either.
_UNKNOWN = "\u19b0-\u19c0\u19c8\u19c9\u1cf2\u1cf3"
_WORD = re.compile(rf"[{_CJK}]|[^\W_{_CJK}{_UNKNOWN}]+")
_TYPED = re.compile(r'(-?)(?:"([^"]*)"?|(\S+))')
_MARKUP = re.compile(r"<[^>]*>")
_UNDECOMPOSED = {"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i", "ð": "d", "þ": "th"}
_COMBINING = re.compile(
    "["
    + "".join(map(chr, filter(lambda code: unicodedata.combining(chr(code)), range(0x300, 0x1E950))))
    + "]+"
)


@dataclass(frozen=True, slots=True)
class Hit:
    """One article found. `headline` and `excerpt` are escaped, what was found stands in <mark>."""

    article: Article
    headline: SafeString
    excerpt: SafeString


class Found(NamedTuple):
    """A public article that matches, and by what it is counted."""

    article: int
    source: int | None
    language: str


@dataclass(frozen=True, slots=True)
class Results:
    """One page of hits. `corrected_to` is set when nothing was found for what was typed and these
    are the hits for that spelling instead. `counted` are the public articles among the first COUNTED.
    """

    hits: list[Hit] = field(default_factory=list)
    total_is_at_least: int = 0
    next_cursor: str = ""
    suggestions: list[str] = field(default_factory=list)
    corrected_to: str = ""
    counted: list[Found] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Term:
    """A word or a phrase, folded; with `prefix` its last word is only a beginning."""

    words: tuple[str, ...]
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """All of `groups`, of each any of its terms, and none of `without`."""

    groups: tuple[tuple[Term, ...], ...]
    without: tuple[Term, ...] = ()
    facets: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    # The first and the last key of what was published in that time, where this is little.
    keys: tuple[int, int] | None = None

    def terms(self) -> Iterator[Term]:
        for group in self.groups:
            yield from group

    @property
    def has_phrases(self) -> bool:
        return any(len(term.words) > 1 for term in self.terms())

    @property
    def is_picky(self) -> bool:
        """True when an article that has all the words may still not be meant."""
        return self.has_phrases or bool(self.without)


# --- words ------------------------------------------------------------------------------------


def fold(text: str) -> str:
    """The words of a text without case and accents, one blank between them."""
    text = _without_signs(text)
    if text.isascii():
        return b" ".join(text.encode().translate(ASCII_FOLDED).split()).decode()
    text = text.casefold()
    for letter, plainly in _UNDECOMPOSED.items():
        if letter in text:
            text = text.replace(letter, plainly)
    bare = _COMBINING.sub("", unicodedata.normalize("NFKD", text))
    return " ".join(_WORD.findall(unicodedata.normalize("NFC", bare)))


def _without_signs(text: str) -> str:
    """With blanks for the signs that most texts have: many a text is ASCII then."""
    if not text.isascii():
        for sign in SIGNS:
            if sign in text:
                text = text.replace(sign, " ")
    return text


def parse(query: str) -> Query:
    """What was typed, understood: "a phrase", -without, OR, begin*. Whatever else is typed is words."""
    groups: list[list[Term]] = []
    without: list[Term] = []
    joined = False
    for sign, phrase, word in _TYPED.findall(query[:LONGEST_QUERY])[:MOST_TERMS]:
        if word == "OR" and not sign:
            joined = bool(groups)
            continue
        words = tuple(fold(phrase or word).split()[:MOST_WORDS])
        if not words:
            continue
        term = Term(words, prefix=word.endswith("*") and len(words[-1]) >= SHORTEST_BEGINNING)
        if sign:
            without.append(term)
        elif joined:
            groups[-1].append(term)
        else:
            groups.append([term])
        joined = False
    return Query(tuple(tuple(group) for group in groups), tuple(without))


# --- keeping the index ------------------------------------------------------------------------


def index(article_ids: Sequence[int]) -> None:
    """Make search rows and what is prepared for pages agree with these articles, in the caller's transaction."""
    if not article_ids:
        return
    # Locked, in one order: what is sealed or erased meanwhile is seen, or waits for us.
    rows = Article.objects.select_for_update(no_key=True, of=("self",)).select_related("source")
    articles = list(rows.published().filter(pk__in=article_ids).order_by("pk"))
    prepared.write(articles)
    published = {article.pk for article in articles}
    remove([pk for pk in article_ids if pk not in published])
    _write(articles)


def _write(articles: Sequence[Article]) -> None:
    """The search rows of these articles, and the words in them that a slip can be led to."""
    ids = [article.pk for article in articles]
    names, facets = _named(ids)
    rows = [_row(article, names[article.pk], facets[article.pk]) for article in articles]
    before = spelling.tops(ids)
    bulk.insert(SearchRow, ("article_id", *_WRITTEN), rows, conflicts=_REWRITTEN)
    now = spelling.words_of(text for row in rows for text in row[1:4])
    spelling.learn(now - before)
    spelling.forget(before - now)


_WRITTEN = ("headline", "names", "standfirst", "body", "facets")
_REWRITTEN = "(article_id) DO UPDATE SET " + ", ".join(f"{name} = excluded.{name}" for name in _WRITTEN)


def owe(article_ids: Iterable[int], *, at: datetime) -> None:
    """Have these new articles found soon: the worker writes their rows (`index_due`). In the caller's transaction."""
    bulk.insert(SearchOwed, ("article_id", "due_at"), [(pk, at) for pk in article_ids])


@bulk.uncollected()
def index_due(limit: int, at: datetime) -> int:
    """Write the search rows of at most `limit` articles that came in by feeds; returns how many were looked at.

    What is withheld by then is not indexed, and looked at again later.
    """
    due = list(SearchOwed.objects.claimable(at).order_by("due_at").values_list("pk", flat=True)[:limit])
    token, ours = SearchOwed.objects.claim_some(due, at=at, seconds=LEASE) if due else ("", set())
    if ours:
        index_owed(sorted(ours), at=at, token=token)
    return len(ours)


def index_all_owed(at: datetime) -> None:
    """The same until nothing is left: for those who have no worker."""
    while index_due(OWED_AT_ONCE, at):
        pass


_OWED = Statement(lambda: SearchOwed.objects.claimable(Slot("at", DateTimeField())).order_by("due_at")[:1])


def _catch_up(at: datetime) -> None:
    """Index a few of what no worker did in time: whoever searches is enough for it."""
    if _OWED(at=at - LEFT_TO_THE_WORKER):
        with suppress(OperationalError):
            index_due(FEW_OWED, at)


@transaction.atomic(savepoint=False)
def index_owed(article_ids: Sequence[int], *, at: datetime, token: str = "") -> None:
    """Write the search rows of these articles that came in: those under this lease, or under none."""
    owed = SearchOwed.objects.filter(pk__in=article_ids, lease_token=token)
    # Locked before they are looked at, in one order: what is withheld or erased meanwhile is seen, or waits for us.
    locked = Article.objects.select_for_update(no_key=True).filter(pk__in=article_ids).order_by("pk")
    published = {pk for pk, state in locked.values_list("pk", "state") if state == ArticleState.PUBLISHED}
    allowed = Article.objects.filter(IsAllowed(), pk__in=published).only(
        "headline", "standfirst", "body", "language", "source"
    )
    # An outlet is read once for all that it brought.
    articles = list(allowed.prefetch_related("source"))
    _write(articles)
    if withheld := published.difference([article.pk for article in articles]):
        owed.filter(pk__in=withheld).update(due_at=at + LOOKED_AT_AGAIN, lease_until=None, lease_token="")
    owed.delete()
    if articles:
        surfaces.changed([surfaces.SEARCH])


def remove(article_ids: Sequence[int]) -> None:
    """Delete the search rows of these articles, in the caller's transaction."""
    if not article_ids:
        return
    words = spelling.tops(article_ids)
    deleted, _ = SearchRow.objects.filter(pk__in=article_ids).delete()
    spelling.forget(words)
    if deleted:
        fts.forget()


def _row(article: Article, names: list[str], facets: list[str]) -> tuple[int, str, str, str, str, str]:
    shown = text_of(article)
    source = article.source
    return (
        article.pk,
        fold(article.headline),
        fold(" ".join([*names, source.name if source else ""])),
        fold(shown.standfirst),
        fold(plain(shown.body) or shown.excerpt)[:LONGEST_BODY],
        " ".join([_language(article.language), _source(article.source_id), *facets]),
    )


def plain(body: str) -> str:
    """The text of sanitised HTML, quickly."""
    return html.unescape(_MARKUP.sub(" ", body))


def _named(article_ids: Sequence[int]) -> tuple[dict[int, list[str]], dict[int, list[str]]]:
    """Whom and what these articles name, and the index words of their tags."""
    names: dict[int, list[str]] = defaultdict(list)
    facets: dict[int, list[str]] = defaultdict(list)
    people = Contribution.objects.filter(article__in=article_ids)
    for pk, name in people.values_list("article_id", "contributor__name"):
        names[pk].append(name)
    tags = TaggedArticle.objects.filter(content_object__in=article_ids)
    for pk, tag, name in tags.values_list("content_object_id", "tag_id", "tag__name"):
        names[pk].append(name)
        facets[pk].append(_tag(tag))
    return names, facets


def _language(code: str) -> str:
    return f"xxlanguage{fold(code.partition('-')[0])}"


def _source(pk: int | None) -> str:
    return f"xxsource{pk or 0}"


def _tag(pk: int) -> str:
    return f"xxtag{pk}"


# --- finding ----------------------------------------------------------------------------------


def find(
    query: str,
    *,
    language: str = "",
    source: str = "",
    tag: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 20,
    before: str = "",
) -> Results:
    """Public articles that match, best first; `source` and `tag` are slugs, `before` a `next_cursor`.

    Published from `since` on and before `until`.
    """
    _catch_up(timezone.now())
    parsed = parse(query)
    facets = _facets(language, source, tag)
    if not parsed.groups or facets is None:
        return Results()
    asked = _in_time(replace(parsed, facets=facets, since=since, until=until))
    if asked is None:
        return Results()
    results = _search(asked, limit=limit, before=before)
    if results.hits or before:
        return results
    for other in (_beginnings, _respelt):
        if spelt := other(query, asked):
            again = _search(replace(asked, groups=parse(spelt).groups), limit=limit, before="")
            if again.hits:
                return replace(again, suggestions=[spelt], corrected_to=spelt)
    return results


def _in_time(query: Query) -> Query | None:
    """Of a time with few articles their keys, so that what matches is not looked through for them; None of none."""
    asked = {"published_at__gte": query.since, "published_at__lt": query.until}
    if not any(asked.values()):
        return query
    of_then = Article.objects.in_print().filter(**{name: at for name, at in asked.items() if at})
    keys = of_then.order_by("-published_at").values_list("pk", flat=True)[: FEW_OF_A_TIME + 1]
    if len(keys) > FEW_OF_A_TIME:
        return query
    return replace(query, keys=(min(keys), max(keys))) if keys else None


def in_headlines(typed: str, *, limit: int) -> list[int]:
    """Keys of indexed articles with all of it in their headlines, the newest first. No slip is put right."""
    query = parse(typed)
    found: list[int] = []
    if query.groups:
        with _bounded():
            found = _ids(query, TIERS[0], 0, limit)
    return found


def _facets(language: str, source: str, tag: str) -> tuple[str, ...] | None:
    """The index words of the filters; None when a filter names nothing that exists."""
    facets = [_language(language)] if language else []
    if source:
        facets += [_source(pk) for pk in Source.objects.filter(slug=source).values_list("pk", flat=True)]
    if tag:
        facets += [_tag(pk) for pk in Tag.objects.filter(slug=tag).values_list("pk", flat=True)]
    return tuple(facets) if len(facets) == bool(language) + bool(source) + bool(tag) else None


def _search(query: Query, *, limit: int, before: str) -> Results:
    limit = max(1, min(limit, 100))
    place = _read_cursor(before) if before else (TIERS[0], 0)
    found = _found(query, place, limit + 1, 0 if before else COUNTED)
    shown = [(tier, one.article) for tier, one in found[:limit]]
    articles = {article.pk: article for article in _WHOLE(keys=[pk for _, pk in shown])} if shown else {}
    return Results(
        [_hit(articles[pk], query) for _, pk in shown if pk in articles],
        total_is_at_least=len(found),
        next_cursor="{:x}.{:x}".format(*shown[-1]) if len(found) > limit else "",
        counted=[] if before else [one for _, one in found],
    )


def _whole() -> QuerySet[Article]:
    public = Article.objects.public().filter(OneOf("pk", "keys"))
    return public.select_related("source").defer("signature")


_WHOLE = Statement(_whole)
_PUBLIC: Statement[Any] = Statement(
    lambda: Article.objects.public().filter(OneOf("pk", "keys")).values_list("pk", "source_id", "language")
)


def _public(ids: Sequence[int]) -> dict[int, Found]:
    """Those of these articles that readers may see, by key."""
    return {row[0]: Found(*row) for row in _PUBLIC(keys=ids)} if ids else {}


def _read_cursor(text: str) -> tuple[int, int]:
    try:
        tier, last = (int(part, 16) for part in text[:40].split("."))
    except ValueError as error:
        raise BadRequest("This page of the results does not exist. Search again.") from error
    if tier not in TIERS or not 0 < last < 2**62:
        raise BadRequest("This page of the results does not exist. Search again.")
    return tier, last


def _found(query: Query, place: tuple[int, int], wanted: int, looked_at: int) -> list[tuple[int, Found]]:
    """Public articles after `place`, each with its tier: as many as wanted, and more of `looked_at`."""
    found: list[tuple[int, Found]] = []
    looked = 0
    with _bounded():
        for places in _candidates(query, *place, max(wanted + 10, looked_at)):
            seen = _public([pk for _, pk in places])
            found += [(tier, seen[pk]) for tier, pk in places if pk in seen]
            looked += len(places)
            if len(found) >= wanted and looked >= looked_at:
                break
    return found


def _candidates(query: Query, tier: int, last: int, size: int) -> Iterator[list[tuple[int, int]]]:
    """Places in the order of the answer, some at a time."""
    from_the_top = (tier, last) == (TIERS[0], 0)
    given: set[int] = set()
    for _ in range(ROUNDS):
        # What stands in a tier above was given there: the database need not look for it again if we know all of it.
        ids = _ids(query, tier, last, size + len(given), alone=not from_the_top)
        if new := [pk for pk in ids if pk not in given]:
            yield [(tier, pk) for pk in new]
        if len(ids) == size + len(given):
            last = ids[-1]
        elif tier > TIERS[-1]:
            tier, last = tier - 1, 0
        else:
            return
        given.update(ids)


@contextmanager
def _bounded() -> Iterator[None]:
    """Whatever was typed takes at most SECONDS; what was found by then is the answer."""
    try:
        if connection.vendor == "sqlite":
            with _interrupted_after(SECONDS):
                yield
        else:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL statement_timeout = %s", [int(SECONDS * 1000)])
                yield
                cursor.execute("SET LOCAL statement_timeout = DEFAULT")
    except OperationalError as error:
        if "interrupted" not in str(error) and "statement timeout" not in str(error):
            raise


@contextmanager
def _interrupted_after(seconds: float) -> Iterator[None]:
    connection.ensure_connection()
    until = time.monotonic() + seconds
    connection.connection.set_progress_handler(lambda: time.monotonic() > until, 50_000)
    try:
        yield
    finally:
        connection.connection.set_progress_handler(None, 0)


# --- the two dialects -------------------------------------------------------------------------


def _ids(query: Query, tier: int, last: int, size: int, *, alone: bool = True) -> list[int]:
    """Candidates of one tier before `last`, newest first; public() decides on each of them.

    Not `alone`: with those of the tiers above.
    """
    ids = _ids_sqlite if connection.vendor == "sqlite" else _ids_postgresql
    above = tier + 1 if alone and tier < TIERS[0] else 0
    before = min(last or 2**62, query.keys[1] + 1 if query.keys else 2**62)

    return replicas.answered(lambda alias: ids(alias, query, tier, above, before, size))


def _telling(query: Query, tier: int) -> Query:
    """Of a whole headline the longest words: few headlines have them all, and each other word costs as much again."""
    if tier < TIERS[0] or len(query.groups) <= MOST_ASKED:
        return query
    longest = sorted(
        dict.fromkeys(query.groups), key=lambda group: -min(len(term.words[0]) for term in group)
    )
    return replace(query, groups=tuple(longest[:MOST_ASKED]))


def _dates(query: Query, key: str) -> tuple[str, list[Any]]:
    """What `since` and `until` ask of the article with this key."""
    asked = [(sign, at) for sign, at in ((">=", query.since), ("<", query.until)) if at]
    conditions = [
        f"AND EXISTS (SELECT 1 FROM articles_article a WHERE a.id = {key} AND a.published_at {sign} %s)"  # noqa: S608
        for sign, _ in asked
    ]
    moments: list[Any] = [connection.ops.adapt_datetimefield_value(at) for _, at in asked]
    if query.keys:
        return " ".join([*conditions, f"AND {key} >= %s"]), [*moments, query.keys[0]]
    return " ".join(conditions), moments


_COLUMNS = {3: "headline", 2: "headline names standfirst", 1: "headline names standfirst body"}


_SQLITE = """
    SELECT rowid AS article_id FROM articles_searchindex
    WHERE articles_searchindex MATCH %s AND rowid < %s {dates} ORDER BY rowid DESC LIMIT %s
"""


def _ids_sqlite(alias: str, query: Query, tier: int, above: int, last: int, size: int) -> list[int]:
    telling = _telling(query, tier)
    match = _fts5(telling, tier)
    if above:
        match = f"({match}) NOT ({_fts5(query, above)})"
    for facet in query.facets:
        match = f'(facets : "{facet}") AND ({match})'
    dates, moments = _dates(query, "articles_searchindex.rowid")
    sql = _SQLITE.format(dates=dates)
    if query.is_picky or telling != query:
        conditions, parameters = _in_the_text(query, tier, asked=telling.groups)
        sql = (
            f"SELECT article_id FROM ({sql}) JOIN articles_searchrow USING (article_id)"  # noqa: S608
            f" WHERE {conditions} ORDER BY article_id DESC LIMIT %s"
        )
        rows = ask(sql, [match, last, *moments, MOST_COMPARED, *parameters, size], using=alias)
    else:
        rows = ask(sql, [match, last, *moments, size], using=alias)
    return [pk for (pk,) in rows]


def _in_the_text(query: Query, tier: int, asked: Sequence[tuple[Term, ...]]) -> tuple[str, list[str]]:
    """What the index was not asked, sought in the words themselves: nothing stops FTS5 seeking a phrase."""
    wanted = [
        _any_of(group, tier)
        for group in query.groups
        if group not in asked or any(len(term.words) > 1 for term in group)
    ]
    refused = [_any_of([term], TIERS[-1], sign="NOT ") for term in query.without]
    sql = ["TRUE", *(condition for condition, _ in wanted + refused)]
    return " AND ".join(sql), [sought for _, some in wanted + refused for sought in some]


def _any_of(terms: Sequence[Term], tier: int, sign: str = "") -> tuple[str, list[str]]:
    columns = _COLUMNS[tier].split()
    # First without copying the text, for where the words do not even stand as parts of others.
    tests = [
        f"INSTR({column}, %s) AND INSTR(' ' || {column} || ' ', %s)" for _ in terms for column in columns
    ]
    said = [(" ".join(term.words), "" if term.prefix else " ") for term in terms for _ in columns]
    sought = [text for words, after in said for text in (words, f" {words}{after}")]
    return f"{sign}({' OR '.join(tests)})", sought


def _fts5(query: Query, tier: int) -> str:
    groups = " AND ".join("(" + " OR ".join(map(_fts5_term, group)) + ")" for group in query.groups)
    return f"{{{_COLUMNS[tier]}}} : ({groups})"


def _fts5_term(term: Term) -> str:
    # Folded words hold letters and digits alone, so nothing in them can end the quotation.
    return "(" + " AND ".join(f'"{word}"' for word in term.words) + (" *" if term.prefix else "") + ")"


# The index names the articles of a block that have all the words; of these in turn, newest first, is asked what it
# cannot tell, until there are enough. `+ 0`: no other index is to be read, whatever is thought of how many there are.
_LOOSELY = """
    SELECT article_id, top, whole FROM articles_searchrow
    WHERE {vector} @@ ({words} && %s::tsquery) AND article_id + 0 < %s {dates}
    ORDER BY article_id + 0 DESC LIMIT {most}
"""
# The last row says how many articles were compared, as none of them has a key below one.
_ASKED = """
    WITH loose AS MATERIALIZED ({loosely})
    (SELECT article_id FROM loose WHERE {conditions} LIMIT %s) UNION ALL SELECT -COUNT(*) FROM loose
"""
_TYPED_WORDS = "to_tsquery('simple', %s)"
_WEIGHTS = {3: "A", 2: "", 1: ""}
# Migration 0031: blocks of so many bits of the id, and the marks of words that say where something stands.
NEAR, FAR = 12, 16


def _ids_postgresql(alias: str, query: Query, tier: int, above: int, last: int, size: int) -> list[int]:
    """The newest are asked first, then more, then all: a word that most articles have costs what a rare one does."""
    vector, words, mark = _INDEXED[tier]
    dates, moments = _dates(query, "articles_searchrow.article_id")
    loosely = _LOOSELY.format(vector=vector, words=words, dates=dates, most=MOST_COMPARED)
    telling = _telling(query, tier)
    asked = _tsquery(telling, joint=" & ", mark=mark)
    conditions, parameters = _exactly(query, tier, above)
    sql = _ASKED.format(loosely=loosely, conditions=conditions)
    found: list[int] = []
    for block, before in _blocks(alias, last):
        within = " & ".join([block, *(f"'#{facet}'" for facet in query.facets)])
        parameters_of_all = [asked, within, before, *moments, *parameters, size - len(found)]
        *new, compared = [pk for (pk,) in ask(sql, parameters_of_all, using=alias)]
        found += new
        # A phrase of words that nearly all have, beside each other in few: among yet more it would take seconds.
        if len(found) >= size or (-compared >= MOST_COMPARED and (query.is_picky or telling != query)):
            break
    return found


_INDEXED = {
    3: ("top", "%s::tsquery", "^"),
    2: ("top", _TYPED_WORDS, ""),
    1: ("whole", _TYPED_WORDS, ""),
}


def _blocks(alias: str, last: int) -> Iterator[tuple[str, int]]:
    """Words of the index for some thousand articles before `last`, then some ten thousand, then all before."""
    newest = ask("SELECT article_id FROM articles_searchrow ORDER BY article_id DESC LIMIT 1", using=alias)
    before = min(last, newest[0][0] + 1 if newest else 1)
    for name, bits in (("near", NEAR), ("far", FAR)):
        block = (before - 1) >> bits
        yield f"('#{name}{block}' | '#{name}{block - 1}')", before
        before = (block - 1) << bits
        if before <= 1:
            return
    yield "'#any'", before


def _exactly(query: Query, tier: int, above: int) -> tuple[str, list[str]]:
    """What the index does not tell of an article that has all the words."""
    conditions, parameters = ["TRUE"], []
    if query.has_phrases or _telling(query, tier) != query:
        conditions.append(f"{_INDEXED[tier][0]} @@ {_TYPED_WORDS}")
        parameters.append(_tsquery(query, weight=_WEIGHTS[tier]))
    if above:
        conditions.append(f"NOT top @@ {_TYPED_WORDS}")
        parameters.append(_tsquery(query, weight=_WEIGHTS[above]))
    for term in query.without:
        conditions.append(f"NOT whole @@ {_TYPED_WORDS}")
        parameters.append(_tsquery_term(term))
    return " AND ".join(conditions), parameters


def _tsquery(query: Query, *, joint: str = " <-> ", mark: str = "", weight: str = "") -> str:
    groups = (
        " | ".join(_tsquery_term(term, joint=joint, mark=mark, weight=weight) for term in group)
        for group in query.groups
    )
    return " & ".join(f"({group})" for group in groups)


def _tsquery_term(term: Term, *, joint: str = " <-> ", mark: str = "", weight: str = "") -> str:
    last = len(term.words) - 1
    flags = ["*" * (term.prefix and number == last) + weight for number in range(last + 1)]
    words = (
        f"'{mark}{word}'" + (f":{flag}" if flag else "") for word, flag in zip(term.words, flags, strict=True)
    )
    return f"({joint.join(words)})"


# --- spelling ---------------------------------------------------------------------------------


def _beginnings(typed: str, query: Query) -> str:
    """What was typed with its unknown words as beginnings (`prisoner` for `prisoners`), or "" with none of them."""
    alone = [term for term in query.terms() if len(term.words) == 1 and not term.prefix]
    words = {word for term in alone for word in term.words if len(word) >= SHORTEST_BEGINNING}
    words -= spelling.known(words)
    # The shortest are in no list of known words, and half of all articles begin a word with “the”.
    words = {word for word in words if len(word) >= spelling.SHORTEST or not _newest_with(word)}
    spelt = [f"{part}*" if fold(part) in words and '"' not in part else part for part in typed.split()]
    return " ".join(spelt) if spelt != typed.split() else ""


def _respelt(typed: str, query: Query) -> str:
    """What was typed with its unknown words put right, or "" when nothing near is known."""
    spelt = typed[:LONGEST_QUERY]
    for word in list(dict.fromkeys(word for term in query.terms() for word in term.words))[:4]:
        if near := _nearest(word):
            spelt = _WORD.sub(partial(_instead, word, near), spelt)
    return spelt if fold(spelt) != fold(typed) else ""


def _instead(word: str, near: str, found: re.Match[str]) -> str:
    return near if fold(found[0]) == word else found[0]


def _nearest(word: str) -> str:
    """The known word most like it that readers may see in an article; of several alike, the commonest of late."""
    near = spelling.nearest(word)[:MOST_NEAR]
    for _, alike in groupby(near, key=lambda one: one[0]):
        words = sorted(other for _, other in alike)
        seen = {other: _seen(other) for other in words}
        if best := max(words, key=seen.__getitem__) if any(seen.values()) else "":
            return best
    return ""


def _seen(word: str) -> int:
    """In how many of the newest articles that have it readers may see the word."""
    return len(_public(_newest_with(word)))


def _newest_with(word: str) -> list[int]:
    return _ids(Query(((Term((word,)),),)), 2, 0, FEW, alone=False)


# --- showing ----------------------------------------------------------------------------------


def _hit(article: Article, query: Query) -> Hit:
    shown = text_of(article)
    text = " ".join([shown.standfirst, plain(shown.body[:LONGEST_BODY]) or shown.excerpt])
    return Hit(article, highlight(article.headline, query), highlight(_window(text, query), query))


def highlight(text: str, query: Query) -> SafeString:
    """The text escaped, with the words that were searched for in <mark>."""
    pieces, done = [], 0
    for start, end in _places(text, query):
        if start >= done:
            pieces += [html.escape(text[done:start]), f"<mark>{html.escape(text[start:end])}</mark>"]
            done = end
    return SafeString("".join([*pieces, html.escape(text[done:])]))


def _places(text: str, query: Query) -> Iterator[tuple[int, int]]:
    """Where words that were searched for begin and end, one after the other; some twice."""
    words = {word for term in query.terms() for word in term.words}
    beginnings = {term.words[-1] for term in query.terms() if term.prefix}
    plainly = _without_signs(text).lower()
    if plainly.isascii():
        # Sought word by word, each no further than it is asked for.
        whole = (_places_of(word, plainly) for word in words - beginnings)
        return merge(*whole, *(_places_of(word, plainly, whole=False) for word in beginnings))
    return _places_read(text, words, tuple(beginnings))


def _places_of(word: str, text: str, *, whole: bool = True) -> Iterator[tuple[int, int]]:
    """Where the word stands in a text of ASCII alone, or not `whole` what begins with it."""
    start = text.find(word)
    while start >= 0:
        end = start + len(word)
        if not text[start - 1 : start].isalnum():
            while not whole and text[end : end + 1].isalnum():
                end += 1
            if not text[end : end + 1].isalnum():
                yield start, end
        start = text.find(word, end)


def _places_read(text: str, words: set[str], beginnings: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    """The same for any text: each of its words is folded."""
    for match in _WORD.finditer(text):
        word = match.group()
        # Most words are ASCII, and those are folded by this alone.
        folded = word.lower() if word.isascii() else fold(word)
        if folded in words or (beginnings and folded.startswith(beginnings)):
            yield match.span()


def _window(text: str, query: Query) -> str:
    """Some words of the text around the first place where something was found."""
    text = unicodedata.normalize("NFC", text)
    place, _ = next(_places(text, query), (0, 0))
    if place and not text[place - 1].isspace():
        place -= len(text[:place].rsplit(None, 1)[-1])
    # One more than is shown, and all before it in one.
    before = text[:place].rsplit(None, WORDS_BEFORE)
    shown = before[-WORDS_BEFORE:]
    left = EXCERPT_WORDS - len(shown)
    after = text[place:].split(None, left)
    chosen = " ".join([*shown, *after[:left]])
    return ("… " if len(before) > WORDS_BEFORE else "") + chosen + (" …" if len(after) > left else "")

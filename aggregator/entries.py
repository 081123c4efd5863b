"""A feed's entries against what we know of them, and their way into articles."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple

from django.db import DatabaseError, transaction

from aggregator import fulltext
from aggregator.documents import FeedDocument
from aggregator.models import EntryRecord, Feed, RefusedTag, RuleAction
from aggregator.normalise import SAYS_NOTHING, Offer, Outlet, Vocabulary, draft, offers
from aggregator.rules import action_for, standing
from articles import bulk
from articles.actions import (
    BLOCKED,
    CREATED,
    KEYS_AT_ONCE,
    SKIPPED,
    UPDATED,
    Delivery,
    Ingested,
    ingest_all,
)
from articles.drafts import Draft
from articles.models import Article, ArticleState, Hold, TagSynonym
from articles.taglines import tag_slug

logger = logging.getLogger(__name__)

COUNTED = (CREATED, UPDATED, SKIPPED, BLOCKED)


@dataclass
class Report:
    """What one attempt at one feed came to."""

    url: str
    http_status: int | None = None
    entries: int = 0
    created: int = 0
    updated: int = 0
    skipped: int = 0
    blocked: int = 0
    error: str = ""
    seconds: float = 0.0

    def count(self, outcome: str, number: int = 1) -> None:
        setattr(self, outcome, getattr(self, outcome) + number)

    def as_json(self) -> dict[str, Any]:
        names = ("url", "http_status", "entries", *COUNTED, "error", "seconds")
        return {name: getattr(self, name) for name in names}


class Known(NamedTuple):
    """What we know of an entry."""

    article_id: int | None
    content_hash: str
    blocked: bool


@dataclass
class Batch:
    """What a document means for what we know of its feed: worked out before anything is locked."""

    feed: Feed
    entries: int
    pairs: list[tuple[Offer, Draft | None]]
    records: dict[str, Known]
    drafts: list[Draft] = field(default_factory=list)
    actions: dict[str, str] = field(default_factory=dict)
    decided: dict[str, tuple[str, int | None]] = field(default_factory=dict)

    def row(self, offer: Offer, made: Draft | None, at: datetime) -> tuple[Any, ...]:
        before = self.records.get(offer.guid_key)
        outcome, article_id = self.decided.get(offer.guid_key, (SKIPPED, None))
        return (
            self.feed.pk,
            offer.guid_key,
            made.url_key if made else "",
            offer.content_hash,
            article_id or (before.article_id if before else None),
            at,
            outcome == BLOCKED,
        )


def read_all(fetched: Sequence[tuple[Feed, FeedDocument]], *, at: datetime) -> list[Batch]:
    """The entries that are new, changed or were blocked, as drafts. Unchanged ones cost no more than a hash."""
    if not fetched:
        return []
    offered = [offers(document, domain=feed.source.domain) for feed, document in fetched]
    records = _records(
        [(feed, [offer.guid_key for offer in some]) for (feed, _), some in zip(fetched, offered, strict=True)]
    )
    words, rules = vocabulary(), standing()
    batches = []
    for (feed, document), some in zip(fetched, offered, strict=True):
        outlet = _outlet(feed, document, words)
        known = records[feed.pk]
        changed = [offer for offer in some if _is_news(offer, known.get(offer.guid_key))]
        pairs = [(offer, draft(offer, document, outlet, at=at)) for offer in changed]
        batch = Batch(feed, len(document.entries), pairs, known)
        batch.actions = {
            offer.guid_key: action
            for offer, made in pairs
            if made and (action := action_for(rules, feed_id=feed.pk, source_id=feed.source_id, draft=made))
        }
        batches.append(batch)
    return batches


def _records(wanted: Sequence[tuple[Feed, Sequence[str]]]) -> dict[int, dict[str, Known]]:
    found: dict[int, dict[str, Known]] = {feed.pk: {} for feed, _ in wanted}
    keys = sorted({key for _, some in wanted for key in some})
    for start in range(0, len(keys), KEYS_AT_ONCE):
        rows = EntryRecord.objects.filter(
            feed__in=list(found), guid_key__in=keys[start : start + KEYS_AT_ONCE]
        )
        columns = ("feed_id", "guid_key", "article_id", "content_hash", "blocked")
        for feed, key, article, content, blocked in rows.values_list(*columns):
            found[feed][key] = Known(article, content, blocked)
    return found


def _outlet(feed: Feed, document: FeedDocument, words: Vocabulary) -> Outlet:
    source = feed.source
    language = document.language or source.language
    return Outlet(source.slug, source.name, source.domain, language, tuple(feed.tags or ()), words)


def store_batches(pairs: Sequence[tuple[Batch, Report]], *, at: datetime) -> None:
    """Ingest what is new or changed and remember every entry, in the caller's transaction."""
    _sort_out([batch for batch, _ in pairs])
    for (batch, _), done in zip(pairs, _ingested(pairs, at=at), strict=True):
        for one in done:
            batch.decided[one.draft.guid_key] = (one.outcome, one.article_id)
    for batch, report in pairs:
        report.entries = batch.entries
        report.skipped += batch.entries - len(batch.pairs)
        for offer, _ in batch.pairs:
            report.count(batch.decided.get(offer.guid_key, (SKIPPED, None))[0])
    _remember([batch for batch, _ in pairs], at=at)
    _read_pages([batch for batch, _ in pairs], at=at)


def _read_pages(batches: Sequence[Batch], *, at: datetime) -> None:
    """Have the whole texts read of what came in by feeds that give only openings, but for what an entry reserves."""
    fulltext.ask_for(
        [
            pk
            for batch in batches
            if batch.feed.full_text and fulltext.is_allowed(batch.feed.source)
            for offer, _ in batch.pairs
            for outcome, pk in [batch.decided.get(offer.guid_key, (SKIPPED, None))]
            if pk and outcome in (CREATED, UPDATED)
            if batch.feed.source.agreement_prevails or not offer.entry.rsl
        ],
        at=at,
    )


def _remember(batches: Sequence[Batch], *, at: datetime) -> None:
    changed = ("url_key", "content_hash", "article_id", "blocked")
    rows = [batch.row(offer, made, at) for batch in batches for offer, made in batch.pairs]
    bulk.insert(
        EntryRecord,
        ("feed_id", "guid_key", "url_key", "content_hash", "article_id", "first_seen_at", "blocked"),
        rows,
        conflicts="(feed_id, guid_key) DO UPDATE SET "
        + ", ".join(f"{name} = excluded.{name}" for name in changed),
    )


def vocabulary() -> Vocabulary:
    """The desk's synonyms and the words that it wants as tags no more."""
    synonyms = TagSynonym.objects.values_list("name", "tag__name")
    refused = RefusedTag.objects.values_list("name", flat=True)
    return Vocabulary(
        {tag_slug(name): tag for name, tag in synonyms}, SAYS_NOTHING | {tag_slug(name) for name in refused}
    )


def _is_news(offer: Offer, record: Known | None) -> bool:
    # A blocked entry is offered again each time: when its hold is lifted it may come in.
    return record is None or record.blocked or record.content_hash != offer.content_hash


def _sort_out(batches: Sequence[Batch]) -> None:
    """Choose the drafts to ingest, and decide what is decided without that."""
    ids = {record.article_id for batch in batches for record in batch.records.values() if record.article_id}
    wanted = {pk for batch in batches for pk in _articles_asked(batch)} & ids
    whole = fulltext.texts_of(wanted) if any(batch.feed.full_text for batch in batches) else {}
    articles = Article.objects.only("pk", "url_key", "headline", "text_key", "state").in_bulk(wanted)
    held = (
        set(Hold.objects.in_effect().filter(article__in=wanted).values_list("article_id", flat=True))
        if wanted
        else set()
    )
    for batch in batches:
        drafts: dict[str, Draft] = {}
        for offer, made in batch.pairs:
            record = batch.records.get(offer.guid_key)
            article = articles.get(record.article_id) if record and record.article_id else None
            if made and article and article.pk in whole:
                made = replace(made, body=whole[article.pk], text_key=article.text_key, text="")
            if made is None or made.url_key in drafts or batch.actions.get(offer.guid_key) == RuleAction.DROP:
                batch.decided[offer.guid_key] = (SKIPPED, None)
            elif article is None or article.url_key == made.url_key:
                drafts[made.url_key] = made
            elif article.state == ArticleState.ERASED or article.pk in held:
                # What was removed does not come back under a changed address.
                batch.decided[offer.guid_key] = (BLOCKED, None)
            else:
                drafts[made.url_key] = _at_its_address(article, made)
        batch.drafts = list(drafts.values())


def _articles_asked(batch: Batch) -> Iterator[int]:
    for offer, _ in batch.pairs:
        record = batch.records.get(offer.guid_key)
        if record and record.article_id:
            yield record.article_id


def _is_same_work(article: Article, made: Draft) -> bool:
    return article.headline == made.headline or bool(made.text_key and made.text_key == article.text_key)


def _at_its_address(article: Article, made: Draft) -> Draft:
    """An entry whose address changed is the article we know, unless all else changed as well."""
    if not article.url_key or not _is_same_work(article, made):
        return made
    other = dict.fromkeys((made.url_key, *made.other_url_keys))
    return replace(made, url_key=article.url_key, other_url_keys=tuple(other))


def _ingested(pairs: Sequence[tuple[Batch, Report]], *, at: datetime) -> list[list[Ingested]]:
    """All in one piece; where that fails for a feed alone, each of its entries by itself."""
    if len(pairs) != 1:
        wanted = [_deliveries(batch) for batch, _ in pairs]
        done = iter(ingest_all(deliveries=[one for some in wanted for one in some], at=at) if pairs else [])
        return [[one for _ in some for one in next(done)] for some in wanted]
    batch, report = pairs[0]
    return [[one for some in _deliveries(batch) for one in _one_by_one(some, at=at, report=report)]]


def _deliveries(batch: Batch) -> list[Delivery]:
    """What is published at once and what waits for an editor, by the feed's choice unless a rule says otherwise."""
    usual = RuleAction.REVIEW if batch.feed.review else RuleAction.PUBLISH
    by_action: dict[str, list[Draft]] = {}
    for made in batch.drafts:
        by_action.setdefault(batch.actions.get(made.guid_key, usual), []).append(made)
    return [
        Delivery(batch.feed.source, drafts, action == RuleAction.PUBLISH)
        for action, drafts in by_action.items()
    ]


def _one_by_one(delivery: Delivery, *, at: datetime, report: Report) -> list[Ingested]:
    if not delivery.drafts:
        return []
    try:
        with transaction.atomic():
            return ingest_all(deliveries=[delivery], at=at)[0]
    except (DatabaseError, ValueError):
        logger.exception("%s: %s entries could not be stored", report.url, len(delivery.drafts))
    if len(delivery.drafts) == 1:
        report.error = "One entry or more could not be stored; the log says why."
        return []
    return [
        done
        for made in delivery.drafts
        for done in _one_by_one(replace(delivery, drafts=[made]), at=at, report=report)
    ]

"""A feed's entries against what we know of them, and their way into articles."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import DatabaseError, transaction

from aggregator.documents import FeedDocument
from aggregator.models import EntryRecord, Feed, RefusedTag
from aggregator.normalise import SAYS_NOTHING, Offer, Outlet, Vocabulary, draft, offers
from articles.actions import BLOCKED, CREATED, SKIPPED, UPDATED, Ingested, ingest
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


@dataclass
class Batch:
    """What a document means for what we know of its feed: worked out before anything is locked."""

    feed: Feed
    entries: int
    unchanged: int
    pairs: list[tuple[Offer, Draft | None]]
    records: dict[str, EntryRecord]

    def store(self, report: Report, *, at: datetime) -> None:
        """Ingest what is new or changed and remember every entry."""
        report.entries = self.entries
        report.skipped += self.entries - len(self.pairs)
        drafts, outcomes = _sorted_out(self)
        for done in _ingested(self.feed, drafts, at=at, report=report):
            outcomes[done.draft.guid_key] = (done.outcome, done.article_id)
        for offer, _ in self.pairs:
            report.count(outcomes.get(offer.guid_key, (SKIPPED, None))[0])
        self.remember(outcomes, at=at)

    def remember(self, outcomes: dict[str, tuple[str, int | None]], *, at: datetime) -> None:
        rows = [self.row(offer, made, outcomes.get(offer.guid_key), at) for offer, made in self.pairs]
        EntryRecord.objects.bulk_create(
            rows,
            batch_size=500,
            update_conflicts=True,
            unique_fields=["feed", "guid_key"],
            update_fields=["url_key", "content_hash", "article", "blocked"],
        )

    def row(
        self, offer: Offer, made: Draft | None, outcome: tuple[str, int | None] | None, at: datetime
    ) -> EntryRecord:
        before = self.records.get(offer.guid_key)
        article_id = outcome[1] if outcome and outcome[1] else before.article_id if before else None
        return EntryRecord(
            feed=self.feed,
            guid_key=offer.guid_key,
            url_key=made.url_key if made else "",
            content_hash=offer.content_hash,
            article_id=article_id,
            first_seen_at=at,
            blocked=bool(outcome and outcome[0] == BLOCKED),
        )


def read(feed: Feed, document: FeedDocument, *, at: datetime) -> Batch:
    """The entries that are new, changed or were blocked, as drafts. Unchanged ones cost no more than a hash."""
    source = feed.source
    outlet = Outlet(
        source.slug,
        source.name,
        source.domain,
        document.language or source.language,
        tuple(feed.tags or ()),
        vocabulary(),
    )
    offered = offers(document, domain=source.domain)
    keys = [offer.guid_key for offer in offered]
    records = {record.guid_key: record for record in EntryRecord.objects.filter(feed=feed, guid_key__in=keys)}
    changed = [offer for offer in offered if _is_news(offer, records.get(offer.guid_key))]
    pairs = [(offer, draft(offer, document, outlet, at=at)) for offer in changed]
    return Batch(feed, len(document.entries), len(offered) - len(changed), pairs, records)


def vocabulary() -> Vocabulary:
    """The desk's synonyms and the words that it wants as tags no more."""
    synonyms = TagSynonym.objects.values_list("name", "tag__name")
    refused = RefusedTag.objects.values_list("name", flat=True)
    return Vocabulary(
        {tag_slug(name): tag for name, tag in synonyms}, SAYS_NOTHING | {tag_slug(name) for name in refused}
    )


def _is_news(offer: Offer, record: EntryRecord | None) -> bool:
    # A blocked entry is offered again each time: when its hold is lifted it may come in.
    return record is None or record.blocked or record.content_hash != offer.content_hash


def _sorted_out(batch: Batch) -> tuple[list[Draft], dict[str, tuple[str, int | None]]]:
    """The drafts to ingest, and what is decided without that."""
    drafts: dict[str, Draft] = {}
    decided: dict[str, tuple[str, int | None]] = {}
    articles = _articles_known(batch)
    held = set(Hold.objects.in_effect().filter(article__in=articles).values_list("article_id", flat=True))
    for offer, made in batch.pairs:
        record = batch.records.get(offer.guid_key)
        article = articles.get(record.article_id) if record and record.article_id else None
        if made is None or made.url_key in drafts:
            decided[offer.guid_key] = (SKIPPED, None)
        elif article is None or article.url_key == made.url_key:
            drafts[made.url_key] = made
        elif article.state == ArticleState.ERASED or article.pk in held:
            # What was removed does not come back under a changed address.
            decided[offer.guid_key] = (BLOCKED, None)
        else:
            drafts[made.url_key] = _at_its_address(article, made)
    return list(drafts.values()), decided


def _articles_known(batch: Batch) -> dict[int, Article]:
    ids = {record.article_id for record in batch.records.values() if record.article_id}
    wanted = Article.objects.filter(pk__in=ids).only("pk", "url_key", "headline", "text_key", "state")
    return {article.pk: article for article in wanted}


def _is_same_work(article: Article, made: Draft) -> bool:
    return article.headline == made.headline or bool(made.text_key and made.text_key == article.text_key)


def _at_its_address(article: Article, made: Draft) -> Draft:
    """An entry whose address changed is the article we know, unless all else changed as well."""
    if not article.url_key or not _is_same_work(article, made):
        return made
    other = dict.fromkeys((made.url_key, *made.other_url_keys))
    return replace(made, url_key=article.url_key, other_url_keys=tuple(other))


def _ingested(feed: Feed, drafts: Sequence[Draft], *, at: datetime, report: Report) -> list[Ingested]:
    """The batch in one piece; where one entry spoils it, each entry by itself."""
    if not drafts:
        return []
    try:
        with transaction.atomic():
            return ingest(source=feed.source, drafts=drafts, at=at, publish=not feed.review)
    except (DatabaseError, ValueError):
        logger.exception("feed %s: %s entries could not be stored", feed.pk, len(drafts))
    if len(drafts) == 1:
        report.error = "One entry or more could not be stored; the log says why."
        return []
    return [one for made in drafts for one in _ingested(feed, [made], at=at, report=report)]

"""Every change to what we know of feeds: the one place of this room that writes."""

from __future__ import annotations

import logging
import math
import random
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import chain, count, islice
from typing import Any, NamedTuple
from urllib.parse import urljoin

from django.db import DatabaseError, transaction
from django.db.models import Exists, OuterRef, Q, Subquery
from django.utils.text import slugify

from aggregator import decide, rights, signals
from aggregator.discovery import feeds_named, linked, news_sitemaps
from aggregator.documents import FeedDocument
from aggregator.entries import COUNTED, Report, read_all, store_batches, vocabulary
from aggregator.fetch import Known, Outcome, Parser, fetch
from aggregator.formats.text import address
from aggregator.hosts import Turns, host_of, is_own
from aggregator.models import Feed, FeedRule, Fetch
from aggregator.normalise import Outlet, draft, offers, tags_of_folders
from aggregator.opml import Outline
from aggregator.passes import Later, side_by_side
from aggregator.sandbox import default_sandbox
from articles import bulk, exclusion, outlets
from articles.actions import limit_as
from articles.canonical import NotAnAddress, address_key, domain_of
from articles.drafts import Draft
from articles.models import Article, Source
from webclient.client import Client, default_client
from webclient.errors import OutgoingError

logger = logging.getLogger(__name__)

WORKERS = 16
PORTION = 500
LEASE_SECONDS = 300
CLAIMED_AT_ONCE = 32
HOST_PATIENCE = 5.0
# A worker's round waits no longer for one host: feeds of other hosts become due meanwhile.
LONGEST_REST = 2.0
CLAIM_IS_FRESH = timedelta(seconds=60)
# What one transaction stores, and the seconds it may wait for more.
STORED_AT_ONCE = 64
ENTRIES_AT_ONCE = 1_000
STORED_AFTER = 1.0
NOT_READ = "The feed could not be read; the log says why."
NOT_STORED = "The entries could not be stored; the log says why."


class FeedNotAdded(Exception):
    """The address brought no feed; the text says why."""


class UnknownFeed(Exception):
    """No feed is read at this address."""


# --- which feeds are read ---------------------------------------------------------------------


def add_feed(
    *,
    url: str,
    at: datetime,
    review: bool = False,
    client: Client | None = None,
    parser: Parser | None = None,
) -> Feed:
    """Begin to read the feed at this address, or the one its page names. Raises FeedNotAdded."""
    asked, outcome = _looked_for(url, client or default_client(), parser or default_sandbox())
    document = outcome.document or FeedDocument("")
    return register(
        url=asked,
        title=document.title,
        homepage=document.link,
        language=document.language,
        review=review,
        at=at,
    )


@dataclass(frozen=True, slots=True)
class Preview:
    """What a feed would bring, nothing of it stored. `source` is whom it would be credited to, if we know them."""

    url: str
    document: FeedDocument
    drafts: list[Draft]
    seconds: float
    is_known: bool
    source: Source | None


def preview(*, url: str, at: datetime, client: Client | None = None, parser: Parser | None = None) -> Preview:
    """Fetch the feed at the address, or the one its page names, and read it. Raises FeedNotAdded."""
    asked, outcome = _looked_for(url, client or default_client(), parser or default_sandbox())
    document = outcome.document or FeedDocument("")
    domain = domain_of(document.link or asked)
    outlet = Outlet(domain, document.title, domain, document.language, (), vocabulary())
    made = [draft(offer, document, outlet, at=at) for offer in offers(document, domain=domain)]
    site = Site.at(document.link or asked)
    return Preview(
        url=asked,
        document=document,
        drafts=[one for one in made if one],
        seconds=outcome.seconds,
        is_known=Feed.objects.filter(url_key=address_key(asked)).exists(),
        source=outlets.whose(site.url, outlets.at_domains([site.domain])[site.domain]),
    )


def _looked_for(url: str, client: Client, parser: Parser) -> tuple[str, Outcome]:
    """The feed at the address, or where that has moved; of a page that names feeds, the first that can be read."""
    url = address(url) or url
    outcome = fetch(Known(url), client, parser)
    if outcome.document is not None:
        return decide.moved_to(url, outcome) or url, outcome
    tried = []
    for named in (
        chain(_named_by(url, client), _sitemaps_beside(url, client)) if outcome.status == 200 else ()
    ):
        found = fetch(Known(named), client, parser)
        if found.document is not None:
            return decide.moved_to(named, found) or named, found
        tried.append(f"{named}: {found.error}")
    raise FeedNotAdded(" ".join([outcome.error, *tried[:3]]))


def _sitemaps_beside(url: str, client: Client) -> Iterator[str]:
    """The news sitemaps of the page's site, for outlets without a feed; asked for only when nothing else is left."""
    try:
        robots = client.get(urljoin(url, "/robots.txt"))
    except OutgoingError:
        return
    if robots.status == 200:
        yield from news_sitemaps(robots.body.decode("utf-8", "replace"))


def _named_by(url: str, client: Client) -> list[str]:
    try:
        page = client.get(url)
    except OutgoingError:
        return []
    return feeds_named(page.body, page.url)[:5]


@transaction.atomic
def register(
    *,
    url: str,
    at: datetime,
    title: str = "",
    homepage: str = "",
    language: str = "",
    review: bool = False,
    tags: Sequence[str] = (),
    apart: bool = False,
) -> Feed:
    """The feed at this address, made when it is new, and due at once. Nothing is fetched. `apart`: it is an outlet of
    its own, whichever others there are at its domain.
    """
    try:
        key = address_key(url)
    except NotAnAddress as error:
        raise FeedNotAdded(f"{error}.") from error
    known: Feed | None = Feed.objects.filter(url_key=key).first()
    if known:
        return known
    feed = Feed.objects.create(
        url=url,
        url_key=key,
        title=title[:300],
        source=source_of(url=homepage or url, name=title, language=language, apart=apart),
        review=review,
        tags=tags_of_folders(tags),
        due_at=at,
    )
    name_feeds_of([feed.source_id])
    return feed


def name_feeds_of(source_ids: Iterable[int]) -> None:
    """Write with these outlets where the first of their feeds stands: it is what our own feeds name as the source."""
    first = Feed.objects.filter(source=OuterRef("pk")).order_by("pk").values("url")[:1]
    Source.objects.filter(pk__in=list(source_ids)).update(feed_url=Subquery(first))


class Site(NamedTuple):
    """What is known of an outlet that may be new to us."""

    domain: str
    url: str
    name: str = ""
    language: str = ""

    @classmethod
    def at(cls, url: str, name: str = "", language: str = "") -> Site:
        return cls(domain_of(url)[:253], url, name, language)

    def slug(self) -> str:
        plain = slugify(self.name[:200] or self.domain, allow_unicode=True)[:180]
        return plain or slugify(self.domain.replace(".", "-")) or "source"


@transaction.atomic
def source_of(*, url: str, name: str, language: str = "", apart: bool = False) -> Source:
    """The outlet whose site this is, made when it is new, or to be `apart` from the others at its domain."""
    site = Site.at(url, name, language)
    source = _sources_of([site])[site]
    if not apart or source.homepage == site.url[:500]:
        return source
    return _made([site], outlets.at_domains(_domains_above(site.domain)))[0]


@transaction.atomic
def _sources_of(sites: Collection[Site]) -> dict[Site, Source]:
    """The outlets of these sites, made where they are new."""
    wanted = {site.domain: site for site in reversed(list(sites))}
    found = outlets.at_domains(wanted)
    if len(found) < len(wanted):
        # Another worker may be making the same outlet.
        exclusion.one_at_a_time("sources")
        found = outlets.at_domains({*wanted, *chain.from_iterable(map(_domains_above, wanted))})
        missing = [site for domain, site in reversed(wanted.items()) if domain not in found]
        found |= {source.domain: [source] for source in _made(missing, found)}
    return {site: source for site in sites if (source := outlets.whose(site.url, found[site.domain]))}


def _made(sites: Collection[Site], known: Mapping[str, Sequence[Source]]) -> list[Source]:
    # Another worker may be making an outlet whose name gives the same slug.
    exclusion.one_at_a_time("sources")
    taken = _slugs_taken({site.slug() for site in sites})
    made = []
    for site in sites:
        plain = site.slug()
        numbered = (f"{plain}-{number}" for number in count(2))
        slug = plain if plain not in taken else next(slug for slug in numbered if slug not in taken)
        taken.add(slug)
        made.append(
            Source(
                name=site.name[:200] or site.domain,
                slug=slug,
                domain=site.domain,
                homepage=site.url[:500],
                language=site.language[:12],
            )
        )
    return _limited_as_before(sites, Source.objects.bulk_create(made, batch_size=500), known)


def _limited_as_before(
    sites: Collection[Site], made: list[Source], known: Mapping[str, Sequence[Source]]
) -> list[Source]:
    """New outlets under the limits of the one that would have had their feeds before their host was known as shared.

    That one stands at the domain above: what the desk recorded there may have been meant for any blog of the host.
    """
    for site, source in zip(sites, made, strict=True):
        before = next((known[domain] for domain in _domains_above(site.domain) if domain in known), [])
        if one := outlets.whose(site.url, before):
            limit_as(source=source, other=one)
    return made


def _domains_above(domain: str) -> Iterator[str]:
    while domain := domain.partition(".")[2]:
        yield domain


def _slugs_taken(plain: Collection[str]) -> set[str]:
    """Which of these slugs are in use, and with which numbers behind them."""
    taken = set(Source.objects.filter(slug__in=plain).values_list("slug", flat=True)) if plain else set()
    for slug in list(taken):
        taken.update(Source.objects.filter(slug__startswith=f"{slug}-").values_list("slug", flat=True))
    return taken


def feed_at(url: str) -> Feed:
    """The feed we read at this address. Raises UnknownFeed."""
    try:
        feed: Feed | None = Feed.objects.filter(url_key=address_key(url)).first()
    except NotAnAddress as error:
        raise UnknownFeed(f"“{url}” is no feed's address: {error}.") from error
    if feed is None:
        raise UnknownFeed(f"No feed is read at {url}.")
    return feed


@transaction.atomic
def remove_feed(*, url: str) -> str:
    """Stop reading the feed and forget its entries; articles stay. Returns its address."""
    feed = feed_at(url)
    feed.delete()
    name_feeds_of([feed.source_id])
    return feed.url


@transaction.atomic
def import_outlines(*, outlines: Iterable[Outline], at: datetime) -> tuple[int, int, list[str]]:
    """Register every feed of a list. Returns how many are new, how many were known, and the bad lines."""
    known, problems = 0, []
    existing = set(Feed.objects.values_list("url_key", flat=True))
    new: dict[str, Outline] = {}
    for outline in outlines:
        try:
            if outline.problem:
                raise FeedNotAdded(outline.problem)
            key = address_key(outline.url)
            domain_of(outline.homepage)
        except (FeedNotAdded, NotAnAddress, ValueError) as error:
            problems.append(f"{outline.title or outline.url or 'a line without a name'}: {error}")
            continue
        if key in existing or key in new:
            known += 1
        else:
            new[key] = outline
    sources = _sources_of([_site(outline) for outline in new.values()])
    Feed.objects.bulk_create(
        [
            Feed(
                url=outline.url,
                url_key=key,
                title=outline.title[:300],
                source=sources[_site(outline)],
                tags=tags_of_folders(outline.folders),
                due_at=at,
            )
            for key, outline in new.items()
        ],
        batch_size=500,
    )
    name_feeds_of(source.pk for source in sources.values())
    return len(new), known, problems


def _site(outline: Outline) -> Site:
    return Site.at(outline.homepage or outline.url, outline.title)


@transaction.atomic
def pause(*, feeds: Iterable[Feed], at: datetime, reason: str) -> int:
    """Fetch these feeds no more until they are resumed."""
    ids = [feed.pk for feed in feeds]
    return Feed.objects.filter(pk__in=ids, paused_at__isnull=True).update(
        paused_at=at, pause_reason=reason[:300]
    )


@transaction.atomic
def resume(*, feeds: Iterable[Feed], at: datetime) -> int:
    """Fetch these feeds again, at once, ended ones too."""
    ids = [feed.pk for feed in feeds]
    return Feed.objects.filter(pk__in=ids).update(
        paused_at=None, pause_reason="", gone_at=None, failures=0, due_at=at
    )


@transaction.atomic
def switch_rule(*, rule: FeedRule, on: bool, at: datetime) -> FeedRule:
    """Let a rule work on what comes from now on, or no more; what is here stays as it is."""
    rule.enabled_at = at if on else None
    rule.save(update_fields=["enabled_at"])
    return rule


def make_due(*, feeds: Iterable[int] | None = None, at: datetime) -> int:
    """Bring these feeds' turn (or every feed's) forward to now; not for one whose server told us to wait."""
    welcome = Q(not_before__isnull=True) | Q(not_before__lte=at)
    wanted = Feed.objects.active().filter(welcome).filter(Q(due_at__gt=at) | Q(due_at__isnull=True))
    if feeds is not None:
        wanted = wanted.filter(pk__in=list(feeds))
    return wanted.update(due_at=at)


# --- fetching ---------------------------------------------------------------------------------


def fetch_due(limit: int, at: datetime) -> int:
    """Fetch at most `limit` due feeds. Returns how many were tried."""
    return sum(1 for _ in fetch_pass(at=at, limit=limit, rest=LONGEST_REST))


def fetch_pass(
    *,
    at: datetime,
    limit: int | None = None,
    only: Sequence[int] | None = None,
    client: Client | None = None,
    parser: Parser | None = None,
    workers: int = WORKERS,
    patience: float = HOST_PATIENCE,
    rest: float = math.inf,
) -> Iterator[Report]:
    """Fetch the feeds that are due at `at`, each once; yields a report as each is stored.

    A host that another process asks is waited for `patience` seconds, one that rests between two
    questions for `rest` seconds at most; then its feeds stay due.
    """
    due = Feed.objects.due(at)
    if only is not None:
        due = due.filter(pk__in=only)
    one = _Pass(at, client or default_client(), parser or default_sandbox(), patience, rest)
    left = limit
    while left is None or left > 0:
        # More than are wanted, because hosts that another process asks are passed over.
        found = list(due.select_related("source")[: min(PORTION, 10 * (left or PORTION))])
        tried = 0
        for report in one.run(found, workers, left or PORTION):
            tried += 1
            if report:
                yield report
        if not tried:
            return
        left = None if left is None else left - tried


@dataclass(frozen=True, slots=True)
class Attempt:
    """One fetch of one feed, to be stored under the lease it was made under."""

    feed: Feed
    token: str
    started_at: datetime
    outcome: Outcome


class _Pass:
    """One round over due feeds: what its threads and its writer share."""

    def __init__(
        self,
        at: datetime,
        client: Client,
        parser: Parser,
        patience: float = HOST_PATIENCE,
        rest: float = math.inf,
    ) -> None:
        self.at = at
        self.rest = rest
        self.started = time.monotonic()
        self.client = client
        self.parser = parser
        self.waiting: dict[int, str] = {}
        self.claims: dict[int, tuple[str, datetime]] = {}
        self.ended: list[Attempt] = []
        self.ended_first = 0.0
        self.turns = Turns()
        self.patience = patience
        self.budget = PORTION

    def now(self) -> datetime:
        return self.at + timedelta(seconds=time.monotonic() - self.started)

    def run(self, feeds: Sequence[Feed], workers: int, budget: int) -> Iterator[Report | None]:
        """A report for each feed that could be claimed, `budget` at most; None for one lost to another worker."""
        self.waiting = {feed.pk: host_of(feed.url) for feed in feeds}
        self.budget = budget
        jobs = [(host_of(feed.url), feed) for feed in feeds]
        try:
            yield from self.tried(jobs, workers)
        finally:
            self.give_back()

    def tried(self, jobs: Sequence[tuple[str, Feed]], workers: int) -> Iterator[Report | None]:
        for ended in side_by_side(jobs, self.begin, workers=workers):
            if ended:
                feed, future = ended
                outcome = self.outcome_of(feed, future)
                token, started_at = self.claims.pop(feed.pk)
                self.ended_first = self.ended_first if self.ended else time.monotonic()
                self.ended.append(Attempt(feed, token, started_at, outcome))
            if self.ended and (ended is None or self.is_full()):
                yield from self.flush()
        yield from self.flush()

    def outcome_of(self, feed: Feed, future: Future[Outcome]) -> Outcome:
        """What came of it. A fault of ours at one feed must not end the round of all others."""
        try:
            return future.result()
        except Exception:
            logger.exception("feed %s could not be read", feed.pk)
            return Outcome(error=NOT_READ)

    def give_back(self) -> None:
        """What ended is stored, what was claimed and not fetched stays due, and the hosts are others' to ask."""
        for _ in self.flush():
            pass  # Nobody listens any more: the round was stopped.
        for pk, (token, _) in self.claims.items():
            Feed.objects.finish(pk, token)
        self.claims.clear()
        self.turns.give_back()

    def is_full(self) -> bool:
        """Whether what ended is enough for one transaction, or has waited long enough for one."""
        entries = sum(len(one.outcome.document.entries) for one in self.ended if one.outcome.document)
        waited = time.monotonic() - self.ended_first
        return len(self.ended) >= STORED_AT_ONCE or entries >= ENTRIES_AT_ONCE or waited > STORED_AFTER

    def begin(self, feed: Feed) -> Callable[[], Outcome] | Later | None:
        """What to do for the feed under a claim of ours; None when another worker has it.

        Feeds are claimed some at a time. What was read of a feed a moment ago still holds: a claim
        succeeds only while it is due.
        """
        at, host = self.now(), host_of(feed.url)
        if not self.budget:
            return None
        pause = rights.pause_asked(feed.source.signals or (), host)
        if wait := self.turns.seconds_to_wait(host, at=at, pause=pause):
            is_ours = self.turns.has(host, at=at)
            if wait > self.rest and is_ours:
                return None
            return Later(wait) if is_ours or time.monotonic() - self.started < self.patience else None
        if feed.pk in self.waiting:
            self.claim_with(feed)
        token, claimed_at = self.claims.get(feed.pk, ("", at))
        if token and at - claimed_at > CLAIM_IS_FRESH:
            token = token if Feed.objects.renew(feed.pk, token, at=at, seconds=LEASE_SECONDS) else ""
        if not token:
            self.claims.pop(feed.pk, None)
            return None
        self.budget -= 1
        self.claims[feed.pk] = (token, at)
        self.turns.was_asked(host, at=at)
        # What was blocked is offered again even when nothing changed: its hold may have been lifted.
        body_hash = "" if feed.document_blocked else feed.body_hash
        known = Known(feed.url, feed.etag, feed.last_modified, body_hash)
        return partial(fetch, known, self.client, self.parser)

    def claim_with(self, feed: Feed) -> None:
        """Claim the feed and those that are next, on hosts whose turn is ours; a faster worker has the others."""
        at = self.now()
        next_ = dict(islice(self.waiting.items(), min(CLAIMED_AT_ONCE, self.budget)))
        self.turns.take(next_.values(), at=at)
        ours = [pk for pk, host in next_.items() if is_own(host) or self.turns.has(host, at=at)]
        some = list(dict.fromkeys([feed.pk, *ours]))
        for pk in some:
            del self.waiting[pk]
        token, got = Feed.objects.claim_some(some, at=at, seconds=LEASE_SECONDS)
        self.claims |= dict.fromkeys(got, (token, at))

    def flush(self) -> Iterator[Report | None]:
        """Store what ended; where that fails, each by itself."""
        ended, self.ended = self.ended, []
        if not ended:
            return
        try:
            yield from store_all(ended, at=self.now())
        except Exception:
            # Whatever one feed did, the others have their turn.
            logger.exception("%s feeds could not be stored together", len(ended))
            for attempt in ended:
                yield self.store_alone(attempt)

    def store_alone(self, attempt: Attempt) -> Report | None:
        try:
            return store_all([attempt], at=self.now())[0]
        except Exception:
            logger.exception("feed %s could not be stored", attempt.feed.pk)
            return self.give_up(attempt)

    def give_up(self, attempt: Attempt) -> Report | None:
        outcome = attempt.outcome
        failed = Outcome(
            status=outcome.status, error=NOT_STORED, seconds=outcome.seconds, bytes=outcome.bytes
        )
        try:
            return store_all([replace(attempt, outcome=failed)], at=self.now())[0]
        except DatabaseError:
            logger.exception("feed %s: not even the failure could be stored", attempt.feed.pk)
            return None


@bulk.uncollected()
def store_all(attempts: Sequence[Attempt], *, at: datetime) -> list[Report | None]:
    """Write what these attempts brought, all or nothing; None for a feed that is another worker's by now."""
    settle_sources(
        [
            (one.feed, one.outcome.document)
            for one in attempts
            if one.outcome.document and one.feed.last_success_at is None
        ]
    )
    batches = read_all([(one.feed, one.outcome.document) for one in attempts if one.outcome.document], at=at)
    reports = {one.feed.pk: _report(one) for one in attempts}
    with transaction.atomic():
        ours = _still_ours(attempts)
        store_batches([(batch, reports[batch.feed.pk]) for batch in batches if batch.feed.pk in ours], at=at)
        kept = [one for one in attempts if one.feed.pk in ours]
        _finish(kept, reports, at=at)
        _log([(one, reports[one.feed.pk]) for one in kept])
        signals.note([(one.feed, one.outcome) for one in kept], at=at)
    for one in attempts:
        if one.feed.pk not in ours:
            logger.warning("feed %s was taken over by another worker", one.feed.pk)
    return [reports[one.feed.pk] if one.feed.pk in ours else None for one in attempts]


@transaction.atomic
def store_pushed(*, feed: Feed, document: FeedDocument, size: int, at: datetime) -> Report:
    """Write what a hub brought of a feed, which is only what is new in it: its rhythm is left as it is."""
    Feed.objects.select_for_update(no_key=True).get(pk=feed.pk)
    report = Report(feed.url, 200)
    store_batches([(batch, report) for batch in read_all([(feed, document)], at=at)], at=at)
    attempt = Attempt(feed, "", at, Outcome(status=200, document=document, bytes=size))
    _log([(attempt, report)])
    newest = decide.newest_entry(document, at)
    last_entry_at = max(filter(None, (newest, feed.last_entry_at)), default=None)
    Feed.objects.filter(pk=feed.pk).update(
        pushed_until=at + decide.PUSHES_TRUSTED, last_entry_at=last_entry_at, last_success_at=at
    )
    return report


def _report(attempt: Attempt) -> Report:
    outcome = attempt.outcome
    report = Report(attempt.feed.url, outcome.status, error=outcome.error, seconds=round(outcome.seconds, 3))
    if outcome.is_unchanged and outcome.status == 200:
        # The same document again, so it was not read again.
        report.entries = report.skipped = attempt.feed.document_entries
    return report


def _still_ours(attempts: Sequence[Attempt]) -> set[int]:
    """The feeds whose lease we still have; nobody takes it until the transaction ends."""
    tokens = {one.feed.pk: one.token for one in attempts}
    rows = Feed.objects.select_for_update(no_key=True).filter(pk__in=tokens).order_by("pk")
    return {pk for pk, token in rows.values_list("pk", "lease_token") if token == tokens[pk]}


def _finish(attempts: Sequence[Attempt], reports: Mapping[int, Report], *, at: datetime) -> None:
    """The feeds' new values, and their leases back."""
    rows: dict[tuple[str, ...], list[list[Any]]] = defaultdict(list)
    moved: list[int] = []
    for one in attempts:
        new = _columns(one.feed, one.outcome, at=at) | {"lease_until": None, "lease_token": ""}
        if one.outcome.document:
            report = reports[one.feed.pk]
            new |= {"document_entries": report.entries, "document_blocked": report.blocked}
        rows[tuple(new)].append([*new.values(), one.feed.pk])
        moved += [one.feed.source_id] if "url" in new else []
    for names, some in rows.items():
        bulk.update(Feed, names, some)
    if moved:
        name_feeds_of(moved)


def settle_sources(fetched: Sequence[tuple[Feed, FeedDocument]]) -> None:
    """Credit the outlets that the feeds name as their sites, not the hosts that carry them.

    Only where the outlet was taken from the feed's own address: what an editor or a list chose stays.
    """
    moved = [
        (feed, document)
        for feed, document in fetched
        if (domain := domain_of(document.link)) and domain != feed.source.domain == domain_of(feed.url)
    ]
    if moved:
        _credit_sites(moved)


@transaction.atomic
def _credit_sites(moved: Sequence[tuple[Feed, FeedDocument]]) -> None:
    sites = [Site.at(document.link, document.title, document.language) for _, document in moved]
    sources = _sources_of(sites)
    before = {feed.source_id for feed, _ in moved}
    has_rules = set(FeedRule.objects.filter(source__in=before).values_list("source_id", flat=True))
    for (feed, _), site in zip(moved, sites, strict=True):
        if feed.source_id in has_rules:
            FeedRule.objects.filter(source=feed.source_id).update(source=sources[site])
        feed.source = sources[site]
    bulk.update(Feed, ("source_id",), [(feed.source_id, feed.pk) for feed, _ in moved])
    name_feeds_of({*before, *(feed.source_id for feed, _ in moved)})
    kept = Exists(Feed.objects.filter(source=OuterRef("pk"))) | Exists(
        Article.objects.filter(source=OuterRef("pk"))
    )
    Source.objects.filter(~kept, pk__in=before).delete()


def _log(pairs: Sequence[tuple[Attempt, Report]]) -> None:
    names = (
        "feed_id",
        "started_at",
        "seconds",
        "http_status",
        "bytes",
        "entries",
        "repaired",
        "error",
        *COUNTED,
    )
    rows = [
        (
            one.feed.pk,
            one.started_at,
            one.outcome.seconds,
            one.outcome.status,
            one.outcome.bytes,
            report.entries,
            bool(one.outcome.document and one.outcome.document.repaired),
            report.error[:500],
            *(getattr(report, name) for name in COUNTED),
        )
        for one, report in pairs
    ]
    bulk.insert(Fetch, names, rows)


def _columns(feed: Feed, outcome: Outcome, *, at: datetime) -> dict[str, Any]:
    """The feed's new values, its new address included when the move is proved."""
    before = decide.Standing(
        feed.url,
        timedelta(seconds=feed.interval_seconds),
        feed.failures,
        feed.last_entry_at,
        feed.moved_to,
        feed.moved_since,
        feed.moved_hops,
    )
    new = decide.changes(before, outcome, at=at, chance=random.random())
    if outcome.document:
        # A header goes before what the document says (WebSub, section 4).
        links = linked(outcome.headers.get("link", ""), outcome.url or feed.url)
        new["hubs"] = links.get("hub", list(outcome.document.hubs))[:5]
        new["topic"] = links.get("self", [outcome.document.self_link])[0][:2000] or None
        new["title"] = feed.title or outcome.document.title[:300]
    if not outcome.error and feed.pushed_until and feed.pushed_until > at:
        new["due_at"] = max(new["due_at"], at + decide.BESIDE_PUSHES)
    return new | _moved(feed, new, at) if decide.has_moved(new, at) else new


def _moved(feed: Feed, new: dict[str, Any], at: datetime) -> dict[str, Any]:
    try:
        key = address_key(new["moved_to"])
    except NotAnAddress:
        return {}
    if Feed.objects.filter(url_key=key).exclude(pk=feed.pk).exists():
        return {
            "paused_at": at,
            "pause_reason": f"It moved to {new['moved_to']}, which is read already."[:300],
        }
    logger.info("feed %s moved from %s to %s", feed.pk, feed.url, new["moved_to"])
    return {"url": new["moved_to"], "url_key": key, "moved_to": "", "moved_since": None, "moved_hops": 0}

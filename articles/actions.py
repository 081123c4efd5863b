"""Every change to what a reader reads. Keyword-only verbs, each in one transaction."""

from __future__ import annotations

import inspect
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import F, Max, QuerySet
from django.utils.text import slugify

from accounts import unsaved
from accounts.audit import note
from accounts.models import User
from articles import (
    announcements,
    bulk,
    cuts,
    fts,
    history,
    hooks,
    illustrations,
    outlets,
    prepared,
    search,
    stories,
    surfaces,
)
from articles.bylines import Credit
from articles.canonical import address_key, domain_of
from articles.drafts import Draft, DraftPicture
from articles.fields import clean_html
from articles.fingerprint import bands, is_telling, signature, text_fingerprint, title_day_key
from articles.media import delete as delete_picture
from articles.models import (
    Article,
    ArticleState,
    BlockedWork,
    BlockKind,
    Contribution,
    Contributor,
    ContributorName,
    FrontPin,
    Hold,
    HoldKind,
    HookEvent,
    Illustration,
    Media,
    ReadCount,
    RelatedLink,
    Revision,
    RevisionKind,
    Role,
    SlugRedirect,
    Source,
    Tag,
    TaggedArticle,
    TagSynonym,
    UsagePolicy,
)
from articles.optouts import OptOut, OptOutKind, all_spellings, covering, rules_of
from articles.sanitise import to_text
from articles.statements import OneOf, Statement
from articles.tokens import new_token

CREATED, UPDATED, SKIPPED, BLOCKED = "created", "updated", "skipped", "blocked"
KEYS_AT_ONCE = 5_000
HOLDS_AT_ONCE = 500
BANDS_IN_COMMON = 2
RECOGNISED_BY = (
    "url_key", "guid_key", "text_key", "title_day_key", "signature", "body", "lead_media__sha256"
)  # fmt: skip
NOTED = ("source_id", "story_id", "lead_media_id", "published_at", "expires_at", "language")
# Without asking of each argument whether it is a translation.
_slugified = inspect.unwrap(slugify)
# By hundreds of keys at once: to build such a query anew costs more than to answer it.
_AT_ADDRESSES = Statement(lambda: Article.objects.order_by().filter(OneOf("url_key", "keys")))
_TAGS = Statement(lambda: Tag.objects.order_by().filter(OneOf("slug", "slugs")))
_SYNONYMS = Statement(lambda: TagSynonym.objects.filter(OneOf("slug", "slugs")).select_related("tag"))
_PEOPLE: Statement[Any] = Statement(lambda: _named_by_key(Contributor.objects.order_by(), "pk", "name"))
_SPELLINGS: Statement[Any] = Statement(
    lambda: _named_by_key(ContributorName.objects.order_by(), "contributor_id", "contributor__name")
)
REVISED_FIELDS = ("headline", "standfirst", "body", "byline", "dateline", "language")


class NotAllowed(Exception):
    """The change is not allowed as things stand; the message says why."""


@dataclass(frozen=True, slots=True)
class Ingested:
    """What became of one draft."""

    draft: Draft
    outcome: str
    article_id: int | None = None


# --- ingest -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one source brings at once."""

    source: Source
    drafts: Sequence[Draft]
    publish: bool = True


@transaction.atomic(savepoint=False)
def ingest(*, source: Source, drafts: Sequence[Draft], at: datetime, publish: bool = True) -> list[Ingested]:
    """Store a batch of one source's entries; returns one outcome per draft, in order.

    Known by its canonical address, an article is updated or left alone, never doubled. What matches
    a withheld work by any key is blocked, and what an owner opted out of. What an editor changed is never
    overwritten, nor what another outlet published.
    """
    done = ingest_all(deliveries=[Delivery(source, drafts, publish)], at=at)[0]
    search.index_owed([one.article_id for one in done if one.article_id and one.outcome == CREATED], at=at)
    return done


@transaction.atomic(savepoint=False)
def ingest_all(*, deliveries: Sequence[Delivery], at: datetime) -> list[list[Ingested]]:
    """The same for several sources in one transaction, as if one came after the other; search finds them later.

    Within another transaction it takes no savepoint: with one open, SQLite goes through everything that was
    changed since at the end of each statement that fires a trigger, and a batch costs the square of its size.
    """
    keys = {draft.url_key for delivery in deliveries for draft in delivery.drafts}
    known = {article.url_key: article for article in _AT_ADDRESSES(keys=keys)} if keys else {}
    blocked = _blocked_keys(draft for delivery in deliveries for draft in delivery.drafts)
    rules = _rules_for(deliveries)
    outcomes: list[dict[str, tuple[str, int | None]]] = [{} for _ in deliveries]
    fresh: dict[str, tuple[int, Draft]] = {}
    later: list[tuple[int, Draft]] = []
    for number, delivery in enumerate(deliveries):
        for key, draft in {draft.url_key: draft for draft in delivery.drafts}.items():
            is_blocked_work = blocked and keys_of_draft(delivery.source, draft) & blocked
            if is_blocked_work or (rules and _is_opted_out(rules, delivery.source, draft)):
                outcomes[number][key] = (BLOCKED, known[key].pk if key in known else None)
            elif key in known:
                outcomes[number][key] = _offered(delivery.source, known[key], draft, at=at)
            elif key in fresh:
                later.append((number, draft))
            else:
                fresh[key] = (number, draft)
    near = _near_withheld(draft for _, draft in fresh.values())
    created = _create(
        [(_as_allowed(deliveries[number], draft, near), draft) for number, draft in fresh.values()], at=at
    )
    for key, (number, _) in fresh.items():
        outcomes[number][key] = (CREATED, created[key])
    for number, draft in later:
        article = Article.objects.get(pk=created[draft.url_key])
        outcomes[number][draft.url_key] = _offered(deliveries[number].source, article, draft, at=at)
    updated = [pk for some in outcomes for outcome, pk in some.values() if pk and outcome == UPDATED]
    refresh_ids(updated)
    return [
        [Ingested(draft, *some[draft.url_key]) for draft in delivery.drafts]
        for delivery, some in zip(deliveries, outcomes, strict=True)
    ]


@transaction.atomic
def ingest_own(*, draft: Draft, state: ArticleState, at: datetime) -> Ingested:
    """Store one piece of our own from another system. Known by the identifier it had there, it is left as it is.

    What is worded like a withheld work waits for review, as in `ingest`. A `published_at` ahead schedules it.
    """
    if _blocked_keys([draft]) or _is_opted_out(rules_of({domain_of(draft.canonical_url)}), None, draft):
        return Ingested(draft, BLOCKED)
    if known := Article.objects.filter(guid_key=draft.guid_key).first():
        return Ingested(draft, SKIPPED, known.pk)
    if state == ArticleState.PUBLISHED and _near_withheld([draft]):
        state = ArticleState.REVIEW
    article = _own(draft, state, at=at)
    article.save()
    moment = article.published_at or at
    _add_tags([(article.pk, draft.tags)], {article.pk: moment})
    _add_credits([(article.pk, draft.credits)], {article.pk: moment})
    refresh(articles=[article])
    return Ingested(draft, CREATED, article.pk)


def _own(draft: Draft, state: ArticleState, *, at: datetime) -> Article:
    """A draft as our own article. Where it stood before is no original to lead readers to: it has no address."""
    article = Article(
        state=state,
        slug=slug_for(draft.headline, draft.guid_key),
        headline=draft.headline[:300],
        standfirst=draft.standfirst,
        body=draft.body,
        byline=draft.byline[:500],
        dateline=draft.dateline[:120],
        language=draft.language,
        copyright_holder=draft.copyright_holder[:200],
        usage_terms=draft.usage_terms[:500],
        guid_key=draft.guid_key,
        published_at=draft.published_at or (at if state == ArticleState.PUBLISHED else None),
    )
    return identify(article)


def _rules_for(deliveries: Sequence[Delivery]) -> list[OptOut]:
    """The rules of owners that could cover any of it; for nearly every site one look that finds none."""
    if not OptOut.objects.standing().exists():
        return []
    domains = {delivery.source.domain for delivery in deliveries}
    domains.update(domain_of(draft.canonical_url) for delivery in deliveries for draft in delivery.drafts)
    return rules_of(domains)


def _is_opted_out(rules: Sequence[OptOut], source: Source | None, draft: Draft) -> bool:
    """Whether its owner wants nothing of the kind shown, whoever brings it."""
    source_domain = source.domain if source else ""
    authors = {name_key(credit.name) for credit in draft.credits}
    if any(rule.kind == OptOutKind.AUTHOR for rule in rules):
        authors = all_spellings(authors)
    rule = covering(rules, source_domain=source_domain, url=draft.canonical_url, authors=authors)
    return rule is not None


def _offered(source: Source, article: Article, draft: Draft, *, at: datetime) -> tuple[str, int | None]:
    """What becomes of a draft of an article we have."""
    if not _may_change(source, article):
        return SKIPPED, None
    return _update(article, draft, at=at), article.pk


def _may_change(source: Source, article: Article) -> bool:
    """Only who brought an article, or the outlet on whose site it stands, says what is new in it. Of several outlets
    at one domain none speaks for another.
    """
    if article.source_id == source.pk:
        return True
    domain = domain_of(article.canonical_url)
    if not domain or domain != source.domain or (article.source and article.source.domain == domain):
        return False
    return outlets.whose(article.canonical_url, outlets.at_domains([domain])[domain]) == source


def keys_of_draft(source: Source | None, draft: Draft) -> set[tuple[str, str]]:
    """(kind, key) pairs by which a withheld work would be recognised in this draft."""
    keys = {(BlockKind.ADDRESS.value, key) for key in (draft.url_key, *draft.other_url_keys)}
    if draft.guid_key:
        keys.add((BlockKind.GUID.value, draft.guid_key))
    if draft.text_key:
        keys.add((BlockKind.TEXT.value, draft.text_key))
    if draft.title_day_key:
        keys.add((BlockKind.TITLE_DAY.value, draft.title_day_key))
    return keys


def _blocked_keys(drafts: Iterable[Draft]) -> set[tuple[str, str]]:
    if not BlockedWork.objects.exists():
        return set()
    keys = sorted({key for draft in drafts for _, key in keys_of_draft(None, draft)})
    found: set[tuple[str, str]] = set()
    for start in range(0, len(keys), KEYS_AT_ONCE):
        some = keys[start : start + KEYS_AT_ONCE]
        rows = BlockedWork.objects.filter(key__in=some, hold__in=Hold.objects.in_effect())
        found.update(rows.values_list("kind", "key"))
    return found


def _near_withheld(drafts: Iterable[Draft]) -> set[str]:
    """`url_key` of drafts worded like a withheld work. Never a removal: an editor looks at them first.

    Texts that are 0.7 alike share at least two bands nine times in ten, texts that are 0.3 alike in
    less than one of a hundred (docs/decisions/holds.md).
    """
    withheld = BlockedWork.objects.filter(kind=BlockKind.WORDING, hold__in=Hold.objects.in_effect())
    if not withheld.exists():
        return set()
    worded = {draft.url_key: wording_keys(draft.body) for draft in drafts}
    keys = sorted({key for some in worded.values() for key in some})
    met: set[str] = set()
    for start in range(0, len(keys), KEYS_AT_ONCE):
        met.update(withheld.filter(key__in=keys[start : start + KEYS_AT_ONCE]).values_list("key", flat=True))
    return {url_key for url_key, some in worded.items() if len(some & met) >= BANDS_IN_COMMON}


def worded_like(*, words: Collection[str], since: datetime) -> list[Article]:
    """Public articles that came in since, and are worded like a work of which these are the bands."""
    came = Article.objects.filter(created_at__gte=since, state=ArticleState.PUBLISHED).order_by("pk")
    return [one for one in came.iterator(500) if len(wording_keys(one.body) & set(words)) >= BANDS_IN_COMMON]


def _as_allowed(delivery: Delivery, draft: Draft, near: set[str]) -> Delivery:
    """The delivery, its article waiting for review where the draft is worded like a withheld work."""
    return replace(delivery, publish=False) if draft.url_key in near else delivery


def wording_keys(body: str) -> set[str]:
    """By what an edited copy of this text is met again: the bands of its sketch. None for a short text."""
    text = to_text(body)
    return _band_keys(signature(text)) if is_telling(text) else set()


def _wording_of(article: Article) -> set[str]:
    """The same for a stored article: by its sketch, where that was made already."""
    return _band_keys(article.signature) if article.signature else wording_keys(article.body)


def _band_keys(sketch: bytes | memoryview) -> set[str]:
    return {f"{number}:{band}" for number, band in enumerate(bands(sketch))}


def _create(wanted: Sequence[tuple[Delivery, Draft]], *, at: datetime) -> dict[str, int]:
    """New articles with tags, credits and search rows; returns their keys by `url_key`."""
    if not wanted:
        return {}
    pictures = _pictures([draft.picture for _, draft in wanted if draft.picture], at=at)
    rows = [_columns(delivery, draft, pictures, at=at) for delivery, draft in wanted]
    ids = dict(
        bulk.insert(
            Article, list(rows[0]), [list(row.values()) for row in rows], at=at, returning=("url_key", "id")
        )
    )
    moments = {ids[row["url_key"]]: row["published_at"] for row in rows}
    tags = _add_tags([(ids[draft.url_key], draft.tags) for _, draft in wanted], moments)
    people = _add_credits([(ids[draft.url_key], draft.credits) for _, draft in wanted], moments)
    prepared.add(
        (pk := ids[draft.url_key], draft.standfirst, draft.text or to_text(draft.body), moments[pk])
        for delivery, draft in wanted
        if delivery.publish
    )
    search.owe((ids[draft.url_key] for delivery, draft in wanted if delivery.publish), at=at)
    keys = {surfaces.LATEST} | {f"source:{delivery.source.pk}" for delivery, _ in wanted}
    keys |= {surfaces.part_of_sitemap(pk) for pk in ids.values()}
    keys |= {f"tag:{tag.pk}" for some in tags.values() for tag in some}
    keys |= {f"contributor:{person.pk}" for some in people.values() for person in some}
    surfaces.changed(keys)
    return ids


def _columns(delivery: Delivery, draft: Draft, pictures: dict[str, Media], *, at: datetime) -> dict[str, Any]:
    """A new article's row, as far as a draft says what stands in it."""
    source = delivery.source
    picture = pictures.get(draft.picture.url) if draft.picture else None
    return {
        "state": (ArticleState.PUBLISHED if delivery.publish else ArticleState.REVIEW).value,
        "slug": slug_for(draft.headline, draft.url_key),
        "headline": draft.headline[:300],
        "standfirst": draft.standfirst,
        "body": draft.body,
        "byline": draft.byline[:500],
        "dateline": draft.dateline[:120],
        "language": draft.language or source.language,
        "source_id": source.pk,
        "canonical_url": draft.canonical_url,
        "url_key": draft.url_key,
        "guid_key": draft.guid_key,
        "text_key": draft.text_key,
        "title_day_key": draft.title_day_key,
        "signature": draft.signature,
        "copyright_holder": (draft.copyright_holder or source.copyright_holder)[:200],
        "usage_terms": draft.usage_terms[:500],
        "licence_url": draft.licence_url[:500],
        "lead_media_id": picture.pk if picture else None,
        "published_at": min(draft.published_at or at, at),
        "fetched_at": at,
    }


def slug_for(headline: str, seed: str) -> str:
    """A readable, unique slug: words of the headline and six characters of `seed`."""
    words = _slugified(headline, allow_unicode=True)[:90].strip("-")
    return f"{words}-{seed[:6]}" if words else seed[:12]


def _pictures(pictures: Sequence[DraftPicture], *, at: datetime) -> dict[str, Media]:
    wanted = {picture.url: picture for picture in pictures}
    if not wanted:
        return {}
    found = {media.original_url: media for media in Media.objects.filter(original_url__in=wanted)}
    new = [
        Media(
            token=new_token(),
            original_url=url,
            alt=picture.alt[:500],
            caption=picture.caption[:1000],
            credit=picture.credit[:300],
            holder=picture.holder[:300],
            terms=picture.terms[:1000],
            due_at=at,
        )
        for url, picture in wanted.items()
        if url not in found
    ]
    Media.objects.bulk_create(new)
    return found | {media.original_url: media for media in new}


@lru_cache(maxsize=8192)
def name_key(name: str) -> str:
    """A name folded: accents, case and punctuation do not make another person."""
    bare = name.casefold()
    if not bare.isascii():
        bare = "".join(c for c in unicodedata.normalize("NFKD", bare) if not unicodedata.combining(c))
    return _slugified(bare, allow_unicode=True)[:200] or new_token()[:12]


def tags_named(names: Iterable[str]) -> dict[str, Tag]:
    """The tags for these words, made where missing; synonyms lead to the tag they stand for."""
    slug_of = {name: _tag_slug(name) for name in names}
    slugs = {slug: name for name, slug in slug_of.items() if slug}
    if not slugs:
        return {}
    tags = {tag.slug: tag for tag in _TAGS(slugs=slugs)}
    tags.update({synonym.slug: synonym.tag for synonym in _SYNONYMS(slugs=slugs)})
    missing = {slug: name[:100] for slug, name in slugs.items() if slug not in tags}
    bulk.insert(Tag, ("slug", "name"), list(missing.items()), conflicts="DO NOTHING")
    if missing:
        tags.update({tag.slug: tag for tag in _TAGS(slugs=missing)})
    return {name: tags[slug] for name, slug in slug_of.items() if slug in tags}


@lru_cache(maxsize=8192)
def _tag_slug(name: str) -> str:
    return _slugified(name, allow_unicode=True)[:100]  # type: ignore[no-any-return]


def _add_tags(
    wanted: Sequence[tuple[int, Sequence[str]]], moments: Mapping[int, datetime]
) -> dict[int, list[Tag]]:
    """Tag these articles; returns whose tags are which. `moments` says when each was published."""
    tags = tags_named({name for _, names in wanted for name in names})
    found = {
        pk: list({tags[name].pk: tags[name] for name in names if name in tags}.values())
        for pk, names in wanted
    }
    rows = [(pk, tag.pk, moments[pk]) for pk, some in found.items() for tag in some]
    bulk.insert(TaggedArticle, ("content_object_id", "tag_id", "published_at"), rows, conflicts="DO NOTHING")
    return found


def _named_by_key(rows: QuerySet[Any], *columns: str) -> QuerySet[Any]:
    return rows.filter(OneOf("name_key", "keys")).values_list("name_key", *columns)


class Person(NamedTuple):
    """Whom a credit names: the row's key and name."""

    pk: int
    name: str


def contributors_named(credits: Iterable[Credit]) -> dict[str, Person]:
    """name_key to the person for these credits, made where missing."""
    wanted = {name_key(credit.name): credit for credit in credits}
    found = _people_known_as(wanted)
    found |= _people_known_otherwise(wanted.keys() - found.keys())
    missing = [key for key in wanted if key not in found]
    rows = [
        (wanted[key].name[:200], key, key, wanted[key].role.value == Role.AGENCY.value) for key in missing
    ]
    bulk.insert(Contributor, ("name", "slug", "name_key", "is_agency"), rows, conflicts="DO NOTHING")
    return found | _people_known_as(missing)


def _people_known_as(name_keys: Collection[str]) -> dict[str, Person]:
    rows = _PEOPLE(keys=name_keys) if name_keys else []
    return {key: Person(pk, name) for key, pk, name in rows}


def _people_known_otherwise(name_keys: Collection[str]) -> dict[str, Person]:
    """The people of whom these are other spellings."""
    rows = _SPELLINGS(keys=name_keys) if name_keys else []
    return {key: Person(pk, name) for key, pk, name in rows}


def _add_credits(
    wanted: Sequence[tuple[int, Sequence[Credit]]],
    moments: Mapping[int, datetime | None] | Mapping[int, datetime],
) -> dict[int, list[Person]]:
    """Credit these articles' people; returns whose they are, each once. `moments` as with tags."""
    people = contributors_named(credit for _, credits in wanted for credit in credits)
    found: dict[int, list[Person]] = {}
    rows: dict[tuple[int, int, str], tuple[int, int, str, int, datetime | None]] = {}
    for pk, credits in wanted:
        theirs = [(people.get(name_key(credit.name)), credit.role.value) for credit in credits]
        found[pk] = list(dict.fromkeys(person for person, _ in theirs if person))
        for position, (person, role) in enumerate(theirs):
            if person:
                row = (pk, person.pk, role, position, moments[pk])
                rows.setdefault((pk, person.pk, role), row)
    bulk.insert(
        Contribution,
        ("article_id", "contributor_id", "role", "position", "published_at"),
        list(rows.values()),
        conflicts="DO NOTHING",
    )
    return found


def _update(article: Article, draft: Draft, *, at: datetime) -> str:
    """A later version of an article we know. Held, erased and hand-edited ones are left as they are."""
    if article.state == ArticleState.ERASED or article.edited_at or article.source_id is None:
        return SKIPPED
    changes = {
        "headline": draft.headline[:300],
        "standfirst": draft.standfirst,
        "body": draft.body,
        "byline": draft.byline[:500],
        "dateline": draft.dateline[:120],
    }
    changes = cuts.obey(article, changes)
    if all(getattr(article, name) == value for name, value in changes.items()):
        return SKIPPED
    known = article.version
    # Locked before it is asked for holds: what is withheld or edited meanwhile is seen, or waits for us.
    if lock(article).version != known or Hold.objects.in_effect().filter(article=article).exists():
        return SKIPPED
    keep_revision(article=article, kind=RevisionKind.UPDATE, at=at, by=None)
    for name, value in changes.items():
        setattr(article, name, value)
    article.text_key, article.signature, article.compared_at = draft.text_key, draft.signature, None
    if changes["body"] != draft.body:  # something was cut out, and nothing of it is kept here either
        article.text_key, article.signature = cuts.known_by(changes["body"])["text_key"], None
    article.updated_at, article.version = at, article.version + 1
    article.save(update_fields=[*changes, "text_key", "signature", "updated_at", "version", "compared_at"])
    return UPDATED


@transaction.atomic
def complete_text(
    *, article_id: int, body: str, credits: Sequence[Credit], again: bool, at: datetime
) -> Article:
    """Give an article the whole text that its own page has, where the feed had the opening alone.

    Its people are credited when nobody was. `again` says that readers saw a former whole text: that is kept as a
    revision. Raises NotAllowed, and changes nothing, for what an editor wrote, was withheld or resembles
    something withheld, and for a text that is no longer than what is there.
    """
    article = Article.objects.select_for_update(no_key=True).get(pk=article_id)
    text = to_text(clean_html(body))
    draft = _completed(article, body, text, at=at)
    if article.state == ArticleState.ERASED or article.edited_at or article.source_id is None:
        raise NotAllowed("The article is edited or erased: it stays as it is.")
    if Hold.objects.in_effect().filter(article=article).exists() or _is_kept_out(article, draft):
        raise NotAllowed("The text is withheld, or resembles one that is.")
    body = cuts.obey(article, {"body": clean_html(body)})["body"]
    if not again and len(text) <= len(to_text(article.body)):
        raise NotAllowed("The page has no more text than the feed.")
    if body == article.body:
        return article
    if again:
        keep_revision(article=article, kind=RevisionKind.UPDATE, at=at, by=None)
        article.updated_at = at
    article.body, article.text_key, article.signature = body, draft.text_key, None
    article.version, article.compared_at = article.version + 1, None
    if credits and not article.contributions.exists():
        _add_credits([(article.pk, credits)], {article.pk: article.published_at or at})
        article.byline = article.byline or ", ".join(credit.name for credit in credits)[:500]
    names = ("body", "byline", "text_key", "signature", "version", "compared_at", "updated_at")
    article.save(update_fields=names)
    refresh(articles=[article])
    return article


def _completed(article: Article, body: str, text: str, *, at: datetime) -> Draft:
    """The article with its whole text, as far as that tells whether it is withheld."""
    return Draft(
        canonical_url=article.canonical_url,
        url_key=article.url_key or "",
        guid_key=article.guid_key,
        headline=article.headline,
        body=body,
        text_key=text_fingerprint(text) if is_telling(text) else "",
        title_day_key=article.title_day_key,
        published_at=at,
    )


def _is_kept_out(article: Article, draft: Draft) -> bool:
    return bool(keys_of_draft(article.source, draft) & _blocked_keys([draft]) or _near_withheld([draft]))


# --- editing ----------------------------------------------------------------------------------


def keep_revision(
    *, article: Article, kind: RevisionKind, at: datetime, by: User | None, note: str = ""
) -> Revision:
    """Keep the version that is stored now, before it is changed."""
    stored = Article.objects.values(*REVISED_FIELDS).get(pk=article.pk)
    last = article.revisions.aggregate(last=Max("number"))["last"] or 0
    return Revision.objects.create(
        article=article, number=last + 1, kind=kind, snapshot=stored, at=at, by=by, note=note
    )


def refresh(*, articles: Iterable[Article]) -> None:
    """What readers see of these articles changed: search rows and ready pages follow, in this transaction."""
    refresh_ids([article.pk for article in articles])


def refresh_ids(ids: Sequence[int]) -> None:
    """The same for articles by their keys."""
    if ids:
        search.index(ids)
        surfaces.changed(surfaces.keys_of(ids))


def lock(article: Article) -> Article:
    """The article's row is ours until the transaction ends; `state` and `version` are what is stored."""
    rows = Article.objects.select_for_update(no_key=True)
    article.state, article.version = rows.values_list("state", "version").get(pk=article.pk)
    return article


def record(*, article: Article, by: User | None, done: str) -> None:
    """Write into the desk's history who did what; never what the article says."""
    if by is not None:
        LogEntry.objects.create(
            user_id=by.pk,
            content_type=ContentType.objects.get_for_model(Article),
            object_id=str(article.pk),
            object_repr=str(article)[:200],
            action_flag=CHANGE,
            change_message=done,
        )


def _move(article: Article, to: ArticleState, *, by: User | None, done: str, **changes: Any) -> Article:
    """The only writer of an article's state, but for ingest and erase. A form opened before is stale by it."""
    before = {name: getattr(article, name) for name in ("state", *changes)}
    for name, value in changes.items():
        setattr(article, name, value)
    article.state, article.version = to, article.version + 1
    article.save(update_fields=["state", "version", *changes])
    record(article=article, by=by, done=done)
    note(article, by=by, changes={name: (old, getattr(article, name)) for name, old in before.items()})
    refresh(articles=[article])
    _tell_search_engines(article)
    hooks.moved(article, before=before["state"])
    return article


def _tell_search_engines(article: Article) -> None:
    """Our own journalism should be found as it stands; what a source wrote is found at the source."""
    if article.source_id is None and article.state in (ArticleState.PUBLISHED, ArticleState.RETRACTED):
        announcements.owe_pings([article])


@transaction.atomic
def approve(*, article: Article, by: User | None) -> Article:
    """An editor has read it: it may be published."""
    if lock(article).state not in (ArticleState.DRAFT, ArticleState.REVIEW):
        raise NotAllowed("Only a draft or an article in review can be approved.")
    return _move(article, ArticleState.APPROVED, by=by, done="Approved.")


@transaction.atomic
def publish(
    *, article: Article, at: datetime, by: User | None, embargo_until: datetime | None = None
) -> Article:
    """Make an article public now, or from `embargo_until` on."""
    if lock(article).state == ArticleState.ERASED:
        raise NotAllowed("An erased article cannot be published again.")
    published_at = embargo_until or article.published_at or at
    return _move(article, ArticleState.PUBLISHED, by=by, done="Published.", published_at=published_at)


@transaction.atomic
def retract(*, article: Article, at: datetime, by: User | None, note: str) -> Article:
    """We no longer stand by it: its page says so and its text goes from public view."""
    if lock(article).state != ArticleState.PUBLISHED:
        raise NotAllowed("Only a published article can be retracted.")
    if not note.strip():
        raise NotAllowed("A retraction needs a note that readers can read.")
    keep_revision(article=article, kind=RevisionKind.CORRECTION, at=at, by=by, note=note)
    return _move(article, ArticleState.RETRACTED, by=by, done="Retracted.", updated_at=at)


@transaction.atomic
def relate(*, article: Article, to: Sequence[Article], by: User | None) -> None:
    """Set the hand-chosen related articles, in this order."""
    article.related_links.filter(to_article__isnull=False).delete()
    RelatedLink.objects.bulk_create(
        RelatedLink(article=article, to_article=other, position=position)
        for position, other in enumerate(to)
        if other.pk != article.pk
    )
    surfaces.changed([f"article:{article.pk}"])


@transaction.atomic
def relate_one(*, article: Article, to: Article, by: User | None) -> RelatedLink:
    """Add one related article after those that were chosen before; twice it is one."""
    lock(article)
    if to.pk == article.pk:
        raise NotAllowed("An article is not related to itself.")
    last = article.related_links.aggregate(last=Max("position"))["last"]
    position = 0 if last is None else last + 1
    link, made = RelatedLink.objects.get_or_create(
        article=article, to_article=to, defaults={"position": position}
    )
    if made:
        record(article=article, by=by, done="Related link added.")
        surfaces.changed([f"article:{article.pk}"])
    return link


@transaction.atomic
def suspend_source(*, source: Source, at: datetime, by: User | None, reason: str) -> Source:
    """From `at` on nothing of this source is shown or fetched."""
    source.suspended_at, source.suspended_reason = at, reason
    source.save(update_fields=["suspended_at", "suspended_reason"])
    surfaces.changed([surfaces.SITE])
    return source


@transaction.atomic
def release_source(*, source: Source) -> Source:
    """What is public of this source is shown and fetched again."""
    source.suspended_at, source.suspended_reason = None, ""
    source.save(update_fields=["suspended_at", "suspended_reason"])
    surfaces.changed([surfaces.SITE])
    return source


_LIMITS = ("terms", "terms_url", "terms_recorded_on", "suspended_at", "suspended_reason")


@transaction.atomic
def limit_as(*, source: Source, other: Source) -> Source:
    """Let a new outlet begin with the terms and the suspension of another, and show no more than that or any new one.

    Full text is not passed on: who allowed it spoke for one outlet. What its site signals is read with its first fetch.
    """
    for name in _LIMITS:
        setattr(source, name, getattr(other, name))
    source.usage = min(source.usage, other.usage, key=UsagePolicy.values.index)
    source.excerpt_words = min(source.excerpt_words, other.excerpt_words)
    source.save(update_fields=[*_LIMITS, "usage", "excerpt_words"])
    note(source, by=None, changes={"limited as": ("", f"{other} ({other.domain})")})
    return source


def is_blocked(*, article: Article) -> bool:
    """Is this a withheld work coming in again by any of its keys, or one that its owner opted out of?"""
    if _is_ruled_out(article):
        return True
    keys = {(kind.value, key) for kind, key in keys_of_article(article)}
    rows = BlockedWork.objects.filter(key__in=[key for _, key in keys], hold__in=Hold.objects.in_effect())
    return bool(keys & set(rows.exclude(article_id=article.pk).values_list("kind", "key")))


def _is_ruled_out(article: Article) -> bool:
    source_domain = article.source.domain if article.source else ""
    rules = rules_of({source_domain, domain_of(article.canonical_url)})
    if not rules:
        return False
    authors = article.contributions.values_list("contributor__name_key", flat=True) if article.pk else ()
    names = all_spellings(set(authors))
    rule = covering(rules, source_domain=source_domain, url=article.canonical_url, authors=names)
    return rule is not None


def identify(article: Article) -> Article:
    """Compute the keys by which this article's work is known, from what it says now."""
    article.url_key = address_key(article.canonical_url) if article.canonical_url else None
    article.text_key = text_fingerprint(to_text(article.body)) if article.body else ""
    article.signature = None
    if article.source and article.published_at:
        article.title_day_key = title_day_key(
            article.source.slug, article.headline, article.published_at.date()
        )
    return article


@transaction.atomic
def save_edit(*, article: Article, at: datetime, by: User | None, correction: str = "") -> Article:
    """Store what an editor wrote, keeping the version before. `refresh` follows when its rows are stored too.

    With a `correction` readers are told so, in these words. A new slug leaves the old address leading here.
    """
    if article.pk:
        kind = RevisionKind.CORRECTION if correction else RevisionKind.EDIT
        keep_revision(article=article, kind=kind, at=at, by=by, note=correction)
        if correction:
            hooks.owe(HookEvent.CORRECTED, {article.pk: at})
        _keep_address(article)
        _note_facts(article, by)
        article.version += 1
        article.updated_at = at if article.state == ArticleState.PUBLISHED else article.updated_at
    else:
        article.created_by = by
    cuts.obey_edit(article)
    article.edited_at, article.compared_at = at, None
    article.slug = article.slug or slug_for(article.headline, new_token())
    identify(article).save()
    illustrations.place(article)
    hooks.rescheduled(article)
    _tell_search_engines(article)
    return article


@contextmanager
def changing_rows(article: Article) -> Iterator[None]:
    """Around what is stored beside an edited article (tags, credits, links): readers' pages follow, and what an
    owner had removed of it stays away."""
    before = surfaces.keys_of([article.pk])
    yield
    cuts.obey_credits(article)
    refresh(articles=[article])
    surfaces.changed(before)


@transaction.atomic
def credit(*, article: Article, credits: Sequence[Credit]) -> None:
    """Name these people, in this order, and nobody else. Inside `changing_rows`."""
    article.contributions.all().delete()
    _add_credits([(article.pk, credits)], {article.pk: article.published_at})


def _note_facts(article: Article, by: User | None) -> None:
    """What an editor set beside the words."""
    stored = Article.objects.values(*NOTED).get(pk=article.pk)
    note(article, by=by, changes={name: (old, getattr(article, name)) for name, old in stored.items()})


def _keep_address(article: Article) -> None:
    """Where it stood before, while it has an address at all: that one leads to the new one for ever."""
    before = Article.objects.values_list("slug", flat=True).get(pk=article.pk)
    if article.slug and before != article.slug:
        SlugRedirect.objects.update_or_create(slug=before, defaults={"article": article})
        SlugRedirect.objects.filter(slug=article.slug, article=article).delete()


@transaction.atomic
def set_aside(*, article: Article, to: ArticleState, by: User | None) -> Article:
    """Send an article to draft or to review, away from readers where they had it."""
    if lock(article).state == ArticleState.ERASED or to not in (ArticleState.DRAFT, ArticleState.REVIEW):
        raise NotAllowed("Only an article that was not erased can go back to draft or review.")
    return _move(article, to, by=by, done=f"To {to.label.lower()}.")


@transaction.atomic
def restore(*, article: Article, revision: Revision, at: datetime, by: User | None) -> Article:
    """Make an earlier version the text again. What stands now is kept as a version before it."""
    if lock(article).state == ArticleState.ERASED or revision.article_id != article.pk:
        raise NotAllowed("This is no version of an article that could be restored.")
    for name in REVISED_FIELDS:
        setattr(article, name, revision.snapshot.get(name, getattr(article, name)))
    article.body = clean_html(article.body)
    if is_blocked(article=identify(article)):
        raise NotAllowed("This text was removed at its owner's request. It cannot come back.")
    save_edit(article=article, at=at, by=by)
    cuts.obey_credits(article)
    record(article=article, by=by, done=f"Restored version {revision.number}.")
    refresh(articles=[article])
    return article


# --- withholding ------------------------------------------------------------------------------


@transaction.atomic
def place_hold(
    *,
    article: Article,
    kind: HoldKind,
    reference: str,
    effective_at: datetime,
    at: datetime,
    by: User | None,
    note: str = "",
    other_keys: Iterable[tuple[BlockKind, str]] = (),
) -> Hold:
    """Withhold an article from `effective_at` on. Placed twice under one reference it is one hold.

    A second call can only bring the moment forward: a deadline never moves to later. A legal hold
    also blocks the work from coming in again under another address, identifier or copy.
    """
    # The article's row is the queue in which those wait who withhold it at the same moment.
    Article.objects.select_for_update(no_key=True).filter(pk=article.pk).first()
    hold = Hold.objects.select_for_update().standing().filter(article=article, reference=reference).first()
    if hold is None:
        hold = Hold.objects.create(
            article=article, kind=kind, reference=reference, effective_at=effective_at, placed_at=at,
            placed_by=by, note=note,
        )  # fmt: skip
    elif effective_at < hold.effective_at:
        hold.effective_at, hold.placed_by = effective_at, by or hold.placed_by
        hold.save(update_fields=["effective_at", "placed_by"])
    if kind == HoldKind.LEGAL:
        wording = [(BlockKind.WORDING, key) for key in sorted(_wording_of(article))]
        block(hold=hold, keys=[*keys_of_article(article), *wording, *other_keys])
    surfaces.changed(surfaces.keys_of([article.pk]), reference=reference)
    hooks.owe(HookEvent.REMOVED, {article.pk: max(at, hold.effective_at)})
    if effective_at <= at:
        announcements.owe_pings([article], reference)
    return hold


@transaction.atomic
def place_holds(
    *,
    wanted: Iterable[tuple[Article, str, datetime]],
    kind: HoldKind,
    at: datetime,
    by: User | None,
    note: str = "",
) -> dict[int, Hold]:
    """place_hold for many articles, each with its reference and moment, for the price of a few statements.

    Returns the holds by the articles' keys.
    """
    placed: dict[int, Hold] = {}
    ordered = sorted(wanted, key=lambda one: one[0].pk)
    for start in range(0, len(ordered), HOLDS_AT_ONCE):
        placed |= _place_some(ordered[start : start + HOLDS_AT_ONCE], kind=kind, at=at, by=by, note=note)
    surfaces.changed(surfaces.keys_of(list(placed)))
    announcements.owe_pings([article for article, _, effective_at in ordered if effective_at <= at])
    hooks.owe(HookEvent.REMOVED, {pk: max(at, hold.effective_at) for pk, hold in placed.items()})
    return placed


def _place_some(
    wanted: Sequence[tuple[Article, str, datetime]],
    *,
    kind: HoldKind,
    at: datetime,
    by: User | None,
    note: str,
) -> dict[int, Hold]:
    pks = [article.pk for article, _, _ in wanted]
    # In the order of their keys, so that two who withhold some of the same wait for each other and never in a ring.
    stored = {
        article.pk: article
        for article in Article.objects.select_for_update(no_key=True, of=("self",))
        .filter(pk__in=pks)
        .select_related("lead_media")
        .only(*RECOGNISED_BY)
        .order_by("pk")
    }
    standing = {
        (hold.article_id, hold.reference): hold
        for hold in Hold.objects.select_for_update().standing().filter(article__in=pks)
    }
    placed, new, sooner = {}, [], []
    for article, reference, effective_at in wanted:
        hold = standing.get((article.pk, reference))
        if hold is None:
            hold = Hold(
                article=article, kind=kind, reference=reference, effective_at=effective_at, placed_at=at,
                placed_by=by, note=note,
            )  # fmt: skip
            new.append(hold)
        elif effective_at < hold.effective_at:
            hold.effective_at, hold.placed_by = effective_at, by or hold.placed_by
            sooner.append(hold)
        placed[article.pk] = hold
    Hold.objects.bulk_create(new)
    Hold.objects.bulk_update(sooner, ["effective_at", "placed_by"])
    if kind == HoldKind.LEGAL:
        _block_many(placed, stored)
    return placed


def _block_many(placed: Mapping[int, Hold], stored: Mapping[int, Article]) -> None:
    """Twenty rows for an article, so for a long notice hundreds of thousands: without an instance for each."""
    rows = [
        (hold.pk, pk, kind.value, key)
        for pk, hold in placed.items()
        for kind, key in [
            *keys_of_article(stored[pk]),
            *((BlockKind.WORDING, key) for key in sorted(_wording_of(stored[pk]))),
        ]
    ]
    bulk.insert(BlockedWork, ["hold_id", "article_id", "kind", "key"], rows, conflicts="DO NOTHING")


@transaction.atomic
def release_hold(*, hold: Hold, at: datetime, by: User | None) -> Hold:
    """Lift one hold; the article shows again when no other stands. Byte for byte: nothing was changed."""
    hold = Hold.objects.select_for_update().get(pk=hold.pk)
    if hold.released_at is None:
        hold.released_at, hold.released_by = at, by
        hold.save(update_fields=["released_at", "released_by"])
        search.index([hold.article_id])
        surfaces.changed(surfaces.keys_of([hold.article_id]))
        announcements.owe_pings([hold.article])
        if hold.effective_at <= at:
            hooks.owe(HookEvent.PUBLISHED, {hold.article_id: at})
    return hold


def keys_of_article(article: Article) -> list[tuple[BlockKind, str]]:
    """The keys by which this article's work would be recognised if it came again."""
    keys = [
        (BlockKind.ADDRESS, article.url_key or ""),
        (BlockKind.GUID, article.guid_key),
        (BlockKind.TEXT, article.text_key),
        (BlockKind.TITLE_DAY, article.title_day_key),
    ]
    if article.lead_media_id and article.lead_media:
        keys.append((BlockKind.PICTURE, article.lead_media.sha256))
    if tokens := illustrations.in_text(article.body):
        placed = Illustration.objects.filter(article=article.pk, media__token__in=tokens)
        keys += [(BlockKind.PICTURE, digest) for digest in placed.values_list("media__sha256", flat=True)]
    return [(kind, key) for kind, key in dict.fromkeys(keys) if key]


def block(*, hold: Hold, keys: Iterable[tuple[BlockKind, str]]) -> None:
    """Remember by which keys the held work is recognised, for as long as the hold stands."""
    BlockedWork.objects.bulk_create(
        [BlockedWork(hold=hold, article_id=hold.article_id, kind=kind, key=key) for kind, key in keys],
        ignore_conflicts=True,
    )


_WORDS = (
    "headline", "standfirst", "body", "byline", "dateline", "canonical_url", "copyright_holder", "usage_terms",
    "licence_url",
)  # fmt: skip


@transaction.atomic
def erase(*, article: Article, at: datetime) -> Article:
    """Destroy what the article said, for good. The row stays as a tombstone that blocks its return.

    Only under a hold in effect. Text, credits, tags, revisions, search row, ready pages and pictures
    that nothing else shows are gone when this commits (files right after it).
    """
    article = Article.objects.select_for_update().get(pk=article.pk)
    if not Hold.objects.in_effect().filter(article=article).exists():
        raise NotAllowed("Only an article under a hold in effect can be erased.")
    keys = surfaces.keys_of([article.pk])
    pictures = illustrations.own_of(article)
    article.revisions.all().delete()
    history.blank(history.quoting(article).values_list("pk", flat=True), named=f"article {article.pk}")
    _erase_names(article)
    _erase_from_story(article)
    unsaved.forget(subject=f"article:{article.pk}")
    FrontPin.objects.filter(article=article).delete()
    article.notes.all().delete()
    ReadCount.objects.filter(article=article).delete()
    article.related_links.all().delete()
    article.related_from.all().delete()
    TaggedArticle.objects.filter(content_object=article).delete()
    article.illustrations.all().delete()
    tombstone = dict.fromkeys(_WORDS, "") | {
        "lead_media": None, "signature": None, "copy_of": None, "story": None,
        "state": ArticleState.ERASED, "updated_at": at, "version": F("version") + 1,
    }  # fmt: skip
    for name, value in tombstone.items():
        setattr(article, name, value)
    # Its keys stay and are not written again: another copy of the work, withheld as well, would keep this one out.
    article.save(update_fields=tombstone)
    for media in pictures:
        delete_picture(media)
    search.remove([article.pk])
    fts.forget()
    stories.forget(article.pk)
    surfaces.changed(keys)
    article.refresh_from_db()
    return article


def _erase_names(article: Article) -> None:
    """The credits, and the people of whom nothing else is here."""
    people = list(article.contributions.values_list("contributor_id", flat=True))
    article.contributions.all().delete()
    Contributor.objects.filter(pk__in=people, contributions__isnull=True).delete()


def _erase_from_story(article: Article) -> None:
    """Out of its story, which may not keep its words: another article's take their place, or it goes as well."""
    story, article.story = article.story, None
    if story is None:
        return
    Article.objects.filter(pk=article.pk).update(story=None)
    other = story.articles.exclude(state=ArticleState.ERASED).order_by("published_at", "pk").first()
    if other is None:
        story.delete()
    elif article.headline and story.headline == article.headline:
        story.headline, story.standfirst = other.headline, ""
        story.slug = slug_for(other.headline, new_token())
        story.save(update_fields=["headline", "standfirst", "slug"])

"""Public addresses: the register of them, and their ready bytes.

Every public page is a registered surface. What it shows it declares (`shows`), and its bytes are
stored as a row with those keys. A change names the keys it touches (`changed`) in its own
transaction and so deletes every row that would be wrong after it. A renderer that began before a
change cannot store what it made (`store` compares serials under the lock each change takes).
docs/decisions/ready-pages.md tells why.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache, wraps
from typing import Any, NamedTuple
from urllib.parse import unquote_plus

import brotli
from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from articles import announcements, bulk, fragments, listed, page_files
from articles.models import (
    Article,
    Contribution,
    Fragment,
    Hold,
    ReadyPage,
    SurfaceChange,
    SurfaceSerial,
    TaggedArticle,
)
from articles.plans import run_as
from articles.statements import ask
from articles.visibility import CLOCK, moment_of

View = Callable[..., HttpResponse]
Locate = Callable[[Article], Iterable[str]]

ARTICLE = "article:"
LATEST = "list:latest"
SEARCH = "search"
FRONT = "front"
SITE = "site"
LISTS = ("list:", "tag:", "source:", "contributor:", "story:")

# So many articles stand in one part of the sitemap; no part is rebuilt when another grows.
PER_PART = 5_000

# Where a view leaves, in the WSGI environment, what its answer shows; the layer before Django stores it.
DECLARED = "newsroom.surface"
LONGEST_PATH = 400
# Beyond so many articles on one page the boundary is asked of all articles: simpler, and never later.
MANY = 500
# A renderer slower than this stores nothing, so older changes need not be remembered.
SLOWEST_RENDERER = timedelta(minutes=10)
CHANGES_KEPT = timedelta(hours=1)
PAGES_KEPT = timedelta(days=7)
# How long a reader's request may wait for another writer before it leaves a row unwritten.
PATIENCE_MS = 40


@dataclass(frozen=True, slots=True)
class Surface:
    """A kind of public address: its name, and where on it an article can be met."""

    name: str
    locate: Locate


REGISTER: dict[str, Surface] = {}


@dataclass(frozen=True, slots=True)
class Moment:
    """When a renderer began: the number of the last change by then, and the database's time."""

    serial: int
    at: datetime


@dataclass(slots=True)
class Shown:
    """What one response depends on, and whether anybody else may get the same bytes."""

    began: Moment
    keys: set[str] = field(default_factory=set)
    article_ids: set[int] = field(default_factory=set)
    fragments: list[fragments.Made] = field(default_factory=list)
    storable: bool = False
    until: datetime | None = None
    valid_until: datetime | None = None


class Ready(NamedTuple):
    """A stored answer. `body` is None when the visitor has it already (or asked for the head alone)."""

    etag: str
    headers: str
    encoding: str
    length: int
    body: bytes | None
    matched: bool = False


@dataclass(frozen=True, slots=True)
class Packed:
    """One answer in the forms in which it is kept and sent."""

    etag: str
    gzip: bytes
    br: bytes


# --- registering ------------------------------------------------------------------------------


def shows(
    request: HttpRequest,
    *,
    articles: Iterable[Article] = (),
    keys: Iterable[str] = (),
    until: datetime | None = None,
    considered: Iterable[Article] = (),
) -> None:
    """Declare what the response to `request` shows: articles, and lists such as `tag:7` or LATEST.

    `until` is a moment at which it is no longer right that neither articles nor pictures tell. Fragments made
    for these articles, and for those that were `considered` and are not shown, are stored with the page.
    """
    shown: Shown = request.surface  # type: ignore[attr-defined]
    articles = list(articles)
    for article in {article.id: article for article in (*articles, *considered)}.values():
        shown.fragments += article.__dict__.get("made", ())
    ids = {article.id for article in articles}
    shown.article_ids |= ids
    shown.keys.update(f"article:{pk}" for pk in ids)
    shown.keys.update(keys)
    shown.until = min(filter(None, (shown.until, until)), default=None)


def surface(
    name: str,
    *,
    locate: Locate,
    store: bool = True,
    forms: bool = False,
    reads: Collection[str] | None = (),
) -> Callable[[View], View]:
    """Register a view as a public surface and keep its bytes ready. `store=False` only registers.

    `forms`: it takes what is sent to it; any other answers 405 to a POST.
    `reads` names the parameters of the address that a stored view reads. No other reaches it, so whatever is
    added to its address is answered with the page that lies ready. None: all of them do.

    `locate(article)` yields the paths under which the article can be met on this surface; a removal
    is proved by fetching them.
    """

    def decorate(view: View) -> View:
        REGISTER[name] = Surface(name, locate)

        @wraps(view)
        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            shown = Shown(began=begin())
            request.surface = shown  # type: ignore[attr-defined]
            request.META["QUERY_STRING"] = as_read(answer, request.META.get("QUERY_STRING", ""))
            request.__dict__.pop("GET", None)
            return _finish(request, view(request, *args, **kwargs), store=store)

        answer.surface_name = name  # type: ignore[attr-defined]
        answer.surface_is_stored = store  # type: ignore[attr-defined]
        answer.reads = reads if store else None  # type: ignore[attr-defined]
        return answer if forms else only_read(answer)

    return decorate


def only_read(view: View) -> View:
    """Marks a view to which nothing is sent, so that it answers 405 whoever sends something."""
    view.is_only_read = True  # type: ignore[attr-defined]
    return view


def as_read(view: View | None, query: str) -> str:
    """Of a query the parameters that the view reads and that say something."""
    reads: Collection[str] | None = getattr(view, "reads", None)
    if reads is None or not query:
        return query
    parts = (part.partition("=") for part in query.split("&")) if reads else ()
    return "&".join(f"{name}={value}" for name, _, value in parts if value and unquote_plus(name) in reads)


def _finish(request: HttpRequest, response: HttpResponse, *, store: bool) -> HttpResponse:
    response.headers.setdefault("Cache-Control", "no-cache")
    if response.status_code == 200 and not response.streaming:
        patch_vary_headers(response, ["Accept-Encoding"])
        response.headers["ETag"] = f'"{fingerprint(response.content)}"'
        shown: Shown = request.surface  # type: ignore[attr-defined]
        shown.storable = store and not _is_personal(request, response)
        if shown.storable:
            shown.valid_until = min(filter(None, (next_boundary(shown), shown.until)), default=None)
        if shown.valid_until:
            # For copies that cannot ask us, such as those a reader keeps to read offline.
            response.headers["X-Valid-Until"] = shown.valid_until.astimezone(UTC).isoformat(
                timespec="seconds"
            )
        request.META[DECLARED] = shown
    return response


def _is_personal(request: HttpRequest, response: HttpResponse) -> bool:
    """True when the answer may differ from visitor to visitor; such bytes are never stored."""
    session = getattr(request, "session", None)
    return bool(
        request.method != "GET"
        or request.META.get("QUERY_STRING")
        or settings.SESSION_COOKIE_NAME in request.COOKIES
        or (session is not None and session.accessed)
        or request.META.get("CSRF_COOKIE_NEEDS_UPDATE")
        or response.cookies
        or {name.strip().lower() for name in response.headers["Vary"].split(",")} != {"accept-encoding"}
    )


def fingerprint(body: bytes) -> str:
    """What an entity tag is made of."""
    return hashlib.sha256(body).hexdigest()[:32]


# --- serving ----------------------------------------------------------------------------------

_FIND = {"sqlite": "INSTR(%s, {needle}) > 0", "postgresql": "POSITION({needle} IN %s) > 0"}
_TEXT = {"sqlite": "headers", "postgresql": "headers::text"}
_READY: dict[tuple[str, str, bool, str], str] = {}


def _ready_sql(vendor: str, encoding: str, head: bool, condition: str = "") -> str:
    body = "body_br" if encoding == "br" else "body_gzip"
    tag = f"'\"' || etag || '{tag_suffix(encoding)}\"'"
    matched = _FIND[vendor].format(needle=tag)
    wanted = "NULL" if head else f"CASE WHEN {matched} THEN NULL ELSE {body} END"
    sql = (
        f"SELECT etag, {_TEXT[vendor]}, LENGTH({body}), {matched}, {wanted} FROM articles_readypage"  # noqa: S608
        f" WHERE path = %s AND build = %s AND (valid_until IS NULL OR valid_until > {CLOCK[vendor]})"
        " AND serial >= (SELECT site FROM articles_surfaceserial WHERE id = 1)"
    )
    sql += f" AND {condition}" if condition else ""
    return sql.replace("%s", "?") if vendor == "sqlite" else sql


def tag_suffix(encoding: str) -> str:
    """Each encoding of a page is its own representation, with its own strong entity tag."""
    return f"-{encoding}" if encoding else ""


def ready(
    path: str,
    *,
    database: BaseDatabaseWrapper,
    build: str,
    encoding: str,
    if_none_match: str,
    head: bool,
    condition: str = "",
    parameters: Sequence[Any] = (),
) -> Ready | None:
    """The stored answer for a path, as good as one made now; one SELECT, checked by the database's clock.

    `condition` is SQL that must hold besides, with `parameters`.

    The driver is asked directly: Django's cursor would cost as much again as the query.
    """
    database.ensure_connection()
    key = (database.vendor, encoding, head and bool(encoding), condition)
    sql = _READY.get(key) or _READY.setdefault(key, _ready_sql(*key))
    with database.wrap_database_errors, closing(database.connection.cursor()) as cursor:
        cursor.execute(
            run_as(sql, database), [if_none_match] * (sql.count("etag ||")) + [path, build, *parameters]
        )
        # All rows, not one: an unfinished SELECT would hold SQLite's snapshot and hide later changes.
        rows = cursor.fetchall()
    if not rows:
        return None
    etag, headers, length, matched, body = rows[0]
    if body is not None and not encoding:
        body = gzip.decompress(body)
        length = len(body)
    return Ready(etag, headers, encoding, length, None if body is None else bytes(body), bool(matched))


# --- changing ---------------------------------------------------------------------------------


def latch() -> None:
    """Write down which holds have come into effect, so that no clock set back undoes them.

    One indexed EXISTS when there is nothing to write. While another transaction writes it is left to
    the next caller: the public query hides a hold in effect, written down or not.
    """
    if Hold.objects.unlatched().exists():
        briefly(_latch, durable=True)


def _latch() -> bool:
    due = dict(Hold.objects.unlatched().values_list("pk", "article_id"))
    Hold.objects.filter(pk__in=due, latched_at__isnull=True).update(latched_at=Now())
    changed(keys_of(list(due.values())))
    return True


def begin() -> Moment:
    """The moment a renderer begins; holds that have come into effect by then are written down first."""
    moment, unlatched = _now()
    if not unlatched:
        return moment
    latch()
    return now()


def now() -> Moment:
    """The number of the last change to anything public, and the database's time."""
    return _now()[0]


def _now() -> tuple[Moment, bool]:
    clock = CLOCK[connection.vendor].replace("%", "%%")
    ((serial, at, unlatched),) = ask(
        f"SELECT s.serial, {clock}, EXISTS(SELECT 1 FROM articles_hold WHERE released_at IS NULL"  # noqa: S608
        f" AND latched_at IS NULL AND effective_at <= {clock}) FROM articles_surfaceserial s WHERE s.id = 1",
        planned=True,
    )
    return Moment(serial, moment_of(at)), bool(unlatched)


def keys_of(article_ids: Sequence[int]) -> set[str]:
    """Every key a page that shows one of these articles, or a list they belong to, may depend on."""
    return {f"article:{pk}" for pk in article_ids} | lists_of(article_ids)


def lists_of(article_ids: Sequence[int]) -> set[str]:
    """The keys of the lists these articles belong to: enough where the articles themselves are new."""
    if not article_ids:
        return set()
    keys = {LATEST, *(part_of_sitemap(pk) for pk in article_ids)}
    for source, story in (
        Article.objects.filter(pk__in=article_ids).values_list("source_id", "story_id").distinct()
    ):
        keys.update([f"source:{source}"] if source else [])
        keys.update([f"story:{story}"] if story else [])
    tags = TaggedArticle.objects.filter(content_object__in=article_ids).values_list("tag_id", flat=True)
    people = Contribution.objects.filter(article__in=article_ids).values_list("contributor_id", flat=True)
    keys.update(f"tag:{pk}" for pk in tags.distinct())
    keys.update(f"contributor:{pk}" for pk in people.order_by().distinct())
    return keys


def part_of_sitemap(article_id: int) -> str:
    """The key of the sitemap's part that lists this article: n stands in part n // PER_PART for ever."""
    return f"list:sitemap:{article_id // PER_PART}"


def changed(keys: Iterable[str], *, reference: str = "") -> None:
    """Delete every ready page that depends on one of `keys`, in the caller's transaction.

    A shared cache, where there is one, is told the same; `reference` names the hold or cut that waits for that.

    SITE means all pages, at the price of one row. Call it last in a transaction: the lock it takes
    makes changes queue until the commit. Six statements for any number of keys.
    """
    wanted = sorted(set(keys))
    if not wanted:
        return
    if not connection.in_atomic_block:
        raise RuntimeError("surfaces.changed() belongs into the transaction of the change")
    site = "serial + 1" if SITE in wanted else "site"
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE articles_surfaceserial SET serial = serial + 1, site = {site} WHERE id = 1 RETURNING files"  # noqa: S608
        )
        _own_files(*cursor.fetchone())
        named = [key for key in wanted if key != SITE]
        if named:
            _delete_pages(cursor, named)
    if SITE in wanted:
        page_files.take_back_all()
    announcements.owe_purge(wanted, reference)
    announcements.owe_news(wanted)


def _delete_pages(cursor: Any, keys: list[str]) -> None:
    now = CLOCK[connection.vendor].replace("%", "%%")
    cursor.execute(
        "INSERT INTO articles_surfacechange (key, serial, at)"  # noqa: S608
        f" SELECT changed.value, s.serial, {now} FROM {listed.table('changed')}, articles_surfaceserial s"
        " WHERE s.id = 1"
        " ON CONFLICT (key) DO UPDATE SET serial = excluded.serial, at = excluded.at",
        [listed.parameter(keys)],
    )
    ids = [int(key.removeprefix(ARTICLE)) for key in keys if key.startswith(ARTICLE)]
    if ids:
        _delete(cursor, "fragment", "article_id", ids)
    touched = f"SELECT DISTINCT page_id FROM articles_readypagekey WHERE {listed.one_of('key')}"  # noqa: S608
    cursor.execute(touched, [listed.parameter(keys)])
    _delete_rows(cursor, [path for (path,) in cursor.fetchall()])


def _own_files(mark: str | None) -> None:
    """Whoever changes something public must be able to take its files back."""
    if mark and mark != page_files.mark():
        raise page_files.NotOurFolder(
            "Pages are published as files in a folder this process was not given. Set PAGES_DIR as the site has it."
        )


def _delete_rows(cursor: Any, paths: list[str]) -> None:
    if paths:
        page_files.take_back(paths)
        _delete(cursor, "readypagekey", "page_id", paths)
        _delete(cursor, "readypage", "path", paths)


def _delete(cursor: Any, table: str, column: str, values: Sequence[Any]) -> None:
    given = [listed.parameter(values)]
    cursor.execute(f"DELETE FROM articles_{table} WHERE {listed.one_of(column)}", given)  # noqa: S608


# --- storing ----------------------------------------------------------------------------------


def pack(body: bytes, etag: str) -> Packed:
    """An answer's body made ready to keep: pressed so hard as is worth it for bytes that may never be asked for again.

    Of a page of 14 KB brotli's fifth level makes 3.5 KB in 0.22 ms, its third 4.0 in 0.12, and many a line is slow;
    gzip's sixth level costs a quarter more than its fourth for a fiftieth less.
    """
    # A window of 64 KB: a larger one finds nothing more in a page, and its tables cost as much as the work.
    return Packed(etag, gzip.compress(body, 4, mtime=0), bytes(brotli.compress(body, quality=5, lgwin=16)))


def store(path: str, *, build: str, headers: Mapping[str, str], packed: Packed, shown: Shown) -> bool:
    """Keep an answer, unless a change overtook its renderer. False when it was not kept.

    Under the lock that every change takes: what began before a change was committed either sees the
    change's number here, or is deleted by the change itself. A busy database is not waited for.
    """
    if len(path) > LONGEST_PATH or "\x00" in path:
        return False
    return briefly(lambda: _is_current(shown) and _write(path, build, headers, packed, shown), durable=False)


def keep(shown: Shown) -> bool:
    """Store the fragments that were made, as `store` does with a page."""
    return briefly(lambda: _is_current(shown) and _write_fragments(shown), durable=False)


def _is_current(shown: Shown) -> bool:
    """Takes the lock of changes. True when nothing shown has changed since its renderer began."""
    began, clock = shown.began, CLOCK[connection.vendor].replace("%", "%%")
    lock = " FOR UPDATE" if connection.vendor == "postgresql" else ""
    row = f"SELECT serial, site, {clock} FROM articles_surfaceserial WHERE id = 1{lock}"  # noqa: S608
    ((serial, site, at),) = ask(row, planned=True)
    if serial == began.serial:
        return True
    if site > began.serial or moment_of(at) - began.at > SLOWEST_RENDERER:
        return False
    keys = shown.keys | {f"{ARTICLE}{made.article_id}" for made in shown.fragments}
    return not ask(
        f"SELECT 1 FROM articles_surfacechange WHERE serial > %s AND {listed.one_of('key')} LIMIT 1",  # noqa: S608
        [began.serial, listed.parameter(sorted(keys))],
        planned=True,
    )


def _write(path: str, build: str, headers: Mapping[str, str], packed: Packed, shown: Shown) -> bool:
    serial, until = shown.began.serial, connection.ops.adapt_datetimefield_value(shown.valid_until)
    page = [path, packed.etag, json.dumps(dict(headers)), packed.gzip, packed.br, build, serial, until]
    page_files.take_back([path])
    ask("DELETE FROM articles_readypagekey WHERE page_id = %s", [path], planned=True)
    ask(_PAGE, page, planned=True)
    ask(
        f"INSERT INTO articles_readypagekey (page_id, key) SELECT %s, value FROM {listed.table('declared')}",  # noqa: S608
        [path, listed.parameter(sorted(shown.keys))],
        planned=True,
    )
    return _write_fragments(shown)


def _again(*columns: str) -> str:
    """What a row that is there already takes from the new one."""
    return ", ".join(f"{column} = excluded.{column}" for column in (*columns, "stored_at"))


_OF_PAGE = ("path", "etag", "headers", "body_gzip", "body_br", "build", "serial", "valid_until")
_PAGE = (
    f"INSERT INTO articles_readypage ({', '.join(_OF_PAGE)}) VALUES ({', '.join(['%s'] * len(_OF_PAGE))})"  # noqa: S608
    f" ON CONFLICT (path) DO UPDATE SET {_again(*_OF_PAGE[1:])}"
)


def _write_fragments(shown: Shown) -> bool:
    if not shown.fragments:
        return True
    columns = ("article_id", "kind", "language", "text", "build", "serial", "valid_until")
    build, serial = fragments.build(), shown.began.serial
    rows = [
        (made.article_id, made.kind, made.language, made.text, build, serial, made.until)
        for made in shown.fragments
    ]
    again = f"(article_id, kind, language) DO UPDATE SET {_again(*columns[3:])}"
    bulk.insert(Fragment, columns, rows, conflicts=again)
    return True


def next_boundary(shown: Shown) -> datetime | None:
    """The first moment at which what is shown may no longer be right, by the rows' own times.

    Counted from the renderer's beginning: what came into effect while it worked counts as well.
    """
    began = connection.ops.adapt_datetimefield_value(shown.began.at)
    lists = any(key.startswith(LISTS) for key in shown.keys)
    # A list that names no article (of people, of tags) may depend on any.
    of_all = len(shown.article_ids) > MANY or (lists and not shown.article_ids)
    ids = [] if of_all else [listed.parameter(sorted(shown.article_ids))]
    parameters = [began, *ids] * len(_BOUNDARIES) + [began] * lists
    rows = ask(_boundaries(connection.vendor, lists, of_all), parameters, planned=True)
    moments = [moment_of(at) for (at,) in rows if at is not None]
    return min(moments, default=None)


@lru_cache
def _boundaries(vendor: str, lists: bool, of_all: bool) -> str:
    """The SQL of `next_boundary`; `vendor` is there for the memory alone."""
    parts = [part + ("" if of_all else f" AND {listed.one_of(column)}") for part, column in _BOUNDARIES]
    embargo = "SELECT MIN(published_at) FROM articles_article WHERE state = 'published' AND published_at > %s"
    return " UNION ALL ".join([*parts, *([embargo] if lists else [])])


_BOUNDARIES = (
    (
        "SELECT MIN(effective_at) FROM articles_hold WHERE released_at IS NULL AND effective_at > %s",
        "article_id",
    ),
    ("SELECT MIN(expires_at) FROM articles_article WHERE expires_at > %s", "id"),
    (
        "SELECT MIN(s.suspended_at) FROM articles_source s JOIN articles_article a ON a.source_id = s.id"
        " WHERE s.suspended_at > %s",
        "a.id",
    ),
    (
        "SELECT MIN(m.terms_expire_at) FROM articles_media m JOIN articles_article a ON a.lead_media_id = m.id"
        " WHERE m.terms_expire_at > %s",
        "a.id",
    ),
    (
        "SELECT MIN(m.terms_expire_at) FROM articles_media m JOIN articles_illustration i ON i.media_id = m.id"
        " WHERE m.terms_expire_at > %s",
        "i.article_id",
    ),
)


def briefly(write: Callable[[], bool], *, durable: bool) -> bool:
    """Run `write` in a transaction that gives up rather than keep a reader waiting. False when it gave up.

    What can be made again (`durable=False`) need not have reached the disk at the commit.
    """
    if connection.in_atomic_block:
        return write()
    try:
        with _impatient(durable), transaction.atomic():
            if connection.vendor == "postgresql":
                _set_local(
                    lock_timeout=f"{PATIENCE_MS}ms", **({} if durable else {"synchronous_commit": "off"})
                )
            return write()
    except OperationalError:
        return False


def _set_local(**values: str) -> None:
    told = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in values.items())
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {told}")


@contextmanager
def _impatient(durable: bool) -> Iterator[None]:
    """SQLite waits less for its lock, and not for the disk; elsewhere nothing."""
    connection.ensure_connection()
    if connection.vendor != "sqlite":
        yield
        return
    # By the driver, and all at once: a cursor of Django's costs more than the answer.
    say, timeout = connection.connection.executescript, connection.settings_dict["OPTIONS"]["timeout"]
    say(f"PRAGMA busy_timeout={PATIENCE_MS};" + ("" if durable else "PRAGMA synchronous=NORMAL"))
    try:
        yield
    finally:
        say(f"PRAGMA busy_timeout={timeout * 1000};PRAGMA synchronous=FULL")


# --- tidying ----------------------------------------------------------------------------------


def prune(limit: int, at: datetime) -> int:
    """Delete at most `limit` rows each of what nobody will read again; returns how many went.

    Changes that no renderer is old enough to ask for, pages and fragments that were kept their time. What is wrong
    before that (another age, a deadline passed) is sent to nobody, and to look for it would be to read every page.
    """
    with transaction.atomic():
        SurfaceSerial.objects.select_for_update().get(pk=1)
        old = SurfaceChange.objects.filter(at__lt=at - CHANGES_KEPT).values_list("pk", flat=True)
        changes = list(old[:limit])
        SurfaceChange.objects.filter(pk__in=changes).delete()
        kept_long = {"stored_at__lt": at - PAGES_KEPT}
        pages = list(ReadyPage.objects.filter(**kept_long).values_list("pk", flat=True)[:limit])
        with connection.cursor() as cursor:
            _delete_rows(cursor, pages)
        parts = list(Fragment.objects.filter(**kept_long).values_list("pk", flat=True)[:limit])
        Fragment.objects.filter(pk__in=parts).delete()
    return len(changes) + len(pages) + len(parts)

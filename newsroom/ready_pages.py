"""The layer before Django: public pages from their rows, everything else passed on.

What is stored is Django's own answer with all its headers, so a stored page cannot differ from a
rendered one. docs/decisions/ready-pages.md.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

import brotli
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.db import DEFAULT_DB_ALIAS, Error, InterfaceError, OperationalError, connection, connections
from django.http import HttpRequest
from django.http.request import split_domain_port, validate_host
from django.urls import Resolver404, ResolverMatch, resolve

from articles import announcements, interface, page_files, surfaces
from articles.build import build_of_the_program
from articles.reads import reads
from articles.turns import turn
from moderation import ledger
from newsroom import publishing
from newsroom.web_worker import AT_ONCE

Environ = dict[str, Any]
Headers = list[tuple[str, str]]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

# Never a stored page; not even worth the question.
ELSEWHERE = ("/admin/", "/static/", "/removal/", "/follow/", "/healthz", "/readyz", "/metrics")
WAIT_FOR_ANOTHER_RENDERER = 2.0
COMPRESS_FROM = 400
TEXTUAL = (
    "text/",
    "application/json",
    "application/xml",
    "application/rss",
    "application/atom",
    "application/feed",
)


class Visit(NamedTuple):
    """What one anonymous request asks for."""

    path: str
    encoding: str
    if_none_match: str
    head: bool
    has_query: bool


# What is there for who signs in, sends a form or asks for something else than a page: a page that is the same for
# everybody is made without it. The ledger was asked already.
NOT_FOR_READERS = {
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "newsroom.middleware.known_methods",
    "newsroom.middleware.ledger_gate",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "newsroom.sessions.staff_sessions",
    "newsroom.middleware.second_factor_gate",
    "newsroom.audit.trail",
}


class ForReaders(WSGIHandler):
    """Django with as much of its middleware as a stored page needs."""

    def load_middleware(self, is_async: bool = False) -> None:
        """As Django does, of the shorter list."""
        everything = settings.MIDDLEWARE
        settings.MIDDLEWARE = [name for name in everything if name not in NOT_FOR_READERS]
        try:
            super().load_middleware(is_async)
        finally:
            settings.MIDDLEWARE = everything

    def resolve_request(self, request: HttpRequest) -> ResolverMatch:
        """Which view answers was found out before anybody was asked."""
        request.resolver_match = _match(request.path_info, settings.ROOT_URLCONF) or super().resolve_request(
            request
        )
        return request.resolver_match


class ReadyPages:
    """A WSGI application around Django's."""

    def __init__(self, django: Application) -> None:
        self.django = django
        self.for_readers = ForReaders()
        self.build = build_of_the_program()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if announcements.cache() is not None:
            start_response = _kept_by_nobody(start_response)
        visit = read_visit(environ)
        page = self._ready(visit) if visit and not visit.has_query else None
        at_once = AT_ONCE in environ
        if page is None and at_once:
            return ()
        if visit is None:
            return self.django(environ, start_response)
        if not visit.head:
            reads.note(visit.path, environ.get("HTTP_USER_AGENT", ""), may_write=not at_once)
        if page is not None:
            return _send(page, visit, start_response)
        if _is_behind():
            return self.django(environ, start_response)
        return self._answer(visit, environ, start_response)

    def _answer(self, visit: Visit, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if not is_stored_surface(visit.path):
            return self._render(self.django, visit, environ, start_response)
        if visit.has_query:
            return self._render(self.for_readers, visit, environ, start_response)
        with turn(visit.path, seconds=WAIT_FOR_ANOTHER_RENDERER) as another_was_faster:
            page = self._ready(visit) if another_was_faster else None
            if page is None:
                return self._render(self.for_readers, visit, environ, start_response)
        return _send(page, visit, start_response)

    def _ready(self, visit: Visit) -> surfaces.Ready | None:
        """The stored page, from a database that knows the ledger's last entry.

        That is asked in the same statement. A connection that broke while it lay idle is replaced once.
        """
        head = ledger.file_head()
        database = connections[DEFAULT_DB_ALIAS]
        for last in (False, True):
            try:
                if not database.in_atomic_block:
                    database.close_if_unusable_or_obsolete()
                # The question itself is the health check: a second one would double its price.
                database.health_check_done = True  # type: ignore[attr-defined]
                return surfaces.ready(
                    visit.path,
                    database=database,
                    build=self.build,
                    encoding=visit.encoding,
                    if_none_match=visit.if_none_match,
                    head=visit.head,
                    condition=ledger.KNOWS if head else "",
                    parameters=(head.seq, head.hash) if head else (),
                )
            except (Error, ValueError):
                if last or database.in_atomic_block:
                    return None
                database.close()
        return None

    def _render(
        self, django: Application, visit: Visit, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Django's answer; that of a surface is stored, compressed, and left out when the visitor has it."""
        answer = _Answer()
        # A page is made whole and then stored, also when only its head was asked for.
        environ["REQUEST_METHOD"] = "GET"
        content = django(environ, answer.start)
        shown = environ.get(surfaces.DECLARED)
        if shown is None:
            start_response(answer.status, answer.headers)
            return _Headless(content) if visit.head else content
        body = _whole(content)
        kept = dict(answer.headers)
        kept.pop("Content-Length", None)
        etag = kept.pop("ETag").strip('"')
        if not shown.storable:
            return _send(_passing(body, etag, kept, visit), visit, start_response)
        kept |= _labelled(shown)
        packed = surfaces.pack(body, etag)
        if not self._store(visit.path, kept, packed, shown):
            # Overtaken by a change: right for this reader, and for no cache.
            kept.pop(LABEL, None)
        return _send(_picked(packed, body, kept, visit), visit, start_response)

    def _store(
        self, path: str, headers: dict[str, str], packed: surfaces.Packed, shown: surfaces.Shown
    ) -> bool:
        try:
            stored = surfaces.store(path, build=self.build, headers=headers, packed=packed, shown=shown)
            if stored and page_files.may_be_file(path, headers, shown.valid_until):
                publishing.publish(path, build=self.build)
            return stored
        except (OperationalError, InterfaceError):
            # The page is right and the reader has waited for it; it is only not kept.
            connection.close()
            return False


def _is_behind() -> bool:
    """True also when the database does not say: Django then answers 503. A connection that broke while it lay
    idle is replaced once.
    """
    for last in (False, True):
        try:
            return ledger.is_behind()
        except (OperationalError, InterfaceError):
            if connection.in_atomic_block:
                raise
            connection.close()
            if last:
                break
    return True


# --- the request ------------------------------------------------------------------------------


def read_visit(environ: Environ) -> Visit | None:
    """What is asked for, or None when the request is for Django alone: written to, signed in, or odd."""
    raw = environ.get("PATH_INFO", "")
    if (
        environ["REQUEST_METHOD"] not in ("GET", "HEAD")
        or interface.split(raw)[1].startswith(ELSEWHERE)
        or environ.get("SCRIPT_NAME")
        or "HTTP_AUTHORIZATION" in environ
        or f"{settings.SESSION_COOKIE_NAME}=" in environ.get("HTTP_COOKIE", "")
        or not is_our_host(environ.get("HTTP_HOST", ""))
        or (settings.SECURE_SSL_REDIRECT and not is_secure(environ))
    ):
        return None
    try:
        path = raw.encode("latin-1").decode()
    except UnicodeError:
        return None
    if query := environ.get("QUERY_STRING"):
        environ["QUERY_STRING"] = query = surfaces.as_read(_view_at(path), query)
    return Visit(
        path=path,
        encoding=best_encoding(environ.get("HTTP_ACCEPT_ENCODING", "")),
        if_none_match=environ.get("HTTP_IF_NONE_MATCH", ""),
        head=environ["REQUEST_METHOD"] == "HEAD",
        has_query=bool(query),
    )


@lru_cache(maxsize=512)
def is_our_host(host: str) -> bool:
    """The same test as Django's, which answers 400 where this says no."""
    domain, _ = split_domain_port(host)
    return bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS)


def is_secure(environ: Environ) -> bool:
    """The same test as Django's, which redirects to https where this says no."""
    header = settings.SECURE_PROXY_SSL_HEADER
    if header and header[0] in environ:
        return bool(environ[header[0]].split(",")[0].strip() == header[1])
    return bool(environ.get("wsgi.url_scheme") == "https")


@lru_cache(maxsize=512)
def best_encoding(accepted: str) -> str:
    """br before gzip before none, of what the visitor takes."""
    taken = {name for name, weight in _weighted(accepted) if weight > 0}
    refused = {name for name, weight in _weighted(accepted) if weight == 0}
    for name in ("br", "gzip"):
        if name in taken or ("*" in taken and name not in refused):
            return name
    return ""


def _weighted(accepted: str) -> Iterator[tuple[str, float]]:
    for part in accepted.lower().split(",")[:20]:
        name, _, parameter = part.partition(";")
        weight = parameter.strip().removeprefix("q=")
        yield name.strip(), float(weight) if weight.replace(".", "", 1).isdecimal() else 1.0


def is_stored_surface(path: str) -> bool:
    """True when the page at this path is one whose bytes are kept."""
    return bool(getattr(_view_at(path), "surface_is_stored", False))


def _view_at(path: str) -> Any:
    return getattr(_match(interface.split(path)[1], settings.ROOT_URLCONF), "func", None)


@lru_cache(maxsize=512)
def _match(path: str, urlconf: str) -> ResolverMatch | None:
    try:
        return resolve(path, urlconf)
    except Resolver404:
        return None


# --- the answer -------------------------------------------------------------------------------


class _Answer:
    """Remembers what Django said before its content."""

    def __init__(self) -> None:
        self.status = ""
        self.headers: Headers = []

    def start(self, status: str, headers: Headers, exc_info: Any = None) -> None:
        self.status, self.headers = status, headers


class _Headless:
    """Content that is not sent, but closed as if it had been."""

    def __init__(self, content: Iterable[bytes]) -> None:
        self.content = content

    def __iter__(self) -> Iterator[bytes]:
        return iter(())

    def close(self) -> None:
        if hasattr(self.content, "close"):
            self.content.close()


def _whole(content: Iterable[bytes]) -> bytes:
    try:
        return b"".join(content)
    finally:
        if hasattr(content, "close"):
            content.close()


def _picked(packed: surfaces.Packed, body: bytes, headers: dict[str, str], visit: Visit) -> surfaces.Ready:
    """A rendered answer in the form a stored one has."""
    chosen = {"br": packed.br, "gzip": packed.gzip}.get(visit.encoding, body)
    return _ready(packed.etag, headers, chosen, visit.encoding, visit)


def _passing(body: bytes, etag: str, headers: dict[str, str], visit: Visit) -> surfaces.Ready:
    """An answer that is not kept: compressed where that is worth it."""
    textual = len(body) >= COMPRESS_FROM and headers.get("Content-Type", "").startswith(TEXTUAL)
    encoding = visit.encoding if textual else ""
    # Sent once, so pressed lightly: more would cost the processor more than the line gains.
    if encoding == "br":
        chosen = brotli.compress(body, quality=1)
    else:
        chosen = gzip.compress(body, 1, mtime=0) if encoding else body
    return _ready(etag, headers, chosen, encoding, visit)


def _ready(etag: str, headers: dict[str, str], body: bytes, encoding: str, visit: Visit) -> surfaces.Ready:
    matched = f'"{etag}{surfaces.tag_suffix(encoding)}"' in visit.if_none_match
    return surfaces.Ready(etag, json.dumps(headers), encoding, len(body), None if matched else body, matched)


@lru_cache(maxsize=64)
def _header_list(headers: str) -> Headers:
    # Nearly all pages of a kind share them, so they are read once.
    return [(name, value) for name, value in json.loads(headers).items()]


def _send(page: surfaces.Ready, visit: Visit, start_response: StartResponse) -> Iterable[bytes]:
    tag = f'"{page.etag}{surfaces.tag_suffix(page.encoding)}"'
    headers = [*_shared(_header_list(page.headers)), ("ETag", tag)]
    if page.matched or visit.if_none_match.strip() == "*":
        start_response("304 Not Modified", [pair for pair in headers if pair[0] != "Content-Type"])
        return ()
    if page.encoding:
        headers.append(("Content-Encoding", page.encoding))
    headers.append(("Content-Length", str(page.length)))
    start_response("200 OK", headers)
    return () if visit.head or page.body is None else (page.body,)


# --- caches in front --------------------------------------------------------------------------

# Under this name the keys of a page lie with its stored headers; what the cache reads is made of it at each answer.
LABEL = "X-Keys"


def _labelled(shown: surfaces.Shown) -> dict[str, str]:
    label = announcements.label(shown.keys) if announcements.cache() is not None else ""
    return {LABEL: label} if label else {}


def _shared(headers: Headers) -> Headers:
    """With the keys and the time for which a cache in front may keep this, where there is one."""
    if announcements.cache() is None:
        return headers
    said = dict(headers)
    until = said.get("X-Valid-Until")
    rest = [(name, value) for name, value in headers if name != LABEL]
    boundary = datetime.fromisoformat(until) if until else None
    return rest + announcements.headers_of(said.get(LABEL, ""), boundary)


def _kept_by_nobody(start_response: StartResponse) -> StartResponse:
    """Says so of every answer that does not say how long it may be kept."""
    front = announcements.cache()
    never = front.never() if front else []
    control = never[0][0] if never else ""

    def start(status: str, headers: Headers, *rest: Any) -> Any:
        said = {name for name, _ in headers}
        immutable = any(name == "Cache-Control" and "immutable" in value for name, value in headers)
        return start_response(status, headers if control in said or immutable else headers + never, *rest)

    return start

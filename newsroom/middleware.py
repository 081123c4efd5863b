"""What every answer passes through."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from csp.constants import HEADER
from csp.middleware import CSPMiddleware
from csp.utils import build_policy
from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotAllowed,
    HttpResponsePermanentRedirect,
    HttpResponseRedirect,
)
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext

from articles import interface, surfaces
from moderation import ledger
from newsroom import failing
from newsroom.api import not_allowed
from newsroom.health import let_go

log = logging.getLogger(__name__)

Answer = Callable[[HttpRequest], HttpResponse]
DESK = "/admin/"
OF_ACCOUNT = ("/admin/account/", "/admin/login/", "/admin/logout/", "/admin/jsi18n/")
PRIVATE = (DESK, "/removal/", "/follow/")
METHODS = ("GET", "HEAD", "OPTIONS", "POST")
READING = ("GET", "HEAD", "OPTIONS")
API = "/api/"
API_METHODS = (*METHODS, "PUT", "PATCH", "DELETE")
UNGATED = ("/admin/", "/removal/", "/static/", "/healthz", "/readyz", "/metrics")


def spoken_language(get_response: Answer) -> Answer:
    """The page in the language that its address names. Behind this the address is the one without it."""

    def answer(request: HttpRequest) -> HttpResponse:
        if request.path_info[1:] in interface.TONGUES:
            return HttpResponsePermanentRedirect(f"{request.path}/")
        tongue, path = interface.split(request.path_info)
        request.tongue = tongue  # type: ignore[attr-defined]
        if tongue is interface.DEFAULT:
            with translation.override(tongue.code):
                return get_response(request)
        request.path = request.path.removesuffix(request.path_info) + path
        request.path_info = path
        with translation.override(tongue.code):
            return _leading_on(get_response(request), tongue)

    return answer


def _leading_on(response: HttpResponse, tongue: interface.Tongue) -> HttpResponse:
    if "Location" in response.headers:
        response.headers["Location"] = interface.address_in(response.headers["Location"], tongue)
    if response.streaming or not response.headers.get("Content-Type", "").startswith("text/html"):
        return response
    response.content = interface.leading_on(response.content.decode(), tongue).encode()
    if "ETag" in response.headers:
        response.headers["ETag"] = f'"{surfaces.fingerprint(response.content)}"'
    if "Content-Length" in response.headers:
        response.headers["Content-Length"] = str(len(response.content))
    return response


def known_methods(get_response: Answer) -> Answer:
    """Only what our pages and programs use; above all no TRACE, which Django takes for harmless."""

    def answer(request: HttpRequest) -> HttpResponse:
        is_of_programs = request.path.startswith(API)
        known = API_METHODS if is_of_programs else METHODS
        response = get_response(request) if request.method in known else HttpResponseNotAllowed(known)
        if response.status_code == 405 and is_of_programs:
            response = not_allowed(response)
        if request.method == "HEAD" and not response.streaming:
            # Its length stands in the headers by now. The server would drop the body, and log a warning each time.
            response.content = b""
        elif response.status_code == 301 and request.method not in READING:
            # To a 301 programs send a GET, and what was sent to an address without its last slash would be lost.
            response.status_code = 308
        return response

    def process_view(request: HttpRequest, view: Answer, *rest: Any) -> HttpResponse | None:
        """Each says what it takes; one that is only read, before anybody asks where a form sent to it came from."""
        is_only_read = getattr(view, "is_only_read", False)
        if request.method == "OPTIONS" and (is_only_read or not request.path.startswith(API)):
            return HttpResponse(
                status=204, headers={"Allow": ", ".join(READING if is_only_read else METHODS)}
            )
        return HttpResponseNotAllowed(READING) if is_only_read and request.method not in READING else None

    answer.process_view = process_view  # type: ignore[attr-defined]
    return answer


def privacy_headers(get_response: Answer) -> Answer:
    """Private pages are kept by nobody and named to nobody."""

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        # The owners reserve text and data mining; we pass that on with everything (TDM Reservation Protocol).
        response.headers["TDM-Reservation"] = "1"
        response.headers["TDM-Policy"] = f"{settings.SITE_URL}/rights/"
        response.headers.setdefault("Cross-Origin-Embedder-Policy", "require-corp")
        if request.path.startswith(DESK):
            # Django's own scripts write markup, which trusted types forbid; the rest of the policy stays.
            own = getattr(response, "_csp_replace", {})
            response._csp_replace = dict.fromkeys(settings.TRUSTED_TYPES) | own  # type: ignore[attr-defined]
        if request.path.startswith(PRIVATE):
            response.headers["Cache-Control"] = "no-store, private"
            response.headers["X-Robots-Tag"] = "noindex, noarchive"
            response.headers["Referrer-Policy"] = "same-origin"
        return response

    return answer


class ContentPolicy(CSPMiddleware):
    """The policy of a page that asks for none of its own, put together once."""

    said: tuple[Any, str] = (None, "")

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """As the library does."""
        own = hasattr(request, "_csp_nonce") or any(name.startswith("_csp") for name in vars(response))
        if own or HEADER in response.headers or settings.DEBUG:
            return super().process_response(request, response)
        policy = settings.CONTENT_SECURITY_POLICY
        if self.said[0] is not policy:
            self.said = policy, build_policy()
        response.headers[HEADER] = self.said[1]
        return response


def database_gate(get_response: Answer) -> Answer:
    """A database that does not answer is a 503 that says when to come back, not a fault of the page."""

    def answer(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    def process_exception(request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return no_database(request, exception) if is_of_the_database(exception) else None

    answer.process_exception = process_exception  # type: ignore[attr-defined]
    return answer


def is_of_the_database(exception: BaseException | None) -> bool:
    """True when the database is what failed, also when a template or a handler stumbled over it."""
    while exception is not None:
        if isinstance(exception, (OperationalError, InterfaceError)):
            return True
        exception = exception.__cause__ or exception.__context__
    return False


def no_database(request: HttpRequest, exception: BaseException | None) -> HttpResponse:
    """503 that says when to come back; nothing of it needs a table or a template."""
    log.error("The database did not answer %s: %s", request.path, exception)
    let_go()
    title = gettext("Back in a moment")
    text = gettext("The database does not answer. Nothing is lost; please try again in a few seconds.")
    return failing.answer(request, 503, title, text, retry_after=10)


def ledger_gate(get_response: Answer) -> Answer:
    """No public page while the database is behind its ledger: what was removed could be in it."""

    def answer(request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(UNGATED) and ledger.is_behind():
            return _being_restored(request)
        return get_response(request)

    def process_exception(request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """The pages of cases stay open meanwhile; what they would write into the ledger has to wait."""
        return _being_restored(request) if isinstance(exception, ledger.LedgerBehind) else None

    answer.process_exception = process_exception  # type: ignore[attr-defined]
    return answer


def _being_restored(request: HttpRequest) -> HttpResponse:
    title = gettext("Being restored")
    text = gettext(
        "No page is shown until all that was removed is gone from it too. Please come back in a few minutes."
    )
    return failing.answer(request, 503, title, text, retry_after=120)


def second_factor_gate(get_response: Answer) -> Answer:
    """With STAFF_SECOND_FACTOR, who has none yet gets no further at the desk than to setting one up."""

    def answer(request: HttpRequest) -> HttpResponse:
        at_desk = request.path.startswith(DESK) and not request.path.startswith(OF_ACCOUNT)
        if settings.STAFF_SECOND_FACTOR and at_desk and request.user.is_authenticated:
            from newsroom.identity import lacks_second_factor

            if lacks_second_factor(request.user):
                return HttpResponseRedirect(reverse("mfa_index"))
        return get_response(request)

    return answer

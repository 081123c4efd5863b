"""Pages of the site as a whole: what is shown when something is not there or went wrong."""

from __future__ import annotations

import re
import sys

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from articles import interface
from articles.problems import problem
from newsroom import failing, security_events
from newsroom.middleware import API, PRIVATE, is_of_the_database, no_database

_WORD = re.compile(r"[^\W_]{3,}")
# Addresses that may have been a name once; the others hold secrets, which no answer repeats.
_NAMED = re.compile(r"(?:/[a-z]{2})?(?:/(?:articles|stories|tags|contributors|sources))?/([^/]+)/?")


def _page(request: HttpRequest, status: int, title: str, text: str, words: str = "") -> HttpResponse:
    context = {"title": title, "text": text, "status": status, "words": words}
    context["tongues"] = interface.choices("/")
    response = render(request, "error.html", context, status=status)
    response.headers["Cache-Control"] = "no-store"
    return response


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith(API):
        return problem(
            404, "Not here", f"There is nothing at this address; {settings.SITE_URL}/api/docs lists what is."
        )
    return _page(
        request,
        404,
        _("Not here"),
        _("There is no page at this address. Search, or start from the front page."),
        # A secret address that is wrong has one answer, and what it is made of is not sent to the search.
        words="" if request.path.startswith(PRIVATE) else _words_of(request.path),
    )


def _words_of(path: str) -> str:
    """What the last part of an address says in words, to search for."""
    named = _NAMED.fullmatch(path)
    words = _WORD.findall(named[1]) if named else []
    return " ".join(word for word in words if word.isalpha())[:100]


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    security_events.event(
        "refused", getattr(request, "user", None), asked=f"{request.method} {request.path!r}"
    )
    return _page(request, 403, _("Not allowed"), _("Your account may not do this."))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    said = str(exception) if isinstance(exception, BadRequest) else ""
    return _page(request, 400, _("Not understood"), said or _("The request was not one this site can read."))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    security_events.event("forged or stale form", getattr(request, "user", None), asked=f"{request.path!r}")
    return _page(
        request,
        403,
        _("Please send it again"),
        _(
            "This form was open too long, or cookies are switched off. Go back, reload the page and send it"
            " again; a removal notice can also be sent by e-mail."
        ),
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """Without templates or the database: either may be what failed. When it is the database, a 503."""
    error = sys.exc_info()[1]
    if is_of_the_database(error):
        return no_database(request, error)
    return failing.answer(
        request, 500, _("Something went wrong on our side"), _("Please try again in a minute.")
    )

"""The log of what matters to who guards the desk: sign-ins, refusals, factors, and what browsers report.

One logger, `newsroom.security`. People stand in it by the number of their account; a name that was tried stands as a
keyed hash, so that the tries for one can be counted and nobody is named.
"""

from __future__ import annotations

import json
import logging
from typing import Any
from urllib.parse import urlsplit

from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.signals import authentication_step_completed
from allauth.mfa import signals as factors
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils.crypto import salted_hmac
from django.views.decorators.csrf import csrf_exempt

log = logging.getLogger("newsroom.security")

LONGEST_REPORT = 16_384
REPORTS_A_MINUTE = 30
OF_EXTENSIONS = (
    "chrome-extension",
    "moz-extension",
    "safari-extension",
    "safari-web-extension",
    "ms-browser-extension",
)


def listen() -> None:
    user_logged_in.connect(_signed_in, dispatch_uid="security.in")
    user_logged_out.connect(_signed_out, dispatch_uid="security.out")
    user_login_failed.connect(_refused, dispatch_uid="security.refused")
    authentication_step_completed.connect(_proved_again, dispatch_uid="security.again")
    factors.authentication_failed.connect(_wrong_factor, dispatch_uid="security.factor")
    for signal, done in (
        (factors.authenticator_added, "added"),
        (factors.authenticator_removed, "removed"),
        (factors.authenticator_reset, "renewed"),
    ):
        signal.connect(_factor(done), dispatch_uid=f"security.{done}", weak=False)


def named(user: Any) -> str:
    return f"account {user.pk}" if user is not None and user.pk else "nobody"


def event(what: str, user: Any = None, **more: Any) -> None:
    """Write one down; the request's id stands in the line by itself."""
    told = "".join(f", {name} {value}" for name, value in more.items())
    log.info("%s: %s%s", what, named(user), told, extra={"fields": {"event": what, "who": named(user)}})


def _signed_in(sender: Any, request: HttpRequest, user: Any, **kwargs: Any) -> None:
    records = get_authentication_records(request, user)
    event("signed in", user, by=" and ".join(str(r.get("type") or r["method"]) for r in records) or "program")


def _signed_out(sender: Any, request: HttpRequest, user: Any, **kwargs: Any) -> None:
    if user is not None:
        event("signed out", user)


def _refused(sender: Any, credentials: dict[str, Any], **kwargs: Any) -> None:
    tried = str(credentials.get("username", "")).casefold()
    event("sign-in refused", name=salted_hmac("security events", tried).hexdigest()[:10])


def _proved_again(sender: Any, user: Any, method: str, reauthenticated: bool = False, **kwargs: Any) -> None:
    if reauthenticated:
        event("identity proved again", user, by=method)


def _wrong_factor(sender: Any, user: Any, authenticator: Any, **kwargs: Any) -> None:
    event("second factor refused", user, kind=authenticator.type)


def _factor(done: str) -> Any:
    def write(sender: Any, user: Any, authenticator: Any, **kwargs: Any) -> None:
        event(f"second factor {done}", user, kind=authenticator.type)

    return write


# --- what browsers refused to load ------------------------------------------------------------


@csrf_exempt
def policy_report(request: HttpRequest) -> HttpResponse:
    """A browser kept our policy against something: which rule, on which page, from which host. Nothing of the reader.

    At most REPORTS_A_MINUTE are written down, by all processes together, so that nobody fills the log.
    """
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    if int(request.META.get("CONTENT_LENGTH") or 0) <= LONGEST_REPORT and _one_more():
        told = _read(request.body)
        if told:
            log.warning("policy violated: %s", told)
    return HttpResponse(status=204)


def _one_more() -> bool:
    cache.add("csp-reports", 0, 60)
    try:
        return cache.incr("csp-reports") <= REPORTS_A_MINUTE
    except ValueError:  # it ran out between the two
        return True


def _read(body: bytes) -> str:
    """The report in a line of our own words; empty for what is none, or is about the reader's own extensions."""
    try:
        report = json.loads(body)["csp-report"]
        directive, blocked, page = (str(report.get(name, "")) for name in FIELDS)
        host = urlsplit(blocked).hostname or urlsplit(blocked).scheme or blocked
        path = urlsplit(page).path
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ""
    if blocked.startswith(OF_EXTENSIONS):
        return ""
    return f"{directive[:60]!r} kept {host[:100]!r} from {path[:200]!r}"


FIELDS = ("effective-directive", "blocked-uri", "document-uri")

"""How long somebody stays signed in at the desk, and what the password is asked for once more.

A session ends after STAFF_IDLE_MINUTES without a sign of life and after STAFF_SESSION_HOURS in any case. Rights,
accounts and other sessions are changed only by who proved within ten minutes who they are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.signals import authentication_step_completed
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME, logout
from django.contrib.auth.signals import user_logged_in
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

Answer = Callable[[HttpRequest], HttpResponse]
BEGAN, SEEN = "began_at", "seen_at"
DESK = "/admin/"
# A sign of life is written down once in so many seconds.
NOTED_EVERY = 60
# Somebody who opened a form in time may take longer to fill it in.
TO_FILL_IN = 1200
# Who may do what, and who gets in. Names of the addresses; of the second, only what is sent.
ASKED_AGAIN = {
    "accounts_user_add", "accounts_user_change", "accounts_user_delete", "auth_user_password_change",
    "auth_group_add", "auth_group_change", "auth_group_delete", "accounts_accesstoken_add",
}  # fmt: skip
ASKED_AGAIN_TO_SEND = ASKED_AGAIN | {"accounts_user_changelist", "auth_group_changelist", "usersessions_list"}
# Their browsers let go of pages they kept, whatever the pages said.
CLEAR, KEPT_PAGES = "Clear-Site-Data", '"cache"'


def listen() -> None:
    user_logged_in.connect(_begin, dispatch_uid="sessions.begin")
    authentication_step_completed.connect(_renew, dispatch_uid="sessions.renew")


def _begin(sender: Any, request: HttpRequest, **kwargs: Any) -> None:
    request.session[BEGAN] = request.session[SEEN] = int(timezone.now().timestamp())


def _renew(sender: Any, request: HttpRequest, reauthenticated: bool = False, **kwargs: Any) -> None:
    """Who proves once more who they are goes on under a new name of the session."""
    if reauthenticated:
        request.session.cycle_key()


def staff_sessions(get_response: Answer) -> Answer:
    """Middleware: ends sessions in time, asks again before what decides who gets in, and clears up at sign-out."""

    def answer(request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(DESK) or not _is_signed_in(request):
            return get_response(request)
        if _is_over(request):
            return _ended(request)
        key = request.session.session_key
        response = get_response(request)
        if not _is_signed_in(request):
            response.headers[CLEAR] = KEPT_PAGES
        elif request.session.session_key != key:
            UserSession.objects.filter(session_key=key).update(session_key=request.session.session_key)
        elif not _is_a_heartbeat(request):
            _note(request)
        return response

    def process_view(request: HttpRequest, view: Any, *args: Any) -> HttpResponse | None:
        at_desk = request.path.startswith(
            DESK
        )  # elsewhere nobody's session is looked at: the page is everybody's
        return _ask_again(request) if at_desk and not _is_fresh(request) else None

    answer.process_view = process_view  # type: ignore[attr-defined]
    return answer


def _is_signed_in(request: HttpRequest) -> bool:
    return bool(request.user.is_authenticated)


def _is_over(request: HttpRequest) -> bool:
    now = timezone.now().timestamp()
    idle, lasted = (now - float(request.session.get(name, 0)) for name in (SEEN, BEGAN))
    return idle > settings.STAFF_IDLE_MINUTES * 60 or lasted > settings.STAFF_SESSION_HOURS * 3600


def _ended(request: HttpRequest) -> HttpResponse:
    logout(request)
    messages.info(
        request, "You were signed out because your session had lasted long enough. Please sign in again."
    )
    response = redirect_to_login(request.get_full_path(), reverse("admin:login"))
    response.headers[CLEAR] = KEPT_PAGES
    return response


def _is_a_heartbeat(request: HttpRequest) -> bool:
    """What an open form says by itself, without a word that somebody typed."""
    return request.path.endswith("/unsaved/") and len(request.POST) <= 1


def _note(request: HttpRequest) -> None:
    now = int(timezone.now().timestamp())
    if now - request.session.get(SEEN, 0) >= NOTED_EVERY:
        request.session[SEEN] = now


def _is_fresh(request: HttpRequest) -> bool:
    """True when this needs no new proof, or there was one lately."""
    named = request.resolver_match.url_name if request.resolver_match else None
    sends = request.method == "POST"
    if named not in (ASKED_AGAIN_TO_SEND if sends else ASKED_AGAIN) or not request.user.is_authenticated:
        return True
    proofs = [record["at"] for record in get_authentication_records(request, request.user)]
    newest = max([request.session.get(BEGAN, 0), *proofs])
    within = settings.ACCOUNT_REAUTHENTICATION_TIMEOUT + (TO_FILL_IN if sends else 0)
    return bool(timezone.now().timestamp() - newest <= within)


def _ask_again(request: HttpRequest) -> HttpResponse | None:
    """To where the proof is given; None for who has nothing to prove it with here, but at a provider of sign-ins."""
    ways = get_adapter().get_reauthentication_methods(request.user)
    if not ways:
        return None
    back = urlencode({REDIRECT_FIELD_NAME: request.get_full_path()})
    return HttpResponseRedirect(f"{ways[0]['url']}?{back}")

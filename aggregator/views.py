"""The door that hubs knock at (WebSub)."""

from __future__ import annotations

from collections.abc import Iterable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from aggregator import websub
from aggregator.formats import caps
from aggregator.parse import NotAFeed
from articles.models import Article
from articles.surfaces import surface


def _nowhere(article: Article) -> Iterable[str]:
    return []


@csrf_exempt
@require_http_methods(["GET", "POST"])
@surface("websub", locate=_nowhere, store=False, forms=True)
def hub(request: HttpRequest, token: str) -> HttpResponse:
    """A hub verifies a subscription (GET) or brings what is new (POST)."""
    return _verified(request, token) if request.method == "GET" else _pushed(request, token)


def _verified(request: HttpRequest, token: str) -> HttpResponse:
    given = request.GET
    try:
        websub.confirm(
            token=token,
            mode=given.get("hub.mode", ""),
            topic=given.get("hub.topic", ""),
            lease_seconds=given.get("hub.lease_seconds", ""),
            at=timezone.now(),
        )
    except websub.NotVerified as reason:
        return _plain(str(reason), 404)
    return _plain(given.get("hub.challenge", "")[:500], 200)


def _pushed(request: HttpRequest, token: str) -> HttpResponse:
    body = request.read(caps.BYTES + 1)
    if len(body) > caps.BYTES:
        return _plain("Too large.", 413)
    try:
        websub.receive(
            token=token,
            body=body,
            signature=request.headers.get("X-Hub-Signature", ""),
            content_type=request.headers.get("Content-Type", ""),
            at=timezone.now(),
        )
    except websub.NotVerified as reason:
        # 410 tells the hub to send no more.
        return _plain(str(reason), 410)
    except (websub.BadSignature, NotAFeed):
        # By the standard a push with a wrong signature is answered as any other, and ignored.
        return _plain("", 202)
    return _plain("", 202)


def _plain(text: str, status: int) -> HttpResponse:
    response = HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response

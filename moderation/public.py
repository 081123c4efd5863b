"""The public log of removals, its figures, its feed, and the key that our certificates are checked with."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from articles.models import Article
from articles.surfaces import surface
from moderation import certificates, transparency
from moderation.ledger import moment
from moderation.transparency import Case

HEADINGS = ("claim", "received_at", "hidden_at", "outcome", "by_deadline", "reason", "ground")


def nowhere(article: Article) -> Iterator[str]:
    """Articles are not met on these pages: they name cases only by their references."""
    return iter(())


@surface("transparency", locate=nowhere, store=False)
@require_safe
def log(request: HttpRequest) -> HttpResponse:
    """Every removal we were asked for, newest first, above it the figures and the ledger's head of each day."""
    at = timezone.now()
    cases = transparency.cases(at=at, before=_before(request), size=transparency.PAGE + 1)
    shown = cases[: transparency.PAGE]
    context = {
        "cases": shown,
        "next": shown[-1].pk if len(cases) > len(shown) else None,
        "figures": transparency.figures(at=at),
        "heads": transparency.heads(at=at),
        "first_page": _before(request) is None,
        "days": transparency.DAYS,
    }
    return render(request, "moderation/transparency.html", context)


@surface("transparency-csv", locate=nowhere, store=False)
@require_safe
def sheet(request: HttpRequest) -> HttpResponse:
    """The log as CSV, a portion at a time; the Link header leads to the next."""
    cases = transparency.cases(at=timezone.now(), before=_before(request), size=transparency.SHEET)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(HEADINGS)
    writer.writerows(_row(case) for case in cases)
    answer = HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = 'attachment; filename="removals.csv"'
    if len(cases) == transparency.SHEET:
        answer.headers["Link"] = f'<{request.path}?before={cases[-1].pk}>; rel="next"'
    return answer


def _row(case: Case) -> list[str]:
    hidden = moment(case.hidden_at) if case.hidden_at else ""
    by_deadline = "yes" if case.by_deadline else "no"
    return [
        case.reference,
        moment(case.received_at),
        hidden,
        case.outcome,
        by_deadline,
        case.reason,
        case.ground,
    ]


@surface("transparency-feed", locate=nowhere, store=False)
@require_safe
def feed(request: HttpRequest) -> HttpResponse:
    """The ledger's head of each day as Atom, so that a feed reader keeps what we published."""
    at = timezone.now()
    heads = transparency.heads(at=at)
    context = {"heads": heads, "updated": heads[0].day if heads else at.date()}
    return render(
        request,
        "moderation/transparency_feed.xml",
        context,
        content_type="application/atom+xml; charset=utf-8",
    )


@surface("transparency-key", locate=nowhere, store=False)
@require_safe
def key(request: HttpRequest) -> HttpResponse:
    """The Ed25519 key with which certificates of removal are signed."""
    return HttpResponse(certificates.public_key_pem(), content_type="application/x-pem-file")


def _before(request: HttpRequest) -> int | None:
    """The number to continue before; nonsense is the first page."""
    text = request.GET.get("before", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None

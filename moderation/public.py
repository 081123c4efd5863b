"""The public log of removals, its figures, its feed, and the key that our certificates are checked with."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from articles.models import Article
from articles.surfaces import surface
from moderation import certificates, exports, transparency
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
        "years": exports.years(at=at),
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


# --- a year -----------------------------------------------------------------------------------


@surface("transparency-year", locate=nowhere, store=False)
@require_safe
def year(request: HttpRequest, year: int) -> HttpResponse:
    """One year in figures."""
    context = {"year": year, "groups": _grouped(_report(year))}
    return render(request, "moderation/transparency_year.html", context)


@surface("transparency-year-csv", locate=nowhere, store=False)
@require_safe
def year_sheet(request: HttpRequest, year: int) -> HttpResponse:
    """The same figures as CSV."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("group", "figure", "value"))
    writer.writerows((one.group, one.name, "" if one.value is None else one.value) for one in _report(year))
    answer = HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="removals-{year}.csv"'
    return answer


@surface("transparency-lumen", locate=nowhere, store=False)
@require_safe
def lumen(request: HttpRequest, year: int) -> HttpResponse:
    """The year's notices in Lumen's format, a portion at a time."""
    return _portion(request, "notices", exports.lumen_notices(_known(year), after=_after(request)))


@surface("transparency-counter-notices", locate=nowhere, store=False)
@require_safe
def counter_notices(request: HttpRequest, year: int) -> HttpResponse:
    """The year's counter-notices in Lumen's format, a portion at a time."""
    rows = exports.lumen_counter_notices(_known(year), after=_after(request))
    return _portion(request, "notices", rows)


@surface("transparency-statements", locate=nowhere, store=False)
@require_safe
def statements(request: HttpRequest, year: int) -> HttpResponse:
    """The year's statements of reasons in the format of the DSA's transparency database."""
    return _portion(request, "statements", exports.statements(_known(year), after=_after(request)))


def _known(year: int) -> int:
    if not 2000 <= year <= timezone.now().year:
        raise Http404
    return year


def _report(year: int) -> list[exports.Figure]:
    """The figures, worked out once in five minutes."""
    name = f"transparency:{_known(year)}"
    found: list[exports.Figure] | None = cache.get(name)
    if found is None:
        found = exports.report(year, at=timezone.now())
        cache.set(name, found, transparency.FIGURES_SECONDS)
    return found


def _grouped(figures: list[exports.Figure]) -> dict[str, list[exports.Figure]]:
    groups: dict[str, list[exports.Figure]] = {}
    for figure in figures:
        groups.setdefault(figure.group, []).append(figure)
    return groups


def _portion(request: HttpRequest, name: str, rows: list[tuple[int, dict[str, Any]]]) -> HttpResponse:
    answer = JsonResponse({name: [row for _, row in rows]}, json_dumps_params={"ensure_ascii": False})
    if len(rows) == exports.PORTION:
        answer.headers["Link"] = f'<{request.path}?after={rows[-1][0]}>; rel="next"'
    return answer


def _after(request: HttpRequest) -> int:
    text = request.GET.get("after", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0

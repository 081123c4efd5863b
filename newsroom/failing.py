"""What is shown when nothing else can be: without a template, a query or anything else that may have failed."""

from __future__ import annotations

from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.translation import get_language

from articles import display
from articles.problems import problem

_PAGE = """<!doctype html>
<html lang="{code}" dir="{direction}">
<meta charset="utf-8">
<title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<link rel="stylesheet" href="{style}">
<header class="masthead page"><p class="nameplate"><a href="/">{site}</a></p></header>
<main class="page"><div class="page-head"><p class="kicker">{status}</p><h1>{title}</h1><p>{text}</p></div></main>
</html>
"""


def answer(request: HttpRequest, status: int, title: str, text: str, *, retry_after: int = 0) -> HttpResponse:
    """A page that says what is the case, a problem for programs; `retry_after` in seconds where that is known."""
    for_programs = request.path.startswith("/api/")
    response = problem(status, title, text) if for_programs else _page(status, title, text)
    if retry_after:
        response.headers["Retry-After"] = str(retry_after)
    return response


def _page(status: int, title: str, text: str) -> HttpResponse:
    code = get_language() or settings.LANGUAGE_CODE
    page = format_html(
        _PAGE,
        code=code,
        direction=display.direction(code),
        title=title,
        style=_style(),
        site=settings.SITE_NAME,
        status=status,
        text=text,
    )
    return HttpResponse(page, status=status, headers={"Cache-Control": "no-store"})


def _style() -> str:
    try:
        return staticfiles_storage.url("css/site.css")
    except ValueError:
        # Not collected: the page does without.
        return "data:,"

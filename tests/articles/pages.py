"""Plain pages to try the ready pages on: an article, a list, one that is personal, one that breaks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.urls import path

from articles.models import Article
from articles.surfaces import LATEST, REGISTER, shows, surface

rendered: list[str] = []
meanwhile: list[Callable[[], Any]] = []


@surface("test article", locate=lambda article: [f"/a/{article.pk}"])
def article_page(request: HttpRequest, pk: int) -> HttpResponse:
    rendered.append(request.path)
    article = Article.objects.public().filter(pk=pk).first()
    if article is None:
        return HttpResponse("gone", status=410, headers={"Cache-Control": "no-store"})
    shows(request, articles=[article])
    answer = HttpResponse(
        f"<h1>{article.headline}</h1>" + "<p>text</p>" * 200, headers={"Link": "<https://x.example>"}
    )
    while meanwhile:
        meanwhile.pop()()
    return answer


@surface("test list", locate=lambda article: ["/list"], reads=("before",))
def list_page(request: HttpRequest) -> HttpResponse:
    rendered.append(request.path)
    articles = list(Article.objects.public().newest_first()[:30])
    shows(request, articles=articles, keys=[LATEST])
    given = [f"{name} {value}" for name, value in request.GET.items()]
    return HttpResponse("\n".join([*(article.headline for article in articles), *given, "end of list"]))


@surface("test form", locate=lambda article: [])
def form_page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(get_token(request))


@surface("test greeting", locate=lambda article: [])
def greeting_page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"Hello {request.session.get('name', 'reader')}")


@surface("test missing", locate=lambda article: [])
def missing_page(request: HttpRequest) -> HttpResponse:
    raise Http404


@surface("test broken", locate=lambda article: [])
def broken_page(request: HttpRequest) -> HttpResponse:
    raise OperationalError("server closed the connection unexpectedly")


for name in [name for name in REGISTER if name.startswith("test ")]:
    del REGISTER[name]

urlpatterns = [
    path("a/<int:pk>", article_page),
    path("list", list_page),
    path("form", form_page),
    path("greeting", greeting_page),
    path("missing", missing_page),
    path("broken", broken_page),
]
handler404 = "tests.articles.pages.plain_404"


def plain_404(request: HttpRequest, exception: Exception) -> HttpResponse:
    return HttpResponse("nothing here", status=404)

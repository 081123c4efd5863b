"""The programming interface at /api/: what is mounted where, its errors, and its page of documentation."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, URLResolver
from django.utils.html import format_html, format_html_join
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.openapi.docs import DocsBase
from ninja.openapi.schema import OpenAPISchema

from articles import api as reading
from articles.models import Article
from articles.problems import problem
from articles.surfaces import Locate, only_read, surface
from moderation import api as notices
from moderation import owner_api
from newsroom import desk_api


class PlainDocs(DocsBase):
    """The description as a page: readable without a script, and allowed by our own policy."""

    def render_page(self, request: HttpRequest, api: NinjaAPI, **kwargs: Any) -> HttpResponse:
        return render(request, "api/docs.html", {"operations": _operations(api), "title": api.title})


class Described(NinjaAPI):
    """Its description also says what keys and tokens are, and what is sent to webhooks."""

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        schema = super().get_openapi_schema(**options)
        key = {"type": "http", "scheme": "bearer", "description": "A key from the owner's page of a case."}
        token = {"type": "http", "scheme": "bearer", "description": "An access token made at the desk."}
        schema["components"]["schemas"] |= notices.components() | owner_api.components()
        schema["webhooks"] = owner_api.WEBHOOKS
        schema["components"]["securitySchemes"] = {"bearer": key, "DeskToken": token}
        return schema


api = Described(
    title="Newsroom",
    version="1",
    description="Everything a reader can see, for programs; notices of owners; and the desk for its editors' programs.",
    docs=PlainDocs(),
    docs_url="/docs",
    openapi_url="/openapi.json",
    urls_namespace="api",
)
api.add_router("", reading.router)
api.add_router("/notices", notices.router)
api.add_router("/owner", owner_api.router)
api.add_router("/desk", desk_api.router)


# --- errors (RFC 9457) ------------------------------------------------------------------------


def not_allowed(refusal: HttpResponse) -> HttpResponse:
    """A 405 in that form."""
    methods = ", ".join(sorted(refusal.headers["Allow"].split(", ")))
    told = problem(405, "Not allowed", f"This address takes {methods}.")
    told.headers["Allow"] = methods
    return told


@api.exception_handler(Http404)
def not_found(request: HttpRequest, error: Http404) -> HttpResponse:
    return problem(404, "Not found", "There is nothing at this address.")


@api.exception_handler(BadRequest)
def bad_request(request: HttpRequest, error: BadRequest) -> HttpResponse:
    return problem(400, "Not understood", str(error))


@api.exception_handler(ValidationError)
def invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    errors = [
        {"field": ".".join(map(str, found["loc"][1:])), "message": found["msg"]} for found in error.errors
    ]
    return problem(422, "Not valid", "Some values cannot be read; `errors` says which.", errors=errors)


@api.exception_handler(notices.Refused)
def refused_here(request: HttpRequest, error: notices.Refused) -> HttpResponse:
    return error.answer()


@api.exception_handler(AuthenticationError)
def not_let_in(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    return notices.Refused(
        401, "No token", "Send Authorization: Bearer with a token made at the desk."
    ).answer()


@api.exception_handler(HttpError)
def refused(request: HttpRequest, error: HttpError) -> HttpResponse:
    return problem(error.status_code, "Refused", str(error))


# --- addresses --------------------------------------------------------------------------------


def _everywhere(path: str, article: Article) -> list[str]:
    return [path]


LOCATE: dict[str, Locate] = {
    "articles": reading.at_lists,
    "article": reading.at_itself,
    "ninjs": reading.at_ninjs,
    "tags": partial(_everywhere, "/api/tags/"),
    "sources": partial(_everywhere, "/api/sources/"),
    "contributors": partial(_everywhere, "/api/contributors/"),
    "search": reading.at_search,
}
DESCRIBING = ("api-root", "openapi-json", "openapi-view")


def at_root(request: HttpRequest) -> HttpResponse:
    """The API's own address leads to its documentation."""
    return redirect("api:openapi-view")


def _registered(pattern: URLPattern | URLResolver) -> URLPattern | URLResolver:
    """The operation as a public surface, so that removals reach it and its bytes are kept ready."""
    if isinstance(pattern, URLPattern) and pattern.name in LOCATE:
        view: Callable[..., HttpResponse] = pattern.callback
        pattern.callback = surface(f"api {pattern.name}", locate=LOCATE[pattern.name], reads=None)(view)
    elif isinstance(pattern, URLPattern) and pattern.name in DESCRIBING:
        pattern.callback = only_read(at_root if pattern.name == "api-root" else pattern.callback)
    return pattern


def _operations(api: NinjaAPI) -> list[dict[str, Any]]:
    """What the page of documentation lists, from the same description that programs read."""
    return [
        described
        | {"method": method.upper(), "path": path, "told": _marked_up(described.get("description", ""))}
        for path, methods in api.get_openapi_schema()["paths"].items()
        for method, described in methods.items()
    ]


def _marked_up(text: str) -> str:
    """What stands between backticks, as code."""
    code = [
        format_html("<code>{}</code>", part) if at % 2 else part for at, part in enumerate(text.split("`"))
    ]
    return format_html_join("", "{}", ((part,) for part in code))


_patterns, _app, _namespace = api.urls
urls = ([_registered(pattern) for pattern in _patterns], _app, _namespace)

"""The read interface: what readers see, for programs. The usage policy of each source applies here as well."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.core.exceptions import BadRequest
from django.db.models import Exists, OuterRef, Prefetch, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from ninja import Query, Router, Schema
from ninja.responses import NinjaJSONEncoder

from articles import display, gone, keyset, search
from articles.models import Article, Contribution, Contributor, Source, Tag
from articles.ninjs import ninjs
from articles.surfaces import LATEST, SEARCH, shows

router = Router()
NAMES_PAGE = 100


class Outlet(Schema):
    """Who published it first."""

    name: str
    slug: str
    homepage: str


class Person(Schema):
    """Who made it, in which role."""

    name: str
    slug: str
    role: str


class Topic(Schema):
    """A tag."""

    name: str
    slug: str


class Picture(Schema):
    """The lead picture and what must stand beside it."""

    url: str
    alt: str
    caption: str
    credit: str


class ArticleSummary(Schema):
    """An article as in a list. `excerpt` is as long as its source allows."""

    key: uuid.UUID
    url: str
    source_url: str
    headline: str
    excerpt: str
    language: str
    published_at: datetime
    updated_at: datetime | None
    source: Outlet | None
    pubstatus: str = "usable"


class ArticleWhole(ArticleSummary):
    """One article. `body` is sanitised HTML, empty unless its source allows the full text."""

    standfirst: str
    body: str
    byline: str
    dateline: str
    contributions: list[Person]
    tags: list[Topic]
    picture: Picture | None
    copyright_holder: str
    usage_terms: str
    licence_url: str


class ArticlePage(Schema):
    """Newest first; `next` is the address of the page after this one, empty at the end."""

    articles: list[ArticleSummary]
    next: str


class NamePage(Schema):
    """In the order of slugs; `next` is the address of the page after this one, empty at the end."""

    names: list[Topic]
    next: str


class Hit(Schema):
    """An article found. `headline` and `excerpt` are escaped HTML with what was found in <mark>."""

    headline: str
    excerpt: str
    article: ArticleSummary


class HitPage(Schema):
    """Best first. `corrected_to` says which spelling these are the hits for when it is not the one asked."""

    hits: list[Hit]
    total_is_at_least: int
    corrected_to: str
    next: str


class Wanted(Schema):
    """Which articles: filters are slugs, `before` is taken from `next`."""

    tag: str = ""
    source: str = ""
    contributor: str = ""
    language: str = ""
    before: str = ""
    limit: int = 30


# --- operations -------------------------------------------------------------------------------


@router.get("/articles/", response=ArticlePage, url_name="articles", summary="Public articles, newest first")
def articles(request: HttpRequest, wanted: Query[Wanted]) -> HttpResponse:
    """All public articles, or those with one tag, from one source, by one person, in one language."""
    page = _wanted(wanted, size=max(1, min(wanted.limit, 100)))
    shows(request, articles=page.articles, keys=[LATEST])
    return _page(articles=[_facts(article) for article in page.articles], next=_next(request, page.older))


@router.get("/articles/{uuid:key}", response=ArticleWhole, url_name="article", summary="One article")
def article(request: HttpRequest, key: uuid.UUID) -> ArticleWhole | HttpResponse:
    """One article by its key. 451 and “withheld”, or 410 and “canceled”, when it is gone."""
    credits = Prefetch("contributions", Contribution.objects.select_related("contributor"))
    public = Article.objects.public().select_related("source", "lead_media")
    found = public.prefetch_related(credits, "tags").filter(key=key).first()  # type: ignore[misc]  # taggit has no types
    if found is None:
        return _gone(request, key)
    shows(request, articles=[found])
    return _whole(found)


@router.get("/articles/{uuid:key}/ninjs", url_name="ninjs", summary="One article as IPTC ninjs")
def article_as_ninjs(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """One article by its key in the form of IPTC ninjs 2.1."""
    credits = Prefetch("contributions", Contribution.objects.select_related("contributor"))
    found = (
        Article.objects.public()
        .select_related("source")
        .prefetch_related(credits, "tags")  # type: ignore[misc]  # taggit has no types
        .filter(key=key)
        .first()
    )
    if found is None:
        return _gone(request, key)
    shows(request, articles=[found])
    return JsonResponse(ninjs(found), json_dumps_params={"ensure_ascii": False})


@router.get("/tags/", response=NamePage, url_name="tags", summary="Tags")
def tags(request: HttpRequest, after: str = "") -> NamePage:
    """Tags of which some article is public."""
    used = Article.objects.public().filter(taggedarticle__tag=OuterRef("pk"))
    return _names(request, Tag.objects.filter(Exists(used)), after)


@router.get("/sources/", response=NamePage, url_name="sources", summary="Sources")
def sources(request: HttpRequest, after: str = "") -> NamePage:
    """Outlets of which some article is public."""
    used = Article.objects.public().filter(source=OuterRef("pk"))
    return _names(request, Source.objects.filter(Exists(used)), after)


@router.get("/contributors/", response=NamePage, url_name="contributors", summary="Contributors")
def contributors(request: HttpRequest, after: str = "") -> NamePage:
    """People and agencies who had a part in some public article."""
    used = Article.objects.public().filter(contributions__contributor=OuterRef("pk"))
    return _names(request, Contributor.objects.filter(Exists(used)), after)


@router.get("/search/", response=HitPage, url_name="search", summary="Search")
def searched(
    request: HttpRequest, q: str, language: str = "", source: str = "", tag: str = "", before: str = ""
) -> HttpResponse:
    """Public articles with these words: "a phrase", -without, this OR that, begin*."""
    found = search.find(q, language=language, source=source, tag=tag, before=before)
    shows(request, articles=[hit.article for hit in found.hits], keys=[LATEST, SEARCH])
    hits = [
        {"headline": hit.headline, "excerpt": hit.excerpt, "article": _facts(hit.article)}
        for hit in found.hits
    ]
    return _page(
        hits=hits,
        total_is_at_least=found.total_is_at_least,
        corrected_to=found.corrected_to,
        next=_next(request, found.next_cursor),
    )


# --- where an article can be met --------------------------------------------------------------


def at_lists(article: Article) -> Iterable[str]:
    """At the top of the list of articles."""
    return ["/api/articles/"]


def at_itself(article: Article) -> Iterable[str]:
    """At its own address."""
    return [f"/api/articles/{article.key}"]


def at_ninjs(article: Article) -> Iterable[str]:
    """At its own address, as ninjs."""
    return [f"/api/articles/{article.key}/ninjs"]


def at_search(article: Article) -> Iterable[str]:
    """Among the results for its headline."""
    return [f"/api/search/?q={quote(article.headline[:200])}"] if article.headline else []


# --- forms of an answer -----------------------------------------------------------------------


# What a summary tells that no page's list shows.
TOLD = ("key", "canonical_url", "updated_at", "source__homepage")


def _wanted(wanted: Wanted, *, size: int) -> keyset.Page:
    """The page of the list that is asked for, read along the index of a tag or person where one is named."""
    filters = {"source__slug": wanted.source, "language": wanted.language}
    found = (
        display.listed()
        .only(*display.LISTED, *TOLD)
        .filter(**{name: value for name, value in filters.items() if value})
    )
    owners: list[Tag | Contributor | None] = []
    if wanted.tag:
        owners.append(Tag.objects.filter(slug=wanted.tag).first())
    if wanted.contributor:
        owners.append(Contributor.objects.filter(slug=wanted.contributor).first())
        found = found.filter(tags__slug=wanted.tag) if wanted.tag else found
    if None in owners:
        return keyset.Page([])
    owner = owners[-1] if owners else None
    if owner is None:
        return keyset.page(found.in_print(), before=wanted.before, size=size)
    return keyset.page_of(owner, found, before=wanted.before, size=size)


def _page(**told: Any) -> HttpResponse:
    """What the operation's schema says, written as it stands: to have it read by the schema first is half the work."""
    return HttpResponse(
        json.dumps(told, cls=NinjaJSONEncoder), content_type="application/json; charset=utf-8"
    )


def _facts(article: Article) -> dict[str, Any]:
    source = article.source
    return {
        "key": article.key,
        "url": settings.SITE_URL + article.get_absolute_url(),
        "source_url": article.canonical_url,
        "headline": article.headline,
        "excerpt": display.teaser_of(article),
        "language": article.language,
        "published_at": article.published_at,
        "updated_at": article.updated_at,
        "source": {"name": source.name, "slug": source.slug, "homepage": source.homepage} if source else None,
        "pubstatus": "usable",
    }


def _whole(article: Article) -> ArticleWhole:
    text = display.text_of(article, site=settings.SITE_URL)
    return ArticleWhole(
        **_facts(article),
        standfirst=text.standfirst,
        body=text.body,
        byline=article.byline,
        dateline=article.dateline,
        contributions=[
            Person(name=part.contributor.name, slug=part.contributor.slug, role=part.role)
            for part in article.contributions.all()
        ],
        tags=[Topic(name=tag.name, slug=tag.slug) for tag in article.tags.all()],
        picture=_picture(article),
        copyright_holder=article.copyright_holder,
        usage_terms=article.usage_terms,
        licence_url=article.licence_url,
    )


def _picture(article: Article) -> Picture | None:
    media = display.picture_of(article)
    if media is None:
        return None
    url = settings.SITE_URL + display.picture_address(media, media.width)
    return Picture(url=url, alt=media.alt, caption=media.caption, credit=media.credit)


def _gone(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    hidden = Article.objects.filter(key=key).first()
    if hidden is None:
        raise Http404("There is no article with this key.")
    return gone.answer(request, hidden, as_json=True)


def _names(
    request: HttpRequest, rows: QuerySet[Tag] | QuerySet[Source] | QuerySet[Contributor], after: str
) -> NamePage:
    if "\x00" in after:
        raise BadRequest("This page of the list does not exist.")
    found = list(rows.filter(slug__gt=after).order_by("slug").values("name", "slug")[: NAMES_PAGE + 1])
    shows(request, keys=[LATEST])
    last = found[NAMES_PAGE - 1]["slug"] if len(found) > NAMES_PAGE else ""
    return NamePage(names=[Topic(**row) for row in found[:NAMES_PAGE]], next=_next(request, last, "after"))


def _next(request: HttpRequest, cursor: str, name: str = "before") -> str:
    """The address of the same list from the cursor on."""
    if not cursor:
        return ""
    asked = request.GET.copy()
    asked[name] = cursor
    return f"{settings.SITE_URL}{request.path}?{asked.urlencode()}"

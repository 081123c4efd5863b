"""The public pages. Each is a surface: it says what it shows, and where on it an article can be met."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from html import escape
from itertools import groupby
from typing import Any
from urllib.parse import quote, urlencode

from csp.decorators import csp_replace
from django.conf import settings
from django.core.exceptions import BadRequest
from django.db.models import (
    BigIntegerField,
    CharField,
    Count,
    F,
    Min,
    Q,
    QuerySet,
)
from django.db.models.functions import Now
from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext

from articles import canary, display, facets, front, gone, interface, keyset, search, teasers, whole
from articles.around import Around
from articles.around import around as beside
from articles.keyset import Listing
from articles.merging import now_at, public_person_once_at
from articles.models import (
    Article,
    Contribution,
    Contributor,
    SlugRedirect,
    Source,
    Story,
    Tag,
)
from articles.statements import OneOf, Slot, Statement
from articles.surfaces import FRONT, LATEST, SEARCH, shows, surface
from articles.templatetags import frame, front_parts
from articles.templatetags.reading import language_name

LONGEST_QUERY = 200
PREPARED = ("opening", "read_next", "read_next_at")
DAYS_LISTED = 31
FIRST_YEAR, LAST_YEAR = 1990, 2999
LANGUAGE = re.compile(r"[a-z]{2,3}")
# Where a list goes on.
BEFORE = ("before",)
NARROWING = ("source", "tag", "language", "since", "until")


@dataclass(frozen=True, slots=True)
class Day:
    """The articles of one day in a list."""

    on: date
    articles: list[Article]


# --- where an article can be met --------------------------------------------------------------


def at_front(article: Article) -> Iterable[str]:
    """On the front page."""
    return interface.in_every_language(["/"])


def at_latest(article: Article) -> Iterable[str]:
    """In the list of everything: at its top, and at the page that begins with it."""
    return ["/latest/", *_at_cursor("/latest/", article)]


def at_itself(article: Article) -> Iterable[str]:
    """On its own page, under each address it ever had and in each language."""
    slugs = [article.slug, *article.old_slugs.values_list("slug", flat=True)]
    return interface.in_every_language(f"/articles/{quote(slug)}/" for slug in slugs)


def at_story(article: Article) -> Iterable[str]:
    """On the page of its story, under each address that had."""
    if not article.story:
        return []
    former = article.story.former_addresses.values_list("slug", flat=True)
    return [*_list_paths(article.story, article), *(f"/stories/{quote(slug)}/" for slug in former)]


def at_tags(article: Article) -> Iterable[str]:
    """On the pages of its tags."""
    tags = list(article.tags.prefetch_related("former_addresses"))
    former = [one.slug for tag in tags for one in tag.former_addresses.all()]
    paths = [path for tag in tags for path in _list_paths(tag, article)]
    return [*paths, *(f"/tags/{quote(slug)}/" for slug in former)]


def at_contributors(article: Article) -> Iterable[str]:
    """On the pages of those who made it."""
    people = list(article.contributors.distinct().prefetch_related("former_addresses"))
    former = [one.slug for person in people for one in person.former_addresses.all()]
    paths = [path for person in people for path in _list_paths(person, article)]
    return [*paths, *(f"/contributors/{quote(slug)}/" for slug in former)]


def at_source(article: Article) -> Iterable[str]:
    """On the page of the outlet."""
    return _list_paths(article.source, article) if article.source else []


def at_language(article: Article) -> Iterable[str]:
    """On the page of its language."""
    code = article.language.partition("-")[0].lower()
    if not LANGUAGE.fullmatch(code):
        return []
    return [f"/languages/{code}/", *_at_cursor(f"/languages/{code}/", article)]


def at_search(article: Article) -> Iterable[str]:
    """Among the results for its headline."""
    return [f"/search/?q={quote(article.headline[:LONGEST_QUERY])}"] if article.headline else []


def at_archive(article: Article) -> Iterable[str]:
    """In the archive of its day."""
    if not article.published_at:
        return []
    path = f"/archive/{timezone.localtime(article.published_at):%Y-%m-%d}/"
    return [path, *_at_cursor(path, article)]


def nowhere(article: Article) -> Iterable[str]:
    """Such a page shows no article."""
    return []


def _list_paths(owner: Tag | Contributor | Source | Story, article: Article) -> list[str]:
    path = quote(owner.get_absolute_url(), safe="/%")
    return [path, *_at_cursor(path, article)]


def _at_cursor(path: str, article: Article) -> list[str]:
    if not article.published_at:
        return []
    after = Article(pk=article.pk + 1, published_at=article.published_at)
    return [f"{path}?before={keyset.cursor(after)}"]


# --- pages ------------------------------------------------------------------------------------


@surface("front", locate=at_front)
def front_page(request: HttpRequest) -> HttpResponse:
    """Lead, the articles beside it, a row for each featured tag, then the newest."""
    tags = front.featured()
    pins = front.standing()
    page = front.compose(tags, pins)
    articles = page.articles()
    keys = [LATEST, FRONT, *(f"tag:{tag.pk}" for tag in tags)]
    shows(request, articles=articles, keys=keys, until=front.next_change(pins), considered=page.considered)
    newest = max((a.published_at for a in articles if a.published_at), default=None)
    return front_parts.answer(request, page, tags, edition=newest)


@surface("latest", locate=at_latest, reads=BEFORE)
def latest(request: HttpRequest) -> HttpResponse:
    """Everything, newest first."""
    return _list(request, "articles/latest.html", _LATEST.page(before=_before(request)), keys=[LATEST])


_LATEST = Listing(lambda: teasers.listed().without_copies().in_print())
_TAGGED = Listing(lambda: teasers.listed().without_copies(), of=Tag)
_MADE_BY = Listing(teasers.listed, of=Contributor)
_OF_SOURCE = Listing(lambda: teasers.listed().filter(source=Slot("source", BigIntegerField())).in_print())
_CREDITS = Statement(
    lambda: Contribution.objects.filter(
        OneOf("article", "articles"), contributor=Slot("person", BigIntegerField())
    )
)


def _public_article() -> QuerySet[Article]:
    public = Article.objects.public().filter(slug=Slot("slug", CharField())).select_related("story")
    public = public.only("slug", "headline", "language", "published_at", "copy_of", "story__slug")
    prepared = {name: F(f"prepared__{name}") for name in PREPARED}
    return public.annotate(page=whole.kept(), **prepared)


_ARTICLE = Statement(_public_article)


@surface("article", locate=at_itself)
def article_page(request: HttpRequest, slug: str) -> HttpResponse:
    """One article, or what is said in the place of one that is gone; an old address leads to the new one."""
    article = next(iter(_ARTICLE(slug=slug)), None)
    if article is None:
        return _canary(request, slug) or _elsewhere(request, slug)
    page = whole.page_of(article)
    if page is None:
        return _elsewhere(request, slug)
    around = beside(article)
    story = [f"story:{article.story_id}"] if article.story_id else []
    shows(request, articles=[article, *around.articles()], keys=story)
    return whole.answer(request, article, page, around)


def _canary(request: HttpRequest, slug: str) -> HttpResponse | None:
    """The page of a drill's article, which is public nowhere else; nothing of it is kept."""
    article = canary.shown(slug, Article.objects.select_related("source", "lead_media", "story"))
    if article is None:
        return None
    shows(request, articles=[article])
    response = whole.answer(request, article, whole.page_set(article, []), Around([]))
    response.headers["X-Robots-Tag"] = "noindex, noarchive"
    return response


def _elsewhere(request: HttpRequest, slug: str) -> HttpResponse:
    redirect = SlugRedirect.objects.select_related("article").filter(slug=slug).first()
    if redirect and Article.objects.public().filter(pk=redirect.article_id).exists():
        return HttpResponsePermanentRedirect(redirect.article.get_absolute_url())
    return gone.of_slug(request, slug)


@surface("story", locate=at_story, reads=BEFORE)
def story_page(request: HttpRequest, slug: str) -> HttpResponse:
    """One event as its reports came in, by day; a former address leads to the one it has now."""
    story = Story.objects.told().select_related("merged_into").filter(slug=slug).first()
    if story is None:
        moved = now_at(Story, slug)
        if moved is None:
            raise Http404("No such story.")
        return HttpResponsePermanentRedirect(moved.get_absolute_url())
    if story.merged_into:
        return HttpResponsePermanentRedirect(story.merged_into.get_absolute_url())
    articles = teasers.listed().filter(story=story)
    facts = articles.aggregate(
        count=Count("pk"),
        outlets=Count("source", distinct=True),
        languages=Count("language", distinct=True),
        first=Min("published_at"),
    )
    if not facts["count"]:
        raise Http404("Nothing of this story is public.")
    keys = [f"story:{story.pk}"]
    page = keyset.page(articles, before=_before(request))
    return _list(request, "articles/story.html", page, keys=keys, story=story, facts=facts)


@surface("tag", locate=at_tags, reads=BEFORE)
def tag_page(request: HttpRequest, slug: str) -> HttpResponse:
    """The articles with one tag; a former address leads to the tag it became."""
    tag = keyset.tag_at(slug)
    if tag is None:
        moved = now_at(Tag, slug)
        if moved is None:
            raise Http404("No such tag.")
        return HttpResponsePermanentRedirect(moved.get_absolute_url())
    page = _TAGGED.page(owner=tag.pk, before=_before(request))
    return _list(request, "articles/tag.html", page, keys=[f"tag:{tag.pk}"], tag=tag)


@surface("contributor", locate=at_contributors, reads=BEFORE)
def contributor_page(request: HttpRequest, slug: str) -> HttpResponse:
    """What one person had a part in. Nobody is listed of whom nothing is public."""
    person = keyset.person_at(slug)
    if person is None:
        moved = public_person_once_at(slug)
        if moved is None:
            raise Http404("Nobody is listed here.")
        return HttpResponsePermanentRedirect(moved.get_absolute_url())
    page = _MADE_BY.page(owner=person.pk, before=_before(request))
    credits = defaultdict(list)
    for credit in _CREDITS(articles=[article.pk for article in page.articles], person=person.pk):
        credits[credit.article_id].append(credit)
    for article in page.articles:
        article._prefetched_objects_cache = {"contributions": credits[article.pk]}  # type: ignore[attr-defined]
    keys = [f"contributor:{person.pk}"]
    return _list(request, "articles/contributor.html", page, keys=keys, needed=True, person=person)


@surface("source", locate=at_source, reads=BEFORE)
def source_page(request: HttpRequest, slug: str) -> HttpResponse:
    """One outlet: how much of its text we show, on what terms, and its articles."""
    shown = Q(suspended_at__isnull=True) | Q(suspended_at__gt=Now())
    source = get_object_or_404(Source, shown, slug=slug)
    page = _OF_SOURCE.page(source=source.pk, before=_before(request))
    return _list(request, "articles/source.html", page, keys=[f"source:{source.pk}"], source=source)


@surface("languages", locate=nowhere)
def languages(request: HttpRequest) -> HttpResponse:
    """The languages of the newest articles, the commonest first."""
    shows(request, keys=[LATEST])
    known = [(code, language_name(code)) for code in display.languages_read()]
    return render(request, "articles/languages.html", {"languages": known})


@surface("language", locate=at_language, reads=BEFORE)
def language_page(request: HttpRequest, code: str) -> HttpResponse:
    """The articles in one language. There is no page of a language in which nothing is public."""
    articles = teasers.listed().without_copies().in_language(code).in_print()
    page = keyset.page(articles, before=_before(request))
    return _list(request, "articles/language.html", page, keys=[LATEST], needed=True, code=code)


@surface("archive_index", locate=nowhere, reads=("day",))
def archive(request: HttpRequest) -> HttpResponse:
    """The last days on which something was published, and a way to any other."""
    wanted = request.GET.get("day", "")
    if wanted:
        return _to_day(wanted)
    public = Article.objects.public()
    newest = public.newest_first().only("published_at").first()
    oldest = public.in_print().order_by("published_at", "pk").only("published_at").first()
    days: list[date] = []
    if newest and oldest:
        last, first = _day_of(newest), _day_of(oldest)
        days = [last - timedelta(days=n) for n in range(min(DAYS_LISTED, (last - first).days + 1))]
    shows(request, articles=[a for a in (newest, oldest) if a], keys=[LATEST])
    return render(request, "articles/archive.html", {"days": days, "oldest": oldest and _day_of(oldest)})


def _to_day(wanted: str) -> HttpResponse:
    try:
        on = date.fromisoformat(wanted)
    except ValueError as error:
        raise BadRequest(gettext("Give the day as year, month and day: 2026-11-23.")) from error
    return redirect("archive_day", on)


@surface("archive_day", locate=at_archive, reads=BEFORE)
def archive_day(request: HttpRequest, on: date) -> HttpResponse:
    """One day's articles, with ways to the nearest days that have some."""
    if not FIRST_YEAR <= on.year <= LAST_YEAR:
        raise Http404("Before the web, or far beyond today.")
    start = datetime(on.year, on.month, on.day, tzinfo=timezone.get_default_timezone())
    end = start + timedelta(days=1)
    public = Article.objects.public().only("published_at")
    earlier = public.filter(published_at__lt=start).newest_first().first()
    later = public.filter(published_at__gte=end).in_print().order_by("published_at", "pk").first()
    around = [article for article in (earlier, later) if article]
    context: dict[str, Any] = {
        "on": on,
        "earlier": earlier and _day_of(earlier),
        "later": later and _day_of(later),
    }
    shows(request, articles=around)
    articles = teasers.listed().filter(published_at__gte=start, published_at__lt=end).in_print()
    page = keyset.page(articles, before=_before(request))
    # An empty day is no page to keep: anybody could ask for any number of them.
    return _list(request, "articles/archive_day.html", page, keys=[LATEST], status_if_empty=404, **context)


def _day_of(article: Article) -> date:
    assert article.published_at  # noqa: S101 (public articles have a date)
    return timezone.localtime(article.published_at).date()


@surface("search", locate=at_search, reads=("q", *NARROWING, *BEFORE))
def search_page(request: HttpRequest) -> HttpResponse:
    """Articles that match what was typed, best first."""
    asked = {name: " ".join(_given(request, name).split()) for name in ("q", *NARROWING)}
    query, before = asked["q"][:LONGEST_QUERY], _before(request)
    asked |= {"q": query, "language": asked["language"].partition("-")[0].lower()}
    since, until = (_day_asked(asked[name], end=name == "until") for name in ("since", "until"))
    results = search.Results()
    if query:
        source, tag, language = asked["source"], asked["tag"], asked["language"]
        results = search.find(
            query, language=language, source=source, tag=tag, since=since, until=until, before=before
        )
    shows(request, articles=[hit.article for hit in results.hits], keys=[LATEST, SEARCH])
    context = {
        "query": query,
        "asked": asked,
        "results": results,
        "before": before,
        "chosen": facets.chosen(asked) if query else [],
        "facets": facets.facets(results.counted, asked) if query else [],
        "first_page": urlencode({name: value for name, value in asked.items() if value}),
    }
    html = frame.framed(
        "articles/search.html",
        f"{escape(query)}: " if query else "",
        frame.sections(front.featured(), request.path),
        render_to_string("articles/_search.html", context),
        frame.languages_of_page(interface.choices(request.path), interface.tongue()),
    )
    return HttpResponse(html)


def _day_asked(text: str, *, end: bool) -> datetime | None:
    """The moment a day begins (or is over), None where none was given; BadRequest when it is no day."""
    if not text:
        return None
    try:
        on = date.fromisoformat(text)
        start = datetime(on.year, on.month, on.day, tzinfo=timezone.get_default_timezone())
        return (start + timedelta(days=1) if end else start).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadRequest(gettext("Give the day as year, month and day: 2026-11-23.")) from error


def _given(request: HttpRequest, name: str) -> str:
    """What the address says, no longer than anything we would look for, without what databases refuse."""
    return request.GET.get(name, "")[: 2 * LONGEST_QUERY].replace("\x00", " ")


def _before(request: HttpRequest) -> str:
    """The cursor where a list goes on."""
    return _given(request, "before")


def _list(
    request: HttpRequest,
    template: str,
    page: keyset.Page,
    *,
    keys: list[str],
    status_if_empty: int = 200,
    needed: bool = False,
    **context: Any,
) -> HttpResponse:
    """A page of a list, by day. `needed`: with nothing public in it there is no such page."""
    before = _before(request)
    if needed and not page.articles and not before:
        raise Http404("Nothing here is public.")
    teasers.fill(page.articles)
    shows(request, articles=page.articles, keys=keys)
    context |= {"page": page, "days": _by_day(page.articles), "before": before}
    return render(request, template, context, status=200 if page.articles else status_if_empty)


def _by_day(articles: list[Article]) -> list[Day]:
    return [Day(on, list(group)) for on, group in groupby(articles, key=_day_of)]


# --- about the site ---------------------------------------------------------------------------


@surface("rights", locate=nowhere)
def rights(request: HttpRequest) -> HttpResponse:
    """How to have something removed, and what happens hour by hour."""
    hours = {"promise": settings.PROMISE_HOURS, "hold_after": settings.HOLD_AFTER_HOURS}
    return render(request, "articles/rights.html", hours)


@surface("tools", locate=nowhere)  # type: ignore[arg-type]  # the decorator's types know no HttpResponse
@csp_replace(
    {"trusted-types": ["offline-worker"]}
)  # static/js/reader.js: allows the one address of the worker
def tools(request: HttpRequest) -> HttpResponse:
    """The reader's own tools: they live in the browser, this page only has room for them."""
    return render(request, "articles/tools.html")

"""Sitemaps that cost the same at a million articles, the news sitemap, and robots.txt."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.db.models import F, Func, TextField
from django.db.models.functions import Coalesce, Now
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import escape
from lxml import etree

from articles import display, interface
from articles.addresses import page_address
from articles.feeds import absolute, address_of, changed_at
from articles.models import Article
from articles.surfaces import LATEST, PER_PART, part_of_sitemap, shows, surface

MOST_PARTS = 10**12
_SLUG = "a-slug"
# A slug that stands in an address as it is.
_PLAIN = re.compile("[a-z0-9-]+").fullmatch
NEWS_URLS = 1_000
LOOKED_AT_AGAIN = timedelta(hours=1)
NEWS_SPAN = timedelta(days=2)
_MAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
_XHTML = "http://www.w3.org/1999/xhtml"
_NEWS = "http://www.google.com/schemas/sitemap-news/0.9"
_XML = "application/xml; charset=utf-8"
# Those whose text is ours, so that each is a translation of the others; lists have one address for searches.
PAGES = (
    "/", "/archive/", "/languages/", "/rights/", "/about/", "/ethics/", "/corrections/", "/transparency/", "/tools/",
)  # fmt: skip
LISTS = ("/latest/",)


class _Written(Func):
    """A moment as sitemaps write it, in UTC."""

    output_field = TextField()

    def as_sqlite(self, compiler: Any, connection: Any, **rest: Any) -> Any:
        """SQLite keeps moments in UTC, as text."""
        return self.as_sql(
            compiler, connection, template="STRFTIME('%%%%Y-%%%%m-%%%%dT%%%%H:%%%%M:%%%%SZ', %(expressions)s)"
        )

    def as_postgresql(self, compiler: Any, connection: Any, **rest: Any) -> Any:
        """PostgreSQL would write them in the session's zone."""
        form = 'YYYY-MM-DD"T"HH24:MI:SS"Z"'
        return self.as_sql(
            compiler, connection, template=f"TO_CHAR(%(expressions)s AT TIME ZONE 'UTC', '{form}')"
        )


def at_parts(article: Article) -> Iterable[str]:
    """In its part of the sitemap."""
    return [f"/sitemaps/{article.pk // PER_PART}.xml"]


def at_news(article: Article) -> Iterable[str]:
    """In the news sitemap while it is news."""
    return ["/news-sitemap.xml"]


def nowhere(article: Article) -> Iterable[str]:
    """Names no article."""
    return []


@surface("sitemap", locate=nowhere)
def index(request: HttpRequest) -> HttpResponse:
    """The parts: one for the pages that always are, one for each PER_PART articles."""
    highest = Article.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    after = highest // PER_PART + 1
    paths = ["/sitemaps/pages.xml", *(f"/sitemaps/{n}.xml" for n in range(after))]
    # It says something else once an article stands in the part after these. Numbers of articles may leave one out.
    shows(request, keys=[part_of_sitemap(after * PER_PART)], until=timezone.now() + LOOKED_AT_AGAIN)
    parts = "".join(f"<sitemap><loc>{escape(settings.SITE_URL)}{path}</loc></sitemap>" for path in paths)
    whole = f"<?xml version='1.0' encoding='utf-8'?>\n<sitemapindex xmlns=\"{_MAP}\">{parts}</sitemapindex>"
    return HttpResponse(whole, content_type=_XML)


@surface("sitemap_pages", locate=nowhere)
def pages(request: HttpRequest) -> HttpResponse:
    """The pages that always are, in each language of the interface; then one for each language of articles."""
    root = etree.Element("urlset", nsmap={None: _MAP, "xhtml": _XHTML})  # type: ignore[dict-item]
    for path in PAGES:
        alternates = {tongue.code: address for tongue, address in interface.choices(path)}
        for address in alternates.values():
            _alternates(_url(root, address), alternates | {"x-default": path})
    for path in (*LISTS, *(f"/languages/{code}/" for code in display.languages_read())):
        _url(root, path)
    shows(request, keys=[LATEST])
    return _answer(root)


def _url(root: Any, path: str) -> Any:
    url = etree.SubElement(root, "url")
    _loc(url, settings.SITE_URL + path)
    return url


def _alternates(url: Any, addresses: dict[str, str]) -> None:
    for code, address in addresses.items():
        href = settings.SITE_URL + address
        etree.SubElement(url, f"{{{_XHTML}}}link", rel="alternate", hreflang=code, href=href)


@surface("sitemap_part", locate=at_parts)
def part(request: HttpRequest, number: int) -> HttpResponse:
    """The public articles with these numbers, and when each last changed."""
    if number > MOST_PARTS:
        raise Http404("No article has such a number.")
    shows(request, keys=[part_of_sitemap(number * PER_PART)])
    articles = Article.objects.public().filter(pk__gte=number * PER_PART, pk__lt=(number + 1) * PER_PART)
    changed = Coalesce(F("updated_at"), F("published_at"))
    rows = articles.order_by("pk").annotate(changed=_Written(changed)).values_list("slug", "changed")
    before, after = absolute(page_address("article", _SLUG)).split(_SLUG)
    # As text, and the moments from the database as they are written: five thousand of them are all the work.
    urls = [
        f"<url><loc>{before}{slug if _PLAIN(slug) else escape(quote(slug))}{after}</loc><lastmod>{at}</lastmod></url>"
        for slug, at in rows
    ]
    if not urls and number > 0:
        raise Http404("No public article has such a number.")
    whole = f"<?xml version='1.0' encoding='utf-8'?>\n<urlset xmlns=\"{_MAP}\">{''.join(urls)}</urlset>"
    return HttpResponse(whole, content_type=_XML)


@surface("news_sitemap", locate=at_news, store=False)
def news(request: HttpRequest) -> HttpResponse:
    """The newest articles of two days for news search, by Google's rules."""
    recent = Article.objects.public().filter(published_at__gt=Now() - NEWS_SPAN).newest_first()
    articles = recent.only("slug", "headline", "language", "published_at", "source")[:NEWS_URLS]
    root = etree.Element("urlset", nsmap={None: _MAP, "news": _NEWS})  # type: ignore[dict-item]
    for article in articles:
        _news_url(etree.SubElement(root, "url"), article)
    return _answer(root)


def _news_url(url: Any, article: Article) -> None:
    _loc(url, address_of(article))
    news = etree.SubElement(url, f"{{{_NEWS}}}news")
    publication = etree.SubElement(news, f"{{{_NEWS}}}publication")
    etree.SubElement(publication, f"{{{_NEWS}}}name").text = settings.SITE_NAME
    # Google knows languages, not their regions.
    code = (article.language or settings.LANGUAGE_CODE).partition("-")[0]
    etree.SubElement(publication, f"{{{_NEWS}}}language").text = code
    etree.SubElement(news, f"{{{_NEWS}}}publication_date").text = _iso(
        article.published_at or changed_at(article)
    )
    etree.SubElement(news, f"{{{_NEWS}}}title").text = article.headline


@surface("robots", locate=nowhere)
def robots(request: HttpRequest) -> HttpResponse:
    """What crawlers may visit: all that readers may, but neither the desk nor anybody's notice."""
    shows(request)
    lines = [
        "User-agent: *",
        "Disallow: /admin/",
        "Disallow: /removal/",
        "Disallow: /follow/",
        "Disallow: /search/",
        "Allow: /",
        "",
        f"Sitemap: {absolute('/sitemap.xml')}",
        f"Sitemap: {absolute('/news-sitemap.xml')}",
        "",
    ]
    return HttpResponse("\n".join(lines), content_type="text/plain; charset=utf-8")


def _loc(parent: Any, address: str) -> None:
    etree.SubElement(parent, "loc").text = address


def _iso(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _answer(root: Any) -> HttpResponse:
    return HttpResponse(etree.tostring(root, xml_declaration=True, encoding="utf-8"), content_type=_XML)

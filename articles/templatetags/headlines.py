"""Headlines in lists, with what stands under them: the pieces of an article's teaser, put together.

Set here and not in templates: a page has forty of them, and including a template costs more than its text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from html import escape
from typing import Any

from django import template
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from articles import teasers
from articles.facets import Facet
from articles.models import Article, Contributor
from articles.search import Hit
from articles.templatetags.reading import day, language_marks, moment, page_marks, role_of

register = template.Library()

SIZES = "(min-width: 62rem) 20rem, (min-width: 40rem) 45vw, 70vw"


@register.simple_tag
def marks(article: Article) -> SafeString:
    """The lang and dir attributes of the article."""
    return SafeString(teasers.of(article).marks)


@register.simple_tag
def meta(article: Article, person: Contributor | None = None, undated: bool = False) -> SafeString:
    """Outlet, language where it is another than the page's, what `person` did, and when."""
    teaser = teasers.of(article)
    role = escape(role_of(article, person)) if person else ""
    parts = [teaser.outlet, role, "" if undated else teaser.short]
    return SafeString(f'<p class="meta"{page_marks()}>{" · ".join(filter(None, parts))}</p>')


@register.simple_tag
def headline(article: Article, level: int = 3) -> SafeString:
    """The headline as a link."""
    return SafeString(f"<h{level}>{teasers.of(article).link}</h{level}>")


@register.simple_tag
def standfirst(article: Article) -> SafeString:
    """The sentence or two under the headline, where there are any."""
    return SafeString(teasers.of(article).standfirst)


@register.simple_tag
def picture_in(article: Article, sizes: str, eager: bool = False) -> SafeString:
    """The article's picture in these sizes, where it has one."""
    return teasers.of(article).picture(sizes, eager=eager)


@register.simple_tag
def link_to(article: Article) -> SafeString:
    """An article in a list beside another: headline and what stands under it."""
    teaser = teasers.of(article)
    return SafeString(f"<h3{teaser.marks}>{teaser.link}</h3>\n{meta(article)}")


@register.simple_tag
def teaser_block(
    article: Article, level: int = 3, pictured: bool = False, bare: bool = False, undated: bool = False
) -> SafeString:
    """An article in a list. `bare`: without the sentence under its headline."""
    teaser = teasers.of(article)
    parts = [
        f'<article class="teaser"{teaser.marks}>',
        teaser.picture(SIZES) if pictured else "",
        headline(article, level),
        "" if bare else teaser.standfirst,
        meta(article, undated=undated),
        "</article>",
    ]
    return SafeString("\n".join(filter(None, parts)))


@register.simple_tag
def river(days: Iterable[Any], person: Contributor | None = None) -> SafeString:
    """A list by day."""
    return SafeString("".join(_day(one.on, one.articles, person) for one in days))


def _day(on: date, articles: Iterable[Article], person: Contributor | None) -> str:
    rows = "\n".join(_river_row(article, person) for article in articles)
    head = f"<h2>{day(on)}</h2>"
    return f'<section class="day">\n{head}\n<ol class="river" role="list">\n{rows}\n</ol>\n</section>'


def _river_row(article: Article, person: Contributor | None) -> str:
    """The hour, the article with what stands under its headline, its picture."""
    teaser = teasers.of(article)
    parts = [
        '<li class="pictured">' if teaser.pictured else "<li>",
        f'<p class="clock">{teaser.clock}</p>',
        f'<article class="teaser"{teaser.marks}>',
        headline(article),
        teaser.standfirst,
        meta(article, person, undated=True),
        "</article>",
        teaser.picture("9rem"),
        "</li>",
    ]
    return "\n".join(filter(None, parts))


@register.simple_tag
def hit_rows(hits: Iterable[Hit]) -> SafeString:
    """The results of a search."""
    return SafeString("".join(map(_hit_row, hits)))


def _hit_row(hit: Hit) -> str:
    """An article with what was found marked."""
    article = hit.article
    parts = [
        f'<li>\n<p class="clock">{moment(article.published_at, "day")}</p>',
        f'<article class="teaser"{language_marks(article.language)}>',
        f'<h2><a href="{escape(article.get_absolute_url())}">{hit.headline}</a></h2>',
        f'<p class="standfirst">{hit.excerpt}</p>' if hit.excerpt else "",
        meta(article, undated=True),
        "</article>\n</li>",
    ]
    return "\n".join(filter(None, parts))


@register.simple_tag
def narrowing(facets: Sequence[Facet]) -> SafeString:
    """Links to fewer of the results."""
    if not facets:
        return SafeString("")
    ways = "".join(map(_facet, facets))
    return SafeString(f'<nav class="facets" aria-label="{gettext("Narrow the results")}">{ways}</nav>')


def _facet(facet: Facet) -> str:
    choices = "".join(
        f'<li><a href="?{escape(choice.query)}"><bdi>{escape(choice.label)}</bdi>'
        f' <span class="meta">{choice.count}</span></a></li>'
        for choice in facet.choices
    )
    return f'<section>\n<h2 class="label">{facet.title}</h2>\n<ul role="list">{choices}</ul>\n</section>'

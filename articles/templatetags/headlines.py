"""Headlines in lists, with what stands under them.

Set here and not in templates: a page has forty of them, and including a template costs more than its text.
"""

from __future__ import annotations

from html import escape

from django import template
from django.conf import settings
from django.utils.safestring import SafeString

from articles import display
from articles.models import Article, Contributor
from articles.templatetags.reading import (
    foreign_language,
    language_marks,
    moment,
    page_marks,
    picture,
    role_of,
)

register = template.Library()

SIZES = "(min-width: 62rem) 20rem, (min-width: 40rem) 45vw, 70vw"


@register.simple_tag
def meta(article: Article, person: Contributor | None = None, undated: bool = False) -> SafeString:
    """Outlet, language where it is another than the page's, what `person` did, and when."""
    language = foreign_language(article)
    parts = [
        outlet_link(article),
        escape(language),
        escape(role_of(article, person)) if person else "",
        "" if undated else moment(article.published_at, "short"),
    ]
    line = " · ".join(filter(None, parts))
    return SafeString(f'<p class="meta"{page_marks()}>{line}</p>')


def outlet_link(article: Article) -> str:
    """The outlet as a link to its page; our own name where it is ours."""
    source = article.source
    if source is None:
        return escape(settings.SITE_NAME)
    return f'<a href="{escape(source.get_absolute_url())}"><bdi>{escape(source.name)}</bdi></a>'


@register.simple_tag
def headline(article: Article, level: int = 3) -> SafeString:
    """The headline as a link."""
    link = f'<a href="{escape(article.get_absolute_url())}">{escape(article.headline)}</a>'
    return SafeString(f"<h{level}>{link}</h{level}>")


@register.simple_tag
def standfirst(article: Article) -> SafeString:
    """The sentence or two under the headline, where there are any."""
    text = display.teaser_of(article)
    return SafeString(f'<p class="standfirst">{escape(text)}</p>' if text else "")


@register.simple_tag
def link_to(article: Article) -> SafeString:
    """An article in a list beside another: headline and what stands under it."""
    link = f'<a href="{escape(article.get_absolute_url())}">{escape(article.headline)}</a>'
    return SafeString(f"<h3{language_marks(article.language)}>{link}</h3>\n{meta(article)}")


@register.simple_tag
def teaser_block(
    article: Article, level: int = 3, pictured: bool = False, bare: bool = False, undated: bool = False
) -> SafeString:
    """An article in a list. `bare`: without the sentence under its headline."""
    parts = [
        f'<article class="teaser"{language_marks(article.language)}>',
        picture(display.picture_of(article), sizes=SIZES) if pictured else "",
        headline(article, level),
        "" if bare else standfirst(article),
        meta(article, undated=undated),
        "</article>",
    ]
    return SafeString("\n".join(filter(None, parts)))


@register.simple_tag
def river_row(article: Article, person: Contributor | None = None) -> SafeString:
    """A line of a list by day: the hour, the article with what stands under its headline, its picture."""
    media = display.picture_of(article)
    parts = [
        '<li class="pictured">' if media else "<li>",
        f'<p class="clock">{moment(article.published_at, "clock")}</p>',
        f'<article class="teaser"{language_marks(article.language)}>',
        headline(article),
        standfirst(article),
        meta(article, person, undated=True),
        "</article>",
        picture(media, sizes="9rem"),
        "</li>",
    ]
    return SafeString("\n".join(filter(None, parts)))

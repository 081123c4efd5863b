"""The parts of an article's page around its text.

Set here and not in the template: as forty conditions and translations there they cost more than all else of the page.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from urllib.parse import quote

from django import template
from django.conf import settings
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext, ngettext

from articles import display
from articles.around import Around
from articles.fragments import BETWEEN
from articles.models import Article, RelatedLink, Tag
from articles.teasers import outlet_link
from articles.templatetags.headlines import link_to
from articles.templatetags.reading import (
    authors,
    contributing_reporters,
    foreign_language,
    language_marks,
    moment,
    other_roles,
    page_marks,
    picture,
)

register = template.Library()

LONGEST_SHOWN_ADDRESS = 70


@register.simple_tag
def times_and_card(article: Article) -> SafeString:
    """For a page's head: when it was published and changed, and where its oEmbed answer is."""
    site, published, updated = quote(settings.SITE_URL, safe=""), article.published_at, article.updated_at
    path = quote(article.get_absolute_url(), safe="")
    address = f"{settings.SITE_URL}/oembed?url={site}{path}"
    lines = [
        f'<meta property="article:published_time" content="{published.isoformat(timespec="seconds")}">'
        if published
        else "",
        f'<meta property="article:modified_time" content="{updated.isoformat(timespec="seconds")}">'
        if updated
        else "",
        f'<link rel="alternate" type="application/json+oembed" href="{escape(address)}">',
    ]
    return _lines(lines)


@register.simple_tag
def kicker(article: Article) -> SafeString:
    """Over the headline: the outlet, the language where it is another than the page's, the dateline."""
    dateline = escape(article.dateline)
    parts = [
        outlet_link(article),
        escape(foreign_language(article)),
        dateline and f'<span class="dateline"{language_marks(article.language)}>{dateline}</span>',
    ]
    return SafeString(f'<p class="kicker"{page_marks()}>{" · ".join(filter(None, parts))}</p>')


@register.simple_tag
def byline(article: Article) -> SafeString:
    """Who made it: the authors, then the others by what they did."""
    code, direction = _page()
    by, others = authors(article), other_roles(article)
    return _lines(
        [
            f'<div class="byline" lang="{code}">',
            f'<p dir="{direction}">{by}</p>' if by else "",
            f'<p class="meta" dir="{direction}">{others}</p>' if others else "",
            "</div>",
        ]
    )


@register.simple_tag
def provenance(article: Article, minutes: int = 0) -> SafeString:
    """The button to the original, and when it was published and changed here."""
    code, direction = _page()
    times = [gettext("Published %(published_when)s") % {"published_when": moment(article.published_at)}]
    if article.updated_at:
        times += [gettext("Updated %(updated_when)s") % {"updated_when": moment(article.updated_at)}]
    if minutes:
        times += [ngettext("%(n)s minute to read", "%(n)s minutes to read", minutes) % {"n": minutes}]
    read = _outlet(article, gettext("Read the original at <bdi>%(outlet)s</bdi>"))
    marks = f'rel="external noopener" dir="{direction}"'
    button = (
        f'<a class="button" href="{_original(article)}" {marks}>{read}</a>' if article.canonical_url else ""
    )
    said = f'<p class="meta" dir="{direction}">{"<br>".join(times)}</p>'
    return _lines([f'<div class="provenance" lang="{code}">', button, said, "</div>"])


@register.simple_tag
def lead_figure(article: Article) -> SafeString:
    """The lead picture with what its owner says of it."""
    media = display.picture_of(article)
    if media is None:
        return SafeString("")
    shown = picture(
        media, sizes="(min-width: 64rem) 54rem, (min-width: 40rem) 92vw, 70vw", eager=True, cropped=False
    )
    caption = " ".join(filter(None, [escape(media.caption), escape(display.credit_line(media))]))
    figcaption = f'<figcaption class="meta">{caption}</figcaption>'
    return SafeString(f'<figure class="lead-picture">\n{shown}\n{figcaption}\n</figure>')


@register.simple_tag
def shown_text(article: Article, text: display.Text) -> SafeString:
    """The text, or as much of it as its owner allows, with the way to the rest."""
    if text.whole:
        return SafeString(f'<div class="body">{text.body}</div>')
    excerpt = f'<div class="body"><p>{escape(text.excerpt)}</p></div>' if text.excerpt else ""
    ends = f"{gettext('This is an excerpt.')} " if text.excerpt or text.standfirst else ""
    terms = gettext(
        "<bdi>%(outlet)s</bdi> published the whole article; we show no more than its terms allow."
    )
    way = _outlet(article, gettext("Continue reading at <bdi>%(outlet)s</bdi>"))
    return _lines(
        [
            excerpt,
            f'<div class="continued"{page_marks()}>',
            f"<p>{ends}{_outlet(article, terms)}</p>",
            f'<p><a href="{_original(article)}" rel="external noopener">{way}</a></p>',
            "</div>",
        ]
    )


@register.simple_tag
def reporters(article: Article) -> SafeString:
    """Who contributed reporting, as newspapers print it under the text."""
    names = contributing_reporters(article)
    said = gettext("Reporting was contributed by %(reporters)s.") % {"reporters": names}
    return SafeString(f'<p class="reporters">{said}</p>' if names else "")


@register.simple_tag
def topics(tags: Iterable[Tag]) -> SafeString:
    """The tags as links."""
    links = [
        f'<li><a href="{escape(tag.get_absolute_url())}" rel="tag">{escape(tag.name)}</a></li>'
        for tag in tags
    ]
    if not links:
        return SafeString("")
    listed = f'<ul class="tags" role="list">{"".join(links)}</ul>'
    return SafeString(f'<section aria-label="{gettext("Topics")}">\n{listed}\n</section>')


@register.simple_tag
def where_from(article: Article) -> SafeString:
    """Who published it first and where, when we read it, whose it is and on what terms.

    Who else published it changes with other articles: its place is left open (`also_published`).
    """
    source = article.source
    if source:
        link = f'<a href="{escape(source.get_absolute_url())}">{escape(source.name)}</a>'
        original = _link(display.original_address(article), "external noopener")
        facts = [(gettext("First published by"), link), (gettext("Original"), original)]
    else:
        facts = [(gettext("Published by"), escape(settings.SITE_NAME))]
    terms = article.usage_terms or (source.terms if source else "")
    others = [
        (gettext("Read by us"), moment(article.fetched_at)),
        (gettext("Rights holder"), _isolated(article.copyright_holder)),
        (gettext("Terms of use"), _isolated(terms)),
        (gettext("Licence"), _link(article.licence_url, "license noopener")),
    ]
    rows = [_fact(name, said) for name, said in facts if said]
    rows[-1] += BETWEEN
    rows += [_fact(name, said) for name, said in others if said]
    heading = f"<h2>{gettext('Where this comes from')}</h2>"
    return _lines(["<section>", heading, '<dl class="facts">', *rows, "</dl>", "</section>"])


@register.simple_tag
def also_published(around: Around) -> SafeString:
    """Who else published the text, among the facts of where it comes from."""
    names = ", ".join(_copy(other) for other in around.copies)
    return SafeString("\n" + _fact(gettext("Also published by"), names) if names else "")


def _fact(name: str, said: str) -> str:
    return f"<dt>{name}</dt><dd>{said}</dd>"


@register.simple_tag
def by_mail(article: Article) -> SafeString:
    """Headline and address as a letter's subject and text."""
    address = settings.SITE_URL + article.get_absolute_url()
    headline = quote(article.headline, safe="")
    return SafeString(f"?subject={headline}&amp;body={headline}%0A%0A{quote(address, safe='')}")


@register.simple_tag
def beside(article: Article, around: Around) -> SafeString:
    """What stands beside the text: next in the story, also reported by, related."""
    following = [link_to(around.following)] if around.following else []
    parts = [
        *_links(gettext("Next in the story"), following),
        *_links(gettext("Also reported by"), [link_to(other) for other in around.of_story]),
        _whole_story(article, around) if around.of_story or around.following else "",
        *_links(gettext("Related"), [_chosen(link) for link in around.chosen]),
        *_links(
            gettext("See also") if around.chosen else gettext("Related"),
            [link_to(other) for other in around.suggested],
        ),
    ]
    if not any(parts):
        return SafeString("")
    return _lines(
        [f'<aside class="aside"{page_marks()} aria-label="{gettext("More on this")}">', *parts, "</aside>"]
    )


def _links(heading: str, links: Sequence[str]) -> list[str]:
    rows = "".join(f"<li>{link}</li>" for link in links)
    return ["<section>", f"<h2>{heading}</h2>", f'<ul role="list">{rows}</ul>', "</section>"] if rows else []


def _whole_story(article: Article, around: Around) -> str:
    said = gettext("The whole story: %(headline)s") % {"headline": escape(around.story_headline)}
    address = article.story.get_absolute_url() if article.story else ""
    return f'<p class="label whole-story"><a href="{escape(address)}">{said}</a></p>'


def _chosen(link: RelatedLink) -> str:
    if link.to_article:
        return link_to(link.to_article)
    title = escape(link.title or link.url)
    return f'<h3><a href="{escape(link.url)}" rel="external noopener">{title}</a></h3>'


def _copy(other: Article) -> str:
    name = other.source.name if other.source else settings.SITE_NAME
    return f'<a href="{escape(other.get_absolute_url())}">{escape(name)}</a>'


def _original(article: Article) -> str:
    return escape(display.original_address(article))


def _outlet(article: Article, sentence: str) -> str:
    return sentence % {"outlet": escape(article.source.name if article.source else "")}


def _link(address: str, relation: str) -> str:
    shown = address if len(address) <= LONGEST_SHOWN_ADDRESS else f"{address[:LONGEST_SHOWN_ADDRESS]}…"
    return (
        f'<a class="address" href="{escape(address)}" rel="{relation}">{escape(shown)}</a>' if address else ""
    )


def _isolated(text: str) -> str:
    return f"<bdi>{escape(text)}</bdi>" if text else ""


def _page() -> tuple[str, str]:
    code = (get_language() or "en").partition("-")[0]
    return code, display.direction(code)


def _lines(parts: Iterable[str]) -> SafeString:
    return SafeString("\n".join(filter(None, parts)))

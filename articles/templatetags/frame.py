"""The frame around every page: what all pages have in common is set once, not at each of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from itertools import chain
from typing import Any

from django import template
from django.conf import settings
from django.template.base import FilterExpression, NodeList, Parser, Token
from django.template.context import Context
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext

from articles import interface
from articles.fragments import BETWEEN
from articles.interface import Tongue
from articles.models import Tag

register = template.Library()

MOST_KEPT = 64


class Kept(template.Node):
    """A part of a template that says the same whenever the page's language and the named values are the same."""

    def __init__(self, nodelist: NodeList, by: Sequence[FilterExpression]) -> None:
        self.nodelist = nodelist
        self.by = by
        self.texts: dict[tuple[str | None, ...], SafeString] = {}

    def render(self, context: Context) -> SafeString:
        """The text, made at the first use. While developing and testing settings change: it is made anew."""
        if settings.DEBUG:
            return self.nodelist.render(context)
        key = (get_language(), *(str(value.resolve(context)) for value in self.by))
        if key not in self.texts and len(self.texts) >= MOST_KEPT:
            self.texts.clear()
        return self.texts.get(key) or self.texts.setdefault(key, self.nodelist.render(context))


@register.tag
def kept(parser: Parser, token: Token) -> Kept:
    """`{% kept site_name %}...{% endkept %}`: name every value that the part shows."""
    by = [parser.compile_filter(word) for word in token.split_contents()[1:]]
    nodelist = parser.parse(("endkept",))
    parser.delete_first_token()
    return Kept(nodelist, by)


_outlines: dict[tuple[str | None, ...], list[str]] = {}


def framed(template_name: str, *parts: str, look: str = "") -> str:
    """A page whose frame leaves these parts open. `look`: light or dark, if not the reader's own."""
    outline = _outline(template_name, interface.tongue(), look)
    return "".join(chain.from_iterable(zip(outline, (*parts, ""), strict=True)))


def _outline(template_name: str, tongue: Tongue, look: str) -> list[str]:
    """What stands before, between and after the parts that a page leaves open with BETWEEN; made at the first use."""
    key = (template_name, tongue.code, look, settings.SITE_NAME, settings.SITE_URL)
    if key not in _outlines or settings.DEBUG:
        context = {
            "interface": tongue,
            "look": look,
            "site_name": settings.SITE_NAME,
            "site_url": settings.SITE_URL,
            "tongues": interface.choices("/"),
        }
        _outlines[key] = render_to_string(template_name, context).split(BETWEEN)
    return _outlines[key]


@register.simple_tag
def sections(navigation: Iterable[Tag], path: str) -> SafeString:
    """The links to the newest and to the featured tags; the page's own is marked."""
    links = [("/latest/", gettext("Latest")), *((tag.get_absolute_url(), tag.name) for tag in navigation)]
    return SafeString("\n".join(f"<li>{_link(address, text, path)}</li>" for address, text in links))


def _link(address: str, text: str, path: str) -> str:
    current = ' aria-current="page"' if address == path else ""
    return f'<a href="{escape(address)}"{current}>{escape(text)}</a>'


@register.simple_tag
def languages_of_page(tongues: Sequence[tuple[Tongue, str]], own: Tongue) -> SafeString:
    """The page in each language of the interface."""
    return SafeString("\n".join(_language(tongue, address, tongue == own) for tongue, address in tongues))


def _language(tongue: Tongue, address: str, is_own: bool) -> str:
    marks = f'hreflang="{tongue.code}" lang="{tongue.code}" dir="{tongue.direction}"'
    current = ' aria-current="true"' if is_own else ""
    return f'<li><a {marks} href="{escape(address)}"{current}>{escape(tongue.name)}</a></li>'


@register.simple_tag(takes_context=True)
def head_links(
    context: dict[str, Any],
    path: str,
    kind: str,
    heading: str,
    about: str = "",
    feed: str = "",
    picture_url: str = "",
    ours: bool = False,
) -> SafeString:
    """What programs read in a page's head: its address, what other sites show beside a link, and its feeds.

    `kind`: website, article or profile; `feed`: its path without the ending; `ours`: the text itself is in
    the page's language, so the page has one in each.
    """
    site, site_name, tongue = context["site_url"], context["site_name"], context["interface"]
    own = f"{site}{tongue.prefix if ours else ''}{path}"
    lines = [f'<link rel="canonical" href="{escape(own)}">']
    if ours:
        lines += [_alternate(other.code, site + address) for other, address in context["tongues"]]
        lines += [_alternate("x-default", site + path)]
    lines += [_property("og:type", kind), _property("og:site_name", site_name)]
    lines += [_property("og:title", heading), _property("og:url", own)]
    lines += [_property("og:description", about)] if about else []
    size = "summary_large_image" if picture_url else "summary"
    lines += [f'<meta name="twitter:card" content="{size}">']
    image = (picture_url, "1200", "630", heading) if picture_url else (static(_ICON), "512", "512", site_name)
    lines += [_property("og:image", site + image[0]), _property("og:image:width", image[1])]
    lines += [_property("og:image:height", image[2]), _property("og:image:alt", image[3])]
    if feed:
        lines += [_feed(feed, heading, *of_form) for of_form in _FORMS]
    return SafeString("\n    ".join(lines))


_ICON = "icons/icon-512.png"
_FORMS = (
    ("rss", "application/rss+xml", "RSS"),
    ("atom", "application/atom+xml", "Atom"),
    ("json", "application/feed+json", "JSON Feed"),
)


def _property(name: str, value: str) -> str:
    return f'<meta property="{name}" content="{escape(str(value))}">'


def _alternate(code: str, address: str) -> str:
    return f'<link rel="alternate" hreflang="{code}" href="{escape(address)}">'


def _feed(path: str, heading: str, ending: str, kind: str, name: str) -> str:
    title = escape(f"{heading} ({name})")
    return f'<link rel="alternate" type="{kind}" title="{title}" href="{escape(path)}.{ending}">'

"""What the public pages need to set an article: language marks, times, pictures, credits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from itertools import groupby
from typing import Any

from django import template
from django.utils import timezone
from django.utils.dateformat import format as format_date
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language, get_language_info, gettext, gettext_noop

from articles import display
from articles.bylines import without_by
from articles.models import Article, Contribution, Contributor, Role, UsagePolicy

register = template.Library()

# How each language of the interface writes a day and a moment, in Django's letters.
_WRITTEN: dict[str, dict[str, str]] = {
    "en": {"full": "j F Y, H:i", "short": "j M, H:i", "day": "j M Y", "date": "j F Y", "weekday": "l j F Y"},
    "de": {
        "full": "j. F Y, H:i",
        "short": "j. M, H:i",
        "day": "j. M Y",
        "date": "j. F Y",
        "weekday": "l, j. F Y",
    },
    "fr": {"full": "j F Y, H:i", "short": "j M, H:i", "day": "j M Y", "date": "j F Y", "weekday": "l j F Y"},
    "es": {
        "full": r"j \d\e F \d\e Y, H:i",
        "short": "j M, H:i",
        "day": "j M Y",
        "date": r"j \d\e F \d\e Y",
        "weekday": r"l, j \d\e F \d\e Y",
    },
    # E: the month as it stands after a day.
    "uk": {"full": "j E Y, H:i", "short": "j E, H:i", "day": "j E Y", "date": "j E Y", "weekday": "l, j E Y"},
    "ar": {"full": "j F Y، H:i", "short": "j F، H:i", "day": "j F Y", "date": "j F Y", "weekday": "l، j F Y"},
}
_SAME = {"clock": "H:i"}
# What each role is called before the names of those who had it. Reporters are named after the text.
_ROLE_WORDS = {
    Role.PHOTOGRAPHER: gettext_noop("Photographs"),
    Role.ILLUSTRATOR: gettext_noop("Illustration"),
    Role.EDITOR: gettext_noop("Edited by"),
    Role.TRANSLATOR: gettext_noop("Translated by"),
    Role.AGENCY: gettext_noop("Agency"),
}

register.filter("credit_line", display.credit_line)
picture = register.simple_tag(display.picture_block, name="picture")
register.filter("original_address", display.original_address)


@register.simple_tag
@lru_cache(maxsize=256)
def language_marks(language: str) -> SafeString:
    """The lang and dir attributes of a foreign text; an unknown language leaves the direction to its letters."""
    direction = display.direction(language)
    if not language:
        return format_html(' dir="{}"', direction)
    return format_html(' lang="{}" dir="{}"', language, direction)


@register.simple_tag
def page_marks() -> SafeString:
    """The lang and dir attributes of our own words inside a foreign text."""
    return language_marks(_page_language())


def _page_language() -> str:
    return (get_language() or "en").partition("-")[0]


@register.filter
def foreign_language(article: Article) -> str:
    """What the article's language is called in that of the page; nothing where they are the same."""
    code = article.language.lower().partition("-")[0]
    return "" if not code or code == _page_language() else language_name(code)


@register.filter
def language_name(code: str) -> str:
    """What a language is called; its code where nobody knows."""
    try:
        return str(get_language_info(code)["name_translated"] or code)
    except KeyError:
        return code


@register.simple_tag
def moment(at: datetime | None, form: str = "full") -> SafeString:
    """A point in time, readable and exact. `form`: full (with the zone), utc (with weekday), short, clock or day."""
    if at is None:
        return SafeString("")
    return _moment(at, form, timezone.get_current_timezone_name(), get_language())


@lru_cache(maxsize=4096)
def _moment(at: datetime, form: str, zone: str, language: str | None) -> SafeString:
    # Zone and language are here for the memory alone: what they are, Django knows.
    local = at.astimezone(UTC) if form == "utc" else timezone.localtime(at)
    if form == "utc":
        text = f"{written(local, 'weekday')}, {local:%H:%M} UTC"
    else:
        text = written(local, form) + (f" {local.tzname()}" if form == "full" else "")
    return format_html(
        '<time datetime="{}">{}</time>', at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), text
    )


@register.filter
def written(on: date | datetime, form: str) -> str:
    """A day or a moment as the language of the page writes it."""
    local = timezone.localtime(on) if isinstance(on, datetime) and form != "weekday" else on
    formats = _SAME | _WRITTEN.get(_page_language(), _WRITTEN["en"])
    return format_date(local, formats[form])


@register.simple_tag
def day(on: date) -> SafeString:
    """A day, in words."""
    return _day(on, get_language())


@lru_cache(maxsize=1024)
def _day(on: date, language: str | None) -> SafeString:
    return format_html('<time datetime="{}">{}</time>', on.isoformat(), written(on, "weekday"))


@register.simple_tag
def authors(article: Article) -> SafeString:
    """`By` and the linked authors in their order; the printed line where nobody was recognised."""
    people = _people(article, {Role.AUTHOR})
    printed = "" if article.contributions.all() else without_by(article.byline, article.language)
    names = _named(people) if people else printed
    return format_html(gettext("By {names}"), names=names) if names else SafeString("")


@register.simple_tag
def other_roles(article: Article) -> SafeString:
    """The others who had a part, by role: `Photographs: Ann Ó Briain`. Reporters are named after the text."""
    others = [c for c in article.contributions.all() if c.role in _ROLE_WORDS]
    groups = groupby(
        sorted(others, key=lambda c: list(_ROLE_WORDS).index(Role(c.role))), key=lambda c: c.role
    )
    lines = [
        (gettext(_ROLE_WORDS[Role(role)]), _named([c.contributor for c in group])) for role, group in groups
    ]
    return format_html_join("", '<span class="role">{}: {}</span> ', lines)


@register.simple_tag
def contributing_reporters(article: Article) -> SafeString:
    """The linked contributing reporters, in their order."""
    return _named(_people(article, {Role.CONTRIBUTING_REPORTER}))


@register.filter
def role_of(article: Article, person: Contributor) -> str:
    """What this person did for the article, in words."""
    mine: list[Contribution] = [c for c in article.contributions.all() if c.contributor_id == person.pk]
    return ", ".join(dict.fromkeys(_role_word(c.role, get_language()) for c in mine))


@lru_cache(maxsize=64)
def _role_word(role: str, language: str | None) -> str:
    # The language is here for the memory alone.
    return gettext(Role(role).label).lower()


@register.filter
def policy_in_words(source: Any) -> str:
    """How much of an outlet's text we show, as a sentence."""
    sentences = {
        UsagePolicy.HEADLINE: gettext("We show the headline alone and send readers to the original."),
        UsagePolicy.EXCERPT: gettext("We show at most {number} words and send readers to the original."),
        UsagePolicy.FULL: gettext("We show the full text, as the owner allows, with a link to the original."),
    }
    return sentences[source.shown_usage].format(number=source.excerpt_words)


def _people(article: Article, roles: set[Role]) -> list[Contributor]:
    return [c.contributor for c in article.contributions.all() if c.role in roles]


def _named(people: Sequence[Contributor]) -> SafeString:
    """Linked names: `A, B and C`."""
    links = [
        format_html('<a href="{}" rel="author">{}</a>', person.get_absolute_url(), person.name)
        for person in people
    ]
    if len(links) < 2:
        return links[0] if links else SafeString("")
    separator = "، " if _page_language() == "ar" else ", "
    first = format_html_join(separator, "{}", ((link,) for link in links[:-1]))
    return format_html(gettext("{first} and {last}"), first=first, last=links[-1])

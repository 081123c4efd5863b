"""By what the results of a search can be narrowed: outlet, topic and language, counted among the first ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import Count
from django.utils.translation import gettext, gettext_noop

from articles.models import Article, Source, Tag
from articles.templatetags.reading import language_name

MOST_CHOICES = 8


@dataclass(frozen=True, slots=True)
class Choice:
    """One link that narrows: what it is called, how many there are, and the address with it."""

    label: str
    count: int
    query: str


@dataclass(frozen=True, slots=True)
class Facet:
    """One way to narrow, with its choices; the commonest first."""

    name: str
    title: str
    choices: list[Choice]


@dataclass(frozen=True, slots=True)
class Chosen:
    """A narrowing in force: what it is called, and the address without it."""

    title: str
    label: str
    query: str


TITLES = {
    "source": gettext_noop("Outlet"),
    "tag": gettext_noop("Topic"),
    "language": gettext_noop("Language"),
    "since": gettext_noop("From"),
    "until": gettext_noop("Until"),
}


def facets(found: Sequence[int], asked: Mapping[str, str]) -> list[Facet]:
    """The choices that are still open, three questions for all of them. One choice alone narrows nothing."""
    counted = {"source": _sources(found), "tag": _tags(found), "language": _languages(found)}
    return [
        Facet(
            name,
            gettext(TITLES[name]),
            [Choice(label, count, _with(asked, name, value)) for value, label, count in rows],
        )
        for name, rows in counted.items()
        if len(rows) > 1 and not asked.get(name)
    ]


def chosen(asked: Mapping[str, str]) -> list[Chosen]:
    """The narrowings in force, each with the way out of it."""
    names = {"source": _name(Source, asked), "tag": _name(Tag, asked)}
    return [
        Chosen(gettext(title), names.get(name) or _label(name, asked[name]), _with(asked, name, ""))
        for name, title in TITLES.items()
        if asked.get(name)
    ]


def _label(name: str, value: str) -> str:
    return language_name(value) if name == "language" else value


def _name(model: type[Source] | type[Tag], asked: Mapping[str, str]) -> str:
    slug = asked.get(model._meta.model_name or "")
    return (
        str(model._default_manager.filter(slug=slug).values_list("name", flat=True).first() or "")
        if slug
        else ""
    )


def _with(asked: Mapping[str, str], name: str, value: str) -> str:
    return urlencode({key: text for key, text in {**asked, name: value}.items() if text})


def _sources(found: Sequence[int]) -> list[tuple[str, str, int]]:
    rows = Source.objects.filter(articles__in=found).annotate(count=Count("articles"))
    return list(rows.order_by("-count", "name").values_list("slug", "name", "count")[:MOST_CHOICES])


def _tags(found: Sequence[int]) -> list[tuple[str, str, int]]:
    rows = Tag.objects.filter(tagged__content_object__in=found).annotate(count=Count("tagged"))
    return list(rows.order_by("-count", "name").values_list("slug", "name", "count")[:MOST_CHOICES])


def _languages(found: Sequence[int]) -> list[tuple[str, str, int]]:
    rows = Article.objects.filter(pk__in=found).exclude(language="").values_list("language")
    counts: dict[str, int] = {}
    for code, count in rows.annotate(count=Count("pk")).order_by("-count", "language"):
        counts[code.partition("-")[0]] = counts.get(code.partition("-")[0], 0) + count
    return [(code, language_name(code), count) for code, count in list(counts.items())[:MOST_CHOICES]]

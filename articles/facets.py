"""By what the results of a search can be narrowed: outlet, topic and language, counted among the first ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.utils.translation import gettext, gettext_noop

from articles import listed
from articles.models import Source, Tag
from articles.search import Found
from articles.statements import ask
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


def facets(found: Sequence[Found], asked: Mapping[str, str]) -> list[Facet]:
    """The choices that are still open, all of them asked for at once. One choice alone narrows nothing."""
    return [
        Facet(
            name,
            gettext(TITLES[name]),
            [Choice(label, count, _with(asked, name, value)) for value, label, count in rows],
        )
        for name, rows in _counted(found).items()
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


_SOURCES = "SELECT id, slug, name FROM articles_source WHERE {ours}"
_TAGS = """
    SELECT t.slug, t.name, part_tags.articles FROM (
        SELECT g.tag_id, COUNT(*) AS articles FROM articles_taggedarticle g WHERE {tagged} GROUP BY g.tag_id) part_tags
    JOIN articles_tag t ON t.id = part_tags.tag_id ORDER BY 3 DESC, 2 LIMIT %s
"""


def _counted(found: Sequence[Found]) -> dict[str, list[tuple[str, str, int]]]:
    """Value, name and number of the commonest outlets, tags and languages of these articles."""
    if not found:
        return {}
    sources = Counter(one.source for one in found if one.source)
    languages = Counter(one.language.partition("-")[0] for one in found if one.language)
    named = ask(_SOURCES.format(ours=listed.one_of("id")), [listed.parameter(sources)])
    tagged = _TAGS.format(tagged=listed.one_of("g.content_object_id"))
    return {
        "source": _commonest((slug, name, sources[pk]) for pk, slug, name in named),
        "tag": ask(tagged, [listed.parameter(one.article for one in found), MOST_CHOICES]),
        "language": _commonest((code, language_name(code), n) for code, n in languages.items()),
    }


def _commonest(rows: Iterable[tuple[str, str, int]]) -> list[tuple[str, str, int]]:
    return sorted(rows, key=lambda row: (-row[2], row[1]))[:MOST_CHOICES]

"""By what the results of a search can be narrowed: outlet, topic and language, counted among the first ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.db import connection
from django.utils.translation import gettext, gettext_noop

from articles import listed
from articles.models import Source, Tag
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


_COUNTED = """
    SELECT * FROM (SELECT 'source', s.slug, s.name, COUNT(*) FROM articles_article a
        JOIN articles_source s ON s.id = a.source_id WHERE {article}
        GROUP BY s.slug, s.name ORDER BY 4 DESC, 3 LIMIT {most}) part_sources
    UNION ALL SELECT * FROM (SELECT 'tag', t.slug, t.name, COUNT(*) FROM articles_taggedarticle g
        JOIN articles_tag t ON t.id = g.tag_id WHERE {tagged}
        GROUP BY t.slug, t.name ORDER BY 4 DESC, 3 LIMIT {most}) part_tags
    UNION ALL SELECT 'language', a.language, '', COUNT(*) FROM articles_article a
        WHERE {article} AND a.language <> '' GROUP BY a.language
"""


def _counted(found: Sequence[int]) -> dict[str, list[tuple[str, str, int]]]:
    """Value, name and number of the commonest outlets, tags and languages of these articles."""
    places = {"article": listed.one_of("a.id"), "tagged": listed.one_of("g.content_object_id")}
    rows: dict[str, list[tuple[str, str, int]]] = {"source": [], "tag": [], "language": []}
    languages: Counter[str] = Counter()
    with connection.cursor() as cursor:
        cursor.execute(_COUNTED.format(most=MOST_CHOICES, **places), [listed.parameter(found)] * 3)
        for facet, value, name, count in cursor.fetchall():
            if facet == "language":
                languages[value.partition("-")[0]] += count
            else:
                rows[facet].append((value, name, count))
    rows["language"] = [(code, language_name(code), n) for code, n in languages.most_common(MOST_CHOICES)]
    return {facet: sorted(some, key=lambda row: (-row[2], row[1])) for facet, some in rows.items()}

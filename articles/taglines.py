"""From the categories a feed writes to the names of our tags."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache

from articles.sanitise import clean_text

MAX_TAGS = 12
MAX_NAME_CHARS = 60
MAX_WORDS = 6
MAX_SLUG_CHARS = 80
MAX_CATEGORIES = 200

# What content systems write when nobody chose a category.
_EMPTY_CATEGORIES = frozenset(
    {
        "uncategorized",
        "uncategorised",
        "unkategorisiert",
        "allgemein",
        "non-classé",
        "sin-categoría",
        "sin-categoria",
    }
    | {
        "senza-categoria",
        "non-categorizzato",
        "sem-categoria",
        "geen-categorie",
        "niet-gecategoriseerd",
        "genel",
    }
    | {
        "bez-kategorii",
        "без-категорії",
        "без-рубрики",
        "без-категории",
        "غير-مصنف",
        "غير-مصنفة",
        "ללא-קטגוריה",
    }
    | {
        "未分類",
        "未分类",
        "미분류",
        "rss",
        "feed",
        "post",
        "posts",
        "article",
        "standard",
        "default",
        "other",
        "none",
        "n-a",
    }
)
_SEPARATORS = re.compile(r"\s*(?:[;|»›→\n、；]|\s>\s|\s/\s|>>|::)\s*")
_LIST = re.compile(r"\s*[,،，]\s*")
_SLASHED = re.compile(r"([^\W\d_]{3,})/(?=[^\W\d_]{3,})")
_ADDRESS = re.compile(r"https?:|www\.|@|://|\w\.(?:com|org|net|html?)\b", re.I)
_MACHINE = re.compile(
    r"[\w.\-]+[:=]\S+|[0-9a-f]{8}(?:-?[0-9a-f]{4}){2,}.*|[0-9a-f]{16,}|[^\W_]++(?:_++[^\W_]++)++",
    re.I,
)
_EDGES = " \t\n#\"'“”„«»‘’()[]{}<>,:;*-–—_/\\|"


def tag_names(
    categories: Iterable[str], *, synonyms: Mapping[str, str], blocked: Collection[str]
) -> tuple[str, ...]:
    """At most twelve names of tags, in the feed's order and spelling, no two with one slug.

    Synonyms map a slug to the name to use instead; blocked are slugs, before or after that.
    """
    found: dict[str, str] = {}
    for name in _candidates(categories):
        slug = tag_slug(name)
        if slug in _EMPTY_CATEGORIES or slug in blocked:
            continue
        name = synonyms.get(slug, name)
        slug = tag_slug(name)
        if slug not in blocked:
            found.setdefault(slug, name)
        if len(found) == MAX_TAGS:
            break
    return tuple(found.values())


@lru_cache(maxsize=16384)
def tag_slug(name: str) -> str:
    """The tag's part of an address: letters, marks and digits of any script, small, with hyphens. Never empty."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    spelled = "".join(map(_slug_character, folded[: 4 * MAX_SLUG_CHARS]))
    slug = re.sub(r"-+", "-", spelled).strip("-")[:MAX_SLUG_CHARS].strip("-")
    # A name of signs alone, an emoji for one, still needs an address of its own.
    return slug or f"tag-{hashlib.sha256(name.encode('utf-8', 'replace')).hexdigest()[:10]}"


@lru_cache(maxsize=1024)
def _slug_character(character: str) -> str:
    if character == "+":
        return "plus"
    if character == "\u0307":
        # The dot that a capital Turkish I leaves behind.
        return ""
    return character if unicodedata.category(character)[0] in "LMN" else "-"


def _candidates(categories: Iterable[str]) -> Iterator[str]:
    """The parts of the categories that could be names."""
    for number, category in enumerate(categories):
        if number == MAX_CATEGORIES:
            return
        yield from _names_in(category)


@lru_cache(maxsize=16384)
def _names_in(category: str) -> tuple[str, ...]:
    text = clean_text(category)
    if _ADDRESS.search(text):
        return ()
    return tuple(filter(_is_name, (part.strip(_EDGES) for part in _parts(text))))


def _parts(text: str) -> Iterator[str]:
    """The steps of a path or the entries of a list; "AC/DC" and "Washington, D.C." stay whole."""
    for part in _SEPARATORS.split(text):
        entries = _LIST.split(part)
        for entry in entries if len(entries) > 2 else [part]:
            slashed = _SLASHED.sub(r"\1\n", entry) if "/" in entry and not entry.isupper() else entry
            yield from slashed.split("\n")


def _is_name(text: str) -> bool:
    letters = sum(character.isalpha() for character in text)
    digits = sum(character.isdigit() for character in text)
    if not letters or len(text) > MAX_NAME_CHARS or len(text.split()) > MAX_WORDS:
        return False
    if len(text) == 1 and text.isascii():
        return False
    return not (digits > letters and len(text) > 5) and not _MACHINE.fullmatch(text)

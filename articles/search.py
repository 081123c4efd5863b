"""Full-text search over public articles: FTS5 on SQLite, tsvector on PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.utils.safestring import SafeString

from articles.models import Article


@dataclass(frozen=True, slots=True)
class Hit:
    """One article found. `headline` and `excerpt` are escaped, what was found stands in <mark>."""

    article: Article
    headline: SafeString
    excerpt: SafeString


@dataclass(frozen=True, slots=True)
class Results:
    """One page of hits. `corrected_to` is set when nothing was found for what was typed and these
    are the hits for that spelling instead.
    """

    hits: list[Hit] = field(default_factory=list)
    total_is_at_least: int = 0
    next_cursor: str = ""
    suggestions: list[str] = field(default_factory=list)
    corrected_to: str = ""


def index(article_ids: Sequence[int]) -> None:
    """Make the search rows of these articles agree with the articles, in the caller's transaction."""


def remove(article_ids: Sequence[int]) -> None:
    """Delete the search rows of these articles, in the caller's transaction."""


def find(
    query: str, *, language: str = "", source: str = "", tag: str = "", limit: int = 20, before: str = ""
) -> Results:
    """Public articles that match, best first; `source` and `tag` are slugs, `before` a `next_cursor`."""
    return Results()

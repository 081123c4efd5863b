"""Full-text search over public articles: FTS5 on SQLite, tsvector on PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence


def index(article_ids: Sequence[int]) -> None:
    """Make the search rows of these articles agree with the articles, in the caller's transaction."""


def remove(article_ids: Sequence[int]) -> None:
    """Delete the search rows of these articles, in the caller's transaction."""

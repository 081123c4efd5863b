"""What pages need of an article's text, worked out when the text is stored and kept beside it.

A trigger on the articles table (migration 0017) deletes the row with any change to headline, standfirst
or body, so a row never tells what an article no longer says; where one is missing, pages work out what
they need by themselves. Nothing here depends on what may be shown: usage policies are applied when it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from html import escape

from django.utils import timezone

from articles import bulk
from articles.illustrations import in_text, without
from articles.models import Article, Prepared
from articles.sanitise import excerpt, excerpt_of_text

TEASER_WORDS = 36
WORDS_A_MINUTE, UNSPACED_LETTERS_A_MINUTE = 230, 500
# Suggestions of what was published this lately are worked out before anybody asks.
AHEAD = timedelta(days=1)
_MARKUP = re.compile(r"<[^>]*>")
_UNSPACED = re.compile(r"[\u3040-\u9fff]")


def opening_of(standfirst: str, body: str) -> str:
    """The first words as plain text: of the standfirst, else of the body, not of what stands under its pictures."""
    if pictures := in_text(body):
        body = without(body, pictures.keys())
    return excerpt(escape(standfirst, quote=False), TEASER_WORDS) or excerpt(body, TEASER_WORDS)


def _opening_of_text(standfirst: str, text: str) -> str:
    return excerpt(escape(standfirst, quote=False), TEASER_WORDS) or excerpt_of_text(text, TEASER_WORDS)


def minutes_to_read(body: str) -> int:
    """How long sanitised HTML takes to read; 0 for what is read at a glance."""
    text = _MARKUP.sub(" ", body)
    return _minutes(text, len(text.split()))


def _minutes(text: str, words: int) -> int:
    # A text in such a script shows it from the beginning.
    is_unspaced = not text.isascii() and _UNSPACED.search(text, 0, 400)
    letters = len(_UNSPACED.findall(text)) if is_unspaced else 0
    return round(words / WORDS_A_MINUTE + letters / UNSPACED_LETTERS_A_MINUTE)


def _minutes_of_text(text: str) -> int:
    """The same of what `to_text` made, where one character stands between words."""
    return _minutes(text, text.count(" ") + text.count("\n") + bool(text))


def add(rows: Iterable[tuple[int, str, str, datetime]]) -> None:
    """Prepare articles that are new: key, standfirst, the body's plain text, publication. Reads nothing."""
    bulk.insert(
        Prepared,
        ("article_id", "opening", "minutes", "due_at"),
        [
            (pk, _opening_of_text(standfirst, text), _minutes_of_text(text), _due(published_at))
            for pk, standfirst, text, published_at in rows
        ],
        conflicts="DO NOTHING",
    )


def write(articles: Sequence[Article]) -> None:
    """Prepare these articles anew, in the caller's transaction."""
    Prepared.objects.bulk_create(
        [
            Prepared(
                article_id=article.pk,
                opening=opening_of(article.standfirst, article.body),
                minutes=minutes_to_read(article.body),
                due_at=_due(article.published_at),
            )
            for article in articles
        ],
        batch_size=100,
        update_conflicts=True,
        unique_fields=["article"],
        update_fields=["opening", "minutes", "due_at"],
    )


def _due(published_at: datetime | None) -> datetime | None:
    return published_at if published_at and published_at > timezone.now() - AHEAD else None

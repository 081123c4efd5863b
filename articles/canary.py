"""Articles for the drill: on their own page like any other, and nowhere else.

A canary is approved but never published, so no list, feed, sitemap, search or figure has it. Its page is shown to
whoever knows the address, which nobody can guess, while no hold is in effect.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from articles.fields import clean_html
from articles.models import Article, ArticleState, Hold

PREFIX = "drill-"
_SYLLABLES = ("ba", "de", "fi", "go", "ku", "la", "me", "ni", "po", "ru", "sa", "te", "vi", "zo")


def make() -> Article:
    """A new canary with words that stand nowhere else."""
    key, now = uuid.uuid4(), timezone.now()
    paragraphs = "".join(f"<p>{_words(24)}.</p>" for _ in range(3))
    return Article.objects.create(
        key=key, slug=_slug(key), state=ArticleState.APPROVED, headline=f"Drill {_words(5)}",
        standfirst=_words(8), body=clean_html(paragraphs), language="en", published_at=now, compared_at=now,
    )  # fmt: skip


def is_canary(article: Article) -> bool:
    """Was it made here? Whoever chooses such an address by hand makes no canary."""
    return article.slug.startswith(PREFIX) and hmac.compare_digest(article.slug, _slug(article.key))


def shown(slug: str, articles: QuerySet[Article]) -> Article | None:
    """The canary at this address while nothing withholds it."""
    if not slug.startswith(PREFIX):
        return None
    held = Hold.objects.in_effect().filter(article=OuterRef("pk"))
    found = articles.filter(~Exists(held), slug=slug, state=ArticleState.APPROVED).first()
    return found if found is not None and is_canary(found) else None


def _slug(key: uuid.UUID) -> str:
    signed = hmac.new(settings.SECRET_KEY.encode(), f"canary {key}".encode(), hashlib.sha256).hexdigest()
    return f"{PREFIX}{signed[:32]}"


def _words(number: int) -> str:
    return " ".join("".join(secrets.choice(_SYLLABLES) for _ in range(4)) for _ in range(number))

"""What pages, lists and feeds show of one article, kept as it was set: by article, kind and the page's language.

A fragment depends on its article and on the whole site, and on nothing else. So it is stored as a ready page is
(`surfaces.store`, under the lock of changes and the check of versions), and deleted with the pages that depend on
`article:N`. It says nothing of who may see it: it is read beside a row that `Article.objects.public()` gave out.
docs/decisions/fragments.md tells why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from django.conf import settings
from django.db.models import TextField
from django.utils.translation import get_language

from articles.build import build_of_the_program
from articles.models import Article, Media
from articles.visibility import CLOCK, _OfRow

# Between the parts of a fragment. Neither escaped nor sanitised text has comments.
BETWEEN = "<!--|-->"


@dataclass(frozen=True, slots=True)
class Made:
    """A fragment that is not stored yet; `until` is the moment from which it is no longer right, where there is one."""

    article_id: int
    kind: str
    language: str
    text: str
    until: datetime | None = None


Maker = Callable[[Sequence[int]], Iterable[Made]]


class KeptAs(_OfRow):
    """The kept text of this kind beside an article's row, in the page's language; None where none is right."""

    output_field = TextField()

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def written(self, vendor: str, table: str) -> str:
        """One look-up by the key of fragments."""
        if settings.DEBUG:
            return "NULL"
        return f"""(SELECT frag.text FROM articles_fragment frag WHERE frag.article_id = {table}.id
            AND frag.kind = '{self.kind}' AND frag.language = '{language()}' AND frag.build = '{build()}'
            AND frag.serial >= (SELECT site FROM articles_surfaceserial WHERE id = 1)
            AND (frag.valid_until IS NULL OR frag.valid_until > {CLOCK[vendor]}))"""  # noqa: S608


@lru_cache(maxsize=1)
def build() -> str:
    """The program that sets fragments in this process."""
    return build_of_the_program()


def language() -> str:
    """The language of the page that is being made."""
    return get_language() or settings.LANGUAGE_CODE


def until(pictures: Iterable[Media | None]) -> datetime | None:
    """When the first of these pictures' terms end."""
    return min((media.terms_expire_at for media in pictures if media and media.terms_expire_at), default=None)


def fill(articles: Iterable[Article], kind: str, make: Maker) -> None:
    """Give each article, read with `KeptAs(kind)` under that name, its text: kept, else made now.

    What is made is stored with the page that shows it (`surfaces.shows`). Of an article that may be
    shown no more since it was read there is nothing to make: its text is empty.
    """
    missing = {article.id: article for article in articles if article.__dict__[kind] is None}
    for made in make(list(missing)) if missing else ():
        article = missing.pop(made.article_id)
        article.__dict__[kind] = made.text
        article.__dict__.setdefault("made", []).append(made)
    for article in missing.values():
        article.__dict__[kind] = ""

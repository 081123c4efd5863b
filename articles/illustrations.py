"""Pictures of the library within an article's text.

What is stored is `<img src="picture:TOKEN" alt="…">`, so that a text depends neither on our address nor on the sizes
there are. An `Illustration` row says that an editor put it there, and is what decides: without one, as in what a feed
brought, nothing is shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from html import escape, unescape

from django.db.models import Exists, OuterRef, Q, QuerySet, prefetch_related_objects

from articles.fields import CleanHTML
from articles.models import Article, Illustration, Media
from articles.sanitise import LIBRARY_SCHEME

_IMG = r"""<img(?:[^>"]|"[^"]*")*>"""
_PICTURE = re.compile(_IMG)
_CAPTION = r"<figcaption>(?P<said>(?:(?!</figcaption>).)*)</figcaption>"
_SET = re.compile(rf"<figure>\s*(?P<img>{_IMG})\s*(?:{_CAPTION})?\s*</figure>|{_IMG}", re.DOTALL)
_TOKEN = re.compile(rf'\ssrc="{LIBRARY_SCHEME}:([0-9a-f]{{32}})"')
_ALT = re.compile(r'\salt="([^"]*)"')

Draw = Callable[[Media, str, str], str]


def in_text(body: str) -> dict[str, str]:
    """The tokens of the library's pictures in a text, in order, and what each is said to show there."""
    if f"{LIBRARY_SCHEME}:" not in body:
        return {}
    tags = [(_TOKEN.search(tag), tag) for tag in _PICTURE.findall(body)]
    return {found[1]: _alt_of(tag) for found, tag in tags if found}


def _alt_of(tag: str) -> str:
    found = _ALT.search(tag)
    return unescape(found[1]) if found else ""


def place(article: Article) -> None:
    """Let the rows follow the text, in the transaction of every edit."""
    tokens = in_text(article.body)
    placed = Illustration.objects.filter(article=article)
    placed.exclude(media__token__in=tokens).delete()
    if tokens:
        Illustration.objects.bulk_create(
            [Illustration(article=article, media=media) for media in Media.objects.filter(token__in=tokens)],
            ignore_conflicts=True,
        )


def placed_in(articles: Iterable[Article]) -> None:
    """Read the pictures in these texts at once, for as many as there are."""
    prefetch_related_objects(
        [article for article in articles if in_text(article.body)], "illustrations__media__renditions"
    )


def pictures_of(article: Article) -> list[Media]:
    """Every picture of the article: the one that leads it, and those in its text."""
    rows = article.illustrations.select_related("media").order_by("pk")
    inside = [row.media for row in rows if row.media_id != article.lead_media_id]
    return [article.lead_media, *inside] if article.lead_media else inside


def own_of(article: Article) -> list[Media]:
    """Those of them that no other article has."""
    return [media for media in pictures_of(article) if not showing(media).exclude(pk=article.pk).exists()]


def showing(media: Media) -> QuerySet[Article]:
    """The articles that have the picture, before or in their text."""
    rows: QuerySet[Article] = Article.objects.filter(
        Q(pk__in=Article.objects.filter(lead_media=media).values("pk"))
        | Q(pk__in=Illustration.objects.filter(media=media).values("article"))
    )
    return rows


def is_used() -> Q:
    """Of pictures: those that some article has."""
    leads = Article.objects.filter(lead_media=OuterRef("pk"))
    return Q(Exists(leads)) | Q(Exists(Illustration.objects.filter(media=OuterRef("pk"))))


def drawn(body: str, pictures: Collection[Media], draw: Draw) -> str:
    """The text with each of these pictures drawn, and none else: foreign hosts would learn who reads what."""
    known = {media.token: media for media in pictures}

    def of(found: re.Match[str]) -> str:
        tag = found["img"] or found[0]
        token = _TOKEN.search(tag)
        media = known.get(token[1]) if token else None
        return draw(media, _alt_of(tag) or media.alt, found["said"] or "") if media else ""

    return _SET.sub(of, body) if "<img" in body else body


def without(body: str, tokens: Collection[str]) -> CleanHTML:
    """The text without these pictures and what stands under them."""

    def kept(found: re.Match[str]) -> str:
        token = _TOKEN.search(found[0])
        return "" if token and token[1] in tokens else found[0]

    return CleanHTML(_SET.sub(kept, body))


def renamed(body: str, tokens: dict[str, str]) -> CleanHTML:
    """The text with pictures by other tokens: theirs became one with another row."""
    return CleanHTML(_TOKEN.sub(lambda f: f' src="{LIBRARY_SCHEME}:{tokens.get(f[1], f[1])}"', body))


def in_words(body: str) -> str:
    """The text with each picture told in words, for comparing versions."""
    return _PICTURE.sub(
        lambda found: f"[Picture: {escape(_alt_of(found[0]))}]" if _TOKEN.search(found[0]) else found[0], body
    )

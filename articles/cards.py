"""The picture other sites show beside a link to an article: its headline and outlet, drawn by us in our type.

No foreign picture is on it, so it says no more than a headline may, whatever the outlet's terms are.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from PIL import Image, ImageDraw, ImageFont

from articles import gone
from articles.models import Article
from articles.surfaces import shows, surface

SIZE = WIDTH, HEIGHT = 1200, 630
MARGIN, MOST_LINES = 80, 5
PAPER, INK, SOFT, ACCENT = "#fdfcf9", "#16181b", "#565a60", "#0b5156"
SIZES = (84, 72, 62, 54, 46)
_FONTS = settings.BASE_DIR / "static" / "fonts"


def at_card(article: Article) -> Iterable[str]:
    """Beside the article's own address."""
    return [f"/articles/{quote(article.slug)}/card.png"]


@surface("card", locate=at_card)
def card(request: HttpRequest, slug: str) -> HttpResponse:
    """The card of a public article; of any other what is said in the article's place."""
    article = Article.objects.public().select_related("source").filter(slug=slug).first()
    if article is None:
        return gone.of_slug(request, slug)
    shows(request, articles=[article])
    outlet = article.source.name if article.source else settings.SITE_NAME
    response = HttpResponse(draw(article.headline, outlet), content_type="image/png")
    # It is made to be shown by others.
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def draw(headline: str, outlet: str) -> bytes:
    """A PNG of SIZE. What our fonts cannot write is left out: the card then carries the site's name alone."""
    image = Image.new("RGB", SIZE, PAPER)
    pen = ImageDraw.Draw(image)
    pen.rectangle((MARGIN, 72, WIDTH - MARGIN, 75), fill=INK)
    pen.rectangle((MARGIN, 79, WIDTH - MARGIN, 80), fill=INK)
    if can_write(outlet):
        pen.text((MARGIN, 104), outlet[:60], font=_sans(30), fill=ACCENT)
    if can_write(headline):
        size, lines = fitted(headline)
        pen.multiline_text((MARGIN, 170), "\n".join(lines), font=_serif(size), fill=INK, spacing=size // 5)
    pen.text((MARGIN, HEIGHT - 96), settings.SITE_NAME, font=_serif(44), fill=INK)
    file = io.BytesIO()
    image.quantize(24).save(file, "PNG", optimize=True)
    return file.getvalue()


def fitted(headline: str) -> tuple[int, list[str]]:
    """The largest size at which the headline stands in few lines; the longest are cut with an ellipsis."""
    for size in SIZES:
        lines = _broken(headline, size)
        if len(lines) <= 300 // size + 1 and len(lines) <= MOST_LINES:
            return size, lines
    return SIZES[-1], [*lines[: MOST_LINES - 1], lines[MOST_LINES - 1].rstrip(" .,;:") + "…"]


def can_write(text: str) -> bool:
    """True when our fonts have every letter of it."""
    return all(letter.isspace() or _has_letter(letter) for letter in text)


@lru_cache(maxsize=2_000)
def _has_letter(letter: str) -> bool:
    font = _serif(32)
    return font.getmask(letter).getbbox() is not None and bytes(font.getmask(letter)) != _missing()


@lru_cache(maxsize=1)
def _missing() -> bytes:
    return bytes(_serif(32).getmask("\U0010fffd"))


def _broken(text: str, size: int) -> list[str]:
    font, lines = _serif(size), [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= WIDTH - 2 * MARGIN:
            lines[-1] = longer
        else:
            lines.append(word)
    return [line for line in lines if line]


@lru_cache(maxsize=8)
def _serif(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.truetype(str(_FONTS / "newsreader.woff2"), size)
    font.set_variation_by_axes([600])
    return font


@lru_cache(maxsize=2)
def _sans(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(_FONTS / "franklin.woff2"), size)

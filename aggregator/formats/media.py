"""Pictures and files of an entry: Media RSS, enclosures, iTunes, and the first picture in the text."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from aggregator.documents import Credit, Enclosure, Picture
from aggregator.formats import caps
from aggregator.formats.names import Parts, first, key, parts_of
from aggregator.formats.people import photographer, role_of
from aggregator.formats.text import address, number, plain

PICTURE_NAME = re.compile(r"\.(?:jpe?g|png|webp|gif|avif)(?:$|[?#&])", re.IGNORECASE)
IMG = re.compile(r"<img\b[^<>]*>", re.IGNORECASE)
ATTRIBUTE = re.compile(
    r"\b(src|alt|width|height)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'<>]+))", re.IGNORECASE
)
CREDIT_IN_CAPTION = re.compile(
    r"(?:^|(?<=[.;|()\[\]–—\s-]))(?:photo(?:graph)?s?|foto|bild|image|picture|credit|crédit|©)"
    r"(?: credit)?(?: by |\s?[:/]\s?|(?<=©)\s?)[^.:;|()\[\]]{2,120}[)\].]?$",
    re.IGNORECASE,
)
SMALLEST = 40


@dataclass
class Context:
    """What Media RSS says at one level holds for everything inside it."""

    credit: str = ""
    caption: str = ""
    licence: str = ""
    holder: str = ""

    def within(self, parts: Parts) -> Context:
        return Context(
            plain(first(parts, "media:credit"), caps.NAME) or self.credit,
            plain(first(parts, "media:description", "media:title"), caps.TEXT) or self.caption,
            _licence(parts) or self.licence,
            plain(first(parts, "media:copyright"), caps.NAME) or self.holder,
        )


def _licence(parts: Parts) -> str:
    for element in (*parts.get("media:license", ()), *parts.get("media:copyright", ())):
        found = address(element.get("href") or element.get("url")) or plain(element.text or "", caps.NAME)
        if found:
            return found
    return ""


def lead_picture(parts: Parts, base: str, text: str) -> Picture | None:
    """The entry's picture: the one marked as its picture, else the widest, else the first in the text."""
    found = list(_pictures(parts, base))
    if found:
        return max(found[: caps.PICTURES], key=lambda pair: pair[0])[1]
    return picture_in(text, base)


def _pictures(parts: Parts, base: str) -> Iterator[tuple[tuple[int, int], Picture]]:
    """Pictures with their rank; of equals the first counts."""
    context = Context().within(parts) if "media:credit" in parts or "media:content" in parts else Context()
    yield from _media(parts, context, base, 0)
    for element in (*parts.get("enclosure", ()), *parts.get("link", ()), *parts.get("atom:link", ())):
        if element.get("rel", "enclosure") == "enclosure" and _is_picture(element):
            picture = _picture(element, element.get("url") or element.get("href"), context, base)
            if picture:
                yield (3, 0), picture
    for name in ("itunes:image", "image"):
        for element in parts.get(name, ()):
            picture = _picture(element, element.get("href") or _image_text(element), context, base)
            if picture:
                yield (1, 0), picture


def _image_text(element: Any) -> str:
    return element.text or "" if not len(element) else first(parts_of(element), "url")


def _media(
    parts: Parts, context: Context, base: str, depth: int
) -> Iterator[tuple[tuple[int, int], Picture]]:
    for element in parts.get("media:content", ()):
        own = parts_of(element)
        inside = context.within(own) if own else context
        picture = _picture(element, element.get("url"), inside, base) if _is_picture(element) else None
        if picture:
            yield (5 if element.get("isDefault") == "true" else 4, picture.width), picture
        yield from _thumbnails(own, inside, base)
    yield from _thumbnails(parts, context, base)
    for group in parts.get("media:group", ()) if depth < 2 else ():
        own = parts_of(group)
        yield from _media(own, context.within(own), base, depth + 1)


def _thumbnails(parts: Parts, context: Context, base: str) -> Iterator[tuple[tuple[int, int], Picture]]:
    for element in parts.get("media:thumbnail", ()):
        picture = _picture(element, element.get("url") or element.text, context, base)
        if picture:
            yield (2, picture.width), picture


def _is_picture(element: Any) -> bool:
    kind = (element.get("medium") or element.get("type") or "").lower()
    if kind:
        return kind.startswith("image")
    return bool(PICTURE_NAME.search((element.get("url") or element.get("href") or "")[: caps.ADDRESS]))


def _picture(element: Any, url: str | None, context: Context, base: str) -> Picture | None:
    found = address(url, base)
    if not found:
        return None
    return Picture(
        found,
        number(element.get("width")),
        number(element.get("height")),
        (element.get("type") or "")[:100],
        context.credit,
        context.caption,
        context.licence,
        holder=context.holder,
    )


def picture_in(text: str, base: str) -> Picture | None:
    """The first picture in the HTML that is no counting pixel."""
    for count, tag in enumerate(IMG.finditer(text[:50_000])):
        if count >= 10:
            return None
        named = {
            m[1].lower(): html.unescape(m[2] or m[3] or m[4] or "")
            for m in ATTRIBUTE.finditer(tag[0][:5_000])
        }
        width, height = number(named.get("width")), number(named.get("height"))
        found = address(named.get("src"), base)
        if found and not 0 < (width or SMALLEST) < SMALLEST and not 0 < (height or SMALLEST) < SMALLEST:
            alt = plain(named.get("alt", ""), caps.TEXT)
            caption, credit = _figure_around(text, tag.start())
            return Picture(found, width, height, caption=caption or alt, alt=alt, credit=credit)
    return None


def described(picture: Picture, text: str, base: str) -> Picture:
    """The picture with what the text says of it, where it shows the same one, or one alone."""
    shown = picture_in(text, base)
    if shown is None or (shown.url != picture.url and len(IMG.findall(text[:50_000])) > 1):
        return picture
    return picture._replace(
        alt=picture.alt or shown.alt,
        caption=picture.caption or shown.caption,
        credit=picture.credit or shown.credit,
    )


def _figure_around(text: str, place: int) -> tuple[str, str]:
    """Caption and credit of the figure in which a picture stands."""
    begin = text.rfind("<figure", 0, place)
    end = text.find("</figure", place)
    if begin < 0 or end < 0 or "</figure" in text[begin:place]:
        return "", ""
    opened = text.find("<figcaption", begin, end)
    if opened < 0:
        return "", ""
    closed = text.find("</figcaption", opened, end)
    caption = plain(text[text.find(">", opened) + 1 : closed if closed > 0 else end], caps.TEXT)
    credit = CREDIT_IN_CAPTION.search(caption)
    return caption, credit[0].strip(" .;–—-()[]|")[: caps.NAME] if credit else ""


def enclosures(parts: Parts, base: str) -> tuple[Enclosure, ...]:
    """The files the entry names, pictures included."""
    found = []
    for element in (
        *parts.get("enclosure", ()),
        *parts.get("atom:link", ()),
        *parts.get("media:content", ()),
    ):
        if key(element.tag) == "atom:link" and element.get("rel") != "enclosure":
            continue
        url = address(element.get("url") or element.get("href"), base)
        if url:
            length = number(element.get("length") or element.get("fileSize"))
            found.append(Enclosure(url, (element.get("type") or "")[:100], length))
    return tuple(found[: caps.ENCLOSURES])


def media_credits(parts: Parts) -> Iterator[Credit | None]:
    """Everyone a media:credit names, at the entry and inside its groups and contents."""
    for element in _credit_elements(parts, 0):
        yield photographer(element.text or "", role_of(element.get("role"), "photographer"))


def _credit_elements(parts: Parts, depth: int) -> Iterator[Any]:
    yield from parts.get("media:credit", ())
    if depth < 3:
        for element in _media_holders(parts):
            if len(element):
                yield from _credit_elements(parts_of(element), depth + 1)


def _media_holders(parts: Parts) -> Iterable[Any]:
    return (*parts.get("media:content", ()), *parts.get("media:group", ()))

"""Text as it may be stored: no tags, no control characters, nothing half of a character."""

from __future__ import annotations

import html
import re
from urllib.parse import urljoin

from aggregator.formats import caps

# Control characters, halves of surrogate pairs and non-characters: databases and
# XML refuse them, and no reader misses them.
UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
HIDDEN = re.compile(r"<(script|style)\b.*?(?:</\1\b[^<>]*>?|\Z)", re.IGNORECASE | re.DOTALL)
BREAK = re.compile(r"<(?:br|/p|/div|/li|/h[1-6])\b[^<>]*>", re.IGNORECASE)
# Not [^>]*: without the "<" a row of opened tags would be scanned once for each.
TAG = re.compile(r"<[A-Za-z/!?][^<>]*>")
HTTP = re.compile(r"https?://[^\s/]", re.IGNORECASE)


def clean(text: str) -> str:
    """The text without what cannot be stored."""
    return UNSTORABLE.sub("", text)


def line(text: str, limit: int = caps.TITLE) -> str:
    """Plain text on one line, spaces single, no longer than `limit`."""
    return " ".join(clean(text[: caps.MARKUP_OF_SHORT_FIELD]).split())[:limit].rstrip()


def plain(markup: str, limit: int = caps.TITLE) -> str:
    """The words of a short piece of HTML: tags dropped, character references resolved once."""
    text = markup[: caps.MARKUP_OF_SHORT_FIELD]
    if "<" in text:
        text = TAG.sub("", BREAK.sub(" ", HIDDEN.sub(" ", text)))
    if "&" in text:
        text = html.unescape(text)
    return line(text, limit)


def markup(text: str) -> str:
    """HTML as it came, cut to what is read of one field. Not safe to show."""
    return text[: caps.MARKUP].strip()


def address(text: str | None, base: str = "") -> str:
    """An absolute http(s) address, or nothing."""
    text = clean((text or "")[: caps.ADDRESS + 1].strip())
    text = text.replace("\n", "").replace("\t", "").replace("\r", "")
    if not text or len(text) > caps.ADDRESS:
        return ""
    if text[:5].lower() == "feed:":
        # "feed://host" and "feed:https://host": how some programs write a feed's address.
        bare = text[5:]
        text = bare if HTTP.match(bare) else f"http:{bare}"
    if not HTTP.match(text):
        try:
            text = urljoin(base, text)
        except ValueError:
            return ""
    return text if HTTP.match(text) else ""


def number(text: str | None) -> int:
    """A count or size; what is not one is zero."""
    text = (text or "").strip()[:12].removesuffix("px")
    return int(text) if text.isascii() and text.isdecimal() else 0

"""Feed documents of every dialect, well-formed or not, to one form."""

from __future__ import annotations

import re
import zlib
from typing import Any

from lxml import etree

from aggregator.documents import FeedDocument
from aggregator.formats import caps
from aggregator.formats.atom import read_atom
from aggregator.formats.charset import as_utf8
from aggregator.formats.jsonfeed import NotJsonFeed, read_json_feed
from aggregator.formats.names import key
from aggregator.formats.repair import mended, references_resolved, without_doctype
from aggregator.formats.rss import read_rss
from aggregator.formats.sitemap import NoNews, read_sitemap

HTML_PAGE = re.compile(rb"\s*(?:<!--.{0,2000}?-->\s*)?<(?:!doctype\s+html|html)\b", re.IGNORECASE | re.DOTALL)
WINDOWS = re.compile(rb"&#(1[2-5]\d|[xX][89][0-9a-fA-F]);")
READERS = {
    "rss": read_rss,
    "rdf:rdf": read_rss,
    "rdf": read_rss,
    "channel": read_rss,
    "atom:feed": read_atom,
    "feed": read_atom,
    "atom:entry": read_atom,
    "?:feed": read_atom,
    "?:rss": read_rss,
    "urlset": read_sitemap,
}


class NotAFeed(Exception):
    """The document is no feed; the text says what it seems to be instead."""


def parse(data: bytes, *, content_type: str = "", url: str = "") -> FeedDocument:
    """What the feed says. `url` is where it was read, for relative addresses.

    Takes time in proportion to the document's length and raises nothing but NotAFeed.
    """
    if len(data) > caps.BYTES:
        raise NotAFeed(f"The document is larger than {caps.BYTES // 2**20} MiB.")
    text, is_sound = as_utf8(_unzipped(data), content_type)
    begin = text[:200].lstrip(b"\xef\xbb\xbf \t\r\n\0")[:1]
    if not begin:
        raise NotAFeed("The document is empty.")
    if begin in (b"{", b"["):
        return _json(text, url)
    if HTML_PAGE.match(text[:3000]):
        raise NotAFeed("This is a web page, not a feed.")
    return _xml(text, url, is_sound)


def _unzipped(data: bytes) -> bytes:
    """The document itself, where a server sent a compressed file without saying so."""
    if not data.startswith(b"\x1f\x8b"):
        return data
    inflater = zlib.decompressobj(31)
    try:
        text = inflater.decompress(data, caps.BYTES)
    except zlib.error as error:
        raise NotAFeed("The document is a damaged compressed file.") from error
    if inflater.unconsumed_tail:
        raise NotAFeed(f"The document is larger than {caps.BYTES // 2**20} MiB.")
    return text


def _json(text: bytes, url: str) -> FeedDocument:
    try:
        return read_json_feed(text.decode("utf-8", "replace"), url)
    except NotJsonFeed as error:
        raise NotAFeed(str(error)) from error


def _xml(text: bytes, url: str, is_sound: bool) -> FeedDocument:
    text = WINDOWS.sub(_as_windows_meant, text)
    root = _strictly(text) if is_sound else None
    is_strict = root is not None and key(root.tag) in READERS
    root = root if is_strict else _mended(text)
    if root is None or key(root.tag) not in READERS:
        raise NotAFeed(_instead(root))
    try:
        document = READERS[key(root.tag)](root, url)
    except NoNews as reason:
        raise NotAFeed(str(reason)) from reason
    if not is_strict and not document.entries:
        raise NotAFeed("The feed is damaged, and no entry in it can be read.")
    return document if is_strict else document._replace(repaired=True)


def _as_windows_meant(match: re.Match[bytes]) -> bytes:
    """A quotation mark or dash numbered as in Windows' own table, as HTML reads it too."""
    number = match[1].decode()
    code = int(number[1:], 16) if number[0] in "xX" else int(number)
    return bytes([code]).decode("cp1252", "ignore").encode() if 128 <= code < 160 else match[0]


def _strictly(text: bytes) -> Any:
    """The root element, when the document is well-formed."""
    if b"<!DOCTYPE" in text[:100_000] or b"<!doctype" in text[:100_000]:
        # Entities are never declared to the XML library; the names HTML knows become characters.
        text = references_resolved(without_doctype(text.decode("utf-8"))).encode("utf-8")
    try:
        return _root(text, recover=False)
    except etree.LxmlError:
        return None


def _mended(text: bytes) -> Any:
    try:
        return _root(mended(text.decode("utf-8", "replace")).encode("utf-8"), recover=True)
    except (etree.LxmlError, ValueError):
        return None


def _root(text: bytes, *, recover: bool) -> Any:
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        recover=recover,
    )
    return etree.fromstring(text, parser)


def _instead(root: Any) -> str:
    if root is None:
        return "The document is not XML and not JSON, so it is no feed."
    name = key(root.tag).rpartition(":")[2][:40]
    if name in ("html", "head", "body"):
        return "This is a web page, not a feed."
    if name in ("urlset", "sitemapindex", "opml"):
        return f"This is not a feed but another list of addresses ({name})."
    return f"This is XML but no feed: it begins with <{name}>."

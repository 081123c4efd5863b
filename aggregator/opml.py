"""Lists of feeds, OPML 1 and 2, in and out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from lxml import etree

from aggregator.formats.charset import as_utf8
from aggregator.formats.repair import references_resolved, without_doctype
from aggregator.formats.text import address, line

MAX_BYTES = 32 * 1024 * 1024
MAX_OUTLINES = 200_000
MAX_DEPTH = 100


class NotOPML(Exception):
    """The file is no list of feeds; the text says why."""


@dataclass(frozen=True, slots=True)
class Outline:
    """One line of the list. `problem` says why a line cannot be used."""

    url: str
    title: str = ""
    homepage: str = ""
    folders: tuple[str, ...] = ()
    problem: str = ""


def read_opml(data: bytes) -> list[Outline]:
    """Every feed the list names, in its order, nested ones with their folders; bad lines with their problem."""
    if len(data) > MAX_BYTES:
        raise NotOPML(f"The file is larger than {MAX_BYTES // 2**20} MiB.")
    root = _root(data)
    if root is None or not isinstance(root.tag, str) or root.tag.lower() != "opml":
        raise NotOPML("The file is no OPML document.")
    body = next((child for child in root if str(child.tag).lower() == "body"), root)
    return list(_outlines(body))


def _root(data: bytes) -> Any:
    text = as_utf8(data)[0].decode("utf-8", "replace")
    text = references_resolved(without_doctype(text))
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        recover=True,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        return etree.fromstring(text.encode("utf-8", "replace"), parser)
    except (etree.LxmlError, ValueError):
        return None


def _outlines(body: Any) -> Iterator[Outline]:
    # Not recursive: folders may be nested as deep as a hostile file likes.
    waiting: list[tuple[Any, tuple[str, ...]]] = [(child, ()) for child in reversed(body)]
    count = 0
    while waiting and count < MAX_OUTLINES:
        element, folders = waiting.pop()
        if str(element.tag).lower() != "outline":
            continue
        count += 1
        given = {name.lower(): value for name, value in element.attrib.items()}
        name = line(given.get("title") or given.get("text") or "", 300)
        if "xmlurl" in given or (given.get("type", "").lower() in ("rss", "atom") and not len(element)):
            yield _outline(given, name, folders)
        inside = (*folders, name) if name and len(element) and "xmlurl" not in given else folders
        if len(inside) <= MAX_DEPTH:
            waiting.extend((child, inside) for child in reversed(element))


def _outline(given: dict[str, str], name: str, folders: tuple[str, ...]) -> Outline:
    written = given.get("xmlurl") or given.get("url") or ""
    url = address(written)
    problem = "" if url else f"no web address: {line(written, 80) or 'empty'}"
    return Outline(url, name, address(given.get("htmlurl")), folders, problem)


def write_opml(outlines: Iterable[Outline], title: str) -> bytes:
    """The list as OPML 2, each feed in its folder."""
    root = etree.Element("opml", version="2.0")
    etree.SubElement(etree.SubElement(root, "head"), "title").text = title
    body = etree.SubElement(root, "body")
    places: dict[tuple[str, ...], Any] = {(): body}
    for outline in outlines:
        place = _place(places, outline.folders)
        given = {"type": "rss", "text": outline.title or outline.url, "title": outline.title or outline.url}
        given["xmlUrl"] = outline.url
        if outline.homepage:
            given["htmlUrl"] = outline.homepage
        etree.SubElement(place, "outline", given)
    written: bytes = etree.tostring(root, xml_declaration=True, encoding="utf-8", pretty_print=True)
    return written


def _place(places: dict[tuple[str, ...], Any], folders: tuple[str, ...]) -> Any:
    if folders not in places:
        above = _place(places, folders[:-1])
        places[folders] = etree.SubElement(above, "outline", text=folders[-1], title=folders[-1])
    return places[folders]

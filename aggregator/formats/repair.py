"""Ill-formed XML mended enough to be read: each step passes over the text once."""

from __future__ import annotations

import re
from html.entities import html5

from aggregator.formats.text import UNSTORABLE

CDATA, CDATA_END = "<![CDATA[", "]]>"
REFERENCE = re.compile(r"&(#\d{1,9};|#[xX][0-9A-Fa-f]{1,8};|[A-Za-z][A-Za-z0-9]{1,31};)?")
STRAY_LESS = re.compile(r"<(?![A-Za-z_/!?])")
# A tag with a value that stands in no quotation marks, and its values: those in marks first.
UNQUOTED_TAG = re.compile(r"<[A-Za-z][^<>]{0,2000}=\s*[^\s\"'<>][^<>]*>")
VALUE = re.compile(r"=\s*(?:(\"[^\"]*\"|'[^']*')|([^\s\"'<>]+?)(?=[\s>]|/>))")
XML_NAMES = frozenset({"amp;", "lt;", "gt;", "quot;", "apos;"})
DECLARATION = re.compile(r"<\?xml\b")
ROOT = re.compile(
    r"<(?:rss|feed|(?:[A-Za-z]{1,20}:)?rdf|channel|(?:[A-Za-z0-9]{1,20}:)?feed)\b", re.IGNORECASE
)
# Elements that hold text or HTML: tags inside them are the text's, not the feed's.
HOLDERS = re.compile(
    r"<(title|description|summary|content:encoded|content|itunes:summary|media:description|author|dc:creator)"
    r"(\s[^<>]*)?>"
)


def mended(text: str) -> str:
    """The document with the common faults gone: rubbish before it, names, bare ampersands, tags in text."""
    text = UNSTORABLE.sub("", text)
    text = without_doctype(text[_begin(text) :])
    return references_resolved(markup_wrapped(text))


def _begin(text: str) -> int:
    """Where the document begins: whatever a broken template printed first is not part of it."""
    found = DECLARATION.search(text[:100_000]) or ROOT.search(text)
    return found.start() if found else 0


def without_doctype(text: str) -> str:
    """The document without its document type, so that no entity is declared."""
    start = _after_prolog(text)
    if text[start : start + 9].upper() != "<!DOCTYPE":
        return text
    close, bracket = text.find(">", start), text.find("[", start)
    if 0 <= bracket < close:
        ending = re.compile(r"\]\s{0,50}>").search(text, bracket)
        close = ending.end() - 1 if ending else close
    return text[:start] + text[close + 1 :] if close >= 0 else text[:start]


def _after_prolog(text: str) -> int:
    """Behind the XML declaration, comments and instructions at the top."""
    position = 0
    while True:
        while position < len(text) and text[position].isspace():
            position += 1
        if text.startswith("<?", position):
            end, length = text.find("?>", position), 2
        elif text.startswith("<!--", position):
            end, length = text.find("-->", position + 4), 3
        else:
            return position
        if end < 0:
            return position
        position = end + length


def references_resolved(text: str) -> str:
    """Named characters as themselves and bare ampersands escaped, outside CDATA."""
    pieces = []
    position = 0
    while position < len(text):
        start = text.find(CDATA, position)
        outside = text[position:] if start < 0 else text[position:start]
        whole = STRAY_LESS.sub("&lt;", REFERENCE.sub(_reference, outside))
        pieces.append(UNQUOTED_TAG.sub(_quoted, whole))
        if start < 0:
            break
        end = text.find(CDATA_END, start)
        position = len(text) if end < 0 else end + 3
        pieces.append(text[start:position] + (CDATA_END if end < 0 else ""))
    return "".join(pieces)


def _quoted(match: re.Match[str]) -> str:
    return VALUE.sub(lambda value: value[0] if value[1] else f'="{value[2]}"', match[0])


def _reference(match: re.Match[str]) -> str:
    name = match[1]
    if not name:
        return "&amp;"
    if name in XML_NAMES:
        return match[0]
    if name[0] == "#":
        return _numbered(name)
    character = html5.get(name, "")
    return character.replace("&", "&amp;").replace("<", "&lt;") if character else "&amp;" + name


def _numbered(name: str) -> str:
    """A numbered character, unless XML forbids it."""
    code = int(name[2:-1], 16) if name[1] in "xX" else int(name[1:-1])
    if code in (9, 10, 13) or 32 <= code < 0x110000:
        character = chr(code)
        return "" if UNSTORABLE.match(character) else f"&#{code};"
    return ""


def markup_wrapped(text: str) -> str:
    """Tags that stand unescaped in a text element put into CDATA, so that they cannot break the feed."""
    pieces: list[str] = []
    position = 0
    exhausted: set[str] = set()
    while True:
        opening = HOLDERS.search(text, position)
        if opening is None:
            break
        ending, start = f"</{opening[1]}>", opening.end()
        inside_cdata = text.rfind(CDATA, position, opening.start())
        if inside_cdata >= 0 and text.find(CDATA_END, inside_cdata, opening.start()) < 0:
            after = text.find(CDATA_END, start)
            after = len(text) if after < 0 else after
            pieces.append(text[position:after])
            position = after
            continue
        close = (
            -1 if opening[1] in exhausted or (opening[2] or "").endswith("/") else text.find(ending, start)
        )
        if close < 0:
            if not (opening[2] or "").endswith("/"):
                exhausted.add(opening[1])
            pieces.append(text[position:start])
            position = start
            continue
        pieces.append(text[position:start] + _wrapped(text[start:close]))
        position = close
    pieces.append(text[position:])
    return "".join(pieces)


def _wrapped(content: str) -> str:
    if "<" not in content or CDATA in content:
        return content
    return CDATA + content.replace(CDATA_END, "]]&gt;") + CDATA_END

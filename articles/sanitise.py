"""The one place where foreign HTML becomes ours, and foreign text becomes plain text."""

from __future__ import annotations

import html as entities
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urljoin

import nh3

# Raise it whenever the rules below change: all stored bodies are then cleaned again (articles/cleaning.py), as
# they are when the library's version changes.
SANITISER_VERSION = 1

MAX_CHARS = 512 * 1024
MAX_DEPTH = 200
MAX_ROUNDS = 5
MAX_PLAIN_CHARS = 100_000
MAX_TEXT_CHARS = 1_000
MAX_URL_CHARS = 4_000

ALLOWED_TAGS = frozenset(
    {
        "p",
        "br",
        "h2",
        "h3",
        "h4",
        "strong",
        "em",
        "sub",
        "sup",
        "ul",
        "ol",
        "li",
        "blockquote",
        "pre",
        "code",
        "a",
    }
    | {"hr", "table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td", "figure", "figcaption", "img"}
)
ALLOWED_ATTRIBUTES: dict[str, frozenset[str]] = {
    "a": frozenset({"href", "title"}),
    "blockquote": frozenset({"cite"}),
    "img": frozenset({"src", "alt", "title", "width", "height"}),
    "ol": frozenset({"start"}),
    "td": frozenset({"colspan", "rowspan"}),
    "th": frozenset({"colspan", "rowspan", "scope"}),
}
URL_SCHEMES = frozenset({"http", "https", "mailto"})
LINK_REL = "noopener nofollow ugc"
# A picture of our library in a text of ours (articles/illustrations.py). What comes from outside cannot name one.
LIBRARY_SCHEME = "picture"
_OF_LIBRARY = re.compile(rf"{LIBRARY_SCHEME}:[0-9a-f]{{32}}")

_CLEAN_CONTENT_TAGS = frozenset({"script", "style", "iframe", "object", "noscript", "template"})
_CLEANER = nh3.Cleaner(
    tags=ALLOWED_TAGS,
    attributes=ALLOWED_ATTRIBUTES,
    clean_content_tags=_CLEAN_CONTENT_TAGS,
    url_schemes=URL_SCHEMES | {LIBRARY_SCHEME},
    url_relative="deny",
    link_rel=LINK_REL,
)

# Text in these runs to the end of the document when they are never closed.
_RAW_TEXT = frozenset({"script", "style", "iframe", "noembed", "noframes", "textarea", "title", "xmp"})
_DROPPED_WITH_CONTENT = _RAW_TEXT | _CLEAN_CONTENT_TAGS | {"svg", "math", "select", "button"}
_CLOSERS = {name: re.compile(rf"</{name}(?=[\s/>])[^>]*+>?", re.I) for name in _DROPPED_WITH_CONTENT}

_SECTIONS = (
    *("div", "section", "article", "header", "footer", "aside", "main", "nav", "center", "address"),
    *("dl", "dt", "dd", "details", "summary", "fieldset"),
)
_RENAMED = {
    **dict.fromkeys(_SECTIONS, "p"),
    **{"b": "strong", "i": "em", "cite": "em", "dfn": "em", "tt": "code", "kbd": "code", "samp": "code"},
    **{"h1": "h2", "h5": "h4", "h6": "h4"},
}
_VOID = frozenset({"br", "hr", "img"})
_NUMBERS = frozenset({"width", "height", "colspan", "rowspan", "start"})
_LINKS = frozenset({"href", "src", "cite"})
# The parser closes these by itself, so they cannot nest without one of the others.
_SELF_CLOSING = frozenset({"p", "li", "caption", "thead", "tbody", "tfoot", "tr", "th", "td"})
# Whether one of these is open is nothing that has to be known.
_UNCOUNTED = _VOID | _SELF_CLOSING
_BLOCKS = frozenset({"h2", "h3", "h4", "ul", "ol", "blockquote", "pre", "table", "figure", "figcaption"})

# A tag as the HTML standard reads it. Every quantifier is possessive: one pass, no backtracking.
_ATTRIBUTE = re.compile(
    r"""([^\s/>][^\s/>=]*+)(?:\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s>"'][^\s>]*+)|(?=>)))?+""",
)
_TAG = re.compile(
    r"""<(/?)([a-zA-Z][^\s/>]*+)"""
    r"""((?:[\s/]++|[^\s/>][^\s/>=]*+(?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s>"'][^\s>]*+|(?=>)))?+)*+)>"""
)
_MARKUP = re.compile(r"<([a-zA-Z/!?])")
# A tag that can be read in one way alone: names of letters, values in quotes without "<" or ">" in them.
_PLAIN_TAG = (
    r"<(?:/[a-zA-Z][a-zA-Z0-9]*+\s*+|[a-zA-Z][a-zA-Z0-9]*+"
    r"""(?:\s++[a-zA-Z_][a-zA-Z0-9_\-]*+(?:="[^"<>]*+"|='[^'<>]*+')?+)*+\s*+/?+)>"""
)
_NAME = re.compile(r"</?([a-zA-Z0-9]+)")
_TAG_OR_TEXT = re.compile(rf"({_PLAIN_TAG})")
_COMMENT_END = re.compile(r"--!?>")
_IGNORED_IN_ADDRESS = re.compile(r"[\x00-\x1f\x7f-\xa0]+")
_SCHEME = re.compile(r"[a-z][a-z0-9+.\-]*:", re.I)
# An address with nothing in it that would be read or written otherwise.
_PLAIN_LINK = re.compile(r"https?://[a-zA-Z0-9._~:/?#@!$()*+,;=%\-]+")
_WEB_ADDRESS = re.compile(r"https?://[^/?#\s]", re.I)
_EMPTY_PARAGRAPH = re.compile(r"<p>(?:\s|&nbsp;|<br>)*+</p>\s*+")
_PRE_NEWLINES = re.compile(r"<pre>\n++")

# Illegal in XML or PostgreSQL, or able to reorder the page around them.
_CONTROLS = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u202d\u202e\ufff9-\ufffb\ufeff\ufdd0-\ufdef\ufffe\uffff\ud800-\udfff]"
)
_ASCII_CONTROLS = {code: None for code in range(128) if _CONTROLS.match(chr(code))}
_LINE_CONTROLS = re.compile("[\u202a-\u202e\u2066-\u2069\u00ad\u200b\u2060]")
_SPACES = re.compile(r"\s+")
_LINE_END = "\x00"
_BREAKING = _BLOCKS | {"p", "br", "hr", "li", "tr", "td", "th", "caption", "img"}
_OTHER_HTML_NAMES = frozenset(
    {
        "html",
        "head",
        "body",
        "meta",
        "link",
        "base",
        "form",
        "input",
        "label",
        "option",
        "span",
        "font",
        "small",
    }
    | {
        "big",
        "u",
        "s",
        "strike",
        "del",
        "ins",
        "mark",
        "abbr",
        "acronym",
        "q",
        "time",
        "wbr",
        "nobr",
        "bdi",
        "bdo",
    }
    | {
        "ruby",
        "rt",
        "rp",
        "var",
        "picture",
        "source",
        "video",
        "audio",
        "embed",
        "applet",
        "param",
        "map",
        "area",
    }
    | {"canvas", "col", "colgroup", "marquee", "blink", "frame", "frameset", "hgroup", "menu", "dialog"}
)
_HTML_NAMES = ALLOWED_TAGS | _RENAMED.keys() | _DROPPED_WITH_CONTENT | _OTHER_HTML_NAMES

# A unit of an excerpt: a character where the script writes no spaces, else a word.
LONGEST_UNIT = 60
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
_UNIT = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff][\u3001\u3002\uff01\uff0c\uff1a\uff1f\u300d\u300f]*"
    r"|[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]{1,5}"
    r"|[^\s\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]{1,60}"
)


# In what the sanitiser wrote "<" opens a tag and nothing else.
_ANY_TAG = re.compile(r"""<(?:[^>"]++|"[^"]*+")*+>""")
_BREAKING_TAGS = re.compile(
    rf"""(?:</?(?:{"|".join(sorted(_BREAKING))})(?=[ />])(?:[^>"]++|"[^"]*+")*+>\s*+)++"""
)
# The only characters that it writes by name.
_WRITTEN = {"lt": "<", "gt": ">", "nbsp": "\u00a0", "quot": '"', "amp": "&"}


class CleanHTML(str):
    """HTML that has been through the sanitiser, or was read back from a column that only takes such."""

    __slots__ = ()


class TooComplex(ValueError):
    """The markup is longer or more deeply nested than we are willing to parse."""


class _Token(NamedTuple):
    """A piece of text (no name) or one tag, with its attributes as written."""

    text: str
    name: str = ""
    closes: bool = False
    attributes: str = ""


def sanitise(html: str, *, base_url: str = "") -> str:
    """HTML that is safe to show: only our tags, only absolute web links. Twice gives the same as once.

    Markup beyond our limits comes back as its text alone, in paragraphs.
    """
    html = _strip_controls(html)
    try:
        return _settled(html, base_url)
    except TooComplex:
        return _plain_paragraphs(html)


def clean_text(value: str, *, max_length: int = MAX_TEXT_CHARS) -> str:
    """One line of plain text: tags gone, entities read once, white space single. Escape it on output."""
    value = _strip_controls(value[: 8 * MAX_TEXT_CHARS + 8 * max_length])
    if "<" not in value and "&" not in value:
        return _one_line(value, max_length)
    text = entities.unescape("".join(_text_pieces(value, separator=" ", names=_HTML_NAMES)))
    return _one_line(_strip_controls(text), max_length)


def _one_line(text: str, max_length: int) -> str:
    text = " ".join((text if text.isascii() else _LINE_CONTROLS.sub("", text)).split())
    return text if len(text) <= max_length else text[: max_length - 1].rstrip() + "…"


def to_text(html: str) -> str:
    """The words of the markup, one line per paragraph."""
    if isinstance(html, CleanHTML):
        return _clean_to_text(html)
    # Controls are gone from the text, so one of them can mark where a line ends.
    text = "".join(_text_pieces(_strip_controls(html), separator=_LINE_END))
    return _spaced(_unescaped(line) if "&" in line else line for line in text.split(_LINE_END))


def _clean_to_text(html: CleanHTML) -> str:
    """As `to_text`, where it is known how the markup is written."""
    text = _without_written_tags(html).replace("\n", " ")
    lines = (_with_written_signs(text) if "&" in text else text).split(_LINE_END)
    # What is printable has no white space but blanks; most texts have those one by one.
    if "  " in text or not "".join(lines).isprintable():
        return _spaced(lines)
    return "\n".join(line for line in map(str.strip, lines) if line)


def _with_written_signs(text: str) -> str:
    first, *rest = text.split("&")
    pieces = [first]
    for piece in rest:
        name, _, after = piece.partition(";")
        pieces += _WRITTEN.get(name, f"&{name};"), after
    return "".join(pieces)


def _without_written_tags(html: str) -> str:
    """What stands between the tags, and a mark where a line ends."""
    first, *rest = html.split("<")
    pieces = [first]
    for piece in rest:
        tag, _, text = piece.partition(">")
        if tag.count('"') % 2:
            # A ">" within an attribute: the pattern knows where that ends.
            return _ANY_TAG.sub("", _BREAKING_TAGS.sub(_LINE_END, html))
        if tag.lstrip("/").partition(" ")[0] in _BREAKING:
            pieces.append(_LINE_END)
        pieces.append(text)
    return "".join(pieces)


def _spaced(lines: Iterable[str]) -> str:
    return "\n".join(filter(None, (" ".join(line.split()) for line in lines)))


def _unescaped(line: str) -> str:
    return _strip_controls(entities.unescape(line))


def excerpt(html: str, words: int) -> str:
    """The first words as plain text, an ellipsis where more follows. Han and kana characters count singly."""
    if "<" not in html and "&" not in html and html.isprintable():
        return excerpt_of_text(html.strip(), words)
    # Of a long text the beginning is enough, when it comes apart in one way and something follows.
    enough = _enough_for(words)
    opening = html[: max(0, html.rfind("<", 0, enough))] if len(html) > 2 * enough else ""
    if opening and isinstance(html, CleanHTML):
        opening = CleanHTML(opening)
    if opening and (isinstance(opening, CleanHTML) or _plain_parts(opening) is not None):
        found = _first_words(to_text(opening), words)
        if found.endswith("…"):
            return found
    return _first_words(to_text(html), words)


def excerpt_of_text(text: str, words: int) -> str:
    """The same of what `to_text` made of the markup already."""
    found = _first_words(text[: _enough_for(words)], words)
    return found if found.endswith("…") else _first_words(text, words)


def _enough_for(words: int) -> int:
    """In how many characters so many words nearly always are."""
    return 14 * words + 300


def _first_words(text: str, words: int) -> str:
    if text.isascii() or not _UNSPACED.search(text):
        first = text.split(None, words)
        if max(map(len, first[:words]), default=0) <= LONGEST_UNIT:
            if len(first) > words:
                return " ".join(first[:words]).rstrip(" ,;:–—-") + "…"
            return _singly_spaced(text)
    text = _singly_spaced(text)
    end = 0
    for count, unit in enumerate(_UNIT.finditer(text)):
        if count >= words:
            return text[:end].rstrip(" ,;:–—-") + "…"
        end = unit.end()
    return text


def _singly_spaced(text: str) -> str:
    # What is printable has no white space but blanks.
    return text if "  " not in text and text.isprintable() else _SPACES.sub(" ", text)


def ckeditor_allowed_content() -> str:
    """The same allow-list in the editor's own notation, so that it keeps what we keep."""
    plain = " ".join(sorted(ALLOWED_TAGS - ALLOWED_ATTRIBUTES.keys()))
    required = {"href", "src"}
    rules = [plain]
    for tag, names in sorted(ALLOWED_ATTRIBUTES.items()):
        listed = ",".join(("!" if name in required else "") + name for name in sorted(names))
        rules.append(f"{tag}[{listed}]")
    return "; ".join(rules)


def _strip_controls(value: str) -> str:
    if "\r" in value:
        value = value.replace("\r\n", "\n").replace("\r", "\n")
    if value.isascii():
        # Twenty times as fast as the pattern, which says the same of ASCII.
        return value.translate(_ASCII_CONTROLS)
    # None of them is printable, and most texts are.
    return value if value.replace("\n", "").isprintable() else _CONTROLS.sub("", value)


def _tokens(html: str) -> Iterator[_Token]:
    """Text and tags in order; comments and the content of dropped elements are left out. Linear time."""
    position, unclosed = 0, set[str]()
    while position < len(html):
        found = _MARKUP.search(html, position)
        if found is None:
            break
        opening = found.start()
        if opening > position:
            yield _Token(html[position:opening])
        tag = _TAG.match(html, opening)
        if tag is None and found[1].isalpha():
            # Never finished, so it swallows the rest, as in a browser. To try again
            # at each later "<" would cost quadratic time.
            yield _Token(html[opening:], name="!")
            return
        if tag is None:
            position = _after_comment(html, opening)
            continue
        name, position = tag[2].lower(), tag.end()
        if name in _DROPPED_WITH_CONTENT and not tag[1]:
            position = _after_dropped(html, name, position, unclosed)
        else:
            yield _Token(tag[0], name, bool(tag[1]), tag[3])
    if position < len(html):
        yield _Token(html[position:])


def _after_comment(html: str, opening: int) -> int:
    if html.startswith("<!--", opening):
        for empty in ("<!-->", "<!--->"):
            if html.startswith(empty, opening):
                return opening + len(empty)
        end = _COMMENT_END.search(html, opening + 4)
        return end.end() if end else len(html)
    return html.find(">", opening) + 1 or len(html)


def _after_dropped(html: str, name: str, position: int, unclosed: set[str]) -> int:
    closer = None if name in unclosed else _CLOSERS[name].search(html, position)
    if closer:
        return closer.end()
    unclosed.add(name)
    return len(html) if name in _RAW_TEXT else position


def _settled(html: str, base_url: str) -> str:
    """Cleaned until cleaning changes nothing. Once does, unless elements cross one another or a table."""
    for _ in range(MAX_ROUNDS):
        prepared, orderly = _prepare(html, base_url)
        cleaned = _tidy(_CLEANER.clean(prepared))
        if len(cleaned) > MAX_CHARS:
            break
        if orderly or cleaned == html:
            return cleaned
        html = cleaned
    raise TooComplex("elements cross one another in a way that has no plain reading")


def _prepare(html: str, base_url: str) -> tuple[str, bool]:
    """The same document in our tags alone, so that its depth is known before the sanitiser builds a tree.

    Also says whether its elements lie properly within one another.
    """
    if len(html) > MAX_CHARS:
        raise TooComplex(f"{len(html)} characters; {MAX_CHARS} are read")
    nesting = _Nesting()
    parts = _plain_parts(html)
    if parts is not None:
        for index in range(1, len(parts), 2):
            name, closes, tag = _our_tag(parts[index]) or _our_link(parts[index], base_url)
            parts[index] = tag if name in _UNCOUNTED or _counted(nesting, name, closes) else ""
        return "".join(parts), nesting.orderly and not nesting.tags
    pieces: list[str] = []
    for token in _tokens(html):
        if not token.name:
            pieces.append(token.text.replace("<", "&lt;"))
            continue
        name, closes, tag = _as_ours(token, base_url)
        if _counted(nesting, name, closes):
            pieces.append(tag)
    return "".join(pieces), nesting.orderly and not nesting.tags


def _plain_parts(html: str) -> list[str] | None:
    """Text and tags by turns, text first; None for a document that only the tokeniser can be trusted with.

    Where every "<" opens a tag of the plainest form and none of them drops its content, a document
    comes apart in one way: what `_tokens` yields is exactly this, and this is several times faster.
    """
    parts = _TAG_OR_TEXT.split(html)
    if html.count("<") != len(parts) // 2:
        return None
    return None if any(map(_drops_content, parts[1::2])) else parts


@lru_cache(maxsize=4096)
def _drops_content(tag: str) -> bool:
    name = _NAME.match(tag)
    return name is None or name[1].lower() in _DROPPED_WITH_CONTENT


def _plain_token(tag: str) -> _Token:
    found = _TAG.fullmatch(tag)
    # A plain tag is always one; if it were not, the tokeniser would have to look at it.
    return _Token(tag, found[2].lower(), bool(found[1]), found[3]) if found else _Token(tag, "script")


@lru_cache(maxsize=4096)
def _our_tag(tag: str) -> tuple[str, bool, str] | None:
    """As `_as_ours`; None where what we write of the tag can depend on where the document was found."""
    if "=" in tag and any(name in tag.lower() for name in _LINKS):
        return None
    return _as_ours(_plain_token(tag), "")


@lru_cache(maxsize=1024)
def _our_link(tag: str, base_url: str) -> tuple[str, bool, str]:
    return _as_ours(_plain_token(tag), base_url)


def _as_ours(token: _Token, base_url: str) -> tuple[str, bool, str]:
    """Our name for the element, whether it closes, and the tag as we write it; no name where it is left out."""
    name = _RENAMED.get(token.name, token.name)
    if name not in ALLOWED_TAGS:
        return "", False, ""
    if token.closes:
        return name, True, f"</{name}>"
    tag = _opening_tag(name, token.attributes, base_url)
    return (name, False, tag) if tag else ("", False, "")


def _counted(nesting: _Nesting, name: str, closes: bool) -> bool:
    """Whether the tag is written; the nesting has counted it then."""
    if not name:
        return False
    if closes:
        nesting.close(name)
        return True
    return nesting.open(name)


class _Nesting:
    """The elements that the parser may have open, never fewer than it has."""

    def __init__(self) -> None:
        self.tags: list[str] = []
        self.orderly = True

    def open(self, name: str) -> bool:
        """Count the element in, unless it is a link within a link, which no parser allows."""
        if name in _UNCOUNTED:
            return True
        if name == "a" and "a" in self.tags:
            self.orderly = False
            return False
        self.tags.append(name)
        if len(self.tags) > MAX_DEPTH:
            raise TooComplex(f"more than {MAX_DEPTH} elements inside one another")
        self.orderly = self.orderly and name != "table"
        return True

    def close(self, name: str) -> None:
        """Forget an element only where the parser is sure to close it too: never across a table or a block."""
        if name in _SELF_CLOSING:
            return
        if self.tags and self.tags[-1] == name:
            self.tags.pop()
            return
        self.orderly = False
        block = name in _BLOCKS
        for index in range(len(self.tags) - 1, -1, -1):
            if self.tags[index] == name:
                del self.tags[index : None if block else index + 1]
                return
            if self.tags[index] == "table" or (not block and self.tags[index] in _BLOCKS):
                return


def _opening_tag(name: str, written: str, base_url: str) -> str:
    allowed = ALLOWED_ATTRIBUTES.get(name)
    if not allowed:
        return f"<{name}>"
    attributes = _attributes(written, allowed, base_url)
    if name == "img" and not _is_picture(attributes):
        return ""
    listed = "".join(f' {key}="{entities.escape(value)}"' for key, value in attributes.items())
    return f"<{name}{listed}>"


def _attributes(written: str, allowed: frozenset[str], base_url: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for match in _ATTRIBUTE.finditer(written):
        name = match[1].lower()
        if name not in allowed or name in found:
            continue
        value = match[2] or match[3] or match[4] or ""
        if name in _LINKS and len(value) <= MAX_URL_CHARS and _PLAIN_LINK.fullmatch(value):
            found[name] = value
            continue
        value = entities.unescape(value)
        if name == "src" and not base_url and _OF_LIBRARY.fullmatch(value):
            pass
        elif name in _LINKS:
            value = _absolute(value, base_url)
        elif name in _NUMBERS:
            value = value.strip().removesuffix("px")
            value = value if value.isascii() and value.isdigit() and len(value) < 6 else ""
        found[name] = _strip_controls(value)
    return {name: value for name, value in found.items() if value or name == "alt"}


def _absolute(address: str, base_url: str) -> str:
    """The address in full, or nothing. Browsers ignore line breaks and tabs within one, so they go first."""
    address = _IGNORED_IN_ADDRESS.sub("", address.strip()).replace(" ", "%20")
    if len(address) > MAX_URL_CHARS:
        return ""
    if not _SCHEME.match(address):
        try:
            address = urljoin(base_url, address)
        except ValueError:
            return ""
    # The sanitiser knows only some attributes as links, `cite` not among them.
    return address if address.partition(":")[0].lower() in URL_SCHEMES else ""


def _is_picture(attributes: dict[str, str]) -> bool:
    """A picture to look at: of our library, or on the web and no counting pixel."""
    address = attributes.get("src", "")
    small = any(attributes.get(side, "9") in {"0", "1", "2"} for side in ("width", "height"))
    return bool(_WEB_ADDRESS.match(address) or _OF_LIBRARY.fullmatch(address)) and not small


def _tidy(html: str) -> str:
    """Without empty paragraphs, nor the first line break in <pre>, which each parser drops anew."""
    html = _EMPTY_PARAGRAPH.sub("", html)
    return (_PRE_NEWLINES.sub("<pre>", html) if "<pre>" in html else html).strip()


def _plain_paragraphs(html: str) -> str:
    text = to_text(html[: 4 * MAX_CHARS])[:MAX_PLAIN_CHARS]
    # Quotes stay as they are: the sanitiser would write them so too.
    lines = (entities.escape(line, quote=False) for line in text.split("\n") if line)
    return "".join(f"<p>{line}</p>" for line in lines)


def _text_pieces(html: str, *, separator: str, names: frozenset[str] | None = None) -> Iterator[str]:
    """The text between the tags, entities still unread; a separator where a block begins or ends.

    With names given, only those count as tags, so that a headline keeps its "<3" and "List<Stern>".
    """
    if names is None and (parts := _plain_parts(html)) is not None:
        for index, part in enumerate(parts):
            if not index % 2:
                yield part
            elif _breaks(part):
                yield separator
        return
    for token in _tokens(html):
        if not token.name or (names is not None and token.name not in names):
            yield token.text
        elif _RENAMED.get(token.name, token.name) in _BREAKING:
            yield separator


@lru_cache(maxsize=4096)
def _breaks(tag: str) -> bool:
    name = _plain_token(tag).name
    return _RENAMED.get(name, name) in _BREAKING

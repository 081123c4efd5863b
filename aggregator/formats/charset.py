"""Bytes to text: what a feed is written in, whatever it and its server claim."""

from __future__ import annotations

import codecs
import re

BOMS = [
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
]
STARTS = [
    (b"<\0\0\0", "utf-32-le"),
    (b"\0\0\0<", "utf-32-be"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
    (b"\x4c\x6f\xa7\x94", "cp037"),
]
DECLARED = re.compile(
    rb"^[^<]{0,200}<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._:-]{1,40})[\"']", re.DOTALL
)
CHARSET = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9._:-]{1,40})", re.IGNORECASE)
# What the label says and what is meant by those who use it.
WIDER = {
    "iso8859-1": "cp1252", "ascii": "cp1252", "gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932",
    "euc_kr": "cp949", "iso8859-9": "cp1254", "big5": "cp950", "tis-620": "cp874", "iso8859-11": "cp874",
}  # fmt: skip


def as_utf8(data: bytes, content_type: str = "") -> tuple[bytes, bool]:
    """The document as UTF-8, and whether every byte of it could be read."""
    encoding = encoding_of(data, content_type)
    if encoding == "utf-8":
        data = data.removeprefix(codecs.BOM_UTF8)
        try:
            data.decode("utf-8")
        except UnicodeDecodeError:
            return data.decode("utf-8", "replace").encode("utf-8"), False
        return data, True
    try:
        return _encoded(data.decode(encoding)), True
    except (UnicodeError, ValueError):
        return _encoded(data.decode(encoding, "replace")), False


def _encoded(text: str) -> bytes:
    return text.removeprefix("\ufeff").encode("utf-8", "replace")


def encoding_of(data: bytes, content_type: str = "") -> str:
    """The encoding to read the document by: its marks, then its bytes, then what was declared."""
    for mark, encoding in BOMS:
        if data.startswith(mark):
            return encoding
    for start, encoding in STARTS:
        if data.startswith(start):
            return encoding
    match = DECLARED.match(data[:1024])
    declared = _known(match[1].decode("ascii")) if match else ""
    served = CHARSET.search(content_type[:500])
    return _by_bytes(data, declared, _known(served[1]) if served else "")


def _by_bytes(data: bytes, declared: str, served: str) -> str:
    if data.isascii():
        # All bytes mean the same in nearly every encoding; the stateful ones say so themselves.
        return declared if declared.startswith(("iso2022", "hz")) else "utf-8"
    # Text in another encoding is hardly ever valid UTF-8 by chance, so valid
    # UTF-8 is UTF-8, whatever a template or a server's default says.
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        for label in (declared, served):
            if label and not label.startswith("utf-"):
                return label
        return "utf-8" if _mostly_utf8(data) else "cp1252"
    return "utf-8"


def _mostly_utf8(data: bytes) -> bool:
    """Some broken bytes in UTF-8, as where a program cut a text by bytes, rather than another encoding.

    Text in another encoding has next to no letter that is whole in UTF-8.
    """
    text = data.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    return broken * 2 <= sum(not character.isascii() for character in text)


def _known(label: str) -> str:
    try:
        info = codecs.lookup(label)
    except (LookupError, ValueError):
        return ""
    # Python's registry also holds transforms that are no character sets.
    if not getattr(info, "_is_text_encoding", True) or info.name in (
        "idna",
        "punycode",
        "undefined",
        "utf-7",
    ):
        return ""
    return WIDER.get(info.name, info.name)

"""How two texts are recognised as one: exactly, nearly, or by headline and day.

The figures are stored: to change the arithmetic is to sign every article again.
"""

from __future__ import annotations

import hashlib
import re
import struct
import unicodedata
from datetime import date
from hashlib import blake2b
from itertools import pairwise
from zlib import crc32

LANES = 128
BANDS = 16
ANCHORS = 12
ENOUGH_ANCHORS = 3
ROWS = 4
SIGNATURE_BYTES = LANES * 2
MAX_CHARS = 100_000
TELLING_WORDS = 20

_WORDS = re.compile(r"[^\W_]+")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")
_CHARACTERS = 3
_ANCHORED_CHARS = 2_000
# Pairs of words this short ("of the", "es la") are in every text and tell none apart.
_SHORT = 3
_LONG_WORDS = re.compile(rb"[^ ]{%d,}" % (_SHORT + 1))
SIGNS = "’‘“”„–—…«»\u00a0"
# Small letters, and blanks for all that is no letter or digit.
ASCII_FOLDED = bytes(ord(chr(code).lower()) if chr(code).isalnum() else 32 for code in range(128)).ljust(256)
_PROBES = 64
_MOST = 1 << 64


def is_telling(text: str) -> bool:
    """Whether a text is long enough to be known by. Shorter ones ("Read more") have nothing in common."""
    return len(text) > 40 * TELLING_WORDS or len(text.split(None, TELLING_WORDS)) > TELLING_WORDS


def text_fingerprint(text: str) -> str:
    """The same for texts that differ only in case, punctuation, spacing and ways to write a character."""
    return hashlib.sha256(_folded(text)).hexdigest()


def title_day_key(source_key: str, title: str, day: date) -> str:
    """The same for one source's entries with one headline on one day, whatever their address."""
    parts = (source_key.encode(), _folded(title), day.isoformat().encode())
    return hashlib.sha256(b"\x1f".join(parts)).hexdigest()


def signature(text: str) -> bytes:
    """A sketch of fixed length from which the share of common wording can be estimated. All zero for no words."""
    shingles = _shingles(text[:MAX_CHARS])
    if not shingles:
        return bytes(SIGNATURE_BYTES)
    # One hash per shingle gives two numbers; each falls into one lane by its low
    # bits, and the lane keeps the least. As many shingles again would have to be
    # hashed for every lane of the textbook method.
    digests = b"".join([blake2b(shingle.encode(), digest_size=16).digest() for shingle in shingles])
    least: dict[int, int] = {}
    for number in struct.unpack(f"<{len(digests) // 8}Q", digests):
        lane = number % LANES
        if number < least.get(lane, _MOST):
            least[lane] = number
    lanes = [(least[n] >> 7) & 0xFFFF if n in least else _lane(least, n) for n in range(LANES)]
    return struct.pack(f"<{LANES}H", *lanes)


def similarity(a: bytes | memoryview, b: bytes | memoryview) -> float:
    """The share of wording two sketched texts have in common, 0 to 1: twice the common over the sum of both."""
    if not any(a) or not any(b):
        return 0.0
    ours, theirs = memoryview(a).cast("H"), memoryview(b).cast("H")
    equal = sum(map(int.__eq__, ours, theirs)) / LANES
    return 2 * equal / (1 + equal)


def bands(signature: bytes | memoryview) -> tuple[int, ...]:
    """Sixteen numbers for indexed columns; near copies share at least one. None for a text without words."""
    if not any(signature):
        return ()
    return struct.unpack(f"<{BANDS}q", signature[: BANDS * ROWS * 2])


def anchors(text: str) -> list[int]:
    """By what a copy of this text is found: those of its pairs of neighbouring long words with the least numbers.

    Of texts that share most of their wording these are mostly the same, whatever was put before or cut behind
    (bottom-k sampling, A. Broder). Far cheaper than a sketch, and too coarse to judge by.
    """
    words = _LONG_WORDS.findall(_lowered(text[:_ANCHORED_CHARS]))
    if not text.isascii() and _is_unspaced(joined := b"".join(words).decode()):
        words = [
            joined[index : index + _CHARACTERS].encode() for index in range(len(joined) - _CHARACTERS + 1)
        ]
    return sorted(set(map(crc32, words[1:], map(crc32, words))))[:ANCHORS]


def _words(text: str) -> list[str]:
    return _folded(text).decode().split()


def _folded(text: str) -> bytes:
    """The words without case and signs, a blank between them."""
    return b" ".join(_lowered(text).split())


def _lowered(text: str) -> bytes:
    """The same with more blanks between some."""
    if not text.isascii():
        # Without the signs that most texts have, many a text is ASCII, and three times as quickly read.
        for sign in SIGNS:
            text = text.replace(sign, " ")
    if text.isascii():
        return text.encode().translate(ASCII_FOLDED)
    return " ".join(_WORDS.findall(unicodedata.normalize("NFKC", text).casefold())).encode()


def _shingles(text: str) -> set[str]:
    """Pairs of neighbouring words, or runs of characters in scripts that write no spaces."""
    words = _words(text)
    joined = "".join(words)
    if _is_unspaced(joined):
        return {joined[index : index + _CHARACTERS] for index in range(max(1, len(joined) - _CHARACTERS + 1))}
    telling = {f"{a} {b}" for a, b in pairwise(words) if len(a) > _SHORT or len(b) > _SHORT}
    return telling or ({joined} if joined else set())


def _is_unspaced(text: str) -> bool:
    return 2 * len(_UNSPACED.findall(text)) > len(text)


def _lane(least: dict[int, int], index: int) -> int:
    """The lane's number; an empty lane borrows from others, in an order that both texts share."""
    for probe in range(_PROBES):
        found = least.get((index + probe * (2 * index + 1)) % LANES)
        if found is not None:
            return (found >> 7) * (2 * probe + 1) & 0xFFFF
    return min(least.values()) >> 7 & 0xFFFF

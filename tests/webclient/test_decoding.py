"""Compressed answers come out whole, whatever their size and however they are cut into pieces."""

from __future__ import annotations

import gzip
import random
import zlib
from collections.abc import Callable

import brotli
import pytest

from webclient.decoding import PIECE, decode

SIZES = [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE - 1, 2 * PIECE, 7 * PIECE + 5]
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": lambda body: bytes(brotli.compress(body, quality=5)),
}


@pytest.mark.parametrize("encoding", PACKERS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", ["one letter", "words", "noise"])
def test_a_body_of_any_size_comes_out_whole(encoding: str, size: int, kind: str) -> None:
    made = random.Random(size)
    bodies = {
        "one letter": b"a" * size,
        "words": bytes(made.choices(b"etaoin shrdlu", k=size)),
        "noise": made.randbytes(size),
    }
    packed = PACKERS[encoding](bodies[kind])

    for step in (997, PIECE, len(packed) + 1):
        pieces = [packed[start : start + step] for start in range(0, len(packed), step)]
        assert decode(pieces, encoding, limit=size + 1) == bodies[kind]

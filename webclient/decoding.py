"""Compressed answers undone piece by piece, never beyond the size allowed."""

from __future__ import annotations

import codecs
import importlib
import zlib
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, Protocol

import brotli

from webclient.errors import BadEncoding, TooLarge

PIECE = 65536
ALIASES = {"x-gzip": "gzip"}
GZIP_MAGIC = b"\x1f\x8b"


class Decoder(Protocol):
    """Undoes one compression; each piece it yields is at most about PIECE long."""

    def pieces(self, data: bytes) -> Iterator[bytes]: ...

    def is_complete(self) -> bool: ...


class Identity:
    """The bytes as they come."""

    def pieces(self, data: bytes) -> Iterator[bytes]:
        yield data

    def is_complete(self) -> bool:
        return True


def _inflated(inflater: Any, data: bytes) -> Iterator[bytes]:
    """All that zlib makes of this input: a full piece may leave more inside although no input is left."""
    piece = inflater.decompress(data, PIECE)
    yield piece
    while not inflater.eof and (inflater.unconsumed_tail or len(piece) == PIECE):
        piece = inflater.decompress(inflater.unconsumed_tail, PIECE)
        yield piece


class Gzip:
    """gzip, several members in a row included; rubbish after the last is left out."""

    def __init__(self) -> None:
        self.inflater = zlib.decompressobj(31)
        self.began = False

    def pieces(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self.inflater.eof:
                if not data.startswith(GZIP_MAGIC):
                    return
                self.inflater = zlib.decompressobj(31)
            self.began = True
            yield from _inflated(self.inflater, data)
            data = self.inflater.unused_data

    def is_complete(self) -> bool:
        return self.inflater.eof or not self.began


class Deflate:
    """deflate in its zlib wrapping, or bare as some servers send it."""

    def __init__(self) -> None:
        self.inflater: Any = None

    def pieces(self, data: bytes) -> Iterator[bytes]:
        if self.inflater is None and data:
            # A zlib header's low four bits say "deflate".
            self.inflater = zlib.decompressobj(15 if data[0] & 0x0F == 8 else -15)
        if data and not self.inflater.eof:
            yield from _inflated(self.inflater, data)

    def is_complete(self) -> bool:
        return self.inflater is None or bool(self.inflater.eof)


class Brotli:
    """br, with bounded output."""

    def __init__(self) -> None:
        self.inflater = brotli.Decompressor()
        self.began = False

    def pieces(self, data: bytes) -> Iterator[bytes]:
        self.began = self.began or bool(data)
        if not data or self.inflater.is_finished():
            return
        piece = self.inflater.process(data, output_buffer_limit=PIECE)
        yield piece
        # Output may be left inside although all input was taken.
        while not self.inflater.is_finished() and (piece or not self.inflater.can_accept_more_data()):
            piece = self.inflater.process(b"", output_buffer_limit=PIECE)
            yield piece

    def is_complete(self) -> bool:
        return not self.began or bool(self.inflater.is_finished())


class Zstandard:
    """zstd, where the library is installed."""

    def __init__(self, library: Any) -> None:
        # The window bounds what one piece of input can make the library allocate.
        self.inflater = library.ZstdDecompressor(max_window_size=2**23).decompressobj()
        self.began = False

    def pieces(self, data: bytes) -> Iterator[bytes]:
        # The library has no output limit: feed it little enough that a bomb
        # (at most some 20,000 to 1) passes the caller's limit in small steps.
        for start in range(0, len(data), 64):
            self.began = True
            if self.inflater.eof:
                return
            yield self.inflater.decompress(data[start : start + 64])

    def is_complete(self) -> bool:
        return not self.began or bool(self.inflater.eof)


def _zstandard() -> Any:
    try:
        return importlib.import_module("zstandard")
    except ImportError:
        return None


ZSTANDARD = _zstandard()
ACCEPTED = "gzip, deflate, br" + (", zstd" if ZSTANDARD else "")


# IANA's registry of content codings. Whatever else stands in the header ("utf-8", "none") is a mistake that
# says nothing of the bytes, and browsers pass over it too.
CODINGS = frozenset(
    {"gzip", "deflate", "br", "zstd", "compress", "aes128gcm", "dcb", "dcz", "exi", "pack200-gzip"}
)
# None of gzip, br and zstd begins so: a page or feed that its server only calls compressed does.
TEXT_BEGINS = (b"<", b"{", codecs.BOM_UTF8)


def decoder_for(content_encoding: str, begin: bytes = b"") -> Decoder:
    """What undoes the encoding declared for an answer that begins so; raises BadEncoding for what nothing undoes."""
    names = [part.strip().lower() for part in content_encoding.split(",")]
    names = [ALIASES.get(name, name) for name in names]
    names = [name for name in names if name in CODINGS]
    if len(names) > 1:
        raise BadEncoding("The server compressed its answer more than once.")
    return _decoder(names[0], begin) if names else Identity()


def _decoder(name: str, begin: bytes) -> Decoder:
    if name == "deflate":
        return Deflate()
    if begin.startswith(TEXT_BEGINS):
        return Identity()
    if name == "gzip":
        return Gzip()
    if name == "br":
        return Brotli()
    if name == "zstd" and ZSTANDARD:
        return Zstandard(ZSTANDARD)
    raise BadEncoding(f"The server compressed its answer in a way that is not read here: {name}.")


def decode(stream: Iterable[bytes], content_encoding: str, limit: int) -> bytes:
    """The whole body, uncompressed; raises TooLarge as soon as it passes the limit."""
    pieces = iter(stream)
    begin = next(pieces, b"")
    decoder = decoder_for(content_encoding, begin)
    body = bytearray()
    try:
        for data in chain([begin], pieces):
            for piece in decoder.pieces(data):
                body += piece
                if len(body) > limit:
                    raise TooLarge(f"The answer is larger than {limit // 1024} KiB.")
    except _faults() as error:
        raise BadEncoding("The server's compressed answer is damaged.") from error
    if not decoder.is_complete():
        raise BadEncoding("The server's compressed answer is cut short.")
    return bytes(body)


def _faults() -> tuple[type[Exception], ...]:
    own: tuple[type[Exception], ...] = (zlib.error, brotli.error)
    return (*own, ZSTANDARD.ZstdError) if ZSTANDARD else own

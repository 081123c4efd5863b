"""A foreign picture becomes ours: decoded and written anew, in a process of its own that may be killed.

Decoders are where files attack. The child knows no database, no secret and no network of ours: it gets the bytes
on one pipe, has a limit of processor time and of memory, and answers on the other with the sizes it made.
"""

from __future__ import annotations

import io
import struct
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError, features

ROOT = Path(__file__).resolve().parent.parent
WIDTHS = (480, 960, 1600)
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
MOST_BYTES = 12 * 1024 * 1024
MOST_PIXELS = 25_000_000
TOO_MANY_PIXELS = f"The picture has more than {MOST_PIXELS // 1_000_000} million pixels."
TOO_COSTLY = "The picture takes more time or memory to read than is allowed."
CPU_SECONDS = 20
WALL_SECONDS = 60
MEMORY_BYTES = 1024 * 1024 * 1024
HEADER = struct.Struct("!IIII")
UNUSABLE = 3


class UnusableError(Exception):
    """These bytes do not become a picture of ours; the message says why."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """One size of a picture, ready to store."""

    width: int
    height: int
    data: bytes
    avif: bytes = b""


def encode(data: bytes) -> list[Encoded]:
    """A foreign picture as WebP in our widths, never enlarged, without its metadata; as AVIF where all are smaller."""
    if len(data) > MOST_BYTES:
        raise UnusableError(f"The file is larger than {MOST_BYTES // 1024 // 1024} MB.")
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if image.width * image.height > MOST_PIXELS:
                raise UnusableError(TOO_MANY_PIXELS)
            return _sizes(_upright(image))
    except UnidentifiedImageError as error:
        raise UnusableError("This is not a JPEG, PNG, WebP or GIF picture.") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UnusableError(TOO_MANY_PIXELS) from error
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise UnusableError("The picture is damaged.") from error


def _upright(image: Image.Image) -> Image.Image:
    # A camera's JPEG is decoded at a fraction of its size where that is enough.
    image.draft("RGB", (2 * WIDTHS[-1], 2 * WIDTHS[-1]))
    image.load()
    upright = ImageOps.exif_transpose(image)
    return upright.convert("RGBA" if "A" in upright.getbands() or "transparency" in upright.info else "RGB")


def _sizes(image: Image.Image) -> list[Encoded]:
    widths = sorted({min(width, image.width) for width in WIDTHS})
    sizes = [_at_width(image, width) for width in widths]
    # A browser that reads AVIF chooses among these alone, so there are all or none.
    saves = all(0 < len(size.avif) < len(size.data) for size in sizes)
    return sizes if saves else [replace(size, avif=b"") for size in sizes]


def _at_width(image: Image.Image, width: int) -> Encoded:
    height = max(1, round(image.height * width / image.width))
    resized = image.resize((width, height), Image.Resampling.LANCZOS)
    webp, avif = io.BytesIO(), io.BytesIO()
    # What each costs and saves: docs/decisions/pictures.md.
    resized.save(webp, "WEBP", quality=78, method=2)
    if features.check("avif"):
        resized.save(avif, "AVIF", quality=55, speed=9, max_threads=1)
    return Encoded(width, height, webp.getvalue(), avif.getvalue())


# --- in a process of its own ------------------------------------------------------------------


def encode_apart(data: bytes, *, seconds: float = WALL_SECONDS) -> list[Encoded]:
    """As `encode`, in a child; a picture that kills its reader, or keeps it too long, is UnusableError too."""
    if len(data) > MOST_BYTES:
        return encode(data)
    # -B as the parent: a site that may write into its own folder alone stays so.
    command = [sys.executable, *(["-B"] if sys.dont_write_bytecode else []), "-m", "articles.decoding"]
    try:
        done = subprocess.run(  # noqa: S603  (our own program, no shell)
            command,
            cwd=ROOT,
            env={"LANG": "C.UTF-8"},
            input=data,
            capture_output=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise UnusableError(TOO_COSTLY) from error
    if done.returncode == UNUSABLE:
        raise UnusableError(done.stdout.decode("utf-8", "replace"))
    if done.returncode:
        raise UnusableError(TOO_COSTLY)
    return _unpacked(done.stdout)


def _unpacked(answer: bytes) -> list[Encoded]:
    """The sizes in a child's answer: numbers and bytes, nothing that could be more than a picture."""
    sizes = []
    while answer:
        try:
            width, height, *lengths = HEADER.unpack_from(answer)
        except struct.error as error:
            raise UnusableError(TOO_COSTLY) from error
        parts = io.BytesIO(answer[HEADER.size :])
        sizes.append(Encoded(width, height, *(parts.read(length) for length in lengths)))
        answer = parts.read()
    return sizes


def _shut_in() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _serve() -> int:
    """The child: one picture in, its sizes out."""
    _shut_in()
    try:
        sizes = encode(sys.stdin.buffer.read())
    except UnusableError as error:
        sys.stdout.buffer.write(str(error).encode())
        return UNUSABLE
    except (MemoryError, RecursionError):
        sys.stdout.buffer.write(TOO_COSTLY.encode())
        return UNUSABLE
    for size in sizes:
        header = HEADER.pack(size.width, size.height, len(size.data), len(size.avif))
        sys.stdout.buffer.write(header + size.data + size.avif)
    return 0


if __name__ == "__main__":
    sys.exit(_serve())

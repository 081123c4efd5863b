"""One at a time, on this machine: who has the turn is a locked file, so a killed process loses it at once."""

from __future__ import annotations

import fcntl
import os
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

PLACES = 256
PAUSE = 0.01


@contextmanager
def turn(name: str, *, seconds: float) -> Iterator[bool]:
    """Wait at most `seconds` for the turn at `name`. Yields True when another had it in between.

    Whoever waited too long goes ahead all the same: a turn saves work, nothing depends on it.
    """
    handle = _place(name)
    try:
        yield _waited(handle, seconds)
    finally:
        os.close(handle)


def _place(name: str) -> int:
    path = f"{settings.VAR_DIR}/turns/{zlib.crc32(name.encode()) % PLACES}"
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
    try:
        return os.open(path, flags, 0o600)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return os.open(path, flags, 0o600)


def _waited(handle: int, seconds: float) -> bool:
    until = time.monotonic() + seconds
    waited = False
    while time.monotonic() < until:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waited = True
            time.sleep(PAUSE)
        else:
            break
    return waited

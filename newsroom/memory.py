"""How much memory a process takes that answers or works for months."""

from __future__ import annotations

import ctypes
import gc

# Of malloc.h, for mallopt.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
LARGE = 1024 * 1024


def one_heap() -> None:
    """All threads take memory from one heap, and what is large is given back at once.

    The C library would give each thread a heap of its own, and each keeps what its largest page once needed. Only
    one of our threads runs Python at a time, so none waits for another. Elsewhere than with glibc nothing happens.
    """
    if choose := getattr(ctypes.CDLL(None), "mallopt", None):
        choose(_ARENA_MAX, 1)
        choose(_MMAP_THRESHOLD, LARGE)
        choose(_TRIM_THRESHOLD, LARGE)


def keep() -> None:
    """What was imported stays: the collector of garbage need not look through it again and again."""
    gc.collect()
    gc.freeze()

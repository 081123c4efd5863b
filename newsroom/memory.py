"""How much memory a process takes that answers or works for months."""

from __future__ import annotations

import ctypes
import gc

_ARENAS_AT_MOST = -8


def one_heap() -> None:
    """All threads take memory from one heap.

    The C library would give each thread its own, which all keep what the largest page once needed. Only one of
    our threads runs Python at a time, so none waits for another. Elsewhere than with glibc nothing happens.
    """
    if limit := getattr(ctypes.CDLL(None), "mallopt", None):
        limit(_ARENAS_AT_MOST, 1)


def shared_with_children() -> None:
    """What lies in memory now stays shared after forking: the collector of garbage writes to nothing of it."""
    gc.collect()
    gc.freeze()

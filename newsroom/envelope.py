"""Backups under lock: the age format (age-encryption.org/v1), which `age --decrypt` opens without this program.

Keys are made, never thought up, so there is no weak one: `AGE-SECRET-KEY-1…` opens and closes, `age1…` only
closes. A server that has the second alone cannot read its own backups, nor can who breaks into it.
"""

from __future__ import annotations

from collections.abc import Iterable
from io import BufferedIOBase
from pathlib import Path
from typing import Any

import pyrage
from pyrage import x25519

MAGIC = b"age-encryption.org/v1"
SECRET = "AGE-SECRET-KEY-1"  # noqa: S105  (how every one begins)


class EnvelopeError(Exception):
    """It cannot be opened; the message says why."""


def make_key() -> tuple[str, str]:
    """A new pair: the key that opens, and the one that only closes."""
    identity = x25519.Identity.generate()
    return str(identity), str(identity.to_public())


def read_keys(text: str) -> list[str]:
    """The keys in a text with commas between; ValueError when one of them is none. The first word of the
    message says which place it has, never what it says.
    """
    keys = [part.strip() for part in text.split(",") if part.strip()]
    for place, key in enumerate(keys, 1):
        try:
            _recipient(key)
        except (pyrage.IdentityError, pyrage.RecipientError) as error:
            raise ValueError(f"number {place} is not an age key") from error
    return keys


def close(source: BufferedIOBase, target: BufferedIOBase, keys: Iterable[str]) -> None:
    """Write `source` to `target`, for the holders of any of these keys."""
    pyrage.encrypt_io(source, target, [_recipient(key) for key in keys])


def is_closed(path: Path) -> bool:
    """True when the file begins as such a file does."""
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def open_(source: BufferedIOBase, target: BufferedIOBase, keys: Iterable[str]) -> None:
    """Write what is inside `source` to `target`. EnvelopeError when no key fits or a byte was changed."""
    identities = [x25519.Identity.from_str(key) for key in keys if key.startswith(SECRET)]
    if not identities:
        raise EnvelopeError("it is enciphered, and BACKUP_KEY holds no AGE-SECRET-KEY that could open it")
    try:
        pyrage.decrypt_io(source, target, identities)
    except (pyrage.DecryptError, OSError) as error:
        raise EnvelopeError(
            f"it is enciphered for another key than BACKUP_KEY, or damaged ({error})"
        ) from error


def _recipient(key: str) -> Any:
    return (
        x25519.Identity.from_str(key).to_public()
        if key.startswith(SECRET)
        else x25519.Recipient.from_str(key)
    )

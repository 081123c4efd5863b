"""Unguessable names for things whose address must not be found by counting."""

from __future__ import annotations

import secrets


def new_token() -> str:
    """32 hexadecimal characters, 128 bits."""
    return secrets.token_hex(16)

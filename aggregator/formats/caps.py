"""How much of a feed is read; what goes beyond is left out, so that no feed takes more than its share."""

from __future__ import annotations

BYTES = 8 * 1024 * 1024
ENTRIES = 500
MARKUP = 400_000
MARKUP_OF_SHORT_FIELD = 20_000
TITLE = 1_000
TEXT = 5_000
NAME = 300
ADDRESS = 4_000
CREDITS = 100
CATEGORIES = 100
PICTURES = 50
ENCLOSURES = 50

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from newsroom.imports import Found, read_ninjs
from newsroom.management.importing import ImportCommand


class Command(ImportCommand):
    help = (
        "Brings in articles in IPTC ninjs 1.3 to 2.1, as export_articles and the API write it: one JSON object, an "
        "array of them, or one on each line. One that names its original belongs to the source at that address."
    )

    def read(self, file: BinaryIO) -> Iterator[Found]:
        """See read_ninjs."""
        return read_ninjs(file)

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from newsroom.imports import Found, read_wordpress
from newsroom.management.importing import ImportCommand


class Command(ImportCommand):
    help = (
        "Brings in the posts of a WordPress export (WXR: Tools, Export, All content). Categories and tags become "
        "tags, excerpts standfirsts, and each keeps its state. Comments stay out; pages and pictures are named and not "
        "fetched."
    )

    def read(self, file: BinaryIO) -> Iterator[Found]:
        """See read_wordpress."""
        return read_wordpress(file)

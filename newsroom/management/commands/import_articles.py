from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from newsroom.imports import CSV_COLUMNS, Found, read_csv
from newsroom.management.importing import ImportCommand


class Command(ImportCommand):
    help = (
        "Brings in the rows of a CSV table in UTF-8. Its first line names the columns, of these: "
        f"{', '.join(CSV_COLUMNS)}. Needed are headline, and id or url; tags stand between semicolons."
    )

    def read(self, file: BinaryIO) -> Iterator[Found]:
        """See read_csv."""
        return read_csv(file)

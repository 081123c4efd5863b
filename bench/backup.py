"""How long a backup and a restore take, and how long readers meet 503 meanwhile: 20,000 articles, enciphered."""

from __future__ import annotations

import io
import os
import time
from contextlib import redirect_stdout
from pathlib import Path

from bench.scratch import prepare, print_rows

ARTICLES = int(os.environ.get("BENCH_ARTICLES", "20000"))


def timed(*command: str) -> float:
    """Seconds that a management command takes."""
    from django.core.management import call_command

    started = time.monotonic()
    with redirect_stdout(io.StringIO()):
        call_command(*command)
    return time.monotonic() - started


def main() -> None:
    """Make, check, restore and replay, on the database that DATABASE_URL names."""
    folder = prepare()
    from django.conf import settings
    from django.db import connection

    from newsroom.envelope import make_key

    settings.BACKUP_KEYS = [make_key()[0]]
    settings.MEDIA_ROOT.mkdir(exist_ok=True)
    timed("make_articles", str(ARTICLES))
    file = Path(folder) / "backup.tar"
    made = timed("backup", str(file))
    print_rows(
        (f"articles, {connection.vendor}", ARTICLES, ""),
        ("backup, the site running", made, "s"),
        ("its size", file.stat().st_size / 1e6, "MB"),
        ("restore --check", timed("restore", str(file), "--check"), "s"),
        ("restore", timed("restore", str(file)), "s"),
        ("replay_ledger, nothing missing", timed("replay_ledger"), "s"),
    )


if __name__ == "__main__":
    main()

"""Kill -9 at every write and every commit of deciding, erasing and undoing: each in a case of its own.

What is counted is what stood afterwards, before and after the worker's next round, that should not.
BENCH_PATHS names some of the paths, with commas between; BENCH_DATABASE_URL takes another database than SQLite.
"""

from __future__ import annotations

import os
import sys
import time
from itertools import count

from bench.scratch import prepare, print_rows

Row = tuple[str, float, str]


def main() -> None:
    if os.environ.get("BENCH_DATABASE_URL"):
        os.environ["DATABASE_URL"] = os.environ["BENCH_DATABASE_URL"]
    os.environ.setdefault("EMAIL_URL", "memory://")
    prepare()
    from tests.moderation import kills

    chosen = os.environ.get("BENCH_PATHS", ",".join(kills.PATHS)).split(",")
    numbers, rows, wrongs = count(1), [], 0
    for name in chosen:
        began = time.monotonic()
        steps, wrong = kills.walk(kills.PATHS[name], numbers, kills.every)
        wrongs += len(wrong)
        rows += [(f"{name}: killed at each of its writes and commits", steps, "kills")]
        rows += [(f"{name}: found wrong afterwards", len(wrong), "faults")]
        told = f"  {name}: {steps} kills in {time.monotonic() - began:.0f} s, {len(wrong)} wrong"
        print("\n    ".join([told, *wrong]), file=sys.stderr, flush=True)
    print_rows(*rows)
    if wrongs:
        raise SystemExit(1)


if __name__ == "__main__":
    main()

"""Runs a program at another time: python -m bench.otherwhen HOURS (-m MODULE | FILE) ARGUMENTS."""

from __future__ import annotations

import os
import runpy
import sys
from datetime import UTC, datetime, timedelta

import time_machine


def main() -> None:
    """The wall clock is ahead or behind and goes on; clocks that measure durations stay as they are."""
    there = datetime.now(UTC) + timedelta(hours=float(sys.argv[1]))
    time_machine.travel(there, tick=True).start()
    sys.path.insert(0, os.getcwd())
    if sys.argv[2] == "-m":
        sys.argv = sys.argv[3:]
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    else:
        sys.argv = sys.argv[2:]
        runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()

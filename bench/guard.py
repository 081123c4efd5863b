"""Stands beside a benchmark and clears up after it, however it ended: its programs, its disks, its folder.

python -m bench.guard MARK FOLDER waits until nobody holds the other end of its standard input any more, which
also a kill -9 brings about. Every program of a benchmark has BENCH_RUN=MARK in its environment.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def guarded(mark: str, folder: Path) -> Iterator[None]:
    """Whatever is begun inside with this mark is gone afterwards, also when this process is killed meanwhile."""
    command = [sys.executable, "-m", "bench.guard", mark, str(folder)]
    guard = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
    try:
        yield
    finally:
        guard.communicate()


def clear_up(mark: str, folder: Path) -> None:
    """End every program with the mark, unmount what is mounted in the folder, delete it."""
    while left := marked(mark):
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.1)
    for line in reversed(Path("/proc/mounts").read_text().splitlines()):
        if line.split()[1].startswith(f"{folder}/"):
            subprocess.run(["umount", "--lazy", line.split()[1]], check=False)
    shutil.rmtree(folder, ignore_errors=True)


def marked(mark: str) -> list[int]:
    """Processes that were given the mark and live; we are not among them."""
    wanted, found = f"BENCH_RUN={mark}".encode(), []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            with suppress(OSError):
                if wanted in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
    return found


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.stdin.buffer.read()
    clear_up(sys.argv[1], Path(sys.argv[2]))

"""Runs the benchmarks, each in a process and a folder of its own; prints a table and writes bench.json."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from bench.guard import guarded

HERE = Path(__file__).resolve().parent
NOT_BENCHES = {
    "__init__",
    "__main__",
    "anew",
    "bare",
    "charts",
    "floor",
    "guard",
    "otherwhen",
    "room",
    "scratch",
}


def main() -> int:
    """Exit status 1 when a benchmark could not be run."""
    var = Path(os.environ.get("VAR_DIR") or HERE.parent / "var")
    names = sys.argv[1:] or sorted(path.stem for path in HERE.glob("*.py") if path.stem not in NOT_BENCHES)
    results = {name: run(name) for name in names}
    print_table(results)
    var.mkdir(parents=True, exist_ok=True)
    report = {"at": datetime.now(UTC).isoformat(), "machine": machine(), "results": results}
    (var / "bench.json").write_text(json.dumps(report, indent=2) + "\n")
    print(f"\nWritten to {var / 'bench.json'}.")
    return 0 if all(results.values()) else 1


def run(name: str) -> list[dict[str, object]]:
    """The rows of one benchmark; none when it failed."""
    print(f"{name} ...", file=sys.stderr)
    scratch = Path(tempfile.mkdtemp(prefix="newsroom-bench-"))
    # The account of a database server passes through to its own folder inside.
    scratch.chmod(0o711)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(scratch),
        "VAR_DIR": str(scratch),
        "TMPDIR": str(scratch),
    }
    environment |= {name: value for name, value in os.environ.items() if name.startswith(("BENCH_", "PIP_"))}
    environment |= {"FETCH_ALLOW_NETWORKS": "127.0.0.0/8", "LOG_LEVEL": "ERROR", "BENCH_RUN": scratch.name}
    with guarded(scratch.name, scratch):
        done = subprocess.run(
            [sys.executable, "-m", f"bench.{name}"],
            cwd=HERE.parent,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
    return json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else []


def print_table(results: dict[str, list[dict[str, object]]]) -> None:
    for name, rows in results.items():
        print(f"\n{name}" if rows else f"\n{name}: FAILED, see above")
        for row in rows:
            print(f"  {row['what']:<58} {row['value']:>10,} {row['unit']}")


def machine() -> dict[str, object]:
    return {"cores": os.cpu_count(), "system": platform.platform(), "python": platform.python_version()}


if __name__ == "__main__":
    sys.exit(main())

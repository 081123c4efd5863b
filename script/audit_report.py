"""Says what pip-audit found: python script/audit_report.py REPORT STATUS [required]. Used by script/audit."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def verdict(report: str, *, required: bool) -> tuple[str, int]:
    """The words for a report of pip-audit, and the exit status."""
    try:
        rows: list[dict[str, Any]] = json.loads(report)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return "NOT AUDITED: the advisory service could not be reached.", int(required)
    asked = [row for row in rows if "vulns" in row and "skip_reason" not in row]
    found = [f"{row['name']} {row['version']}: {vuln['id']}" for row in asked for vuln in row["vulns"]]
    if found:
        return "\n".join(["Advisories name what we use:", *found]), 1
    if not asked:
        return f"NOT AUDITED: the advisory service knows none of {len(rows)} packages from here.", int(
            required
        )
    left = len(rows) - len(asked)
    said = f"{len(asked)} packages audited, no advisory names one."
    return (f"{said} {left} could not be asked about.", int(required)) if left else (said, 0)


if __name__ == "__main__":
    words, status = verdict(Path(sys.argv[1]).read_text(), required=sys.argv[3:] == ["required"])
    sys.stdout.write(f"{words}\n")
    sys.exit(status)

"""Writes docs/supply/: the bill of materials and the list of licences. python script/supply_lists.py BILLS LICENCES

BILLS is the folder with CycloneDX's bills of the requirements files, LICENCES what pip-licenses says of everything
installed (JSON). Used by script/audit; tests/ops/test_supply.py fails when what is pinned is not what these list.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SUPPLY = ROOT / "docs" / "supply"
FILES = {
    "requirements": "the site",
    "requirements-scale": "optional engines",
    "requirements-dev": "tests alone",
}
# Their packages name none; their source files do.
SAID_ELSEWHERE = {"axe-playwright-python": "MIT; axe itself MPL-2.0", "pyrage": "MIT"}
HEADING = """# Licences of what we depend on

Written by `script/audit` from what the packages themselves say. Newsroom's own: [BSD-3-Clause](../../LICENSE).
The same for programs, as CycloneDX: [bill-of-materials.cdx.json](bill-of-materials.cdx.json).

| package | version | licence | for |
|---|---|---|---|
"""


def pinned(name: str) -> dict[str, str]:
    """Version by package, of one requirements file."""
    text = (ROOT / f"{name}.txt").read_text()
    return dict(re.findall(r"^([\w.-]+)(?:\[[\w,]+\])?==([\w.!+-]+)", text, re.MULTILINE))


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def licences(told: Path) -> dict[str, str]:
    rows = json.loads(told.read_text())
    return {
        normal(row["Name"]): row["License"] for row in rows if row["License"] != "UNKNOWN"
    } | SAID_ELSEWHERE


def table(known: dict[str, str]) -> str:
    rows: dict[str, str] = {}
    for file, used_for in FILES.items():
        for name, version in pinned(file).items():
            told = known.get(normal(name), "not installed here")
            rows.setdefault(normal(name), f"| {name} | {version} | {told} | {used_for} |\n")
    return HEADING + "".join(rows[name] for name in sorted(rows))


def bill(bills: Path, known: dict[str, str]) -> dict[str, Any]:
    """One bill for both files that a server installs, without the addresses of a registry."""
    parts = [
        json.loads((bills / f"{file}.cdx.json").read_text())
        for file in ("requirements", "requirements-scale")
    ]
    components = {}
    for component in [one for part in parts for one in part["components"]]:
        kept = {key: component[key] for key in ("type", "name", "version", "purl")}
        told = known.get(normal(component["name"]))
        named = [{"license": {"name": told}}] if told else []
        components[component["purl"]] = {"bom-ref": component["purl"], **kept, "licenses": named}
    head = {key: parts[0][key] for key in ("bomFormat", "specVersion", "version")}
    return {**head, "components": [components[purl] for purl in sorted(components)]}


if __name__ == "__main__":
    known = licences(Path(sys.argv[2]))
    SUPPLY.mkdir(exist_ok=True)
    (SUPPLY / "licences.md").write_text(table(known))
    made = json.dumps(bill(Path(sys.argv[1]), known), indent=1)
    (SUPPLY / "bill-of-materials.cdx.json").write_text(f"{made}\n")

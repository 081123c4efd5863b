"""Dependencies: pinned with hashes, each with a reason, and an audit that never says more than it knows."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = ["requirements", "requirements-dev", "requirements-scale"]


def audit_verdict(report: str, *, required: bool = False) -> tuple[str, int]:
    spec = importlib.util.spec_from_file_location("audit_report", ROOT / "script" / "audit_report.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    words, status = module.verdict(report, required=required)
    return words, status


def report(**packages: object) -> str:
    rows = [
        {"name": name, "version": "1", **({"skip_reason": "?"} if found is None else {"vulns": found})}
        for name, found in packages.items()
    ]
    return json.dumps({"dependencies": rows})


@pytest.mark.parametrize(
    ("said", "words", "status"),
    [
        ("", "NOT AUDITED", 0),
        (report(django=None, pillow=None), "NOT AUDITED: the advisory service knows none of 2", 0),
        (report(django=[], pillow=[]), "2 packages audited, no advisory names one.", 0),
        (report(django=[], pillow=None), "1 could not be asked about", 0),
        (report(django=[{"id": "PYSEC-1"}], pillow=None), "django 1: PYSEC-1", 1),
    ],
)
def test_the_audit_says_what_it_could_ask(said: str, words: str, status: int) -> None:
    told, ended = audit_verdict(said)

    assert words in told
    assert ended == status


def test_an_audit_that_is_required_fails_when_it_could_not_ask() -> None:
    assert audit_verdict("", required=True)[1] == 1
    assert audit_verdict(report(django=[], pillow=None), required=True)[1] == 1
    assert audit_verdict(report(django=[]), required=True)[1] == 0


@pytest.mark.parametrize("name", FILES)
def test_every_dependency_is_pinned_with_hashes(name: str) -> None:
    compiled = (ROOT / f"{name}.txt").read_text()
    pinned = re.findall(r"^([\w.-]+)(?:\[[\w,]+\])?==[\w.!+-]+ (?:; .*)?\\$", compiled, re.MULTILINE)

    starts = [line for line in compiled.splitlines() if line and line[0] not in " #"]
    assert pinned
    assert len(pinned) == len(starts)
    assert compiled.count("--hash=sha256:") >= len(pinned)


@pytest.mark.parametrize("name", FILES)
def test_every_dependency_says_what_it_is_for_its_licence_release_and_keeper(name: str) -> None:
    for line in (ROOT / f"{name}.in").read_text().splitlines():
        if line and not line.startswith("#"):
            assert re.search(r"#.*(?:;|\b\d{4}-\d{2})", line), line


def test_the_bill_of_materials_and_the_licences_are_of_what_is_pinned() -> None:
    """Run script/audit after script/requirements when this fails."""
    pinned = {
        name: set(
            re.findall(r"^([\w.-]+)(?:\[[\w,]+\])?==([\w.!+-]+)", (ROOT / f"{name}.txt").read_text(), re.M)
        )
        for name in FILES
    }
    bill = json.loads((ROOT / "docs" / "supply" / "bill-of-materials.cdx.json").read_text())
    rows = re.findall(
        r"^\| ([\w.-]+) \| (\d[^ ]*) \| (.+) \| .+ \|$",
        (ROOT / "docs" / "supply" / "licences.md").read_text(),
        re.M,
    )

    listed = {(component["name"], component["version"]) for component in bill["components"]}
    assert listed == pinned["requirements"] | pinned["requirements-scale"]
    assert {(name, version) for name, version, _ in rows} == set.union(*pinned.values())
    assert all(
        licence not in ("UNKNOWN", "not installed here") and "AGPL" not in licence for _, _, licence in rows
    )

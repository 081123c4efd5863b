"""Alerts, dashboard and units: about figures we have, leading to paragraphs we have, understood by their programs."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
ALERTS = DEPLOY / "prometheus-alerts.yml"
FIGURES = set(re.findall(r'"(newsroom_\w+)"', (ROOT / "newsroom" / "metrics.py").read_text()))
HEADINGS = re.findall(r"^### (.+)$", (ROOT / "docs" / "operating.md").read_text(), re.MULTILINE)


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(ALERTS.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_an_alert_is_about_a_figure_we_have_and_leads_to_what_to_do(rule: dict[str, Any]) -> None:
    page, _, place = rule["annotations"]["runbook"].partition("#")

    assert set(re.findall(r"newsroom_\w+", rule["expr"])) <= FIGURES
    assert page == "docs/operating.md"
    assert place in {anchor(heading) for heading in HEADINGS}
    assert rule["labels"]["severity"] in ("page", "ticket")


def test_every_figure_of_the_promise_is_on_the_dashboard() -> None:
    panels = json.loads((DEPLOY / "grafana-dashboard.json").read_text())["panels"]
    shown = {
        name
        for panel in panels
        for target in panel["targets"]
        for name in re.findall(r"newsroom_\w+", target["expr"])
    }

    assert shown == FIGURES


def test_prometheus_understands_the_rules() -> None:
    """Its own checker where it is installed (Debian: prometheus); the YAML is read in any case."""
    checker = shutil.which("promtool")
    if checker:
        done = subprocess.run(
            [checker, "check", "rules", ALERTS], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    assert len(rules()) >= 10


@pytest.mark.parametrize("unit", sorted(DEPLOY.glob("*.service")), ids=lambda unit: unit.name)
def test_systemd_understands_the_units_and_finds_them_shut_in(unit: Path, tmp_path: Path) -> None:
    text = re.sub(r"/srv/newsroom/\.venv/bin/\w+", "/bin/true", unit.read_text())
    copy = tmp_path / unit.name
    copy.write_text(text)

    assert "NoNewPrivileges=yes" in text
    assert "SystemCallFilter=@system-service" in text
    program = shutil.which("systemd-analyze")
    if program:
        verify = subprocess.run([program, "verify", copy], capture_output=True, text=True, check=False)
        assert verify.returncode == 0, verify.stderr
        command = [program, "security", "--offline=true", "--threshold=35", copy]
        assert subprocess.run(command, capture_output=True, check=False).returncode == 0

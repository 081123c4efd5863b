"""Only the web client opens web connections."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ["accounts", "aggregator", "articles", "moderation", "newsroom", "readers"]
DOORS = {
    "aiohttp",
    "ftplib",
    "http.client",
    "httpx",
    "requests",
    "socket",
    "trafilatura.downloads",
    "trafilatura.fetch_url",
    "urllib.request",
    "urllib3",
}
# Reads and writes the connections that readers opened to us, and opens none.
ANSWERS = "newsroom/web_worker.py: socket"


def test_no_room_opens_a_web_connection_of_its_own() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {name}"
        for room in ROOMS
        for path in sorted((ROOT / room).rglob("*.py"))
        for name in imported(path)
        if name in DOORS or name.split(".")[0] in DOORS
    ]

    assert found == [ANSWERS]


def imported(path: Path) -> list[str]:
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return names

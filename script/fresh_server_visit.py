"""Visits a newspaper just installed, as a reader and a rights owner: python - first|again. Used by script/fresh-server.

`first` sends a notice; `again` asks for the page of that case, which must have outlived whatever happened.
"""

from __future__ import annotations

import http.client
import json
import re
import ssl
import sys
import time
from pathlib import Path

CERTIFICATE = "/etc/letsencrypt/live/news.example/fullchain.pem"
CASE = Path("/root/case")
PAGES = {
    "/": 200,
    "/feeds/latest.rss": 200,
    "/removal/": 200,
    "/admin/login/": 200,
    "/healthz": 200,
    "/readyz": 200,
}


def ask(path: str, notice: dict[str, object] | None = None) -> tuple[int, http.client.HTTPMessage, bytes]:
    """Status 0 while nobody answers."""
    connection = http.client.HTTPSConnection(
        "news.example", timeout=60, context=ssl.create_default_context(cafile=CERTIFICATE)
    )
    headers = {"Accept-Encoding": "gzip" if path.startswith("/static/") else "identity"}
    body = None
    if notice:
        headers["Content-Type"], body = "application/json", json.dumps(notice)
    try:
        connection.request("POST" if notice else "GET", path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    except (OSError, http.client.HTTPException):
        return 0, http.client.HTTPMessage(), b""
    finally:
        connection.close()


def expect(path: str, status: int, seconds: float = 120) -> tuple[http.client.HTTPMessage, bytes]:
    """The answer, once it is that; fails when it does not become so."""
    until = time.monotonic() + seconds
    while True:
        got, headers, body = ask(path)
        if got == status:
            return headers, body
        if time.monotonic() > until:
            raise SystemExit(f"{path} answers {got}, not {status}")
        time.sleep(0.5)


def visit() -> None:
    for path, status in PAGES.items():
        expect(path, status)
    style = re.search(rb'href="(/static/[^"]+\.css)"', expect("/", 200)[1])
    if style is None or expect(style[1].decode(), 200)[0]["Content-Encoding"] != "gzip":
        raise SystemExit("nginx does not send the style sheet as it lies there, compressed")


def send_notice() -> None:
    notice: dict[str, object] = {
        "urls": ["https://news.example/articles/no-such-article/"],
        "email": "owner@owner.example",
        "name": "Olena Rights",
        "work": "My report",
        "good_faith": True,
        "accurate": True,
        "signature": "Olena Rights",
    }
    status, _, body = ask("/api/notices/", notice)
    if status != 202:
        raise SystemExit(f"a notice was answered with {status}: {body[:300]!r}")
    CASE.write_text(json.loads(body)["status_url"].removeprefix("https://news.example"))


def worker_works() -> None:
    """Within two minutes the worker leaves word of itself and says nothing is wrong with the letters."""
    until = time.monotonic() + 120
    while True:
        told = json.loads(expect("/readyz", 200)[1])
        if told["heartbeat_age_seconds"].get("worker", 1000) < 60:
            return
        if time.monotonic() > until:
            raise SystemExit(f"no worker works: {told}")
        time.sleep(1)


if __name__ == "__main__":
    visit()
    if sys.argv[1] == "first":
        send_notice()
    expect(CASE.read_text(), 200)
    worker_works()
    sys.stdout.write("  visited: pages, style, case and worker are there\n")

"""What a first visit to the front page and to an article asks for and weighs, and what Lighthouse says of both.

The demo newsroom, Debian's Chromium as a telephone, nothing in its cache. `script/bench` fetches Lighthouse
with npm into VAR_DIR; without npm the weights alone are measured.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from bench.scratch import free_port, prepare, print_rows, running

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-sync",
)
ROUNDS = 3
LIGHTHOUSE = os.environ.get("BENCH_LIGHTHOUSE", "")
TIMES = {
    "first-contentful-paint": "first paint",
    "largest-contentful-paint": "largest paint",
    "total-blocking-time": "blocked",
}


def main() -> None:
    port = free_port()
    os.environ |= {"SITE_URL": f"http://127.0.0.1:{port}", "DEMO_PASSWORD": "a password nobody needs"}
    prepare()
    paths = fill()
    with running(
        port, "-m", "gunicorn", "--config", "python:newsroom.gunicorn", "newsroom.wsgi", PORT=str(port)
    ):
        rows = []
        for name, path in paths.items():
            rows += weights(name, f"http://127.0.0.1:{port}{path}")
            if LIGHTHOUSE:
                rows += said_by_lighthouse(name, f"http://127.0.0.1:{port}{path}")
    print_rows(*rows)


def fill() -> dict[str, str]:
    """The demo newsroom; the pages to measure."""
    from django.core.management import call_command

    from articles.models import Article

    call_command("load_demo", stdout=sys.stderr)
    call_command("collectstatic", interactive=False, verbosity=0)
    article = Article.objects.public().filter(lead_media__isnull=False, tags__name="World").newest_first()[0]
    return {"the front page": "/", "an article": article.get_absolute_url()}


def weights(name: str, address: str) -> list[tuple[str, float, str]]:
    """Bytes as they cross the wire, headers included, without the pictures that the reader has not come to."""
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        page = browser.new_page(**player.devices["Pixel 5"])
        page.goto(address)  # made ready
        page.close()
        page = browser.new_page(**player.devices["Pixel 5"])
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        kinds: dict[str, str] = {}
        sizes: Counter[str] = Counter()
        session.on(
            "Network.responseReceived", lambda event: kinds.update({event["requestId"]: event["type"]})
        )
        session.on(
            "Network.loadingFinished",
            lambda event: sizes.update({kinds.get(event["requestId"], ""): event["encodedDataLength"]}),
        )
        page.goto(address, wait_until="networkidle")
        browser.close()
    text = sizes["Document"] + sizes["Stylesheet"]
    fonts, scripts = sizes["Font"], sizes["Script"]
    return [
        (f"HTML of {name}, with its headers", sizes["Document"] / 1000, "kB"),
        (f"HTML and CSS of {name}", text / 1000, "kB"),
        (f"the same with fonts, {name}", (text + fonts) / 1000, "kB"),
        (f"scripts that may be missing, {name}", scripts / 1000, "kB"),
        (f"pictures of {name}", sizes["Image"] / 1000, "kB"),
        (f"requests, without pictures, for {name}", sum(kind != "Image" for kind in kinds.values()), ""),
        (f"requests of all kinds for {name}", len(kinds), ""),
    ]


def said_by_lighthouse(name: str, address: str) -> list[tuple[str, float, str]]:
    """The four marks, and the times of a slow telephone on a slow network as Lighthouse works them out.

    Of ROUNDS the one in the middle by its mark for performance: what else the machine does falls on it too.
    """
    reports = sorted((lighthouse(address) for _ in range(ROUNDS)), key=performance)
    report = reports[ROUNDS // 2]
    marks = [
        (f"Lighthouse, {name}: {mark['title'].lower()}", mark["score"] * 100, "of 100")
        for mark in report["categories"].values()
    ]
    audits = report["audits"]
    times = [(f"{word}, {name}", audits[key]["numericValue"] / 1000, "s") for key, word in TIMES.items()]
    shift = (f"layout shift, {name}", audits["cumulative-layout-shift"]["numericValue"], "")
    return [*marks, *times, shift]


def lighthouse(address: str) -> dict[str, Any]:
    """One report, as a telephone (Lighthouse's own way unless told otherwise)."""
    program = Path(LIGHTHOUSE) / "node_modules" / "lighthouse" / "cli" / "index.js"
    flags = " ".join(("--headless=new", *FLAGS))
    done = subprocess.run(
        ["node", str(program), address, "--quiet", "--output=json", f"--chrome-flags={flags}"],
        env=os.environ | {"CHROME_PATH": chromium()},
        stdout=subprocess.PIPE,
        check=True,
    )
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def performance(report: dict[str, Any]) -> float:
    return float(report["categories"]["performance"]["score"])


def chromium() -> str:
    """Debian's Chromium, or what CHROMIUM names."""
    found = os.environ.get("BENCH_CHROMIUM") or shutil.which("chromium")
    if not found:
        raise SystemExit("Chromium is not installed (Debian: apt-get install chromium).")
    return found


if __name__ == "__main__":
    main()

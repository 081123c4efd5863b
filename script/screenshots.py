"""Pictures of the demo newsroom for README.md and docs/. Run by script/screenshots."""

from __future__ import annotations

import io
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

SITE, PASSWORD = os.environ["SITE"], os.environ.get("DEMO_PASSWORD", "")
IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-sync",
]
DESK, TELEPHONE = (1280, 860), (390, 844)


@dataclass(frozen=True)
class Shot:
    """One picture: its file in docs/images, and what of which page is in it.

    `first` is a selector of a link to press on that page; `login` a demo user, for pages of the desk.
    """

    file: str
    path: str
    first: str = ""
    size: tuple[int, int] = DESK
    dark: bool = False
    login: str = ""


SHOTS = [
    Shot("front.png", "/"),
    Shot("article.png", "/", first=".teaser-lead h2 a"),
    Shot("front-dark.png", "/", size=TELEPHONE, dark=True),
    Shot("article-dark.png", "/", first=".teaser-lead h2 a", size=TELEPHONE, dark=True),
    Shot("front-arabic.png", "/ar/", size=TELEPHONE),
    Shot("search.png", "/search/?q=bridge", size=TELEPHONE),
    Shot("desk.png", "/admin/", login="editor"),
    Shot(
        "desk-article.png",
        "/admin/articles/article/?state__exact=review",
        first="#result_list tbody th a",
        login="editor",
    ),
    Shot("desk-front-page.png", "/admin/articles/frontpin/", login="chief"),
    Shot("desk-pictures.png", "/admin/articles/media/", login="editor"),
]


def main() -> None:
    chosen = [shot for shot in SHOTS if not sys.argv[1:] or Path(shot.file).stem in sys.argv[1:]]
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=program, args=FLAGS)
        for shot in chosen:
            save(shot, taken(browser, shot))
        browser.close()


def taken(browser: Browser, shot: Shot) -> bytes:
    width, height = shot.size
    scheme = "dark" if shot.dark else "light"
    # A telephone's pixels are small; on paper and on a page its picture is as wide as half of a screen's.
    scale = 2 if shot.size == TELEPHONE else 1
    with browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, device_scale_factor=scale
    ) as context:
        page = context.new_page()
        if shot.login:
            sign_in(page, shot.login)
        page.goto(SITE + shot.path, wait_until="networkidle")
        if shot.first:
            page.locator(shot.first).first.click()
            page.wait_for_load_state("networkidle")
        page.evaluate("document.fonts.ready")
        return page.screenshot(animations="disabled", caret="hide")


def sign_in(page: Page, user: str) -> None:
    page.goto(f"{SITE}/admin/login/")
    page.locator("input[name=username], input[name=login]").first.fill(user)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("input[name=password]").press("Enter")
    page.wait_for_url(f"{SITE}/admin/")


def save(shot: Shot, picture: bytes) -> None:
    """Few colours, so that the repository stays small."""
    with Image.open(io.BytesIO(picture)) as whole:
        few = whole.convert("RGB").quantize(256, method=Image.Quantize.MEDIANCUT)
    few.save(IMAGES / shot.file, optimize=True)
    sys.stdout.write(f"docs/images/{shot.file}: {(IMAGES / shot.file).stat().st_size // 1000} kB\n")


if __name__ == "__main__":
    main()

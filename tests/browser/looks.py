"""How pages looked when somebody last looked at them: one small grey picture for each kind of page.

A picture is a sixteenth of the page in sixteen greys: far too small for the difference between two
machines' letters, large enough to show that a column, a rule or a colour is somewhere else.
`script/pictures` takes them anew.
"""

from __future__ import annotations

import io
import os
from pathlib import Path

from PIL import Image, ImageChops

FOLDER = Path(__file__).parent / "pictures"
RENEW = os.environ.get("RENEW_PICTURES") == "1"
CELL = 16
# Grey levels (of 255) by which a cell and all its neighbours must differ, and the share of such cells that is too much.
OTHER, TOO_MUCH = 24, 0.008
# Arabic is set in the machine's own letters, whose lines break elsewhere: at most 1.7 % in DejaVu and not in Noto.
TOO_MUCH_IN_ARABIC = 0.04


def small(screenshot: bytes) -> Image.Image:
    """A JPEG of the page, a cell for each square of CELL pixels."""
    with Image.open(io.BytesIO(screenshot)) as picture:
        # The decoder itself makes the mean of each 8 pixels.
        picture.draft("L", (picture.width // 8, picture.height // 8))
        return picture.convert("L").reduce(CELL // 8)


def differences(kind: str, views: dict[str, Image.Image]) -> list[str]:
    """In which views the page looks other than its stored picture, and by how much; renewed, in none."""
    sheet = FOLDER / f"{kind.replace(' ', '-')}.webp"
    if RENEW:
        _sheet(views).save(sheet, lossless=True, method=6)
        return []
    with Image.open(sheet) as stored:
        known = stored.convert("L")
    left, found = 0, []
    most = TOO_MUCH_IN_ARABIC if kind.endswith(" ar") else TOO_MUCH
    for name, view in views.items():
        before = known.crop((left, 0, left + view.width, known.height))
        share = _share_of_other_cells(before, _padded(view, known.height))
        if share > most:
            found.append(f"{name}: {share:.1%} of it")
        left += view.width
    return found


def _sheet(views: dict[str, Image.Image]) -> Image.Image:
    """All views side by side, in sixteen greys."""
    height = max(view.height for view in views.values())
    sheet = Image.new("L", (sum(view.width for view in views.values()), height))
    left = 0
    for view in views.values():
        sheet.paste(_padded(view, height), (left, 0))
        left += view.width
    return sheet.point(lambda grey: min(255, (grey + 8) // 17 * 17))


def _padded(view: Image.Image, height: int) -> Image.Image:
    """As high as the others; below a page there is nothing."""
    padded = Image.new("L", (view.width, height), 0)
    padded.paste(view.crop((0, 0, view.width, min(height, view.height))))
    return padded


def _share_of_other_cells(before: Image.Image, now: Image.Image) -> float:
    """Each cell may have moved to a neighbour, as letters do between two machines."""
    nearest = ImageChops.difference(before, now)
    for x in (-1, 0, 1):
        for y in (-1, 0, 1):
            nearest = ImageChops.darker(nearest, ImageChops.difference(before, ImageChops.offset(now, x, y)))
    return sum(nearest.histogram()[OTHER:]) / (before.width * before.height)

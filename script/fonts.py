"""Cut the fonts of the public pages: `script/fonts` calls this where fonttools and the families are installed."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any

from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.ttLib.scaleUpem import scale_upem
from fontTools.varLib import instancer

UNITS = 1000
PROSE = """ !"#$%&'()*+,-./0123456789:;=?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]abcdefghijklmnopqrstuvwxyz
    \u00a0£§©«·»–—‘’“”„•…€"""
# The letters of Western languages, then what stands in names from Iceland to Turkey: all small letters, and the
# capitals that names begin with.
WESTERN = "ÄÅÆÉÖØÜßàáâäåæçèéêëíîïñóôöøùúûüœ"
OF_NAMES = "ąćęłńśźżčšžřěůýđďťňľĺŕőűăîâțșğşıāēīūųėņķļģãõòìðþŁŚŻŹČŠŽŘĆĐŞÇÓÁÍÚÀÈÊÔÂÐÞĀȘȚİ"
REST = [*range(0x3C, 0x7F), *range(0xA1, 0x180), *range(0x218, 0x21C), 0x1E9E]
REST += map(ord, "‚†′″‹›™−")

MAIN = {ord(sign) for sign in PROSE + WESTERN + OF_NAMES if sign != "\n"}
MORE = set(REST) - MAIN
TEXT, SMALL = {"opsz": 22, "wght": (400, 600)}, {"wght": 470}


def main(folder: Path) -> None:
    newsreader, franklin = files("fontpkg_newsreader") / "files", files("fontpkg_libre_franklin") / "files"
    roman, italic = newsreader / "Newsreader[opsz,wght].ttf", newsreader / "Newsreader-Italic[opsz,wght].ttf"
    cut(roman, TEXT, MAIN, folder / "newsreader.woff2")
    cut(roman, TEXT, MORE, folder / "newsreader-more.woff2")
    cut(italic, {"opsz": 18, "wght": 400}, MAIN, folder / "newsreader-italic.woff2")
    cut(franklin / "LibreFranklin[wght].ttf", SMALL, MAIN, folder / "franklin.woff2")


def cut(family: Any, axes: dict[str, Any], letters: set[int], file: Path) -> None:
    """These letters of a family at these places of its axes, as a file; prints what it holds."""
    font = _saved(instancer.instantiateVariableFont(TTFont(str(family), recalcTimestamp=False), axes))
    options = subset.Options()
    options.layout_features, options.hinting, options.name_IDs = ["kern", "liga"], False, [0, 1, 2, 13, 14]
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=letters)
    subsetter.subset(font)
    scale_upem(font, UNITS)
    _same_kerning_in_all_weights(font)
    font.flavor = "woff2"
    font.save(file)
    sys.stdout.write(
        f"{file.name}: {file.stat().st_size} bytes\n  unicode-range: {_ranges(font.getBestCmap())};\n"
    )


def _saved(font: TTFont) -> TTFont:
    kept = io.BytesIO()
    font.save(kept)
    kept.seek(0)
    return TTFont(kept, recalcTimestamp=False)


def _same_kerning_in_all_weights(font: TTFont) -> None:
    """Kern bold as regular: the difference is a hair's breadth, and telling it was a fifth of the file."""
    for lookup in font["GPOS"].table.LookupList.Lookup:
        for table in (getattr(sub, "ExtSubTable", sub) for sub in lookup.SubTable):
            if table.LookupType != 2:
                continue
            for value in _values(table):
                if hasattr(value, "XAdvDevice"):
                    del value.XAdvDevice
            table.ValueFormat1 &= 0x0F


def _values(pairs: Any) -> Iterable[Any]:
    if pairs.Format == 1:
        return [record.Value1 for first in pairs.PairSet for record in first.PairValueRecord]
    return [second.Value1 for first in pairs.Class1Record for second in first.Class2Record]


def _ranges(letters: Iterable[int]) -> str:
    runs: list[list[int]] = []
    for code in sorted(letters):
        if runs and code == runs[-1][1] + 1:
            runs[-1][1] = code
        else:
            runs.append([code, code])
    return ", ".join(f"U+{first:X}" + (f"-{last:X}" if last > first else "") for first, last in runs)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""Draws cost against size from what `script/bench growth` measured: `python -m bench.charts bench.json FOLDER`."""

from __future__ import annotations

import json
import math
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 760, 620, 56, 40, 272, 46
COLOURS = ("#0b5156", "#a33b20", "#5b4b8a", "#3d7a3a", "#a8791c", "#2b5c9e", "#8c3b6e", "#555")
_ROW = re.compile(r"([\d,]+) articles: (.+)")

Point = tuple[int, float]


def lines_of(rows: Iterable[dict[str, object]]) -> dict[str, list[Point]]:
    """What was measured at several sizes, in milliseconds."""
    found: dict[str, list[Point]] = defaultdict(list)
    for row in rows:
        told = _ROW.fullmatch(str(row["what"]))
        if told and row["unit"] == "ms":
            found[told[2]].append((int(told[1].replace(",", "")), float(str(row["value"]))))
    return {name: sorted(points) for name, points in found.items() if len(points) > 1}


def chart(title: str, lines: dict[str, list[Point]]) -> str:
    """An SVG; both axes are logarithmic, so that a line that is level costs the same at any size."""
    sizes = sorted({size for points in lines.values() for size, _ in points})
    costs = [cost for points in lines.values() for _, cost in points]
    low, high = math.floor(math.log10(min(costs))), math.ceil(math.log10(max(costs)))
    span = math.log10(sizes[-1] / sizes[0])

    def x(size: int) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * math.log10(size / sizes[0]) / span

    def y(cost: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (math.log10(cost) - low) / (high - low)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-family="sans-serif"'
        f' font-size="12"><title>{escape(title)}</title><rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{LEFT}" y="22" font-size="14">{escape(title)}</text>',
        *(_rule(y(10.0**power), f"{10.0**power:g} ms") for power in range(low, high + 1)),
        *(
            f'<text x="{x(size):.0f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{size:,}</text>'
            for size in sizes
        ),
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2:.0f}" y="{HEIGHT - 8}" text-anchor="middle">articles</text>',
        *_drawn([(name, [(x(size), y(cost)) for size, cost in points]) for name, points in lines.items()]),
        "</svg>\n",
    ]
    return "\n".join(parts)


def _rule(height: float, label: str) -> str:
    return (
        f'<path d="M{LEFT} {height:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>'
        f'<text x="{LEFT - 6}" y="{height + 4:.1f}" text-anchor="end">{label}</text>'
    )


def _drawn(lines: Sequence[tuple[str, list[tuple[float, float]]]]) -> Iterable[str]:
    """Each line with its name beside its end, names kept apart."""
    last = 0.0
    for number, (name, points) in enumerate(sorted(lines, key=lambda line: line[1][-1][1])):
        colour = COLOURS[number % len(COLOURS)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        last = max(points[-1][1] + 4, last + 15)
        yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
        yield f'<text x="{WIDTH - RIGHT + 8}" y="{last:.1f}" fill="{colour}">{escape(name)}</text>'


def main() -> int:
    """Exit status 1 when there is nothing to draw."""
    report, folder = Path(sys.argv[1]), Path(sys.argv[2])
    lines = lines_of(json.loads(report.read_text())["results"].get("growth", []))
    if not lines:
        print(
            "No growth was measured at two sizes: BENCH_SIZES=1000,10000 script/bench growth", file=sys.stderr
        )
        return 1
    (folder / "growth.svg").write_text(chart("CPU for one page as the newsroom grows", lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Draws the demo's pictures, the same each time: `python demo/draw_pictures.py [name ...]`.

Every scene is built from washes, ridges, glows and lines in one restrained palette. Coordinates
are those of a sheet of 1600 by 1000; drawing happens at twice that and is scaled down for clean edges.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

FOLDER = Path(__file__).resolve().parent / "pictures"
WIDTH, HEIGHT, SCALE = 1600, 1000, 2
FINISHED = (1400, 875)
QUALITY = 66

INK, NIGHT, DEEP, PLUM = "#18222d", "#1d2b3c", "#23414f", "#4b3b52"
TEAL, SEA, MIST, PAPER = "#3b6f78", "#86a9ab", "#cdd6d0", "#f1e8d6"
SAND, OCHRE, RUST, BRICK = "#e3cda0", "#d39a4c", "#b5573b", "#8c3f33"
SAGE, MOSS, PINE, ROSE = "#9aa683", "#5f7358", "#2d463f", "#d9a798"

Colour = str | tuple[int, int, int]
Points = Sequence[tuple[float, float]]


def rgb(colour: Colour) -> tuple[int, int, int]:
    if isinstance(colour, tuple):
        return colour
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def mix(one: Colour, other: Colour, share: float) -> tuple[int, int, int]:
    a, b = rgb(one), rgb(other)
    return tuple(round(x + (y - x) * share) for x, y in zip(a, b, strict=True))  # type: ignore[return-value]


class Canvas:
    """A picture being painted."""

    def __init__(self, name: str) -> None:
        self.rng = Random(name)
        self.image = Image.new("RGB", (WIDTH * SCALE, HEIGHT * SCALE), PAPER)

    def sky(self, *stops: Colour, top: float = 0, bottom: float = HEIGHT) -> None:
        """A vertical wash through the colours."""
        self.fill([(0, top), (WIDTH, top), (WIDTH, bottom), (0, bottom)], *stops)

    def fill(self, points: Points, *stops: Colour, alpha: float = 1.0, blur: float = 0) -> None:
        """A polygon, washed from its top to its bottom."""
        pad = blur * 3
        xs, ys = [x for x, _ in points], [y for _, y in points]
        left, top = max(0, min(xs) - pad), max(0, min(ys) - pad)
        right, bottom = min(WIDTH, max(xs) + pad), min(HEIGHT, max(ys) + pad)
        box = tuple(round(v * SCALE) for v in (left, top, right, bottom))
        size = (box[2] - box[0], box[3] - box[1])
        if size[0] < 1 or size[1] < 1:
            return
        mask = Image.new("L", size, 0)
        local = [(x * SCALE - box[0], y * SCALE - box[1]) for x, y in points]
        ImageDraw.Draw(mask).polygon(local, fill=round(255 * alpha))
        if blur:
            mask = mask.filter(ImageFilter.GaussianBlur(blur * SCALE))
        self.image.paste(_wash(size, stops), box[:2], mask)

    def glow(self, x: float, y: float, radius: float, colour: Colour, strength: float = 1.0, squash: float = 1.0) -> None:
        """A soft light, or a soft shadow when the colour is dark."""
        size = (round(radius * 2 * SCALE), round(radius * 2 * SCALE * squash))
        mask = ImageChops.invert(Image.radial_gradient("L")).resize(size, Image.Resampling.BICUBIC)
        # The gradient reaches zero in the corners of its square; cut it to the circle.
        mask = mask.point(lambda v: round(max(0, v - 75) / 180 * 255 * strength))
        corner = (round(x * SCALE - size[0] / 2), round(y * SCALE - size[1] / 2))
        self.image.paste(Image.new("RGB", size, rgb(colour)), corner, mask)

    def disc(self, x: float, y: float, r: float, *stops: Colour, alpha: float = 1.0, squash: float = 1.0) -> None:
        turn = [math.tau * i / 90 for i in range(90)]
        self.fill([(x + r * math.cos(a), y + r * squash * math.sin(a)) for a in turn], *stops, alpha=alpha)

    def box(self, x: float, y: float, w: float, h: float, *stops: Colour, alpha: float = 1.0) -> None:
        self.fill([(x, y), (x + w, y), (x + w, y + h), (x, y + h)], *stops, alpha=alpha)

    def line(self, points: Points, width: float, colour: Colour, alpha: float = 1.0) -> None:
        """A stroke with round joints."""
        if alpha >= 1:
            draw = ImageDraw.Draw(self.image)
            scaled = [(x * SCALE, y * SCALE) for x, y in points]
            draw.line(scaled, fill=rgb(colour), width=max(1, round(width * SCALE)), joint="curve")
            return
        self._veil(lambda draw: draw.line(
            [(x * SCALE, y * SCALE) for x, y in points],
            fill=round(alpha * 255), width=max(1, round(width * SCALE)), joint="curve"), colour)

    def lines(self, many: Sequence[Points], width: float, colour: Colour, alpha: float = 1.0) -> None:
        """Many strokes of one colour under one veil."""
        def strokes(draw: ImageDraw.ImageDraw) -> None:
            for points in many:
                scaled = [(x * SCALE, y * SCALE) for x, y in points]
                draw.line(scaled, fill=round(alpha * 255), width=max(1, round(width * SCALE)), joint="curve")
        self._veil(strokes, colour)

    def _veil(self, strokes: Callable[[ImageDraw.ImageDraw], None], colour: Colour) -> None:
        mask = Image.new("L", self.image.size, 0)
        strokes(ImageDraw.Draw(mask))
        self.image.paste(Image.new("RGB", self.image.size, rgb(colour)), (0, 0), mask)

    def limb(self, points: Points, width: float, colour: Colour) -> None:
        """A stroke with round ends."""
        self.line(points, width, colour)
        for x, y in (points[0], points[-1]):
            self.disc(x, y, width / 2, colour)

    def soften(self, radius: float) -> None:
        self.image = self.image.filter(ImageFilter.GaussianBlur(radius * SCALE))

    def mirror(self, horizon: float, depth: float, tint: Colour, share: float) -> None:
        """What stands above the horizon, upside down in the water below it."""
        above = self.image.crop((0, round((horizon - depth) * SCALE), WIDTH * SCALE, round(horizon * SCALE)))
        below = above.transpose(Image.Transpose.FLIP_TOP_BOTTOM).filter(ImageFilter.GaussianBlur(3 * SCALE))
        below = Image.blend(below, Image.new("RGB", below.size, rgb(tint)), share)
        self.image.paste(below, (0, round(horizon * SCALE)))

    def save(self, name: str) -> int:
        finished = self.image.resize(FINISHED, Image.Resampling.LANCZOS)
        path = FOLDER / f"{name}.jpg"
        finished.save(path, quality=QUALITY, optimize=True, progressive=True)
        return path.stat().st_size


def _wash(size: tuple[int, int], stops: Sequence[Colour]) -> Image.Image:
    if len(stops) == 1:
        return Image.new("RGB", size, rgb(stops[0]))
    column = Image.new("RGB", (1, len(stops) * 64))
    for row in range(column.height):
        at = row / (column.height - 1) * (len(stops) - 1)
        index = min(int(at), len(stops) - 2)
        column.putpixel((0, row), mix(stops[index], stops[index + 1], at - index))
    return column.resize(size, Image.Resampling.BICUBIC)


# --- pieces -----------------------------------------------------------------------------------


def swell(rng: Random, base: float, height: float, waves: float = 2.0, detail: int = 5) -> list[tuple[float, float]]:
    """A rolling line from edge to edge."""
    parts = [(rng.uniform(0.7, 1.3) * waves * 1.9**n, rng.uniform(0, math.tau), 0.5**n) for n in range(detail)]
    total = sum(weight for _, _, weight in parts)
    return [
        (x, base - height * sum(w * math.sin(f * math.pi * x / WIDTH + p) for f, p, w in parts) / total)
        for x in range(-10, WIDTH + 20, 10)
    ]


def crag(rng: Random, base: float, height: float, rough: float = 0.55, peaks: int = 5) -> list[tuple[float, float]]:
    """A mountain line, by halving."""
    ys = [rng.uniform(-1, 1) for _ in range(peaks)]
    step = 0.6
    while len(ys) < 257:
        between = [(a + b) / 2 + rng.uniform(-step, step) * 0.8 for a, b in zip(ys, ys[1:], strict=False)]
        ys = [y for pair in zip(ys, between, strict=False) for y in pair] + [ys[-1]]
        step *= rough
    return [(x * WIDTH / (len(ys) - 1), base - height * y) for x, y in enumerate(ys)]


def land(c: Canvas, line: Points, *stops: Colour, alpha: float = 1.0) -> None:
    """Everything below the line."""
    c.fill([*line, (WIDTH + 20, HEIGHT + 10), (-20, HEIGHT + 10)], *stops, alpha=alpha)


def height_at(line: Points, x: float) -> float:
    return min(line, key=lambda point: abs(point[0] - x))[1]


def sun(c: Canvas, x: float, y: float, r: float, colour: Colour, halo: Colour, reach: float = 6, strength: float = 0.8) -> None:
    c.glow(x, y, r * reach, halo, strength)
    c.disc(x, y, r, colour)


def water(c: Canvas, top: float, *stops: Colour, light: Colour = PAPER, at: float | None = None, count: int = 150) -> None:
    """A sea with broken light on it, brightest below `at`."""
    c.sky(*stops, top=top)
    for tier in range(3):
        strokes = []
        for _ in range(count // 3):
            depth = c.rng.random() ** 1.6
            y = top + 4 + depth * (HEIGHT - top)
            spread = 60 + 260 * depth
            x = c.rng.gauss(at, spread) if at is not None else c.rng.uniform(0, WIDTH)
            length = 10 + 90 * depth * c.rng.random()
            strokes.append([(x - length, y), (x + length, y)])
        c.lines(strokes, 1.2 + tier * 0.9, light, 0.16 + 0.07 * tier)


def stars(c: Canvas, count: int, bottom: float, colour: Colour = PAPER) -> None:
    for _ in range(count):
        x, y = c.rng.uniform(0, WIDTH), c.rng.uniform(0, bottom)
        c.disc(x, y, c.rng.choice([0.8, 1, 1.2, 2]), colour, alpha=c.rng.uniform(0.25, 0.9))


def clouds(c: Canvas, y: float, count: int, colour: Colour, strength: float = 0.3, spread: float = 90) -> None:
    for _ in range(count):
        c.glow(c.rng.uniform(0, WIDTH), c.rng.gauss(y, spread), c.rng.uniform(160, 420), colour, strength, squash=0.22)


def rain(c: Canvas, count: int, colour: Colour, alpha: float = 0.2, slant: float = 22) -> None:
    drops = []
    for _ in range(count):
        x, y, n = c.rng.uniform(-50, WIDTH + 100), c.rng.uniform(-50, HEIGHT), c.rng.uniform(0.6, 1.4)
        drops.append([(x, y), (x - slant * n, y + 70 * n)])
    c.lines(drops, 1.1, colour, alpha)


def conifer(c: Canvas, x: float, base: float, h: float, colour: Colour, alpha: float = 1.0) -> None:
    tiers = 6
    points: list[tuple[float, float]] = [(x, base - h)]
    for i in range(1, tiers + 1):
        w, y = h * 0.2 * i / tiers * c.rng.uniform(0.8, 1.15), base - h + h * 0.94 * i / tiers
        points += [(x + w, y), (x + w * 0.55, y - h * 0.02)]
    left = [(2 * x - px, py + c.rng.uniform(-2, 2)) for px, py in reversed(points[1:])]
    c.fill(points + left, colour, alpha=alpha)


def house(c: Canvas, x: float, base: float, w: float, wall: Colour, roof: Colour, lit: Colour | None = None) -> None:
    h = w * 0.62
    c.box(x, base - h, w, h, wall, mix(wall, INK, 0.15))
    c.fill([(x - w * 0.08, base - h), (x + w / 2, base - h - w * 0.5), (x + w * 1.08, base - h)], roof, mix(roof, INK, 0.2))
    c.box(x + w * 0.72, base - h - w * 0.45, w * 0.1, w * 0.32, roof)
    for i in (0.2, 0.6):
        c.box(x + w * i, base - h * 0.66, w * 0.17, w * 0.2, lit or mix(wall, INK, 0.55))


def tower_block(c: Canvas, x: float, top: float, w: float, base: float, colour: Colour, lit: Colour, share: float) -> None:
    c.box(x, top, w, base - top, colour, mix(colour, INK, 0.25))
    step_x, step_y = 16, 22
    for i in range(int((w - 12) / step_x)):
        for j in range(int((base - top - 16) / step_y)):
            if c.rng.random() < share:
                c.box(x + 9 + i * step_x, top + 12 + j * step_y, 8, 11, lit, alpha=c.rng.uniform(0.45, 1))


def skyline(c: Canvas, base: float, low: float, high: float, colour: Colour, lit: Colour, share: float, width: tuple[int, int] = (60, 130)) -> None:
    x = -20.0
    while x < WIDTH:
        w = c.rng.uniform(*width)
        tower_block(c, x, base - c.rng.uniform(low, high), w, base, mix(colour, INK, c.rng.uniform(0, 0.2)), lit, share)
        x += w + c.rng.choice([0, 0, 4, 14])


def runner(c: Canvas, x: float, ground: float, h: float, colour: Colour) -> None:
    """Someone running to the left."""
    def at(dx: float, dy: float) -> tuple[float, float]:
        return x + dx * h, ground - dy * h
    thick = h * 0.075
    c.disc(*at(-0.055, 0.93), h * 0.068, colour)
    c.limb([at(-0.02, 0.82), at(0.02, 0.5)], thick * 1.9, colour)
    c.limb([at(0.02, 0.5), at(-0.15, 0.34), at(-0.1, 0.1), at(-0.17, 0.07)], thick, colour)
    c.limb([at(0.03, 0.5), at(0.1, 0.28), at(0.3, 0.24), at(0.33, 0.17)], thick, colour)
    c.limb([at(-0.02, 0.8), at(0.12, 0.66), at(0.05, 0.56)], thick * 0.75, colour)
    c.limb([at(-0.02, 0.8), at(-0.13, 0.64), at(-0.24, 0.72)], thick * 0.75, colour)


def person(c: Canvas, x: float, ground: float, h: float, colour: Colour) -> None:
    c.disc(x, ground - h * 0.92, h * 0.085, colour)
    c.fill([(x - h * 0.13, ground - h * 0.8), (x + h * 0.13, ground - h * 0.8), (x + h * 0.1, ground), (x - h * 0.1, ground)], colour)


def crane(c: Canvas, x: float, base: float, h: float, colour: Colour, lifted: float = 0.0) -> None:
    leg, reach = h * 0.16, h * 0.7
    deck = base - h * 0.62
    for side in (-leg, leg):
        c.line([(x + side, base), (x + side * 0.75, deck)], 6, colour)
        c.line([(x + side, base), (x - side * 0.75, deck)], 2, colour)
    c.line([(x - reach * 0.45, deck), (x + leg, deck)], 8, colour)
    tip = (x + reach, deck - reach * lifted)
    c.line([(x + leg, deck), tip], 7, colour)
    mast = (x, base - h)
    for target in ((x - reach * 0.45, deck), tip, (x + reach * 0.5, deck - reach * lifted * 0.45)):
        c.line([mast, target], 2, colour)
    c.line([(x - leg * 0.7, deck), mast, (x + leg * 0.7, deck)], 5, colour)
    c.box(x - reach * 0.3, deck - 16, h * 0.12, 18, colour)


def ship(c: Canvas, x: float, y: float, n: float, colour: Colour, lit: Colour | None = None) -> None:
    c.fill([(x - n, y - n * 0.13), (x + n, y - n * 0.13), (x + n * 0.9, y + n * 0.08), (x - n * 0.92, y + n * 0.08)], colour)
    c.box(x + n * 0.52, y - n * 0.5, n * 0.28, n * 0.4, colour)
    c.box(x + n * 0.6, y - n * 0.64, n * 0.1, n * 0.16, colour)
    for i in range(5):
        c.box(x - n * 0.8 + i * n * 0.25, y - n * (0.22 + 0.07 * (i % 3)), n * 0.23, n * 0.12, mix(colour, RUST, 0.18 * (i % 2)))
    if lit:
        for dx in (-0.93, 0.56, 0.72):
            c.glow(x + n * dx, y - n * 0.36, n * 0.14 + 5, lit, 0.9)


def boat(c: Canvas, x: float, y: float, n: float, hull: Colour, trim: Colour) -> None:
    c.fill([(x - n, y - n * 0.34), (x - n * 0.2, y - n * 0.2), (x + n, y - n * 0.4), (x + n * 0.72, y), (x - n * 0.66, y)], hull, mix(hull, INK, 0.35))
    c.line([(x - n, y - n * 0.34), (x - n * 0.2, y - n * 0.2), (x + n, y - n * 0.4)], n * 0.05, trim)
    c.line([(x + n * 0.1, y - n * 0.2), (x + n * 0.14, y - n * 1.35)], n * 0.035, INK)


def lighthouse(c: Canvas, x: float, base: float, h: float, wall: Colour, band: Colour) -> None:
    w = h * 0.13
    c.fill([(x - w * 0.66, base - h * 0.8), (x + w * 0.66, base - h * 0.8), (x + w, base), (x - w, base)], wall, mix(wall, NIGHT, 0.35))
    for i in (0.18, 0.5):
        top, low = base - h * (i + 0.15), base - h * i
        a, b = w * (0.66 + 0.34 * (1 - (i + 0.15) / 0.8)), w * (0.66 + 0.34 * (1 - i / 0.8))
        c.fill([(x - a, top), (x + a, top), (x + b, low), (x - b, low)], band, mix(band, INK, 0.3))
    c.box(x - w * 0.85, base - h * 0.83, w * 1.7, h * 0.03, INK)
    c.box(x - w * 0.42, base - h * 0.93, w * 0.84, h * 0.1, SAND)
    c.fill([(x - w * 0.6, base - h * 0.93), (x, base - h), (x + w * 0.6, base - h * 0.93)], band)


def birds(c: Canvas, count: int, box: tuple[float, float, float, float], size: float, colour: Colour) -> None:
    for _ in range(count):
        x, y, n = c.rng.uniform(box[0], box[2]), c.rng.uniform(box[1], box[3]), size * c.rng.uniform(0.6, 1.2)
        tilt = c.rng.uniform(-0.3, 0.3) * n
        c.line([(x - n, y - n * 0.35 + tilt), (x - n * 0.4, y - n * 0.4 + tilt / 2), (x, y), (x + n * 0.4, y - n * 0.4 - tilt / 2), (x + n, y - n * 0.35 - tilt)], max(1.4, n * 0.12), colour)


# --- scenes: land -----------------------------------------------------------------------------


def smoke_valley(c: Canvas) -> None:
    c.sky(PLUM, BRICK, OCHRE, SAND, bottom=640)
    sun(c, 1180, 520, 40, PAPER, OCHRE, 8, 0.6)
    for i, (base, height) in enumerate([(520, 70), (590, 60), (670, 50), (780, 40)]):
        tone = mix(ROSE, INK, 0.25 + 0.22 * i)
        land(c, crag(c.rng, base, height, 0.45) if i < 2 else swell(c.rng, base, height), tone, mix(tone, OCHRE, 0.3))
        if i == 1:
            for x, n in ((520, 1.0), (690, 0.7), (960, 0.5)):
                for step in range(26):
                    y = 600 - step * 20 * n
                    drift = x + (step**1.55) * 2.4
                    c.glow(drift + c.rng.uniform(-9, 9), y, (18 + step * 5.2) * n + 8, mix(INK, PLUM, step / 34), 0.36 - step * 0.009)
            for x in range(420, 1100, 34):
                house(c, x + c.rng.uniform(-8, 8), 640 + c.rng.uniform(-6, 14), 26, mix(ROSE, INK, 0.5), mix(BRICK, INK, 0.5))
    c.fill([(760, 1000), (840, 860), (760, 800), (900, 730), (930, 735), (840, 805), (930, 865), (1000, 1000)], mix(OCHRE, PAPER, 0.3), mix(OCHRE, PLUM, 0.5), alpha=0.75)


def village_hills(c: Canvas) -> None:
    c.sky(SEA, MIST, PAPER, bottom=600)
    clouds(c, 180, 9, PAPER, 0.5)
    tones = [mix(SEA, SAGE, 0.6), SAGE, mix(SAGE, MOSS, 0.5), MOSS]
    for i, tone in enumerate(tones):
        line = swell(c.rng, 470 + i * 120, 70, 1.2 + i * 0.3, 3)
        land(c, line, tone, mix(tone, PINE, 0.4))
        if i in (1, 2):
            for _ in range(6 + 3 * i):
                x = c.rng.gauss(980 if i == 2 else 420, 150)
                w = 26 + 22 * i
                house(c, x, height_at(line, x) + 26 * i, w, PAPER, c.rng.choice([RUST, BRICK, PLUM]), OCHRE)
        for _ in range(26):
            x = c.rng.uniform(0, WIDTH)
            r = 7 + 5 * i
            c.disc(x, height_at(line, x) + c.rng.uniform(4, 90), r, mix(tone, PINE, 0.5), mix(tone, PINE, 0.85))
    c.fill([(220, 1000), (520, 880), (760, 850), (900, 800), (910, 806), (780, 862), (560, 900), (420, 1000)], SAND)


def fields_aerial(c: Canvas) -> None:
    c.sky(SAGE, MOSS)
    x, tones = -200.0, [SAGE, MOSS, SAND, OCHRE, mix(SAGE, SAND, 0.5), PINE, mix(MOSS, SEA, 0.3), mix(SAND, PAPER, 0.5)]
    while x < WIDTH + 300:
        w, y = c.rng.uniform(150, 270), -60.0
        while y < HEIGHT + 100:
            h = c.rng.uniform(90, 240)
            tone = c.rng.choice(tones)
            corners = [(x + 0.28 * y, y), (x + w - 7 + 0.28 * y, y + 34), (x + w - 7 + 0.28 * (y + h), y + h + 26), (x + 0.28 * (y + h), y + h - 8)]
            c.fill(corners, tone, mix(tone, INK, 0.12))
            rows = []
            for i in range(1, 12):
                t = i / 12
                a, b = corners[0], corners[1]
                d, e = corners[3], corners[2]
                rows.append([(a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t), (d[0] + (e[0] - d[0]) * t, d[1] + (e[1] - d[1]) * t)])
            if c.rng.random() < 0.7:
                c.lines(rows, 1.4, mix(tone, INK, 0.5), 0.28)
            for _ in range(c.rng.randrange(7)):
                t = c.rng.random()
                c.disc(corners[0][0] + (corners[3][0] - corners[0][0]) * t, corners[0][1] + (corners[3][1] - corners[0][1]) * t, c.rng.uniform(5, 11), mix(PINE, INK, 0.2))
            y += h
        x += w
    bend = [(1250 + 190 * math.sin(t / 190), t) for t in range(-20, 1040, 20)]
    c.line(bend, 46, mix(TEAL, SEA, 0.4))
    c.line(bend, 30, SEA)
    c.line([(-20, 730), (700, 640), (1620, 700)], 11, PAPER)


def fields_dusk(c: Canvas) -> None:
    c.sky(DEEP, PLUM, ROSE, SAND, bottom=640)
    sun(c, 560, 596, 46, PAPER, OCHRE, 8, 0.7)
    land(c, swell(c.rng, 600, 16, 1.4, 3), mix(PLUM, MOSS, 0.4), PINE)
    land(c, swell(c.rng, 652, 10, 1, 2), OCHRE, BRICK, mix(BRICK, INK, 0.7))
    for tier in range(6):
        y = 680 + tier * 60
        blades = []
        for _ in range(330):
            x, n = c.rng.uniform(0, WIDTH), (18 + tier * 13) * c.rng.uniform(0.7, 1.2)
            blades.append([(x, y + n * 0.5), (x + n * 0.06, y), (x + n * 0.22, y - n * 0.5)])
        c.lines(blades, 1.3 + tier * 0.35, mix(SAND, BRICK, tier / 7), 0.4)
    trunk = mix(INK, PLUM, 0.2)
    c.line([(1180, 650), (1184, 560)], 12, trunk)
    for _ in range(70):
        c.disc(c.rng.gauss(1186, 52), c.rng.gauss(500, 40), c.rng.uniform(12, 30), trunk, alpha=0.85)
    for x in (250, 318):
        c.line([(x, 668), (x, 622)], 6, trunk)
    for y in (630, 642, 655):
        c.line([(250, y), (318, y)], 3, trunk)


def vineyard(c: Canvas) -> None:
    c.sky(SEA, PAPER, SAND, bottom=440)
    for i in range(3):
        land(c, swell(c.rng, 340 + 40 * i, 46, 1.3, 4), mix(SEA, PLUM, 0.2 + 0.15 * i), mix(SAGE, MIST, 0.3))
    land(c, swell(c.rng, 455, 12, 1, 2), mix(SAND, OCHRE, 0.5), mix(RUST, OCHRE, 0.3), BRICK)
    for row in range(-17, 25):
        strip = []
        for step in range(21):
            t = (step / 20) ** 2.1
            strip.append((820 + (row * 92) * (0.1 + 1.15 * t) + 20 * math.sin(t * 3), 468 + 560 * t))
        for (x, y), (_, _) in zip(strip, strip[1:], strict=False):
            r = 3 + (y - 460) * 0.05
            c.disc(x, y, r * 1.25, mix(MOSS, OCHRE, c.rng.random() * 0.55), mix(PINE, BRICK, 0.15), squash=0.8)
    house(c, 1120, 470, 74, PAPER, RUST)
    conifer(c, 1100, 476, 90, PINE)
    conifer(c, 1216, 476, 74, PINE)


def desert_dunes(c: Canvas) -> None:
    c.sky(TEAL, MIST, SAND, bottom=560)
    sun(c, 360, 300, 56, PAPER, PAPER, 5, 0.7)
    for i in range(6):
        base = 470 + i * 92
        line = swell(c.rng, base, 64, 0.8 + 0.25 * i, 2)
        tone = mix(SAND, RUST, i / 7)
        land(c, line, mix(tone, PAPER, 0.25), tone, mix(tone, BRICK, 0.35))
        crest = max(range(10, len(line) - 10), key=lambda k: -line[k][1])
        lee = [line[crest], *line[crest : crest + 50], (line[min(crest + 50, len(line) - 1)][0], base + 190), (line[crest][0] + 60, base + 150)]
        c.fill(lee, mix(tone, BRICK, 0.5), tone, alpha=0.4, blur=16)
    for i, x in enumerate((1020, 1060, 1104, 1150)):
        person(c, x, 498 + i * 3, 26, mix(INK, BRICK, 0.2))


def solar_field(c: Canvas) -> None:
    c.sky(TEAL, SEA, SAND, bottom=520)
    sun(c, 1270, 230, 58, PAPER, SAND, 6, 0.8)
    for i in range(2):
        land(c, swell(c.rng, 470 + 30 * i, 36, 1.2, 4), mix(OCHRE, PLUM, 0.35 - 0.1 * i), OCHRE)
    land(c, swell(c.rng, 560, 8, 1, 2), SAND, mix(OCHRE, SAND, 0.3), mix(OCHRE, RUST, 0.35))
    for row in range(6):
        t = row / 5
        y, n = 590 + 330 * t**1.4, 44 + 110 * t
        x = -n * c.rng.random()
        while x < WIDTH:
            c.fill([(x, y), (x + n, y), (x + n * 0.86, y + n * 0.44), (x - n * 0.14, y + n * 0.44)], mix(DEEP, SEA, 0.3), NIGHT)
            grid = [[(x + n * k / 4, y), (x - n * 0.14 + n * k / 4, y + n * 0.44)] for k in range(1, 4)]
            c.lines([*grid, [(x - n * 0.07, y + n * 0.22), (x + n * 0.93, y + n * 0.22)]], 1.2, MIST, 0.5)
            c.line([(x + n * 0.4, y + n * 0.44), (x + n * 0.4, y + n * 0.6)], 3, INK)
            x += n * 1.22
    for x, base, h in ((150, 650, 250), (330, 600, 170), (1440, 640, 230), (820, 580, 130)):
        c.line([(x, base), (x + h * 0.05, base - h * 0.5), (x + h * 0.02, base - h)], h * 0.045, mix(PINE, BRICK, 0.3))
        for k in range(9):
            a = math.pi * (0.02 + k / 8 * 0.96)
            tip = (x + math.cos(a) * h * 0.42, base - h - math.sin(a) * h * 0.16 + abs(math.cos(a)) * h * 0.14)
            mid = (x + math.cos(a) * h * 0.24, base - h - math.sin(a) * h * 0.2 - h * 0.03)
            c.line([(x, base - h), mid, tip], h * 0.035, PINE)


def mountains(c: Canvas, *, snow: bool = False, night: bool = False) -> float:
    """Ranges behind one another; returns the height of the ground in front."""
    if night:
        c.sky(INK, NIGHT, DEEP, bottom=700)
        stars(c, 180, 460)
    else:
        c.sky(SEA, MIST, PAPER, bottom=640)
    for i in range(4):
        line = crag(c.rng, 400 + 85 * i, 150 - 28 * i, 0.52, 5 + i)
        tone = mix(mix(MIST, SEA, 0.5), DEEP, 0.18 + 0.24 * i) if not night else mix(DEEP, INK, 0.2 + 0.2 * i)
        land(c, line, mix(tone, PAPER, 0.55 if snow and not night else 0.12), tone, mix(tone, MIST if not night else DEEP, 0.4))
    return 700


def mountain_village(c: Canvas) -> None:
    ground = mountains(c, snow=True)
    land(c, swell(c.rng, ground, 40, 1.2, 3), SAGE, MOSS)
    for tier in range(3):
        for _ in range(8):
            x = c.rng.gauss(820, 200)
            house(c, x, ground + 40 + tier * 52 + c.rng.uniform(-8, 8), 46 + tier * 16, PAPER, c.rng.choice([BRICK, RUST, PLUM]), OCHRE)
    c.box(880, ground - 130, 40, 170, PAPER, SAND)
    c.fill([(872, ground - 130), (900, ground - 225), (928, ground - 130)], PLUM)
    for _ in range(46):
        x = c.rng.choice([c.rng.uniform(0, 430), c.rng.uniform(1180, 1600)])
        conifer(c, x, ground + 60 + c.rng.uniform(0, 220), c.rng.uniform(90, 190), mix(PINE, INK, c.rng.random() * 0.3))
    land(c, swell(c.rng, 948, 14, 1, 3), PINE, INK)


def snow_village(c: Canvas) -> None:
    ground = mountains(c, snow=True, night=True)
    for i in range(3):
        line = swell(c.rng, ground - 20 + 90 * i, 40, 1 + i * 0.4, 3)
        land(c, line, mix(MIST, DEEP, 0.42 - 0.12 * i), mix(SEA, NIGHT, 0.5))
        for _ in range(7):
            x = c.rng.gauss(760 + 60 * i, 260)
            y = height_at(line, x) + 22
            c.glow(x + 24, y - 12, 90, OCHRE, 0.35)
            house(c, x, y, 44 + 16 * i, mix(BRICK, NIGHT, 0.5), MIST, SAND)
        for _ in range(12):
            x = c.rng.uniform(0, WIDTH)
            conifer(c, x, height_at(line, x) + 30, 70 + 40 * i, mix(PINE, INK, 0.5))
    for _ in range(420):
        c.disc(c.rng.uniform(0, WIDTH), c.rng.uniform(0, HEIGHT), c.rng.uniform(1, 3.4), PAPER, alpha=c.rng.uniform(0.25, 0.85))


def forest_mist(c: Canvas) -> None:
    c.sky(MIST, PAPER, MIST)
    sun(c, 1040, 260, 50, PAPER, PAPER, 6, 0.9)
    for i in range(6):
        base, tone = 430 + i * 115, mix(mix(MIST, SEA, 0.4), mix(PINE, INK, 0.4), i / 5)
        for _ in range(30 - i * 3):
            conifer(c, c.rng.uniform(-20, WIDTH + 20), base + c.rng.uniform(0, 46), (150 + i * 62) * c.rng.uniform(0.7, 1.15), mix(tone, PINE, c.rng.random() * 0.15))
        land(c, swell(c.rng, base + 24, 16, 1.3, 3), tone, mix(tone, MIST, 0.5))
        c.fill([(0, base + 30), (WIDTH, base + 30), (WIDTH, base + 190), (0, base + 190)], MIST, alpha=0.35 - i * 0.05, blur=30)


def forest_birch(c: Canvas) -> None:
    c.sky(mix(SAND, PAPER, 0.5), SAND, OCHRE)
    for i in range(4):
        fog = mix(SAND, RUST, 0.12 * i)
        for _ in range(17 - i * 3):
            x, w = c.rng.uniform(0, WIDTH), 8 + i * 11
            tone = mix(PAPER, fog, 0.75 - 0.25 * i)
            lean = c.rng.uniform(-20, 20)
            c.fill([(x, -10), (x + w * 0.8, -10), (x + w + lean, 1010), (x - w * 0.1 + lean, 1010)], tone, mix(tone, PLUM, 0.12))
            c.fill([(x + w * 0.55, -10), (x + w * 0.8, -10), (x + w + lean, 1010), (x + w * 0.6 + lean, 1010)], mix(tone, PLUM, 0.35), alpha=0.5)
            for _ in range(6 + 3 * i):
                y = c.rng.uniform(0, HEIGHT)
                dx = x + lean * y / HEIGHT
                c.fill([(dx, y), (dx + w * c.rng.uniform(0.25, 0.6), y + 2), (dx + w * 0.2, y + 6 + i)], mix(INK, fog, 0.5 - 0.12 * i))
        for _ in range(90):
            c.disc(c.rng.uniform(0, WIDTH), c.rng.uniform(0, 460 - i * 60), c.rng.uniform(6, 14 + 5 * i), c.rng.choice([OCHRE, RUST, SAND, SAGE]), alpha=0.28)
        land(c, swell(c.rng, 760 + 66 * i, 18, 1.2, 4), mix(fog, RUST, 0.45), mix(BRICK, INK, 0.2 * i))


# --- scenes: water ----------------------------------------------------------------------------


def bridge(c: Canvas, *, broken: bool) -> None:
    top = (DEEP, PLUM, ROSE, SAND) if not broken else (NIGHT, TEAL, MIST, SAND)
    c.sky(*top, bottom=600)
    sun(c, 1120, 520, 38, PAPER, SAND, 8, 0.7)
    for i in range(3):
        tone = mix(PLUM if not broken else TEAL, INK, 0.15 + 0.2 * i)
        land(c, swell(c.rng, 520 + 28 * i, 60, 1.5, 5), mix(tone, ROSE if not broken else MIST, 0.3), tone)
    deck, stone = 500, mix(INK, PLUM, 0.35)
    gap = (760, 930) if broken else (0, 0)
    spans = range(-60, WIDTH + 100, 240)
    for x in spans:
        if broken and gap[0] - 140 < x + 120 < gap[1] + 60:
            continue
        c.fill([(x - 26, deck + 10), (x + 26, deck + 10), (x + 36, 670), (x - 36, 670)], stone)
    c.fill([(-20, deck), (gap[0] if broken else WIDTH + 20, deck), (gap[0] - 26 if broken else WIDTH + 20, deck + 34), (-20, deck + 34)], stone)
    if broken:
        c.fill([(gap[1], deck + 4), (WIDTH + 20, deck), (WIDTH + 20, deck + 34), (gap[1] + 34, deck + 40)], stone)
        c.fill([(gap[0] - 20, deck + 20), (gap[0] + 26, deck + 120), (gap[0] + 6, deck + 150), (gap[0] - 70, deck + 34)], stone)
        c.lines([[(gap[0], deck + 10 + k * 7), (gap[0] + 34 + 9 * k, deck + 40 + 15 * k)] for k in range(4)], 2, stone)
    for x in spans:
        middle = x + 120
        if broken and gap[0] - 150 < middle < gap[1] + 130:
            continue
        arch = [(middle + 94 * math.cos(a), 672 - 140 * math.sin(a)) for a in [math.pi * k / 24 for k in range(25)]]
        c.fill([(x + 20, deck + 30), (x + 220, deck + 30), (x + 220, 672), *arch, (x + 20, 672)], stone)
    for x in range(20, WIDTH, 120):
        if broken and gap[0] - 20 < x < gap[1] + 20:
            continue
        c.line([(x, deck), (x, deck - 46)], 3, stone)
        if not broken:
            c.glow(x, deck - 48, 34, SAND, 0.9)
            c.disc(x, deck - 48, 4, PAPER)
    for x in (240, 282, 330, 376) if not broken else (1240, 1268):
        person(c, x, deck, 34, mix(INK, PLUM, 0.2))
    c.mirror(660, 340, PLUM if not broken else DEEP, 0.42)
    strokes = [[(x - n, y), (x + n, y)] for x, y, n in ((c.rng.uniform(0, WIDTH), c.rng.uniform(664, 1000), c.rng.uniform(12, 90)) for _ in range(120))]
    c.lines(strokes, 1.6, SAND, 0.17)


def seminary_lake(c: Canvas) -> None:
    mountains(c, snow=True)
    line = swell(c.rng, 620, 22, 1.4, 4)
    land(c, line, PINE, mix(PINE, INK, 0.4))
    for _ in range(40):
        x = c.rng.uniform(0, WIDTH)
        if not 680 < x < 1080:
            conifer(c, x, 650, c.rng.uniform(50, 110), mix(PINE, INK, c.rng.random() * 0.5))
    c.box(700, 520, 340, 130, PAPER, SAND)
    c.fill([(688, 520), (720, 468), (1020, 468), (1052, 520)], BRICK, mix(BRICK, INK, 0.3))
    for i in range(9):
        for j in range(2):
            lit = (i, j) == (5, 0)
            c.box(720 + i * 35, 542 + j * 52, 14, 26, OCHRE if lit else mix(SAND, INK, 0.55))
    c.box(845, 400, 50, 80, PAPER, SAND)
    c.fill([(838, 400), (870, 330), (902, 400)], BRICK)
    c.mirror(652, 330, TEAL, 0.3)
    strokes = [[(x - n, y), (x + n, y)] for x, y, n in ((c.rng.uniform(0, WIDTH), c.rng.uniform(656, 1000), c.rng.uniform(20, 140)) for _ in range(90))]
    c.lines(strokes, 1.5, PAPER, 0.2)
    boat(c, 380, 850, 62, mix(INK, PLUM, 0.3), SAND)


def harbour_cranes(c: Canvas) -> None:
    c.sky(TEAL, SEA, SAND, OCHRE, bottom=660)
    sun(c, 480, 560, 54, PAPER, SAND, 7, 0.85)
    clouds(c, 260, 8, PAPER, 0.3)
    land(c, swell(c.rng, 610, 14, 2, 4), mix(SEA, PLUM, 0.35), mix(SEA, PLUM, 0.2))
    water(c, 640, OCHRE, TEAL, DEEP, light=PAPER, at=480)
    tone = mix(INK, PLUM, 0.25)
    for i, (x, h, up) in enumerate([(760, 330, 0), (980, 380, 0.75), (1210, 430, 0), (1450, 480, 0.75)]):
        crane(c, x, 690 + i * 6, h, mix(tone, OCHRE, 0.12), up)
    c.box(640, 688, 980, 330, mix(INK, DEEP, 0.4), INK)
    for row in range(3):
        for i in range(15):
            if c.rng.random() < 0.82:
                colour = mix(c.rng.choice([RUST, TEAL, OCHRE, BRICK, SAGE, MIST]), INK, 0.25)
                c.box(700 + i * 60 + row * 8, 660 - row * 28, 56, 26, colour, mix(colour, INK, 0.3))
    ship(c, 330, 668, 150, mix(INK, DEEP, 0.3))


def ships_anchor(c: Canvas) -> None:
    c.sky(DEEP, TEAL, MIST, SAND, bottom=540)
    clouds(c, 380, 12, PAPER, 0.3)
    water(c, 520, MIST, TEAL, DEEP, light=SAND, at=900, count=200)
    for tier in range(4):
        for _ in range(8 - tier):
            x, y = c.rng.uniform(30, WIDTH - 30), 528 + tier**1.8 * 34 + c.rng.uniform(0, 14)
            tone = mix(INK, MIST, 0.62 - tier * 0.19)
            ship(c, x, y, 30 + tier * 27, tone, OCHRE if tier else None)
        c.fill([(0, 500), (WIDTH, 500), (WIDTH, 590 + tier * 40), (0, 590 + tier * 40)], MIST, alpha=0.2, blur=34)


def coast_cliffs(c: Canvas) -> None:
    c.sky(SEA, MIST, PAPER, bottom=520)
    clouds(c, 170, 8, PAPER, 0.5)
    water(c, 430, mix(SEA, MIST, 0.4), SEA, TEAL, DEEP, light=PAPER, at=500)
    for i in range(5):
        far = 1 - i / 5
        edge = 1480 - i * 190
        top = 360 + i * 44
        brow = [(edge + k * (WIDTH - edge + 40) / 12, top - 12 * math.sin(k * 0.5 + i) - k * 5) for k in range(13)]
        foot = [(edge - 26 + c.rng.uniform(-12, 12), top + (540 + i * 105 - top) * k / 8) for k in range(9)]
        chalk = mix(PAPER, MIST, far * 0.6)
        c.fill([*brow, (WIDTH + 40, 1010), (edge + 30, 540 + i * 112), *reversed(foot)], chalk, mix(chalk, SAND, 0.5), mix(chalk, PLUM, 0.25))
        cracks = [[(edge + c.rng.uniform(-10, 240), top + 40 + c.rng.uniform(0, 40)), (edge + c.rng.uniform(-10, 240), 520 + i * 100)] for _ in range(12)]
        c.lines(cracks, 1.6, PLUM, 0.12)
        lawn = mix(mix(SAGE, MOSS, 0.4), MIST, far * 0.45)
        c.fill([*brow, (WIDTH + 40, top + 60), (edge + 150, top + 46), (edge + 40, top + 22), (edge - 4, top + 14)], lawn, mix(lawn, PINE, 0.25))
        foam = [(edge - 70 + k * 22, 546 + i * 112 + c.rng.uniform(-5, 5)) for k in range(12)]
        c.line(foam, 5, PAPER, 0.6)
    house(c, 1290, 498, 60, PAPER, RUST)
    birds(c, 9, (200, 140, 760, 380), 17, mix(INK, TEAL, 0.3))


def flood_village(c: Canvas) -> None:
    c.sky(mix(DEEP, INK, 0.3), TEAL, SEA, MIST, bottom=560)
    clouds(c, 210, 16, mix(DEEP, PLUM, 0.4), 0.4)
    land(c, swell(c.rng, 520, 18, 2, 4), mix(TEAL, PINE, 0.4), DEEP)
    for tier in range(3):
        for _ in range(8 - tier):
            x, w = c.rng.uniform(-20, WIDTH), 80 + tier * 44
            wall = c.rng.choice([PAPER, SAND, ROSE, MIST])
            house(c, x, 566 + tier * 34 + w * 0.22, w, mix(wall, DEEP, 0.28 - 0.08 * tier), mix(c.rng.choice([BRICK, RUST, PLUM]), DEEP, 0.2))
        c.fill([(0, 560 + tier * 34), (WIDTH, 560 + tier * 34), (WIDTH, 620 + tier * 34), (0, 620 + tier * 34)], mix(TEAL, SEA, 0.4), alpha=0.75 if tier < 2 else 1)
    c.mirror(634, 340, mix(TEAL, DEEP, 0.5), 0.5)
    strokes = [[(x - n, y), (x + n, y)] for x, y, n in ((c.rng.uniform(0, WIDTH), c.rng.uniform(638, 1000), c.rng.uniform(14, 120)) for _ in range(170))]
    c.lines(strokes, 1.8, MIST, 0.2)
    for x in (160, 520, 1010, 1430):
        c.line([(x, 720), (x + 3, 560)], 5, INK)
        c.disc(x + 4, 560, 8, OCHRE)
        c.glow(x + 4, 560, 60, OCHRE, 0.5)
    boat(c, 760, 850, 100, BRICK, SAND)
    person(c, 740, 832, 76, INK)
    person(c, 790, 832, 66, NIGHT)
    rain(c, 260, MIST, 0.16)


def dike_storm(c: Canvas) -> None:
    c.sky(INK, DEEP, TEAL, MIST, bottom=600)
    clouds(c, 180, 24, mix(INK, PLUM, 0.3), 0.42, 130)
    clouds(c, 420, 8, MIST, 0.3, 50)
    water(c, 520, TEAL, DEEP, light=MIST, count=220)
    for tier in range(7):
        base = 560 + tier * 44
        crest = [(x, base - (16 + 8 * tier) * abs(math.sin(x / (90 + 26 * tier) + tier * 1.9)) ** 2.4) for x in range(-20, WIDTH + 30, 12)]
        tone = mix(TEAL, DEEP, tier / 7)
        land(c, crest, mix(tone, MIST, 0.3), tone, DEEP)
        c.line(crest, 2.2 + tier * 0.4, PAPER, 0.5)
    bank = [(-20, 720), (500, 742), (1000, 782), (WIDTH + 20, 850)]
    land(c, bank, MOSS, PINE, INK)
    c.line([(x, y + 4) for x, y in bank], 12, SAND)
    for x, y in ((330, 738), (420, 742), (980, 784)):
        person(c, x, y, 74, INK)
    for x in range(520, 900, 38):
        for row in range(2):
            c.disc(x + row * 18, 752 + (x - 500) * 0.085 - row * 16, 22, SAND, mix(SAND, BRICK, 0.35), squash=0.55)
    rain(c, 330, MIST, 0.2, 60)


def lighthouse_beam(c: Canvas) -> None:
    c.sky(INK, NIGHT, DEEP, TEAL, bottom=700)
    stars(c, 220, 520)
    x, lamp = 1130, 312
    for spread, alpha in ((150, 0.1), (95, 0.16), (48, 0.24)):
        c.fill([(x, lamp), (-40, lamp - 90 - spread), (-40, lamp - 90 + spread)], SAND, alpha=alpha, blur=10)
    c.fill([(x, lamp), (WIDTH + 40, lamp + 20), (WIDTH + 40, lamp + 130)], SAND, alpha=0.14, blur=10)
    water(c, 690, TEAL, DEEP, INK, light=SAND, at=700)
    rock = [(820, 1000), (880, 800), (960, 742), (1060, 700), (1190, 694), (1300, 740), (1420, 800), (1500, 900), (1640, 960), (1640, 1000)]
    c.fill(rock, mix(INK, PLUM, 0.25), INK)
    lighthouse(c, x, 712, 430, PAPER, BRICK)
    c.glow(x, lamp, 130, SAND, 0.95)
    c.disc(x, lamp, 13, PAPER)
    house(c, 1190, 724, 80, mix(PAPER, NIGHT, 0.35), mix(BRICK, INK, 0.4), SAND)


def kelp_forest(c: Canvas) -> None:
    c.sky(mix(SEA, PAPER, 0.5), SEA, TEAL, DEEP, NIGHT)
    for _ in range(9):
        x = c.rng.uniform(200, 1500)
        c.fill([(x, -20), (x + 60, -20), (x - 120 + c.rng.uniform(-60, 60), 860), (x - 330, 860)], PAPER, SEA, alpha=0.12, blur=16)
    for tier in range(4):
        tone = mix(mix(SEA, MOSS, 0.6), mix(PINE, INK, 0.3), tier / 3)
        for _ in range(9):
            x, sway, w = c.rng.uniform(-20, WIDTH + 20), c.rng.uniform(30, 70), 5 + tier * 3
            phase = c.rng.uniform(0, 6)
            stalk = [(x + sway * math.sin(y / 170 + phase) * (1 - y / 1500), y) for y in range(-20 + (3 - tier) * 60, 1020, 20)]
            c.line(stalk, w * 0.6, tone)
            for k in range(2, len(stalk), 3):
                sx, sy = stalk[k]
                side = 1 if k % 2 else -1
                n = (34 + tier * 15) * c.rng.uniform(0.7, 1.2)
                c.fill([(sx, sy), (sx + side * n * 0.5, sy - n * 0.36), (sx + side * n * 1.25, sy - n * 0.1 + 12), (sx + side * n * 0.5, sy + n * 0.02)], mix(tone, OCHRE, 0.25), tone)
        if tier in (1, 2):
            for _ in range(14):
                fx, fy, n = c.rng.gauss(900 - tier * 160, 190), c.rng.gauss(420 + tier * 70, 70), 11 + tier * 4
                c.fill([(fx - n, fy), (fx, fy - n * 0.4), (fx + n, fy), (fx + n * 1.5, fy - n * 0.4), (fx + n * 1.4, fy + n * 0.4), (fx + n, fy), (fx, fy + n * 0.4)], mix(SAND, TEAL, 0.35))
    land(c, swell(c.rng, 950, 26, 2, 4), mix(PINE, INK, 0.5), INK)


def ferry_sound(c: Canvas) -> None:
    c.sky(SEA, MIST, PAPER, SAND, bottom=560)
    clouds(c, 190, 10, PAPER, 0.5)
    for i in range(4):
        tone = mix(mix(MIST, SEA, 0.6), DEEP, i * 0.2)
        hills = crag(c.rng, 490 + 14 * i, 90 - 20 * i, 0.5, 6)
        land(c, hills, tone, mix(tone, MIST, 0.5))
    water(c, 530, mix(MIST, SEA, 0.5), SEA, TEAL, light=PAPER, count=190)
    x, y = 860, 640
    c.fill([(x - 330, y - 40), (x + 300, y - 40), (x + 270, y + 34), (x - 290, y + 34)], BRICK, mix(BRICK, INK, 0.5))
    c.box(x - 262, y - 104, 500, 66, PAPER, MIST)
    c.box(x - 200, y - 152, 360, 50, PAPER, MIST)
    c.box(x - 190, y - 190, 90, 40, PAPER)
    c.fill([(x + 30, y - 152), (x + 100, y - 152), (x + 92, y - 222), (x + 44, y - 222)], OCHRE, RUST)
    for row, (left, count) in enumerate([(-240, 19), (-180, 13)]):
        for i in range(count):
            c.box(x + left + i * 25, y - 86 - row * 50, 14, 16, DEEP)
    wake = [[(x + 280 + k * 14, y + 30 + c.rng.uniform(-8, 14)), (x + 330 + k * 16, y + 32 + c.rng.uniform(-8, 18))] for k in range(26)]
    c.lines(wake, 3, PAPER, 0.6)
    birds(c, 12, (500, 260, 1380, 520), 14, INK)


def iceberg(c: Canvas) -> None:
    c.sky(MIST, PAPER, bottom=400)
    land(c, crag(c.rng, 350, 40, 0.5, 7), mix(MIST, SEA, 0.3), MIST)
    c.sky(SEA, TEAL, DEEP, NIGHT, top=392)
    above = [(560, 400), (600, 300), (660, 270), (700, 170), (760, 120), (830, 190), (900, 210), (960, 320), (1040, 344), (1080, 400)]
    c.fill(above, PAPER, MIST, SEA)
    c.fill([(760, 120), (830, 190), (900, 210), (960, 320), (1040, 344), (1080, 400), (820, 400), (790, 260)], mix(SEA, MIST, 0.4), SEA, alpha=0.85)
    below = [(520, 400), (1120, 400), (1230, 500), (1190, 640), (1080, 720), (1010, 850), (900, 930), (800, 880), (700, 800), (560, 700), (470, 580), (450, 480)]
    c.fill(below, mix(SEA, PAPER, 0.55), SEA, mix(TEAL, DEEP, 0.4), alpha=0.85)
    for facet in ([(520, 400), (760, 400), (700, 800), (560, 700)], [(900, 400), (1120, 400), (1080, 720), (960, 640)]):
        c.fill(facet, PAPER, TEAL, alpha=0.2)
    c.line([(0, 396), (WIDTH, 396)], 3, PAPER)
    for _ in range(70):
        c.disc(c.rng.gauss(820, 330), c.rng.uniform(430, 980), c.rng.uniform(1.5, 5), PAPER, alpha=0.28)
    boat(c, 290, 402, 46, BRICK, PAPER)
    strokes = [[(x - n, y), (x + n, y)] for x, y, n in ((c.rng.uniform(0, WIDTH), 398 + c.rng.random() * 34, c.rng.uniform(10, 60)) for _ in range(60))]
    c.lines(strokes, 1.5, PAPER, 0.35)


def boats_beach(c: Canvas) -> None:
    c.sky(SEA, MIST, SAND, bottom=420)
    clouds(c, 150, 8, PAPER, 0.45)
    land(c, swell(c.rng, 400, 20, 1.4, 4), mix(SEA, PLUM, 0.25), SEA)
    water(c, 420, SEA, TEAL, mix(SEA, MIST, 0.4), light=PAPER)
    for i in range(3):
        shore = swell(c.rng, 640 + i * 22, 16, 1.2, 3)
        land(c, shore, mix(SAND, MIST, 0.5 - i * 0.25), SAND, mix(SAND, OCHRE, 0.5))
        c.line(shore, 5, PAPER, 0.6)
    for x, y, n, hull in ((260, 790, 130, TEAL), (560, 760, 105, RUST), (860, 830, 150, DEEP), (1190, 770, 120, OCHRE), (1430, 880, 165, BRICK)):
        c.glow(x, y + 6, n * 1.3, mix(BRICK, INK, 0.4), 0.5, 0.16)
        boat(c, x, y, n, hull, PAPER)
    for _ in range(120):
        c.disc(c.rng.uniform(0, WIDTH), c.rng.uniform(720, 1000), c.rng.uniform(2, 6), c.rng.choice([PLUM, MIST, RUST, PAPER]), alpha=0.4, squash=0.6)


def river_delta(c: Canvas) -> None:
    c.sky(mix(SAGE, SAND, 0.5), SAGE, MOSS)
    for _ in range(140):
        c.glow(c.rng.uniform(0, WIDTH), c.rng.uniform(0, HEIGHT), c.rng.uniform(50, 190), c.rng.choice([MOSS, SAND, PINE, SAGE, OCHRE]), 0.28)

    def branch(x: float, y: float, angle: float, width: float) -> None:
        path = [(x, y)]
        bend = c.rng.uniform(-0.05, 0.05)
        for _ in range(c.rng.randrange(10, 19)):
            angle += bend + c.rng.uniform(-0.16, 0.16)
            angle += (math.pi / 2 - angle) * 0.08
            x, y = x + math.cos(angle) * 24, y + math.sin(angle) * 24
            path.append((x, y))
        c.line(path, width * 1.5, mix(SAND, PAPER, 0.3), 0.55)
        rivers.append((path, width))
        if width > 5 and y < 1050:
            for turn in (-0.42, 0.42) if c.rng.random() < 0.85 else (0.1,):
                branch(x, y, angle + turn * c.rng.uniform(0.6, 1.3), width * 0.74)

    rivers: list[tuple[list[tuple[float, float]], float]] = []
    branch(700, -40, 1.4, 60)
    branch(1180, -40, 1.7, 22)
    for path, width in rivers:
        c.line(path, width, mix(TEAL, SEA, min(1, width / 70)))
        c.disc(*path[-1], width / 2, mix(TEAL, SEA, min(1, width / 70)))
    c.fill([(0, 930), (WIDTH, 900), (WIDTH, 1010), (0, 1010)], SEA, TEAL, alpha=0.8, blur=26)


def island_sea(c: Canvas) -> None:
    c.sky(TEAL, SEA, ROSE, SAND, bottom=560)
    sun(c, 1180, 470, 60, PAPER, SAND, 6, 0.8)
    water(c, 540, SAND, SEA, TEAL, DEEP, light=PAPER, at=1180, count=240)
    for x, w, h, tone in ((330, 240, 90, mix(SEA, PLUM, 0.35)), (1420, 200, 60, mix(SEA, PLUM, 0.3)), (720, 330, 150, mix(PINE, PLUM, 0.3))):
        hump = [(x - w + 2 * w * k / 20, 560 - h * math.sin(math.pi * k / 20) ** 0.75 * (1 + 0.14 * math.sin(k * 1.7))) for k in range(21)]
        c.fill([*hump, (x + w, 566), (x - w, 566)], tone, mix(tone, INK, 0.3))
    lighthouse(c, 720, 414, 110, PAPER, BRICK)
    for i in range(5):
        house(c, 800 + i * 36, 520 + i * 5, 28, PAPER, PLUM)
    boat(c, 420, 790, 74, INK, SAND)


def mill_river(c: Canvas) -> None:
    c.sky(SEA, MIST, PAPER, bottom=520)
    for i in range(3):
        land(c, swell(c.rng, 420 + 46 * i, 46, 1.4, 4), mix(SAGE, MIST, 0.5 - 0.2 * i), MOSS)
    for _ in range(70):
        c.disc(c.rng.choice([c.rng.uniform(0, 520), c.rng.uniform(1180, 1600)]), c.rng.gauss(520, 36), c.rng.uniform(26, 66), mix(MOSS, PINE, c.rng.random()), alpha=0.9)
    c.box(620, 380, 420, 300, PAPER, SAND)
    c.fill([(590, 385), (680, 250), (990, 250), (1070, 385)], BRICK, mix(BRICK, INK, 0.3))
    for i in range(5):
        for j in range(2):
            c.box(655 + i * 76, 420 + j * 96, 32, 46, mix(DEEP, INK, 0.3))
    c.mirror(680, 330, TEAL, 0.35)
    hub, wheel = (600, 640), mix(BRICK, INK, 0.6)
    for r, w in ((150, 12), (118, 8)):
        ring = [(hub[0] + r * math.cos(a), hub[1] + r * math.sin(a)) for a in [math.tau * k / 60 for k in range(61)]]
        c.line(ring, w, wheel)
    for k in range(12):
        a = math.tau * k / 12
        c.line([hub, (hub[0] + 160 * math.cos(a), hub[1] + 160 * math.sin(a))], 6, wheel)
        c.line([(hub[0] + 160 * math.cos(a - 0.14), hub[1] + 160 * math.sin(a - 0.14)), (hub[0] + 160 * math.cos(a + 0.14), hub[1] + 160 * math.sin(a + 0.14))], 12, wheel)
    c.fill([(380, 742), (900, 742), (1010, 1000), (250, 1000)], MIST, SEA, alpha=0.35, blur=14)
    strokes = [[(x - n, y), (x + n, y)] for x, y, n in ((c.rng.uniform(0, WIDTH), c.rng.uniform(684, 1000), c.rng.uniform(10, 100)) for _ in range(160))]
    c.lines(strokes, 2, PAPER, 0.28)


def dunes_winter(c: Canvas) -> None:
    c.sky(SEA, MIST, ROSE, PAPER, bottom=560)
    sun(c, 420, 430, 44, PAPER, PAPER, 6, 0.8)
    water(c, 520, mix(SEA, MIST, 0.6), SEA, TEAL, light=PAPER, at=420)
    for i in range(4):
        line = swell(c.rng, 640 + 86 * i, 38, 1.2 + 0.3 * i, 3)
        land(c, line, PAPER, MIST, mix(SEA, MIST, 0.5))
        grass = []
        for _ in range(60):
            x = c.rng.gauss(c.rng.choice([300, 900, 1350]), 100)
            y, n = height_at(line, x) + 6, 18 + 12 * i
            grass += [[(x, y), (x + c.rng.uniform(-8, 14), y - n * c.rng.uniform(0.6, 1.2))]]
        c.lines(grass, 1.6, mix(OCHRE, PLUM, 0.4), 0.7)
    boat(c, 1080, 800, 130, TEAL, PAPER)
    for x in (560, 610, 668):
        person(c, x, 590 + (x - 560) * 0.06, 58, mix(INK, TEAL, 0.2))


# --- scenes: towns and rooms ------------------------------------------------------------------


def skyline_night(c: Canvas) -> None:
    c.sky(INK, NIGHT, DEEP, PLUM, bottom=820)
    stars(c, 130, 420)
    sun(c, 1240, 210, 42, PAPER, SAND, 4, 0.4)
    skyline(c, 760, 90, 260, mix(DEEP, PLUM, 0.4), OCHRE, 0.1)
    c.fill([(0, 560), (WIDTH, 560), (WIDTH, 800), (0, 800)], PLUM, alpha=0.35, blur=40)
    skyline(c, 880, 130, 330, mix(NIGHT, PLUM, 0.25), SAND, 0.26, (90, 190))
    tower_block(c, 640, 420, 330, 900, mix(NIGHT, TEAL, 0.35), SAND, 0.6)
    c.sky(NIGHT, INK, top=880)
    for x in range(30, WIDTH, 130):
        c.glow(x, 906, 70, OCHRE, 0.5)
        c.disc(x, 896, 4, PAPER)
        c.line([(x, 896), (x, 950)], 3, INK)


def parliament_columns(c: Canvas) -> None:
    c.sky(SEA, MIST, PAPER, bottom=700)
    clouds(c, 200, 7, PAPER, 0.5)
    stone = mix(SAND, PAPER, 0.5)
    c.fill([(150, 330), (800, 130), (1450, 330)], stone, mix(stone, OCHRE, 0.2))
    c.fill([(260, 318), (800, 156), (1340, 318)], mix(stone, PLUM, 0.22), mix(stone, PLUM, 0.1))
    c.box(130, 328, 1340, 56, stone, mix(stone, PLUM, 0.2))
    c.box(170, 384, 1260, 430, mix(PLUM, INK, 0.35), mix(BRICK, INK, 0.5))
    for i in range(8):
        x = 190 + i * 167
        c.fill([(x, 392), (x + 70, 392), (x + 76, 806), (x - 6, 806)], stone, mix(stone, ROSE, 0.15))
        for k in range(4):
            c.fill([(x + 36 + k * 10, 400), (x + 40 + k * 10, 400), (x + 42 + k * 10, 800), (x + 36 + k * 10, 800)], PLUM, alpha=0.13 + 0.06 * k)
        c.box(x - 14, 384, 98, 16, stone)
        c.box(x - 16, 802, 102, 18, stone)
    for i in range(6):
        c.box(110 - i * 30, 818 + i * 30, 1380 + i * 60, 30, mix(stone, PAPER, 0.3), mix(stone, PLUM, 0.25))
    for x, h in ((560, 62), (600, 58), (1010, 64), (380, 56)):
        c.fill([(x, 936), (x + 150, 952), (x + 150, 958), (x, 944)], PLUM, alpha=0.3)
        person(c, x, 942, h, INK)
    c.line([(800, 130), (800, 40)], 4, INK)
    c.fill([(802, 42), (880, 52), (802, 84)], RUST)


def rooftops(c: Canvas) -> None:
    c.sky(SEA, ROSE, SAND, bottom=620)
    sun(c, 320, 360, 60, PAPER, SAND, 6, 0.7)
    for tier in range(5):
        y, x, n = 440 + tier * 118, -60.0, 110 + tier * 46
        while x < WIDTH:
            w, h = n * c.rng.uniform(0.8, 1.3), n * c.rng.uniform(0.6, 0.9)
            tone = mix(c.rng.choice([BRICK, RUST, PLUM, mix(RUST, OCHRE, 0.4), DEEP]), MIST, 0.5 - tier * 0.12)
            c.fill([(x, y), (x + w * 0.5, y - h * 0.7), (x + w, y)], tone, mix(tone, INK, 0.2))
            c.fill([(x + w * 0.5, y - h * 0.7), (x + w, y), (x + w * 0.72, y)], mix(tone, INK, 0.3), alpha=0.5)
            c.box(x + w * 0.06, y, w * 0.88, 150, mix(PAPER, MIST, 0.4), mix(SAND, PLUM, 0.25))
            for k in (0.22, 0.6):
                c.box(x + w * k, y + n * 0.14, w * 0.15, n * 0.22, mix(DEEP, INK, 0.3) if c.rng.random() < 0.7 else OCHRE)
            cx = x + w * c.rng.choice([0.24, 0.68])
            c.box(cx, y - h * 0.62, n * 0.11, n * 0.34, mix(BRICK, MIST, 0.35 - tier * 0.07), mix(BRICK, INK, 0.3))
            x += w * 0.98
    birds(c, 13, (560, 70, 1500, 330), 20, INK)


def town_square(c: Canvas) -> None:
    c.sky(SEA, MIST, SAND, bottom=460)
    for i, x in enumerate(range(-30, WIDTH, 210)):
        tone = [SAND, ROSE, PAPER, mix(OCHRE, PAPER, 0.4)][i % 4]
        top = 190 + (i * 47) % 80
        c.box(x, top, 206, 420, tone, mix(tone, PLUM, 0.15))
        c.fill([(x - 10, top), (x + 20, top - 54), (x + 186, top - 54), (x + 216, top)], mix(BRICK, PLUM, (i % 3) * 0.3))
        for k in range(3):
            for j in range(2):
                c.box(x + 26 + k * 62, top + 36 + j * 96, 32, 58, mix(TEAL, INK, 0.3))
                c.box(x + 18 + k * 62, top + 36 + j * 96, 9, 58, mix(TEAL, MIST, 0.2))
        for k in range(2):
            ax = x + 14 + k * 98
            arch = [(ax + 40 + 40 * math.cos(a), 500 - 40 * math.sin(a)) for a in [math.pi * n / 16 for n in range(17)]]
            c.fill([*arch, (ax, 610), (ax + 80, 610)], mix(PLUM, INK, 0.4), mix(BRICK, INK, 0.4))
    c.sky(SAND, mix(SAND, OCHRE, 0.35), top=606)
    for k in range(-12, 22):
        c.line([(800 + k * 60, 606), (800 + k * 260, 1000)], 1.5, BRICK, 0.15)
    for x, base, n in ((260, 740, 1.0), (1280, 760, 1.1), (760, 690, 0.8)):
        c.fill([(x, base), (x + 330 * n, base + 66 * n), (x + 300 * n, base + 96 * n), (x, base + 8)], PLUM, alpha=0.25, blur=5)
        c.line([(x, base), (x, base - 170 * n)], 13 * n, mix(BRICK, INK, 0.6))
        for _ in range(46):
            c.disc(c.rng.gauss(x, 56 * n), c.rng.gauss(base - 220 * n, 42 * n), c.rng.uniform(16, 34) * n, mix(MOSS, PINE, c.rng.random()), alpha=0.9)
    for x, y in ((560, 800), (620, 812), (980, 850), (1060, 842), (1120, 856), (450, 880)):
        c.fill([(x, y), (x + 120, y + 26), (x + 116, y + 34), (x - 4, y + 4)], PLUM, alpha=0.3)
        person(c, x, y, 84, c.rng.choice([INK, DEEP, BRICK]))
    for x, y in ((700, 900), (740, 915), (820, 894)):
        c.disc(x, y, 11, MIST, DEEP)


def market_awnings(c: Canvas) -> None:
    c.sky(INK, NIGHT, PLUM, BRICK, bottom=1000)
    skyline(c, 560, 100, 260, mix(NIGHT, PLUM, 0.4), OCHRE, 0.12, (110, 220))
    for tier, (y, n) in enumerate(((470, 190), (600, 300))):
        x, k = -60.0 - tier * 90, 0
        while x < WIDTH:
            tone = [RUST, TEAL, OCHRE, BRICK, SAGE][(k + tier * 2) % 5]
            c.glow(x + n / 2, y + n * 0.55, n * 0.75, OCHRE, 0.55)
            for s in range(8):
                a, b = x + n * s / 8, x + n * (s + 1) / 8
                colour = tone if s % 2 else PAPER
                c.fill([(a + n * 0.06 * (4 - s) / 4, y), (b + n * 0.06 * (3 - s) / 4, y), (b, y + n * 0.3), (a, y + n * 0.3)], mix(colour, INK, 0.12), mix(colour, INK, 0.25))
                c.disc((a + b) / 2, y + n * 0.3, n / 16, mix(colour, INK, 0.25))
            c.box(x + n * 0.05, y + n * 0.62, n * 0.9, n * 0.6, mix(BRICK, INK, 0.55), INK)
            for _ in range(26):
                c.disc(x + n * c.rng.uniform(0.08, 0.92), y + n * c.rng.uniform(0.55, 0.64), n * 0.035, c.rng.choice([OCHRE, RUST, SAGE, SAND, BRICK]))
            for post in (0.03, 0.97):
                c.line([(x + n * post, y + n * 0.3), (x + n * post, y + n * 1.1)], 4, INK)
            x, k = x + n * 1.12, k + 1
    c.sky(mix(BRICK, INK, 0.6), INK, top=900)
    wire = [(x, 330 + 60 * math.sin(x / WIDTH * math.pi * 3) ** 2) for x in range(-10, WIDTH + 20, 20)]
    c.line(wire, 2, INK)
    for x, y in wire[2::4]:
        c.glow(x, y + 16, 64, OCHRE, 0.7)
        c.disc(x, y + 16, 11, PAPER, SAND)
    for x, h in ((240, 170), (330, 160), (690, 180), (1010, 165), (1100, 175), (1400, 168)):
        person(c, x, 975, h, mix(INK, PLUM, c.rng.random() * 0.3))


def stage_curtain(c: Canvas) -> None:
    c.sky(mix(BRICK, INK, 0.2), mix(BRICK, INK, 0.55))
    folds = 40
    for i in range(folds):
        x, w = i * WIDTH / folds, WIDTH / folds
        for k in range(8):
            light = math.sin(math.pi * (k + 0.5) / 8)
            c.box(x + w * k / 8, 0, w / 8 + 1, 790, mix(mix(BRICK, INK, 0.62), RUST, light * 0.75), mix(mix(BRICK, INK, 0.75), BRICK, light * 0.7))
    for i in range(9):
        cx = i * 200
        scallop = [(cx + 100 + 112 * math.cos(a), 60 + 92 * math.sin(a)) for a in [math.pi * n / 20 for n in range(21)]]
        c.fill([(cx - 12, -10), (cx + 212, -10), *scallop], RUST, mix(BRICK, INK, 0.5))
        c.line(scallop, 6, OCHRE)
    c.sky(mix(OCHRE, BRICK, 0.5), mix(BRICK, INK, 0.5), top=785)
    for k in range(-14, 30):
        c.line([(800 + (k - 8) * 90, 785), (800 + (k - 8) * 190, 1000)], 2, INK, 0.3)
    c.fill([(1040, -30), (1110, -30), (1080, 905), (520, 905)], SAND, PAPER, alpha=0.17, blur=20)
    c.disc(800, 898, 300, SAND, alpha=0.4, squash=0.2)
    c.disc(800, 898, 240, PAPER, alpha=0.35, squash=0.2)
    wood = mix(INK, BRICK, 0.3)
    for x in (752, 838):
        c.line([(x, 900), (x, 790)], 7, wood)
    c.line([(752, 790), (752, 690)], 7, wood)
    c.line([(752, 700), (752, 690)], 7, wood)
    c.box(744, 782, 102, 12, wood)
    for y in (694, 724, 754):
        c.line([(752, y), (762, y)], 5, wood)
    c.disc(795, 772, 50, INK, squash=0.22)
    c.box(768, 730, 54, 42, INK, mix(INK, PLUM, 0.5))
    c.box(768, 758, 54, 8, RUST)


def conference_hall(c: Canvas) -> None:
    c.sky(NIGHT, DEEP, mix(TEAL, INK, 0.4))
    centre = (800, 180)
    for row in range(9):
        r = 230 + row * 88
        for k in range(60):
            a = math.pi * (0.06 + 0.88 * k / 60)
            b = math.pi * (0.06 + 0.88 * (k + 0.86) / 60)
            if k % 15 in (0,):
                continue
            outer, inner = r + 40, r
            ring = [(centre[0] + rr * math.cos(t) * 1.1, centre[1] + rr * math.sin(t) * 0.86) for rr, t in ((inner, a), (inner, b), (outer, b), (outer, a))]
            c.fill(ring, mix(mix(OCHRE, SAND, 0.4), INK, 0.15 + 0.05 * row))
            if c.rng.random() < 0.86:
                t = (a + b) / 2
                c.disc(centre[0] + (r + 58) * math.cos(t) * 1.1, centre[1] + (r + 58) * math.sin(t) * 0.86, 11 + row * 0.9, c.rng.choice([INK, PLUM, DEEP, BRICK, MIST, TEAL]))
    c.glow(800, 190, 420, SAND, 0.5, 0.6)
    c.disc(800, 180, 150, SAND, OCHRE, squash=0.6)
    c.fill([(690, 176), (910, 176), (880, 232), (720, 232)], BRICK, mix(BRICK, INK, 0.5))
    for x in (740, 800, 860):
        c.disc(x, 166, 15, INK)
    c.box(710, 186, 180, 6, PAPER)
    c.soften(0.5)


def stadium_lights(c: Canvas) -> None:
    c.sky(INK, NIGHT, DEEP, bottom=520)
    stars(c, 60, 220)
    for k in range(13):
        t = k / 13
        c.fill([(-40, 330 + t * 240), (800, 430 + t * 130), (1640, 330 + t * 240), (1640, 380 + t * 240), (800, 462 + t * 130), (-40, 380 + t * 240)], mix(NIGHT, PLUM, 0.2 + 0.3 * (k % 2)))
    for _ in range(2600):
        x = c.rng.uniform(0, WIDTH)
        bow = 100 * (1 - ((x - 800) / 800) ** 2)
        y = c.rng.uniform(345 + bow, 600 + bow * 0.2)
        c.disc(x, y, c.rng.uniform(2, 4), c.rng.choice([PAPER, SAND, RUST, RUST, OCHRE, SEA, INK]), alpha=0.6)
    c.fill([(260, 610), (1340, 610), (1780, 1010), (-180, 1010)], MOSS, PINE)
    for k in range(7):
        a, b = k / 7, (k + 0.5) / 7
        c.fill([(260 + 1080 * a, 610), (260 + 1080 * b, 610), (-180 + 1960 * b, 1010), (-180 + 1960 * a, 1010)], SAGE, MOSS, alpha=0.3)
    c.line([(800, 610), (800, 1010)], 4, PAPER, 0.8)
    ring = [(800 + 190 * math.cos(a), 790 + 62 * math.sin(a)) for a in [math.tau * k / 70 for k in range(71)]]
    c.line(ring, 4, PAPER, 0.8)
    c.line([(260, 612), (1340, 612)], 4, PAPER, 0.8)
    for x in (170, 1430):
        c.line([(x, 460), (x, 120)], 9, INK)
        c.box(x - 62, 70, 124, 66, INK)
        for i in range(4):
            for j in range(2):
                c.glow(x - 44 + i * 30, 88 + j * 30, 46, PAPER, 0.8)
                c.disc(x - 44 + i * 30, 88 + j * 30, 9, PAPER)
        c.glow(x, 100, 460, SAND, 0.3)
    for x, y, tone in ((520, 760, RUST), (700, 880, PAPER), (930, 720, RUST), (1080, 850, PAPER), (820, 700, PAPER), (1210, 740, RUST)):
        c.fill([(x, y), (x + 70, y + 12), (x + 66, y + 18)], INK, alpha=0.35)
        runner(c, x, y, 66 + (y - 700) * 0.12, tone)


def arena_lights(c: Canvas) -> None:
    c.sky(INK, NIGHT, PLUM)
    for i in range(7):
        x = 120 + i * 226
        c.fill([(x - 20, 40), (x + 20, 40), (x + 170, 900), (x - 170, 900)], SAND, alpha=0.09, blur=14)
        c.glow(x, 44, 80, PAPER, 0.9)
        c.box(x - 26, 34, 52, 12, PAPER)
    for row in range(7):
        for k in range(64):
            c.disc(k * 26 + (row % 2) * 13, 350 + row * 30, 12, mix(c.rng.choice([PLUM, DEEP, BRICK, TEAL, OCHRE, MIST]), NIGHT, 0.45), alpha=0.95)
    c.fill([(120, 580), (1480, 580), (1760, 1010), (-160, 1010)], OCHRE, mix(OCHRE, RUST, 0.5))
    for k in range(1, 12):
        c.line([(120 + 1360 * k / 12, 580), (-160 + 1920 * k / 12, 1010)], 1.4, BRICK, 0.22)
    arc = [(800 + 620 * math.cos(a), 1010 - 320 * math.sin(a)) for a in [math.pi * k / 50 for k in range(51)]]
    c.line(arc, 6, PAPER, 0.85)
    c.line([(120, 583), (1480, 583)], 6, PAPER, 0.85)
    for x, y, tone in ((560, 800, TEAL), (860, 760, BRICK), (1060, 850, TEAL), (700, 900, BRICK)):
        c.glow(x + 10, y, 70, INK, 0.45, 0.2)
        runner(c, x, y, 190, mix(tone, INK, 0.35))
    c.disc(470, 620, 15, PAPER, SAND)


def pitch_rain(c: Canvas) -> None:
    c.sky(DEEP, TEAL, MIST, bottom=600)
    clouds(c, 200, 14, mix(DEEP, PLUM, 0.3), 0.4)
    land(c, swell(c.rng, 560, 20, 2, 4), mix(TEAL, PINE, 0.5), PINE)
    land(c, [(-20, 620), (WIDTH + 20, 610)], MOSS, mix(MOSS, BRICK, 0.4), mix(BRICK, INK, 0.5))
    for _ in range(60):
        c.glow(c.rng.uniform(0, WIDTH), c.rng.uniform(660, 1000), c.rng.uniform(40, 150), mix(BRICK, INK, 0.4), 0.5, 0.2)
    for x in (960, 1180):
        c.line([(x, 640), (x, 150)], 9, PAPER)
    c.line([(960, 430), (1180, 430)], 9, PAPER)
    for x, y, n in ((360, 830, 190), (470, 850, 200), (580, 826, 185), (700, 846, 195), (300, 860, 200), (640, 870, 205)):
        runner(c, x, y, n, mix(BRICK, INK, 0.45 + c.rng.random() * 0.3))
    c.disc(760, 640, 20, SAND, squash=0.65)
    rain(c, 420, PAPER, 0.22, 30)


def train_line(c: Canvas) -> None:
    c.sky(DEEP, PLUM, ROSE, SAND, bottom=640)
    sun(c, 1240, 470, 48, PAPER, SAND, 7, 0.8)
    for i in range(4):
        tone = mix(ROSE, DEEP, 0.25 + 0.22 * i)
        land(c, crag(c.rng, 480 + 66 * i, 90 - 16 * i, 0.5, 6), tone, mix(tone, SAND, 0.35))
    stone = mix(PLUM, INK, 0.45)
    for x in range(-40, WIDTH + 80, 132):
        c.box(x - 17, 560, 34, 460, stone, INK)
        arch = [(x + 66 + 50 * math.cos(a), 660 - 66 * math.sin(a)) for a in [math.pi * k / 20 for k in range(21)]]
        c.fill([(x, 570), (x + 132, 570), (x + 132, 660), (x + 116, 660), *arch, (x, 660)], stone)
    c.box(-20, 546, WIDTH + 40, 30, stone)
    for i in range(8):
        x = 180 + i * 142
        c.box(x, 490, 136, 54, mix(DEEP, INK, 0.4), INK)
        for k in range(5):
            c.box(x + 12 + k * 24, 502, 15, 18, SAND if c.rng.random() < 0.75 else DEEP)
    c.fill([(1316, 490), (1400, 494), (1442, 544), (1316, 544)], mix(RUST, INK, 0.3), INK)
    c.glow(1444, 534, 120, SAND, 0.9)
    c.fill([(0, 800), (WIDTH, 800), (WIDTH, 1010), (0, 1010)], mix(ROSE, PLUM, 0.5), alpha=0.6, blur=50)
    for _ in range(40):
        conifer(c, c.rng.uniform(0, WIDTH), 1010, c.rng.uniform(70, 170), mix(PINE, INK, 0.5))


def industry_river(c: Canvas) -> None:
    c.sky(SEA, MIST, PAPER, SAND, bottom=640)
    tone = mix(BRICK, PLUM, 0.4)
    c.fill([(980, 640), (1000, 130), (1052, 130), (1072, 640)], mix(tone, PAPER, 0.15), tone)
    for y in (160, 210):
        c.box(1000, y, 54, 20, PAPER)
    for x, w, h in ((420, 300, 200), (700, 240, 290), (1090, 330, 170)):
        c.box(x, 640 - h, w, h, mix(tone, INK, 0.15), mix(tone, INK, 0.4))
        for i in range(int(w / 34)):
            c.box(x + 14 + i * 34, 640 - h + 30, 18, h * 0.5, mix(TEAL, MIST, 0.3), alpha=0.75)
    for k in range(40):
        c.glow(480 + k * 15 + c.rng.uniform(-14, 14), 400 - k * 7.5 + c.rng.uniform(-8, 8), 34 + k * 3.2, PAPER, 0.3)
    c.box(-20, 636, WIDTH + 40, 18, mix(PINE, INK, 0.3))
    c.mirror(652, 340, TEAL, 0.4)
    strokes = [[(x - n, y), (x + n, y)] for x, y, n in ((c.rng.uniform(0, WIDTH), c.rng.uniform(656, 1000), c.rng.uniform(12, 110)) for _ in range(170))]
    c.lines(strokes, 1.8, PAPER, 0.22)
    for k in range(3):
        c.line([(60 + k * 8, 1000), (70 + k * 40, 820 - k * 20)], 3, PINE)
    c.limb([(160, 800), (340, 700)], 4, INK)
    boat(c, 200, 838, 90, mix(DEEP, INK, 0.2), SAND)
    person(c, 180, 816, 74, INK)
    birds(c, 2, (1080, 130, 1200, 200), 18, INK)


def grain_silos(c: Canvas) -> None:
    c.sky(TEAL, SEA, MIST, SAND, bottom=700)
    clouds(c, 230, 9, PAPER, 0.5)
    for i in range(6):
        x, h = 420 + i * 138, 400 + (i % 3) * 26
        top = 720 - h
        for k in range(12):
            light = math.sin(math.pi * (k + 1.5) / 14)
            c.box(x + k * 11, top, 11.5, h, mix(mix(PLUM, SAND, 0.35), PAPER, light * 0.8))
        c.disc(x + 66, top, 66, mix(SAND, PAPER, 0.6), squash=0.18)
        c.fill([(x - 2, top), (x + 66, top - 54), (x + 134, top)], mix(MIST, PLUM, 0.2), mix(PLUM, SAND, 0.5))
        c.lines([[(x, top + j * 40), (x + 132, top + j * 40)] for j in range(1, 11)], 1.4, PLUM, 0.16)
    c.box(1250, 200, 66, 520, mix(RUST, PLUM, 0.3), BRICK)
    c.line([(1282, 216), (520, 270)], 9, mix(INK, PLUM, 0.4))
    land(c, swell(c.rng, 712, 8, 1, 2), OCHRE, mix(OCHRE, RUST, 0.4), BRICK)
    for tier in range(5):
        blades = []
        for _ in range(360):
            x, y, n = c.rng.uniform(0, WIDTH), 740 + tier * 60, 20 + tier * 11
            blades.append([(x, y + n * 0.4), (x + c.rng.uniform(-4, 9), y - n * 0.5)])
        c.lines(blades, 1.4 + 0.3 * tier, mix(SAND, RUST, tier / 6), 0.5)


def road_runners(c: Canvas) -> None:
    c.sky(MIST, PAPER, mix(MIST, PAPER, 0.5))
    c.fill([(880, 560), (980, 560), (1900, 1010), (-260, 1010)], mix(MIST, PLUM, 0.12), mix(PLUM, MIST, 0.5))
    c.fill([(0, 556), (880, 556), (-260, 1010), (0, 1010)], mix(MIST, SEA, 0.5), SEA, alpha=0.7)
    for k in range(9):
        t = (k / 9) ** 1.7
        fog = mix(mix(INK, TEAL, 0.3), MIST, 0.92 - 0.85 * t)
        for side in (-1, 1):
            x = 930 + side * (70 + 900 * t)
            base, h = 566 + 420 * t, 110 + 620 * t
            c.line([(x, base), (x, base - h)], 2.5 + 9 * t, fog)
            c.line([(x, base - h), (x - side * h * 0.16, base - h)], 2 + 7 * t, fog)
            c.glow(x - side * h * 0.16, base - h + 6, 22 + 120 * t, SAND, 0.75)
            c.disc(x - side * h * 0.16, base - h + 4, 3 + 9 * t, PAPER)
    for x, y, h, share in ((900, 600, 62, 0.72), (960, 612, 72, 0.66), (872, 628, 84, 0.6), (1010, 640, 92, 0.55)):
        runner(c, x, y, h, mix(INK, MIST, share))
    c.fill([(0, 480), (WIDTH, 480), (WIDTH, 700), (0, 700)], PAPER, alpha=0.4, blur=50)
    c.glow(640, 884, 170, PLUM, 0.5, 0.16)
    runner(c, 620, 880, 350, mix(BRICK, INK, 0.25))


def telescope_dishes(c: Canvas) -> None:
    c.sky(INK, NIGHT, DEEP, PLUM, ROSE, bottom=720)
    stars(c, 420, 560)
    for _ in range(60):
        t = c.rng.random()
        c.glow(200 + 1200 * t, 480 - 430 * t + c.rng.gauss(0, 40), c.rng.uniform(50, 120), mix(MIST, PLUM, 0.4), 0.08)
    land(c, crag(c.rng, 660, 50, 0.5, 7), mix(PLUM, INK, 0.4), INK)
    land(c, swell(c.rng, 760, 12, 1.2, 3), mix(OCHRE, INK, 0.6), INK)
    for x, base, n in ((1330, 770, 50), (1120, 775, 66), (900, 790, 88), (600, 815, 130), (220, 870, 190)):
        c.fill([(x - n * 0.16, base - n * 0.9), (x + n * 0.16, base - n * 0.9), (x + n * 0.42, base), (x - n * 0.42, base)], mix(MIST, NIGHT, 0.55), mix(MIST, INK, 0.8))
        tilt = -0.62
        bowl = [(math.cos(a) * n, math.sin(a) * n * 0.42) for a in [math.tau * k / 60 for k in range(60)]]
        turn = [(x + px * math.cos(tilt) - py * math.sin(tilt), base - n * 1.2 + px * math.sin(tilt) + py * math.cos(tilt)) for px, py in bowl]
        back = [(x + px * math.cos(tilt) - py * math.sin(tilt), base - n * 1.2 + px * math.sin(tilt) + py * math.cos(tilt)) for px, py in [(math.cos(math.pi * k / 30) * n, math.sin(math.pi * k / 30) * n * 0.8) for k in range(31)]]
        c.fill(back, mix(MIST, NIGHT, 0.45), mix(MIST, INK, 0.7))
        c.fill(turn, PAPER, mix(MIST, TEAL, 0.4))
        focus = (x + math.sin(tilt) * n * 0.9, base - n * 1.2 - math.cos(tilt) * n * 0.9)
        for k in (5, 25, 45):
            c.line([turn[k], focus], max(1.5, n * 0.02), INK)
        c.disc(*focus, n * 0.07, INK)
    for x in (760, 800):
        person(c, x, 846, 40, INK)


# --- scenes: ideas ----------------------------------------------------------------------------


def comet_surface(c: Canvas) -> None:
    c.sky(INK, mix(INK, NIGHT, 0.6), NIGHT)
    stars(c, 480, 620)
    c.glow(1280, 190, 240, SAND, 0.6)
    c.disc(1280, 190, 9, PAPER)
    for i in range(4):
        tone = mix(mix(PLUM, INK, 0.55), INK, i * 0.22)
        line = crag(c.rng, 560 + 92 * i, 76 - 10 * i, 0.6, 6)
        land(c, line, mix(tone, SAND, 0.22), tone, mix(INK, tone, 0.3))
        for _ in range(26):
            x, n = c.rng.uniform(0, WIDTH), c.rng.uniform(4, 16 + 9 * i)
            y = height_at(line, x) + c.rng.uniform(4, 110)
            c.disc(x, y, n, mix(tone, SAND, 0.35), mix(INK, tone, 0.4), squash=0.7)
            c.fill([(x - n * 0.8, y + n * 0.5), (x - n * 2.6, y + n * 0.9), (x + n * 0.3, y + n * 0.7)], INK, alpha=0.6)
    c.fill([(640, 856), (860, 826), (870, 836), (650, 872)], PAPER, SEA, alpha=0.9, blur=1)
    x, y, metal = 560, 740, mix(MIST, SAND, 0.4)
    for dx in (-130, -46, 60, 150):
        c.line([(x + dx * 0.3, y - 40), (x + dx, y + 30), (x + dx, y + 96)], 7, metal)
        c.line([(x + dx - 24, y + 98), (x + dx + 24, y + 98)], 7, metal)
    c.fill([(x - 84, y - 90), (x + 84, y - 90), (x + 108, y - 20), (x - 108, y - 20)], OCHRE, mix(BRICK, INK, 0.3))
    c.fill([(x - 60, y - 130), (x + 60, y - 130), (x + 84, y - 90), (x - 84, y - 90)], mix(OCHRE, PAPER, 0.4), OCHRE)
    c.line([(x + 30, y - 130), (x + 52, y - 226)], 4, metal)
    c.disc(x + 60, y - 236, 40, PAPER, MIST, squash=0.4)
    c.box(x - 260, y - 82, 150, 34, DEEP, NIGHT)
    c.lines([[(x - 260 + k * 25, y - 82), (x - 260 + k * 25, y - 48)] for k in range(1, 6)], 1.5, MIST, 0.5)


def orbit_arcs(c: Canvas) -> None:
    c.sky(INK, NIGHT, mix(DEEP, INK, 0.3))
    stars(c, 520, HEIGHT)
    sun(c, 250, 760, 74, PAPER, OCHRE, 6, 0.85)
    for i, r in enumerate((260, 420, 620, 860, 1140, 1460)):
        path = [(250 + r * math.cos(a), 760 - r * 0.62 * math.sin(a)) for a in [math.tau * k / 220 for k in range(221)]]
        c.line(path, 1.6, mix(SAND, NIGHT, 0.2), 0.6)
        a = 0.3 + i * 0.37 if i != 4 else 0.62
        x, y = 250 + r * math.cos(a), 760 - r * 0.62 * math.sin(a)
        n = (10, 15, 17, 13, 64, 34)[i]
        tone = (SAND, OCHRE, SEA, RUST, mix(SAND, RUST, 0.3), TEAL)[i]
        c.disc(x, y, n, mix(tone, PAPER, 0.3), mix(tone, INK, 0.55))
        if i == 4:
            for k in range(-4, 5):
                half = math.sqrt(max(0, n * n - (k * 13) ** 2))
                c.line([(x - half, y + k * 13), (x + half, y + k * 13)], 5, BRICK, 0.2)
    flight = [(250 + t * 1230, 760 - 620 * math.sin(t * 1.75) * t**0.6) for t in [k / 90 for k in range(91)]]
    for a, b in zip(flight[::3], flight[2::3], strict=False):
        c.line([a, b], 4, ROSE)
    x, y = flight[-1]
    for k in range(60):
        c.glow(x + k * 2.6, y - k * 1.5, 26 + k * 1.6, MIST, 0.07)
    c.disc(x, y, 15, mix(PLUM, INK, 0.3), INK)


def chart_steps(c: Canvas) -> None:
    c.sky(PAPER, mix(PAPER, SAND, 0.5))
    c.lines([[(140, y), (1480, y)] for y in range(180, 860, 85)], 1.4, PLUM, 0.18)
    values = [140, 165, 150, 210, 250, 300, 340, 420, 470, 455, 400, 470, 500, 440, 380, 320]
    for i, v in enumerate(values):
        x = 160 + i * 82
        tone = RUST if i in (8, 9, 10) else mix(TEAL, SEA, i / 22)
        c.box(x, 860 - v, 58, v, mix(tone, PAPER, 0.12), mix(tone, INK, 0.15))
    curve = [(160 + 29 + i * 82, 790 - v * 1.12 - 20 * math.sin(i)) for i, v in enumerate(values)]
    smooth = []
    for (x0, y0), (x1, y1) in zip(curve, curve[1:], strict=False):
        for k in range(12):
            t = k / 12
            s = (1 - math.cos(math.pi * t)) / 2
            smooth.append((x0 + (x1 - x0) * t, y0 + (y1 - y0) * s))
    c.line(smooth, 7, INK)
    for x, y in curve[::5]:
        c.disc(x, y, 13, PAPER)
        c.disc(x, y, 8, RUST)
    c.line([(130, 862), (1490, 862)], 4, INK)


def map_contours(c: Canvas) -> None:
    c.sky(mix(SEA, MIST, 0.5), SEA)
    rng = c.rng
    hills = [(rng.uniform(420, 1560), rng.uniform(60, 940), rng.uniform(80, 200), rng.uniform(0.35, 0.85)) for _ in range(13)]

    def high(x: float, y: float) -> float:
        return sum(h * math.exp(-((x - a) ** 2 + (y - b) ** 2) / (2 * r * r)) for a, b, r, h in hills) + 0.06 * math.sin(x / 70) * math.cos(y / 60) - 0.1

    step = 10
    grid = [[high(x, y) for x in range(0, WIDTH + step, step)] for y in range(0, HEIGHT + step, step)]
    levels = [0.16 + 0.1 * k for k in range(14)]
    tones = [mix(PAPER, SAND, 0.4), SAND, mix(SAND, SAGE, 0.5), SAGE, mix(SAGE, MOSS, 0.5), mix(MOSS, OCHRE, 0.35), mix(OCHRE, SAND, 0.3), mix(RUST, SAND, 0.4)]
    field = Image.new("F", (len(grid[0]), len(grid)))
    field.putdata([value for row in grid for value in row])
    field = field.resize((WIDTH * SCALE, HEIGHT * SCALE), Image.Resampling.BICUBIC)
    edges = Image.new("L", field.size, 0)
    for k, level in enumerate(levels):
        inside = field.point(lambda v, level=level: v * 4000 - level * 4000 + 128).convert("L")
        inside = inside.point(lambda v: 255 if v >= 128 else 0)
        c.image.paste(Image.new("RGB", field.size, rgb(tones[min(k, len(tones) - 1)])), (0, 0), inside)
        rim = ImageChops.difference(inside, inside.filter(ImageFilter.MinFilter(5 if k % 4 == 0 else 3)))
        edges = ImageChops.lighter(edges, rim.point(lambda v, k=k: 0 if not v else (150 if k % 4 == 0 else 80)))
    c.image.paste(Image.new("RGB", field.size, rgb(mix(BRICK, INK, 0.3))), (0, 0), edges)
    retreat = [(x, 470 + 250 * math.sin(x / 330) + 40 * math.sin(x / 90)) for x in range(330, 1320, 12)]
    for a, b in zip(retreat[::3], retreat[2::3], strict=False):
        c.line([a, b], 8, BRICK)


def circuit_map(c: Canvas) -> None:
    c.sky(NIGHT, DEEP)
    used: set[tuple[int, int]] = set()
    for _ in range(330):
        x, y = c.rng.randrange(0, 54), c.rng.randrange(0, 34)
        path, way = [(x, y)], c.rng.choice([(1, 0), (0, 1), (-1, 0), (0, -1)])
        for _ in range(c.rng.randrange(3, 16)):
            if c.rng.random() < 0.28:
                way = c.rng.choice([(1, 0), (0, 1), (1, 1), (1, -1), (-1, 0), (0, -1)])
            nxt = (path[-1][0] + way[0], path[-1][1] + way[1])
            if nxt in used:
                break
            path.append(nxt)
        if len(path) < 3:
            continue
        used.update(path)
        tone = c.rng.choice([TEAL, TEAL, SEA, mix(SEA, MIST, 0.5), OCHRE if c.rng.random() < 0.3 else TEAL])
        points = [(px * 30, py * 30) for px, py in path]
        c.line(points, 4, tone)
        for end in (points[0], points[-1]):
            c.disc(*end, 8, tone)
            c.disc(*end, 3.5, NIGHT)
    c.box(560, 330, 480, 340, mix(INK, NIGHT, 0.4), INK)
    c.box(586, 356, 428, 288, mix(DEEP, NIGHT, 0.4), NIGHT)
    c.glow(800, 500, 330, OCHRE, 0.55)
    for k in range(17):
        for y in (318, 670):
            c.box(576 + k * 27, y, 12, 14, SAND)
    for k in range(11):
        for x in (548, 1040):
            c.box(x, 348 + k * 28, 14, 12, SAND)
    c.disc(800, 500, 40, RUST, BRICK)


def server_lights(c: Canvas) -> None:
    c.sky(INK, NIGHT, INK)
    vanish = (800, 470)
    for side in (-1, 1):
        for k in range(9, -1, -1):
            near, far = 1 / (1 + k * 0.55), 1 / (1 + (k + 0.93) * 0.55)

            def at(u: float, v: float, side: int = side, near: float = near, far: float = far) -> tuple[float, float]:
                d = near + (far - near) * u
                return vanish[0] + side * 620 * d, vanish[1] + (v - 0.5) * 1500 * d
            shade = mix(mix(DEEP, TEAL, 0.25), INK, 0.25 + k * 0.06)
            c.fill([at(0, 0), at(1, 0), at(1, 1), at(0, 1)], shade, mix(shade, INK, 0.4))
            for row in range(26):
                v = 0.06 + row * 0.035
                c.fill([at(0.06, v), at(0.94, v), at(0.94, v + 0.024), at(0.06, v + 0.024)], mix(INK, shade, 0.35))
                for _ in range(6):
                    u = c.rng.uniform(0.1, 0.88)
                    dark = side == 1 and 2 <= k <= 3
                    colour = c.rng.choice([RUST] if dark else [SEA, SEA, MIST, OCHRE, TEAL])
                    if c.rng.random() < (0.12 if dark else 0.72):
                        c.fill([at(u, v + 0.007), at(u + 0.035, v + 0.007), at(u + 0.035, v + 0.016), at(u, v + 0.016)], colour)
    c.fill([(800 - 620, 1010), (800 - 96, 590), (800 + 96, 590), (800 + 620, 1010)], mix(DEEP, INK, 0.4), mix(TEAL, INK, 0.6), alpha=0.9)
    for k in range(8):
        d = 1 / (1 + k * 0.8)
        c.line([(800 - 600 * d, 470 + 750 * d), (800 + 600 * d, 470 + 750 * d)], 2, SEA, 0.25)
        c.fill([(800 - 130 * d, 470 - 620 * d), (800 + 130 * d, 470 - 620 * d), (800 + 150 * d, 470 - 560 * d), (800 - 150 * d, 470 - 560 * d)], PAPER, alpha=0.75)
    c.glow(800, 480, 260, MIST, 0.6)
    person(c, 800, 640, 150, INK)


def cells_abstract(c: Canvas) -> None:
    c.sky(mix(ROSE, PAPER, 0.5), PAPER, mix(SEA, PAPER, 0.5))
    for _ in range(46):
        x, y, r = c.rng.uniform(-50, WIDTH + 50), c.rng.uniform(-50, HEIGHT + 50), c.rng.uniform(46, 170)
        tone = c.rng.choice([SEA, TEAL, ROSE, RUST, SAND, OCHRE, SAGE])
        wobble = [(r * (1 + 0.05 * math.sin(3 * a + x) + 0.03 * math.sin(5 * a + y)), a) for a in [math.tau * k / 80 for k in range(80)]]
        edge = [(x + n * math.cos(a), y + n * math.sin(a)) for n, a in wobble]
        c.fill(edge, mix(tone, PAPER, 0.35), tone, alpha=0.42)
        c.line([*edge, edge[0]], 3, mix(tone, INK, 0.25), 0.5)
        c.disc(x + r * 0.18, y - r * 0.1, r * 0.3, mix(tone, PLUM, 0.55), mix(tone, PLUM, 0.8), alpha=0.6)
        c.disc(x - r * 0.35, y - r * 0.4, r * 0.1, PAPER, alpha=0.5)
    for _ in range(26):
        x, y, r = c.rng.uniform(0, WIDTH), c.rng.uniform(0, HEIGHT), c.rng.uniform(11, 20)
        for k in range(12):
            a = math.tau * k / 12
            c.line([(x, y), (x + r * 1.6 * math.cos(a), y + r * 1.6 * math.sin(a))], 2.4, BRICK)
        c.disc(x, y, r, RUST, BRICK)


def honeycomb(c: Canvas) -> None:
    c.sky(OCHRE, mix(OCHRE, RUST, 0.6))
    r = 62
    for row in range(-1, 12):
        for col in range(-1, 17):
            x, y = col * r * 1.74 + (row % 2) * r * 0.87, row * r * 1.5
            near = math.hypot(x - 1000, y - 420) / 900
            tone = mix(mix(SAND, PAPER, 0.3), mix(BRICK, OCHRE, 0.3), min(1, near + c.rng.uniform(-0.2, 0.2)) if near > 0 else 0)
            six = [(x + r * 0.93 * math.cos(math.pi / 6 + math.pi * k / 3), y + r * 0.93 * math.sin(math.pi / 6 + math.pi * k / 3)) for k in range(6)]
            c.fill(six, tone, mix(tone, RUST, 0.35))
            small = [(x + (px - x) * 0.72, y + (py - y) * 0.72 + 6) for px, py in six]
            c.fill(small, mix(tone, BRICK, 0.45), mix(tone, OCHRE, 0.3), alpha=0.8)
    for x, y, turn in ((420, 360, 0.5), (700, 640, -0.4), (1180, 300, 2.6), (1020, 760, 0.2), (300, 780, -0.9)):
        def at(dx: float, dy: float, x: float = x, y: float = y, turn: float = turn) -> tuple[float, float]:
            return x + dx * math.cos(turn) - dy * math.sin(turn), y + dx * math.sin(turn) + dy * math.cos(turn)
        for side in (-1, 1):
            c.fill([at(8, 0), at(-30, side * 78), at(-74, side * 70), at(-44, side * 14)], PAPER, MIST, alpha=0.75)
        body = [at(62 * math.cos(a) - 46, 30 * math.sin(a)) for a in [math.tau * k / 40 for k in range(40)]]
        c.fill(body, OCHRE, mix(OCHRE, BRICK, 0.5))
        for k in range(4):
            c.line([at(-84 + k * 24, -25 + abs(k - 1.5) * 3), at(-84 + k * 24, 25 - abs(k - 1.5) * 3)], 9, INK)
        c.disc(*at(22, 0), 28, mix(BRICK, OCHRE, 0.4), mix(INK, BRICK, 0.5))
        c.disc(*at(54, 0), 17, INK)
        for side in (-1, 1):
            c.line([at(64, side * 6), at(86, side * 20)], 3, INK)


def score_lines(c: Canvas) -> None:
    c.sky(mix(PAPER, SAND, 0.2), PAPER, mix(PAPER, SAND, 0.6))
    for tier in range(4):
        base = 200 + tier * 190

        def wave(x: float, tier: int = tier, base: int = base) -> float:
            return base + (26 + tier * 12) * math.sin(x / (300 - tier * 20) + tier * 1.4)
        for k in range(5):
            c.line([(x, wave(x) + k * 17) for x in range(-10, WIDTH + 20, 12)], 2.2, mix(DEEP, SEA, 0.35 if tier < 3 else 0))
        x = 90 + tier * 30.0
        while x < WIDTH - 60:
            y = wave(x) + c.rng.choice([0, 8.5, 17, 34, 42.5, 51, 68])
            if tier == 3:
                y = wave(x) + (34 if int(x / 120) % 2 else 51)
            if not (tier == 2 and 760 < x < 1120):
                c.disc(x, y, 12, INK, squash=0.72)
                c.line([(x + 11, y), (x + 11, y - 62)], 3, INK)
                if c.rng.random() < 0.3:
                    c.line([(x + 11, y - 62), (x + 30, y - 40)], 4, INK)
            x += c.rng.choice([58, 76, 120]) if tier != 3 else 120
    x, y = 940, 566
    c.fill([(x - 150, y - 34), (x - 30, y - 12), (x + 150, y - 40), (x + 104, y + 28), (x - 104, y + 28)], BRICK, mix(BRICK, INK, 0.5))
    person(c, x - 40, y, 104, INK)
    person(c, x + 48, y + 4, 74, PLUM)
    c.line([(x - 44, y - 44), (x - 190, y + 66)], 5, INK)
    c.glow(330, 130, 210, OCHRE, 0.4)
    c.disc(330, 130, 46, mix(OCHRE, PAPER, 0.3))


def manuscript_page(c: Canvas) -> None:
    c.sky(mix(BRICK, INK, 0.4), mix(INK, BRICK, 0.3))
    c.glow(820, 300, 700, OCHRE, 0.4)
    for side in (-1, 1):
        inner, outer = 800, 800 + side * 560
        for k in range(7, -1, -1):
            lift = k * 5
            leaf = [(inner, 190 + lift), (inner + side * 200, 150 + lift), (outer + side * k * 5, 186 + lift), (outer + side * k * 6, 850 + lift), (inner + side * 200, 812 + lift), (inner, 866 + lift)]
            c.fill(leaf, mix(PAPER, SAND, 0.3 + 0.05 * k), mix(SAND, OCHRE, 0.15 + 0.05 * k))
        c.fill([(inner, 190), (inner + side * 90, 168), (inner + side * 90, 832), (inner, 866)], PLUM, alpha=0.2, blur=14)
    marks = []
    for side, left in ((-1, 300), (1, 900)):
        for row in range(17):
            y = 262 + row * 31
            x = left
            while x < left + 390:
                n = c.rng.uniform(12, 46)
                wave = [(x + k * 4, y + 5 * math.sin((x + k * 4) / 5.3 + row) * c.rng.uniform(0.5, 1)) for k in range(int(n / 4) + 1)]
                if len(wave) > 1 and not (side == 1 and row < 5 and x < left + 160):
                    marks.append(wave)
                x += n + 10
    c.lines(marks, 3, mix(INK, BRICK, 0.3), 0.8)
    c.box(896, 246, 150, 150, TEAL, DEEP)
    for r in (64, 48, 32, 16):
        star = [(971 + r * (1 if k % 2 else 0.62) * math.cos(math.tau * k / 16), 321 + r * (1 if k % 2 else 0.62) * math.sin(math.tau * k / 16)) for k in range(16)]
        c.fill(star, OCHRE if r in (64, 32) else BRICK)
    for x, y in ((300, 240), (300, 800), (700, 800)):
        c.disc(x, y, 7, RUST)


def sky_contrails(c: Canvas) -> None:
    c.sky(DEEP, TEAL, SEA, ROSE, SAND, bottom=820)
    sun(c, 360, 700, 54, PAPER, SAND, 7, 0.8)
    arc = [(120 + t * 13.6, 640 - 470 * math.sin(t / 100 * 1.65)) for t in range(0, 92)]
    for k, (a, b) in enumerate(zip(arc, arc[1:], strict=False)):
        for _ in range(2):
            c.glow((a[0] + b[0]) / 2, (a[1] + b[1]) / 2, 9 + (92 - k) * 0.34, PAPER, 0.34)
    x, y = arc[-1]
    turn = 0.02
    plane = [(120, 0), (60, -6), (10, -8), (-60, -44), (-78, -42), (-46, -8), (-84, -6), (-104, -26), (-112, -25), (-102, 4), (-40, 8), (40, 8)]
    c.fill([(x + 60 + px * math.cos(turn) - py * math.sin(turn), y + px * math.sin(turn) + py * math.cos(turn)) for px, py in plane], PAPER, mix(MIST, PLUM, 0.3))
    for tier in range(4):
        for _ in range(22):
            c.glow(c.rng.uniform(0, WIDTH), 800 + tier * 66 + c.rng.uniform(-20, 20), c.rng.uniform(90, 230), mix(PAPER, ROSE if tier < 2 else SEA, 0.18 + 0.12 * tier), 0.55, 0.42)


SCENES: dict[str, Callable[[Canvas], None]] = {
    "arena-lights": arena_lights,
    "boats-beach": boats_beach,
    "bridge-broken": lambda c: bridge(c, broken=True),
    "bridge-dusk": lambda c: bridge(c, broken=False),
    "cells-abstract": cells_abstract,
    "chart-steps": chart_steps,
    "circuit-map": circuit_map,
    "coast-cliffs": coast_cliffs,
    "comet-surface": comet_surface,
    "conference-hall": conference_hall,
    "desert-dunes": desert_dunes,
    "dike-storm": dike_storm,
    "dunes-winter": dunes_winter,
    "ferry-sound": ferry_sound,
    "fields-aerial": fields_aerial,
    "fields-dusk": fields_dusk,
    "flood-village": flood_village,
    "forest-birch": forest_birch,
    "forest-mist": forest_mist,
    "grain-silos": grain_silos,
    "harbour-cranes": harbour_cranes,
    "honeycomb": honeycomb,
    "iceberg": iceberg,
    "industry-river": industry_river,
    "island-sea": island_sea,
    "kelp-forest": kelp_forest,
    "lighthouse-beam": lighthouse_beam,
    "manuscript-page": manuscript_page,
    "map-contours": map_contours,
    "market-awnings": market_awnings,
    "mill-river": mill_river,
    "mountain-village": mountain_village,
    "orbit-arcs": orbit_arcs,
    "parliament-columns": parliament_columns,
    "pitch-rain": pitch_rain,
    "river-delta": river_delta,
    "road-runners": road_runners,
    "rooftops": rooftops,
    "score-lines": score_lines,
    "seminary-lake": seminary_lake,
    "server-lights": server_lights,
    "ships-anchor": ships_anchor,
    "sky-contrails": sky_contrails,
    "skyline-night": skyline_night,
    "smoke-valley": smoke_valley,
    "snow-village": snow_village,
    "solar-field": solar_field,
    "stadium-lights": stadium_lights,
    "stage-curtain": stage_curtain,
    "telescope-dishes": telescope_dishes,
    "town-square": town_square,
    "train-line": train_line,
    "village-hills": village_hills,
    "vineyard": vineyard,
}


def main(names: Sequence[str]) -> None:
    FOLDER.mkdir(exist_ok=True)
    total = 0
    for name in names or SCENES:
        canvas = Canvas(name)
        SCENES[name](canvas)
        size = canvas.save(name)
        total += size
        sys.stdout.write(f"{name}: {size // 1024} KB\n")
    sys.stdout.write(f"{total // 1024} KB in all\n")


if __name__ == "__main__":
    main(sys.argv[1:])

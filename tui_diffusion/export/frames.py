"""One frame of a denoising, and the grid of its levels, as Pillow images."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from ..core.metrics import nearest_mode
from ..core.mixtures import GaussianMixture
from . import raster
from .exhibit import Film, Floats, Scene
from .raster import DIM, GROUND, LINE, MAKERS, MARK, PANEL, TEXT, TRUTH, Pixels, Range, Tick

MARKED_MODES = 16
"""Modes up to which each is marked and looked at from near by."""

_NEAR = 4.5
"""Half width of a close-up in std of the truth."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Box:
    """A rectangle of pixels."""

    left: int
    top: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """One past the last column."""
        return self.left + self.width

    @property
    def bottom(self) -> int:
        """One past the last row."""
        return self.top + self.height


class Sheet:
    """An image to draw on, whose text and lines scale with ``unit`` (1 at 640×480)."""

    def __init__(self, width: int, height: int, unit: float) -> None:
        self.image = Image.new("RGB", (width, height), GROUND)
        self.ink = ImageDraw.Draw(self.image)
        self.unit = unit

    def px(self, size: float) -> int:
        """A length of the design in pixels."""
        return max(1, round(size * self.unit))

    def text(
        self, x: float, y: float, words: str, hue: str = TEXT, size: float = 13, anchor: str = "ls"
    ) -> float:
        """Words at a place; returns how wide they are."""
        font = _font(max(7.0, size * self.unit))
        self.ink.text((x, y), words, hue, font, anchor)
        return float(font.getlength(words))

    def width_of(self, words: str, size: float = 13) -> float:
        """How wide words will be."""
        return float(_font(max(7.0, size * self.unit)).getlength(words))

    def put(self, picture: Pixels, box: Box) -> None:
        """A picture into its box."""
        array = (picture * 255 + 0.5).clip(0, 255).astype(np.uint8)
        self.image.paste(Image.fromarray(array), (box.left, box.top))


@lru_cache(maxsize=64)
def _font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


# --- a frame -------------------------------------------------------------------------------------


def frame(film: Film, place: float, width: int, height: int) -> Image.Image:
    """The denoising at a place between level 0 and N."""
    sheet = Sheet(width, height, min(width / 640, height / 480))
    scene = film.scene(place)
    pad = sheet.px(16)
    _header(sheet, film, scene, pad)
    body = Box(pad, sheet.px(58), width - 2 * pad, height - sheet.px(58 + 46))
    _body(sheet, film, scene, body)
    _ruler(sheet, scene, Box(pad, height - sheet.px(30), width - 2 * pad, sheet.px(20)))
    return sheet.image


def _header(sheet: Sheet, film: Film, scene: Scene, pad: int) -> None:
    right = sheet.image.width - pad
    level = f"level {scene.level}/{scene.levels}"
    sheet.text(right, sheet.px(27), level, size=18, anchor="rs")
    sheet.text(right, sheet.px(46), scene.words, DIM, 12, "rs")
    room = right - pad - max(sheet.width_of(level, 18), 0) - sheet.px(12)
    title = film.exhibit.title
    while title and sheet.width_of(title, 18) > room:
        title = title[:-2].rstrip() + "…" if len(title) > 2 else ""
    sheet.text(pad, sheet.px(27), title, size=18)
    key = sheet.text(pad, sheet.px(46), film.exhibit.maker, MAKERS[film.exhibit.maker], 12)
    sheet.text(pad + key + sheet.px(10), sheet.px(46), "exact density", TRUTH, 12)


def _body(sheet: Sheet, film: Film, scene: Scene, body: Box) -> None:
    draw = line_panel if film.dim == 1 else plane_panel
    gap, wide = sheet.px(14), body.width >= 1.15 * body.height
    if film.dim == 1:
        if not wide:
            return draw(sheet, film, scene, body, False)
        left = int((body.width - gap) * 0.56)
        draw(sheet, film, scene, Box(body.left, body.top, left, body.height), False)
        right = Box(body.left + left + gap, body.top, body.width - left - gap, body.height)
        return draw(sheet, film, scene, right, True)
    close = wide and scene.truth.modes <= MARKED_MODES
    side = min(body.height, body.width)
    if not close:
        beside = sheet.px(150) if wide else 0
        left = body.left + (body.width - side - beside) // 2
        draw(sheet, film, scene, Box(left, body.top, side, body.height), False)
        return _numbers(sheet, scene, left + side + gap, body.top + sheet.px(14)) if wide else None
    rest = min(body.width - side - gap, side)
    used = side + gap + rest
    start = body.left + (body.width - used) // 2
    draw(sheet, film, scene, Box(start, body.top, side, body.height), False)
    near = Box(start + side + gap, body.top, rest, min(rest + sheet.px(16), body.height))
    draw(sheet, film, scene, near, True)
    if body.bottom - near.bottom > sheet.px(76):
        _numbers(sheet, scene, near.left, near.bottom + sheet.px(28))
    return None


def _numbers(sheet: Sheet, scene: Scene, left: int, top: int) -> None:
    """Mean and std of the points beside those of the truth."""
    if not len(scene.points):
        return
    for row, (name, seen, true) in enumerate(scene.moments):
        y = top + row * sheet.px(34)
        sheet.text(left, y, name, DIM, 12)
        sheet.text(left + sheet.px(40), y, _pair(seen), size=12)
        sheet.text(left + sheet.px(40), y + sheet.px(15), _pair(true), TRUTH, 12)


def _pair(values: Floats) -> str:
    return "  ".join(map(_number, values.tolist()))


def _number(value: float) -> str:
    plain = value == 0 or 1e-3 <= abs(value) < 1e5
    return f"{round(value, 3) + 0.0:.3f}" if plain else f"{value:.6g}"


def _ruler(sheet: Sheet, scene: Scene, box: Box) -> None:
    """noise ●──┼──┼── clean, with a stroke for every level."""
    middle = box.top + box.height // 2
    before = sheet.width_of("noise", 12) + sheet.px(12)
    after = sheet.width_of("clean", 12) + sheet.px(12)
    sheet.text(box.left, middle, "noise", DIM, 12, "lm")
    sheet.text(box.right, middle, "clean", DIM, 12, "rm")
    left, right = box.left + before, box.right - after
    at = left + (right - left) * scene.place / scene.levels
    thick = sheet.px(2)
    sheet.ink.line((left, middle, right, middle), LINE, thick)
    hue = TRUTH
    sheet.ink.line((left, middle, at, middle), hue, thick)
    if (right - left) / scene.levels >= sheet.px(4):
        for level in range(scene.levels + 1):
            x = left + (right - left) * level / scene.levels
            reached = level <= scene.place + 1e-9
            tall = sheet.px(3)
            sheet.ink.line((x, middle - tall, x, middle + tall), hue if reached else LINE, 1)
    radius = sheet.px(6)
    reach = radius + 2
    spot = Box(int(at) - reach, middle - reach, 2 * reach + 1, 2 * reach + 1)
    under = sheet.image.crop((spot.left, spot.top, spot.right, spot.bottom))
    picture: Pixels = np.asarray(under, np.float32) / np.float32(255)
    rows, columns = np.ogrid[: spot.height, : spot.width]
    distance = np.hypot(rows - reach, columns - reach - (at - int(at)))
    raster.over(picture, np.clip(radius + 0.5 - distance, 0, 1), TEXT)
    sheet.put(picture, spot)


# --- panels --------------------------------------------------------------------------------------


def plane_panel(
    sheet: Sheet, film: Film, scene: Scene, box: Box, close: bool, caption: str = ""
) -> None:
    """Points in the plane over the exact density, its 95 % contour and its modes.

    ``close``: every point as seen from the mode it is nearest to.
    """
    below = sheet.px(16)
    side = min(box.width, box.height - below)
    inner = Box(box.left + (box.width - side) // 2, box.top, side, side)
    truth, points = scene.truth, scene.points
    axes = film.axes
    centre, half = film.view(scene)
    if close:
        axes = tuple(axis.differences for axis in axes)
        points, truth = about_modes(scene), _one_mode(truth)
        centre, half = np.zeros(2), _NEAR * float(truth.stds.max())
    xs, ys = (centre[0] - half, centre[0] + half), (centre[1] - half, centre[1] + half)
    logs = raster.log_density(truth, xs, ys, side, side)
    picture = raster.shading(logs)
    most = _tick_count(sheet, side, 44)
    across, up = raster.ticks(xs, most, axes[0]), raster.ticks(ys, most, axes[1])
    _grid_lines(picture, across, up, xs, ys)
    radius = 1.15 * sheet.unit
    count = raster.splat(points, xs, ys, side, side, max(radius, 0.8))
    raster.dots(picture, count, MAKERS[film.exhibit.maker], _opacity(len(points)))
    outline = raster.contour(logs, raster.contour_level(logs), 1.3 * max(sheet.unit, 0.8))
    raster.over(picture, 0.9 * outline, TRUTH)
    if not close and truth.modes <= MARKED_MODES:
        for x, y in truth.means.tolist():
            px = (x - xs[0]) / (xs[1] - xs[0]) * side - 0.5
            py = (ys[1] - y) / (ys[1] - ys[0]) * side - 0.5
            raster.ring(picture, px, py, 6.5 * sheet.unit, MARK, 1.2 * max(sheet.unit, 0.8))
    sheet.put(picture, inner)
    _ticks_below(sheet, inner, xs, across)
    _ticks_inside(sheet, inner, ys, up)
    _caption(sheet, inner, caption or ("each point from its mode" if close else ""))


def _opacity(points: int) -> float:
    """Fainter dots where there are very many."""
    return float(np.clip(0.85 - 0.12 * np.log10(max(points, 1) / 3000), 0.25, 0.9))


def about_modes(scene: Scene) -> Floats:
    """Points (n, 2) as seen from the mode that each is nearest to."""
    x = torch.from_numpy(scene.points)
    _, nearest = nearest_mode(x, scene.truth)
    return np.asarray((x - scene.truth.means[nearest]).numpy())


def _one_mode(truth: GaussianMixture) -> GaussianMixture:
    widest = int(truth.stds.argmax())
    return GaussianMixture(torch.zeros_like(truth.means[:1]), truth.stds[widest : widest + 1])


def window(film: Film, scene: Scene, close: bool) -> Range:
    """The stretch of the line that a 1D panel shows."""
    if not close:
        centre, half = film.extent
        return float(centre[0]) - half, float(centre[0]) + half
    middle, std = float(scene.truth.mean()[0]), float(scene.truth.std()[0])
    reach = _NEAR * std
    if len(scene.points):
        spread = float(np.quantile(np.abs(scene.points[:, 0] - middle), 0.98)) * 1.1
        reach = max(reach, min(spread, 4 * reach))
    return middle - reach, middle + reach


def mean_density(truth: GaussianMixture, xs: Range, count: int) -> Floats:
    """The exact pdf averaged over ``count`` short stretches: no peak is stepped over."""
    edges = torch.linspace(*xs, count + 1, dtype=torch.float64)[:, None]
    return np.asarray(truth.cdf(edges).diff().numpy() * count / (xs[1] - xs[0]))


def histogram(points: Floats, xs: Range, bins: int) -> Floats:
    """The density of points (n, 1) by bins."""
    counts, _ = np.histogram(points[:, 0], bins=bins, range=xs)
    return np.asarray(counts / (max(len(points), 1) * (xs[1] - xs[0]) / bins), np.float64)


def tallest(pdf: Floats, heights: Floats) -> float:
    """The top of a 1D panel: the truth fits, and a sample up to three times as tall."""
    return 1.12 * max(float(pdf.max()), min(float(heights.max()), 3 * float(pdf.max())), 1e-12)


def line_panel(
    sheet: Sheet, film: Film, scene: Scene, box: Box, close: bool, caption: str = ""
) -> None:
    """The histogram of points on the line with the exact pdf over it."""
    inner = Box(box.left, box.top, box.width, box.height - sheet.px(16))
    xs = window(film, scene, close)
    pdf = mean_density(scene.truth, xs, inner.width)
    bins = max(10, min(70, round(inner.width / sheet.px(6))))
    heights = histogram(scene.points, xs, bins)
    top = tallest(pdf, heights)
    picture = np.empty((inner.height, inner.width, 3), np.float32)
    picture[:] = raster.colour(PANEL)
    ys = (0.0, top)
    axis = film.axes[0]
    across = raster.ticks(xs, _tick_count(sheet, inner.width, 56), axis)
    up = raster.ticks(ys, _tick_count(sheet, inner.height, 64), axis.densities)
    _grid_lines(picture, across, up, xs, ys)
    hue = MAKERS[film.exhibit.maker]
    covered = raster.bars(heights / top * inner.height, inner.width, inner.height)
    raster.over(picture, 0.8 * covered, hue)
    under = raster.bars(pdf / top * inner.height, inner.width, inner.height)
    raster.over(picture, 0.13 * under, TRUTH)
    line = raster.curve(pdf / top * inner.height, inner.width, inner.height, 2 * sheet.unit)
    raster.over(picture, line, TRUTH)
    sheet.put(picture, inner)
    _ticks_below(sheet, inner, xs, across)
    _ticks_inside(sheet, inner, ys, up)
    _caption(sheet, inner, caption or ("close-up" if close else "histogram"))


def _tick_count(sheet: Sheet, length: int, spacing: float) -> int:
    return max(3, round(length / sheet.px(spacing)))


def _grid_lines(picture: Pixels, across: list[Tick], up: list[Tick], xs: Range, ys: Range) -> None:
    height, width, _ = picture.shape
    hue = raster.colour(LINE)
    for x, _ in across:
        column = min(int((x - xs[0]) / (xs[1] - xs[0]) * width), width - 1)
        picture[:, column] += 0.55 * (hue - picture[:, column])
    for y, _ in up:
        row = min(int((ys[1] - y) / (ys[1] - ys[0]) * height), height - 1)
        picture[row] += 0.55 * (hue - picture[row])


def _ticks_below(sheet: Sheet, box: Box, xs: Range, marks: list[Tick]) -> None:
    """Numbers under a panel, those that fit."""
    y, free = box.bottom + sheet.px(13), float(box.left)
    for x, words in marks:
        half = sheet.width_of(words, 11) / 2
        at = box.left + (x - xs[0]) / (xs[1] - xs[0]) * box.width
        if at - half >= free and at + half <= box.right:
            sheet.text(at, y, words, DIM, 11, "ms")
            free = at + half + sheet.px(6)


def _ticks_inside(sheet: Sheet, box: Box, ys: Range, marks: list[Tick]) -> None:
    """Numbers at the left edge, inside a panel."""
    if box.height < sheet.px(120):
        return
    for y, words in marks:
        at = box.bottom - (y - ys[0]) / (ys[1] - ys[0]) * box.height
        if box.top + sheet.px(22) < at < box.bottom - sheet.px(8):
            sheet.text(box.left + sheet.px(4), at, words, DIM, 11, "lm")


def _caption(sheet: Sheet, box: Box, words: str) -> None:
    if words:
        sheet.text(box.left + sheet.px(6), box.top + sheet.px(15), words, DIM, 11)


# --- the grid of levels --------------------------------------------------------------------------


def grid_columns(count: int, dim: int) -> int:
    """Columns that make ``count`` panels a picture of a pleasant shape."""
    return min(range(1, count + 1), key=lambda c: _awkward(c, count, dim))


def _awkward(columns: int, count: int, dim: int) -> float:
    rows = -(-count // columns)
    shape = columns * (1.3 if dim == 1 else 1.0) / rows
    return abs(math.log(shape / 1.6)) + 0.35 * (rows * columns - count)


def grid(
    film: Film, width: int, height: int, *, most: int = 12, progress: Progress | None = None
) -> Image.Image:
    """Panels of levels from noise to clean, at most ``most``, in reading order."""
    levels = film.chosen(most)
    columns = grid_columns(len(levels), film.dim)
    rows = -(-len(levels) // columns)
    unit = max(0.6, min(width / columns / 300, (height - 60) / rows / 300))
    sheet = Sheet(width, height, unit)
    pad, gap = sheet.px(18), sheet.px(14)
    sheet.text(pad, sheet.px(32), film.exhibit.title, size=20)
    right = sheet.text(pad, sheet.px(52), film.exhibit.maker, MAKERS[film.exhibit.maker], 13)
    sheet.text(pad + right + sheet.px(12), sheet.px(52), "exact density", TRUTH, 13)
    if film.dim == 1 or film.closes_in:
        words = "every level from near by"
        sheet.text(width - pad, sheet.px(52), words, DIM, 13, "rs")
    top = sheet.px(66)
    across = (width - 2 * pad - (columns - 1) * gap) // columns
    down = (height - top - pad - (rows - 1) * gap) // rows
    draw = line_panel if film.dim == 1 else plane_panel
    for place, level in enumerate(levels):
        row, column = divmod(place, columns)
        box = Box(pad + column * (across + gap), top + row * (down + gap), across, down)
        scene = film.scene(float(level))
        label = box.top + sheet.px(14)
        sheet.text(box.left, label, f"level {level}/{film.levels}", size=13)
        sheet.text(box.right, label, scene.words, DIM, 11, "rs")
        inner = Box(box.left, box.top + sheet.px(20), box.width, box.height - sheet.px(20))
        draw(sheet, film, scene, inner, film.dim == 1, " ")
        if progress:
            progress(place + 1, len(levels))
    return sheet.image


def grid_size(film: Film, most: int = 12) -> tuple[int, int]:
    """The size that a grid takes where none is asked for."""
    count = len(film.chosen(most))
    columns = grid_columns(count, film.dim)
    rows = -(-count // columns)
    across, down = (320, 280) if film.dim == 1 else (280, 316)
    return columns * (across + 14) + 22, rows * (down + 14) + 84

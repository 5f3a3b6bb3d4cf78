"""The plot of a panel in pixels, for both kinds of pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray
from PIL import ImageFont

from ...core.arrays import Floats
from . import raster
from .compose import LEAST_TEXT, Box
from .figure import Arrows, Band, Bars, HeatMap, PicturePanel, Shade, ShadeGrid

_LEAST_UNIT = 0.8
"""Smallest scale of lines and rings, below which they would vanish."""


_CELL_TEXT = 14.0
"""Design size of the text of a heat map's cell."""


@dataclass(frozen=True)
class HeatCell:
    """A cell of a heat map: left, top, right and bottom in pixels, strength, texts, mark."""

    box: tuple[float, float, float, float]
    strength: float
    texts: tuple[str, ...]
    marked: bool


class PlotArea:
    """The plot of a panel in a box: its size, and the coordinates of its layers in pixels."""

    def __init__(self, panel: PicturePanel, box: Box, unit: float) -> None:
        self.panel, self.box = panel, box
        self.unit = max(unit, _LEAST_UNIT)
        self.width, self.height = box.width, box.height

    def pixels(self, positions: Floats) -> Floats:
        """Convert coordinates (…, 2) to pixels."""
        (x0, x1), (y0, y1) = self.panel.xs, self.panel.ys
        with np.errstate(over="ignore", invalid="ignore"):
            across = (positions[..., 0] - x0) / (x1 - x0) * self.width
            down = (y1 - positions[..., 1]) / (y1 - y0) * self.height
        return np.stack([across, down], -1)

    def arrows(self, layer: Arrows) -> list[Floats]:
        """Return the lines (m, 2) of all arrows."""
        starts, ends = self.pixels(layer.positions), self.pixels(layer.positions + layer.vectors)
        pairs = zip(starts, ends, strict=True)
        return [line for start, end in pairs for line in arrow(start, end, 4 * self.unit)]

    def bars(self, layer: Bars) -> tuple[Floats, Floats, Floats, Floats]:
        """Return left ends, right ends, tops and bases of the bars, each (n,)."""
        tops, bases = (
            self.pixels(np.stack([layer.edges[:-1], ends], -1))[:, 1]
            for ends in (layer.heights, layer.floor)
        )
        edges = self.pixels(np.stack([layer.edges, np.zeros_like(layer.edges)], -1))
        spare = (1 - layer.wide) / 2 * np.diff(edges[:, 0])
        return edges[:-1, 0] + spare, edges[1:, 0] - spare, tops, bases

    def band(self, layer: Band) -> tuple[Floats, Floats]:
        """Return the lower and the upper line of a band, each (k, 2), without non-finite points."""
        lows, highs = (
            self.pixels(np.stack([layer.xs, values], -1)) for values in (layer.lows, layer.highs)
        )
        finite = np.isfinite(lows).all(1) & np.isfinite(highs).all(1)
        return lows[finite], highs[finite]

    def shade(self, layer: Shade) -> NDArray[np.float32]:
        """Return a density relative to its maximum, at every pixel: (height, width)."""
        panel, size = self.panel, (self.width, self.height)
        if not isinstance(layer.of, np.ndarray):
            if isinstance(layer.of, ShadeGrid):
                return raster.stretched(layer.of.values, layer.of.top, *size)
            return raster.pixel_density(layer.of, panel.xs, panel.ys, *size)
        radius = max(2.0, self.width / 110)  # a few thousand points cannot show finer detail
        count = raster.splat(layer.of, panel.xs, panel.ys, *size, radius)
        return np.asarray(count / max(float(count.max()), 1e-30))


def heat_cells(area: PlotArea, layer: HeatMap) -> Iterator[HeatCell]:
    """Yield every cell of a heat map that has a strength or a text."""
    rows, columns = layer.strengths.shape
    edges = np.array([[c - 0.5, r - 0.5] for c, r in product(range(columns + 1), range(rows + 1))])
    at = area.pixels(edges.reshape(columns + 1, rows + 1, 2))
    for row, column in product(range(rows), range(columns)):
        (left, bottom), (right, top) = at[column, row], at[column + 1, row + 1]
        gap = min(1.0, (right - left) / 8, (bottom - top) / 8)
        yield HeatCell(
            (float(left + gap), float(top + gap), float(right - gap), float(bottom - gap)),
            float(layer.strengths[row, column]),
            layer.texts[row][column],
            bool(layer.marked[row, column]),
        )


def text_lines(cell: HeatCell, unit: float) -> tuple[float, list[tuple[float, float, str]]]:
    """Return the size in pixels of a cell's text and each line with its centre.

    Without room for a legible size there are no lines; a second line goes before the first.
    """
    left, top, right, bottom = cell.box
    for lines in filter(None, (cell.texts, cell.texts[:1])):
        widest = max(float(font(100.0).getlength(line)) for line in lines) / 100
        across = 0.9 * (right - left) / max(widest, 1e-9)
        size = min(_CELL_TEXT * unit, across, 0.6 * (bottom - top) / len(lines))
        if size >= LEAST_TEXT:
            middle = (top + bottom) / 2 - 0.65 * size * (len(lines) - 1)
            x = (left + right) / 2
            return size, [(x, middle + 1.3 * size * k, line) for k, line in enumerate(lines)]
    return LEAST_TEXT, []


def arrow(start: Floats, end: Floats, head: float) -> list[Floats]:
    """Return the shaft and the head of an arrow from ``start`` to ``end``, as lines (m, 2)."""
    way = end - start
    length = float(np.hypot(*way))
    if not np.isfinite(length) or length < 1e-9:
        return []
    back = -way / length * min(head, 0.6 * length)
    turned = np.array([-back[1], back[0]]) * 0.5
    return [np.stack([start, end]), np.stack([end + back + turned, end, end + back - turned])]


@lru_cache(maxsize=64)
def font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Load Pillow's built-in font at a size in pixels; no installed font is needed."""
    return ImageFont.load_default(size)

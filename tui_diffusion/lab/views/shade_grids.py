"""Values on a grid as cells and dots of a terminal."""

from __future__ import annotations

import numpy as np

from ...core.arrays import Floats, Range
from ...export.pictures.figure import ShadeGrid
from ..drawing.dots import DotLayer, Mark

_BAYER = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]])
"""Order in which the dots of a square appear as it grows darker: Bayer 1973."""

SIGNS = {"network": "+", "truth": "-"}
"""Signs of the roles where colours cannot tell them apart."""

_FAINT = 0.1
"""Value relative to the darkest below which there is no sign."""


def grid_cells(grid: ShadeGrid, ranges: tuple[Range, Range], size: tuple[int, int]) -> Floats:
    """Return the values at ``size`` (columns, rows) of a window, top row first; 0 outside it."""
    columns, rows = size
    across = _positions(ranges[0], columns, grid.xs, grid.values.shape[1])
    down = _positions(ranges[1], rows, grid.ys, grid.values.shape[0])[::-1]
    down = grid.values.shape[0] - 1 - down
    inside = _within(down, grid.values.shape[0])[:, None] & _within(across, grid.values.shape[1])
    lines = _between(grid.values, down)
    return np.where(inside, _between(lines.T, across).T, 0.0)


def _positions(shown: Range, count: int, of: Range, cells: int) -> Floats:
    """Return where the centres of ``count`` cells lie among the centres of the grid's cells."""
    centres = shown[0] + (np.arange(count) + 0.5) / count * (shown[1] - shown[0])
    return np.asarray((centres - of[0]) / (of[1] - of[0]) * cells - 0.5)


def _within(positions: Floats, count: int) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    return np.asarray((positions >= -0.5) & (positions <= count - 0.5))


def _between(values: Floats, positions: Floats) -> Floats:
    """Return the rows of an array at fractional positions, by linear interpolation."""
    positions = np.clip(positions, 0, len(values) - 1)
    low = np.minimum(positions.astype(int), max(len(values) - 2, 0))
    high = np.minimum(low + 1, len(values) - 1)
    share = (positions - low)[:, None]
    return np.asarray(values[low] * (1 - share) + values[high] * share)


def toned(
    grid: ShadeGrid, role: str, ranges: tuple[Range, Range], size: tuple[int, int]
) -> tuple[DotLayer, list[Mark]]:
    """Return dots that are denser where values are larger, and signs in place of them."""
    width, height = size
    most = max(float(grid.values.max(initial=0.0)) if grid.top is None else grid.top, 1e-30)
    shares = grid_cells(grid, ranges, (2 * width, 4 * height)) / most
    order = np.tile(_BAYER, (height, -(-2 * width // 4)))[:, : 2 * width]
    dots = shares > (order + 0.5) / 16
    cells = grid_cells(grid, ranges, size) / most
    signs = [
        Mark(int(x), int(y), SIGNS.get(role, "*"), role) for y, x in np.argwhere(cells > _FAINT)
    ]
    return DotLayer(dots, role), signs

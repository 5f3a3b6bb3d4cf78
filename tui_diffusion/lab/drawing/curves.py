"""Curves split at gaps and clipped to the plot, and dense curves as dots.

Coordinates are shares of the axes, 0 to 1 within the plot. Points and lines cover the same dots as
in plotext; but plotext visits every dot in Python, and this module computes all dots of a curve at
once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...core.arrays import Floats
from .dots import DotGrid

Integers = NDArray[np.int64]


def visible_parts(xs: Floats, ys: Floats) -> list[Floats]:
    """Return the parts of a line within the plot, each as points `(k, 2)`.

    A nan in either coordinate is a gap; a point between two gaps is a part of its own.
    """
    points = np.stack([xs, ys], axis=1)
    starts, ends = _clipped(points)
    breaks = np.flatnonzero((starts[1:] != ends[:-1]).any(axis=1)) + 1
    pairs = zip(np.split(starts, breaks), np.split(ends, breaks), strict=True)
    parts = [np.concatenate([start, end[-1:]]) for start, end in pairs if len(start)]
    gap = np.pad(np.isnan(points).any(axis=1), 1, constant_values=True)
    inside = ((points >= 0) & (points <= 1)).all(axis=1)
    alone = points[gap[:-2] & gap[2:] & inside]
    return [*parts, *alone[:, None]]


def stroke(xs: Floats, ys: Floats, columns: int, rows: int) -> DotGrid:
    """Return the dots `(rows, columns)`, top row first, of the lines from each point to the next.

    A nan in either coordinate is a gap; a point between two gaps is a dot of its own.
    """
    dots = np.zeros((rows, columns), dtype=bool)
    inside = (xs >= 0) & (xs <= 1) & (ys >= 0) & (ys <= 1)
    starts, ends = _clipped(np.stack([xs, ys], axis=1))
    corners = np.concatenate([starts, ends])
    across = _place(np.concatenate([xs[inside], corners[:, 0]]), columns)
    up = _place(np.concatenate([ys[inside], corners[:, 1]]), rows)
    dots[rows - 1 - up, across] = True
    first = int(inside.sum())
    for_x, for_y = (a[first:].reshape(2, -1) for a in (across, up))
    across, up = _between(for_x, for_y)
    dots[rows - 1 - up, across] = True
    return dots


def scattered(xs: Floats, ys: Floats, columns: int, rows: int) -> DotGrid:
    """Return the dots `(rows, columns)`, top row first, of the points within the plot."""
    dots = np.zeros((rows, columns), dtype=bool)
    inside = (xs >= 0) & (xs <= 1) & (ys >= 0) & (ys <= 1)
    dots[rows - 1 - _place(ys[inside], rows), _place(xs[inside], columns)] = True
    return dots


def with_gaps(xs: Floats, ys: Floats, columns: int) -> tuple[Floats, Floats]:
    """Return the polyline at every column of dots, with gaps; `xs` must ascend."""
    known = np.isfinite(xs) & np.isfinite(ys)
    if known.sum() < 2:
        return xs, ys
    x = np.linspace(0.0, 1.0, columns)
    y = np.interp(x, xs[known], ys[known], left=np.nan, right=np.nan)
    return x, np.where(np.arange(columns) % 6 < 4, y, np.nan)


def _clipped(points: Floats) -> tuple[Floats, Floats]:
    """Return both ends `(k, 2)` of the line parts within the plot (Liang and Barsky, 1984)."""
    with np.errstate(all="ignore"):
        start, way = points[:-1], points[1:] - points[:-1]
        sides = np.stack([-start / way, (1 - start) / way])
        # A line parallel to an axis is either always or never within the plot's range on it.
        still = way == 0
        within = (start >= 0) & (start <= 1)
        near = np.where(still, np.where(within, 0.0, 2.0), sides.min(axis=0))
        far = np.where(still, 1.0, sides.max(axis=0))
        enter = np.maximum(near.max(axis=1), 0.0)
        leave = np.minimum(far.min(axis=1), 1.0)
        inside = enter <= leave  # False for nan
        start, end, way = start[inside], points[1:][inside], way[inside]
        enter, leave = enter[inside, None], leave[inside, None]
        first = np.where(enter == 0, start, np.clip(start + way * enter, 0.0, 1.0))
        last = np.where(leave == 1, end, np.clip(start + way * leave, 0.0, 1.0))
    return first, last


def _place(shares: Floats, count: int) -> Integers:
    """Return the index of the dot, of `count`, at each share of the axis; rounded as in plotext."""
    return np.floor(np.round(0.5 + (count - 1) * shares, 8)).astype(np.int64)


def _between(x: Integers, y: Integers) -> tuple[Integers, Integers]:
    """Return columns and rows of the dots on lines with the end points `x` and `y` `(2, k)`."""
    gaps = np.maximum(np.abs(x[1] - x[0]), np.abs(y[1] - y[0]))
    line = np.repeat(np.arange(gaps.size), gaps)
    along = np.arange(line.size) - np.repeat(np.cumsum(gaps) - gaps, gaps)
    with np.errstate(all="ignore"):
        slope_x, slope_y = (x[1] - x[0]) / gaps, (y[1] - y[0]) / gaps
    across = x[0][line] + along * slope_x[line]
    up = y[0][line] + along * slope_y[line]
    # Truncate like plotext.
    return across.astype(np.int64), up.astype(np.int64)

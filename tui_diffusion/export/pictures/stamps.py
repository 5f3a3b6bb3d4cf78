"""The shapes of points of groups, as coverage of pixels and as paths of SVG."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ..groups import PointShape
from .raster import Singles

_FINE = 8
"""Oversampling factor of a stamp."""

_LINE = 0.42
"""Half width of a stroke, relative to the radius."""

_CORNERS: dict[PointShape, tuple[tuple[float, float], ...]] = {
    "square": ((-0.85, -0.85), (0.85, -0.85), (0.85, 0.85), (-0.85, 0.85)),
    "triangle": ((0.0, -1.15), (1.1, 0.8), (-1.1, 0.8)),
    "diamond": ((0.0, -1.25), (1.25, 0.0), (0.0, 1.25), (-1.25, 0.0)),
}
"""Corners of the filled shapes, relative to the radius; y points down."""

_STROKES: dict[PointShape, tuple[tuple[float, float], ...]] = {
    "cross": ((-1.0, -1.0), (1.0, 1.0), (-1.0, 1.0), (1.0, -1.0)),
    "plus": ((-1.2, 0.0), (1.2, 0.0), (0.0, -1.2), (0.0, 1.2)),
}
"""Ends of the strokes of the others."""


def radius_of(unit: float, count: int) -> float:
    """Return the radius in pixels of each of ``count`` points, smaller where there are many."""
    shrink = 0.8 * np.log10(max(count, 1000) / 1000)
    return float(max(2.6 - shrink, 1.0) * max(unit, 0.8))


@lru_cache(maxsize=64)
def stamp(shape: PointShape, radius: float) -> Singles:
    """Return the coverage (k, k) of a point, from 0 to 1."""
    reach = int(np.ceil(1.3 * radius)) + 1
    at = (np.arange((2 * reach + 1) * _FINE) + 0.5) / _FINE - reach - 0.5
    x, y = at[None, :] / radius, at[:, None] / radius
    if shape in _CORNERS:
        corners = np.array(_CORNERS[shape])
        inside = np.ones((len(at), len(at)), bool)
        for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
            inside &= (x1 - x0) * (y - y0) - (y1 - y0) * (x - x0) >= 0
    elif shape in _STROKES:
        ends = np.array(_STROKES[shape]).reshape(2, 2, 2)
        inside = np.zeros((len(at), len(at)), bool)
        for start, end in ends:
            way = (end - start) / np.hypot(*(end - start))
            along = way[0] * x + way[1] * y
            across = way[0] * y - way[1] * x
            inside |= (np.abs(along) <= np.hypot(*(end - start)) / 2) & (np.abs(across) <= _LINE)
    else:
        inside = np.hypot(x, y) <= 1.0
    side = 2 * reach + 1
    shares = inside.reshape(side, _FINE, side, _FINE).mean((1, 3))
    return np.asarray(shares, np.float32)


def outline(shape: PointShape, x: float, y: float, radius: float) -> str:
    """Return the path of a point at a position in pixels; strokes and dots are not filled."""
    if shape in _CORNERS:
        corners = [(x + radius * a, y + radius * b) for a, b in _CORNERS[shape]]
        return "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in corners) + "Z"
    if shape in _STROKES:
        ends = [(x + radius * a, y + radius * b) for a, b in _STROKES[shape]]
        return "".join(f"{'ML'[k % 2]}{a:.1f} {b:.1f}" for k, (a, b) in enumerate(ends))
    return f"M{x:.1f} {y:.1f}h0"


def path(shape: PointShape, data: str, hue: str, radius: float, opacity: float) -> str:
    """Return the element of points with these outlines."""
    if shape in _CORNERS:
        return f'<path d="{data}" fill="{hue}" fill-opacity="{opacity:g}"/>'
    width = 2 * radius * (_LINE if shape in _STROKES else 1.0)
    cap = "butt" if shape in _STROKES else "round"
    return (
        f'<path d="{data}" stroke="{hue}" stroke-width="{width:.2f}" stroke-linecap="{cap}" '
        f'stroke-opacity="{opacity:g}" fill="none"/>'
    )

"""Fields of arrows as braille dots: fine directions, and lengths in proportion."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...core.arrays import Floats
from .dots import DotGrid

_BARB, _OPEN = 2.5, 2.6
"""Length of the two strokes of a head, in dots, and their angle to the shaft, in radians."""

_FULL = 0.7
"""Share of the vectors that are shorter than the one drawn in full."""

_HEADED = 3.5
"""Length of a shaft, in dots, from which it has a head."""


def spacing_of(width: int) -> tuple[int, int]:
    """Return the distance of arrows in cells (across, down) for a picture of a width."""
    return (6, 3) if width >= 44 else (4, 2)


def reference_length(vectors: Floats) -> float:
    """Return the length of a field's vectors (…, 2) that is drawn in full.

    The far edges of a picture have the longest by far, and hardly a point.
    """
    length = np.hypot(vectors[..., 0], vectors[..., 1])
    length = length[np.isfinite(length)]
    return float(np.quantile(length, _FULL)) if length.size else 0.0


def quiver(
    vectors: Floats,
    xs: NDArray[np.int64],
    ys: NDArray[np.int64],
    full: float,
    size: tuple[int, int],
) -> DotGrid:
    """Return the dots (4·height, 2·width) of arrows along ``vectors`` (k, l, 2), y up.

    ``xs`` (l,) and ``ys`` (k,) are the cells at whose middles the arrows stand, evenly spaced. A
    vector of length ``full`` or more fills the space between two of them. One that is not finite
    has no arrow, and one too short for a dot beside its middle is that dot.
    """
    width, height = size
    dots = np.zeros((4 * height, 2 * width), dtype=np.bool_)
    if not (len(xs) and len(ys) and full > 0):
        return dots
    apart = [2 * int(np.diff(xs).min(initial=width)), 4 * int(np.diff(ys).min(initial=height))]
    room = min(apart) - 1.0
    for row, y in enumerate(ys):
        for column, x in enumerate(xs):
            way = vectors[row, column] / full
            length = float(np.hypot(*way))
            if not np.isfinite(length):
                continue
            # Rows of dots go down.
            shaft = np.array([way[0], -way[1]]) * room * min(1.0, 1 / max(length, 1e-300))
            middle = np.array([2 * x + 0.5, 4 * y + 1.5])
            for stroke in _strokes(middle - shaft / 2, middle + shaft / 2):
                at = np.floor(stroke + 0.5).astype(np.int64)
                inside = (at >= 0).all(1) & (at < (2 * width, 4 * height)).all(1)
                dots[at[inside, 1], at[inside, 0]] = True
    return dots


def _strokes(tail: Floats, tip: Floats) -> list[Floats]:
    """Return the points of the shaft and of the head, each (m, 2)."""
    way = tip - tail
    length = float(np.hypot(*way))
    strokes = [_between(tail, tip)]
    if length < 1:
        return [((tail + tip) / 2)[None]]
    back = np.arctan2(-way[1], -way[0])
    if length >= _HEADED:
        for turn in (_OPEN - np.pi, np.pi - _OPEN):
            angle = back + turn
            barb = _BARB * np.array([np.cos(angle), np.sin(angle)])
            strokes.append(_between(tip, tip + barb))
    return strokes


def _between(start: Floats, end: Floats) -> Floats:
    count = int(np.ceil(np.abs(end - start).max())) + 1
    return np.asarray(start + np.linspace(0, 1, max(count, 2))[:, None] * (end - start))

"""Small pictures for notebooks: points and curves as SVG.

They have the colour of the text around them, so that they suit light and dark pages.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SIZE = 160
"""Width and height of a picture."""

_POINTS, _BINS, _PLACES = 400, 40, 80
"""Most points of a scatter, bins of a histogram, and places of a curve."""


def scatter(points: NDArray[Any]) -> str:
    """Return a picture of finite points (n, d): dots in the plane, a histogram on the line."""
    points = points[np.isfinite(points).all(1)]
    if not len(points):
        return ""
    if points.shape[1] == 1:
        counts, _ = np.histogram(points[:, 0], _BINS)
        return line(counts.astype(float))
    points = points[:: -(-len(points) // _POINTS)]
    low, high = points.min(0), points.max(0)
    reach = max(float((high - low).max()), 1e-12)
    at = 4 + (points - (low + high - reach) / 2) / reach * (_SIZE - 8)
    return _svg(
        "".join(f'<circle cx="{x:.1f}" cy="{_SIZE - y:.1f}" r="1.2"/>' for x, y in at.tolist()),
        f"{len(points)} points",
    )


def curve(losses: NDArray[Any]) -> str:
    """Return a picture of positive numbers on a logarithmic scale, averaged over equal parts."""
    losses = losses[np.isfinite(losses) & (losses > 0)].astype(float)
    if not len(losses):
        return ""
    parts = np.array_split(losses, min(_PLACES, len(losses)))
    return line(np.log10([part.mean() for part in parts]))


def line(values: NDArray[Any]) -> str:
    """Return a picture of finite numbers in a row."""
    low, high = float(values.min()), float(values.max())
    ys = _SIZE - 4 - (values - low) / max(high - low, 1e-12) * (_SIZE - 8)
    xs = np.linspace(4, _SIZE - 4, len(values))
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(xs, ys, strict=True))
    return _svg(f'<polyline points="{path}" fill="none" stroke="currentColor"/>', "curve")


def bars(values: Sequence[float]) -> str:
    """Return a picture of finite numbers as bars from zero, the first at the top."""
    low, high = min(0.0, *values), max(0.0, *values)
    scale, height = (_SIZE - 8) / max(high - low, 1e-12), _SIZE / len(values)
    rows = (
        f'<rect x="{4 + (min(value, 0) - low) * scale:.1f}" y="{height * (k + 0.2):.1f}" '
        f'width="{abs(value) * scale:.1f}" height="{0.6 * height:.1f}"/>'
        for k, value in enumerate(values)
    )
    return _svg("".join(rows), f"{len(values)} bars")


def _svg(content: str, label: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{label}" '
        f'width="{_SIZE}" height="{_SIZE}" viewBox="0 0 {_SIZE} {_SIZE}" '
        f'fill="currentColor">{content}</svg>'
    )

"""A long series reduced to a few values a column, so that drawing costs the same at any length."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def envelope(values: ArrayLike, columns: int) -> tuple[Floats, Floats, Floats]:
    """The least and the greatest finite value of each of at most `columns` equal stretches.

    Returns `(xs, lows, highs)`, all of shape `(min(columns, n),)`; `xs` are the middles of the
    stretches as indices into `values`. A stretch without a finite value is nan in both.
    """
    series = np.asarray(values, dtype=np.float64).ravel()
    edges = _edges(series.size, columns)
    if edges.size < 2:
        return (np.empty(0), np.empty(0), np.empty(0))
    finite = np.isfinite(series)
    lows = np.minimum.reduceat(np.where(finite, series, np.inf), edges[:-1])
    highs = np.maximum.reduceat(np.where(finite, series, -np.inf), edges[:-1])
    gap = lows > highs
    lows[gap] = highs[gap] = np.nan
    return _middles(edges), lows, highs


def smoothed(values: ArrayLike, columns: int, window: int) -> tuple[Floats, Floats]:
    """The mean of the finite values in a window centred on each of at most `columns` stretches.

    Returns `(xs, means)` with the `xs` of `envelope`. `window` counts values; it is shortened at
    both ends of the series. A window without a finite value is nan.

    Each window is summed on its own: a running sum would carry the rounding of one huge value
    (a spike of 1e30) into every later mean.
    """
    series = np.asarray(values, dtype=np.float64).ravel()
    edges = _edges(series.size, columns)
    if edges.size < 2:
        return np.empty(0), np.empty(0)
    half = max(1, window) / 2
    xs = _middles(edges)
    starts = np.clip(np.ceil(xs - half + 1e-9), 0, series.size - 1).astype(np.int64)
    ends = np.clip(np.floor(xs + half) + 1, starts + 1, series.size).astype(np.int64)
    pairs = np.stack([starts, ends], axis=1).ravel()
    finite = np.isfinite(series)
    # reduceat sums from each index to the next; every second sum is a window, and the value
    # added at the end makes `series.size` an index it accepts.
    counts = np.add.reduceat(np.append(finite, False).astype(np.int64), pairs)[::2]
    with np.errstate(over="ignore", invalid="ignore"):
        sums = np.add.reduceat(np.append(np.where(finite, series, 0.0), 0.0), pairs)[::2]
    means = np.full(xs.size, np.nan)
    np.divide(sums, counts, out=means, where=counts > 0)
    return xs, means


def _edges(count: int, columns: int) -> NDArray[np.int64]:
    """Bounds of at most `columns` stretches that part `count` values, each with at least one."""
    stretches = max(0, min(columns, count))
    return np.arange(stretches + 1, dtype=np.int64) * count // max(1, stretches)


def _middles(edges: NDArray[np.int64]) -> Floats:
    return (edges[:-1] + edges[1:] - 1) / 2

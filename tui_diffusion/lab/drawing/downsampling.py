"""Reduction of a long series to a few values per column, so that drawing cost is bounded."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...core.arrays import Floats

_BLOCKS = 8192
"""Maximum number of blocks of a `Series`: about twenty per column of the widest loss curve."""


class Series:
    """A growing series as blocks of `length` values, so that only new values are read.

    Each block stores the minimum, the maximum, the sum and the number of its finite values. A
    series of up to 8,192 values has one value per block.
    """

    def __init__(self, most: int, blocks: int = _BLOCKS) -> None:
        """Prepare for at most ``most`` values in at most ``blocks`` blocks."""
        self.length = max(1, -(-most // max(1, blocks)))
        self.size = 0
        blocks = -(-most // self.length)
        self._lows, self._highs, self._sums = (np.empty(blocks) for _ in range(3))
        self._counts = np.empty(blocks, dtype=np.int64)

    @classmethod
    def of(cls, values: ArrayLike | Series) -> Series:
        """Return a complete series of these values, one per block; return a series unchanged."""
        if isinstance(values, Series):
            return values
        whole = np.asarray(values, dtype=np.float64).ravel()
        return cls(whole.size, blocks=whole.size).take(whole)

    @property
    def blocks(self) -> int:
        """The number of blocks so far; the last one may be incomplete."""
        return self.blocks_of(0)

    def blocks_of(self, values: int) -> int:
        """Return the number of blocks for this many values, at least the current number."""
        return -(-max(values, self.size) // self.length)

    @property
    def lows(self) -> Floats:
        """The smallest finite value of each block; inf if there is none."""
        return self._lows[: self.blocks]

    @property
    def highs(self) -> Floats:
        """The largest finite value of each block; -inf if there is none."""
        return self._highs[: self.blocks]

    @property
    def sums(self) -> Floats:
        """The sum of the finite values of each block."""
        return self._sums[: self.blocks]

    @property
    def counts(self) -> NDArray[np.int64]:
        """The number of finite values in each block."""
        return self._counts[: self.blocks]

    def take(self, values: NDArray[np.floating]) -> Series:
        """Append the new values of ``values``, which starts with all values taken before."""
        first = self.size // self.length
        self.size = len(values)
        new = slice(first, self.blocks)
        part = np.asarray(values[first * self.length :], dtype=np.float64)
        if part.size:
            starts = np.arange(0, part.size, self.length)
            finite = np.isfinite(part)
            self._lows[new] = np.minimum.reduceat(np.where(finite, part, np.inf), starts)
            self._highs[new] = np.maximum.reduceat(np.where(finite, part, -np.inf), starts)
            with np.errstate(over="ignore", invalid="ignore"):
                self._sums[new] = np.add.reduceat(np.where(finite, part, 0.0), starts)
            self._counts[new] = np.add.reduceat(finite.astype(np.int64), starts)
        return self


def envelope(
    values: ArrayLike | Series, columns: int, of: int = 0
) -> tuple[Floats, Floats, Floats]:
    """Return the smallest and the largest finite value of each of at most `columns` intervals.

    The intervals divide the `of` values that the complete series will have, so that they keep their
    positions while it grows. If `of` is not larger than the current number, they divide the current
    values.

    Returns `(xs, lows, highs)`, all of shape `(min(columns, n),)`; `xs` are the centres of the
    intervals as indices into `values`. An interval without a finite value is nan in both. The
    intervals of a `Series` consist of whole blocks.
    """
    series = Series.of(values)
    edges = _edges(series, columns, of)
    if edges.size < 2:
        return (np.empty(0), np.empty(0), np.empty(0))
    lows = np.minimum.reduceat(series.lows, edges[:-1])
    highs = np.maximum.reduceat(series.highs, edges[:-1])
    gap = lows > highs
    lows[gap] = highs[gap] = np.nan
    return _middles(series, edges), lows, highs


def fine(series: Series, columns: int, of: int) -> int:
    """Return the number of intervals for `envelope` so that none is longer than a column.

    Intervals consist of whole blocks. There are up to twice as many intervals as columns, and their
    centres skip no column. With fewer blocks than columns, each block is an interval.
    """
    whole = series.blocks_of(of)
    return -(-whole // max(1, whole // max(1, columns)))


def smoothed(
    values: ArrayLike | Series, columns: int, window: int, of: int = 0
) -> tuple[Floats, Floats]:
    """Return the mean of the finite values in a window around the centre of each interval.

    Returns `(xs, means)` with the `xs` of `envelope`. `window` counts values; it is shortened at
    both ends of the series, and extends to the block boundaries of a `Series`. A window without a
    finite value is nan.

    Each window is summed separately: a running sum would carry the rounding error of one huge value
    (a spike of 1e30) into every later mean.
    """
    series = Series.of(values)
    edges = _edges(series, columns, of)
    if edges.size < 2:
        return np.empty(0), np.empty(0)
    half = max(1, window) / 2
    xs = _middles(series, edges)
    starts = np.clip(np.ceil(xs - half + 1e-9), 0, series.size - 1).astype(np.int64)
    ends = np.clip(np.floor(xs + half) + 1, starts + 1, series.size).astype(np.int64)
    pairs = np.stack([starts // series.length, -(-ends // series.length)], axis=1).ravel()
    # reduceat sums from each index to the next, so every second sum is a window. The appended value
    # makes `series.blocks` a valid index.
    counts = np.add.reduceat(np.append(series.counts, 0), pairs)[::2]
    with np.errstate(over="ignore", invalid="ignore"):
        sums = np.add.reduceat(np.append(series.sums, 0.0), pairs)[::2]
    means = np.full(xs.size, np.nan)
    np.divide(sums, counts, out=means, where=counts > 0)
    return xs, means


def _edges(series: Series, columns: int, of: int) -> NDArray[np.int64]:
    """Return the bounds of at most `columns` intervals of whole blocks, each with at least one."""
    whole = series.blocks_of(of)
    stretches = max(0, min(columns, whole))
    edges = np.arange(stretches + 1, dtype=np.int64) * whole // max(1, stretches)
    return np.append(edges[edges < series.blocks], series.blocks) if stretches else edges


def _middles(series: Series, edges: NDArray[np.int64]) -> Floats:
    """Return the centres of intervals of blocks, as indices of values."""
    bounds = np.minimum(edges * series.length, series.size)
    return (bounds[:-1] + bounds[1:] - 1) / 2

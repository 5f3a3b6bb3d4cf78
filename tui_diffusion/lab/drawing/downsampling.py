"""A long series reduced to a few values a column, so that drawing costs the same at any length."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


_BLOCKS = 8192
"""Most blocks of a `Series`: some twenty for each column that a loss curve has at its widest."""


class Series:
    """A growing series, held as blocks of `length` values so that only what is new is looked at.

    Of each block there are the least, the greatest, the sum and the number of its finite values.
    Up to 8,192 values each is a block of its own.
    """

    def __init__(self, most: int, blocks: int = _BLOCKS) -> None:
        """At most ``most`` values will come, to be held in at most so many blocks."""
        self.length = max(1, -(-most // max(1, blocks)))
        self.size = 0
        blocks = -(-most // self.length)
        self._lows, self._highs, self._sums = (np.empty(blocks) for _ in range(3))
        self._counts = np.empty(blocks, dtype=np.int64)

    @classmethod
    def of(cls, values: ArrayLike | Series) -> Series:
        """These values and no more to come, each a block of its own; a series as it is."""
        if isinstance(values, Series):
            return values
        whole = np.asarray(values, dtype=np.float64).ravel()
        return cls(whole.size, blocks=whole.size).take(whole)

    @property
    def blocks(self) -> int:
        """Blocks so far; the last one may not be full."""
        return self.blocks_of(0)

    def blocks_of(self, values: int) -> int:
        """Blocks once there are this many values, if more have not come yet."""
        return -(-max(values, self.size) // self.length)

    @property
    def lows(self) -> Floats:
        """The least finite value of each block; inf where there is none."""
        return self._lows[: self.blocks]

    @property
    def highs(self) -> Floats:
        """The greatest finite value of each block; -inf where there is none."""
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
        """Take over the series so far: what has been taken before and what has come since."""
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
    """The least and the greatest finite value of each of at most `columns` equal stretches.

    The stretches part the `of` values that there will be, so that they stay where they are as a
    series grows; if these are no more than have come, they part what has come.

    Returns `(xs, lows, highs)`, all of shape `(min(columns, n),)`; `xs` are the middles of the
    stretches as indices into `values`. A stretch without a finite value is nan in both. Of a
    `Series` the stretches consist of whole blocks.
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
    """How many stretches to have from `envelope` so that none is longer than one of `columns`.

    They consist of whole blocks. So there are more of them than columns, up to twice as many, and
    their middles skip no column; of fewer blocks than columns each is a stretch.
    """
    whole = series.blocks_of(of)
    return -(-whole // max(1, whole // max(1, columns)))


def smoothed(
    values: ArrayLike | Series, columns: int, window: int, of: int = 0
) -> tuple[Floats, Floats]:
    """The mean of the finite values in a window centred on each of the stretches of `envelope`.

    Returns `(xs, means)` with the `xs` of `envelope`. `window` counts values; it is shortened at
    both ends of the series, and goes to the ends of the blocks of a `Series`. A window without a
    finite value is nan.

    Each window is summed on its own: a running sum would carry the rounding of one huge value
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
    # reduceat sums from each index to the next; every second sum is a window, and the value
    # added at the end makes `series.blocks` an index it accepts.
    counts = np.add.reduceat(np.append(series.counts, 0), pairs)[::2]
    with np.errstate(over="ignore", invalid="ignore"):
        sums = np.add.reduceat(np.append(series.sums, 0.0), pairs)[::2]
    means = np.full(xs.size, np.nan)
    np.divide(sums, counts, out=means, where=counts > 0)
    return xs, means


def _edges(series: Series, columns: int, of: int) -> NDArray[np.int64]:
    """Bounds of at most `columns` stretches of whole blocks, each with at least one."""
    whole = series.blocks_of(of)
    stretches = max(0, min(columns, whole))
    edges = np.arange(stretches + 1, dtype=np.int64) * whole // max(1, stretches)
    return np.append(edges[edges < series.blocks], series.blocks) if stretches else edges


def _middles(series: Series, edges: NDArray[np.int64]) -> Floats:
    """The middles of stretches of blocks, as indices of values."""
    bounds = np.minimum(edges * series.length, series.size)
    return (bounds[:-1] + bounds[1:] - 1) / 2

"""Spread over seeds, and whether two cells differ: a paired bootstrap.

All cells have the same seeds, which draw the same first weights, data and noise; so cells are
compared seed by seed. The difference of two cells is the median over seeds of b − a, and its
interval the percentile bootstrap of that median (Efron 1979). With fewer than five seeds every
resample may agree by chance more often than the interval allows: for n seeds all n differences have
one sign with probability 2^(1 − n), above 10 % up to n = 4. Then there is no interval.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.9
"""Probability of the bootstrap interval."""

LEAST_SEEDS = 5
"""Number of seeds from which there is an interval."""

_RESAMPLES = 10_000


@dataclass(frozen=True)
class Spread:
    """Median, extremes and quartiles of the values over seeds."""

    median: float
    low: float
    high: float
    q1: float
    q3: float

    def as_json(self) -> dict[str, float]:
        """Return the numbers by name."""
        return asdict(self)


@dataclass(frozen=True)
class Difference:
    """The median difference of two cells over their seeds, and its bootstrap interval.

    ``low`` and ``high`` are None with fewer than five common seeds. A difference may be infinite,
    where one of the trainings diverged.
    """

    median: float
    low: float | None
    high: float | None

    @property
    def above(self) -> bool:
        """Whether the interval lies above 0."""
        return self.low is not None and self.low > 0


def spread(values: Sequence[float]) -> Spread | None:
    """Return the spread of some finite values; None without any. Quartiles are interpolated."""
    if not values:
        return None
    low, q1, median, q3, high = (float(v) for v in np.quantile(values, (0, 0.25, 0.5, 0.75, 1)))
    return Spread(median, low, high, q1, q3)


def difference(a: Sequence[float], b: Sequence[float], seed: int = 0) -> Difference | None:
    """Return the difference b − a of two cells, seed by seed.

    An infinite value is a training that diverged, nan one that is missing, whose seed does not
    count. None without a common seed. The bootstrap draws from ``seed``, so it is the same always.
    """
    of_a, of_b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    common = ~(np.isnan(of_a) | np.isnan(of_b))
    with np.errstate(invalid="ignore"):
        gaps = np.where(of_a[common] == of_b[common], 0.0, of_b[common] - of_a[common])
    if not len(gaps):
        return None
    median = float(_medians(gaps[None])[0])
    if len(gaps) < LEAST_SEEDS:
        return Difference(median, None, None)
    medians = np.sort(_medians(gaps[_drawn(len(gaps), seed)]))
    outside = (1 - CONFIDENCE) / 2  # order statistics, because infinite values do not interpolate
    low = medians[math.floor(outside * _RESAMPLES)]
    high = medians[math.ceil((1 - outside) * _RESAMPLES) - 1]
    return Difference(median, float(low), float(high))


@lru_cache(maxsize=4)
def _drawn(count: int, seed: int) -> NDArray[np.intp]:
    """Return the seeds of each resample, by their place: (resamples, count)."""
    return np.random.default_rng(seed).integers(count, size=(_RESAMPLES, count))


def _medians(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the median of each row (n, k); halfway between −∞ and ∞ is 0."""
    ordered = np.sort(rows, axis=1)
    middle = ordered.shape[1] // 2
    lower, upper = ordered[:, (ordered.shape[1] - 1) // 2], ordered[:, middle]
    with np.errstate(invalid="ignore"):
        return np.nan_to_num((lower + upper) / 2, nan=0.0, posinf=np.inf, neginf=-np.inf)

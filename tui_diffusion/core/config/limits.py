"""Limits of float32 (a network's numbers) and float64 (own units); loads no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEAST_STD = 1e-6
"""Least ratio of a component's std to its centre: float32 distinguishes 1 from 1 + 1e-7."""

FARTHEST = 1e4
"""Largest coordinate of a centre: the squared error of a batch stays within float32."""

LEAST_SIGMA = 1e-12
"""Least noise level above the clean one: its square stays within float32."""

LEAST_BETA = LEAST_SIGMA**2
"""Least variance added by a step: its root is the least noise level of a schedule of betas."""

LEAST_WEIGHT = 1e-9
"""Least weight of a component; the greatest is its inverse."""

LEAST_ALPHA = 1e-30
"""Least share of the data in the noisiest level: x_0 is computed by dividing by it."""

MOST_TRAIN_POINTS = 100_000
"""Largest training set: the ideal denoiser of one has a component for each point."""

_LEAST_RANGE, _GREATEST_RANGE = 1e-100, 1e101
"""Range of a column, greatest less least number: its square stays within float64."""

_FINEST = 1e-12
"""Least ratio of that range to the size of the numbers: float64 holds 16 digits."""


def check_columns(points: NDArray[np.float64]) -> None:
    """Raise ValueError unless each column (n, d) survives scaling to unit size and back.

    A constant column is scaled like the other, or by 1.
    """
    ranges = [float(column.max()) - float(column.min()) for column in points.T]
    for number, (column, wide) in enumerate(zip(points.T, ranges, strict=True), 1):
        size, scale = float(abs(column).max()), wide or max(ranges) or 1.0
        if not _LEAST_RANGE <= scale <= _GREATEST_RANGE:
            raise ValueError(
                f"column {number} has numbers over a range of {scale:.2g}; allowed: a range from "
                f"{_LEAST_RANGE:g} to {_GREATEST_RANGE:g}"
            )
        if scale < _FINEST * size:
            raise ValueError(
                f"column {number} has numbers of size {size:.2g} over a range of {wide:.2g}, finer "
                f"than float64 holds; allowed: a range of {_FINEST:g} of their size or more"
            )

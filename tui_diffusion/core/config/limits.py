"""What float32 (a network's numbers) and float64 (own units) can hold. Loads no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEAST_STD = 1e-6
"""Width of a component over the size of its centre: float32 tells 1 from 1 + 1e-7."""

FARTHEST = 1e4
"""Size of a centre: a batch's squared error stays a float32 number."""

LEAST_SIGMA = 1e-12
"""Noise level above the clean one: its square is still a number in float32."""

LEAST_BETA = LEAST_SIGMA**2
"""Variance that a step adds: the least noise level of those made from betas is its root."""

LEAST_WEIGHT = 1e-9
"""Weight of a component, of which the greatest is one over this."""

LEAST_ALPHA = 1e-30
"""Share of the data in the noisiest level: x_0 is found by dividing by it."""

_LEAST_RANGE, _GREATEST_RANGE = 1e-100, 1e101
"""Greatest less least number of a column: its square is a float64."""

_FINEST = 1e-12
"""That range over the size of the numbers, of which float64 holds 16 digits."""


def check_columns(points: NDArray[np.float64]) -> None:
    """Raise ValueError unless each column (n, d) comes back from unit size as it was.

    A column of equal numbers is scaled as the other, or by 1.
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

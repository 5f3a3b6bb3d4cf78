"""Interpolation between two levels, for smooth animations."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray


def interpolate(rows: NDArray[Any], position: float) -> NDArray[Any]:
    """Interpolate linearly at a position from 0 to N; ``rows`` has shape (N + 1, …).

    (1 − s)·rows[k] + s·rows[k + 1] with s = position − k. No sampler moves points in this way. At
    an integer position, the result is the row of that level.
    """
    last = len(rows) - 1
    k = min(max(int(position), 0), last)
    share = min(position, last) - k
    row: NDArray[Any] = rows[k] if share <= 0 else (1 - share) * rows[k] + share * rows[k + 1]
    return row

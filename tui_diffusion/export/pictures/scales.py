"""Logarithms, ranges and empty panels of figures of a training."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...core.arrays import Floats, Range
from .figure import PicturePanel


def logs(values: NDArray[np.floating]) -> Floats:
    """Return the logarithms to base 10; nan where there is none."""
    with np.errstate(invalid="ignore", divide="ignore"):
        logs = np.log10(np.asarray(values, np.float64))
    logs[~np.isfinite(logs)] = np.nan
    return np.asarray(logs)


DECADES = 4.0
"""Powers of ten above the median from which a loss is not shown, because it has diverged."""


def span(*values: Floats, most: float = np.inf) -> Range:
    """Return a range with a margin around the finite values, bounded relative to their median."""
    together = np.concatenate([np.ravel(v) for v in values])
    finite = together[np.isfinite(together)]
    if not len(finite):
        return 0.0, 1.0
    low, high = float(finite.min()), min(float(finite.max()), float(np.median(finite)) + most)
    room = 0.06 * (high - low) or 0.5
    return low - room, high + room


def empty(words: str) -> PicturePanel:
    """Return a panel that only says why it is empty."""
    return PicturePanel((0.0, 1.0), (0.0, 1.0), (), words)

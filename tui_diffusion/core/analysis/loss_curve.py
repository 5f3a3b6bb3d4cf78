"""Losses and floors over the steps, in the form that plots need. Loads no torch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats

Floors = Sequence[tuple[int, float]]
"""Pairs of a step and the smallest loss that any network can reach from that step on."""


_AVERAGED = 100


def averaged_losses(steps: int) -> int:
    """Return how many of the latest losses an average shows during a training of ``steps`` steps.

    In a long one it covers more, so that the number is steadier.
    """
    return max(_AVERAGED, steps // 50)


def floor_line(floors: Floors, steps: int) -> tuple[Floats, Floats]:
    """Return the floor over the first ``steps`` steps as vertices x and y, each (3·stages,).

    A vertex with y = nan after each stage breaks the line.
    """
    xs, ys = list[float](), list[float]()
    ends = [*(start for start, _ in floors[1:]), steps]
    for (start, floor), end in zip(floors, ends, strict=False):
        if start < steps:
            xs += [start, min(end, steps), min(end, steps)]
            ys += [floor, floor, np.nan]
    return np.array(xs, np.float64), np.array(ys, np.float64)


def over_floor(losses: NDArray[np.floating], floors: Floors) -> Floats:
    """Divide the losses (steps,) by the floors of their steps; without floors, return them."""
    least = np.ones(len(losses))
    for start, floor in floors:
        least[start:] = floor
    return np.asarray(losses, np.float64) / least

"""The losses of a cell's trainings, all seeds overlaid."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..drawing.downsampling import smoothed
from ..drawing.figure import Curve, PlotFigure


def seed_losses(
    losses: Sequence[NDArray[np.float32]], seeds: Sequence[int], shown: int, width: int
) -> PlotFigure:
    """Return the smoothed losses of every seed over the steps; that of ``shown`` stands out."""
    longest = max((len(one) for one in losses), default=1)
    others: tuple[list[float], list[float]] = ([], [])
    curves: list[Curve] = []
    for seed, one in zip(seeds, losses, strict=True):
        columns = max(1, min(len(one), round(2 * (width - 8) * len(one) / max(longest, 1))))
        xs, ys = smoothed(one, columns, max(1, min(len(one) // 3, longest // 50)))
        if seed == shown:
            curves.append(Curve(xs.tolist(), ys.tolist(), "network", label=f"seed {seed}"))
        else:
            others[0].extend([*xs.tolist(), math.nan])
            others[1].extend([*ys.tolist(), math.nan])
    if others[0]:
        curves.insert(0, Curve(*others, "second", "blocks", "other seeds"))
    return PlotFigure(
        curves=tuple(curves),
        x_range=(0.0, float(max(longest, 1))),
        y_label="loss",
        x_label="step",
        log_y=True,
    )

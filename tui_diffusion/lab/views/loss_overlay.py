"""Losses of several trainings in one plot."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..drawing.downsampling import smoothed
from ..drawing.figure import Curve, Figure, Marker, Rule

SERIES: tuple[tuple[str, Marker], ...] = (
    ("network", "braille"),
    ("truth", "dashed"),
    ("second", "dot"),
    ("ideal", "cross"),
)
"""Role and marker of each series, so that neither hue nor shape alone has to tell them apart."""

_APART = 3
"""Columns from one character to the next, where a series is drawn in characters."""

Losses = tuple[NDArray[np.float32], Sequence[tuple[int, float]]]
"""Every loss, and the floors with the step from which each holds."""


def overlay(
    trainings: Sequence[Losses], labels: Sequence[str], width: int, *, log: bool, relative: bool
) -> Figure:
    """Smoothed losses over the steps of the longest training.

    ``relative`` divides each by its floor, the least that any network can come to: 1 is perfect
    whatever is being learnt, while the losses of two methods are numbers of different things.
    """
    longest = max((len(losses) for losses, _ in trainings), default=0)
    curves = [
        _curve(k, losses, floors if relative else (), label, longest, width)
        for k, ((losses, floors), label) in enumerate(zip(trainings, labels, strict=True))
    ]
    floor = (Rule(1.0, "axis", "floor"),) if relative else ()
    return Figure(
        curves=tuple(curves),
        x_range=(0.0, float(max(longest, 1))),
        y_label="times the floor" if relative else "loss",
        x_label="step",
        h_lines=floor,
        log_y=log,
    )


def _curve(
    k: int,
    losses: NDArray[np.float32],
    floors: Sequence[tuple[int, float]],
    label: str,
    longest: int,
    width: int,
) -> Curve:
    """One training's losses, a value a column of dots or of characters."""
    role, marker = SERIES[k % len(SERIES)]
    done = len(losses)
    share = done / max(longest, 1)
    per_column = 1 / _APART if marker in ("dot", "cross") else 2
    columns = max(1, min(done, round(per_column * (width - 8) * share)))
    least = np.ones(done)
    for start, floor in floors:
        least[start:] = floor
    values = np.asarray(losses, dtype=np.float64) / least
    xs, ys = smoothed(values, columns, max(1, min(done // 3, longest // 50)))
    return Curve(xs.tolist(), ys.tolist(), role, marker, label)


def can_be_relative(trainings: Sequence[Losses]) -> bool:
    """Whether every training has a floor to be divided by."""
    return all(floors and all(floor > 0 for _, floor in floors) for _, floors in trainings)

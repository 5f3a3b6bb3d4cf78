"""The losses of several trainings in one plot."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...core.analysis.loss_curve import Floors, over_floor
from ...export.pictures.theme import SERIES_ROLES
from ..drawing.downsampling import smoothed
from ..drawing.figure import Curve, Marker, PlotFigure, Rule

_MARKERS: tuple[Marker, ...] = ("braille", "dashed", "dot", "cross")

SERIES = tuple(zip(SERIES_ROLES, _MARKERS, strict=True))
"""Role and marker of each series, so that series differ by both hue and shape."""

_APART = 3
"""Number of columns between the characters of a series drawn in characters."""

LossCurve = tuple[NDArray[np.float32], Floors]
"""All losses, and the floors with their first steps."""


def overlay_plot(
    trainings: Sequence[LossCurve], labels: Sequence[str], width: int, *, log: bool, relative: bool
) -> PlotFigure:
    """Return the smoothed losses over the steps of the longest training.

    ``relative`` divides each loss by its floor, the smallest loss that any network can reach: 1 is
    perfect for every target, while losses of two methods measure different things.
    """
    longest = max((len(losses) for losses, _ in trainings), default=0)
    curves = [
        _curve(k, losses, floors if relative else (), label, longest, width)
        for k, ((losses, floors), label) in enumerate(zip(trainings, labels, strict=True))
    ]
    floor = (Rule(1.0, "axis", "floor"),) if relative else ()
    return PlotFigure(
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
    floors: Floors,
    label: str,
    longest: int,
    width: int,
) -> Curve:
    """Return the losses of one training, one value per column of dots or characters."""
    role, marker = SERIES[k % len(SERIES)]
    done = len(losses)
    share = done / max(longest, 1)
    per_column = 1 / _APART if marker in ("dot", "cross") else 2
    columns = max(1, min(done, round(per_column * (width - 8) * share)))
    xs, ys = smoothed(over_floor(losses, floors), columns, max(1, min(done // 3, longest // 50)))
    return Curve(xs.tolist(), ys.tolist(), role, marker, label)


def can_be_relative(trainings: Sequence[LossCurve]) -> bool:
    """Return whether every training has a floor to divide by."""
    return all(floors and all(floor > 0 for _, floor in floors) for _, floors in trainings)

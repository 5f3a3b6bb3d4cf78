"""A figure as data: curves, bars and rules over axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from ...core.arrays import Range
from ...core.axes import AS_IT_IS, Axis
from ...core.numbered_text import NumberedText

Marker = Literal["braille", "dashed", "dot", "cross", "blocks"]


AxisTick = tuple[float, str]
LegendEntry = tuple[str, NumberedText, str]
"""Sample, label and role of a series; without a label it continues the entry before."""


@dataclass(frozen=True)
class Curve:
    """A series. A non-finite value (on a log axis: one that is not positive) is a gap.

    `braille` and `blocks` join the points by a fine and a bold line, `dashed` by a broken line
    (`xs` must ascend); `dot` and `cross` put a character at each. With `fill`, the points are the
    centres and heights of bars that stand on 0; `xs` must then be ascending and evenly spaced, with
    at most one value per column. `dense` lines cover much of the plot and lie under the others.
    `label` is the name in the legend. `sign` is the character of bars where colours or dots cannot
    tell them apart.
    """

    xs: Sequence[float]
    ys: Sequence[float]
    role: str
    marker: Marker = "braille"
    label: str | None = None
    fill: bool = False
    dense: bool = False
    sign: str = ""


@dataclass(frozen=True)
class Rule:
    """A straight line across the whole plot, at one value of an axis."""

    at: float
    role: str
    label: str | None = None


@dataclass(frozen=True)
class PlotFigure:
    """The content of a plot. Omitted ranges and ticks are computed from the data.

    `curves` are drawn in order, the last one on top. Dense curves lie under them, rules under
    these, and bars under everything. `legend` comes before the labels of curves. Ticks show the own
    units of `x_axis` and, unless it is logarithmic, of `y_axis`.
    """

    curves: tuple[Curve, ...] = ()
    x_range: Range | None = None
    y_range: Range | None = None
    x_label: str = ""
    y_label: str = ""
    x_ticks: Sequence[AxisTick] | None = None
    y_ticks: Sequence[AxisTick] | None = None
    v_lines: tuple[Rule, ...] = ()
    h_lines: tuple[Rule, ...] = ()
    log_y: bool = False
    x_axis: Axis = AS_IT_IS
    y_axis: Axis = AS_IT_IS
    legend: tuple[LegendEntry, ...] = ()


def band(
    xs: ArrayLike, lows: ArrayLike, highs: ArrayLike, role: str, label: str | None = None
) -> Curve:
    """Return a curve that fills the area between `lows` and `highs` (as from `envelope`).

    The curve is dense if it has two values or more per column, which is one per column of dots.
    """
    x, low, high = (np.asarray(a, dtype=np.float64).ravel() for a in (xs, lows, highs))
    # Alternating directions avoid long diagonals between the columns.
    rising = (np.arange(x.size) % 2 == 0)[:, None]
    ends = np.where(rising, np.stack([low, high], 1), np.stack([high, low], 1)).ravel()
    return Curve(np.repeat(x, 2).tolist(), ends.tolist(), role, label=label, dense=True)

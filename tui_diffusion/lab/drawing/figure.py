"""A figure: curves, bars and rules over axes, before it is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...core.axes import AS_IT_IS, Axis
from .dots import Range

Marker = Literal["braille", "dashed", "dot", "cross", "blocks"]


Tick = tuple[float, str]


Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """One series. A non-finite value (on a log axis: one that is not positive) is a gap.

    `braille` and `blocks` join the points by a fine and a bold line, `dashed` by a broken line
    (`xs` must ascend), `dot` and `cross` put a character at each. With `fill` the points are the
    middles and heights of bars that stand on 0; `xs` must then ascend evenly and should be no
    more than there are columns. `dense` lines cover much of the plot, and lie under the others.
    `label` names the curve in the legend.
    """

    xs: Sequence[float]
    ys: Sequence[float]
    role: str
    marker: Marker = "braille"
    label: str | None = None
    fill: bool = False
    dense: bool = False


@dataclass(frozen=True)
class Rule:
    """A straight line across the whole plot, at one value of an axis."""

    at: float
    role: str
    label: str | None = None


@dataclass(frozen=True)
class Figure:
    """What is to be seen. A range or ticks left out come from the data.

    `curves` are drawn in their order, the last one on top; dense ones lie under them, rules under
    these and bars under all. Ticks show the own units of `x_axis` and, but for logs, `y_axis`.
    """

    curves: tuple[Curve, ...] = ()
    x_range: Range | None = None
    y_range: Range | None = None
    x_label: str = ""
    y_label: str = ""
    x_ticks: Sequence[Tick] | None = None
    y_ticks: Sequence[Tick] | None = None
    v_lines: tuple[Rule, ...] = ()
    h_lines: tuple[Rule, ...] = ()
    log_y: bool = False
    x_axis: Axis = AS_IT_IS
    y_axis: Axis = AS_IT_IS


def band(
    xs: ArrayLike, lows: ArrayLike, highs: ArrayLike, role: str, label: str | None = None
) -> Curve:
    """A curve that fills the stretch between `lows` and `highs` (as from `envelope`).

    It is dense with two values a column or more, which is one a column of dots.
    """
    x, low, high = (np.asarray(a, dtype=np.float64).ravel() for a in (xs, lows, highs))
    # Down one column and up the next, so that the line has no long diagonals.
    rising = (np.arange(x.size) % 2 == 0)[:, None]
    ends = np.where(rising, np.stack([low, high], 1), np.stack([high, low], 1)).ravel()
    return Curve(np.repeat(x, 2).tolist(), ends.tolist(), role, label=label, dense=True)

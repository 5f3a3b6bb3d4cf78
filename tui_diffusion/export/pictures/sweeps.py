"""Figures of a sweep: a curve with error bars over one axis, a heat map over two."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product

import numpy as np

from ...core.arrays import Floats, Range
from ...core.config.value_types import format_value
from ...core.sweeps.measures import MEASURES
from ...core.sweeps.results import CellResult, Ranking, SweepResults
from ...core.sweeps.sweep import Axis
from ...core.text import shortened
from ..options import ExportError
from .figure import Curves, Dots, Figure, HeatMap, Layer, PicturePanel, Rings

_MOST_PANELS = 12
"""Maximum number of panels: one for each combination of the values of further axes."""

DECADES = 30.0
"""Ratio of the largest to the smallest value from which the scale is logarithmic."""

SHADES = 3.0
"""The same for the shades of a map, whose best cells would all look alike otherwise."""

_CAP = 0.08
"""Half the width of the ends of an error bar, in units of the distance of two values."""


def sweep_figure(found: SweepResults, measure: str) -> Figure:
    """Return the figure of a measure; raise `ExportError` for too many axes.

    The first axis goes across, the second up; each combination of further ones has a panel.
    """
    axes = found.sweep.axes
    shown, further = axes[:2], axes[2:]
    combinations = list(product(*(axis.values for axis in further)))
    if len(combinations) > _MOST_PANELS:
        raise ExportError(
            f"{len(combinations)} combinations of {', '.join(a.field for a in further)} are too "
            f"many for one picture; allowed: up to {_MOST_PANELS}, or a .csv file"
        )
    ranking = found.ranking(measure)
    # A map shows medians; a curve shows every seed.
    if len(shown) == 2:
        values = [spread.median for r in found.cells if (spread := r.spread(measure))]
    else:
        values = [value for result in found.cells for value in result.values(measure)]
    scale = MeasureScale(values, SHADES if len(shown) == 2 else DECADES)
    panels = []
    for combination in combinations:
        fixed = {a.field: value for a, value in zip(further, combination, strict=True)}
        cells = [r for r in found.cells if fixed.items() <= r.cell.settings.items()]
        title = ", ".join(f"{name}={format_value(value)}" for name, value in fixed.items())
        draw = _heat_map if len(shown) == 2 else _curve
        panels.append(draw(cells, shown, measure, ranking, scale, title))
    seeds = found.sweep.seeds
    note = f"medians over {seeds} seeds" if seeds > 1 else "one seed"
    if len(shown) < 2:
        note = f"{note}, with quartiles and extremes" if seeds > 1 else note
    return Figure(f"{found.sweep.base.name}: {MEASURES[measure].name}, {note}", tuple(panels))


class MeasureScale:
    """The scale of a measure: logarithmic for positive values more than ``ratio`` apart."""

    def __init__(self, values: Sequence[float], ratio: float) -> None:
        self.log = bool(values) and min(values) > 0 and max(values) > ratio * min(values)
        positions = [self.at(value) for value in values] or [0.0, 1.0]
        self.low, self.high = min(positions), max(positions)

    def at(self, value: float) -> float:
        """Return the position of a value."""
        return math.log10(value) if self.log else value

    def share(self, value: float) -> float:
        """Return where a value is between the least, 0, and the greatest, 1."""
        return (self.at(value) - self.low) / (self.high - self.low) if self.high > self.low else 0.5

    @property
    def span(self) -> Range:
        """The range of all values with a margin."""
        room = 0.06 * (self.high - self.low) or 0.5 * abs(self.high) or 0.5
        return self.low - room, self.high + room


def _names(axis: Axis) -> tuple[str, ...]:
    return tuple(shortened(format_value(value), 16) for value in axis.values)


def _is_best(result: CellResult, ranking: Ranking | None) -> bool:
    return ranking is not None and result.cell.index in ranking.cells


def _heat_map(
    cells: Sequence[CellResult],
    axes: Sequence[Axis],
    measure: str,
    ranking: Ranking | None,
    scale: MeasureScale,
    title: str,
) -> PicturePanel:
    across, up = axes
    shape = (len(up.values), len(across.values))
    strengths, marked = np.full(shape, np.nan), np.zeros(shape, bool)
    texts = [[("",)] * shape[1] for _ in range(shape[0])]
    for result in cells:
        settings = result.cell.settings
        row = up.values.index(settings[up.field])
        column = across.values.index(settings[across.field])
        spread = result.spread(measure)
        if spread is not None:
            strengths[row, column] = scale.share(spread.median)
        marked[row, column] = _is_best(result, ranking)
        lines = [f"{spread.median:.3g}" if spread else "–"]
        if result.diverged:
            lines.append(f"{result.diverged}/{len(result.seeds)} diverged")
        texts[row][column] = tuple(lines)  # type: ignore[assignment]
    layer = HeatMap(
        strengths,
        tuple(map(tuple, texts)),
        marked,
        label="best, and what it does not beat" if marked.any() else "",
    )
    return PicturePanel(
        (-0.5, shape[1] - 0.5),
        (-0.5, shape[0] - 0.5),
        (layer,),
        title,
        (),
        across.field,
        up.field,
        names=_names(across),
        y_names=_names(up),
    )


def _curve(
    cells: Sequence[CellResult],
    axes: Sequence[Axis],
    measure: str,
    ranking: Ranking | None,
    scale: MeasureScale,
    title: str,
) -> PicturePanel:
    """Return the medians with quartiles, extremes, every seed, and real data.

    A line joins the medians, except for choices, between which nothing lies.
    """
    values = axes[0].values if axes else (None,)
    middle, dots, bars, boxes, best, reals = [], [], [], [], [], []
    for result in cells:
        x = float(values.index(result.cell.settings[axes[0].field])) if axes else 0.0
        real = result.real(measure)
        if real is not None and (real > 0 or not scale.log) and _near(scale.at(real), scale.span):
            reals.append((x, scale.at(real)))
        spread = result.spread(measure)
        if spread is None:
            middle.append((x, math.nan))
            continue
        low, high, q1, q3 = map(scale.at, (spread.low, spread.high, spread.q1, spread.q3))
        middle.append((x, scale.at(spread.median)))
        beside = np.linspace(1.5 * _CAP, 3 * _CAP, len(result.seeds))
        dots += [
            (x + gap, scale.at(value))
            for gap, value in zip(beside, result.values(measure), strict=False)
        ]
        bars += [_line(x, low, x, high)]
        bars += [_line(x - _CAP, end, x + _CAP, end) for end in (low, high)]
        boxes.append(_line(x, q1, x, q3))
        if _is_best(result, ranking):
            best.append(middle[-1])
    last = len(values) - 0.5
    layers: list[Layer] = []
    if reals:
        at = np.array([(-0.5, reals[0][1]), *reals, (last, reals[-1][1])])
        layers.append(Curves(at[None], "truth", "real data", 1.5, dashed=True))
    if bars:
        layers += [
            Curves(np.stack(bars), "dim", "least and greatest", 1.2),
            Curves(np.stack(boxes), "network", "quartiles", 5.0, 0.5),
            Dots(np.array(dots), "faint", "seeds"),
        ]
    line = np.array(middle, float).reshape(-1, 2)
    if isinstance(values[0], int | float) and not isinstance(values[0], bool):
        medians = line[None]
    else:
        medians = line[:, None] + np.array([[-_CAP, 0.0], [_CAP, 0.0]])
    layers.append(Curves(medians, "network", "median", 2.0))
    if best:
        layers.append(Rings(np.array(best), label="best, and what it does not beat"))
    return PicturePanel(
        (-0.5, last),
        scale.span,
        tuple(layers),
        title,
        (),
        axes[0].field if axes else "",
        MEASURES[measure].name,
        log_y=scale.log,
        names=_names(axes[0]) if axes else ("all seeds",),
    )


def _line(x0: float, y0: float, x1: float, y1: float) -> Floats:
    return np.array([[x0, y0], [x1, y1]])


def _near(at: float, span: Range) -> bool:
    return span[0] <= at <= span[1]

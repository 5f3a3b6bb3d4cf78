"""The curve of a sweep over one axis: medians with error bars, and a dot for every seed."""

from __future__ import annotations

import math

import numpy as np
from textual.strip import Strip

from ...core.sweeps.measures import MEASURES
from ...export.pictures.sweeps import DECADES, MeasureScale
from ...interface.glyphs import Glyphs
from ..drawing.figure import AxisTick, Curve, PlotFigure, Rule
from ..drawing.palette import Palette
from ..drawing.plot import draw_plot
from .sweep_map import SweepView

_CAP = 0.06
"""Half the width of the ends of an error bar, in units of the distance of two values."""

_BESIDE = 0.12
"""Distance of the first dot from the error bar, and of all dots together."""


def sweep_curve(
    view: SweepView, width: int, height: int, palette: Palette, glyphs: Glyphs
) -> list[Strip]:
    """Draw the median of every cell, its extremes over the seeds, and every seed beside them.

    Best cells have a cross; the value of the cell under the cursor stands in brackets.
    """
    grid, measure = view.grid, view.measure
    values = [value for result in view.results.cells for value in result.values(measure)]
    scale = MeasureScale(values, DECADES)
    medians = np.full(len(grid.columns), math.nan)
    best, scores = medians.copy(), medians.copy()
    bars: list[tuple[float, float]] = []
    dots: list[tuple[float, float]] = []
    for result, (x, _) in zip(view.results.cells, grid.places, strict=True):
        spread = result.spread(measure)
        if spread is None:
            continue
        medians[x] = spread.median
        if result.cell.index in view.best:
            best[x] = spread.median
        low, high = spread.low, spread.high
        if low < high:
            bars += [(x, low), (x, high), _GAP]
            bars += [p for end in (low, high) for p in ((x - _CAP, end), (x + _CAP, end), _GAP)]
        gaps = np.linspace(_BESIDE, 2 * _BESIDE, len(result.seeds))
        dots += [(x + gap, value) for gap, value in zip(gaps, result.values(measure), strict=False)]
    columns = list(range(len(grid.columns)))
    curves = [
        _curve(dots, "raw", "dot", "seeds"),
        _curve(bars, "axis", "braille", "least and greatest"),
        Curve(columns, medians.tolist(), "network", "braille", "median"),
    ]
    if np.isfinite(best).any():
        curves.append(Curve(columns, best.tolist(), "goal", "cross", "best"))
    reals = view.results.reals(measure)
    shown = [real is not None and _shows(real, scale) for real in reals]
    rules: tuple[Rule, ...] = ()
    if len({*reals}) == 1 and all(shown):
        rules = (Rule(reals[0] or 0.0, "truth", "real data"),)
    elif any(shown):
        for (x, _), real, shows in zip(grid.places, reals, shown, strict=True):
            scores[x] = real if real is not None and shows else math.nan
        curves.append(Curve(columns, scores.tolist(), "truth", "braille", "real data"))
    figure = PlotFigure(
        curves=tuple(curve for curve in curves if len(curve.xs)),
        x_range=(-0.5, len(columns) - 0.5),
        x_label=grid.across,
        y_label=MEASURES[measure].name,
        x_ticks=_ticks(grid.columns, grid.places[view.cursor][0], width),
        h_lines=rules,
        log_y=scale.log,
    )
    return draw_plot(figure, width, height, palette, glyphs)


_GAP = (math.nan, math.nan)


def _curve(points: list[tuple[float, float]], role: str, marker: str, label: str) -> Curve:
    xs, ys = zip(*points, strict=True) if points else ((), ())
    return Curve(xs, ys, role, marker, label)  # type: ignore[arg-type]


def _shows(real: float, scale: MeasureScale) -> bool:
    """Return whether the score of real data lies within the range of the values."""
    if scale.log and real <= 0:
        return False
    low, high = scale.span
    return low <= scale.at(real) <= high


def _ticks(names: list[str], cursor: int, width: int) -> list[AxisTick]:
    """Return as many values as can stand side by side, and always that of the cursor."""
    longest = min(max(map(len, names)), 9) + 3
    stride = max(1, math.ceil(len(names) * longest / max(width - 8, 1)))
    return [
        (float(x), f"[{name[:7]}]" if x == cursor else name)
        for x, name in enumerate(names)
        if x == cursor or (x % stride == 0 and (stride == 1 or abs(x - cursor) >= stride))
    ]

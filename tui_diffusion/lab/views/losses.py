"""The loss curve."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...core.analysis.loss_curve import Floors, floor_line
from ...core.arrays import Floats, Range
from ...core.memorisation_rows import Rows, set_floors
from ..drawing.downsampling import Series, envelope, fine, smoothed
from ..drawing.figure import Curve, PlotFigure, Rule, band
from ..drawing.plot import inner_size

_ROOMY = 108
"""Number of columns from which the legend has the whole names of both floors."""


def loss_figure(
    losses: NDArray[np.float32] | Series,
    steps: int,
    width: int,
    *,
    log: bool,
    stages: Sequence[int] = (),
    floors: Floors = (),
    memorisation: Rows | None = None,
) -> PlotFigure:
    """Return the losses so far over all planned steps: raw as an envelope, and smoothed.

    The axis spans the whole training and the range changes by whole stops, so that a new step
    changes only the new part. ``stages`` are the steps at which the training of another network
    begins. ``floors`` are the smallest losses that any network can reach, each with its first step.

    With a training set, ``memorisation`` holds the losses on all its points and on held-out data.
    They take the place of the smoothed loss, and its floor stands beside that of the population.
    """
    done = losses.size
    columns = max(1, 2 * (width - 8))
    series = Series.of(losses)
    # The intervals skip no column of dots, and a loss lies at the centre of its step.
    dots = 2 * inner_size(width, 0)[0]
    xs, lows, highs = envelope(series, fine(series, dots, steps), steps)
    smooth_x, smooth = smoothed(series, columns, max(1, min(done // 3, steps // 50)), steps)
    raw = band(xs + 0.5, lows, highs, "raw", label="raw")
    if memorisation is not None and len(memorisation) > 1:
        lines = _of_the_set(memorisation, floors, steps, width)
        curves = (*lines, raw)
        heights = [np.asarray(line.ys, np.float64) for line in lines]
        lows, highs = np.concatenate([lows, *heights]), np.concatenate([highs, *heights])
    else:
        line = Curve(smooth_x.tolist(), smooth.tolist(), "smooth", label="smoothed")
        curves = (raw, *_floor_curve(floors, steps, "floor", "floor"), line)
    rules = tuple(Rule(float(step), "grid") for step in stages)
    return PlotFigure(
        curves=curves,
        x_range=(0.0, float(max(steps, 1))),
        y_range=_loss_range(lows, highs, log),
        v_lines=rules,
        x_label="step",
        log_y=log,
    )


def _of_the_set(rows: Rows, floors: Floors, steps: int, width: int) -> tuple[Curve, ...]:
    """Return the losses on the training set and on held-out data, each with its floor."""
    at, names = rows["step"].tolist(), ("set's floor", "floor")
    if width >= _ROOMY:
        names = "training set's floor", "population's floor"
    held_out = Curve(at, rows["heldout_loss"].tolist(), "truth", label="held-out")
    return (
        Curve(at, rows["train_loss"].tolist(), "network", label="training set"),
        *((held_out,) if np.isfinite(held_out.ys).any() else ()),
        *_floor_curve(set_floors(rows), steps, "second", names[0]),
        *_floor_curve(floors, steps, "floor", names[1]),
    )


def _floor_curve(floors: Floors, steps: int, role: str, name: str) -> tuple[Curve, ...]:
    xs, ys = floor_line(floors, max(steps, 1))
    return (Curve(xs.tolist(), ys.tolist(), role, "dashed", name),) if floors else ()


def _loss_range(lows: Floats, highs: Floats, log: bool) -> Range | None:
    finite_high = highs[np.isfinite(highs)]
    finite_low = lows[np.isfinite(lows)]
    if not len(finite_high):
        return None
    top = float(finite_high.max())
    if not log:
        # Early losses may be huge; the axis ignores the first few columns.
        settled = float(np.quantile(finite_high, 0.98))
        return (0.0, (settled if settled > 0 else top or 1.0) * 1.15)
    positive = finite_low[finite_low > 0]
    if not len(positive) or top <= 0:
        return None
    bottom = max(float(positive.min()), top * 1e-12)
    # A wide range changes by half decades and a narrow one by eighths, so that it seldom changes.
    parts = 2 if top > 10 * bottom else 8
    return _stop(bottom, parts, down=True), _stop(top, parts, down=False)


def _stop(value: float, parts: int, *, down: bool) -> float:
    """Round a value to a stop, with ``parts`` stops per decade, up or down."""
    position = np.log10(value) * parts
    return float(10 ** ((np.floor(position - 1e-9) if down else np.ceil(position + 1e-9)) / parts))

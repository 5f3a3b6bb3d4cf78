"""The noise levels of an experiment as a small picture, over those of another one."""

from __future__ import annotations

from textual.strip import Strip

from ...core.assemble import make_schedule, sampling_schedule
from ...core.config.experiment import Experiment
from ...core.parts.schedules import SCHEDULE_PARTS
from ...core.schedules import Schedule
from ...interface.glyphs import Glyphs
from ..drawing.figure import Curve, PlotFigure
from ..drawing.palette import Palette
from ..drawing.plot import SMALLEST_PLOT, draw_plot, sketch

_ROOMY = 44
"""Number of columns from which three names fit into the legend."""


def noise_levels(
    experiment: Experiment,
    before: Experiment,
    width: int,
    height: int,
    palette: Palette,
    glyphs: Glyphs,
    *,
    sampled: bool = False,
) -> list[Strip]:
    """Draw alpha_bar, and beta or sigma, over the levels, from noise to clean.

    Schedules with straight paths show sigma instead of beta; schedules with constant alpha show
    sigma alone. If ``before`` has different levels, its first curve is drawn faintly. ``sampled``
    selects the levels of sampling instead of those of training.
    """
    now, was = _schedule(experiment, sampled), _schedule(before, sampled)
    growing = bool(now.alphas[0] == 1)
    main = Curve(*_main(now), "truth", label="sigma" if growing else "alpha_bar")
    curves = [main]
    if SCHEDULE_PARTS[experiment.schedule.kind].in_betas:
        curves.insert(0, _over(now.betas.tolist(), "network", "beta"))
    elif not growing:
        curves.insert(0, _over(now.sigmas.tolist(), "network", "sigma"))
    if bool(was.alphas[0] == 1) == growing and _main(was) != _main(now):
        # Without space for the whole legend, the faint line needs no explanation.
        roomy = width >= _ROOMY or height < SMALLEST_PLOT[1]
        curves.insert(0, Curve(*_main(was), "grid", label="preset" if roomy else None))
    figure = PlotFigure(curves=tuple(curves), x_label="level", log_y=growing)
    drawing = draw_plot if height >= SMALLEST_PLOT[1] else sketch
    return drawing(figure, width, height, palette, glyphs)


def _schedule(experiment: Experiment, sampled: bool) -> Schedule:
    return sampling_schedule(experiment) if sampled else make_schedule(experiment.schedule)


def _main(schedule: Schedule) -> tuple[list[float], list[float]]:
    """Return the levels, and alpha_bar, or sigma if alpha is constant."""
    ys = schedule.sigmas if bool(schedule.alphas[0] == 1) else schedule.alpha_bars
    return [float(k) for k in range(len(ys))], ys.tolist()


def _over(ys: list[float], role: str, label: str) -> Curve:
    return Curve([float(k) for k in range(len(ys))], ys, role, marker="dashed", label=label)

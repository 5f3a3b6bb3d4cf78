"""The noise levels of an experiment as a small picture, over those of another one."""

from __future__ import annotations

from textual.strip import Strip

from ...core.assemble import make_schedule, sampling_schedule
from ...core.config.experiment import Experiment
from ...core.schedules import Schedule
from ..drawing.figure import Curve, Figure
from ..drawing.palette import Palette
from ..drawing.plot import SMALLEST, draw, sketch
from ..terminal.glyphs import Glyphs

_ROOMY = 44
"""Columns from which the legend has room for three names."""


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
    """Over the levels, noise at the left: alpha_bar, and beta or (where the way is straight) sigma;
    where alpha stays 1, sigma alone. Faint where it differs, the first of them in ``before``.

    ``sampled``: of the levels that sampling goes through, not those trained on.
    """
    now, was = _schedule(experiment, sampled), _schedule(before, sampled)
    growing = bool(now.alphas[0] == 1)
    main = Curve(*_main(now), "truth", label="sigma" if growing else "alpha_bar")
    curves = [main]
    if experiment.schedule.kind == "flow":
        curves.insert(0, _over(now.sigmas.tolist(), "network", "sigma"))
    elif not growing:
        curves.insert(0, _over(now.betas.tolist(), "network", "beta"))
    if bool(was.alphas[0] == 1) == growing and _main(was) != _main(now):
        # Where there is not room for all of the legend, the faint line explains itself.
        roomy = width >= _ROOMY or height < SMALLEST[1]
        curves.insert(0, Curve(*_main(was), "grid", label="preset" if roomy else None))
    figure = Figure(curves=tuple(curves), x_label="level", log_y=growing)
    drawn = draw if height >= SMALLEST[1] else sketch
    return drawn(figure, width, height, palette, glyphs)


def _schedule(experiment: Experiment, sampled: bool) -> Schedule:
    return sampling_schedule(experiment) if sampled else make_schedule(experiment.schedule)


def _main(schedule: Schedule) -> tuple[list[float], list[float]]:
    """Levels, and alpha_bar, or sigma where alpha stays 1."""
    ys = schedule.sigmas if bool(schedule.alphas[0] == 1) else schedule.alpha_bars
    return [float(k) for k in range(len(ys))], ys.tolist()


def _over(ys: list[float], role: str, label: str) -> Curve:
    return Curve([float(k) for k in range(len(ys))], ys, role, marker="dashed", label=label)

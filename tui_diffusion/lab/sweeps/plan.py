"""The sweep that the form describes: its cells, what cannot be, and what it will cost."""

from __future__ import annotations

from dataclasses import dataclass

from ...core.config.errors import ConfigError
from ...core.config.experiment import Experiment, field_table
from ...core.config.value_types import format_value
from ...core.sweeps.engines.processes import cores
from ...core.sweeps.sweep import Axis, Sweep, short_names
from ...core.text import shortened
from ..variation import Variation, values_of

_START = 2.0
"""Rough seconds until worker processes have loaded torch."""

_SAMPLING = 0.05
"""Rough seconds to write, sample and measure a training; 0.02 for `ddpm-1d` on a quiet core."""


@dataclass(frozen=True)
class Pace:
    """The measured speed of a training: its experiment, and its seconds for a gradient step."""

    experiment: Experiment
    step: float


@dataclass(frozen=True)
class Plan:
    """A sweep that can be started, or the reason why there is none.

    ``seconds`` is an estimate for ``workers`` processes. ``left_out`` says which cells cannot be.
    """

    sweep: Sweep | None
    workers: int = 1
    seconds: float = 0.0
    fault: str = ""
    left_out: str = ""

    @property
    def axes(self) -> str:
        """Return the axes in words, such as ``lr × width``."""
        assert self.sweep is not None
        names = short_names([axis.field for axis in self.sweep.axes])
        return " × ".join(names.values())

    @property
    def cost(self) -> str:
        """Return the number of trainings and the time they take, in words."""
        assert self.sweep is not None
        cells, seeds = len(self.sweep.cells()), self.sweep.seeds
        trainings = len(self.sweep.trainings())
        counted = f"{cells} cell{'s' * (cells > 1)}"
        counted += f" × {seeds} seeds" if seeds > 1 else ""
        return (
            f"{counted}: {trainings:,} training{'s' * (trainings > 1)}, "
            f"about {about(self.seconds)} on {self.workers} core{'s' * (self.workers > 1)}"
        )

    @property
    def values(self) -> list[str]:
        """Return a line for each axis: field and values."""
        assert self.sweep is not None
        return [
            f"{axis.field} = {shortened(', '.join(map(format_value, axis.values)), 60)}"
            for axis in self.sweep.axes
        ]


def make_plan(experiment: Experiment, variation: Variation, pace: Pace | None) -> Plan:
    """Build the sweep of an experiment and estimate its cost; takes up to seconds.

    Axes of fields that do not apply are dropped. Combinations that cannot be are left out, and the
    plan says so.
    """
    fields = field_table()
    try:
        axes = [
            Axis(path, values_of(path, text))
            for path, text in variation.axes.items()
            if fields[path].applies(experiment)
        ]
        if not axes and variation.seeds < 2:
            return Plan(None)
        sweep = Sweep(experiment, axes, variation.seeds, skip_invalid=True)
        trainings = sweep.trainings()
    except ConfigError as error:
        return Plan(None, fault=str(error))
    workers = max(min(cores(), len(trainings)), 1)
    seconds = _START + (len(trainings) * _SAMPLING + _steps(sweep, pace)) / workers
    return Plan(sweep, workers, seconds, left_out=_left_out(sweep))


def _steps(sweep: Sweep, pace: Pace | None) -> float:
    """Estimate the seconds of all gradient steps on one core, scaled to a measured training."""
    from ...core.training.devices import cpu_step

    seconds = sum(t.experiment.training.steps * cpu_step(t.experiment) for t in sweep.trainings())
    return seconds * (pace.step / cpu_step(pace.experiment) if pace is not None else 1.0)


def _left_out(sweep: Sweep) -> str:
    if not sweep.invalid:
        return ""
    count = len(sweep.invalid)
    total = count + len(sweep.cells())
    return f"{count} of {total} cells cannot be and are left out, such as {sweep.invalid[0]}"


def about(seconds: float) -> str:
    """Format an estimate: 8 s, 3 min, 2.5 h."""
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"

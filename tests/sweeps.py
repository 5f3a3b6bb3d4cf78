"""Small sweeps, and an executor that trains in this process."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.config.experiment import Experiment
from tui_diffusion.core.sweeps.results import CellResult, Sampled, SweepResults
from tui_diffusion.core.sweeps.run import SweepProgress, run_sweep
from tui_diffusion.core.sweeps.store import StoredSweep
from tui_diffusion.core.sweeps.sweep import Axis, Sweep

SMALL = {"training.steps": 30, "sampling.points": 40, "device": "cpu"}


class Inline(Executor):
    """Trains at once in the calling process; remembers the name of every training."""

    _max_workers = 1

    def __init__(self, fail: Callable[[str], bool] = lambda name: False) -> None:
        self.names: list[str] = []
        self._fail = fail

    def submit(self, function: Any, /, *arguments: Any, **more: Any) -> Future[Any]:
        future: Future[Any] = Future()
        name = arguments[0].name
        self.names.append(name)
        try:
            if self._fail(name):
                raise MemoryError("no room")
            future.set_result(function(*arguments, **more))
        except Exception as error:
            future.set_exception(error)
        return future


def small(*axes: str, seeds: int = 2, preset: str = "naive-1d", **settings: Any) -> Sweep:
    """A sweep of trainings of a moment."""
    changes = {**SMALL, **{name.replace("__", "."): v for name, v in settings.items()}}
    base = get_preset(preset).experiment.with_settings(changes)
    return Sweep(base, [Axis.parse(text) for text in axes], seeds)


def carried_out(
    sweep: Sweep | StoredSweep, executor: Executor | None = None, folder: Path | None = None
) -> SweepProgress:
    """Carry out a sweep in this process; return the last progress."""
    *_, last = run_sweep(sweep, executor or Inline(), folder=folder)
    return last


def results_of(
    *axes: str, values: Sequence[Sequence[float | None]], seeds: int = 5
) -> SweepResults:
    """The results of a sweep that was never trained: a value of every cell and seed.

    None is a training that is missing, infinity one that diverged.
    """
    sweep = small(*axes, seeds=seeds)
    trainings = {t.experiment: t for t in sweep.trainings()}

    def sampled(experiment: Experiment, value: float | None) -> Sampled:
        report: dict[str, Any] | None = None
        if value is not None:
            sample = {"energy_distance": value, "energy_distance_real": 0.25}
            report = {"status": "finished", "sample": sample}
        if value == math.inf:
            report = {"status": "diverged", "sample": None}
        return Sampled(trainings[experiment], experiment.seed, report)

    cells = tuple(
        CellResult(cell, tuple(map(sampled, cell.experiments, of)))
        for cell, of in zip(sweep.cells(), values, strict=True)
    )
    return SweepResults(StoredSweep(Path("sweep"), datetime.now(UTC)), sweep, cells)

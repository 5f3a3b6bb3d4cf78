"""A sweep: what a training costs beside its steps, and two workers over one."""

from __future__ import annotations

import os
import tempfile
from statistics import median
from time import perf_counter
from unittest.mock import patch

from tests.bench.table import budget, show
from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.core.sweeps.engines.processes import Processes
from tui_diffusion.core.sweeps.states import reports
from tui_diffusion.core.sweeps.store import create_sweep, delete_sweep
from tui_diffusion.core.sweeps.sweep import Sweep

TRAININGS = 16
"""Number of trainings of a sweep."""

SECONDS = 0.5
"""Aimed length of a training."""


def run(rounds: int) -> None:
    """Print the share that is lost beside the steps, and the rates of one and of two workers."""
    steps = _steps()
    lost, rates = [], []
    for _ in range(rounds):
        one, share = measured(1, steps)
        two, _ = measured(2, steps)
        lost.append(share)
        rates.append((one, two))
    ratio = median(two / one for one, two in rates)
    rows = [
        ["1 worker", f"{median(one for one, _ in rates):.2f}", f"{median(lost):.1%}"],
        ["2 workers", f"{median(two for _, two in rates):.2f}", ""],
    ]
    show(
        f"Sweep of {TRAININGS} ddpm-1d of {steps:,} steps, {os.cpu_count()} cores",
        ["", "trainings a second", "lost beside the steps"],
        rows,
    )
    budget("sweep: lost a training of half a second", f"{median(lost):.1%}", "under 10 %",
           median(lost) < 0.1)  # fmt: skip
    budget("sweep: two workers over one", f"{ratio:.2f}", "over 1.8", ratio > 1.8)


def _steps() -> int:
    """Return the number of steps of a training of about the aimed length on this machine."""
    count, _, trained = measured_raw(1, 5000, 4)
    return max(round(SECONDS * 5000 * count / trained / 1000), 1) * 1000


def measured(workers: int, steps: int) -> tuple[float, float]:
    """Return trainings a second while all workers are busy, and the share of time beside steps.

    The start of the workers is left out, with their first trainings, which compile the step; and
    so is the end, when not all have a training.
    """
    count, seconds, trained = measured_raw(workers, steps, TRAININGS)
    return count / seconds, 1 - trained / (workers * seconds)


def measured_raw(workers: int, steps: int, trainings: int) -> tuple[float, float, float]:
    """Return the trainings done while all workers were busy, the seconds, and those of steps.

    A training that a worker had begun at the first or last moment counts in part, by its time.
    """
    base = PRESETS["ddpm-1d"].experiment.with_settings({"training.steps": steps, "device": "cpu"})
    with tempfile.TemporaryDirectory() as home, patch.dict(os.environ, DIFFUSION_TUI_HOME=home):
        stored = create_sweep(Sweep(base, seeds=trainings))
        tasks = stored.sweep.trainings()
        began: dict[int, float] = {}
        ended: dict[int, float] = {}
        for event in Processes(workers).run(tasks, stored.folder):
            if event is not None and event.kind in ("began", "done"):
                (began if event.kind == "began" else ended)[event.index] = perf_counter()
        ready = sorted(ended.values())[workers - 1]
        idle = sorted(ended.values())[-workers]  # from here on, a worker has none
        count = trained = 0.0
        for index, task in enumerate(tasks):
            whole = ended[index] - began[index]
            inside = max(min(ended[index], idle) - max(began[index], ready), 0.0) / whole
            (report,) = reports(task, stored.run_folder(task)) or [{}]
            count += inside
            trained += inside * float(report["seconds"])
        delete_sweep(stored.folder)
    return count, idle - ready, trained

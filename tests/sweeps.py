"""Small sweeps, and an executor that trains in this process."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

from tui_diffusion.core.config.catalog import get_preset
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

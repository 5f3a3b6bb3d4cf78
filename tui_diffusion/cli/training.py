"""Headless training: start or resume it, show its progress, write it to disk, and end it."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NoReturn

from ..core.analysis.memorisation.log import MemorisationLog
from ..core.analysis.report import training_report
from ..core.config.choices import check_installed
from ..core.config.errors import ConfigError
from ..core.config.experiment import Experiment
from ..core.faults import fault_of
from ..core.guide_run import check_guide
from ..core.paths import store
from ..core.runs.checkpointer import Checkpointer
from ..core.runs.event_log import EventLog
from ..core.runs.manifest import RunError, RunState
from ..core.runs.naming import with_exact_guide
from ..core.runs.outside import remember
from ..core.runs.resume import RATE_ADVICE, rate_change, resume, resumed_experiment
from ..core.runs.run import check_writable, new_name, open_run, take_name
from ..core.runs.store import in_store
from ..core.training.trainer import Trainer
from .progress import TrainingBar, with_bar
from .signals import Exit, Interruption, complain

_REPORT = 0.1
"""Seconds between two reports of a training: the longest wait after Ctrl-C."""


@contextmanager
def _at_training() -> Iterator[None]:
    """Turn a fault of the device or the memory into a message with advice for training."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        fault = fault_of(error, training=True)
        if fault is None:
            raise
        complain(fault)
        sys.exit(Exit.FAILED)


@_at_training()
def begin(experiment: Experiment, out: Path | None, *, save: bool) -> tuple[Trainer, Path]:
    """Return a new trainer and its run folder; with ``save``, check that the folder is writable."""
    check_installed(experiment.sampling.sampler)
    check_guide(experiment)
    experiment = with_exact_guide(experiment)
    trainer = Trainer(experiment)
    folder = (out if out is not None else store() / new_name(experiment)).absolute()
    if save:
        check_writable(folder, "--out" if out is not None else "store")
        if out is None:
            folder = take_name(experiment)
    return trainer, folder


@_at_training()
def go_on(name: str, preset: str | None, changes: Mapping[str, Any]) -> tuple[Trainer, Path]:
    """Return the trainer of a run at its last checkpoint, and the run's folder."""
    run = open_run(name)
    for change in run.changed_parts:
        complain(change)
    if preset not in (None, run.experiment.name):
        raise ConfigError(
            f"experiment: {preset!r} is not that of the run; allowed: "
            f"{run.experiment.name}, or none"
        )
    experiment = resumed_experiment(run, changes)
    check_installed(experiment.sampling.sampler)
    check_guide(experiment)
    experiment = with_exact_guide(experiment)
    if moved := rate_change(run.experiment, experiment, run.step):
        complain(f"{moved}; {RATE_ADVICE}")
    return resume(run, experiment), run.folder.absolute()


def train_to_end(
    trainer: Trainer,
    folder: Path | None,
    interruption: Interruption,
    logs: Sequence[EventLog] = (),
) -> tuple[dict[str, Any], str]:
    """Train to the end with checkpoints in ``folder``; return the report and any write error.

    A signal that requests the end exits the program after a last checkpoint.
    """
    keeper = Checkpointer(trainer, folder) if folder is not None else None
    if folder is not None:
        remember(folder)
    try:
        _pull(trainer, keeper, interruption, logs)
        interruption.at_once = True
        if trainer.status == "training":
            _leave(trainer, keeper, interruption.signal_number)
        _kept(keeper, trainer.status, None)
        results = with_bar("sampling", lambda progress: training_report(trainer, progress=progress))
        report = {"run": str(folder) if folder else None, **results}
        fault = _kept(keeper, trainer.status, report)
        for log in logs:
            log.finish(report)
    finally:
        for log in logs:
            log.close()
            if log.fault:
                complain(f"not logged: {log.fault}")
        if keeper is not None:
            keeper.close()
    if fault:
        report["run"] = None
    return report, fault


@_at_training()
def _pull(
    trainer: Trainer,
    keeper: Checkpointer | None,
    interruption: Interruption,
    logs: Sequence[EventLog],
) -> None:
    """Train until the end or a signal, with a progress bar and regular checkpoints."""
    fault, memorisation = "", MemorisationLog(trainer)
    with TrainingBar(trainer) as bar, closing(memorisation):
        for progress in trainer.run(interval=_REPORT):
            bar.show(progress)
            memorisation.offer()
            for log in logs:
                log.offer(progress)
            if interruption.signal_number:
                return
            if interruption.resting:
                # Time here does not count as training time.
                bar.hide()
                interruption.rest()
            if keeper is not None:
                if interruption.saving:
                    interruption.saving = False
                    keeper.hurry()
                keeper.offer()
                if keeper.fault and not fault:
                    fault = keeper.fault
                    complain(f"not saved so far, training goes on: {fault}")


def _leave(trainer: Trainer, keeper: Checkpointer | None, number: int) -> NoReturn:
    """Write the last checkpoint after a signal, print how to resume, and exit."""
    state = f"interrupted at step {trainer.step:,}/{trainer.steps:,}"
    fault = _kept(keeper, "stopped", None)
    if keeper is None or fault:
        complain(f"{state}; run: not saved{': ' if fault else ''}{fault}")
    elif trainer.overflowed():
        complain(f"{state}, where it has diverged; run: {keeper.folder}")
    else:
        name = keeper.folder.name if in_store(keeper.folder) else str(keeper.folder)
        command = f"diffusion-tui train --resume {shlex.quote(name)}"
        complain(f"{state}; go on with: {command}; run: {keeper.folder}")
    sys.exit(128 + number)


def _kept(keeper: Checkpointer | None, state: RunState, report: dict[str, Any] | None) -> str:
    """Write the final state of a training; return the error, or ''."""
    try:
        if keeper is not None:
            keeper.finish(state, report)
    except RunError as error:
        return str(error)
    return ""

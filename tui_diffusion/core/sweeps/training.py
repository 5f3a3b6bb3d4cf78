"""One training of a sweep, written as a run: begun, or continued from its last checkpoint.

A run of a sweep is a run as everywhere: `train` would give the same losses and weights bit for bit,
and its ``metrics.json`` is the same report. Cells that sample in another way from the same training
have their reports in a further file, ``samples.json``.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from safetensors import SafetensorError

from ..analysis.report import memorised, sample_report, training_report
from ..files import UNREADABLE, write_whole
from ..runs.checkpointer import Checkpointer
from ..runs.manifest import RunError, read_about
from ..runs.run import open_run
from ..runs.store import summarise
from ..text import shown
from ..training.trainer import Trainer
from ..trajectory import denoise
from .states import SAMPLES_FILE, is_complete, sampling_of
from .sweep import Training

INTERVAL = 0.1
"""Seconds between two reports of a training, and the longest wait for it to stop."""

_PATIENCE = 10.0
"""Seconds to wait for the worker of a killed process, which ends within a moment."""


class StoppedError(Exception):
    """Raised by a report to stop a training, which is then written in its current state."""


def train_run(training: Training, folder: Path, report: Callable[[int], None]) -> None:
    """Train to the end and write the run to ``folder``; do only what is missing there.

    ``report`` receives the steps done, and may raise `StoppedError`. A training that has diverged
    is complete too. Raise `RunError` if the run cannot be written.
    """
    _check_there(folder.parent)
    if is_complete(training, folder):
        return
    trainer = _trainer(training, folder)
    with _keeper(trainer, folder) as keeper:
        try:
            report(trainer.step)
            if trainer.status == "training":
                for progress in trainer.run(interval=INTERVAL):
                    report(progress.step)
                    keeper.offer()
        except StoppedError:
            _check_there(folder.parent)
            keeper.finish("stopped")
            raise
        _check_there(folder.parent)
        write_results(trainer, training, keeper)


def _check_there(sweep: Path) -> None:
    """Raise `RunError` if the sweep was removed or moved: writing a run would make it anew."""
    if not sweep.is_dir():
        raise RunError(f"sweep {shown(str(sweep))}: was removed or moved meanwhile")


def write_results(trainer: Trainer, training: Training, keeper: Checkpointer) -> None:
    """Measure a training that has ended, and write the final state of its run."""
    metrics = {"run": training.name, **training_report(trainer)}
    state = "diverged" if trainer.status == "diverged" else "finished"
    keeper.finish(state, metrics)  # type: ignore[arg-type]
    write_samples(trainer, training, keeper.folder)


def write_samples(trainer: Trainer, training: Training, folder: Path) -> None:
    """Sample in the way of every further cell, and write the reports; nothing for one cell."""
    if len(training.samplings) < 2:
        return
    samples = []
    for experiment in training.samplings[1:]:
        trajectory = denoise(experiment, trainer.denoiser, device=trainer.device)
        samples.append(
            {
                "sampling": sampling_of(experiment),
                **sample_report(experiment, trajectory),
                **memorised(experiment, trainer.denoiser, trajectory),
            }
        )
    weights = read_about(folder).checksums["weights.safetensors"]
    content: dict[str, Any] = {"weights": weights, "samples": samples}
    write_whole(folder / SAMPLES_FILE, json.dumps(content, indent=2) + "\n")


def _trainer(training: Training, folder: Path) -> Trainer:
    """Return a new trainer, or the one of the run in ``folder``; remove what cannot be opened."""
    summary = summarise(folder)
    if summary is not None and summary.whole:
        with suppress(RunError, *UNREADABLE, SafetensorError):
            run = open_run(folder)
            trainer, state = Trainer(run.experiment), run.training_state()
            generator = trainer.state()["generator"]
            ended = run.state == "diverged" or run.step >= trainer.steps
            if state["generator"].shape == generator.shape or ended:
                if ended:
                    state["generator"] = generator
                trainer.restore(state)
                return trainer
            # It was trained on another kind of device, whose random numbers differ.
    if summary is not None:
        if summary.standing == "foreign":
            raise RunError(f"{folder}: is no run ({summary.reason}); allowed: a free name")
        shutil.rmtree(folder, ignore_errors=True)
    return Trainer(training.experiment)


def _keeper(trainer: Trainer, folder: Path) -> Checkpointer:
    """Take the lock of the run, waiting for a worker that is about to end."""
    end = monotonic() + _PATIENCE
    while True:
        try:
            return Checkpointer(trainer, folder)
        except RunError:
            if monotonic() > end:
                raise
            sleep(0.2)

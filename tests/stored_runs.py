"""Runs in a store, trained for real but briefly."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from tui_diffusion.core.analysis.report import training_report
from tui_diffusion.core.config.experiment import Experiment
from tui_diffusion.core.paths import store
from tui_diffusion.core.runs.writer import save_run
from tui_diffusion.core.training.trainer import Trainer

from .changed import changed
from .trainings import trained


def small(preset: str, steps: int, **settings) -> Experiment:
    return changed(
        preset, **{"training__steps": steps, "sampling__points": 200, "device": "cpu"} | settings
    )


def run(
    run_name: str, preset: str = "naive-1d", *, steps: int = 60, measured=True, **settings
) -> Path:
    """A finished run of this name; ``training__lr="0.1"`` sets ``training.lr``."""
    trainer = trained(small(preset, steps, **settings))
    report = training_report(trainer) if measured else None
    return save_run(store() / run_name, trainer, "finished", report)


def invented(run_name: str, preset: str, steps: int, **settings) -> Path:
    """A run that computed nothing: an untrained network, and numbers that are as they were told."""
    trainer = Trainer(small(preset, steps, **settings))
    state = trainer.state()
    state["losses"] = 1 + 10 / (1 + torch.arange(float(steps)))
    trainer.restore(state)
    quality = {"energy_distance": steps / 1e4, "energy_distance_chance": 0.002}
    quality |= {"energy_distance_real": 0.001, "off_mode": 0.01}
    report = {"loss": {"final": 1.25, "floor": 1.0, "excess": 10 / steps}, "sample": quality}
    folder = save_run(store() / run_name, trainer, "finished", report)
    return of_a_time(folder, "2026-01-02T03:04:05+00:00", seconds=2.0)


def of_a_time(folder: Path, written: str, seconds: float = 1.0) -> Path:
    """Say that a run was written then, so that a picture of the list is the same on every day."""
    return of_an_earlier_version(folder, written=written, seconds=seconds)


def of_an_earlier_version(folder: Path, **changes: object) -> Path:
    """Take the checksums from a run, as of earlier versions, and make ``changes`` in run.json.

    A test may then change its other files as well.
    """
    about = json.loads((folder / "run.json").read_text("utf-8"))
    about.pop("checksums", None)
    (folder / "run.json").write_text(json.dumps(about | changes), "utf-8")
    return folder

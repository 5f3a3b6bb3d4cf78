"""When a sample becomes good and when it begins to copy, against the number of training points."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from tests.bench.table import show
from tui_diffusion.core.analysis.memorisation.copies import copied_share, copied_share_real
from tui_diffusion.core.analysis.metrics import evaluate
from tui_diffusion.core.config.experiment import Experiment
from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.core.mixtures import GaussianMixture
from tui_diffusion.core.training.trainer import Trainer
from tui_diffusion.core.training_set import TrainingSet
from tui_diffusion.core.trajectory import denoise

COUNTS = (16, 64, 256)
STEPS = {16: 10_000, 64: 40_000, 256: 160_000}
"""Longest training of each number of points."""

POINTS = 1000
EVERY, RATIO = 32, 2**0.25
"""Steps to the first sample, and the growth from one to the next."""

LOST, COPIED = 0.1, 0.1
"""A sample is good below this share off the data, and copies above this share over true points'."""


def run(rounds: int) -> None:
    """Train both presets on every number of points, with as many seeds as there are rounds."""
    torch.set_num_threads(1)
    for name in ("finite-moons", "finite-four"):
        rows = []
        for count in COUNTS:
            settings = {"device": "cpu", "data.train_points": count, "training.steps": STEPS[count]}
            found = [times(PRESETS[name].experiment.with_settings({**settings, "seed": seed}))
                     for seed in range(rounds)]  # fmt: skip
            good, copies = ([each[part] for each in found] for part in (0, 1))
            rows.append([str(count), _steps(good), _steps(copies)])
        show(f"{name}: first step of {rounds} seeds", ["points", "good", "copies"], rows)


def times(experiment: Experiment) -> tuple[int | None, int | None]:
    """Return the first steps after which a sample is good, and after which it copies."""
    trainer = Trainer(experiment)
    finite, mixture = trainer.training_set, trainer.mixture
    assert finite is not None
    real = copied_share_real(4000, finite) or 0.0
    good = copies = None
    for step, lost, share in _samples(trainer, mixture, finite):
        if good is None and lost < LOST:
            good = step
        if copies is None and share > real + COPIED:
            copies = step
        if good is not None and copies is not None:
            break
    return good, copies


def _samples(
    trainer: Trainer, mixture: GaussianMixture, finite: TrainingSet
) -> Iterator[tuple[int, float, float]]:
    """Yield step, share off the data and share of copies, at steps that grow by a factor."""
    due = EVERY
    for progress in trainer.run(every=EVERY):
        if progress.step >= due:
            due = max(int(due * RATIO), due + EVERY)
            x = denoise(trainer.experiment, trainer.denoiser, points=POINTS).result
            yield progress.step, evaluate(x, mixture).off_mode, copied_share(x, finite) or 0.0


def _steps(values: list[int | None]) -> str:
    return ", ".join("–" if value is None else f"{value:,}" for value in values)

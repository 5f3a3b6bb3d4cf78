"""Trainings as tests pull them."""

from __future__ import annotations

from tui_diffusion.core.config.experiment import Experiment
from tui_diffusion.core.training.trainer import Trainer


def go_on(trainer: Trainer, until: int | None = None, **how: object) -> Trainer:
    """Train to the end, or until this step is done; ``how`` is what `Trainer.run` is asked."""
    for progress in trainer.run(**({"every": 1} if until is not None else how)):
        if progress.step == until:
            break
    return trainer


def trained(
    experiment: Experiment, until: int | None = None, *, plain: bool = False, **how: object
) -> Trainer:
    """A training from its beginning; see `go_on`."""
    return go_on(Trainer(experiment, plain=plain), until, **how)

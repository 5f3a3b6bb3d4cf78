"""Trainings as tests pull them."""

from __future__ import annotations

import torch

from tui_diffusion.core.config.catalog import get_preset
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


def short(name: str, steps: int, **changes: object) -> Experiment:
    """A preset with few steps of 16 points."""
    return get_preset(name).experiment.with_settings(
        {"training.steps": steps, "training.batch": 16, "device": "cpu", **changes}
    )


def same(a: Trainer, b: Trainer) -> bool:
    """Whether two trainings agree bit for bit: losses, weights, averages, optimizer, generator."""
    first, second = a.state(), b.state()
    for state in (first, second):
        del state["seconds"]
    assert first.keys() == second.keys()
    return all(torch.equal(first[key], second[key]) for key in first)

"""One device for several at once: two trainings, and a training with a sampling beside it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy

import numpy as np
import torch

from tui_diffusion.core.config.experiment import Experiment
from tui_diffusion.core.training.trainer import Trainer
from tui_diffusion.core.trajectory import denoise

from ..changed import changed
from ..trainings import trained

STEPS = 600


def experiments(device: str) -> list[Experiment]:
    """Two trainings with graphs of different kinds."""
    return [
        changed(name, device=device, training__steps=STEPS, training__batch=64)
        for name in ("naive-2d", "edm-1d")
    ]


def test_two_trainings_at_once_are_those_of_each_alone(device: str) -> None:
    alone = [trained(experiment) for experiment in experiments(device)]
    with ThreadPoolExecutor(2) as threads:
        together = list(threads.map(trained, experiments(device)))
    for one, other in zip(alone, together, strict=True):
        assert other.status == "finished"
        np.testing.assert_allclose(other.losses, one.losses, rtol=1e-3)


def test_a_sampling_beside_it_changes_no_training(device: str) -> None:
    experiment = experiments(device)[1]
    alone, made = trained(experiment), []
    with ThreadPoolExecutor(1) as threads:
        trainer = Trainer(experiment)
        task = threads.submit(lambda: [None for _ in trainer.run(interval=0.01)])
        while not task.done() or not made:
            denoiser = deepcopy(trainer.denoiser)
            made.append(denoise(experiment, denoiser, points=500, device=device))
        task.result()
    assert all(bool(torch.isfinite(one.result).all()) for one in made)
    np.testing.assert_allclose(trainer.losses, alone.losses, rtol=1e-3)

"""Short trainings, and what is compared of them."""

import numpy as np
import torch

from tui_diffusion.core.config.experiment import Experiment
from tui_diffusion.core.training.trainer import Trainer, train

from ..changed import changed

# A block of batches is at most 256 steps: these are a whole block and a part of one.
STEPS = 300


def short(name: str, steps: int = STEPS, **changes: object) -> Experiment:
    """A preset with few steps."""
    return changed(name, training__steps=steps, **changes)


def block_of(trainer: Trainer) -> tuple[torch.Tensor, torch.Tensor]:
    """Features (steps, batch, inputs) and targets (steps, batch, d) of the current block."""
    trainer._current_block()
    return trainer._stepper.features.mT.clone(), trainer._stepper.targets.mT.clone()


def losses(experiment: Experiment, **how: object) -> np.ndarray:
    return np.concatenate([progress.losses for progress in train(experiment, **how)])


def weights(trainer: Trainer) -> list[torch.Tensor]:
    return [p.detach().clone() for p in trainer.network.parameters()]


def same(a: list[torch.Tensor], b: list[torch.Tensor]) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    return a.dtype == b.dtype == np.float32 and a.tobytes() == b.tobytes()


def run_to(trainer: Trainer, step: int) -> None:
    """Train until ``step`` steps are done, then let go of the generator."""
    if step > trainer.step:
        for progress in trainer.run(every=1):
            if progress.step == step:
                return

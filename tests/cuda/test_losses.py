"""Each preset on the device: the losses of a CPU, and those of plain steps, to rounding."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.core.training.steppers.autograd import PlainStepper
from tui_diffusion.core.training.steppers.cuda_graph import GraphStepper
from tui_diffusion.core.training.trainer import Trainer

from ..changed import changed
from .same_batches import same_batches  # noqa: F401

STEPS = 100
ROUNDING = 1e-4
"""A hundred times the relative change of these losses on a CPU if a batch is summed in another
order; products in TF32 instead of float32 change them by 1e-3."""

QUICK = ("naive-2d", "ddpm-1d-per-level", "edm-multimodal")
NAMES = [pytest.param(n, marks=[] if n in QUICK else pytest.mark.slow) for n in PRESETS]


def begun(name: str, device: str, *, plain: bool = False) -> Trainer:
    """The first steps of a preset's training."""
    trainer = Trainer(changed(name, device=device), plain=plain)
    next(trainer.run(every=STEPS))
    return trainer


def weights(trainer: Trainer) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in trainer.network.parameters()]).cpu()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.usefixtures("same_batches")
def test_the_losses_are_those_of_a_cpu(name: str, device: str) -> None:
    here = begun(name, "cpu", plain=True)
    there = begun(name, device)
    assert there.device.type == device
    np.testing.assert_allclose(there.losses[:1], here.losses[:1], rtol=1e-5)
    np.testing.assert_allclose(there.losses[:STEPS], here.losses[:STEPS], rtol=ROUNDING)
    scale = float(weights(here).abs().max())
    assert float((weights(there) - weights(here)).abs().max()) < 1e-3 * scale


@pytest.mark.parametrize("name", NAMES)
def test_a_graph_takes_the_plain_steps(name: str, device: str) -> None:
    played, plain = begun(name, device), begun(name, device, plain=True)
    assert isinstance(played._stepper, GraphStepper), played.choice.reason
    assert isinstance(plain._stepper, PlainStepper)
    np.testing.assert_allclose(played.losses[:STEPS], plain.losses[:STEPS], rtol=ROUNDING)

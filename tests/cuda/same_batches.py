"""The same batches on every device.

A device has random numbers and block sizes of its own, so two trainings can be compared step by
step only if the batches of both are drawn in one place.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy

import pytest
import torch
from torch import Tensor

from tui_diffusion.core.assemble import make_method, make_mixture
from tui_diffusion.core.config.experiment import Experiment
from tui_diffusion.core.methods import Method
from tui_diffusion.core.mixtures import GaussianMixture
from tui_diffusion.core.networks import Network
from tui_diffusion.core.training.batches import Batches
from tui_diffusion.core.training_set import TrainingSet


class BatchesFromCpu(Batches):
    """The batches of a training on a CPU, bit for bit, copied to the device of the training."""

    def __init__(
        self,
        experiment: Experiment,
        mixture: GaussianMixture,
        method: Method,
        network: Network,
        training_set: TrainingSet | None = None,
    ) -> None:
        here = make_mixture(experiment.data, "cpu")
        method = make_method(experiment.method, here)
        super().__init__(experiment, here, method, deepcopy(network).cpu(), training_set)

    def draw(
        self, first: int, features: Tensor, targets: Tensor, levels: Sequence[int] | None = None
    ) -> None:
        """Draw the block on the CPU, and copy it."""
        drawn = torch.empty(features.shape), torch.empty(targets.shape)
        super().draw(first, *drawn, levels)
        for there, here in zip((features, targets), drawn, strict=True):
            there.copy_(here)


@pytest.fixture
def same_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every `Trainer` train on the batches of a CPU."""
    monkeypatch.setattr("tui_diffusion.core.training.trainer.Batches", BatchesFromCpu)

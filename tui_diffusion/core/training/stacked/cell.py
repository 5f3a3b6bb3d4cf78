"""One training of a stack, taken out of it as an ordinary training."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from ...assemble import make_method, make_mixture, make_network
from ...config.experiment import Experiment
from ...methods import NetworkDenoiser
from ...randomness import generator
from ...short_repr import short_repr
from ..trainer import Status, Trainer, part_of


@dataclass(frozen=True)
class Cell:
    """A training as it was when it was taken out.

    ``tensors`` is what `Trainer.state` returns of the single training; ``step`` steps are done,
    ``seconds`` is its share of the time. Weights are the last finite ones if it diverged.
    ``device`` is the device's name for the user.
    """

    experiment: Experiment
    status: Status
    step: int
    seconds: float
    device: str
    tensors: dict[str, Tensor] = field(repr=False)
    place: torch.device = field(default=torch.device("cpu"), repr=False)

    def __repr__(self) -> str:
        return short_repr(self, experiment=self.experiment.name, step=self.step, status=self.status)

    @property
    def denoiser(self) -> NetworkDenoiser:
        """The network, averaged if configured, and its method, on the device of the stack."""
        experiment = self.experiment
        prefix = "average." if experiment.training.average else "network."
        network = make_network(experiment, generator(experiment.seed, "weights"))
        network.load_state_dict(part_of(self.tensors, prefix))
        mixture = make_mixture(experiment.data, self.place)
        return NetworkDenoiser(
            network.to(self.place).eval(), make_method(experiment.method, mixture)
        )

    def trainer(self, *, plain: bool = False) -> Trainer:
        """Return an ordinary training in this state, on the device that the experiment names.

        If that is of another kind than the stack's, its random numbers start anew. ``plain`` is as
        of `Trainer`; such a training is created sooner, for one that will only be written.
        """
        trainer = Trainer(self.experiment, plain=plain)
        tensors = dict(self.tensors)
        if tensors["generator"].shape != trainer.batches.random.get_state().shape:
            tensors["generator"] = trainer.batches.random.get_state()
        trainer.restore(tensors)
        return trainer

"""The distinct sources of batches and of first weights among many trainings."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import torch
from torch import Tensor

from ...assemble import make_method, make_mixture
from ...config.experiment import Experiment
from ...methods import Method
from ...mixtures import GaussianMixture
from ...networks import Network
from ...randomness import generator
from ...training_set import make_training_set
from ..batches import Batches


class Sources:
    """The sources of the batches of some experiments with the same batch, dimension and method.

    Cells with the same seed, data, method and schedule share a source: they may differ in their
    learning rates. ``of_cell`` is the index of every cell's source; ``experiments``, ``mixtures``,
    ``methods`` and ``batches`` have one entry for each source, equal mixtures being one object.
    """

    def __init__(
        self, experiments: Sequence[Experiment], network: Network, device: torch.device
    ) -> None:
        keys = [_source_key(experiment) for experiment in experiments]
        places = {key: place for place, key in enumerate(dict.fromkeys(keys))}
        self.of_cell = [places[key] for key in keys]
        self.experiments = list(dict(zip(keys, experiments, strict=True)).values())
        mixtures: dict[Hashable, GaussianMixture] = {}
        methods: dict[Hashable, Method] = {}
        self.mixtures: list[GaussianMixture] = []
        self.methods: list[Method] = []
        for experiment in self.experiments:
            data, kind = _data_key(experiment), experiment.method
            if data not in mixtures:
                mixtures[data] = make_mixture(experiment.data, device)
            if (data, kind) not in methods:
                methods[data, kind] = make_method(kind, mixtures[data])
            self.mixtures.append(mixtures[data])
            self.methods.append(methods[data, kind])
        self.batches = [
            Batches(experiment, mixture, method, network, make_training_set(experiment))
            for experiment, mixture, method in zip(
                self.experiments, self.mixtures, self.methods, strict=True
            )
        ]

    def __len__(self) -> int:
        return len(self.experiments)

    def table_of(self, index: int) -> Hashable:
        """Return the key of a source's components: its mixture, or its own training set."""
        fresh = self.batches[index].fresh
        return id(self.mixtures[index]) if fresh else id(self.batches[index])


def _source_key(experiment: Experiment) -> Hashable:
    hidden = experiment.training.label_dropout if experiment.network.labels else 0
    return experiment.seed, _data_key(experiment), experiment.method, experiment.schedule, hidden


def _data_key(experiment: Experiment) -> Hashable:
    # The points of a file are compared by identity, because there may be many.
    data = experiment.data
    return data.model_dump_json(), None if data.points is None else id(data.points)


def fresh_weights(experiments: Sequence[Experiment], network: Network) -> list[Tensor]:
    """Return the first value of every parameter of ``network`` for all cells, (cells, …).

    Cells of one seed begin with the same weights. The weights of ``network`` are overwritten.
    """
    by_seed: dict[int, list[Tensor]] = {}
    for seed in dict.fromkeys(experiment.seed for experiment in experiments):
        network.initialise(generator(seed, "weights"))
        by_seed[seed] = [parameter.detach().clone() for parameter in network.parameters()]
    cells = [by_seed[experiment.seed] for experiment in experiments]
    return [torch.stack(values) for values in zip(*cells, strict=True)]

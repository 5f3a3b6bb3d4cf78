"""The distinct sources of batches among many trainings."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

import torch

from ...assemble import make_method, make_mixture
from ...config.experiment import Experiment
from ...methods import Method
from ...mixtures import GaussianMixture
from ...networks import Network
from ..batches import Batches

T = TypeVar("T")


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
            mixture = _known(mixtures, data, lambda e=experiment: make_mixture(e.data, device))
            make = lambda e=experiment, m=mixture: make_method(e.method, m)  # noqa: E731
            self.mixtures.append(mixture)
            self.methods.append(_known(methods, (data, kind), make))
        self.batches = [
            Batches(experiment, mixture, method, network)
            for experiment, mixture, method in zip(
                self.experiments, self.mixtures, self.methods, strict=True
            )
        ]

    def __len__(self) -> int:
        return len(self.experiments)


def _source_key(experiment: Experiment) -> Hashable:
    return experiment.seed, _data_key(experiment), experiment.method, experiment.schedule


def _data_key(experiment: Experiment) -> Hashable:
    # The points of a file are compared by identity, because there may be many.
    data = experiment.data
    return data.model_dump_json(), None if data.points is None else id(data.points)


def _known(values: dict[Hashable, T], key: Hashable, make: Callable[[], T]) -> T:
    """Return the value of a key, made when it is first asked for."""
    if key not in values:
        values[key] = make()
    return values[key]

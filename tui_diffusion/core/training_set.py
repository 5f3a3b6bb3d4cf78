"""A fixed training set, and the denoiser that is optimal for it.

The empirical distribution of points x_1 … x_n is a mixture of n components of std 0. Noised to
x = α x_0 + σ ε it has the ideal denoiser

    E[x_0 | x] = Σ_i x_i softmax_i(−‖x − α x_i‖² / 2σ²),

the lowest training loss of any network. Sampling with it returns the training points, so a network
generalises as far as it misses this optimum (Kamb and Ganguli 2024; Bonnaire et al. 2025).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import torch
from torch import Tensor

from .assemble import make_method, make_mixture
from .config.data_section import OPTIMA, DataConfig
from .config.experiment import Experiment
from .config.limits import MOST_TRAIN_POINTS
from .config.presets import Preset, experiment_of
from .empirical import Empirical
from .methods import IdealDenoiser
from .mixtures import GaussianMixture
from .randomness import generator
from .short_repr import short_repr

POPULATION_UNKNOWN = "population unknown: the points come from a file"
"""Why a number that needs the distribution of the data is missing."""

Optimum = Literal["population", "training set"]


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """The points of a fixed training set, at unit size and on the CPU.

    ``points`` (n, d); ``components`` (n,): the component of the data's mixture that each was drawn
    from. ``mixture`` is their empirical distribution. ``unseen`` is the distribution of data that
    the set does not hold: the population if it is ``known``, otherwise the empirical distribution
    of the rows of a file that are held out, or None if there are none.
    """

    points: Tensor
    components: Tensor
    mixture: GaussianMixture
    unseen: GaussianMixture | None
    known: bool

    def __repr__(self) -> str:
        return short_repr(self, points=len(self), dim=self.points.shape[1], known=self.known)

    def __len__(self) -> int:
        return len(self.points)

    @property
    def held_out(self) -> int | None:
        """Number of rows of a file that are held out; None if the population is known."""
        return None if self.known else self.unseen.modes if self.unseen else 0


def make_training_set(experiment: Experiment | Preset) -> TrainingSet | None:
    """Return the fixed training set of an experiment, or None if it trains on fresh draws.

    It depends on the data and the seed alone. Sets of one seed are nested: a larger one begins with
    the points of a smaller one.
    """
    experiment = experiment_of(experiment)
    return _drawn(experiment.data, experiment.seed) if experiment.data.finite else None


@lru_cache(maxsize=8)
def _drawn(data: DataConfig, seed: int) -> TrainingSet:
    mixture, random = make_mixture(data), generator(seed, "training set")
    if data.points is None:
        # All that a set can have, as a draw of fewer numbers would begin with others.
        components = mixture.components(MOST_TRAIN_POINTS, random)
        size = MOST_TRAIN_POINTS, mixture.dim
        noise = torch.randn(size, generator=random, dtype=mixture.means.dtype)
        components = components[: data.train_points].clone()
        points = mixture.points_of(components, noise[: len(components)])
        empirical = Empirical(points, labels=mixture.labels[components])
        return TrainingSet(points, components, empirical, mixture, known=True)
    rows, labels = mixture.means, mixture.labels
    order = torch.randperm(mixture.modes, generator=random)
    most = max(1, len(rows) - round(data.holdout * len(rows)))
    count = min(data.train_points or most, most)
    chosen, others = order[:count], order[count:]
    unseen = Empirical(rows[others], labels=labels[others]) if len(others) else None
    empirical = Empirical(rows[chosen], labels=labels[chosen])
    return TrainingSet(rows[chosen], chosen, empirical, unseen, known=False)


def ideal_denoiser(
    experiment: Experiment | Preset,
    of: Optimum = "population",
    device: torch.device | str = "cpu",
) -> IdealDenoiser:
    """Return the exact denoiser of an experiment's data, or that of its training set.

    Points of a file have no known population: its place is taken by their mixture, a narrow
    Gaussian at each. Raise ValueError if there is no training set.
    """
    experiment = experiment_of(experiment)
    mixture = make_mixture(experiment.data, device)
    method = make_method(experiment.method, mixture)
    if of == "population":
        return IdealDenoiser(mixture, method)
    if of not in OPTIMA:
        raise ValueError(f"of must be {' or '.join(map(repr, OPTIMA))} (got {of!r})")
    finite = make_training_set(experiment)
    if finite is None:
        raise ValueError("a training set needs data.train_points above 0 (got 0)")
    return IdealDenoiser(finite.mixture.to(device), method)

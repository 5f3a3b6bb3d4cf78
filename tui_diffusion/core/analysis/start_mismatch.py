"""The distance between the start of sampling and the true noisiest level.

A sampler that starts from pure noise assumes that the noisiest level holds nothing of the data. In
fact that level is the mixture noised to (α_0, σ_0), which no finite schedule makes a Gaussian. The
distance between the two is computed exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch

from ..assemble import mixture_for, sampling_schedule
from ..conditioning import label_of, of_label, shares, truth_of
from ..config.experiment import Experiment
from ..config.presets import Preset, experiment_of
from ..mixtures import GaussianMixture
from ..schedules import Schedule
from ..short_repr import short_repr
from .energy_distance import mixture_distance

NEGLIGIBLE = 1e-3
"""Energy distance, as a share of the noisiest level's std, too small to show in a sample."""


@dataclass(frozen=True)
class StartMismatch:
    """The sampler's start compared with the true noisiest level.

    ``alpha_bar`` = α_0². ``sigma`` = σ_0. ``signal`` = α_0 · the data's std / σ_0: the ratio of
    data to noise. ``distance``: energy distance between the start and the true noisiest level;
    ``share``: the same over that level's std.
    """

    alpha_bar: float
    sigma: float
    signal: float
    distance: float
    share: float

    def __repr__(self) -> str:
        return short_repr(self, "alpha_bar", "sigma", "signal", "distance", "share")

    @property
    def negligible(self) -> bool:
        """True if the start is as good as exact."""
        return self.share < NEGLIGIBLE


def start_of(
    experiment: Experiment,
    mixture: GaussianMixture | None = None,
    schedule: Schedule | None = None,
) -> GaussianMixture:
    """Return the exact distribution from which sampling starts."""
    whole = mixture_for(experiment, mixture)
    schedule = schedule or sampling_schedule(experiment)
    alpha, sigma = float(schedule.alphas[0]), float(schedule.sigmas[0])
    if experiment.sampling.start == "exact":
        return truth_of(experiment, whole).noised(alpha, sigma)
    centred = experiment.sampling.start == "data-mean"
    by_label = shares(experiment, whole) if centred else {label_of(experiment): 1.0}
    means = torch.stack([of_label(whole, label).mean() for label in by_label])
    return GaussianMixture(alpha * centred * means, sigma, [*by_label.values()])


@lru_cache(maxsize=64)
def start_mismatch(
    experiment: Experiment | Preset, mixture: GaussianMixture | None = None
) -> StartMismatch:
    """Measure how far the sampler's start is from the true noisiest level.

    ``mixture`` takes the place of the experiment's data.
    """
    experiment = experiment_of(experiment)
    schedule, truth = sampling_schedule(experiment), truth_of(experiment, mixture)
    alpha, sigma = float(schedule.alphas[0]), float(schedule.sigmas[0])
    noised = truth.noised(alpha, sigma)
    spread = float(truth.std().square().mean().sqrt())
    exact = experiment.sampling.start == "exact"
    distance = 0.0 if exact else mixture_distance(start_of(experiment, mixture), noised)
    std = float(noised.std().square().mean().sqrt())
    return StartMismatch(alpha**2, sigma, alpha * spread / sigma, distance, distance / std)

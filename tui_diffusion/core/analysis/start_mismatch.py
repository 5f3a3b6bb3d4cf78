"""Whether sampling starts where the noisiest level really is.

A sampler that starts from pure noise takes for granted that the last noising left nothing of the
data. The noisiest level is in truth the mixture noised to (α_0, σ_0), which no finite schedule
makes a Gaussian; how far off it is can be computed exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from ..assemble import make_mixture, sampling_schedule
from ..config.experiment import Experiment
from ..mixtures import GaussianMixture
from .energy_distance import between

NEGLIGIBLE = 1e-3
"""An energy distance below this share of the noisiest level's std is what a sample cannot show."""


@dataclass(frozen=True)
class StartMismatch:
    """The sampler's start against the true noisiest level.

    ``alpha_bar`` = α_0². ``sigma`` = σ_0. ``signal`` = α_0 · the data's std / σ_0: what is left of
    the data beside the noise. ``distance``: energy distance between start and true noisiest level;
    ``share``: the same over that level's std.
    """

    alpha_bar: float
    sigma: float
    signal: float
    distance: float
    share: float

    @property
    def negligible(self) -> bool:
        """Whether the start is as good as exact."""
        return self.share < NEGLIGIBLE


def start_of(experiment: Experiment) -> GaussianMixture:
    """The exact distribution that sampling starts from."""
    schedule, mixture = sampling_schedule(experiment), make_mixture(experiment.data)
    alpha, sigma = float(schedule.alphas[0]), float(schedule.sigmas[0])
    if experiment.sampling.start == "exact":
        return mixture.noised(alpha, sigma)
    centred = experiment.sampling.start == "data-mean"
    return GaussianMixture((alpha * centred * mixture.mean())[None], sigma)


@lru_cache(maxsize=64)
def start_mismatch(experiment: Experiment) -> StartMismatch:
    """How far the sampler's start is from the true noisiest level."""
    schedule, mixture = sampling_schedule(experiment), make_mixture(experiment.data)
    alpha, sigma = float(schedule.alphas[0]), float(schedule.sigmas[0])
    noised = mixture.noised(alpha, sigma)
    spread = float(mixture.std().square().mean().sqrt())
    exact = experiment.sampling.start == "exact"
    distance = 0.0 if exact else between(start_of(experiment), noised)
    std = float(noised.std().square().mean().sqrt())
    return StartMismatch(alpha**2, sigma, alpha * spread / sigma, distance, distance / std)

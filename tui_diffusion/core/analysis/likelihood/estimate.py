"""The likelihood of the data under a denoiser: how many nats a point it costs, and the least cost.

With p the distribution of the data and q that which the denoiser's probability-flow ODE generates,

    nll = −E_p[log q] = entropy + kl,   entropy = −E_p[log p],   kl = E_p[log p − log q] ≥ 0.

The entropy is integrated on a grid, where the data have few enough components. The divergence is a
mean over true points, whose error is small because log p and log q vary together. Both are of clean
data, unless the denoiser is defined down to some noise only: then of the data with that noise, σ/α.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from ... import notebook
from ...arguments import check_count
from ...assemble import mixture_for, scaling_of
from ...conditioning import truth_of
from ...config.experiment import Experiment
from ...config.presets import Preset, experiment_of
from ...methods import Denoiser, IdealDenoiser, check_denoiser
from ...mixtures import GaussianMixture
from ...randomness import generator
from ...schedules import Schedule
from ...short_repr import short_repr
from ..quadrature import nodes
from .probability_flow import STEPS, Flow
from .sampling_flow import MixedFlow, sampling_flow

POINTS = 1000
"""Most true points whose log-density is computed, unless more are asked for."""

_PAIRS, _FEWEST = 40_000, 100
"""Limit on pairs of a point and a component for the ideal denoiser, of which log p and log q hardly
differ, and the fewest points unless fewer are asked for."""


@dataclass(frozen=True)
class Likelihood:
    """nll = entropy + kl, in nats a point, of data with noise of std ``sigma``.

    ``error`` bounds that of kl: two standard deviations of the mean over ``points``, plus the
    difference between two step sizes. ``start`` is the divergence of the noisiest level from the
    start of sampling, the part of kl that no denoiser can remove.
    """

    nll: float
    entropy: float
    kl: float
    error: float
    start: float
    sigma: float
    points: int

    def __repr__(self) -> str:
        return short_repr(self, "nll", "entropy", "kl", "error", "sigma")

    def _repr_html_(self) -> str:
        rows = {
            "nll": self.nll,
            "entropy": self.entropy,
            "kl": f"{self.kl:.3g} ± {self.error:.2g}",
            "of the start": self.start,
        }
        return notebook.table("Nats a point", rows)


def likelihood(
    experiment: Experiment | Preset,
    denoiser: Denoiser,
    *,
    points: int | None = None,
    seed: int = 0,
    mixture: GaussianMixture | None = None,
    schedule: Schedule | None = None,
) -> Likelihood:
    """Return the likelihood of the data under a denoiser and the experiment's start.

    If one class is sampled, the data are those of the class; if all are, the density is that of
    all together.

    nll and entropy are in the data's own units; a ``mixture`` that is given has unit size. The
    same seed gives the same points for every denoiser. ``mixture`` and ``schedule`` take the place
    of those of the experiment. Raise `NoFieldError` if the denoiser has no ODE.
    """
    experiment = experiment_of(experiment)
    # In units c times as small a density is c times as low.
    units = 0.0 if mixture is not None else float(scaling_of(experiment).scale.log().sum())
    check_denoiser(denoiser)
    check_count("points", points)
    mixture = mixture_for(experiment, mixture).to("cpu")
    flow = sampling_flow(experiment, denoiser, mixture=mixture, schedule=schedule)
    mixture = truth_of(experiment, mixture)
    count = min(POINTS, max(_FEWEST, experiment.sampling.points)) if points is None else points
    if points is None and isinstance(denoiser, IdealDenoiser):
        count = min(count, max(_FEWEST, _PAIRS // mixture.modes))
    cos, sin = math.cos(flow.clean), math.sin(flow.clean)
    truth = mixture.noised(cos, sin)
    random = generator(seed, "likelihood")
    u = truth.sample(count, random, balanced=True, dtype=torch.float64)
    exact = truth.log_prob(u)
    fine, coarse = (exact - flow.log_density(u, steps=n) for n in (STEPS, STEPS // 2))
    kl = float(fine.mean())
    chance = 2 * float(fine.std()) / math.sqrt(count) if count > 1 else math.inf
    error = chance + abs(kl - float(coarse.mean()))
    # In terms of x/α = u/cos θ, the data plus noise.
    least = entropy(truth) - mixture.dim * math.log(cos) + units
    start = start_divergence(flow, mixture)
    return Likelihood(least + kl, least, kl, error, start, sin / cos, count)


def entropy(mixture: GaussianMixture) -> float:
    """Return −E[log p] of a mixture, in nats; of very many components, from a sample."""
    x, weights = _quadrature(mixture)
    return -float(weights @ mixture.log_prob(x))


def start_divergence(flow: Flow | MixedFlow, mixture: GaussianMixture) -> float:
    """Return KL(noisiest level ‖ start of sampling), in nats."""
    cos, sin = math.cos(flow.noisy), math.sin(flow.noisy)
    noised = mixture.noised(flow.scale * cos, flow.scale * sin)
    x, weights = _quadrature(noised)
    return float(weights @ (noised.log_prob(x) - flow.start.log_prob(x)))


def _quadrature(mixture: GaussianMixture) -> tuple[torch.Tensor, torch.Tensor]:
    """Return points (g, d) and weights (g,) whose weighted sums are means over a mixture."""
    x, cell = nodes(mixture)
    weights = mixture.log_prob(x).exp() if cell else torch.ones(len(x)).double()
    return x, weights / weights.sum()

"""The guidance of networks at every level, beside what it should be.

Guidance of weight w adds g = (w − 1)(main − guide) to the estimate x0_hat of the main network. With
e = E[x_0 | x, c] that of the exact denoiser, the vector to compare it with is

- classifier-free: the exact guidance (w − 1)(e − E[x_0 | x]), as the guide is to tilt the density;
- autoguidance: the exact correction e − main, as the guide is to undo the error of the network.

Both are functions of x. Their angle and lengths are those of the mean over true noised points,
⟨a, b⟩ = E[a(x)·b(x)]: a mean of the angles themselves would be that of points where both are small.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ...assemble import make_ideal, mixture_for, sampling_schedule
from ...conditioning import guided, of_label, shares
from ...config.experiment import Experiment
from ...config.presets import Preset, experiment_of
from ...guidance import GuidedDenoiser, predicted
from ...methods import Denoiser, check_denoiser
from ...mixtures import GaussianMixture
from ...randomness import generator
from ...schedules import Level
from ...short_repr import short_repr
from ..noised_points import noised_points

_POINTS = 512
"""True points of all classes at each level."""

_NIL = 1e-3
"""Length, as an error of eps_hat, below which a vector has no effect, nor an angle."""


@dataclass(frozen=True)
class LevelGuidance:
    """The guidance at a level, as lengths of x0_hat, with the vector that it should be.

    ``length`` is that of the guidance, ``exact`` that of the other; ``angle`` between the two is in
    degrees, ``ratio`` is length over exact. Both are None where ``exact`` is as good as 0.
    """

    level: int
    sigma: float
    angle: float | None
    ratio: float | None
    length: float
    exact: float

    def __repr__(self) -> str:
        return short_repr(self, "level", "sigma", "angle", "ratio", "length", "exact")


@torch.no_grad()
def guidance_by_level(
    experiment: Experiment | Preset,
    denoiser: Denoiser,
    points: int = _POINTS,
    seed: int = 0,
    mixture: GaussianMixture | None = None,
) -> list[LevelGuidance | None]:
    """Return the guidance at every sampling level, noisiest first; empty if there is none.

    ``denoiser`` is a network, not yet conditioned. A level outside the interval of guidance has
    None. ``mixture`` takes the place of the experiment's data.
    """
    experiment = experiment_of(experiment)
    check_denoiser(denoiser)
    mixture = mixture_for(experiment, mixture).to("cpu")
    ideal = make_ideal(experiment.method, mixture)
    pairs = [
        _Pair(guided(experiment, denoiser, label), guided(experiment, ideal, label), share, label)
        for label, share in shares(experiment, mixture).items()
    ]
    if not all(isinstance(pair.networks, GuidedDenoiser) for pair in pairs):
        return []
    schedule = sampling_schedule(experiment)
    return [_at_level(pairs, schedule[k], k, points, seed, mixture) for k in range(schedule.levels)]


@dataclass(frozen=True)
class _Pair:
    """The guided networks of a class with their exact counterpart, and its share of the points."""

    networks: Denoiser
    exact: Denoiser
    share: float
    label: int | None

    def vectors(self, x: Tensor, level: Level) -> tuple[Tensor, Tensor]:
        """Return the guidance at points x (n, d), and what it should be, both (n, d)."""

        def clean(denoiser: Denoiser) -> Tensor:
            return predicted(denoiser, x, level).x0_hat

        networks, exact = self.networks, self.exact
        assert isinstance(networks, GuidedDenoiser)
        main, gain = clean(networks.main), networks.weight - 1
        guidance = gain * (main - clean(networks.guide))
        if not isinstance(exact, GuidedDenoiser):
            return guidance, clean(exact) - main
        return guidance, gain * (clean(exact.main) - clean(exact.guide))


def _at_level(
    pairs: list[_Pair], level: Level, k: int, points: int, seed: int, mixture: GaussianMixture
) -> LevelGuidance | None:
    networks = pairs[0].networks
    assert isinstance(networks, GuidedDenoiser)
    alpha, sigma = float(level.alpha), float(level.sigma)
    if not networks.applies(level):
        return None
    product = own = exact = 0.0
    for pair in pairs:
        count, random = max(1, round(pair.share * points)), generator(seed, "guidance")
        x = noised_points(of_label(mixture, pair.label), alpha, sigma, count, random)
        a, b = pair.vectors(x, level)
        product += pair.share * float((a * b).sum(1).mean())
        own += pair.share * float(a.square().sum(1).mean())
        exact += pair.share * float(b.square().sum(1).mean())
    length, right = math.sqrt(own), math.sqrt(exact)
    if right * alpha <= _NIL * sigma or not length:
        return LevelGuidance(k, sigma, None, None, length, right)
    cosine = min(max(product / (length * right), -1.0), 1.0)
    return LevelGuidance(k, sigma, math.degrees(math.acos(cosine)), length / right, length, right)

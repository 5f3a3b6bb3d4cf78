"""The energy distance, exact where mixtures are known: 2 E|X−Y| − E|X−X'| − E|Y−Y'|.

Székely and Rizzo 2013; 0 only where two distributions agree. |X − Y| of two Gaussians is the length
of N(δ, v I), whose mean is known: with L = √v, in one dimension (the folded normal)

    E = L √(2/π) exp(−δ²/2v) + δ erf(δ/√(2v)),

and in two (the Rice distribution) with q = δ²/4v

    E = L √(π/2) e^{−q} ((1 + 2q) I_0(q) + 2q I_1(q)).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .mixtures import PAIRS_AT_ONCE, GaussianMixture
from .randomness import generator

_MOST = 1024
"""Components beyond which a mixture is compared by so many of them, drawn by their weights."""


def mean_length(distance: Tensor, variance: Tensor, dim: int) -> Tensor:
    """E‖N(δ, v I)‖ for ‖δ‖ = ``distance`` and v = ``variance`` ≥ 0, in 1 or 2 dimensions."""
    # Without spread the length is the distance; a tiny variance says the same without 0/0.
    variance = variance.clamp_min(1e-30)
    if dim == 1:
        z = distance / (2 * variance).sqrt()
        folded: Tensor = (2 / math.pi * variance).sqrt() * (-z * z).exp() + distance * z.erf()
        return folded
    q = distance**2 / (4 * variance)
    bessel: Tensor = (1 + 2 * q) * torch.special.i0e(q) + 2 * q * torch.special.i1e(q)
    rice: Tensor = (math.pi / 2 * variance).sqrt() * bessel
    return rice


def between(a: GaussianMixture, b: GaussianMixture) -> float:
    """Energy distance of two mixtures, exact up to 1,024 components each."""
    a, b = _few(a), _few(b)
    return max(2 * _mean_distance(a, b) - _mean_distance(a, a) - _mean_distance(b, b), 0.0)


def _few(mixture: GaussianMixture) -> GaussianMixture:
    mixture = mixture.to("cpu")
    if mixture.modes <= _MOST:
        return mixture
    chosen = mixture.components(_MOST, generator(0, "energy"))
    return GaussianMixture(mixture.means[chosen], mixture.stds[chosen])


def _mean_distance(a: GaussianMixture, b: GaussianMixture) -> float:
    """E|X − Y|."""
    variance = a.stds[:, None] ** 2 + b.stds**2
    lengths = mean_length(torch.cdist(a.means, b.means), variance, a.dim)
    return float(a.weights @ lengths @ b.weights)


def of_sample(x: Tensor, mixture: GaussianMixture) -> float:
    """Energy distance of the distribution that points x (n, d) came from, to a mixture.

    Without bias: over all pairs of different points, and exact in the mixture; so it is about 0,
    and at times just below, for points from the mixture itself.
    """
    mixture = _few(mixture)
    x = x.detach().cpu().double()
    size = max(1, PAIRS_AT_ONCE // max(mixture.modes, len(x)))
    variance = mixture.stds[None, :] ** 2
    cross = within = 0.0
    for part in torch.split(x, size):
        lengths = mean_length(torch.cdist(part, mixture.means), variance, mixture.dim)
        cross += float((lengths @ mixture.weights).sum())
        within += float(torch.cdist(part, x).sum())
    n = len(x)
    return 2 * cross / n - within / (n * max(n - 1, 1)) - _mean_distance(mixture, mixture)

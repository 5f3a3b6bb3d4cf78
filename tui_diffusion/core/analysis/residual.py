"""The irreducible residual of the clean data given a noisy point.

It is r = x_0 − E[x_0 | x] for x = α x_0 + σ ε: what no network can predict. Its second moment is
the minimum mean square error of x_0, from which `loss_floor` computes the floor of each loss.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ..mixtures import PAIRS_AT_ONCE, GaussianMixture, between_parts
from .posterior import posterior_moments, posterior_squares, within
from .quadrature import nodes


@dataclass(frozen=True)
class Residual:
    """The moments of r = x_0 − E[x_0|x]: ``square`` = E‖r‖², ``fourth`` = E‖r‖⁴."""

    square: float
    fourth: float


def residual(
    mixture: GaussianMixture, alpha: float, sigma: float, *, fourth: bool = False
) -> Residual:
    """Return the moments of the irreducible residual of x_0, to a relative error of 1e-3.

    The observation is x = α x_0 + σ ε. One Gaussian: ‖r‖² is Σ_a (s_a²σ²/v_a) χ²_1. A mixture: the
    posterior is a mixture too. Its moments are exact at every x, and integrated by the trapezoid
    rule, which converges exponentially for functions as smooth as these. Mixtures of very many
    components (points from a file) are sampled instead, to a few percent. ``fourth`` is nan unless
    requested.
    """
    mixture = mixture.to("cpu")
    if mixture.modes == 1:
        variances = within(mixture, alpha, sigma)[0]
        total = float(variances.sum())
        return Residual(total, total**2 + 2 * float(variances.square().sum()))
    noised = mixture.noised(alpha, sigma)
    points, cell = nodes(noised)
    if mixture.ellipses is not None and not fourth:
        square, density = posterior_squares(mixture, points, alpha, sigma)
        weights = density if cell else torch.ones_like(density)
        return Residual(float(weights @ square / weights.sum()), math.nan)
    if fourth or mixture.modes <= 64 or not mixture.alike:
        weights = noised.log_prob(points).exp() * cell if cell else torch.ones(len(points)).double()
        weights = weights / weights.sum()
        square, fourths = posterior_moments(mixture, points, alpha, sigma)
        return Residual(float(weights @ square), float(weights @ fourths))
    return Residual(_mmse_of_many(mixture, points, alpha, sigma, bool(cell)), math.nan)


def _mmse_of_many(
    mixture: GaussianMixture, x: Tensor, alpha: float, sigma: float, grid: bool
) -> float:
    """Return E‖r‖² for many components of one std, by matrix products.

    They are in float32, unless the std is 0: E‖r‖² may then be as small as their errors.
    E[‖r‖²|x] = d τ² + (σ²/v)² (E[‖μ‖²|x] − ‖E[μ|x]‖²). On a grid, x is weighted by its density.
    """
    variance = alpha**2 * float(mixture.stds[0]) ** 2 + sigma**2
    means, root = mixture.means, variance**0.5
    dtype = torch.float32 if mixture.stds[0] else torch.float64
    columns = torch.cat([means, means.square().sum(1, keepdim=True)], 1).to(dtype)
    centres = (alpha / root * means).to(dtype)
    offset = mixture.weights.log().to(dtype) - centres.square().sum(1) / 2
    total = weights = 0.0
    for part in torch.split((x / root).to(dtype), max(1, PAIRS_AT_ONCE // mixture.modes)):
        between_parts.get()()
        logits = torch.addmm(offset, part, centres.T)
        top = logits.max(1, keepdim=True).values
        joint = (logits - top).exp_()
        density = joint.sum(1)
        moments = (joint @ columns / density[:, None]).double()
        if grid:
            density = density * (top[:, 0] - part.square().sum(1) / 2).exp()
        else:
            density = torch.ones_like(density)
        spread = (moments[:, -1] - moments[:, :-1].square().sum(1)).clamp_min(0)
        total += float(density.double() @ spread)
        weights += float(density.double().sum())
    return (
        float(within(mixture, alpha, sigma)[0].sum()) + (sigma**2 / variance) ** 2 * total / weights
    )

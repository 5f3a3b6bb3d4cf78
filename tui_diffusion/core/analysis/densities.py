"""The exact pdf and cdf of 1D data at every noise level, with their integrals.

The plots of the post's ``detailed_DDPM``: at each level, the density of the noised data. Integral,
mean and std are computed from the curve itself, so that they reveal a wrong curve.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..mixtures import GaussianMixture
from ..schedules import Schedule
from ..short_repr import short_repr


@dataclass(frozen=True)
class Density:
    """A density on a grid: ``x, pdf, cdf`` of shape (g,), and its integral, mean and std."""

    x: Tensor
    pdf: Tensor
    cdf: Tensor
    integral: float
    mean: float
    std: float

    def __repr__(self) -> str:
        return short_repr(self, "x", "integral", "mean", "std")


def density(mixture: GaussianMixture, alpha: float, sigma: float, cells: int = 2000) -> Density:
    """Return the noised data's density over ±8 std of every component, by the trapezoid rule.

    The grid is dense where a component is narrow; the integral is 1 to 1e-6.
    """
    noised = mixture.noised(alpha, sigma).to("cpu")
    reach = torch.linspace(-8, 8, cells, dtype=torch.float64)
    grid = (noised.means + noised.stds[:, None] * reach).flatten().sort().values
    pdf = noised.log_prob(grid[:, None]).exp()
    cdf = noised.cdf(grid[:, None])
    integral = float(torch.trapezoid(pdf, grid))
    mean = float(torch.trapezoid(pdf * grid, grid))
    variance = float(torch.trapezoid(pdf * (grid - mean) ** 2, grid))
    return Density(grid, pdf, cdf, integral, mean, max(variance, 0.0) ** 0.5)


def densities(mixture: GaussianMixture, schedule: Schedule) -> list[Density]:
    """Return one `Density` for every level, noisiest first."""
    return [
        density(mixture, float(a), float(s))
        for a, s in zip(schedule.alphas, schedule.sigmas, strict=True)
    ]


def goal_moments(mixture: GaussianMixture, schedule: Schedule) -> tuple[Tensor, Tensor]:
    """Return the exact mean and std of each coordinate at every level, both (N + 1, d)."""
    alphas = schedule.alphas.to(mixture.means)[:, None]
    sigmas = schedule.sigmas.to(mixture.means)[:, None]
    mean = alphas * mixture.mean()
    return mean, (alphas**2 * mixture.std() ** 2 + sigmas**2).sqrt()

"""True points of a distribution, noised to a level: inputs on which a denoiser is measured."""

from __future__ import annotations

import torch
from torch import Tensor

from ..mixtures import GaussianMixture


def noised_points(
    mixture: GaussianMixture, alpha: float, sigma: float, count: int, random: torch.Generator
) -> Tensor:
    """Draw x = α x_0 + σ ε, shape (count, d), float64; components in proportion to weights."""
    x0 = mixture.sample(count, random, balanced=True, dtype=torch.float64)
    return alpha * x0 + sigma * torch.randn(x0.shape, generator=random, dtype=x0.dtype)

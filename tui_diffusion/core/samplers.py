"""One reverse step a sampler: a pure function of (x, level, denoiser, z).

z ~ N(0, I) is handed in, of x's shape, so that a step can be repeated, shared between samplers
and compared.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from .experiment import SamplingConfig
from .methods import Denoiser
from .schedules import Level


@dataclass(frozen=True)
class Step:
    """One reverse step, x → x_next = mean + noise; tensors of shape (n, d)."""

    x: Tensor
    eps_hat: Tensor
    x0_hat: Tensor
    mean: Tensor
    noise: Tensor
    x_next: Tensor
    alpha: float
    sigma: float


Sampler = Callable[[Tensor, Level, Denoiser, Tensor], Step]


def naive(x: Tensor, level: Level, denoiser: Denoiser, z: Tensor) -> Step:
    """x' = x − output: the post's."""
    said = denoiser(x, level)
    mean = x - said.output
    return _step(x, level, said.eps_hat, said.x0_hat, mean, torch.zeros_like(x))


def ddpm(x: Tensor, level: Level, denoiser: Denoiser, z: Tensor, *, posterior: bool = True) -> Step:
    """x' ~ N((x − β/σ · eps_hat)/√α, variance): Ho et al. 2020, Algorithm 2.

    Written for any pair of levels: with a = α/α' and added variance b = σ² − a²σ'² (Ho's β_t when
    α² + σ² = 1), mean = (x − b/σ · eps_hat)/a, and the variance is b σ'²/σ² (the posterior's, β̃)
    or b.
    """
    said = denoiser(x, level)
    alpha, sigma = float(level.alpha), float(level.sigma)
    scale = alpha / float(level.alpha_next)
    added = sigma**2 - scale**2 * float(level.sigma_next) ** 2
    mean = (x - added / sigma * said.eps_hat) / scale
    variance = added * (float(level.sigma_next) / sigma) ** 2 if posterior else added
    return _step(x, level, said.eps_hat, said.x0_hat, mean, variance**0.5 * z)


def _step(
    x: Tensor, level: Level, eps_hat: Tensor, x0_hat: Tensor, mean: Tensor, noise: Tensor
) -> Step:
    alpha, sigma = float(level.alpha), float(level.sigma)
    return Step(x, eps_hat, x0_hat, mean, noise, mean + noise, alpha, sigma)


def make_sampler(config: SamplingConfig, levels: int) -> Sampler:
    """The sampler of a configuration, with its rule for where noise is added.

    The last ``config.quiet`` of the ``levels`` steps take z = 0.
    """
    if config.sampler == "naive":
        return naive

    def quietened(x: Tensor, level: Level, denoiser: Denoiser, z: Tensor) -> Step:
        last = level.index is not None and level.index >= levels - config.quiet
        return ddpm(
            x,
            level,
            denoiser,
            torch.zeros_like(z) if last else z,
            posterior=config.variance == "posterior",
        )

    return quietened

"""The stochastic sampler of Karras et al. 2022: new noise, then a step of the ODE."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from ..methods import Denoiser
from ..schedules import Level
from .one_step import heun
from .step import Step, ends


def edm_stochastic(
    x: Tensor,
    level: Level,
    denoiser: Denoiser,
    z: Tensor,
    previous: Step | None = None,
    *,
    s_churn: float = 10.0,
    s_min: float = 0.05,
    s_max: float = 50.0,
    s_noise: float = 1.0,
) -> Step:
    """Raise the noise to σ̂ = (1 + γ) σ with x̂ = x + √(σ̂² − σ²) s_noise z, then take a `heun` step.

    Karras et al. 2022, Algorithm 2, over N levels: γ = min(s_churn/N, √2 − 1) for s_min ≤ σ/α ≤
    s_max, else 0. With s_churn = 0 it is `heun`.
    """
    alpha, sigma, *_ = ends(level)
    churns = s_min * alpha <= sigma <= s_max * alpha
    gamma = min(s_churn / _count(level), 2**0.5 - 1) if churns else 0.0
    raised = sigma * (1 + gamma)
    noise = (raised**2 - sigma**2) ** 0.5 * s_noise * z
    step = heun(x + noise, replace(level, sigma=raised), denoiser, z)
    mean = step.x_next - noise
    return replace(step, x=x, mean=mean, noise=noise, x_next=mean + noise, sigma=sigma)


def _count(level: Level) -> int:
    """Return N, the number of levels of the schedule."""
    count = level.index or 0
    following: Level | None = level
    while following is not None:
        count, following = count + 1, following.following
    return count

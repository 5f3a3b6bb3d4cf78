"""The discrete chains: naive, DDPM and DDIM."""

from __future__ import annotations

from torch import Tensor

from ..methods import Denoiser
from ..schedules import Level
from .step import Step, added_variance, ends, step_of


def naive(
    x: Tensor, level: Level, denoiser: Denoiser, z: Tensor, previous: Step | None = None
) -> Step:
    """Subtract the output, x' = x − output: the sampler of the post."""
    prediction = denoiser(x, level)
    return step_of(x, level, prediction, x - prediction.output)


def ddpm(
    x: Tensor,
    level: Level,
    denoiser: Denoiser,
    z: Tensor,
    previous: Step | None = None,
    *,
    posterior: bool = True,
) -> Step:
    """Draw x' ~ N((x − β/σ · eps_hat)/√α, variance): Ho et al. 2020, Algorithm 2.

    Generalised to any pair of levels, as in the paper's eq. 7: with a = α/α' and added variance b =
    σ² − a²σ'² (Ho's β_t if α² + σ² = 1), mean = α' x0_hat + a σ'²/σ · eps_hat. The variance is b
    σ'²/σ² (the posterior's, β̃) if ``posterior``, else b.
    """
    prediction = denoiser(x, level)
    _, sigma, alpha_next, sigma_next = ends(level)
    scale, added = added_variance(level)
    mean = alpha_next * prediction.x0_hat + scale * sigma_next**2 / sigma * prediction.eps_hat
    variance = added * (sigma_next / sigma) ** 2 if posterior else added
    return step_of(x, level, prediction, mean, variance**0.5 * z)


def ddim(
    x: Tensor,
    level: Level,
    denoiser: Denoiser,
    z: Tensor,
    previous: Step | None = None,
    *,
    eta: float = 0.0,
) -> Step:
    """Return x' = α' x0_hat + √(σ'² − s²) eps_hat + s z with s = η σ'/σ √b.

    Song et al. 2021, eq. 12. η = 0 is the Euler step of the ODE; η = 1 is a DDPM step with the
    posterior variance.
    """
    prediction = denoiser(x, level)
    _, sigma, alpha_next, sigma_next = ends(level)
    spread = eta * sigma_next / sigma * added_variance(level)[1] ** 0.5
    mean = (
        alpha_next * prediction.x0_hat
        + max(sigma_next**2 - spread**2, 0.0) ** 0.5 * prediction.eps_hat
    )
    return step_of(x, level, prediction, mean, spread * z)

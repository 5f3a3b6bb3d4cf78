"""Ancestral steps: a step of the ODE to less noise than the next level's, then fresh noise.

With r = (σ'/α')/(σ/α), the step goes to the noise σ' r and adds σ' √(1 − r²) z: the variances of
the Gaussian posterior (Ho et al. 2020, Song et al. 2021, appendix F). Halfway from this level to
σ' r in ln(σ/α) lies the next level, so that a second evaluation needs no level in between.
"""

from __future__ import annotations

from torch import Tensor

from ..methods import Denoiser
from ..schedules import Level
from .step import LEAST_REMAINING, Step, ends, remaining, step_of


def euler_ancestral(
    x: Tensor, level: Level, denoiser: Denoiser, z: Tensor, previous: Step | None = None
) -> Step:
    """Return x' = α' x0_hat + σ' r eps_hat + σ' √(1 − r²) z.

    An Euler step, then noise (Crowson's k-diffusion). It equals `ddpm` with the posterior variance.
    """
    prediction = denoiser(x, level)
    _, _, alpha_next, sigma_next = ends(level)
    r = remaining(level)
    mean = alpha_next * prediction.x0_hat + sigma_next * r * prediction.eps_hat
    return step_of(x, level, prediction, mean, sigma_next * (1 - r**2) ** 0.5 * z)


def dpm2_ancestral(
    x: Tensor, level: Level, denoiser: Denoiser, z: Tensor, previous: Step | None = None
) -> Step:
    """Return the step of `euler_ancestral` with eps_hat estimated at the next level.

    x' = α' x/α + (σ' r − α' σ/α) eps_hat_m + σ' √(1 − r²) z, with eps_hat_m at x_m = α' x0_hat +
    σ' eps_hat, halfway on the ODE (k-diffusion, after DPM-Solver-2 of Lu et al. 2022). The last
    step, to clean data, and one from r < 1e-6 have eps_hat_m = eps_hat.
    """
    prediction = denoiser(x, level)
    _, _, alpha_next, sigma_next = ends(level)
    r = remaining(level)
    mean = alpha_next * prediction.x0_hat + sigma_next * r * prediction.eps_hat
    if level.following is not None and r > LEAST_REMAINING:
        middle = alpha_next * prediction.x0_hat + sigma_next * prediction.eps_hat
        # (σ' r − α' σ/α) times the change of eps_hat, without the rounding error of a difference
        change = denoiser(middle, level.following).x0_hat - prediction.x0_hat
        mean = mean + alpha_next * (1 / r - r) * change
    return step_of(x, level, prediction, mean, sigma_next * (1 - r**2) ** 0.5 * z)


def dpmpp_2s_ancestral(
    x: Tensor, level: Level, denoiser: Denoiser, z: Tensor, previous: Step | None = None
) -> Step:
    """Return x' = (σ'/σ) r x + α' (1 − r²) D + σ' √(1 − r²) z with D = x0_hat at the next level.

    DPM-Solver++(2S), Lu et al. 2022, Algorithm 1, in k-diffusion's ancestral form: D is estimated
    at α' x0_hat + σ' eps_hat, halfway on the ODE. The last step, to clean data, has D = x0_hat.
    """
    prediction = denoiser(x, level)
    _, sigma, alpha_next, sigma_next = ends(level)
    r, clean = remaining(level), prediction.x0_hat
    if level.following is not None:
        middle = alpha_next * prediction.x0_hat + sigma_next * prediction.eps_hat
        clean = denoiser(middle, level.following).x0_hat
    mean = sigma_next / sigma * r * x + alpha_next * (1 - r**2) * clean
    return step_of(x, level, prediction, mean, sigma_next * (1 - r**2) ** 0.5 * z)

"""Solvers of the reverse-time stochastic differential equation.

With y = x/α and s = σ/α it is dy = 2 eps_hat ds + √(2 s) dw, s falling (Song et al. 2021, Karras et
al. 2022, eq. 6 with β = σ̇/σ). The DPM-Solver++ forms integrate it exactly for a constant x0_hat:
with r = (σ'/α')/(σ/α), x' = (σ'/σ) r x + α' (1 − r²) x0_hat + σ' √(1 − r²) z (Lu et al. 2022).
"""

from __future__ import annotations

import math

from torch import Tensor

from ..methods import Denoiser
from ..schedules import Level
from .earlier import earlier, weights
from .step import Step, ends, halfway, log_snr, remaining, step_of, two_noises


def euler_maruyama(
    x: Tensor, level: Level, denoiser: Denoiser, z: Tensor, previous: Step | None = None
) -> Step:
    """Return x' = α' x/α + 2 (σ' − α' σ/α) eps_hat + α' √(2 s (s − s')) z with s = σ/α.

    The Euler-Maruyama step. The last step, to clean data, takes x0_hat; one from α = 0, where s is
    infinite, draws x' = α' x0_hat + σ' z.
    """
    prediction = denoiser(x, level)
    alpha, sigma, alpha_next, sigma_next = ends(level)
    mean, spread = alpha_next * prediction.x0_hat, sigma_next
    if alpha and sigma_next:
        s, s_next = sigma / alpha, sigma_next / alpha_next
        mean = mean + alpha_next * (2 * s_next - s) * prediction.eps_hat
        spread = alpha_next * (2 * s * max(s - s_next, 0.0)) ** 0.5
    return step_of(x, level, prediction, mean, spread * z)


def dpmpp_sde(
    x: Tensor, level: Level, denoiser: Denoiser, z: Tensor, previous: Step | None = None
) -> Step:
    """Return x' = (σ'/σ) r x + α' (1 − r²) D + σ' √(1 − r²) z', with D = x0_hat halfway.

    DPM-Solver++ (Lu et al. 2022) for the SDE, in k-diffusion's form with its midpoint at half the
    growth of ln(α/σ): x_m is a step of the same form to √(α α') and √(σ σ'), where D is estimated.
    The first half of z (n, 2d) is the noise of that step; z' contains it, as one path of the SDE
    does. The last step, to clean data, has D = x0_hat.
    """
    prediction = denoiser(x, level)
    first, second = two_noises(x, z)
    clean, r = prediction.x0_hat, remaining(level)
    middle = halfway(level)
    noise = second
    if middle is not None:
        alpha, sigma = float(middle.alpha), float(middle.sigma)
        shrink = sigma / float(level.sigma) * r**0.5
        x_middle = shrink * x + alpha * (1 - r) * clean + sigma * (1 - r) ** 0.5 * first
        clean = denoiser(x_middle, middle).x0_hat
        # Of the variance 1 − r² of the noise, r (1 − r) came before the midpoint.
        noise = (r / (1 + r)) ** 0.5 * first + (1 / (1 + r)) ** 0.5 * second
    mean, spread = _decayed(x, level, clean)
    return step_of(x, level, prediction, mean, spread * noise)


def dpmpp_2m_sde(
    x: Tensor, level: Level, denoiser: Denoiser, z: Tensor, previous: Step | None = None
) -> Step:
    """Return x' = (σ'/σ) r x + α' (1 − r²) D + σ' √(1 − r²) z with the D of `dpmpp_2m`.

    SDE-DPM-Solver++(2M), Lu et al. 2022, in k-diffusion's midpoint form.
    """
    prediction = denoiser(x, level)
    alpha, sigma, alpha_next, sigma_next = ends(level)
    clean = prediction.x0_hat
    positions, steps = earlier(level, previous, 1, log_snr) if sigma_next else ([], [])
    for at, step in zip(positions, steps, strict=True):
        h = log_snr(alpha_next, sigma_next) - log_snr(alpha, sigma)
        clean = clean + (step.x0_hat - clean) * (h / (2 * at))
    mean, spread = _decayed(x, level, clean)
    return step_of(x, level, prediction, mean, spread * z)


def dpmpp_3m_sde(
    x: Tensor, level: Level, denoiser: Denoiser, z: Tensor, previous: Step | None = None
) -> Step:
    """Return x' = (σ'/σ) r x + α' Σ_j w_j x0_hat_j + σ' √(1 − r²) z, with up to two earlier steps.

    As in k-diffusion, where the term of second order is halved, a polynomial in λ = ln(α/σ) through
    the x0_hat_j is integrated: w_j = ∫ L_j(λ) 2 exp(2λ − 2λ') dλ. The last step has D = x0_hat.
    """
    prediction = denoiser(x, level)
    alpha, sigma, alpha_next, sigma_next = ends(level)
    mean, spread = _decayed(x, level, prediction.x0_hat)
    positions, steps = earlier(level, previous, 2, log_snr) if sigma_next else ([], [])
    if steps:
        h = log_snr(alpha_next, sigma_next) - log_snr(alpha, sigma)
        moments = [-math.expm1(-2 * h)]
        for n in (1, 2):
            moments.append(h**n - n / 2 * moments[-1])
        shares = weights([0.0, *positions], moments)
        for share, step in zip(shares[1:], steps, strict=True):
            mean = mean + alpha_next * share * (step.x0_hat - prediction.x0_hat)
    return step_of(x, level, prediction, mean, spread * z)


def _decayed(x: Tensor, level: Level, clean: Tensor) -> tuple[Tensor, float]:
    """Return mean and spread of the exact step for a constant x0_hat."""
    _, sigma, alpha_next, sigma_next = ends(level)
    r = remaining(level)
    mean = sigma_next / sigma * r * x + alpha_next * (1 - r**2) * clean
    return mean, sigma_next * (1 - r**2) ** 0.5

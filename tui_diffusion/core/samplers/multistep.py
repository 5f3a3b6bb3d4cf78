"""Solvers of the probability-flow ODE that use earlier steps.

With y = x/α, s = σ/α and λ = −ln s the ODE is dy = eps_hat ds, or d(y/s) = x0_hat d(1/s). A
polynomial through the last estimates is integrated exactly. The first step, and one from α = 0,
where s is infinite, has no earlier estimate to use: it is an Euler step.
"""

from __future__ import annotations

import math

from torch import Tensor

from ..methods import Denoiser
from ..schedules import Level
from .earlier import earlier, weights
from .step import Step, ends, log_snr, step_of


def dpmpp_2m(
    x: Tensor, level: Level, denoiser: Denoiser, z: Tensor, previous: Step | None = None
) -> Step:
    """Return x' = (σ'/σ) x + (α' − α σ'/σ) D: DPM-Solver++(2M), Lu et al. 2022, Algorithm 2.

    D = x0_hat + (x0_hat − previous x0_hat) h/(2 h_previous), where h is the growth of ln(α/σ). The
    first step, and the last, to clean data, take D = x0_hat.
    """
    prediction = denoiser(x, level)
    alpha, sigma, alpha_next, sigma_next = ends(level)
    extrapolated = prediction.x0_hat
    if previous is not None and sigma_next:
        h = log_snr(alpha_next, sigma_next) - log_snr(alpha, sigma)
        h_previous = log_snr(alpha, sigma) - log_snr(previous.alpha, previous.sigma)
        if h_previous:  # two levels may be equal in floating point
            extrapolated = extrapolated + (extrapolated - previous.x0_hat) * (h / (2 * h_previous))
    shrink = sigma_next / sigma
    return step_of(x, level, prediction, shrink * x + (alpha_next - alpha * shrink) * extrapolated)


def lms(
    x: Tensor, level: Level, denoiser: Denoiser, z: Tensor, previous: Step | None = None
) -> Step:
    """Return x' = α' (x/α + Σ_j w_j eps_hat_j), j over this step and up to three before it.

    The linear multistep method of Adams and Bashforth: w_j = ∫ L_j(s) ds from s = σ/α to σ'/α',
    with the polynomials L_j that interpolate in s (Karras et al. 2022 and Crowson's k-diffusion).
    """
    prediction = denoiser(x, level)
    alpha, sigma, alpha_next, sigma_next = ends(level)
    mean = alpha_next * prediction.x0_hat + sigma_next * prediction.eps_hat
    positions, steps = earlier(level, previous, 3, _ratio)
    if steps:
        length = sigma_next / alpha_next - sigma / alpha
        scaled = [0.0, *(position / length for position in positions)]
        shares = weights(scaled, [1 / (n + 1) for n in range(4)])
        for share, step in zip(shares[1:], steps, strict=True):
            mean = mean + alpha_next * length * share * (step.eps_hat - prediction.eps_hat)
    return step_of(x, level, prediction, mean)


def deis(
    x: Tensor, level: Level, denoiser: Denoiser, z: Tensor, previous: Step | None = None
) -> Step:
    """Return x' = α' (x/α + Σ_j w_j eps_hat_j), j over this step and up to two before it.

    tAB-DEIS, Zhang and Chen 2023, with polynomials in ln s: w_j = ∫ L_j(ln s) ds from s = σ/α to
    σ'/α'. The last step, to clean data, is an Euler step.
    """
    prediction = denoiser(x, level)
    alpha, sigma, alpha_next, sigma_next = ends(level)
    mean = alpha_next * prediction.x0_hat + sigma_next * prediction.eps_hat
    positions, steps = earlier(level, previous, 2, log_snr) if sigma_next else ([], [])
    if steps:
        h = log_snr(alpha_next, sigma_next) - log_snr(alpha, sigma)
        moments = [-math.expm1(-h)]  # ∫ vⁿ exp(−v) dv from 0 to h, with v = λ' − λ
        for n in (1, 2):
            moments.append(n * moments[-1] - h**n * math.exp(-h))
        shares = weights([0.0, *positions], moments)
        for share, step in zip(shares[1:], steps, strict=True):
            change = step.eps_hat - prediction.eps_hat
            mean = mean - alpha_next * sigma / alpha * share * change
    return step_of(x, level, prediction, mean)


def _ratio(alpha: float, sigma: float) -> float:
    """Return σ/α, ∞ if nothing of the data is left."""
    return sigma / alpha if alpha else math.inf

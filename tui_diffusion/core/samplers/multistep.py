"""Solvers of the probability-flow ODE that use earlier steps."""

from __future__ import annotations

from torch import Tensor

from ..methods import Denoiser
from ..schedules import Level
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

"""UniPC: a multistep solver that corrects every step with the estimate at its end."""

from __future__ import annotations

import math

from torch import Tensor

from ..methods import Denoiser
from ..schedules import Level
from .earlier import earlier
from .step import Step, ends, log_snr, step_of


def unipc(
    x: Tensor, level: Level, denoiser: Denoiser, z: Tensor, previous: Step | None = None
) -> Step:
    """Correct x with x0_hat at x, then return x' = (σ'/σ) x + (α' − α σ'/σ) (x0_hat + δ'/2).

    Zhao et al. 2023, UniPC-2 with B(h) = e^h − 1. One evaluation serves both. δ' is the change of
    x0_hat over the step if it goes on as in the last one. If that last step had the size h in
    ln(α/σ), was expected to change x0_hat by δ and changed it by Δ, the corrected x is

        x + α (1 − e^−h) ((ρ − 1/2) δ + (b₁ − ρ) Δ)  with  ρ = (b₁ − b₂)/(1 + h_before/h),

    b₁ = 1/(1 − e^−h) − 1/h, b₂ = 1/(1 − e^−h) − 2 b₁/h; after a first step, x + α (1 − e^−h) Δ/2.
    The last step, to clean data, takes δ' = 0.
    """
    prediction = denoiser(x, level)
    alpha, sigma, alpha_next, sigma_next = ends(level)
    clean = prediction.x0_hat
    corrected = x
    if previous is not None:
        corrected = x + _lacking(alpha, sigma, clean, previous)
    ahead = clean
    positions, steps = earlier(level, previous, 1, log_snr) if sigma_next else ([], [])
    for at, step in zip(positions, steps, strict=True):
        h = log_snr(alpha_next, sigma_next) - log_snr(alpha, sigma)
        ahead = clean + (step.x0_hat - clean) * h / (2 * at)
    shrink = sigma_next / sigma
    mean = shrink * corrected + (alpha_next - alpha * shrink) * ahead
    return step_of(x, level, prediction, mean)


def _lacking(alpha: float, sigma: float, clean: Tensor, last: Step) -> Tensor | float:
    """Return what the last step, to this level with the estimate ``clean``, should have added."""
    h = log_snr(alpha, sigma) - log_snr(last.alpha, last.sigma)
    if not 0 < h < math.inf:
        return 0.0
    decay, change = -math.expm1(-h), clean - last.x0_hat
    level = Level(last.alpha, last.sigma, alpha, sigma)
    positions, steps = earlier(level, last.previous, 1, log_snr)
    if not steps:
        return alpha * decay / 2 * change
    (at,), (before,) = positions, steps
    expected = (before.x0_hat - last.x0_hat) * h / at
    b1 = 1 / decay - 1 / h
    b2 = 1 / decay - 2 * b1 / h
    rho = (b1 - b2) / (1 - at / h)
    return alpha * decay * ((rho - 0.5) * expected + (b1 - rho) * change)

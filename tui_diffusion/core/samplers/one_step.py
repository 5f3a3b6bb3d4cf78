"""Solvers of the probability-flow ODE that use one step: Euler, Heun and DPM-Solver-2."""

from __future__ import annotations

from torch import Tensor

from ..methods import Denoiser
from ..schedules import Level
from .step import Step, ends, halfway, move, step_of


def euler(
    x: Tensor, level: Level, denoiser: Denoiser, z: Tensor, previous: Step | None = None
) -> Step:
    """Return x' = x + (α' − α) x0_hat + (σ' − σ) eps_hat = α' x0_hat + σ' eps_hat.

    First order: Euler's method for the probability-flow ODE.
    """
    prediction = denoiser(x, level)
    return step_of(x, level, prediction, move(x, level, prediction.x0_hat, prediction.eps_hat))


def heun(
    x: Tensor, level: Level, denoiser: Denoiser, z: Tensor, previous: Step | None = None
) -> Step:
    """Repeat an Euler step with the mean of the slopes at its two ends: second order.

    Karras et al. 2022, Algorithm 1. The last step, to clean data, is an Euler step.
    """
    prediction = denoiser(x, level)
    mean = move(x, level, prediction.x0_hat, prediction.eps_hat)
    if level.following is not None:
        ahead = denoiser(mean, level.following)
        x0_hat, eps_hat = (
            (prediction.x0_hat + ahead.x0_hat) / 2,
            (prediction.eps_hat + ahead.eps_hat) / 2,
        )
        mean = move(x, level, x0_hat, eps_hat)
    return step_of(x, level, prediction, mean)


def dpm2(
    x: Tensor, level: Level, denoiser: Denoiser, z: Tensor, previous: Step | None = None
) -> Step:
    """Return x' = α' (x/α + (σ'/α' − σ/α) eps_hat_m), eps_hat_m estimated halfway: second order.

    DPM-Solver-2, Lu et al. 2022, in the form of Karras et al. 2022. Halfway in ln(σ/α) lie α_m =
    √(α α') and σ_m = √(σ σ'), where x_m = α_m x0_hat + σ_m eps_hat. The last step, to clean data,
    and one that leaves less than 1e-6 of σ/α are Euler steps.
    """
    prediction = denoiser(x, level)
    alpha, sigma, alpha_next, sigma_next = ends(level)
    mean = alpha_next * prediction.x0_hat + sigma_next * prediction.eps_hat
    middle = halfway(level)
    if middle is not None:
        ratio = float(middle.sigma) / float(middle.alpha)
        x_middle = middle.alpha * prediction.x0_hat + middle.sigma * prediction.eps_hat
        # The change of eps_hat, without the rounding error of a difference
        change = (prediction.x0_hat - denoiser(x_middle, middle).x0_hat) / ratio
        mean = mean + (sigma_next - sigma * alpha_next / alpha) * change
    return step_of(x, level, prediction, mean)

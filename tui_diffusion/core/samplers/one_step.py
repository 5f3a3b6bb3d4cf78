"""Solvers of the probability-flow ODE that use one step: Euler and Heun."""

from __future__ import annotations

from torch import Tensor

from ..methods import Denoiser
from ..schedules import Level
from .step import Step, move, step_of


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

"""Noise levels with fixed ends that can be made as fine as wanted, and the exact ODE along them."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..config.presets import PRESETS
from ..config.sections import ScheduleConfig
from ..mixtures import GaussianMixture
from ..schedules import Schedule

GREATEST, LEAST = 5.0, 0.01
"""Ends of the ratio σ/α between which the order of convergence is measured."""

_RHO = 7.0
_STEPS = 200


def usual_config(kind: str) -> ScheduleConfig:
    """Return the settings of a schedule in the first preset that has it, or else its defaults."""
    configs = [preset.experiment.schedule for preset in PRESETS.values()]
    return next((c for c in configs if c.kind == kind), None) or ScheduleConfig(kind=kind)


def noise_path(like: Schedule, levels: int, least: float = LEAST) -> Schedule:
    """Return levels with σ/α from 5 to ``least`` as Karras et al. 2022 space them, then clean.

    α is 1, 1 − σ or √(1 − σ²), as in the schedule ``like``.
    """
    fraction = torch.linspace(0, 1, levels, dtype=torch.float64)
    first, last = GREATEST ** (1 / _RHO), least ** (1 / _RHO)
    ratio = torch.cat([(first + fraction * (last - first)) ** _RHO, torch.zeros(1)])
    if bool((like.alphas == 1).all()):
        alphas = torch.ones_like(ratio)
    elif torch.allclose(like.alphas + like.sigmas, torch.ones_like(like.alphas)):
        alphas = 1 / (1 + ratio)
    else:
        alphas = (1 + ratio.square()) ** -0.5
    return Schedule(alphas, ratio * alphas)


def exact_end(mixture: GaussianMixture, y: Tensor, steps: int = _STEPS) -> Tensor:
    """Return where the probability-flow ODE leads y = x/α (n, d) from σ/α = 5 to 0.01.

    dy/du = y − E[x_0 | y] with u = ln(σ/α), by the classical Runge-Kutta method of order 4.
    """

    def slope(at: Tensor, u: float) -> Tensor:
        return at - mixture.denoise(at, 1.0, math.exp(u))

    h = math.log(LEAST / GREATEST) / steps
    for k in range(steps):
        u = math.log(GREATEST) + k * h
        k1 = slope(y, u)
        k2 = slope(y + h / 2 * k1, u + h / 2)
        k3 = slope(y + h / 2 * k2, u + h / 2)
        k4 = slope(y + h * k3, u + h)
        y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return y

"""Noise levels with fixed ends that can be made as fine as wanted, and the exact ODE along them."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor

from ..config.presets import PRESETS
from ..config.schedule_section import ScheduleConfig
from ..mixtures import GaussianMixture
from ..schedules import Schedule

GREATEST, LEAST = 5.0, 0.01
"""Ends of the ratio σ/α between which the order of convergence is measured."""

_RHO = 7.0
_STEP = 0.03
"""The longest step in ln(σ/α) of the exact ODE."""


def usual_config(kind: str) -> ScheduleConfig:
    """Return the settings of a schedule in the first preset that has it, or else its defaults."""
    configs = [preset.experiment.schedule for preset in PRESETS.values()]
    return next((c for c in configs if c.kind == kind), None) or ScheduleConfig(kind=kind)


def ratios(levels: int, least: float = LEAST) -> Tensor:
    """Return so many σ/α from 5 to ``least``, spaced as in Karras et al. 2022, eq. 5."""
    fraction = torch.linspace(0, 1, levels, dtype=torch.float64)
    first, last = GREATEST ** (1 / _RHO), least ** (1 / _RHO)
    spaced: Tensor = (first + fraction * (last - first)) ** _RHO
    return spaced


def noise_path(like: Schedule, levels: int, least: float = LEAST) -> Schedule:
    """Return the levels of `ratios`, then the clean one.

    α is 1, 1 − σ or √(1 − σ²), as in the schedule ``like``.
    """
    ratio = torch.cat([ratios(levels, least), torch.zeros(1)])
    if bool((like.alphas == 1).all()):
        alphas = torch.ones_like(ratio)
    elif torch.allclose(like.alphas + like.sigmas, torch.ones_like(like.alphas)):
        alphas = 1 / (1 + ratio)
    else:
        alphas = (1 + ratio.square()) ** -0.5
    return Schedule(alphas, ratio * alphas)


def exact_path(mixture: GaussianMixture, y: Tensor, at: Iterable[float]) -> dict[float, Tensor]:
    """Return where the probability-flow ODE leads y = x/α (n, d) from σ/α = 5, at each σ/α.

    dy/du = y − E[x_0 | y] with u = ln(σ/α), by the classical Runge-Kutta method of order 4.
    """

    def slope(at: Tensor, u: float) -> Tensor:
        return at - mixture.denoise(at, 1.0, math.exp(u))

    path, u = {}, math.log(GREATEST)
    for ratio in sorted(at, reverse=True):
        steps = max(1, math.ceil((u - math.log(ratio)) / _STEP))
        h = (math.log(ratio) - u) / steps
        for _ in range(steps):
            k1 = slope(y, u)
            k2 = slope(y + h / 2 * k1, u + h / 2)
            k3 = slope(y + h / 2 * k2, u + h / 2)
            k4 = slope(y + h * k3, u + h)
            y, u = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4), u + h
        path[ratio] = y
    return path

"""The bound on the divergence of samples from the data, with each noise level's share in nats."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch

from ...methods import AnyLevel, Method
from ...schedules import Level


def target_gain(method: Method, level: Level) -> float:
    """Return a − b α/σ of the target at a level, the target's change by one of x_0 at fixed x."""
    one, none = torch.ones(1, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
    apart = method.target(none, none, level)
    a, b = method.target(one, none, level) - apart, method.target(none, one, level) - apart
    return float(a[0]) - float(b[0]) * float(level.alpha) / float(level.sigma)


def nats_by_level(
    method: Method, levels: Sequence[Level], excesses: Sequence[float]
) -> list[float | None]:
    """Return each level's share of ∫ e(s)/s³ ds, with s = σ/α and e = E‖x0_hat − E[x_0|x]‖².

    That integral, with the divergence of the start, bounds the divergence of what the reverse
    diffusion generates from the data, in nats a point: Song et al. 2021, Maximum Likelihood
    Training of Score-Based Diffusion Models, theorem 1. ``excesses`` are those of the outputs,
    E‖output − E[T|x]‖². The integrand over ln s is e/s², the square error of eps_hat. It is summed
    by the trapezoid rule; where s is infinite, e itself over 1/(2s²). For a method that covers
    every noise level, the score is held constant below the last level, which adds half of its
    e/s².
    """
    gains = [target_gain(method, level) for level in levels]
    known = [k for k, gain in enumerate(gains) if gain]
    nats: list[float | None] = [None] * len(levels)
    s = [float(at.sigma) / float(at.alpha) if at.alpha else math.inf for at in levels]
    for k in known:
        excess, nats[k] = excesses[k] / gains[k] ** 2, 0.0
        if k == known[-1] and isinstance(method, AnyLevel):
            nats[k] = excess / s[k] ** 2 / 2
    for noisy, clean in pairwise(known):
        for k in (noisy, clean):
            excess = excesses[k] / gains[k] ** 2
            if math.isinf(s[noisy]):
                share = excess / (4 * s[clean] ** 2)
            else:
                share = excess / s[k] ** 2 * math.log(s[noisy] / s[clean]) / 2
            nats[k] = (nats[k] or 0.0) + share
    return nats

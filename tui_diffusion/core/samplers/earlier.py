"""Polynomials through the estimates of earlier steps, for multistep samplers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import islice

from ..schedules import Level
from .step import Step, ends

_MOST = 1000
"""Maximum length of a step in gaps between earlier levels; beyond, extrapolation is rounding."""


def earlier(
    level: Level, previous: Step | None, count: int, position: Callable[[float, float], float]
) -> tuple[list[float], list[Step]]:
    """Return the usable ones of at most ``count`` earlier steps, latest first, and their positions.

    ``position`` maps (α, σ) to the variable of the polynomial. A position is relative to this
    level's. A step is usable if its position is finite and distinct.
    """
    alpha, sigma, alpha_next, sigma_next = ends(level)
    here, ahead = position(alpha, sigma), position(alpha_next, sigma_next)
    positions, steps = [0.0], list[Step]()
    for step in islice(previous.before() if previous else (), count):
        at = position(step.alpha, step.sigma) - here
        gap = abs(at - positions[-1])
        if not math.isfinite(at) or gap == 0 or gap < abs(ahead - here) / _MOST:
            break
        positions.append(at)
        steps.append(step)
    return positions[1:], steps


def weights(positions: Sequence[float], moments: Sequence[float]) -> list[float]:
    """Return w with Σ w_j f(v_j) = ∫ f(v) dm for every polynomial f through the positions v_j.

    ``moments`` are ∫ vⁿ dm for n = 0, 1, …; the measure m is that of the integral.
    """
    result = []
    for v in positions:
        lagrange = [1.0]  # coefficients of the polynomial that is 1 at v and 0 at the others
        for other in positions:
            if other != v:
                shifted, scaled = [0.0, *lagrange], [other * c for c in (*lagrange, 0.0)]
                lagrange = [(a - b) / (v - other) for a, b in zip(shifted, scaled, strict=True)]
        result.append(sum(c * m for c, m in zip(lagrange, moments, strict=False)))
    return result

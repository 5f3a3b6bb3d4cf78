"""Order of convergence of a sampler to the exact probability-flow ODE."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from ..randomness import generator
from .check import Check, judged
from .noise_path import GREATEST, exact_path, ratios
from .sampler_case import DATA, FLOAT32, Case, ideal_denoiser, mixture_of, noise_of, start_points

_STEPS = (16, 32, 64, 128, 256)
"""Numbers of steps between which the order is measured, four at least."""

_FIRST = 4
"""Steps after which a sampler that looks back goes on from the exact solution."""

_POINTS = 64
_STALLS = math.log(0.6)
"""An error that falls by less, with twice as many steps, is rounding if it is that small."""


def orders(case: Case, levels: int) -> Iterator[Check]:
    """Judge the order of convergence over no more steps than so many levels.

    A sampler that looks back has fewer earlier estimates in its first steps than in all others, and
    their error, of lower order, would hide its own. So its order is that with first steps that end
    at the exact solution. From its own ones it has order 2 at least, if they are of first order.
    """
    least = math.nan if case.order is None else case.order - 0.5
    declared = "none declared" if case.order is None else f"{case.order} ± 0.5"
    if case.order is None and _differs(case, noise=True):
        for data in DATA:
            yield judged(f"order, {data}", None, declared, None, "adds noise")
        return
    counts = tuple(n for n in _STEPS if n <= max(levels, _STEPS[3]))
    remembers = case.looks_back and _differs(case, looks_back=False)
    first = _FIRST if remembers else 0
    measured = {data: convergence(case, data, counts, first) for data in DATA}
    # On one of the data sets a sampler may be faster than in the limit of many steps.
    limit = min(found.order for found in measured.values()) <= least + 1
    for data, found in measured.items():
        right = None if case.order is None else found.order >= least and limit
        yield judged(f"order, {data}", round(found.order, 2), declared, right, found.note)
    if remembers:
        data, least = DATA[-1], min(least, 1.5)
        found = convergence(case, data, counts)
        declared = "none declared" if case.order is None else f"{least} or more"
        right = None if case.order is None else found.order >= least
        name = f"order, own first steps, {data}"
        yield judged(name, round(found.order, 2), declared, right, found.note)


class Convergence(NamedTuple):
    """Order p, and the errors by number of steps; the last ``rounded`` ones are rounding."""

    order: float
    errors: dict[int, float]
    rounded: int

    @property
    def note(self) -> str:
        """The first and the last error."""
        ends = (min(self.errors), max(self.errors))
        note = ", ".join(f"{self.errors[n]:.1g} after {n} steps" for n in ends)
        return f"error {note}" + (", rounding" if self.rounded else "")


def convergence(case: Case, data: str, counts: tuple[int, ...], first: int = 0) -> Convergence:
    """Measure the median error over points after so many steps, and how fast it falls.

    The error is that of x/α at σ/α = 0.01, before the last step: the length of that one does not
    shrink. The ``first`` steps each end at the exact solution. The median excludes points between
    two modes, whose errors grow without bound.
    """
    ideal, path = ideal_denoiser(case.method, data), _exact(data)
    errors, rounding = dict[int, float](), case.rounding
    for count in counts:
        schedule, at = case.schedule(count + 1), ratios(count + 1).tolist()
        exact = [float(schedule.alphas[k]) * path[at[k]] for k in range(first + 1)]
        steps = case.steps(ideal, schedule, exact[0], exact=exact[1:])
        for step, _ in zip(steps, range(count), strict=False):
            end = step.x_next
        rounding = FLOAT32 if end.dtype == torch.float32 else rounding
        error = (end / float(schedule.alphas[count]) - path[at[-1]]).norm(dim=1)
        errors[count] = float(error.median())
    fit = [(math.log(n), math.log(error or math.ulp(0))) for n, error in errors.items()]
    while len(fit) > 2 and fit[-2][1] + _STALLS < fit[-1][1] < math.log(rounding):
        del fit[-1]
    return Convergence(_slope(fit[-4:]), errors, len(errors) - len(fit))


@lru_cache(maxsize=4)
def _exact(data: str) -> dict[float, Tensor]:
    """Return points x/α (n, d) of the exact ODE by σ/α: all starts, ends and first steps."""
    mixture, random = mixture_of(data), generator(0, "conformance")
    x0 = mixture.sample(_POINTS, random, dtype=torch.float64)
    start = x0 + GREATEST * torch.randn(x0.shape, generator=random, dtype=x0.dtype)
    at = {ratio for n in _STEPS for ratio in ratios(n + 1)[: _FIRST + 1].tolist()}
    at |= {ratios(n + 1)[-1].item() for n in _STEPS}
    return exact_path(mixture, start, at)


def _slope(points: list[tuple[float, float]]) -> float:
    """Return minus the slope of the line of least squares."""
    x, y = torch.tensor(points, dtype=torch.float64).T
    x = x - x.mean()
    return -float(x @ y / (x @ x))


def _differs(case: Case, *, noise: bool = False, looks_back: bool = True) -> bool:
    """Return whether z, or no earlier steps, lead to other points."""
    ideal, schedule = ideal_denoiser(case.method), case.schedule(8)
    x = start_points(ideal, schedule, 5)
    changed = replace(case, looks_back=case.looks_back and looks_back)
    *_, plain = case.steps(ideal, schedule, x)
    *_, other = changed.steps(ideal, schedule, x, noise_of(case, 8, x) if noise else None)
    return not torch.equal(plain.x_next, other.x_next)

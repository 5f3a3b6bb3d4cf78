"""How much an error in eps_hat at a level is magnified on the way out.

A step uses eps_hat; a small error δ in it, the same for x0_hat = (x − σ eps_hat)/α, moves x_next by
``step`` · ‖δ‖: for a DDPM step β/(√(1 − ᾱ) √α), so a β of 0.999 multiplies an error by 31.6. The
steps after it pull back, or push on: ``out`` is what has become of the error in the final sample
when the exact denoiser does the rest. Both are root mean squares over points of one seed and random
directions of δ.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from ..assemble import make_method, make_mixture, make_sampler, sampling_schedule
from ..config.experiment import Experiment
from ..methods import Denoiser, IdealDenoiser, Method, Prediction
from ..randomness import generator
from ..samplers import Step
from ..schedules import Level
from ..trajectory import start

_DELTA = 1e-4
"""Size of the error that is followed: small beside the noise, large beside rounding."""


@dataclass(frozen=True)
class Amplification:
    """Of an error at one level; None where α = 0, for there eps_hat says nothing of x_0."""

    level: int
    step: float | None
    out: float | None


@dataclass(frozen=True)
class _Wrong:
    """A denoiser whose eps_hat is off by δ at one level, and all that follows from it."""

    denoiser: Denoiser
    method: Method
    delta: Tensor
    index: int

    def __call__(self, x: Tensor, level: Level) -> Prediction:
        said = self.denoiser(x, level)
        if level.index != self.index:
            return said
        x0_hat = said.x0_hat - level.sigma / level.alpha * self.delta
        eps_hat = said.eps_hat + self.delta
        return Prediction(self.method.target(x0_hat, eps_hat, level), eps_hat, x0_hat)


@lru_cache(maxsize=64)
@torch.no_grad()
def amplification(experiment: Experiment) -> tuple[Amplification, ...]:
    """Of an error at every level that sampling goes through, noisiest first."""
    schedule, mixture = sampling_schedule(experiment), make_mixture(experiment.data)
    points = max(4, min(64, 3000 // schedule.levels))
    method = make_method(experiment.method, mixture)
    ideal = IdealDenoiser(mixture, method)
    sampler = make_sampler(experiment.sampling, schedule.levels)
    random = generator(0, "amplification")
    exact = experiment.with_settings({"sampling.start": "exact"})
    x = start(exact, mixture, schedule, points, random).double()
    z = torch.randn((schedule.levels, *x.shape), generator=random, dtype=x.dtype)
    delta = torch.randn(x.shape, generator=random, dtype=x.dtype)
    delta *= _DELTA / delta.norm(dim=1, keepdim=True)

    # One batch holds the true points and, stacked on them, those wrong at each level so far.
    steps = list[float | None]()
    previous: Step | None = None
    for k in range(schedule.levels):
        level, copies = schedule[k], len(x) // points
        done = sampler(x, level, ideal, z[k].repeat(copies, 1), previous)
        base, before = x[:points], previous and _first(previous, points)
        if level.alpha:
            wrong = _Wrong(ideal, method, delta, k)
            off = sampler(base, level, wrong, z[k], before)
        else:
            off = _first(done, points)
        moved = _size(off.x_next - done.x_next[:points])
        steps.append(moved if level.alpha else None)
        previous = _stack(done, off)
        x = previous.x_next
    outs = [_size(part - x[:points]) for part in torch.split(x[points:], points)]
    return tuple(
        Amplification(k, step, None if step is None else out)
        for k, (step, out) in enumerate(zip(steps, outs, strict=True))
    )


def _size(change: Tensor) -> float:
    """Root mean square length of the changes, as a multiple of the error's."""
    return float(change.square().sum(1).mean().sqrt()) / _DELTA


def _first(step: Step, n: int) -> Step:
    return Step(
        x=step.x[:n],
        eps_hat=step.eps_hat[:n],
        x0_hat=step.x0_hat[:n],
        mean=step.mean[:n],
        noise=step.noise[:n],
        x_next=step.x_next[:n],
        alpha=step.alpha,
        sigma=step.sigma,
    )


def _stack(a: Step, b: Step) -> Step:
    return Step(
        x=torch.cat([a.x, b.x]),
        eps_hat=torch.cat([a.eps_hat, b.eps_hat]),
        x0_hat=torch.cat([a.x0_hat, b.x0_hat]),
        mean=torch.cat([a.mean, b.mean]),
        noise=torch.cat([a.noise, b.noise]),
        x_next=torch.cat([a.x_next, b.x_next]),
        alpha=a.alpha,
        sigma=a.sigma,
    )

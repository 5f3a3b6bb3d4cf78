"""Error amplification: the growth of an error in eps_hat at one level during sampling.

A small error δ in eps_hat, with the matching error in x0_hat = (x − σ eps_hat)/α, moves x_next by
``step`` · ‖δ‖. For a DDPM step the factor is β/(√(1 − ᾱ) √α), so a β of 0.999 multiplies an error
by 31.6. Later steps shrink or amplify the error: ``out`` is its size in the final sample if the
exact denoiser takes those steps. Both are root mean squares over points of one seed and random
directions of δ.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from ..assemble import make_method, make_mixture, make_sampler, noises, sampling_schedule
from ..conditioning import draw_labels, guided
from ..config.experiment import Experiment
from ..methods import Denoiser, IdealDenoiser, Method, Prediction
from ..randomness import generator
from ..samplers import Step
from ..schedules import Level
from ..short_repr import short_repr
from ..trajectory import start

_DELTA = 1e-4
"""Size of the error: small compared with the noise, large compared with rounding."""


@dataclass(frozen=True)
class Amplification:
    """The error amplification at one level; None if α = 0, where eps_hat does not determine x_0."""

    level: int
    step: float | None
    out: float | None

    def __repr__(self) -> str:
        return short_repr(self, "level", "step", "out")


@dataclass(frozen=True)
class _Perturbed:
    """A denoiser whose eps_hat, and all that follows from it, is off by δ at one level."""

    denoiser: Denoiser
    method: Method
    delta: Tensor
    index: int

    def __call__(self, x: Tensor, level: Level) -> Prediction:
        prediction = self.denoiser(x, level)
        if level.index != self.index:
            return prediction
        x0_hat = prediction.x0_hat - level.sigma / level.alpha * self.delta
        eps_hat = prediction.eps_hat + self.delta
        return Prediction(self.method.target(x0_hat, eps_hat, level), eps_hat, x0_hat)


@lru_cache(maxsize=64)
@torch.no_grad()
def amplification(experiment: Experiment) -> tuple[Amplification, ...]:
    """Return the error amplification at each sampling level, noisiest first."""
    schedule, mixture = sampling_schedule(experiment), make_mixture(experiment.data)
    points = max(4, min(64, 3000 // schedule.levels))
    method = make_method(experiment.method, mixture)
    labels = draw_labels(experiment, mixture, points, 0)

    def ideal(copies: int = 1) -> Denoiser:
        repeated = None if labels is None else labels.repeat(copies)
        return guided(experiment, IdealDenoiser(mixture, method), repeated)

    sampler = make_sampler(experiment.sampling, schedule.levels)
    random = generator(0, "amplification")
    exact = experiment.with_settings({"sampling.start": "exact"})
    x = start(exact, mixture, schedule, points, random, labels).double()
    numbers = noises(experiment.sampling) * x.shape[1]
    z = torch.randn((schedule.levels, points, numbers), generator=random, dtype=x.dtype)
    delta = torch.randn(x.shape, generator=random, dtype=x.dtype)
    delta *= _DELTA / delta.norm(dim=1, keepdim=True)

    # One batch holds the true points and, below them, those perturbed at each level so far.
    steps = list[float | None]()
    previous: Step | None = None
    for k in range(schedule.levels):
        level, copies = schedule[k], len(x) // points
        batch = sampler(x, level, ideal(copies), z[k].repeat(copies, 1), previous)
        base, before = x[:points], previous and previous.part(slice(points))
        if level.alpha:
            perturbed = _Perturbed(ideal(), method, delta, k)
            off = sampler(base, level, perturbed, z[k], before)
        else:
            off = batch.part(slice(points))
        growth = _size(off.x_next - batch.x_next[:points])
        steps.append(growth if level.alpha else None)
        previous = Step.joined([batch, off])
        x = previous.x_next
    outs = [_size(part - x[:points]) for part in torch.split(x[points:], points)]
    return tuple(
        Amplification(k, step, None if step is None else out)
        for k, (step, out) in enumerate(zip(steps, outs, strict=True))
    )


def _size(change: Tensor) -> float:
    """Return the root mean square length of the changes, as a multiple of the error's."""
    return float(change.square().sum(1).mean().sqrt()) / _DELTA

"""The immutable record of a denoising, and of the forward process it undoes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from .datasets import make_mixture
from .experiment import Experiment
from .methods import Denoiser
from .mixtures import GaussianMixture
from .randomness import generator
from .samplers import Step, make_sampler
from .schedules import Schedule, sampling_schedule

_AT_ONCE = 16_384
"""Points that a network sees at once, so that what it makes of them on the way stays small."""


@dataclass(frozen=True)
class Trajectory:
    """n points at every level, x_T first; scrubbing is indexing.

    ``x`` has shape (N + 1, n, d): x[0] is the start, x[N] clean. ``eps_hat``, ``x0_hat``, ``mean``
    and ``noise`` have shape (N, n, d) and tell of the step from k to k + 1. ``repeats`` has shape
    (r, n, d): what the last step gave when it was repeated; x[N] is the last of them. ``kind`` is
    "reverse" for a denoising, "forward" for true data noised.
    """

    kind: Literal["reverse", "forward"]
    schedule: Schedule
    x: Tensor
    eps_hat: Tensor
    x0_hat: Tensor
    mean: Tensor
    noise: Tensor
    repeats: Tensor
    result_level: int

    @property
    def levels(self) -> int:
        """N."""
        return len(self.x) - 1

    @property
    def points(self) -> int:
        """n."""
        return self.x.shape[1]

    @property
    def result(self) -> Tensor:
        """The sample: the points at ``result_level``, shape (n, d)."""
        return self.x[self.result_level]

    def step(self, k: int, part: slice = slice(None)) -> Step:
        """The step from level k to k + 1, of all points or of some."""
        mean, noise = self.mean[k, part], self.noise[k, part]
        return Step(
            self.x[k, part],
            self.eps_hat[k, part],
            self.x0_hat[k, part],
            mean,
            noise,
            mean + noise,
            float(self.schedule.alphas[k]),
            float(self.schedule.sigmas[k]),
        )

    def moments(self) -> tuple[Tensor, Tensor]:
        """Mean and std of each coordinate at every level, both (N + 1, d)."""
        return self.x.mean(1), self.x.std(1, unbiased=False)


def start(
    experiment: Experiment,
    mixture: GaussianMixture,
    schedule: Schedule,
    points: int,
    random: torch.Generator,
) -> Tensor:
    """Points at level 0 from which sampling starts, shape (points, d).

    zero-mean: σ_0 ε. data-mean: α_0 E[x_0] + σ_0 ε. exact: α_0 x_0 + σ_0 ε with true x_0.
    """
    alpha, sigma = float(schedule.alphas[0]), float(schedule.sigmas[0])
    shape, device = (points, mixture.dim), mixture.means.device
    noise = sigma * torch.randn(shape, generator=random, device=device)
    match experiment.sampling.start:
        case "zero-mean":
            return noise
        case "data-mean":
            return alpha * mixture.mean().to(noise.dtype) + noise
        case "exact":
            return alpha * mixture.sample(points, random) + noise


@torch.no_grad()
def denoise(
    experiment: Experiment,
    denoiser: Denoiser,
    *,
    points: int | None = None,
    seed: int | None = None,
    device: torch.device | str = "cpu",
    progress: Callable[[int], None] | None = None,
) -> Trajectory:
    """Draw ``points`` starts and take them through every level, on the denoiser's device.

    The same seed gives the same starting noise and the same z at every level, whichever denoiser.
    Beside the result, memory is bounded however many points there are: a network sees some of them
    at a time. ``progress`` is told the levels done, one after another.
    """
    schedule = sampling_schedule(experiment)
    mixture = make_mixture(experiment.data, device)
    config, levels = experiment.sampling, schedule.levels
    count = config.points if points is None else points
    random = generator(experiment.seed if seed is None else seed, "sampling", device)
    take = make_sampler(config, levels)
    x = torch.empty((levels + 1, count, mixture.dim), device=device)
    eps_hat, x0_hat, mean, noise = (torch.empty_like(x[1:]) for _ in range(4))
    repeats = torch.empty((config.repeats, *x[0].shape), device=device)
    x[0] = start(experiment, mixture, schedule, count, random)
    done = Trajectory(
        "reverse", schedule, x, eps_hat, x0_hat, mean, noise, repeats, levels - config.stop_before
    )
    for k in range(levels):
        z = torch.randn(x[k].shape, generator=random, device=device)
        for part in _parts(count):
            previous = done.step(k - 1, part) if k else None
            made = take(x[k, part], schedule[k], denoiser, z[part], previous)
            eps_hat[k, part], x0_hat[k, part] = made.eps_hat, made.x0_hat
            mean[k, part], noise[k, part] = made.mean, made.noise
            x[k + 1, part] = made.x_next
        if progress is not None:
            progress(k + 1)
    for repeat in repeats:
        z = torch.randn(x[levels].shape, generator=random, device=device)
        for part in _parts(count):
            previous = done.step(levels - 1, part)
            made = take(x[levels, part], schedule[levels - 1], denoiser, z[part], previous)
            repeat[part] = x[levels, part] = made.x_next
    return done


def _parts(count: int) -> list[slice]:
    return [slice(first, first + _AT_ONCE) for first in range(0, count, _AT_ONCE)]


@torch.no_grad()
def forward_process(
    experiment: Experiment,
    *,
    points: int | None = None,
    seed: int | None = None,
    device: torch.device | str = "cpu",
) -> Trajectory:
    """True data x_k = α_k x_0 + σ_k ε at every level, with one x_0 and one ε for each point."""
    schedule = sampling_schedule(experiment)
    levels, mixture = schedule.levels, make_mixture(experiment.data, device)
    count = experiment.sampling.points if points is None else points
    random = generator(experiment.seed if seed is None else seed, "forward", device)
    x0 = mixture.sample(count, random)
    eps = torch.randn(x0.shape, generator=random, device=device)
    alphas = schedule.alphas.to(device, x0.dtype)[:, None, None]
    sigmas = schedule.sigmas.to(device, x0.dtype)[:, None, None]
    x = alphas * x0 + sigmas * eps
    return Trajectory(
        kind="forward",
        schedule=schedule,
        x=x,
        eps_hat=eps.expand(levels, -1, -1),
        x0_hat=x0.expand(levels, -1, -1),
        mean=x[1:],
        noise=torch.zeros_like(x[1:]),
        repeats=x0.new_empty((0, *x0.shape)),
        result_level=levels - experiment.sampling.stop_before,
    )

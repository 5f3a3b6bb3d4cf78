"""The immutable record of a denoising, and of the forward process it undoes."""

from __future__ import annotations

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

    def step(self, k: int) -> Step:
        """The step from level k to k + 1."""
        return Step(
            self.x[k],
            self.eps_hat[k],
            self.x0_hat[k],
            self.mean[k],
            self.noise[k],
            self.mean[k] + self.noise[k],
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
) -> Trajectory:
    """Draw ``points`` starts and take them through every level, on the denoiser's device.

    The same seed gives the same starting noise and the same z at every level, whichever denoiser.
    """
    schedule = sampling_schedule(experiment)
    mixture = make_mixture(experiment.data, device)
    config, levels = experiment.sampling, schedule.levels
    count = config.points if points is None else points
    random = generator(experiment.seed if seed is None else seed, "sampling", device)
    step = make_sampler(config, levels)
    x = start(experiment, mixture, schedule, count, random)
    states, steps = [x], list[Step]()
    for k in range(levels):
        z = torch.randn(x.shape, generator=random, device=device)
        previous = steps[-1] if steps else None
        steps.append(step(states[-1], schedule[k], denoiser, z, previous))
        states.append(steps[-1].x_next)
    repeats = []
    for _ in range(config.repeats):
        z = torch.randn(x.shape, generator=random, device=device)
        states[-1] = step(states[-1], schedule[levels - 1], denoiser, z, steps[-1]).x_next
        repeats.append(states[-1])
    return Trajectory(
        kind="reverse",
        schedule=schedule,
        x=torch.stack(states),
        eps_hat=torch.stack([s.eps_hat for s in steps]),
        x0_hat=torch.stack([s.x0_hat for s in steps]),
        mean=torch.stack([s.mean for s in steps]),
        noise=torch.stack([s.noise for s in steps]),
        repeats=torch.stack(repeats) if repeats else x.new_empty((0, *x.shape)),
        result_level=levels - config.stop_before,
    )


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

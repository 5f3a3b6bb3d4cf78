"""The immutable record of a reverse process, and of the forward process that it inverts."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial
from typing import Literal, Protocol

import torch
from torch import Tensor

from . import notebook, pictures
from .arguments import check_count, expected
from .assemble import (
    make_mixture,
    make_sampler,
    noises,
    schedule_for,
    steps_back,
    with_mixture,
)
from .conditioning import class_means, draw_labels, guided, true_points
from .config.experiment import Experiment
from .config.presets import Preset, experiment_of
from .device_names import device_from
from .guidance import for_points
from .methods import (
    Denoiser,
    IdealDenoiser,
    NetworkDenoiser,
    Prediction,
    check_denoiser,
    device_of,
)
from .mixtures import GaussianMixture
from .progress import ProgressCallback
from .randomness import generator
from .reverse_steps import ReverseSteps
from .samplers import Sampler, Step
from .schedules import Level, Schedule
from .short_repr import short_repr

_AT_ONCE = 16_384
"""Points in one batch for the network, so that its intermediate results stay small."""

_GPU_NUMBERS = 2**24
"""Numbers in a layer's output on a GPU (64 MiB): enough to dominate the cost of launching kernels.

A CUDA graph gains nothing here: it would be replayed as often as it is captured, because the
next sample comes from another network."""


class Retake(Protocol):
    """A function that repeats the step from level k to k + 1 for some of the points."""

    def __call__(self, k: int, part: slice) -> Step: ...


@dataclass(frozen=True)
class Trajectory:
    """n points at every level, noisiest first.

    ``x`` has shape (N + 1, n, d): x[0] is the start, x[N] clean. ``repeats`` has shape (r, n, d):
    the results of the last step when it was repeated; x[N] is the last of them. ``kind`` is
    "reverse" for a denoising, "forward" for true data with noise added.

    The quantities ``eps_hat``, ``x0_hat``, ``mean`` and ``noise`` of each step take four times the
    memory of the points. They are not stored but recomputed on request, with the same denoiser and
    the same noise.

    ``experiment`` and ``seed`` are those that the points were drawn with, if they are known.
    ``labels`` (n,) are the classes of the points, if the network has labels.
    """

    kind: Literal["reverse", "forward"]
    schedule: Schedule
    x: Tensor
    repeats: Tensor
    result_level: int
    retake: Retake = field(repr=False)
    experiment: Experiment | None = field(default=None, repr=False)
    seed: int | None = field(default=None, repr=False)
    labels: Tensor | None = field(default=None, repr=False)

    @property
    def denoiser(self) -> Denoiser | None:
        """A copy of the denoiser that was given; None for the forward process."""
        return self.retake.given if isinstance(self.retake, ReverseSteps) else None

    def __repr__(self) -> str:
        dim, device = self.x.shape[2], self.x.device
        return short_repr(self, "kind", "levels", "points", dim=dim, device=device)

    def _repr_html_(self) -> str:
        result = self.result.detach().cpu()
        mean, std = result.mean(0).tolist(), result.std(0, unbiased=False).tolist()
        rows = {"levels": self.levels, "points": self.points, "mean": mean, "std": std}
        draw = partial(pictures.scatter, result.numpy())
        return notebook.table(f"Trajectory, {self.kind}", rows, draw)

    @property
    def levels(self) -> int:
        """N: the number of reverse steps."""
        return len(self.x) - 1

    @property
    def points(self) -> int:
        """n: the number of points."""
        return self.x.shape[1]

    @property
    def result(self) -> Tensor:
        """The sample: the points at ``result_level``, shape (n, d)."""
        return self.x[self.result_level]

    def step(self, k: int, part: slice = slice(None)) -> Step:
        """Return the step from level k to k + 1, for all points or for some."""
        if not 0 <= k < self.levels:
            raise IndexError(f"step {k} of {self.levels}")
        return self.retake(k, part)

    @property
    def eps_hat(self) -> Tensor:
        """The noise estimates at every level below N, shape (N, n, d)."""
        return self.every("eps_hat")[0]

    @property
    def x0_hat(self) -> Tensor:
        """The estimates of the clean data at every level below N, shape (N, n, d)."""
        return self.every("x0_hat")[0]

    @property
    def mean(self) -> Tensor:
        """The mean of every step, without its noise, shape (N, n, d)."""
        return self.every("mean")[0]

    @property
    def noise(self) -> Tensor:
        """The random part of every step, shape (N, n, d)."""
        return self.every("noise")[0]

    def every(self, *names: str) -> list[Tensor]:
        """Return these quantities of all steps, each of shape (N, n, d), computed in one pass."""
        made = [torch.empty_like(self.x[1:]) for _ in names]
        for k in range(self.levels):
            step = self.step(k)
            for values, name in zip(made, names, strict=True):
                values[k] = getattr(step, name)
        return made

    def moments(self) -> tuple[Tensor, Tensor]:
        """Return mean and std of each coordinate at every level, both (N + 1, d)."""
        levels = [(x.mean(0), x.std(0, unbiased=False)) for x in self.x]
        mean, std = zip(*levels, strict=True)
        return torch.stack(mean), torch.stack(std)


@dataclass(frozen=True)
class _Checked:
    """A denoiser whose results are checked, because a wrong shape would be broadcast."""

    denoiser: Denoiser

    def __call__(self, x: Tensor, level: Level) -> Prediction:
        prediction = self.denoiser(x, level)
        if not isinstance(prediction, Prediction):
            raise expected("the result of denoiser", "a Prediction", prediction)
        for name, values in vars(prediction).items():
            if values.shape != x.shape:
                raise ValueError(
                    f"{name} of denoiser's Prediction must have the shape of x, {tuple(x.shape)} "
                    f"(got {tuple(values.shape)})"
                )
        return prediction

    def of(self, part: slice) -> Denoiser:
        """Return the denoiser of some of the points."""
        return _Checked(for_points(self.denoiser, part))


def start(
    experiment: Experiment,
    mixture: GaussianMixture,
    schedule: Schedule,
    points: int,
    random: torch.Generator,
    labels: Tensor | None = None,
) -> Tensor:
    """Return the points at level 0 from which sampling starts, shape (points, d).

    zero-mean: σ_0 ε. data-mean: α_0 E[x_0] + σ_0 ε. exact: α_0 x_0 + σ_0 ε with true x_0. Points
    with ``labels`` (points,) start from data of their class.
    """
    alpha, sigma = float(schedule.alphas[0]), float(schedule.sigmas[0])
    shape, device = (points, mixture.dim), mixture.means.device
    noise = sigma * torch.randn(shape, generator=random, device=device)
    match experiment.sampling.start:
        case "zero-mean":
            return noise
        case "data-mean":
            return alpha * class_means(mixture, labels).to(noise.dtype) + noise
        case "exact":
            return alpha * true_points(mixture, points, random, labels) + noise


@torch.no_grad()
def denoise(
    experiment: Experiment | Preset,
    denoiser: Denoiser,
    *,
    points: int | None = None,
    seed: int | None = None,
    device: torch.device | str | None = None,
    keep: int | None = None,
    begin: Tensor | None = None,
    progress: ProgressCallback | None = None,
    mixture: GaussianMixture | None = None,
    schedule: Schedule | None = None,
    sampler: Sampler | None = None,
) -> Trajectory:
    """Sample ``points`` starting points through every level, on the denoiser's device.

    A seed gives the same starting noise and the same z at every level for every denoiser. ``keep``
    samples only the first of the points; ``begin`` (points, d) replaces their starts and keeps the
    noise of every step. ``progress`` receives the steps done and their total after each. Memory
    beyond the trajectory is bounded by one level, because the network sees a batch at a time. The
    host does not wait for a GPU between steps.

    If the network has labels, a label is drawn for each point, and the network or the ideal
    denoiser is that of its class, guided as the experiment asks; see `conditioning.guided`.

    ``mixture``, ``schedule`` and ``sampler`` take the place of those of the experiment. The start
    comes from the mixture. The settings ``quiet``, ``repeats`` and ``stop_before`` apply to any
    schedule and sampler. A sampler should use of ``previous`` only level and estimates: those can
    be recomputed for `Trajectory.step`. Raises TypeError and ValueError for wrong arguments.
    """
    experiment = experiment_of(experiment)
    check_denoiser(denoiser)
    check_count("points", points)
    check_count("keep", keep)
    check_count("seed", seed, 0)
    device = device_of(denoiser) if device is None else device_from(device)
    if not isinstance(denoiser, NetworkDenoiser | IdealDenoiser):
        denoiser = _Checked(denoiser)
    schedule = schedule_for(experiment, schedule, denoiser)
    experiment = with_mixture(experiment, mixture)
    mixture = make_mixture(experiment, device)
    config, levels = experiment.sampling, schedule.levels
    count = config.points if points is None else points
    seed = experiment.seed if seed is None else seed
    random = generator(seed, "sampling", device)
    kept = count if keep is None else min(keep, count)
    x = torch.empty((levels + 1, kept, mixture.dim), device=device)
    repeats = torch.empty((config.repeats, *x[0].shape), device=device)
    labels = draw_labels(experiment, mixture, count, seed)
    usual = start(experiment, mixture, schedule, count, random, labels)
    x[0] = (usual if begin is None else begin)[:kept]
    # A copy, because a network in training keeps changing after this.
    of = deepcopy(denoiser)
    shown = labels if labels is None else labels[:kept]
    by = guided(experiment, denoiser, shown)
    sampling = ReverseSteps(
        make_sampler(config, levels, sampler),
        steps_back(config, sampler),
        noises(config, sampler),
        of,
        guided(experiment, of, shown),
        schedule,
        x,
        count,
        _at_once(experiment, x.device),
    )
    before: dict[int, Step] = {}

    def take(k: int, from_: Tensor, to: Tensor) -> None:
        z = sampling.draw(random)
        for part in _parts(kept, sampling.at_once):
            previous = before.get(part.start)
            made = sampling.take(from_[part], schedule[k], for_points(by, part), z[part], previous)
            to[part] = made.x_next
            before[part.start] = made

    for k in range(levels):
        sampling.states.append(random.get_state())
        take(k, x[k], x[k + 1])
        if progress is not None:
            progress(k + 1, levels + config.repeats)
    last = dict(before)
    for done, repeat in enumerate(repeats, levels + 1):
        before.update(last)
        take(levels - 1, x[levels], repeat)
        x[levels] = repeat
        if progress is not None:
            progress(done, levels + config.repeats)
    result_level = levels - config.stop_before
    return Trajectory(
        "reverse", schedule, x, repeats, result_level, sampling, experiment, seed, shown
    )


def _at_once(experiment: Experiment, device: torch.device) -> int:
    """Return how many points the network takes in one batch on a device."""
    if device.type == "cpu":
        return _AT_ONCE
    return max(_AT_ONCE, _GPU_NUMBERS // experiment.network.width)


def _parts(count: int, at_once: int) -> list[slice]:
    """Return the slices that cover ``count`` points in batches of ``at_once``."""
    return [slice(first, first + at_once) for first in range(0, count, at_once)]


@torch.no_grad()
def forward_process(
    experiment: Experiment | Preset,
    *,
    points: int | None = None,
    seed: int | None = None,
    device: torch.device | str = "cpu",
    mixture: GaussianMixture | None = None,
    schedule: Schedule | None = None,
) -> Trajectory:
    """Return true data x_k = α_k x_0 + σ_k ε at every level, with one x_0 and one ε per point.

    If the network has labels, the points are of the classes that sampling asks for. ``mixture`` and
    ``schedule`` take the place of those of the experiment.
    """
    experiment = with_mixture(experiment_of(experiment), mixture)
    check_count("points", points)
    schedule = schedule_for(experiment, schedule, None)
    levels, mixture = schedule.levels, make_mixture(experiment, device)
    count = experiment.sampling.points if points is None else points
    seed = experiment.seed if seed is None else seed
    random = generator(seed, "forward", device)
    labels = draw_labels(experiment, mixture, count, seed)
    x0 = true_points(mixture, count, random, labels)
    eps = torch.randn(x0.shape, generator=random, device=device)
    alphas = schedule.alphas.to(device, x0.dtype)[:, None, None]
    sigmas = schedule.sigmas.to(device, x0.dtype)[:, None, None]
    x = alphas * x0 + sigmas * eps

    def retake(k: int, part: slice) -> Step:
        ahead = x[k + 1][part]
        still = torch.zeros_like(ahead)
        now = float(schedule.alphas[k]), float(schedule.sigmas[k])
        return Step(x[k][part], eps[part], x0[part], ahead, still, ahead, *now)

    result_level = levels - experiment.sampling.stop_before
    repeats = x0.new_empty((0, *x0.shape))
    return Trajectory(
        "forward", schedule, x, repeats, result_level, retake, experiment, seed, labels
    )

"""A denoising made ready to be looked at: numpy arrays, with the truth of every level."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from time import monotonic

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...core.analysis.densities import goal_moments
from ...core.analysis.energy_distance import Reference, merged
from ...core.analysis.metrics import nearest_mode_distance, real_sample
from ...core.analysis.start_mismatch import StartMismatch, start_mismatch
from ...core.assemble import make_method, make_mixture, sampling_schedule, scaling_of
from ...core.config.data_section import DataConfig
from ...core.config.experiment import Experiment
from ...core.datasets import MOST, Scaling
from ...core.interpolation import between
from ...core.methods import Denoiser, IdealDenoiser, device_of
from ...core.mixtures import GaussianMixture
from ...core.schedules import Schedule
from ...core.training.devices import choose, use_threads
from ...core.trajectory import Trajectory, denoise, forward_process
from .request import Progress, Wish

Floats = NDArray[np.float64]

_ESTIMATES = 8192

_AT_ONCE = 400_000
"""Pairs that are measured in a moment: a key that shows their points may wait for it."""

_PAIRS = 2**20
"""Pairs of a point and a component that the ideal denoiser looks at while a key waits, at most."""

_MOST_PAIRS, _FEWEST = 2**24, 256
"""The same in a thread of its own, and the points that it looks at in any case."""

_FOLLOWED = 32
"""Points whose ideal paths there are, more than any picture shows."""


@dataclass(frozen=True)
class Numbers:
    """What is measured at one level; lists have one entry a coordinate.

    Means and stds are in the data's own units, distances at unit size.
    ``goal_…`` is exact, but for ``goal_distance`` and ``energy_real``, which true points of the
    same number score; ``energy_chance`` is how far chance moves ``energy``. The distance to the
    nearest mode is None for data without modes. At the level of the result all are those of
    `metrics.evaluate`.
    """

    mean: list[float]
    std: list[float]
    goal_mean: list[float]
    goal_std: list[float]
    distance: float | None
    goal_distance: float | None
    energy: float
    energy_chance: float
    energy_real: float


@dataclass(frozen=True)
class Point:
    """One point's step from a level to the next, a list entry a coordinate, in own units.

    It goes from x to x + move + noise; the ideal values are those of the exact denoiser at x.
    """

    x: list[float]
    eps_hat: list[float]
    x0_hat: list[float]
    move: list[float]
    noise: list[float]
    ideal_eps: list[float]
    ideal_x0: list[float]


@dataclass(frozen=True)
class Answer:
    """What a denoiser says of points; all (k, d). score = −eps_hat / sigma."""

    eps_hat: Tensor
    x0_hat: Tensor
    score: Tensor


@dataclass(frozen=True, eq=False)
class Film:
    """All levels of one denoising, or of the forward process, with what is true at each.

    ``x`` has shape (N + 1, n, d). ``wish`` says what it shows, ``seconds`` how long making it took.
    """

    wish: Wish
    mixture: GaussianMixture
    trajectory: Trajectory
    x: NDArray[np.float32]
    start: StartMismatch | None = None
    seconds: float = 0.0

    @property
    def levels(self) -> int:
        """N."""
        return len(self.x) - 1

    @property
    def dim(self) -> int:
        """Coordinates of a point."""
        return int(self.x.shape[2])

    @cached_property
    def scaling(self) -> Scaling:
        """From unit size, which all of this has, to the data's own units."""
        return scaling_of(self.wish.experiment.data)

    def is_slow(self, view: str) -> bool:
        """Whether a picture of this view takes too long to be drawn while keys wait for it.

        What is exact takes its time for every component: a file has one for each of its rows.
        """
        pairs = self.mixture.modes * min(self.x.shape[1], _ESTIMATES)
        return self.mixture.modes > MOST or (view == "clean estimate" and pairs > _PAIRS)

    @property
    def schedule(self) -> Schedule:
        """The noise levels."""
        return self.trajectory.schedule

    def at(self, place: float) -> NDArray[np.float32]:
        """The points (n, d) at a level, or on a straight line between two."""
        return between(self.x, place)

    def truth(self, place: float) -> GaussianMixture:
        """The exact distribution of data noised as at a level or, linearly, between two."""
        return self.mixture.noised(self.alpha(place), self.sigma(place))

    def alpha(self, place: float) -> float:
        """alpha of a level, or between two."""
        return float(between(self.schedule.alphas.cpu().numpy(), place))

    def sigma(self, place: float) -> float:
        """sigma of a level, or between two."""
        return float(between(self.schedule.sigmas.cpu().numpy(), place))

    def x0_hat(self, level: int) -> NDArray[np.float32]:
        """What the denoiser took the clean data to be at a level below N, (k, d).

        Of the first points alone: no eye needs more, and each asks the network again.
        """
        return self.trajectory.step(level, slice(_ESTIMATES)).x0_hat.detach().cpu().numpy()

    @property
    def _ideal_count(self) -> int:
        return max(_FEWEST, min(_ESTIMATES, _MOST_PAIRS // self.mixture.modes))

    @property
    def ideal_of(self) -> str:
        """Which points `ideal_x0` is of, for a legend."""
        few = self._ideal_count < min(self.x.shape[1], _ESTIMATES)
        return f"the first {self._ideal_count:,}" if few else "the same"

    def ideal_x0(self, level: int) -> NDArray[np.float32]:
        """What the ideal denoiser says of the same points, (k, d), or of the first of them.

        Each is compared with every component, so that of many components k is smaller.
        """
        x = torch.from_numpy(self.x[level, : self._ideal_count])
        return self.ask_ideal(x, level).x0_hat.numpy()

    @cached_property
    def ideal_x(self) -> NDArray[np.float32]:
        """What the ideal denoiser makes of some starts, with the same noise, (N + 1, k, d)."""
        experiment, wish = self.wish.experiment, self.wish
        ideal = self._ideal
        return denoise(
            experiment, ideal, points=wish.points, seed=wish.seed, keep=_FOLLOWED
        ).x.numpy()

    @cached_property
    def forward_x(self) -> NDArray[np.float32]:
        """As many true points, noised to every level, (N + 1, n, d)."""
        wish = self.wish
        # Another draw than the film's own, where that is of true data too.
        seed = (wish.seed + 1) % 2**63
        forward = forward_process(wish.experiment, points=wish.points, seed=seed)
        return forward.x.numpy()

    @property
    def _ideal(self) -> IdealDenoiser:
        return IdealDenoiser(self.mixture, make_method(self.wish.experiment.method, self.mixture))

    def point(self, level: int, index: int) -> Point:
        """What happens to one point at a level below N."""
        step = self.trajectory.step(level, slice(index, index + 1))
        x, ideal = step.x, self.ask_ideal(step.x.cpu(), level)
        back, lengths = self.scaling.back, self.scaling.lengths_back
        rows = (
            back(x),
            step.eps_hat,
            back(step.x0_hat),
            lengths(step.mean - x),
            lengths(step.noise),
            ideal.eps_hat,
            back(ideal.x0_hat),
        )
        return Point(*(row[0].tolist() for row in rows))

    def ask(self, x: Tensor, level: int) -> Answer:
        """What this film's denoiser says of points x (k, d) at a level below N."""
        denoiser = self.wish.denoiser if self.wish.source == "network" else self._ideal
        return self._answer(denoiser, x, level)

    def ask_ideal(self, x: Tensor, level: int) -> Answer:
        """What the ideal denoiser says of points x (k, d) at a level below N."""
        return self._answer(self._ideal, x, level)

    @torch.no_grad()
    def _answer(self, denoiser: Denoiser, x: Tensor, level: int) -> Answer:
        said = denoiser(x.to(device_of(denoiser)), self.schedule[level])
        eps_hat = said.eps_hat.cpu()
        return Answer(eps_hat, said.x0_hat.cpu(), -eps_hat / self.sigma(level))

    @cached_property
    def moments(self) -> tuple[Floats, Floats, Floats, Floats]:
        """mean, std, goal mean and goal std at every level, each (N + 1, d), at unit size."""
        goal_mean, goal_std = goal_moments(self.mixture, self.schedule)
        # Of infinite points there is none, and that shows.
        levels = [torch.var_mean(torch.from_numpy(x).double(), 0, correction=0) for x in self.x]
        variance, mean = (torch.stack(values) for values in zip(*levels, strict=True))
        return mean.numpy(), variance.sqrt().numpy(), goal_mean.numpy(), goal_std.numpy()

    def moments_at(self, level: int) -> list[list[float]]:
        """mean, std, goal mean and goal std at a level, in the data's own units."""
        ways = 2 * (self.scaling.back, self.scaling.lengths_back)
        rows = (torch.from_numpy(values[level]) for values in self.moments)
        return [way(row).tolist() for way, row in zip(ways, rows, strict=True)]

    @cached_property
    def _numbers(self) -> dict[int, Numbers]:
        return {}

    def numbers(self, level: int) -> Numbers:
        """What is measured at a level; computed once."""
        if level not in self._numbers:
            self._numbers[level] = self._measure(level)
        return self._numbers[level]

    def measured(self, level: int) -> Numbers | None:
        """The same where it is known, or known in a moment."""
        pairs = self.x.shape[1] * (self.x.shape[1] + 4 * self.mixture.modes)
        quick = pairs < _AT_ONCE and self.mixture.modes <= MOST
        return self.numbers(level) if quick else self._numbers.get(level)

    def next_to_measure(self, level: int) -> int | None:
        """The level nearest to this one that is not measured yet, if any.

        Of a film of a network in training, which another will soon replace, this one alone.
        """
        levels = [level] if self.wish.live else range(self.levels + 1)
        left = [k for k in levels if k not in self._numbers]
        return min(left, key=lambda k: abs(k - level), default=None)

    def _measure(self, level: int) -> Numbers:
        mean, std, goal_mean, goal_std = self.moments_at(level)
        points = torch.from_numpy(np.ascontiguousarray(self.x[level]))
        points = points[torch.isfinite(points).all(1)]
        experiment, distance, real = self.wish.experiment, None, None
        if self.mixture.separate and len(points):
            distance = nearest_mode_distance(points, self.truth(level))
            real = _real_distance(experiment, level, len(points))
        energy = _reference(experiment, level).distance(points)
        return Numbers(
            mean,
            std,
            goal_mean,
            goal_std,
            distance,
            real,
            energy.value,
            energy.chance,
            energy.real,
        )


def truth_at(experiment: Experiment, place: float) -> GaussianMixture:
    """The exact distribution at a level, or at the noise between two."""
    levels = sampling_schedule(experiment)
    alpha, sigma = (float(between(v.numpy(), place)) for v in (levels.alphas, levels.sigmas))
    return make_mixture(experiment.data).noised(alpha, sigma)


@lru_cache(maxsize=1024)
def _reference(experiment: Experiment, level: int) -> Reference:
    """What the points of a level are compared with, the same for every film."""
    schedule = sampling_schedule(experiment)
    alpha, sigma = float(schedule.alphas[level]), float(schedule.sigmas[level])
    return Reference(_compared(experiment.data).noised(alpha, sigma))


@lru_cache(maxsize=8)
def _compared(data: DataConfig) -> GaussianMixture:
    """The data with near components merged, where there are many."""
    return merged(make_mixture(data))


@lru_cache(maxsize=1024)
def _real_distance(experiment: Experiment, level: int, count: int) -> float:
    """Squared distance to the nearest mode that so many true points of a level score."""
    truth = truth_at(experiment, level)
    return nearest_mode_distance(real_sample(truth, count), truth)


def make_film(wish: Wish, progress: Progress | None = None) -> Film:
    """Sample what is wished for, and measure what the first look will show.

    ``progress`` is told the steps done, and all there are.
    """
    began = monotonic()
    experiment = wish.experiment
    use_threads(experiment)
    if wish.source == "forward":
        trajectory = forward_process(experiment, points=wish.points, seed=wish.seed)
    else:
        denoiser = wish.denoiser
        if wish.source == "ideal":
            mixture = make_mixture(experiment.data, choose(experiment).device)
            denoiser = IdealDenoiser(mixture, make_method(experiment.method, mixture))
        trajectory = denoise(
            experiment,
            denoiser,
            points=wish.points,
            seed=wish.seed,
            device=device_of(denoiser),
            keep=wish.keep,
            progress=progress,
        )
    x = trajectory.x.detach().cpu().numpy()
    mixture = make_mixture(experiment.data)
    start = start_mismatch(experiment)
    film = Film(wish, mixture, trajectory, x, start)
    film.numbers(film.levels if wish.level is None else min(wish.level, film.levels))
    object.__setattr__(film, "seconds", monotonic() - began)  # measuring takes its time, too
    return film

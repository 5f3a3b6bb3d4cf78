"""A denoising prepared for display: numpy arrays, with the truth at every level."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from time import monotonic

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...core.analysis.densities import goal_moments
from ...core.analysis.memorisation.copies import clean_points, copied, share_of
from ...core.analysis.metrics import nearest_mode_distance
from ...core.analysis.start_mismatch import StartMismatch, start_mismatch
from ...core.arrays import Floats
from ...core.assemble import make_ideal, make_mixture, scaling_of
from ...core.conditioning import Labels, guided, label_of, of_label
from ...core.datasets import MAX_COMPONENTS, Scaling
from ...core.interpolation import interpolate
from ...core.methods import Denoiser, IdealDenoiser, device_of
from ...core.mixtures import GaussianMixture
from ...core.progress import ProgressCallback
from ...core.schedules import Schedule
from ...core.training.devices import choose_device, use_threads
from ...core.training_set import TrainingSet
from ...core.trajectory import Trajectory, denoise, forward_process
from ...core.trajectory_view import ESTIMATES, FOLLOWED, exact_at, noise_at
from ...export.groups import Groups, groups_of
from ...export.views import SOLVED
from .references import copied_real, real_distance, reference
from .request import SampleRequest

_AT_ONCE = 400_000
"""Number of pairs that are measured so quickly that a key press can wait for it."""

_PAIRS = 2**20
"""Limit on the pairs of a point and a component for the ideal denoiser during a key press."""

_LIVE_PAIRS = 2**25
"""Most pairs of a point and a training point that are compared while a network trains."""

_MOST_PAIRS, _FEWEST = 2**24, 256
"""The limit in a background thread, and the minimum number of points there."""


@dataclass(frozen=True)
class LevelMeasurements:
    """The measurements at one level; lists have one entry per coordinate.

    Means and stds are in the data's own units, distances at unit size. Fields ``goal_…`` are exact,
    except ``goal_distance``, which like ``energy_real`` is the score of the same number of true
    points. ``energy_chance`` is the chance variation of ``energy``. The distance to the nearest
    mode is None for data without modes. At the level of the result, all values are those of
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
class PointStep:
    """A point's step from one level to the next; lists have one entry per coordinate, in own units.

    The point moves from x to x + move + noise; the ideal values are those of the exact denoiser at
    x.
    """

    x: list[float]
    eps_hat: list[float]
    x0_hat: list[float]
    move: list[float]
    noise: list[float]
    ideal_eps: list[float]
    ideal_x0: list[float]


@dataclass(frozen=True)
class Predictions:
    """A denoiser's predictions for some points, each (k, d); score = −eps_hat / sigma."""

    eps_hat: Tensor
    x0_hat: Tensor
    score: Tensor


@dataclass(frozen=True, eq=False)
class MeasuredTrajectory:
    """All levels of one denoising, or of the forward process, with the truth at each level.

    ``x`` has shape (N + 1, n, d). ``request`` is the request for this trajectory, and ``seconds``
    the time that it took.
    """

    request: SampleRequest
    mixture: GaussianMixture
    raw: Trajectory
    x: NDArray[np.float32]
    start: StartMismatch | None = None
    seconds: float = 0.0

    @property
    def levels(self) -> int:
        """The number of levels, N."""
        return len(self.x) - 1

    @property
    def dim(self) -> int:
        """The number of coordinates of a point."""
        return int(self.x.shape[2])

    @cached_property
    def scaling(self) -> Scaling:
        """The conversion from unit size, which all values here have, to the data's own units."""
        return scaling_of(self.request.experiment.data)

    def is_slow(self, view: str) -> bool:
        """Return whether a picture of this view is too slow to draw during a key press.

        The time of the exact parts grows with the number of components, one per row of a file.
        """
        if view in SOLVED and self.request.source != "forward":
            return True
        pairs = self.mixture.modes * min(self.x.shape[1], ESTIMATES)
        return self.mixture.modes > MAX_COMPONENTS or (view == "clean estimate" and pairs > _PAIRS)

    @property
    def label(self) -> int | None:
        """The class that the points are a sample of; None for all."""
        return label_of(self.request.experiment)

    @cached_property
    def groups(self) -> Groups | None:
        """The groups of the points, which have their own colours; None for one colour.

        They are classes, or else copies of training points and others.
        """
        role = "ideal" if self.request.source == "ideal" else "network"
        return groups_of(self.raw, self.copies, role)

    @property
    def training_set(self) -> TrainingSet | None:
        """The fixed training set, if there is one."""
        return self.request.training_set

    @cached_property
    def copies(self) -> Tensor | None:
        """Which points (n,) end as copies of training points.

        None without a training set, for true points, and while training if that would take long.
        """
        finite, points = self.training_set, self.x.shape[1]
        if finite is None or self.request.source == "forward":
            return None
        if self.request.live and len(finite) * points > _LIVE_PAIRS:
            return None
        return copied(clean_points(self.raw), finite)

    @cached_property
    def copied(self) -> tuple[float | None, float | None] | None:
        """The share of copies among the points that sampling ends with, and that of true points."""
        if self.copies is None or self.training_set is None:
            return None
        share = share_of(self.copies, clean_points(self.raw))
        return share, copied_real(self.training_set, len(self.copies))

    @property
    def schedule(self) -> Schedule:
        """The noise levels."""
        return self.raw.schedule

    def at(self, position: float) -> NDArray[np.float32]:
        """Return the points (n, d) at a level, linearly interpolated between levels."""
        return interpolate(self.x, position)

    def truth(self, position: float) -> GaussianMixture:
        """Return the exact noisy distribution at a level or, by interpolation, between two."""
        return exact_at(self.mixture, self.schedule, position)

    def alpha(self, position: float) -> float:
        """Return alpha at a level, linearly interpolated between levels."""
        return noise_at(self.schedule, position)[0]

    def sigma(self, position: float) -> float:
        """Return sigma at a level, linearly interpolated between levels."""
        return noise_at(self.schedule, position)[1]

    def x0_hat(self, level: int) -> NDArray[np.float32]:
        """Return the denoiser's estimates of the clean data at a level below N, (k, d).

        They are limited to the first points: more would not be visible, and each costs another
        network evaluation.
        """
        return self.raw.step(level, slice(ESTIMATES)).x0_hat.detach().cpu().numpy()

    @property
    def _ideal_count(self) -> int:
        return max(_FEWEST, min(ESTIMATES, _MOST_PAIRS // self.mixture.modes))

    @property
    def ideal_of(self) -> str:
        """The points that `ideal_x0` describes, for a legend."""
        few = self._ideal_count < min(self.x.shape[1], ESTIMATES)
        return f"the first {self._ideal_count:,}" if few else "the same"

    def ideal_x0(self, level: int) -> NDArray[np.float32]:
        """Return the ideal denoiser's estimates for the first points, (k, d).

        Each point is compared with every component, so k is smaller for many components.
        """
        x = torch.from_numpy(self.x[level, : self._ideal_count])
        return self._answer(
            self._ideal, x, level, self._labels(slice(self._ideal_count))
        ).x0_hat.numpy()

    @cached_property
    def ideal_x(self) -> NDArray[np.float32]:
        """The ideal denoiser's paths from some starts, with the same noise, (N + 1, k, d)."""
        experiment, request = self.request.experiment, self.request
        ideal = self._ideal
        return denoise(
            experiment,
            ideal,
            points=request.points,
            seed=request.seed,
            keep=FOLLOWED,
            schedule=self.schedule,
        ).x.numpy()

    @cached_property
    def _forward(self) -> Trajectory:
        request = self.request
        # Use another draw than the trajectory's own, which may also be of true data.
        seed = (request.seed + 1) % 2**63
        return forward_process(
            request.experiment, points=request.points, seed=seed, schedule=self.schedule
        )

    @cached_property
    def forward_x(self) -> NDArray[np.float32]:
        """The same number of true points, noised to every level, (N + 1, n, d)."""
        return self._forward.x.numpy()

    @cached_property
    def forward_groups(self) -> Groups | None:
        """The groups of these true points."""
        return groups_of(self._forward)

    @cached_property
    def _ideal(self) -> IdealDenoiser:
        """The ideal denoiser of the whole data."""
        data = self.request.experiment.data
        whole = self.mixture if self.label is None else make_mixture(data)
        return make_ideal(self.request.experiment.method, whole)

    @cached_property
    def _source(self) -> IdealDenoiser:
        """The ideal denoiser that made the points, if one did."""
        return self.request.ideal()

    def _labels(self, part: slice) -> Labels:
        """Return the labels of some of the points; the one class that is sampled, if it is one."""
        labels = self.raw.labels
        return self.label if labels is None or self.label is not None else labels[part].cpu()

    def point(self, level: int, index: int) -> PointStep:
        """Return the step of one point from a level below N."""
        one = slice(index, index + 1)
        step = self.raw.step(level, one)
        x, ideal = step.x, self._answer(self._ideal, step.x.cpu(), level, self._labels(one))
        back, lengths = self.scaling.inverse, self.scaling.inverse_lengths
        rows = (
            back(x),
            step.eps_hat,
            back(step.x0_hat),
            lengths(step.mean - x),
            lengths(step.noise),
            ideal.eps_hat,
            back(ideal.x0_hat),
        )
        return PointStep(*(row[0].tolist() for row in rows))

    def ask(self, x: Tensor, level: int) -> Predictions:
        """Return the denoiser's predictions for points x (k, d) at a level below N.

        They are those of the class that is sampled, guided; of no class, if all are sampled.
        """
        denoiser = {"network": self.request.denoiser, "ideal": self._source}.get(
            self.request.source, self._ideal
        )
        return self._answer(denoiser, x, level, self.label)

    def ask_ideal(self, x: Tensor, level: int) -> Predictions:
        """Return the predictions of the ideal denoiser for points x (k, d) at a level below N."""
        return self._answer(self._ideal, x, level, self.label)

    @torch.no_grad()
    def _answer(self, denoiser: Denoiser, x: Tensor, level: int, labels: Labels) -> Predictions:
        denoiser = guided(self.request.experiment, denoiser, labels)
        prediction = denoiser(x.to(device_of(denoiser)), self.schedule[level])
        eps_hat = prediction.eps_hat.cpu()
        return Predictions(eps_hat, prediction.x0_hat.cpu(), -eps_hat / self.sigma(level))

    @cached_property
    def moments(self) -> tuple[Floats, Floats, Floats, Floats]:
        """Mean, std, goal mean and goal std at every level, each (N + 1, d), at unit size."""
        goal_mean, goal_std = goal_moments(self.mixture, self.schedule)
        # Points that are not finite give nan, which the plot shows as a gap.
        levels = [torch.var_mean(torch.from_numpy(x).double(), 0, correction=0) for x in self.x]
        variance, mean = (torch.stack(values) for values in zip(*levels, strict=True))
        return mean.numpy(), variance.sqrt().numpy(), goal_mean.numpy(), goal_std.numpy()

    def moments_at(self, level: int) -> list[list[float]]:
        """Return mean, std, goal mean and goal std at a level, in the data's own units."""
        ways = 2 * (self.scaling.inverse, self.scaling.inverse_lengths)
        rows = (torch.from_numpy(values[level]) for values in self.moments)
        return [way(row).tolist() for way, row in zip(ways, rows, strict=True)]

    @cached_property
    def _numbers(self) -> dict[int, LevelMeasurements]:
        return {}

    def numbers(self, level: int) -> LevelMeasurements:
        """Return the measurements at a level; they are computed once."""
        if level not in self._numbers:
            self._numbers[level] = self._measure(level)
        return self._numbers[level]

    def measured(self, level: int) -> LevelMeasurements | None:
        """Return the measurements at a level if they are known or quick to compute, else None."""
        pairs = self.x.shape[1] * (self.x.shape[1] + 4 * self.mixture.modes)
        quick = pairs < _AT_ONCE and self.mixture.modes <= MAX_COMPONENTS
        return self.numbers(level) if quick else self._numbers.get(level)

    def next_to_measure(self, level: int) -> int | None:
        """Return the unmeasured level nearest to ``level``, or None.

        For a network in training, whose trajectory is soon replaced, consider only ``level``.
        """
        levels = [level] if self.request.live else range(self.levels + 1)
        left = [k for k in levels if k not in self._numbers]
        return min(left, key=lambda k: abs(k - level), default=None)

    def _measure(self, level: int) -> LevelMeasurements:
        mean, std, goal_mean, goal_std = self.moments_at(level)
        points = torch.from_numpy(np.ascontiguousarray(self.x[level]))
        points = points[torch.isfinite(points).all(1)]
        data, schedule, label = self.request.experiment.data, self.schedule, self.label
        distance, real = None, None
        if self.mixture.has_modes and len(points):
            distance = nearest_mode_distance(points, self.truth(level))
            real = real_distance(data, label, schedule, level, len(points))
        energy = reference(data, label, schedule, level).distance(points)
        return LevelMeasurements(
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


def measure_trajectory(
    request: SampleRequest, progress: ProgressCallback | None = None
) -> MeasuredTrajectory:
    """Sample for a request, and measure the first visible level.

    ``progress`` receives the number of completed steps and the total.
    """
    began = monotonic()
    experiment = request.experiment
    use_threads(experiment)
    if request.given is not None:
        raw = request.given
    elif request.source == "forward":
        raw = forward_process(experiment, points=request.points, seed=request.seed)
    else:
        denoiser = request.denoiser
        if request.source == "ideal":
            denoiser = request.ideal(choose_device(experiment).device)
        raw = denoise(
            experiment,
            denoiser,
            points=request.points,
            seed=request.seed,
            device=device_of(denoiser),
            keep=request.keep,
            progress=progress,
        )
    x = raw.x.detach().cpu().numpy()
    mixture = of_label(make_mixture(experiment.data), label_of(experiment))
    start = start_mismatch(experiment)
    trajectory = MeasuredTrajectory(request, mixture, raw, x, start)
    trajectory.numbers(
        trajectory.levels if request.level is None else min(request.level, trajectory.levels)
    )
    if trajectory.training_set is not None:
        _ = trajectory.groups, trajectory.copied  # here, so that no key press waits for them
    object.__setattr__(trajectory, "seconds", monotonic() - began)  # include the time for measuring
    return trajectory

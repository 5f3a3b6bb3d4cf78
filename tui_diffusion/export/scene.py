"""The exported content: an experiment, its losses, and its denoising at any playback position."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..core.analysis.attribution import Attribution, attribute
from ..core.analysis.densities import goal_moments
from ..core.analysis.error_growth import Amplification, amplification
from ..core.analysis.evaluations import SamplerError, errors_by_evaluations
from ..core.analysis.guidance.effect import GuidanceEffect, guidance_effect
from ..core.analysis.guidance.guided_truth import GuidedTruth, guided_truth
from ..core.analysis.likelihood.estimate import Likelihood, likelihood
from ..core.analysis.likelihood.probability_flow import NoFieldError
from ..core.analysis.loss_floor import LevelLoss, level_losses, stage_floors
from ..core.analysis.memorisation.copies import clean_points, copied
from ..core.analysis.memorisation.measures import OptimumDistance, optimum_distances
from ..core.arrays import Floats
from ..core.assemble import make_ideal, make_mixture, scaling_of
from ..core.axes import Axis
from ..core.conditioning import guided, label_of, truth_of
from ..core.config.experiment import Experiment
from ..core.config.titles import title_of
from ..core.datasets import Scaling
from ..core.interpolation import interpolate
from ..core.memorisation_rows import Rows, no_rows
from ..core.methods import Denoiser, IdealDenoiser, device_of
from ..core.mixtures import GaussianMixture
from ..core.training_set import TrainingSet, make_training_set
from ..core.trajectory import Trajectory, denoise
from ..core.trajectory_view import ESTIMATES, FOLLOWED, box_of, exact_at, noise_at, window_over
from .groups import Groups, groups_of

_FAR = 4.0
"""Largest ratio of the noise's width to the data's in a view with a fixed window."""

_ROOM = 1.06
"""Ratio of a view's width to the truth's width, so that points at the edge stay visible."""

_STRAYS = 0.002
"""Share of the points that a closing view may leave out on each side."""

_WIDER = 1.3
"""Width of a closing view, relative to the truth, that makes room for the other points."""

_CLOSEST = 10.0
"""Largest factor by which a view closes in."""


def _no_losses() -> NDArray[np.float32]:
    return np.empty(0, np.float32)


@dataclass(frozen=True, eq=False)
class ErrorDiagnosis:
    """A diagnosis of a denoiser's error. Parts that are None or empty are unknown."""

    losses: tuple[LevelLoss, ...]
    amplification: tuple[Amplification, ...]
    attribution: Attribution | None
    likelihood: Likelihood | None = None
    evaluations: tuple[SamplerError, ...] = ()
    guidance: GuidanceEffect | None = None
    distances: tuple[OptimumDistance, ...] = ()

    @classmethod
    def of(cls, experiment: Experiment, denoiser: Denoiser | None) -> ErrorDiagnosis:
        """Diagnose a denoiser; without one, diagnose only the schedule."""
        by = amplification(experiment)
        if denoiser is None:
            return cls((), by, None)
        attribution = attribute(experiment, denoiser, device=device_of(denoiser))
        return cls(tuple(level_losses(experiment, denoiser)), by, attribution)


@dataclass(frozen=True, eq=False)
class Exhibit:
    """An experiment with its losses and one denoising, if it has them.

    ``maker`` names the source of the points: "network", "ideal denoiser" or "true data".
    ``denoiser`` produced them from the noise of ``seed`` (None: the experiment's). ``diagnosis`` is
    computed if it is not given. ``memorisation`` holds what was measured during a training on a
    fixed set of points; ``trained`` is the experiment of that training, if it is another.
    """

    experiment: Experiment
    trajectory: Trajectory | None = None
    losses: NDArray[np.float32] = field(default_factory=_no_losses)
    maker: str = "network"
    denoiser: Denoiser | None = None
    seed: int | None = None
    diagnosis: ErrorDiagnosis | None = None
    memorisation: Rows = field(default_factory=no_rows)
    trained: Experiment | None = None

    @property
    def training_set(self) -> TrainingSet | None:
        """The fixed training set, if there is one."""
        return make_training_set(self.trained or self.experiment)

    @cached_property
    def distances(self) -> tuple[OptimumDistance, ...]:
        """The distances of the denoiser to both optima; none without a training set."""
        if self.diagnosis is not None or self.denoiser is None or self.training_set is None:
            return self.diagnosis.distances if self.diagnosis is not None else ()
        return tuple(optimum_distances(self.experiment, self.denoiser, self.training_set))

    @cached_property
    def diagnosed(self) -> ErrorDiagnosis:
        """The diagnosis of the denoiser's error, computed on first use."""
        return self.diagnosis or ErrorDiagnosis.of(self.experiment, self.denoiser)

    @cached_property
    def likelihood(self) -> Likelihood | None:
        """The likelihood of the data, computed on first use; None without a density."""
        if self.diagnosed.likelihood is not None or self.denoiser is None:
            return self.diagnosed.likelihood
        with suppress(NoFieldError):
            return likelihood(self.experiment, self.denoiser)
        return None

    @cached_property
    def evaluations(self) -> tuple[SamplerError, ...]:
        """The error of all samplers against evaluations, computed on first use."""
        if self.diagnosis is not None or self.denoiser is None:
            return self.diagnosis.evaluations if self.diagnosis is not None else ()
        return tuple(errors_by_evaluations(self.experiment, self.denoiser, seed=self.seed))

    @cached_property
    def guidance(self) -> GuidanceEffect:
        """The effect of guidance, computed on first use."""
        if self.diagnosis is not None or self.denoiser is None:
            return (self.diagnosis and self.diagnosis.guidance) or GuidanceEffect()
        sample = self.trajectory if self.maker == "network" else None
        return guidance_effect(self.experiment, self.denoiser, sample)

    @cached_property
    def floors(self) -> tuple[tuple[int, float], ...]:
        """The smallest losses that any network can reach, each with its first step."""
        return stage_floors(self.experiment)

    @property
    def title(self) -> str:
        """The title of the experiment, which says so if the population is unknown."""
        unknown = self.experiment.data.population_unknown
        return title_of(self.experiment) + (", population unknown" if unknown else "")


@dataclass(frozen=True, eq=False)
class Scene:
    """The points (n, d) and the exact distribution at one position between levels 0 and N.

    ``groups`` are those of the points, if they have any. Positions are at unit size; ``scaling``
    converts them to the data's own units. ``beta`` belongs to the step from the level last reached.
    ``decays`` means that alpha falls as the noise grows. ``shown`` is the share of the usual window
    that a picture shows, on each axis.
    """

    position: float
    levels: int
    points: Floats
    truth: GaussianMixture
    alpha: float
    sigma: float
    beta: float
    decays: bool
    scaling: Scaling
    groups: Groups | None = None
    shown: float = 1.0

    @property
    def level(self) -> int:
        """The level last reached."""
        return min(int(self.position + 1e-9), self.levels)

    @property
    def moments(self) -> list[tuple[str, Floats, Floats]]:
        """Name, sample value and true value of mean and std, in the data's own units."""
        points, back = torch.from_numpy(self.points), self.scaling.inverse_lengths
        pairs = [
            ("mean", self.scaling.inverse(points.mean(0)), self.scaling.inverse(self.truth.mean())),
            ("std", back(points.std(0, correction=0)), back(self.truth.std())),
        ]
        return [(name, seen.numpy(), true.numpy()) for name, seen, true in pairs]

    @property
    def clean(self) -> bool:
        """Whether this is level N."""
        return self.level == self.levels

    @property
    def name(self) -> str:
        """The level and the number of levels, as text."""
        return f"level {self.level}/{self.levels}"

    @property
    def words(self) -> str:
        """The noise at this position, as text."""
        return self.notes[0]

    @property
    def notes(self) -> tuple[str, ...]:
        """The same text in several lengths, longest first."""
        if self.clean:
            return ("clean",)
        if not self.decays:
            return (f"sigma {self.sigma:.3g}",)
        short = f"alpha_bar {self.alpha**2:.3g}"
        return f"beta {self.beta:.3g}   {short}", short


def _numbers(x: Tensor) -> Floats:
    return np.asarray(x.detach().cpu().double().numpy())


@dataclass(frozen=True, eq=False)
class Animation:
    """A denoising as a function of a position from 0 (noise) to N (clean), at unit size.

    Between two levels, points, alpha and sigma are interpolated linearly.
    """

    exhibit: Exhibit
    trajectory: Trajectory

    @property
    def levels(self) -> int:
        """The number of levels, N."""
        return self.trajectory.levels

    @property
    def dim(self) -> int:
        """The number of coordinates of a point."""
        return int(self.trajectory.x.shape[2])

    @cached_property
    def mixture(self) -> GaussianMixture:
        """The exact distribution of the data, or of the class that is sampled."""
        return truth_of(self.exhibit.experiment)

    @cached_property
    def whole(self) -> GaussianMixture:
        """The exact distribution of the data, of all classes."""
        return make_mixture(self.exhibit.experiment.data)

    @cached_property
    def groups(self) -> Groups | None:
        """The groups of the points; None if they have none."""
        maker, finite = self.exhibit.maker, self.exhibit.training_set
        if finite is None or maker == "true data":
            return groups_of(self.trajectory)
        copies = copied(clean_points(self.trajectory), finite)
        return groups_of(self.trajectory, copies, "ideal" if "ideal" in maker else "network")

    @cached_property
    def densities(self) -> dict[tuple[Any, ...], Any]:
        """The densities of the denoiser that were computed so far, by level and window."""
        return {}

    @cached_property
    def guided(self) -> GuidedTruth | None:
        """The exact distributions of guidance; None without guidance."""
        return guided_truth(self.exhibit.experiment, schedule=self.trajectory.schedule)

    @cached_property
    def _scaling(self) -> Scaling:
        return scaling_of(self.exhibit.experiment.data)

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The axis of each coordinate, in the data's own units."""
        return self._scaling.axes

    @cached_property
    def x(self) -> Floats:
        """The points (N + 1, n, d)."""
        return _numbers(self.trajectory.x)

    @property
    def ideal(self) -> IdealDenoiser:
        """The exact denoiser of this experiment's whole data."""
        return make_ideal(self.exhibit.experiment.method, self.whole)

    @cached_property
    def ideal_x(self) -> Floats:
        """The ideal denoiser's paths from some starts, with the same noise, (N + 1, k, d)."""
        trajectory = denoise(
            self.exhibit.experiment,
            self.ideal,
            points=self.trajectory.points,
            seed=self.exhibit.seed,
            keep=FOLLOWED,
            schedule=self.trajectory.schedule,
        )
        return _numbers(trajectory.x)

    def estimates(self, level: int) -> tuple[Floats, Floats]:
        """Return x0_hat of the denoiser and of the ideal denoiser for some points, each (k, d).

        ``level`` is below N.
        """
        step, labels = self.trajectory.step(level, slice(ESTIMATES)), self.trajectory.labels
        shown = labels if labels is None else labels[:ESTIMATES].cpu()
        ideal = guided(self.exhibit.experiment, self.ideal, shown)
        exact = ideal(step.x.cpu(), self.trajectory.schedule[level])
        return _numbers(step.x0_hat), _numbers(exact.x0_hat)

    @torch.no_grad()
    def predictions(self, x: Floats, level: int, *, ideal: bool) -> tuple[Floats, Floats]:
        """Return x0_hat and the score (k, d) at points x (k, d), for a level below N.

        Both come from the trajectory's denoiser or, with ``ideal``, from the exact one; they are
        those of the class that is sampled, guided. score = −eps_hat / sigma.
        """
        given, experiment = self.exhibit.denoiser, self.exhibit.experiment
        denoiser = self.ideal if ideal or given is None else given
        denoiser = guided(experiment, denoiser, label_of(experiment))
        points = torch.from_numpy(x).float().to(device_of(denoiser))
        prediction = denoiser(points, self.trajectory.schedule[level])
        score = -_numbers(prediction.eps_hat) / float(self.trajectory.schedule.sigmas[level])
        return _numbers(prediction.x0_hat), score

    @cached_property
    def moments(self) -> tuple[Floats, Floats, Floats, Floats]:
        """Mean, std, goal mean and goal std at every level, each (N + 1, d), in own units."""
        goal_mean, goal_std = goal_moments(self.mixture, self.trajectory.schedule)
        mean, std = torch.from_numpy(self.x.mean(1)), torch.from_numpy(self.x.std(1))
        back, inverse_lengths = self._scaling.inverse, self._scaling.inverse_lengths
        return (
            _numbers(back(mean)),
            _numbers(inverse_lengths(std)),
            _numbers(back(goal_mean)),
            _numbers(inverse_lengths(goal_std)),
        )

    def scene(self, position: float, shown: float = 1.0) -> Scene:
        """Return the scene at ``position``, without points that are not finite.

        ``shown`` is the share of the usual window that a picture shows.
        """
        schedule, levels = self.trajectory.schedule, self.levels
        points = interpolate(self.x, position)
        finite = np.isfinite(points).all(1)
        alpha, sigma = noise_at(schedule, position)
        reached = min(int(position + 1e-9), levels)
        return Scene(
            position=position,
            levels=levels,
            points=points[finite],
            groups=None if self.groups is None else self.groups.of(finite),
            truth=self.mixture.noised(alpha, sigma),
            alpha=alpha,
            sigma=sigma,
            beta=float(schedule.betas[reached]) if reached < levels else 0.0,
            decays=bool(schedule.alphas.min() < 1),
            scaling=self._scaling,
            shown=shown,
        )

    def view(self, scene: Scene) -> tuple[Floats, float]:
        """Return the centre (2,) and the half width of the visible part of the plane.

        The window is the same at every level, so that motion on the screen is motion of the data.
        If the noise reaches much further than the data, the window shrinks with it.
        """
        centre, half = self.extent
        if not self.closes_in:
            return centre, scene.shown * half
        low, high = box_of(scene.truth)
        middle, own = (low + high) / 2, _ROOM * float((high - low).max() / 2)
        if len(scene.points):
            far = np.quantile(scene.points, (_STRAYS, 1 - _STRAYS), axis=0)
            own = max(own, min(_ROOM * float(np.abs(far - middle).max()), _WIDER * own))
        return middle, scene.shown * max(own, half / _CLOSEST)

    @cached_property
    def closes_in(self) -> bool:
        """Whether the data would be too small in a window that holds the noise."""
        low, high = box_of(self._truth(self.levels))
        return self.extent[1] > _FAR * float((high - low).max() / 2)

    @cached_property
    def extent(self) -> tuple[Floats, float]:
        """Centre (d,) and half width of a window that holds 3.2 std of the truth at every level."""
        centre, half = window_over(map(self._truth, range(self.levels + 1)))
        return centre, _ROOM * half

    def _truth(self, level: int) -> GaussianMixture:
        # A window of the whole data is the same for every class.
        return exact_at(self.whole, self.trajectory.schedule, level)

    def chosen(self, most: int) -> list[int]:
        """Return at most ``most`` evenly spaced levels, including the first and the last."""
        count = min(most, self.levels + 1)
        return sorted({round(position) for position in np.linspace(0, self.levels, count)})

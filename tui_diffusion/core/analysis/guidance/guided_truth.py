"""The exact distributions that a guided sample can be compared with, at any level of noise.

- conditional: p(x|c), what sampling without guidance aims at;
- tilted: p(x|c)^w p(x)^(1−w)/Z, whose score is the guided one at that level (`tilted_density`);
- guided: what the guided ODE of exact denoisers generates (`guided_flow`).

Several classes are mixed by their weights. A guide that is only weaker than the main network, as
in autoguidance, has the same exact denoiser; all three distributions are then the conditional.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from torch import Tensor

from ...assemble import make_ideal, mixture_for, sampling_schedule
from ...conditioning import for_label, guided, of_label, shares
from ...config.experiment import Experiment
from ...config.presets import Preset, experiment_of
from ...guidance import GuidedDenoiser
from ...methods import IdealDenoiser
from ...mixtures import GaussianMixture
from ...schedules import Schedule
from ...short_repr import short_repr
from ..energy_distance import energy_distance
from ..likelihood.probability_flow import STEPS, Flow, angle_of
from ..mixing import log_mixed, mixed
from ..start_mismatch import start_of
from .guided_flow import SAMPLE_STEPS, generated_mixture, guided_flow
from .tilted_density import POINTS, NotNormalisableError, TiltedDensity

_PAIRS = 20_000_000
"""Pairs of a point and a component for the points that stand for a distribution."""

_FEWEST, _MOST = 2048, 4096
"""Limits on these points, of all classes together."""


@dataclass(frozen=True)
class GuidedClass:
    """A class of the data: its share of the points, the mixtures of main and guide, and its start.

    ``start`` is the distribution of x at the noisiest level.
    """

    share: float
    main: GaussianMixture
    guide: GaussianMixture
    start: GaussianMixture


@dataclass(frozen=True)
class GuidedDistances:
    """Energy distances of a sample from the exact distributions; see the module's docstring.

    ``tilted`` is None if that density has no integral, with the ``reason``. ``real``: root mean
    square of the estimate for as many true points of the guided distribution, whose mean is 0.
    """

    conditional: float
    tilted: float | None
    guided: float
    real: float
    reason: str = ""

    def __repr__(self) -> str:
        return short_repr(self, "conditional", "tilted", "guided", "real")


@dataclass(frozen=True, eq=False)
class GuidedTruth:
    """The exact distributions of guidance with ``weight`` where ``low`` ≤ σ/α ≤ ``high``.

    Sampling begins at level (alpha, sigma).
    """

    classes: Sequence[GuidedClass]
    weight: float
    alpha: float
    sigma: float
    low: float = 0.0
    high: float = math.inf

    def __repr__(self) -> str:
        return short_repr(self, "weight", "low", "high", classes=len(self.classes))

    @property
    def guides(self) -> bool:
        """Whether guidance changes anything: not if every guide has the exact denoiser of main."""
        return any(of.guide is not of.main for of in self.classes)

    @property
    def _components(self) -> int:
        """Number of components that a point of every class is compared with."""
        return sum(of.main.modes + of.guide.modes for of in self.classes)

    def conditional(self, alpha: float = 1.0, sigma: float = 0.0) -> GaussianMixture:
        """Return p(x|c) noised to (alpha, sigma)."""
        return mixed([(of.share, of.main) for of in self.classes]).noised(alpha, sigma)

    def tilted(self, alpha: float = 1.0, sigma: float = 0.0) -> list[TiltedDensity]:
        """Return the tilted density of every class at a level.

        Raise `NotNormalisableError` if one has no integral.
        """
        return [
            TiltedDensity(of.main.noised(alpha, sigma), of.guide.noised(alpha, sigma), self.weight)
            for of in self.classes
        ]

    def tilted_mixture(self, alpha: float = 1.0, sigma: float = 0.0) -> GaussianMixture:
        """Return the tilted density of all classes at a level, as a mixture of points."""
        affordable = max(_PAIRS // self._components, _FEWEST // len(self.classes))
        points = _power_of_2(min(affordable, POINTS))
        parts = [part.mixture(points) for part in self.tilted(alpha, sigma)]
        return mixed([(of.share, part) for of, part in zip(self.classes, parts, strict=True)])

    @cached_property
    def flows(self) -> list[Flow]:
        """The guided ODE of every class."""
        return [
            guided_flow(
                of.main, of.guide, self.weight, self.low, self.high,
                start=of.start, alpha=self.alpha, sigma=self.sigma,
            )
            for of in self.classes
        ]  # fmt: skip

    def guided(self, alpha: float = 1.0, sigma: float = 0.0) -> GaussianMixture:
        """Return what the guided ODE generates at a level, as a mixture of points."""
        size, angle = math.hypot(alpha, sigma), angle_of(alpha, sigma)
        affordable = len(self.classes) * _PAIRS // (4 * SAMPLE_STEPS * self._components)
        count = _power_of_2(min(max(affordable, _FEWEST), _MOST) // len(self.classes))
        parts = [
            (of.share, generated_mixture(flow, count, angle))
            for of, flow in zip(self.classes, self.flows, strict=True)
        ]
        return mixed(parts).noised(size, 0.0)

    def tilted_log_prob(self, x: Tensor, alpha: float = 1.0, sigma: float = 0.0) -> Tensor:
        """Return the tilted log-density at points x (n, d) of a level, (n,)."""
        parts = zip(self.classes, self.tilted(alpha, sigma), strict=True)
        return log_mixed((of.share, part.log_prob(x)) for of, part in parts)

    def guided_log_prob(
        self, x: Tensor, alpha: float = 1.0, sigma: float = 0.0, steps: int = STEPS
    ) -> Tensor:
        """Return the log-density of the guided ODE at points x (n, d) of a level, (n,)."""
        size, angle = math.hypot(alpha, sigma), angle_of(alpha, sigma)
        parts = zip(self.classes, self.flows, strict=True)
        logs = log_mixed((of.share, flow.log_density(x / size, angle, steps)) for of, flow in parts)
        return logs - x.shape[1] * math.log(size)

    def distances(self, x: Tensor, alpha: float = 1.0, sigma: float = 0.0) -> GuidedDistances:
        """Return the energy distances of points x (n, d) of a level; see `energy_distance`."""
        conditional = energy_distance(x, self.conditional(alpha, sigma))
        guided = energy_distance(x, self.guided(alpha, sigma))
        tilted, reason = None, ""
        try:
            tilted = energy_distance(x, self.tilted_mixture(alpha, sigma)).value
        except NotNormalisableError as error:
            reason = str(error)
        return GuidedDistances(conditional.value, tilted, guided.value, guided.real, reason)


def guided_truth(
    experiment: Experiment | Preset,
    mixture: GaussianMixture | None = None,
    schedule: Schedule | None = None,
) -> GuidedTruth | None:
    """Return the exact distributions of an experiment's guidance; None if its weight is 1.

    ``mixture`` and ``schedule`` take the place of those of the experiment. Raise `ConfigError` if
    the guide is a run that cannot be used.
    """
    experiment = experiment_of(experiment)
    sampling = experiment.sampling
    if not sampling.guided:
        return None
    levels = schedule or sampling_schedule(experiment)
    alpha, sigma = float(levels.alphas[0]), float(levels.sigmas[0])
    mixture = mixture_for(experiment, mixture).to("cpu")
    ideal = make_ideal(experiment.method, mixture)
    classes = []
    for label, share in shares(experiment, mixture).items():
        main = guide = of_label(mixture, label)
        exact = guided(experiment, ideal, label)
        if isinstance(exact, GuidedDenoiser) and isinstance(exact.guide, IdealDenoiser):
            guide = exact.guide.mixture
        start = start_of(for_label(experiment, label), mixture, levels)
        classes.append(GuidedClass(share, main, guide, start))
    low, high = sampling.guidance_from, sampling.guidance_to
    return GuidedTruth(classes, sampling.guidance, alpha, sigma, low, high)


def _power_of_2(count: int) -> int:
    """Return the largest power of 2 up to a count."""
    return 1 << (max(count, 1).bit_length() - 1)

"""Denoisers of classes, and guidance: one denoiser made of two.

Guidance with weight w moves the estimate of the main denoiser away from that of a guide,

    x0_hat = guide + w (main − guide),

for levels whose σ/α lies in an interval (Kynkäänniemi et al. 2024); elsewhere it is the main one's.
w = 1 is no guidance. A guide that does not know the label is classifier-free guidance (Ho and
Salimans 2022); a weaker network, smaller or trained less, is autoguidance (Karras et al. 2024).
Scores and noise estimates are affine in x0_hat, so they are guided alike.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from .empirical import Empirical
from .methods import Denoiser, IdealDenoiser, Method, Prediction, device_of
from .mixtures import GaussianMixture
from .schedules import Level
from .short_repr import short_repr

PURE_NOISE = 1e6
"""Greatest σ/α: that of pure noise, such as the first level of a flow, counts as this."""


@runtime_checkable
class ByPoint(Denoiser, Protocol):
    """A denoiser that treats every point of a sample differently, such as by its own label."""

    def of(self, part: slice) -> Denoiser:
        """Return the denoiser of some of the points."""
        ...


def for_points(denoiser: Denoiser, part: slice) -> Denoiser:
    """Return the denoiser of some of the points: itself, unless it differs from point to point."""
    return denoiser.of(part) if isinstance(denoiser, ByPoint) else denoiser


def is_exact(denoiser: Denoiser) -> bool:
    """Return whether a denoiser follows from mixtures alone, without a network."""
    if isinstance(denoiser, GuidedDenoiser):
        return is_exact(denoiser.main) and is_exact(denoiser.guide)
    return isinstance(denoiser, IdealDenoiser | ClassDenoiser)


def predicted(denoiser: Denoiser, x: Tensor, level: Level) -> Prediction:
    """Return a prediction in float64 on the CPU; a network computes in float32 on its device."""
    device = device_of(denoiser)
    precise = is_exact(denoiser) and device.type != "mps"
    at = denoiser((x if precise else x.float()).to(device), level)
    return Prediction(*(part.cpu().double() for part in (at.output, at.eps_hat, at.x0_hat)))


def of_population(denoiser: Denoiser) -> bool:
    """Return whether a denoiser is the exact one of a distribution, not of points drawn from it."""
    if isinstance(denoiser, GuidedDenoiser):
        return of_population(denoiser.main) and of_population(denoiser.guide)
    return isinstance(denoiser, IdealDenoiser | ClassDenoiser) and not isinstance(
        denoiser.mixture, Empirical
    )


@dataclass(frozen=True)
class ClassDenoiser:
    """The exact denoiser of each point's class c of ``labels`` (n,): x0_hat = E[x_0 | x, c]."""

    mixture: GaussianMixture
    method: Method
    labels: Tensor

    def __repr__(self) -> str:
        return short_repr(self, method=type(self.method).__name__, mixture=self.mixture)

    def __call__(self, x: Tensor, level: Level) -> Prediction:
        result = Prediction(*(torch.empty_like(x) for _ in range(3)))
        for label in sorted({*self.labels.tolist()}):
            of = self.labels == label
            ideal = IdealDenoiser(self.mixture.of_class(label), self.method)
            for whole, part in zip(
                vars(result).values(), vars(ideal(x[of], level)).values(), strict=True
            ):
                whole[of] = part
        return result

    def of(self, part: slice) -> ClassDenoiser:
        """Return the denoiser of some of the points."""
        return ClassDenoiser(self.mixture, self.method, self.labels[part])


@dataclass(frozen=True)
class GuidedDenoiser:
    """Guidance with ``weight`` of the main denoiser by a guide; see the module's docstring.

    It applies where ``low`` ≤ σ/α ≤ ``high``. Both denoisers may differ from point to point.
    """

    main: Denoiser
    guide: Denoiser
    weight: float
    low: float = 0.0
    high: float = math.inf

    def __call__(self, x: Tensor, level: Level) -> Prediction:
        main = self.main(x, level)
        if self.weight == 1 or not self.applies(level):
            return main
        guide = self.guide(x, level)
        return Prediction(
            *(
                torch.lerp(weak, strong, self.weight)
                for weak, strong in zip(vars(guide).values(), vars(main).values(), strict=True)
            )
        )

    def applies(self, level: Level) -> bool:
        """Return whether a level is in the interval; pure noise counts as `PURE_NOISE`."""
        alpha, sigma = float(level.alpha), float(level.sigma)
        ratio = sigma / alpha if sigma < PURE_NOISE * alpha else PURE_NOISE
        return self.low <= ratio <= self.high

    def of(self, part: slice) -> GuidedDenoiser:
        """Return the denoiser of some of the points."""
        main, guide = for_points(self.main, part), for_points(self.guide, part)
        return GuidedDenoiser(main, guide, self.weight, self.low, self.high)

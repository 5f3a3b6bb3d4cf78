"""One reverse step, and the arithmetic that samplers share."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, Self

import torch
from torch import Tensor

from ..methods import Denoiser, Prediction
from ..schedules import Level
from ..short_repr import short_repr

LEAST_REMAINING = 1e-6
"""Below this share of σ/α a step takes one evaluation: float32 holds no change of eps_hat."""


@dataclass(frozen=True)
class Step:
    """One reverse step, x → x_next = mean + noise; tensors have shape (n, d).

    ``noise`` is what z adds directly. Where z also passes through the denoiser, the rest of its
    effect is in ``mean``. ``previous`` is the step before, if the sampler looks back so far.
    """

    x: Tensor
    eps_hat: Tensor
    x0_hat: Tensor
    mean: Tensor
    noise: Tensor
    x_next: Tensor
    alpha: float
    sigma: float
    previous: Step | None = None

    def __repr__(self) -> str:
        return short_repr(self, "alpha", "sigma", "x", "x_next")

    def part(self, points: slice) -> Self:
        """Return the same step of some of the points."""
        some: dict[str, Any] = {n: values[points] for n, values in self._tensors().items()}
        return replace(self, **some, previous=self.previous and self.previous.part(points))

    @staticmethod
    def joined(steps: Sequence[Step]) -> Step:
        """Concatenate the same step of several batches of points."""
        return steps[0]._joined(steps)

    def _joined(self, steps: Sequence[Step]) -> Self:
        batches = [step._tensors() for step in steps]
        joined: dict[str, Any] = {n: torch.cat([b[n] for b in batches]) for n in batches[0]}
        before = [step.previous for step in steps if step.previous is not None]
        return replace(self, **joined, previous=Step.joined(before) if before else None)

    def before(self) -> Iterator[Step]:
        """Yield this step and the earlier ones that it knows, latest first."""
        step: Step | None = self
        while step is not None:
            yield step
            step = step.previous

    def since(self, previous: Step | None, count: int) -> Self:
        """Return this step with at most ``count`` earlier ones."""
        if previous is None or count < 1:
            return replace(self, previous=None)
        return replace(self, previous=previous.since(previous.previous, count - 1))

    def _tensors(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if isinstance(value, Tensor)}


class Sampler(Protocol):
    """A reverse step from one noise level to the next; see the package's docstring."""

    def __call__(
        self, x: Tensor, level: Level, denoiser: Denoiser, z: Tensor, previous: Step | None = None
    ) -> Step:
        """Take points x (n, d) from ``level`` to the next one.

        ``z`` ~ N(0, I) has x's shape, or (n, 2d) for a sampler of two noises; ``previous`` is the
        step that led to x, None at the first.
        """
        ...


def log_snr(alpha: float, sigma: float) -> float:
    """Return ln(α/σ), −∞ if nothing of the data is left."""
    return math.log(alpha / sigma) if alpha else -math.inf


def ends(level: Level) -> tuple[float, float, float, float]:
    """Return α, σ and the next level's α', σ'."""
    return float(level.alpha), float(level.sigma), float(level.alpha_next), float(level.sigma_next)


def added_variance(level: Level) -> tuple[float, float]:
    """Return a = α/α' and the variance b = σ² − a²σ'² added between the next level and this one."""
    alpha, sigma, alpha_next, sigma_next = ends(level)
    scale = alpha / alpha_next
    return scale, max(sigma**2 - scale**2 * sigma_next**2, 0.0)


def move(x: Tensor, level: Level, x0_hat: Tensor, eps_hat: Tensor) -> Tensor:
    """Move x along the ODE to the next level with a constant slope."""
    alpha, sigma, alpha_next, sigma_next = ends(level)
    return x + (alpha_next - alpha) * x0_hat + (sigma_next - sigma) * eps_hat


def step_of(
    x: Tensor, level: Level, prediction: Prediction, mean: Tensor, noise: Tensor | None = None
) -> Step:
    alpha, sigma, *_ = ends(level)
    noise = torch.zeros_like(x) if noise is None else noise
    return Step(x, prediction.eps_hat, prediction.x0_hat, mean, noise, mean + noise, alpha, sigma)


def two_noises(x: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
    """Return the two noises in z (n, 2d), each of x's shape; raise ValueError for another shape."""
    n, d = x.shape
    if z.shape != (n, 2 * d):
        raise ValueError(f"z must have shape {(n, 2 * d)}, two noises (got {tuple(z.shape)})")
    return z[:, :d], z[:, d:]


def remaining(level: Level) -> float:
    """Return r = (σ'/α')/(σ/α), the share of the noise left at the next level; 0 from α = 0."""
    alpha, sigma, alpha_next, sigma_next = ends(level)
    return min(alpha / alpha_next * (sigma_next / sigma), 1.0)


def halfway(level: Level) -> Level | None:
    """Return the level halfway to the next in ln(σ/α), with √(α α') and √(σ σ').

    None if the step leaves no more of σ/α than `LEAST_REMAINING`.
    """
    if remaining(level) <= LEAST_REMAINING:
        return None
    alpha, sigma, alpha_next, sigma_next = ends(level)
    return replace(level, alpha=(alpha * alpha_next) ** 0.5, sigma=(sigma * sigma_next) ** 0.5)

"""One reverse step of each sampler: a pure function of (x, level, denoiser, z, previous).

z ~ N(0, I), of x's shape, is an argument, so that a step can be repeated, shared between samplers
and compared. ``previous`` is the last step, None at the first; multistep samplers use it.

The probability-flow ODE (Song et al. 2021, Karras et al. 2022) states how a point moves when its
level changes: dx = x0_hat dα + eps_hat dσ. Between two levels α and σ may follow any path; here
both are linear. The variable is then σ on Karras' schedule (α = 1), and t on the flow's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, Self

import torch
from torch import Tensor

from .methods import Denoiser, Prediction
from .schedules import Level
from .short_repr import short_repr


@dataclass(frozen=True)
class Step:
    """One reverse step, x → x_next = mean + noise; tensors have shape (n, d)."""

    x: Tensor
    eps_hat: Tensor
    x0_hat: Tensor
    mean: Tensor
    noise: Tensor
    x_next: Tensor
    alpha: float
    sigma: float

    def __repr__(self) -> str:
        return short_repr(self, "alpha", "sigma", "x", "x_next")

    def part(self, points: slice) -> Self:
        """Return the same step of some of the points."""
        return replace(self, **{name: values[points] for name, values in self._tensors().items()})

    @staticmethod
    def joined(steps: Sequence[Step]) -> Step:
        """Concatenate the same step of several batches of points."""
        return steps[0]._joined(steps)

    def _joined(self, steps: Sequence[Step]) -> Self:
        batches = [step._tensors() for step in steps]
        joined: dict[str, Any] = {n: torch.cat([b[n] for b in batches]) for n in batches[0]}
        return replace(self, **joined)

    def _tensors(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if isinstance(value, Tensor)}


class Sampler(Protocol):
    """A reverse step from one noise level to the next; see the module's docstring."""

    def __call__(
        self, x: Tensor, level: Level, denoiser: Denoiser, z: Tensor, previous: Step | None = None
    ) -> Step:
        """Take points x (n, d) from ``level`` to the next one.

        ``z`` ~ N(0, I) has x's shape; ``previous`` is the step that led to x, None at the first.
        """
        ...


def naive(
    x: Tensor, level: Level, denoiser: Denoiser, z: Tensor, previous: Step | None = None
) -> Step:
    """Subtract the output, x' = x − output: the sampler of the post."""
    prediction = denoiser(x, level)
    return _step(x, level, prediction, x - prediction.output)


def ddpm(
    x: Tensor,
    level: Level,
    denoiser: Denoiser,
    z: Tensor,
    previous: Step | None = None,
    *,
    posterior: bool = True,
) -> Step:
    """Draw x' ~ N((x − β/σ · eps_hat)/√α, variance): Ho et al. 2020, Algorithm 2.

    Generalised to any pair of levels, as in the paper's eq. 7: with a = α/α' and added variance b =
    σ² − a²σ'² (Ho's β_t if α² + σ² = 1), mean = α' x0_hat + a σ'²/σ · eps_hat. The variance is b
    σ'²/σ² (the posterior's, β̃) if ``posterior``, else b.
    """
    prediction = denoiser(x, level)
    _, sigma, alpha_next, sigma_next = _ends(level)
    scale, added = _added(level)
    mean = alpha_next * prediction.x0_hat + scale * sigma_next**2 / sigma * prediction.eps_hat
    variance = added * (sigma_next / sigma) ** 2 if posterior else added
    return _step(x, level, prediction, mean, variance**0.5 * z)


def ddim(
    x: Tensor,
    level: Level,
    denoiser: Denoiser,
    z: Tensor,
    previous: Step | None = None,
    *,
    eta: float = 0.0,
) -> Step:
    """Return x' = α' x0_hat + √(σ'² − s²) eps_hat + s z with s = η σ'/σ √b.

    Song et al. 2021, eq. 12. η = 0 is the Euler step of the ODE; η = 1 is a DDPM step with the
    posterior variance.
    """
    prediction = denoiser(x, level)
    _, sigma, alpha_next, sigma_next = _ends(level)
    spread = eta * sigma_next / sigma * _added(level)[1] ** 0.5
    mean = (
        alpha_next * prediction.x0_hat
        + max(sigma_next**2 - spread**2, 0.0) ** 0.5 * prediction.eps_hat
    )
    return _step(x, level, prediction, mean, spread * z)


def euler(
    x: Tensor, level: Level, denoiser: Denoiser, z: Tensor, previous: Step | None = None
) -> Step:
    """Return x' = x + (α' − α) x0_hat + (σ' − σ) eps_hat = α' x0_hat + σ' eps_hat.

    First order: Euler's method for the probability-flow ODE.
    """
    prediction = denoiser(x, level)
    return _step(x, level, prediction, _move(x, level, prediction.x0_hat, prediction.eps_hat))


def heun(
    x: Tensor, level: Level, denoiser: Denoiser, z: Tensor, previous: Step | None = None
) -> Step:
    """Repeat an Euler step with the mean of the slopes at its two ends: second order.

    Karras et al. 2022, Algorithm 1. The last step, to clean data, is an Euler step.
    """
    prediction = denoiser(x, level)
    mean = _move(x, level, prediction.x0_hat, prediction.eps_hat)
    if level.following is not None:
        ahead = denoiser(mean, level.following)
        x0_hat, eps_hat = (
            (prediction.x0_hat + ahead.x0_hat) / 2,
            (prediction.eps_hat + ahead.eps_hat) / 2,
        )
        mean = _move(x, level, x0_hat, eps_hat)
    return _step(x, level, prediction, mean)


def dpmpp_2m(
    x: Tensor, level: Level, denoiser: Denoiser, z: Tensor, previous: Step | None = None
) -> Step:
    """Return x' = (σ'/σ) x + (α' − α σ'/σ) D: DPM-Solver++(2M), Lu et al. 2022, Algorithm 2.

    D = x0_hat + (x0_hat − previous x0_hat) h/(2 h_previous), where h is the growth of ln(α/σ). The
    first step, and the last, to clean data, take D = x0_hat.
    """
    prediction = denoiser(x, level)
    alpha, sigma, alpha_next, sigma_next = _ends(level)
    extrapolated = prediction.x0_hat
    if previous is not None and sigma_next:
        h = _log_snr(alpha_next, sigma_next) - _log_snr(alpha, sigma)
        h_previous = _log_snr(alpha, sigma) - _log_snr(previous.alpha, previous.sigma)
        if h_previous:  # two levels may be equal in floating point
            extrapolated = extrapolated + (extrapolated - previous.x0_hat) * (h / (2 * h_previous))
    shrink = sigma_next / sigma
    return _step(x, level, prediction, shrink * x + (alpha_next - alpha * shrink) * extrapolated)


def _log_snr(alpha: float, sigma: float) -> float:
    """Return ln(α/σ), −∞ if nothing of the data is left."""
    return math.log(alpha / sigma) if alpha else -math.inf


def _ends(level: Level) -> tuple[float, float, float, float]:
    """Return α, σ and the next level's α', σ'."""
    return float(level.alpha), float(level.sigma), float(level.alpha_next), float(level.sigma_next)


def _added(level: Level) -> tuple[float, float]:
    """Return a = α/α' and the variance b = σ² − a²σ'² added between the next level and this one."""
    alpha, sigma, alpha_next, sigma_next = _ends(level)
    scale = alpha / alpha_next
    return scale, max(sigma**2 - scale**2 * sigma_next**2, 0.0)


def _move(x: Tensor, level: Level, x0_hat: Tensor, eps_hat: Tensor) -> Tensor:
    """Move x along the ODE to the next level with a constant slope."""
    alpha, sigma, alpha_next, sigma_next = _ends(level)
    return x + (alpha_next - alpha) * x0_hat + (sigma_next - sigma) * eps_hat


def _step(
    x: Tensor, level: Level, prediction: Prediction, mean: Tensor, noise: Tensor | None = None
) -> Step:
    alpha, sigma, *_ = _ends(level)
    noise = torch.zeros_like(x) if noise is None else noise
    return Step(x, prediction.eps_hat, prediction.x0_hat, mean, noise, mean + noise, alpha, sigma)

"""The probability-flow ODE of a denoiser, and the log-density of the points that it generates.

With u = x/√(α² + σ²) = cos θ · x_0 + sin θ · ε and tan θ = σ/α, every schedule follows one ODE,

    du/dθ = v(u, θ) = cos θ · eps_hat − sin θ · x0_hat,

from pure noise (θ = π/2) to clean data (θ = 0). Along a solution log q falls by the divergence of v
(Chen et al. 2018, Song et al. 2021), so that for a point u at angle θ

    log q(u, θ) = log q(u(θ_0), θ_0) + ∫_θ^θ_0 div v dθ,

where θ_0 is the noisiest level and q(·, θ_0) the distribution from which sampling starts. In one or
two dimensions the divergence is the trace of a Jacobian that automatic differentiation gives
exactly; no random projections are needed. The classical Runge-Kutta method of fourth order takes
steps that are even in ln(θ + w/3), where w is the width of the narrowest component of the data.

The field is the denoiser's own wherever it is defined: at every angle for the ideal denoiser and
for a method that covers every noise level. A network that was trained at some levels only is asked
at those it samples with. Between two of them x0_hat is interpolated in ln tan θ at fixed u; it
varies less than v, and not at all for narrow data. Nothing is known of cleaner data than its last
level.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from ...assemble import make_method, mixture_for, schedule_for
from ...config.experiment import Experiment
from ...guidance import GuidedDenoiser, is_exact, of_population, predicted
from ...methods import AnyLevel, Denoiser
from ...mixtures import GaussianMixture, between_parts
from ...schedules import Level, Schedule
from ..start_mismatch import start_of
from .bound import target_gain

STEPS = 64
"""Steps of the finer of two integrations, from clean data to the noisiest level."""

_CLEAN = 1e-4
"""Angle below which the score is constant: float32 cannot tell such points from clean ones."""

_NEAR = 1e-9
"""Distance of the two angles beside a jump of the field, relative to the angle."""


class NoFieldError(ValueError):
    """A denoiser gives no estimate of the noise at any level, so that it has no ODE."""


@dataclass(frozen=True)
class Flow:
    """The ODE of a denoiser; angles rise from ``clean`` to ``noisy``.

    ``start`` is the distribution of x at the noisiest level. ``scale`` is its √(α² + σ²). ``knots``
    are the levels with their angles, cleanest first, if the denoiser is defined at no others.
    ``width`` is the std of the narrowest component of the data. ``jumps`` are the angles at which
    the field is not continuous.
    """

    denoiser: Denoiser
    start: GaussianMixture
    scale: float
    clean: float
    noisy: float
    width: float
    knots: tuple[tuple[float, Level], ...] = ()
    jumps: tuple[float, ...] = ()

    @property
    def sigma(self) -> float:
        """σ/α of the cleanest level with a density; 0 if clean data have one."""
        return math.tan(self.clean)

    def velocity(self, u: Tensor, angle: float) -> Tensor:
        """Return v at points u (n, d)."""
        low = self.knots[0][0] if self.knots else min(_CLEAN, self.width / 50)
        if angle < low:  # there v is proportional to the angle, as the score is constant
            return angle / low * self.velocity(u, low)
        cos, sin = math.cos(angle), math.sin(angle)
        if not self.knots:
            at = predicted(self.denoiser, u, Level(cos, sin, 1.0, 0.0))
            return cos * at.eps_hat - sin * at.x0_hat
        x0_hat = self._interpolated(u, angle)
        return (cos * u - x0_hat) / sin

    def _interpolated(self, u: Tensor, angle: float) -> Tensor:
        """Return x0_hat at points u, interpolated between the two nearest knots."""
        right = bisect_left(self.knots, angle, key=lambda knot: knot[0])
        right = min(max(right, 0), len(self.knots) - 1)
        if right == 0 or self.knots[right][0] == angle:
            return self._at_knot(u, right)
        near, far = self.knots[right - 1][0], self.knots[right][0]
        share = (_log_tan(angle) - _log_tan(near)) / (_log_tan(far) - _log_tan(near))
        if share >= 1:
            return self._at_knot(u, right)
        return torch.lerp(self._at_knot(u, right - 1), self._at_knot(u, right), share)

    def _at_knot(self, u: Tensor, index: int) -> Tensor:
        level = self.knots[index][1]
        return predicted(self.denoiser, math.hypot(level.alpha, level.sigma) * u, level).x0_hat

    def angles(self, begin: float, steps: int) -> list[float]:
        """Return steps + 1 angles from ``begin`` to the noisiest, dense near clean data.

        A jump of the field adds two, so close to each other that the step over it has no effect.
        """
        offset = self.width / 3
        marks = torch.linspace(
            math.log(begin + offset), math.log(self.noisy + offset), steps + 1, dtype=torch.float64
        )
        sides = [jump * (1 + side) for jump in self.jumps for side in (-_NEAR, _NEAR)]
        inside = [side for side in sides if begin < side < self.noisy]
        return [begin, *sorted([*(marks[1:-1].exp() - offset).tolist(), *inside]), self.noisy]

    def count(self, angle: float, steps: int) -> int:
        """Return the share of ``steps`` from clean data that lies beyond an angle, rounded up."""
        offset = self.width / 3
        whole = math.log((self.noisy + offset) / (self.clean + offset))
        part = math.log((self.noisy + offset) / (angle + offset))
        return max(1, math.ceil(steps * part / whole)) if whole > 0 else 0

    def log_density(self, u: Tensor, angle: float | None = None, steps: int = STEPS) -> Tensor:
        """Return log q at points u (n, d) of unit α² + σ², by default clean ones; (n,), float64.

        ``steps`` is the number of steps from clean data; noisier points take fewer. The result is
        nan where a path is not finite.
        """
        angle = self.clean if angle is None else max(angle, self.clean)
        count = self.count(angle, steps)
        u, total = u.detach().double(), torch.zeros(len(u), dtype=torch.float64)
        if count and angle < self.noisy:
            nodes = self.angles(angle, count)
            for low, high in pairwise(nodes):
                between_parts.get()()
                u, grown = self._step(u, low, high)
                total = total + grown
        at_start = self.start.log_prob(self.scale * u) + u.shape[1] * math.log(self.scale)
        finite = torch.isfinite(u).all(1) & torch.isfinite(total)
        return torch.where(finite, at_start + total, torch.nan)

    def _step(self, u: Tensor, low: float, high: float) -> tuple[Tensor, Tensor]:
        """Take one Runge-Kutta step; return the points and the integral of the divergence."""
        h, middle = high - low, (low + high) / 2
        v1, d1 = self._with_divergence(u, low)
        v2, d2 = self._with_divergence(u + h / 2 * v1, middle)
        v3, d3 = self._with_divergence(u + h / 2 * v2, middle)
        v4, d4 = self._with_divergence(u + h * v3, high)
        return u + h / 6 * (v1 + 2 * v2 + 2 * v3 + v4), h / 6 * (d1 + 2 * d2 + 2 * d3 + d4)

    @torch.no_grad()
    def generated(self, x: Tensor, angle: float | None = None, steps: int = STEPS) -> Tensor:
        """Carry points x (n, d) of the start to an angle, by default the cleanest.

        The result is u of unit α² + σ², (n, d), float64. ``steps`` are those to the cleanest.
        """
        angle = self.clean if angle is None else max(angle, self.clean)
        u, count = x.cpu().double() / self.scale, self.count(angle, steps)
        nodes = self.angles(angle, count)[::-1] if count and angle < self.noisy else []
        for high, low in pairwise(nodes):
            between_parts.get()()
            h, middle = low - high, (low + high) / 2
            v1 = self.velocity(u, high)
            v2 = self.velocity(u + h / 2 * v1, middle)
            v3 = self.velocity(u + h / 2 * v2, middle)
            v4 = self.velocity(u + h * v3, low)
            u = u + h / 6 * (v1 + 2 * v2 + 2 * v3 + v4)
        return u

    def _with_divergence(self, u: Tensor, angle: float) -> tuple[Tensor, Tensor]:
        """Return v and its divergence at points u, (n, d) and (n,)."""
        with torch.enable_grad():
            u = u.detach().requires_grad_()
            v = self.velocity(u, angle)
            columns = range(u.shape[1])
            trace = sum(
                torch.autograd.grad(v[:, j].sum(), u, retain_graph=j + 1 < u.shape[1])[0][:, j]
                for j in columns
            )
        return v.detach(), torch.as_tensor(trace)


def _log_tan(angle: float) -> float:
    return math.log(math.tan(min(angle, math.pi / 2 - 1e-9)))


def jumps_of(denoiser: Denoiser) -> tuple[float, ...]:
    """Return the angles at which the estimates of a denoiser are not continuous."""
    if isinstance(denoiser, GuidedDenoiser) and denoiser.weight != 1:
        return math.atan(denoiser.low), math.atan(denoiser.high)
    return ()


def angle_of(alpha: float, sigma: float) -> float:
    """Return θ with tan θ = σ/α."""
    return math.atan2(sigma, alpha)


def probability_flow(
    experiment: Experiment,
    denoiser: Denoiser,
    *,
    mixture: GaussianMixture | None = None,
    schedule: Schedule | None = None,
) -> Flow:
    """Return the ODE of a denoiser from the start of the experiment's sampling.

    Raise `NoFieldError` if no level of its training determines the noise, or if it ends in single
    points, as that of a training set does.
    """
    if is_exact(denoiser) and not of_population(denoiser):
        raise NoFieldError("copies of training points have no density")
    mixture = mixture_for(experiment, mixture)
    levels = schedule_for(experiment, schedule, denoiser)
    alpha, sigma = float(levels.alphas[0]), float(levels.sigmas[0])
    method = make_method(experiment.method, mixture)
    clean, knots = 0.0, tuple[tuple[float, Level], ...]()
    if not is_exact(denoiser) and not isinstance(method, AnyLevel):
        known = [levels[k] for k in range(levels.levels)]
        knots = tuple(
            (angle_of(float(at.alpha), float(at.sigma)), at)
            for at in sorted(known, key=lambda at: float(at.sigma) / float(at.alpha))
            if target_gain(method, at)
        )
        if not knots:
            raise NoFieldError(
                f"method {experiment.method.name} estimates the noise at none of its levels "
                f"({len(known)})"
            )
        clean = knots[0][0]
    return Flow(
        denoiser,
        start_of(experiment, mixture, levels),
        math.hypot(alpha, sigma),
        clean,
        max(angle_of(alpha, sigma), clean),
        mixture.narrowest,
        knots,
        jumps_of(denoiser),
    )

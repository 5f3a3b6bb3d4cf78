"""Noise schedules: the arrays alpha and sigma, and one level as methods and samplers see it.

Generation order: level 0 is the noisiest, level N is clean; x_k = alpha_k x_0 + sigma_k eps. DDPM's
t is N − k. A schedule consists of the arrays ``alphas`` and ``sigmas``, each of shape (N + 1,).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from .short_repr import short_repr

_LEAST = 1e-150
"""The smallest noise level: the square of a smaller one underflows to 0."""


@dataclass(frozen=True)
class Level:
    """A noise level (α, σ) and the next one, (α', σ'), to which one reverse step leads.

    The fields are numbers for one level; in training they are tensors that broadcast against
    points, one entry per batch or per point. ``index`` is k, counted from the noisiest.
    ``following`` is the next level, None if that is clean. ``trained_as`` is the corresponding
    level of the training schedule, if sampling uses a subset of its levels.
    """

    alpha: float | Tensor
    sigma: float | Tensor
    alpha_next: float | Tensor
    sigma_next: float | Tensor
    index: int | None = None
    following: Level | None = field(default=None, repr=False, compare=False)
    trained_as: Level | None = field(default=None, repr=False, compare=False)

    def __repr__(self) -> str:
        return short_repr(self, "index", "alpha", "sigma", "alpha_next", "sigma_next")

    @property
    def trained(self) -> Level:
        """The corresponding level of the training schedule."""
        return self.trained_as or self

    @property
    def beta(self) -> float | Tensor:
        """Share of variance added between the next level and this one: 1 − (α_k / α_{k+1})²."""
        return 1 - (self.alpha / self.alpha_next) ** 2


@dataclass(frozen=True, eq=False)
class Schedule:
    """alphas and sigmas of levels 0 (noisiest) to N (clean), float64 on the CPU.

    ``trained_as`` holds, for each step of a subset, the level of the full schedule. Schedules of
    the same numbers are equal.
    """

    alphas: Tensor
    sigmas: Tensor
    trained_as: tuple[Level, ...] = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Schedule) and self._numbers == other._numbers

    def __hash__(self) -> int:
        return hash(self._numbers)

    @cached_property
    def _numbers(self) -> tuple[tuple[float | int | None, ...], ...]:
        trained = tuple(level.index for level in self.trained_as)
        return tuple(self.alphas.tolist()), tuple(self.sigmas.tolist()), trained

    def __repr__(self) -> str:
        ends = {
            name: f"{float(values[0]):.4g} to {float(values[-1]):.4g}"
            for name, values in (("alpha", self.alphas), ("sigma", self.sigmas))
        }
        return short_repr(self, levels=self.levels, **ends)

    @property
    def levels(self) -> int:
        """N: the number of reverse steps."""
        return len(self.alphas) - 1

    def __getitem__(self, k: int) -> Level:
        """Return level k with the next one, for k = 0 … N−1."""
        if not 0 <= k < self.levels:
            raise IndexError(f"level {k} of {self.levels}")
        return self._steps[k]

    @cached_property
    def _steps(self) -> tuple[Level, ...]:
        """Every level except the clean one, each linked to the next."""
        alphas, sigmas = self.alphas.tolist(), self.sigmas.tolist()
        steps: list[Level] = []
        following = None
        for k in reversed(range(self.levels)):
            ends = alphas[k], sigmas[k], alphas[k + 1], sigmas[k + 1]
            following = Level(*ends, k, following, self.trained_as[k] if self.trained_as else None)
            steps.append(following)
        return tuple(reversed(steps))

    def part(self, levels: int) -> Schedule:
        """Return ``levels`` evenly spaced levels of this schedule, the first and last included."""
        chosen = torch.linspace(0, self.levels, levels + 1, dtype=torch.float64).round().long()
        trained_as = tuple(self[k].trained for k in chosen[:-1].tolist())
        return Schedule(self.alphas[chosen], self.sigmas[chosen], trained_as)

    @property
    def betas(self) -> Tensor:
        """beta of every reverse step, noisiest first, shape (N,); all 0 if alpha is constant."""
        return 1 - (self.alphas[:-1] / self.alphas[1:]) ** 2

    @property
    def alpha_bars(self) -> Tensor:
        """alpha_k², shape (N + 1,)."""
        return self.alphas**2


def check_levels(schedule: Schedule) -> None:
    """Raise ValueError unless a schedule has levels that can be sampled."""
    alphas, sigmas = schedule.alphas, schedule.sigmas
    if not (alphas.shape == sigmas.shape and alphas.ndim == 1 and len(alphas) > 1):
        raise ValueError(
            "schedule must have alphas and sigmas of shape (N + 1,) with N from 1 "
            f"(got {tuple(alphas.shape)} and {tuple(sigmas.shape)})"
        )
    finite = bool(alphas.isfinite().all() and sigmas.isfinite().all())
    if not finite or float(sigmas[:-1].min()) <= 0 or float(sigmas[-1]) < 0:
        raise ValueError("schedule must have finite numbers, with sigmas above 0 except the last")
    if float(alphas.min()) < 0 or float(alphas[-1]) == 0:
        raise ValueError("schedule must have alphas from 0, and a last one above 0")


def karras(levels: int, sigma_min: float, sigma_max: float, rho: float) -> Schedule:
    """Return sigma_i = (σ_max^{1/ρ} + i/(N−1) (σ_min^{1/ρ} − σ_max^{1/ρ}))^ρ, then 0; alpha = 1.

    Karras et al. 2022, eq. 5.
    """
    sigmas = torch.zeros(levels + 1, dtype=torch.float64)
    sigmas[:-1] = _warped(levels, sigma_max, sigma_min, rho).clamp_min(_LEAST)
    return Schedule(torch.ones_like(sigmas), sigmas)


def from_betas(betas: Sequence[float] | Tensor) -> Schedule:
    """Return alpha = √alpha_bar, sigma = √(1 − alpha_bar) with alpha_bar_t = Π_{s≤t} (1 − β_s).

    ``betas`` are β_1 … β_N, least noisy first. Ho et al. 2020, eq. 4.
    """
    beta = torch.as_tensor(betas, dtype=torch.float64).clamp_min(_LEAST)
    clean = torch.zeros(1, dtype=torch.float64)
    # Logarithms keep 1 − alpha_bar above 0 even for the smallest betas.
    log_alpha_bar = torch.cat([clean, torch.log1p(-beta).cumsum(0)]).flip(0)
    return Schedule((log_alpha_bar / 2).exp(), (-torch.expm1(log_alpha_bar)).sqrt())


def karras_betas(levels: int, beta_min: float, beta_max: float, rho: float) -> Schedule:
    """Return the schedule of betas (β_min^{1/ρ} + i/(N−1) (β_max^{1/ρ} − β_min^{1/ρ}))^ρ."""
    return from_betas(_warped(levels, beta_min, beta_max, rho))


def linear_betas(levels: int, beta_min: float, beta_max: float) -> Schedule:
    """Return the schedule of betas evenly spaced from beta_min to beta_max.

    Ho et al. 2020, section 4.
    """
    return from_betas(torch.linspace(beta_min, beta_max, levels, dtype=torch.float64))


def cosine(levels: int, offset: float = 0.008) -> Schedule:
    """Return alpha_bar(u) = cos²(π/2 · (u + s)/(1 + s)) / alpha_bar(0), with every β at most 0.999.

    Nichol and Dhariwal 2021, eq. 17, with s = ``offset``.
    """
    u = torch.linspace(0, 1, levels + 1, dtype=torch.float64)
    alpha_bar = (math.pi / 2 * (u + offset) / (1 + offset)).cos() ** 2
    return from_betas((1 - alpha_bar[1:] / alpha_bar[:-1]).clamp_max(0.999))


def flow(levels: int, rho: float = 1.0) -> Schedule:
    """Return alpha = 1 − t, sigma = t with t_k = (1 − k/N)^ρ: the straight path from noise to data.

    Liu et al. 2022, eq. 1, for ρ = 1; a larger ρ concentrates the levels near the data.
    """
    t = torch.linspace(1, 0, levels + 1, dtype=torch.float64) ** rho
    return Schedule(1 - t, t)


def _warped(count: int, first: float, last: float, rho: float) -> Tensor:
    """Return ``count`` numbers from first to last, evenly spaced in their ρ-th root."""
    fraction = torch.linspace(0, 1, count, dtype=torch.float64)
    warped: Tensor = (
        first ** (1 / rho) + fraction * (last ** (1 / rho) - first ** (1 / rho))
    ) ** rho
    return warped

"""Noise levels: two arrays, and one level as the methods and samplers see it.

Generation order: level 0 is the noisiest, level N is clean; x_k = alpha_k x_0 + sigma_k eps. DDPM's
t is N − k. A schedule only builds the arrays ``alphas`` and ``sigmas``, each of shape (N + 1,).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .experiment import ScheduleConfig

_LEAST = 1e-150
"""Below this, the square of a noise level is 0 to the computer and the level would be clean."""


@dataclass(frozen=True)
class Level:
    """Where a point is and where one reverse step takes it.

    Numbers for one level; in training, tensors that broadcast against points, one entry a batch.
    ``index`` is k, counted from the noisiest.
    """

    alpha: float | Tensor
    sigma: float | Tensor
    alpha_next: float | Tensor
    sigma_next: float | Tensor
    index: int | None = None

    @property
    def beta(self) -> float | Tensor:
        """Share of variance added between the next level and this one: 1 − (α_k / α_{k+1})²."""
        return 1 - (self.alpha / self.alpha_next) ** 2


@dataclass(frozen=True)
class Schedule:
    """alphas and sigmas of levels 0 (noisiest) to N (clean), float64 on the CPU."""

    alphas: Tensor
    sigmas: Tensor

    @property
    def levels(self) -> int:
        """N: the number of reverse steps."""
        return len(self.alphas) - 1

    def __getitem__(self, k: int) -> Level:
        """Level k with the next one, for k = 0 … N−1."""
        if not 0 <= k < self.levels:
            raise IndexError(f"level {k} of {self.levels}")
        alphas, sigmas = self.alphas, self.sigmas
        return Level(
            float(alphas[k]), float(sigmas[k]), float(alphas[k + 1]), float(sigmas[k + 1]), k
        )

    @property
    def betas(self) -> Tensor:
        """beta of every reverse step, noisiest first, shape (N,); all 0 where alpha stays 1."""
        return 1 - (self.alphas[:-1] / self.alphas[1:]) ** 2

    @property
    def alpha_bars(self) -> Tensor:
        """alpha_k², shape (N + 1,)."""
        return self.alphas**2


def karras(levels: int, sigma_min: float, sigma_max: float, rho: float) -> Schedule:
    """sigma_i = (σ_max^{1/ρ} + i/(N−1) (σ_min^{1/ρ} − σ_max^{1/ρ}))^ρ, then 0; alpha = 1.

    Karras et al. 2022, eq. 5.
    """
    sigmas = torch.zeros(levels + 1, dtype=torch.float64)
    sigmas[:-1] = _warped(levels, sigma_max, sigma_min, rho).clamp_min(_LEAST)
    return Schedule(torch.ones_like(sigmas), sigmas)


def from_betas(betas: Sequence[float] | Tensor) -> Schedule:
    """alpha_bar_t = Π_{s≤t} (1 − β_s); alpha = √alpha_bar, sigma = √(1 − alpha_bar).

    ``betas`` are β_1 … β_N, least noisy first. Ho et al. 2020, eq. 4.
    """
    beta = torch.as_tensor(betas, dtype=torch.float64).clamp_min(_LEAST)
    clean = torch.zeros(1, dtype=torch.float64)
    # By logarithms, which tell 1 − alpha_bar from 0 for the least of betas too.
    log_alpha_bar = torch.cat([clean, torch.log1p(-beta).cumsum(0)]).flip(0)
    return Schedule((log_alpha_bar / 2).exp(), (-torch.expm1(log_alpha_bar)).sqrt())


def karras_betas(levels: int, beta_min: float, beta_max: float, rho: float) -> Schedule:
    """Betas shaped as Karras' sigmas: (β_min^{1/ρ} + i/(N−1) (β_max^{1/ρ} − β_min^{1/ρ}))^ρ."""
    return from_betas(_warped(levels, beta_min, beta_max, rho))


def _warped(count: int, first: float, last: float, rho: float) -> Tensor:
    """``count`` numbers from first to last, evenly spaced in their ρ-th root."""
    place = torch.linspace(0, 1, count, dtype=torch.float64)
    warped: Tensor = (first ** (1 / rho) + place * (last ** (1 / rho) - first ** (1 / rho))) ** rho
    return warped


_KINDS: dict[str, Callable[[ScheduleConfig], Schedule]] = {
    "karras": lambda c: karras(c.levels, c.sigma_min, c.sigma_max, c.rho),
    "beta": lambda c: from_betas(c.betas),
    "karras-beta": lambda c: karras_betas(c.levels, c.beta_min, c.beta_max, c.rho),
}


def make_schedule(config: ScheduleConfig) -> Schedule:
    """The schedule that a configuration describes."""
    return _KINDS[config.kind](config)

"""The energy distance, exact for Gaussian mixtures: 2 E|X−Y| − E|X−X'| − E|Y−Y'|.

Székely and Rizzo 2013; it is 0 only if two distributions are equal. |X − Y| of two Gaussians is the
length of N(δ, v I). Its mean is, with L = √v, in one dimension (the folded normal)

    E = L √(2/π) exp(−δ²/2v) + δ erf(δ/√(2v)),

and in two (the Rice distribution) with q = δ²/4v

    E = L √(π/2) e^{−q} ((1 + 2q) I_0(q) + 2q I_1(q)).

A sample x_1 … x_n is compared with a mixture Y by the unbiased estimate

    U = 2/n Σ_i E|x_i − Y| − 1/(n(n − 1)) Σ_i Σ_{j≠i} |x_i − x_j| − E|Y − Y'|,

whose mean is 0 for true points, so that it can be negative. With h the kernel |x − x'| centred in
both arguments, Var U = 2 E[h²]/(n(n − 1)) for true points; for others Var(2(a_i − w_i))/n is added,
with a_i = E|x_i − Y| and w_i the mean distance of x_i to the other points (Hoeffding 1948).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

import torch
from torch import Tensor

from ..mixtures import PAIRS_AT_ONCE, GaussianMixture
from ..randomness import generator
from ..rounding import rounded
from ..short_repr import short_repr

MAX_POINTS = 4096
"""Number of points of a sample that are compared, its first ones: the cost is quadratic."""

_COMPONENTS = 1024
"""Maximum number of components; nearby ones of a larger mixture are merged."""

_DRAWN = 512
"""Number of true points that estimate E[h²], to some percent."""

_FINE, _FAR = 512, 16
"""Table of mean lengths: entries per unit, and its end."""


@dataclass(frozen=True)
class EnergyDistance:
    """An estimate of the energy distance with its statistical error.

    ``chance``: two standard deviations of the estimate between samples. ``real``: root mean square
    of the estimate for as many true points, whose mean is 0. ``influence`` (n,): the contribution
    of each point; its variance over n is that of the estimate.
    """

    value: float
    chance: float
    real: float
    influence: Tensor = field(repr=False, compare=False)

    def __repr__(self) -> str:
        return short_repr(self, "value", "chance", "real")

    def above(self, other: EnergyDistance) -> tuple[float, float]:
        """Return the difference to a sample from the same noise, and two std of that difference."""
        if not (math.isfinite(self.value) and math.isfinite(other.value)):
            return self.value - other.value, math.nan
        spread = float((self.influence - other.influence).var(correction=0))
        return self.value - other.value, 2 * math.sqrt(spread / len(self.influence))


class Reference:
    """A mixture to compare samples with, and the terms that depend only on it."""

    def __init__(self, mixture: GaussianMixture) -> None:
        self._mixture = mixture = merged(mixture.to("cpu"))
        self._within = _mean_distance(mixture, mixture)
        drawn = mixture.sample(_DRAWN, generator(0, "energy"), dtype=torch.float64)
        to_mixture = self._to_mixture(drawn)
        kernel = to_mixture[:, None] + to_mixture - torch.cdist(drawn, drawn) - self._within
        kernel.fill_diagonal_(0)
        self._square = float(kernel.square().sum()) / (_DRAWN * (_DRAWN - 1))

    def __repr__(self) -> str:
        return short_repr(self, mixture=self._mixture)

    def distance(self, x: Tensor) -> EnergyDistance:
        """Return the energy distance of the first 4,096 of the points x (n, d) to the mixture.

        It is infinite if a point is not finite, and nan without points.
        """
        x = x.detach()[:MAX_POINTS].cpu().double()
        n = len(x)
        if not n or not bool(torch.isfinite(x).all()):
            value = math.inf if n else math.nan
            return EnergyDistance(value, math.nan, self.real(n), x.new_empty(0))
        to_mixture, to_others = self._to_mixture(x), _to_others(x)
        value = float((2 * to_mixture - to_others).mean()) - self._within
        influence = 2 * (to_mixture - to_others)
        least = self.real(n) ** 2
        # The influence of true points, estimated from the sample itself, has twice the variance.
        variance = max(float(influence.var(correction=0)) / n - least, least)
        return EnergyDistance(value, 2 * math.sqrt(variance), self.real(n), influence)

    def real(self, n: int) -> float:
        """Return the root mean square of the estimate for n true points, whose mean is 0."""
        return math.sqrt(2 * self._square / max(n * (n - 1), 1))

    def _to_mixture(self, x: Tensor) -> Tensor:
        """Return E|x_i − Y| of every point, (n,)."""
        mixture = self._mixture
        parts = (
            _lengths(torch.cdist(part, mixture.means), mixture.stds, mixture.dim) @ mixture.weights
            for part in _parts(x, mixture.modes)
        )
        return torch.cat(list(parts))


def energy_distance(x: Tensor, mixture: GaussianMixture) -> EnergyDistance:
    """Return the energy distance of the distribution of points x (n, d) to a mixture."""
    mixture = mixture.to("cpu")
    numbers = [mixture.means, mixture.widths, mixture.weights]
    if mixture.ellipses is not None:
        numbers.append(mixture.ellipses.axes)
    return _reference(_Key(tuple(part.numpy().tobytes() for part in numbers), mixture)).distance(x)


@dataclass(frozen=True)
class _Key:
    """A mixture, equal to any with the same numbers."""

    numbers: tuple[bytes, ...]
    mixture: GaussianMixture = field(compare=False)


@lru_cache(maxsize=8)
def _reference(key: _Key) -> Reference:
    """Return the reference of a mixture: trainings share data."""
    return Reference(key.mixture)


def mixture_distance(a: GaussianMixture, b: GaussianMixture) -> float:
    """Return the energy distance of two mixtures, exact up to 1,024 round components each."""
    a, b = merged(a.to("cpu")), merged(b.to("cpu"))
    return max(2 * _mean_distance(a, b) - _mean_distance(a, a) - _mean_distance(b, b), 0.0)


# --- mean distances ------------------------------------------------------------------------------


def mean_length(distance: Tensor, variance: Tensor, dim: int) -> Tensor:
    """Return E‖N(δ, v I)‖ for ‖δ‖ = ``distance`` and v = ``variance`` ≥ 0, in 1 or 2 dimensions."""
    # At variance 0 the length is the distance; a tiny variance gives the same without 0/0.
    variance = variance.clamp_min(1e-30)
    if dim == 1:
        z = distance / (2 * variance).sqrt()
        folded: Tensor = (2 / math.pi * variance).sqrt() * (-z * z).exp() + distance * z.erf()
        return folded
    q = distance**2 / (4 * variance)
    bessel: Tensor = (1 + 2 * q) * torch.special.i0e(q) + 2 * q * torch.special.i1e(q)
    rice: Tensor = (math.pi / 2 * variance).sqrt() * bessel
    return rice


def _lengths(distance: Tensor, std: Tensor, dim: int) -> Tensor:
    """Interpolate `mean_length` in a table, to 5e-7 of ``std``, faster than Bessel functions."""
    if dim == 1:
        return mean_length(distance, std**2, 1)
    scaled = distance / std.clamp_min(1e-15)
    position = (scaled * _FINE).clamp_max(_FAR * _FINE)
    left = position.long()
    table = _table()
    near = torch.lerp(table[left], table[left + 1], position - left)
    far = scaled + 1 / (2 * scaled) + 1 / (8 * scaled**3)
    return torch.where(scaled < _FAR, near, far) * std.clamp_min(1e-15)


@lru_cache(maxsize=1)
def _table() -> Tensor:
    """Return the mean length of N(δ, I) in the plane for δ from 0 to a little over 16."""
    distance = torch.arange(_FAR * _FINE + 2, dtype=torch.float64) / _FINE
    return mean_length(distance, torch.ones_like(distance), 2)


def _mean_distance(a: GaussianMixture, b: GaussianMixture) -> float:
    """Return E|X − Y|."""
    variance = a.stds[:, None] ** 2 + b.stds**2
    lengths = mean_length(torch.cdist(a.means, b.means), variance, a.dim)
    return float(a.weights @ lengths @ b.weights)


def _to_others(x: Tensor) -> Tensor:
    """Return the mean distance of every point to the other points, (n,)."""
    others = max(len(x) - 1, 1)
    if x.shape[1] == 1:
        return _sums_on_line(x[:, 0] - x.mean()) / others
    return torch.cat([torch.cdist(part, x).sum(1) for part in _parts(x, len(x))]) / others


def _sums_on_line(x: Tensor) -> Tensor:
    """Return the sum of distances of every number (n,) to all others, by sorting."""
    values, order = x.sort()
    below = torch.arange(1, len(x) + 1) * values - values.cumsum(0)
    above = values.flip(0).cumsum(0).flip(0) - torch.arange(len(x), 0, -1) * values
    return torch.empty_like(x).scatter_(0, order, below + above)


def _parts(x: Tensor, others: int) -> Iterator[Tensor]:
    """Yield the rows in batches whose distances to the others fit in the cache."""
    return iter(torch.split(x, max(1, PAIRS_AT_ONCE // others)))


# --- mixtures of many components -----------------------------------------------------------------


def merged(mixture: GaussianMixture, most: int = _COMPONENTS) -> GaussianMixture:
    """Merge nearby components into at most ``most``, preserving weight, mean and variance.

    Elongated components are first made of round ones (`core.rounding`).
    Halving along the wider axis, as a k-d tree does, groups components so close to each other that
    the distance to a point changes by their extent squared over the distance.
    """
    mixture = rounded(mixture, most=max(most // mixture.modes, 256))
    if mixture.modes <= most:
        return mixture
    groups = [torch.arange(mixture.modes)]
    while 2 * len(groups) <= most:
        groups = [half for group in groups for half in _halves(group, mixture.means)]
    weights = torch.stack([mixture.weights[g].sum() for g in groups])
    means, stds = [], []
    for group, weight in zip(groups, weights, strict=True):
        shares = mixture.weights[group] / weight
        centre = shares @ mixture.means[group]
        extent = (mixture.means[group] - centre).square().mean(1)
        means.append(centre)
        stds.append((shares @ (extent + mixture.stds[group] ** 2)).sqrt())
    return GaussianMixture(torch.stack(means), torch.stack(stds), weights)


def _halves(group: Tensor, means: Tensor) -> tuple[Tensor, Tensor]:
    """Split a group of components into equal halves along its wider axis."""
    positions = means[group]
    axis = int((positions.max(0).values - positions.min(0).values).argmax())
    order = group[positions[:, axis].argsort(stable=True)]
    return order[: len(order) // 2], order[len(order) // 2 :]

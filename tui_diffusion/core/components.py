"""Gaussian components about points: round ones, and elongated ones of a covariance each.

The formulas of round components are in `core.mixtures`; others are exact through the eigenvectors.

C_m = Q_m diag(s_m1², s_m2²) Q_mᵀ. Noise changes the widths alone: α² C_m + σ² I has the same axes
and the variances v_ma = α² s_ma² + σ². With y_ma = q_maᵀ (x − α μ_m) for the axis q_ma,

    log N(x; α μ_m, ·) = −½ Σ_a (y_ma² / v_ma + log 2π v_ma)
    ∇ log p(x) = −Σ_m r_m Σ_a (y_ma / v_ma) q_ma
    E[x_0 | x] = Σ_m r_m (μ_m + Σ_a (α s_ma² / v_ma) y_ma q_ma).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce

import torch
from torch import Tensor

from .arguments import expected
from .short_repr import short_repr

_SYMMETRIC = 1e-6
"""Greatest asymmetry of a covariance over its largest entry: the rounding of float32."""


@dataclass(frozen=True, eq=False)
class Ellipses:
    """The shapes of m components: std along each axis, ``widths`` (m, d), ascending.

    ``axes`` (m, d, d): unit vectors, an axis a column.
    """

    widths: Tensor
    axes: Tensor

    def __repr__(self) -> str:
        return short_repr(self, "widths")

    @classmethod
    def of(cls, covariances: Tensor, modes: int, dim: int) -> Ellipses:
        """Return the shapes of covariances (modes, dim, dim), or of one for all (dim, dim).

        Raise ValueError for another shape, and if one is not symmetric and positive semidefinite.
        """
        shape = (modes, dim, dim)
        if covariances.shape not in (shape, shape[1:], (1, dim, dim)):
            raise ValueError(
                f"covariances must have shape {shape} (got {tuple(covariances.shape)})"
            )
        covariances = covariances.expand(shape)
        largest = covariances.abs().amax((1, 2))
        uneven = (covariances - covariances.mT).abs().amax((1, 2))
        symmetric = torch.isfinite(largest) & (uneven <= _SYMMETRIC * largest)
        if bool(symmetric.all()):
            variances, axes = torch.linalg.eigh((covariances + covariances.mT) / 2)
            fits = variances[:, 0] >= -_SYMMETRIC * variances[:, -1]
        else:
            fits = symmetric
        if not bool(fits.all()):
            index = int((~fits).nonzero()[0])
            raise ValueError(
                "covariances must be finite, symmetric and positive semidefinite "
                f"(got {covariances[index].tolist()} for component {index})"
            )
        return cls(variances.clamp_min(0).sqrt(), axes)

    @property
    def round(self) -> bool:
        """True if no component is longer than wide."""
        return bool((self.widths == self.widths[:, :1]).all())

    def sizes(self) -> Tensor:
        """Return the root mean square width of every component, (m,)."""
        return self.widths.square().mean(1).sqrt()

    def covariances(self) -> Tensor:
        """Return C_m, shape (m, d, d)."""
        return (self.axes * self.widths.square()[:, None]) @ self.axes.mT

    def roots(self) -> Tensor:
        """Return the symmetric square root of every C_m, (m, d, d): it maps N(0, I) to N(0, C)."""
        return (self.axes * self.widths[:, None]) @ self.axes.mT

    def noised(self, alpha: float, sigma: float) -> Ellipses:
        """Return the shapes of α² C_m + σ² I."""
        return Ellipses((alpha**2 * self.widths**2 + sigma**2).sqrt(), self.axes)

    def of_components(self, index: Tensor) -> Ellipses:
        """Return the shapes of some components."""
        return Ellipses(self.widths[index], self.axes[index])

    def to(self, like: Tensor) -> Ellipses:
        """Return the same shapes with the dtype and device of a tensor."""
        return Ellipses(self.widths.to(like), self.axes.to(like))

    def in_stds(self, differences: Tensor, component: Tensor) -> Tensor:
        """Return differences (n, d) from a component's mean in std along its axes, (n, d)."""
        along = stretched(differences, self.axes[component].mT)
        return along / self.widths[component]


class RoundPart:
    """A batch of points x (n, d) about round components: α and σ (n or 1, 1), v_m (n or 1, m)."""

    def __init__(
        self,
        means: Tensor,
        stds: Tensor,
        weights: Tensor,
        x: Tensor,
        alpha: Tensor,
        sigma: Tensor,
    ) -> None:
        self.means, self.stds, self.weights = means, stds, weights
        self.x, self.alpha, self.sigma = x, alpha, sigma
        self.variance = alpha**2 * stds**2 + sigma**2

    def square(self) -> Tensor:
        """Return the squared distance to every component in its std, (n, m)."""
        root = self.variance.sqrt()
        square: Tensor = torch.zeros((), dtype=root.dtype, device=root.device)
        for axis in range(self.means.shape[1]):
            centre = self.alpha * self.means[:, axis]
            square = square + ((self.x[:, axis : axis + 1] - centre) / root) ** 2
        # The difference of two infinite exponents would be NaN.
        return square.clamp_max(torch.finfo(root.dtype).max / 1e8)

    def log_joint(self) -> Tensor:
        """Return log(w_m N(x; α μ_m, v_m)), shape (n, m)."""
        square = self.square()
        log_norm = self.means.shape[1] / 2 * (self.variance.log() + math.log(2 * math.pi))
        return self.weights.log() - log_norm - square / 2

    def score(self) -> Tensor:
        """Return ∇ log p(x), shape (n, d)."""
        pull = self.log_joint().softmax(1) / self.variance
        return self.alpha * (pull @ self.means) - pull.sum(1, keepdim=True) * self.x

    def denoised(self) -> Tensor:
        """Return E[x_0 | x], shape (n, d), as Σ_m r_m (σ² μ_m + α s_m² x)/v_m."""
        share = self.log_joint().softmax(1) / self.variance
        pull = (share * self.stds**2).sum(1, keepdim=True)
        return (self.sigma**2 * share) @ self.means + self.alpha * pull * self.x

    def centres(self) -> list[Tensor]:
        """Return E[x_0 | x, m], (n, m) for each coordinate."""
        pull = self.alpha * self.stds**2
        return [
            (self.sigma**2 * self.means[:, i] + pull * self.x[:, i : i + 1]) / self.variance
            for i in range(self.means.shape[1])
        ]

    def along_axes(self, vectors: list[Tensor]) -> list[Tensor]:
        """Return vectors by coordinates in the components' axes: any axes of a round one do."""
        return vectors


def stretched(noise: Tensor, roots: Tensor) -> Tensor:
    """Return the matrices ``roots`` (…, d, d) times the vectors ``noise`` (…, d)."""
    return sum_of(noise[..., a : a + 1] * roots[..., a] for a in range(noise.shape[-1]))


class LongPart:
    """A batch of points x (n, d) about elongated components: the formulas of this file.

    α and σ have shape (n or 1, 1). Lists have an entry for each axis: ``along`` y_ma (n, m),
    ``variances`` v_ma (n or 1, m).
    """

    def __init__(
        self,
        means: Tensor,
        weights: Tensor,
        ellipses: Ellipses,
        x: Tensor,
        alpha: Tensor,
        sigma: Tensor,
    ) -> None:
        self.means, self.weights, self.ellipses = means, weights, ellipses
        self.alpha = alpha
        # Beyond its root, the square of a coordinate would not be finite.
        limit = torch.finfo(x.dtype).max ** 0.5 / 4
        x = x.clamp(-limit, limit)
        apart = [x[:, i : i + 1] - alpha * means[:, i] for i in range(means.shape[1])]
        axes = range(len(apart))
        self.along = self.along_axes(apart)
        self.variances = [alpha**2 * ellipses.widths[:, a] ** 2 + sigma**2 for a in axes]

    def along_axes(self, vectors: list[Tensor]) -> list[Tensor]:
        """Return vectors by coordinates, (n, m) each, in the axes of each component."""
        axes, each = self.ellipses.axes, range(len(vectors))
        return [sum_of(vectors[i] * axes[:, i, a] for i in each) for a in each]

    def square(self) -> Tensor:
        """Return the squared distance to every component in its std, Σ_a y_ma²/v_ma, (n, m)."""
        pairs = zip(self.along, self.variances, strict=True)
        square = sum_of((y / v.sqrt()).square() for y, v in pairs)
        # The difference of two infinite exponents would be NaN.
        return square.clamp_max(torch.finfo(square.dtype).max / 1e8)

    def log_joint(self) -> Tensor:
        """Return log(w_m N(x; α μ_m, α² C_m + σ² I)), shape (n, m)."""
        log_norm = sum_of(v.log() + math.log(2 * math.pi) for v in self.variances) / 2
        return self.weights.log() - log_norm - self.square() / 2

    def score(self) -> Tensor:
        """Return ∇ log p(x), shape (n, d)."""
        shares = self.log_joint().softmax(1)
        return self._sum([-shares / v for v in self.variances])

    def denoised(self) -> Tensor:
        """Return E[x_0 | x], shape (n, d)."""
        shares = self.log_joint().softmax(1)
        return shares @ self.means + self._sum([shares * gain for gain in self.gains()])

    def centres(self) -> list[Tensor]:
        """Return E[x_0 | x, m], (n, m) for each coordinate."""
        moves = [gain * y for gain, y in zip(self.gains(), self.along, strict=True)]
        axes = range(len(moves))
        return [
            self.means[:, i] + sum_of(moves[a] * self.ellipses.axes[:, i, a] for a in axes)
            for i in axes
        ]

    def gains(self) -> list[Tensor]:
        """Return the shrinkage towards a component's mean along its axes, α s_ma²/v_ma."""
        widths = self.ellipses.widths.unbind(1)
        return [self.alpha * w**2 / v for w, v in zip(widths, self.variances, strict=True)]

    def _sum(self, factors: Sequence[Tensor]) -> Tensor:
        """Return Σ_m Σ_a factor_ma y_ma q_ma, shape (n, d)."""
        axes = self.ellipses.axes.unbind(2)
        triples = zip(factors, self.along, axes, strict=True)
        return sum_of((factor * y) @ axis for factor, y, axis in triples)


def sum_of(terms: Iterable[Tensor]) -> Tensor:
    """Return the sum of one or more tensors."""
    return reduce(torch.add, terms)


def class_labels(given: Tensor | Sequence[int] | None, modes: int) -> Tensor:
    """Return the class of each component, (m,), counted from 0; all 0 if none are given.

    Raise ValueError for another shape, or for numbers that are not whole or below 0.
    """
    if given is None:
        return torch.zeros(modes, dtype=torch.int64)
    try:
        labels = torch.as_tensor(given).cpu()
    except (TypeError, ValueError, RuntimeError):
        raise expected("labels", f"{modes} whole numbers", given) from None
    if labels.shape != (modes,) or labels.is_floating_point() or labels.is_complex():
        raise ValueError(
            f"labels must be {modes} whole numbers, one for each component (got {labels.dtype} of "
            f"shape {tuple(labels.shape)})"
        )
    if int(labels.min()) < 0:
        raise ValueError(f"labels must be whole numbers from 0 (got {int(labels.min())})")
    return labels.long()

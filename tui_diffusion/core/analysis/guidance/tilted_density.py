"""The tilted density p(x|c)^w p(x)^(1−w)/Z: what guidance of weight w is often taken to sample.

Its score is the guided one, w ∇log p(x|c) − (w − 1) ∇log p(x), at one level of noise. But noising
and tilting do not commute, so the tilted densities of different levels are not noised versions of
each other, and the guided ODE ends in another density: `guided_flow`.

With r(x) = p(x|c)/p(x), Z = E[r(x)^(w−1)] over p(x|c): an integral on a grid, or a mean over a
sample where the mixture has very many components.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from ...mixtures import GaussianMixture
from ...short_repr import short_repr
from ..quadrature import nodes
from .even_samples import even_sample

_FAR, _OUTSIDE = 15.0, 1e-3
"""Nodes of a log-density this far below the largest are the edge of the grid, which must not hold
more than that share of the mass."""

POINTS, _KEPT = 2**14, 1e-9
"""Points of the mixture that stands for the density, and their least weight over the largest."""

_DIRECTIONS = 64
"""Directions in the plane along which tails are compared."""


class NotNormalisableError(ValueError):
    """A product of powers of two densities has no finite integral."""


@dataclass(frozen=True, eq=False)
class TiltedDensity:
    """The density ∝ main(x)^w guide(x)^(1−w) of two mixtures, with w = ``weight``.

    Raise `NotNormalisableError` if its integral is not finite.
    """

    main: GaussianMixture
    guide: GaussianMixture
    weight: float

    def __post_init__(self) -> None:
        if self._tail <= 0:
            raise NotNormalisableError(
                f"the tilted density has no integral: with weight {self.weight:g} the tails of "
                "the guide's density are too light"
            )

    def __repr__(self) -> str:
        return short_repr(self, "weight", main=self.main, guide=self.guide)

    @cached_property
    def _tail(self) -> float:
        """The least inverse variance of the tail, relative to that of the main mixture."""
        main, guide = _tails(self.main), _tails(self.guide)
        return float(((self.weight * main - (self.weight - 1) * guide) / main).min())

    @property
    def log_normaliser(self) -> float:
        """log Z, the logarithm of the integral of main^w guide^(1−w)."""
        return self._quadrature[2]

    def log_prob(self, x: Tensor) -> Tensor:
        """Return the log-density at points x (n, d), shape (n,)."""
        return self._logs(x.double()) - self.log_normaliser

    def mean(self) -> Tensor:
        """Return the mean, shape (d,)."""
        x, masses, _ = self._quadrature
        return masses @ x

    def std(self) -> Tensor:
        """Return the standard deviation of each coordinate, shape (d,)."""
        x, masses, _ = self._quadrature
        return (masses @ (x - self.mean()).square()).sqrt()

    def mixture(self, points: int = POINTS) -> GaussianMixture:
        """Return weighted points that follow the density, as components without width.

        The number of points should be a power of 2.
        """
        drawn = even_sample(self._reaching, points)
        logs = self._logs(drawn) - self._reaching.log_prob(drawn)
        weights = logs.softmax(0)
        kept = weights > _KEPT * weights.max()
        return GaussianMixture(drawn[kept], 0.0, weights[kept], has_modes=False)

    def _logs(self, x: Tensor) -> Tensor:
        """Return the logarithm of main^w guide^(1−w) at points x."""
        return self.weight * self.main.log_prob(x) + (1 - self.weight) * self.guide.log_prob(x)

    @cached_property
    def _reaching(self) -> GaussianMixture:
        """The main mixture, widened to the tails of the tilted density."""
        main, wider = self.main, self._tail**-0.5
        if wider <= 1:
            return main
        return GaussianMixture(
            main.means,
            weights=main.weights,
            covariances=wider**2 * main.covariances,
            has_modes=main.has_modes,
        )

    @cached_property
    def _quadrature(self) -> tuple[Tensor, Tensor, float]:
        """Nodes (g, d), the mass of each (g,), and log Z."""
        x, cell = nodes(self._reaching)
        logs, reaching = self._logs(x), self._reaching.log_prob(x)
        # A sample has the density of the widened mixture.
        terms = logs + math.log(cell) if cell else logs - reaching - math.log(len(x))
        total = terms.logsumexp(0)
        masses = (terms - total).exp()
        if cell and float(masses[reaching < reaching.max() - _FAR].sum()) > _OUTSIDE:
            raise NotNormalisableError("the tilted density lies too far from the data")
        return x, masses, float(total)


def _tails(mixture: GaussianMixture) -> Tensor:
    """Return the inverse variance of a mixture's tail, that of its widest component, (k,).

    The k directions are evenly spaced.
    """
    turn = math.pi * torch.arange(_DIRECTIONS, dtype=torch.float64) / _DIRECTIONS
    lines = torch.stack([turn.cos(), turn.sin()], 1) if mixture.dim == 2 else torch.ones((1, 1))
    along = lines.to(mixture.means) / mixture.widest  # keeps narrow components far from overflow
    scaled = torch.linalg.inv(mixture.covariances / mixture.widest**2)
    return torch.einsum("kd,mde,ke->mk", along, scaled, along).min(0).values

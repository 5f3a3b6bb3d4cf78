"""Gaussian mixtures, exact at every noise level.

The clean data are x_0 ~ Σ_m w_m N(μ_m, s_m² I). Noising to x = α x_0 + σ ε with ε ~ N(0, I) gives a
mixture with the same weights, centres α μ_m and variances v_m = α² s_m² + σ². Hence

    log p(x)   = log Σ_m w_m N(x; α μ_m, v_m I)                       (by log-sum-exp)
    r_m(x)     = w_m N(x; α μ_m, v_m I) / p(x)                        (responsibilities)
    ∇ log p(x) = Σ_m r_m (α μ_m − x) / v_m                            (the score)
    E[x_0 | x] = Σ_m r_m (μ_m + (α s_m² / v_m) (x − α μ_m))           (the ideal denoiser)

A component may have a covariance C_m in place of s_m² I: `core.components` has its formulas.
Computations use float64 (float32 where a device has no float64) and return the dtype of x. Results
are finite for every finite x if every v_m is positive.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from functools import partial

import torch
from torch import Tensor

from . import notebook
from .arguments import check_index
from .components import Ellipses, LongPart, RoundPart, class_labels, stretched
from .short_repr import short_repr
from .tensors import placed

Coefficient = float | Tensor
"""alpha or sigma: one number for all points, or a tensor of shape (n, 1), one for each point."""

PAIRS_AT_ONCE = 2**17
"""Pairs (of points, or of a point and a component) in one batch on a CPU: they fit in its cache."""

_ON_GPU = 2**20
"""Pairs in one batch on a GPU, which smaller batches would leave idle."""


def _one_each(
    name: str,
    values: Tensor | Sequence[float] | float,
    modes: int,
    dtype: torch.dtype,
    device: torch.device | str | None = None,
) -> Tensor:
    """Return one number for each component, (m,); raise ValueError for another shape."""
    tensor = torch.as_tensor(values, dtype=dtype, device=device)
    if tensor.shape not in ((), (1,), (modes,)):
        raise ValueError(f"{name} must have shape ({modes},) (got {tuple(tensor.shape)})")
    return tensor.expand(modes)


def _continue() -> None:
    """Do nothing; the default of `between_parts`."""


between_parts: ContextVar[Callable[[], None]] = ContextVar("between_parts", default=_continue)
"""Hook called between two batches of a long computation; it may raise to cancel the computation."""


class GaussianMixture:
    """The mixture Σ_m w_m N(μ_m, s_m² I), or of N(μ_m, C_m), in d = 1 or 2 dimensions.

    ``means`` has shape (m, d); ``stds`` and ``weights`` have shape (m,), or are one number for all.
    ``covariances`` in place of ``stds`` have shape (m, d, d), or are one (d, d) for all; ``stds``
    is then the root mean square over a component's axes. Weights are scaled to sum to 1.
    ``has_modes``: each component is a mode; otherwise the components together form a curve, an
    area or a cloud. ``labels`` has shape (m,): the class of each component, counted from 0; without
    them all are of one class. ``ellipses`` holds the shapes, None if all components are round.
    Raise ValueError if ``means`` is not a matrix, for another shape of the rest, or if a covariance
    is not symmetric and positive semidefinite.
    """

    def __init__(
        self,
        means: Tensor | Sequence[Sequence[float]],
        stds: Tensor | Sequence[float] | float | None = None,
        weights: Tensor | Sequence[float] | None = None,
        *,
        covariances: Tensor | Sequence[Sequence[Sequence[float]]] | None = None,
        has_modes: bool = True,
        labels: Tensor | Sequence[int] | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        dtype = _precise(torch.device(device))
        self.means = torch.as_tensor(means, dtype=dtype, device=device)
        if self.means.ndim != 2:
            raise ValueError(f"means must have shape (m, d), not {tuple(self.means.shape)}")
        modes = len(self.means)
        if (stds is None) == (covariances is None):
            both = "neither" if stds is None else "both"
            raise ValueError(f"a mixture has either stds or covariances (got {both})")
        self.ellipses: Ellipses | None = None
        if covariances is not None:
            # On the CPU, so that the axes are the same for every device.
            shapes = torch.as_tensor(covariances, dtype=torch.float64, device="cpu")
            ellipses = Ellipses.of(shapes, modes, self.dim).to(self.means)
            self.ellipses = None if ellipses.round else ellipses
            stds = ellipses.widths[:, 0] if ellipses.round else ellipses.sizes()
        assert stds is not None
        self.stds = _one_each("stds", stds, modes, dtype, device)
        given = _one_each("weights", 1.0 if weights is None else weights, modes, dtype)
        self.weights = (given / given.sum()).to(device)
        self.has_modes = has_modes
        self.labels = class_labels(labels, modes).to(device)

    def __repr__(self) -> str:
        low, high = self.narrowest, self.widest
        values: dict[str, object] = {"dim": self.dim, "components": self.modes}
        values["std" if low == high else "stds"] = low if low == high else (low, high)
        values["mean"] = self.mean().tolist()
        if self.classes > 1:
            values["classes"] = self.classes
        if self.means.device.type != "cpu":
            values["device"] = self.means.device
        return short_repr(self, **values)

    def _repr_html_(self) -> str:
        rows = {"components": self.modes, "mean": self.mean().tolist(), "std": self.std().tolist()}
        draw = partial(notebook.drawn, "mixture_picture", self)
        return notebook.table("Gaussian mixture", rows, draw)

    @property
    def dim(self) -> int:
        """Number of coordinates of a point."""
        return self.means.shape[1]

    @property
    def modes(self) -> int:
        """Number of components."""
        return self.means.shape[0]

    @property
    def classes(self) -> int:
        """Number of classes of its components."""
        return int(self.labels.max()) + 1

    @property
    def narrowest(self) -> float:
        """The least std of any component along any direction."""
        return float(self.widths.min())

    @property
    def widest(self) -> float:
        """The greatest std of any component along any direction."""
        return float(self.widths.max())

    @property
    def widths(self) -> Tensor:
        """The std of every component along each of its axes, shape (m, d)."""
        if self.ellipses is not None:
            return self.ellipses.widths
        return self.stds[:, None].expand(self.modes, self.dim)

    @property
    def alike(self) -> bool:
        """True if all components have one std, and are round."""
        return self.ellipses is None and bool((self.stds == self.stds[0]).all())

    @property
    def covariances(self) -> Tensor:
        """The covariance of every component, shape (m, d, d)."""
        if self.ellipses is not None:
            return self.ellipses.covariances()
        one = torch.eye(self.dim, dtype=self.means.dtype, device=self.means.device)
        return self.stds[:, None, None] ** 2 * one

    @property
    def spans(self) -> Tensor:
        """The std of every component along each coordinate, shape (m, d)."""
        if self.ellipses is None:
            return self.widths
        return self.covariances.diagonal(dim1=1, dim2=2).sqrt()

    def to(self, device: torch.device | str) -> GaussianMixture:
        """Return the same mixture on another device."""
        return self._with(self.means, self.stds, self.ellipses, device)

    def of_class(self, label: int) -> GaussianMixture:
        """Return p(x | c): the components of class c, with weights scaled to sum to 1.

        Raise ValueError if there are none.
        """
        check_index("label", label)
        of = (self.labels == label).nonzero()[:, 0]
        if not len(of):
            raise ValueError(f"label must be one of 0 to {self.classes - 1} (got {label})")
        part = GaussianMixture(
            self.means[of],
            self.stds[of],
            self.weights[of],
            has_modes=self.has_modes,
            device=self.means.device,
        )
        part.ellipses = None if self.ellipses is None else self.ellipses.of_components(of)
        return part

    def class_weights(self) -> Tensor:
        """Return the weight of every class, shape (classes,)."""
        return self.weights.new_zeros(self.classes).index_add_(0, self.labels, self.weights)

    def _with(
        self,
        means: Tensor,
        stds: Tensor,
        ellipses: Ellipses | None,
        device: torch.device | str | None = None,
    ) -> GaussianMixture:
        """Return a mixture with these components, of the same weights and labels."""
        mixture = GaussianMixture(
            means,
            stds,
            self.weights,
            has_modes=self.has_modes,
            labels=self.labels,
            device=self.means.device if device is None else device,
        )
        mixture.ellipses = None if ellipses is None else ellipses.to(mixture.means)
        return mixture

    def noised(self, alpha: float, sigma: float) -> GaussianMixture:
        """Return the distribution of alpha·x_0 + sigma·eps, itself a mixture."""
        stds = (alpha**2 * self.stds**2 + sigma**2).sqrt()
        ellipses = None if self.ellipses is None else self.ellipses.noised(alpha, sigma)
        return self._with(alpha * self.means, stds, ellipses)

    def about_means(self) -> GaussianMixture:
        """Return the distribution of a point less the mean of its component."""
        if self.alike:
            centre, device = torch.zeros_like(self.means[:1]), self.means.device
            return GaussianMixture(centre, self.stds[:1], has_modes=self.has_modes, device=device)
        return self._with(torch.zeros_like(self.means), self.stds, self.ellipses)

    # --- moments -----------------------------------------------------------------------------

    def mean(self) -> Tensor:
        """Return E[x_0], shape (d,)."""
        return self.weights @ self.means

    def std(self) -> Tensor:
        """Return the standard deviation of each coordinate, shape (d,)."""
        return (self.weights @ ((self.means - self.mean()) ** 2 + self.spans**2)).sqrt()

    # --- sampling ----------------------------------------------------------------------------

    def components(
        self, n: int, generator: torch.Generator | None = None, *, balanced: bool = False
    ) -> Tensor:
        """Draw the component of each of n points, shape (n,).

        ``balanced``: in proportion to the weights, up to rounding, in order and without randomness.
        """
        device, dtype = self.means.device, self.means.dtype
        if balanced:
            quantiles = (torch.arange(n, device=device, dtype=dtype) + 0.5) / n
        else:
            quantiles = torch.rand(n, generator=generator, device=device, dtype=dtype)
        return self.components_at(quantiles)

    def components_at(self, quantiles: Tensor) -> Tensor:
        """Return the component at each quantile in (0, 1), by the cumulated weights."""
        quantiles = quantiles.to(self.weights)
        return torch.searchsorted(self.weights.cumsum(0)[:-1], quantiles)

    def sample(
        self,
        n: int,
        generator: torch.Generator | None = None,
        *,
        balanced: bool = False,
        dtype: torch.dtype = torch.float32,
    ) -> Tensor:
        """Draw n points, shape (n, d)."""
        component = self.components(n, generator, balanced=balanced)
        noise = torch.randn(
            (n, self.dim), generator=generator, device=self.means.device, dtype=self.means.dtype
        )
        return self.points_of(component, noise).to(dtype)

    def points_of(self, component: Tensor, noise: Tensor) -> Tensor:
        """Return points of given components (n,) from standard normal noise (n, d)."""
        if self.ellipses is None:
            return self.means[component] + self.stds[component, None] * noise
        return self.means[component] + stretched(noise, self.ellipses.roots()[component])

    # --- the exact truth ---------------------------------------------------------------------

    def log_prob(self, x: Tensor, alpha: Coefficient = 1.0, sigma: Coefficient = 0.0) -> Tensor:
        """Return log p(x) of the data noised to (alpha, sigma); x is (n, d), the result (n,)."""
        return self.by_rows(x, alpha, sigma, lambda part: part.log_joint().logsumexp(1))

    def density_grid(self, xs: Tensor, ys: Tensor) -> Tensor:
        """Return the density of 2D data at every pair of a column and a row, (rows, columns).

        A component is the product of its densities along x and along y, so a pair costs one
        multiplication per component; one that is not round costs an exponential. Raise ValueError
        for 1D mixtures.
        """
        if self.dim != 2:
            raise ValueError("a lattice is for two-dimensional mixtures")
        if self.ellipses is not None:
            pairs = torch.cartesian_prod(ys.to(self.means), xs.to(self.means)).flip(1)
            density = self.by_rows(pairs, 1.0, 0.0, lambda part: part.log_joint().exp().sum(1))
            return _cast(density.reshape(len(ys), len(xs)), xs.dtype)

        def along(positions: Tensor, axis: int) -> Tensor:
            square = (
                (positions.to(self.means)[:, None] - self.means[:, axis]) / self.stds
            ).square()
            return (-square / 2).exp() / (math.sqrt(2 * math.pi) * self.stds)

        return _cast((along(ys, 1) * self.weights) @ along(xs, 0).T, xs.dtype)

    def score(self, x: Tensor, alpha: Coefficient = 1.0, sigma: Coefficient = 0.0) -> Tensor:
        """Return ∇_x log p(x) of the data noised to (alpha, sigma), shape (n, d)."""

        return self.by_rows(x, alpha, sigma, lambda part: part.score())

    def denoise(self, x: Tensor, alpha: Coefficient, sigma: Coefficient) -> Tensor:
        """Return E[x_0 | x] for x = alpha·x_0 + sigma·eps, shape (n, d): the ideal denoiser."""
        return self.by_rows(x, alpha, sigma, lambda part: part.denoised())

    def responsibilities(
        self, x: Tensor, alpha: Coefficient = 1.0, sigma: Coefficient = 0.0
    ) -> Tensor:
        """Return r_m(x), the probability that x came from component m, shape (n, m)."""
        return self.by_rows(x, alpha, sigma, lambda part: part.log_joint().softmax(1))

    def cdf(self, x: Tensor, alpha: Coefficient = 1.0, sigma: Coefficient = 0.0) -> Tensor:
        """Return P(X ≤ x) of 1D data noised to (alpha, sigma); x is (n, 1), the result (n,).

        Raise ValueError for 2D mixtures.
        """
        if self.dim != 1:
            raise ValueError("cdf is for one-dimensional mixtures")

        def rows(part: RoundPart | LongPart) -> Tensor:
            assert isinstance(part, RoundPart)  # in 1D, every component is round
            reach = (part.x - part.alpha * self.means[:, 0]) / part.variance.sqrt()
            below: Tensor = torch.special.ndtr(reach)
            return below @ self.weights

        return self.by_rows(x, alpha, sigma, rows)

    def in_stds(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the distance of every point to its nearest component, in std, and its index; (n,).

        In a component's std along its own axes, so that the nearest is that of the least distance.
        """
        index = self.by_rows(x, 1.0, 0.0, lambda part: part.square().argmin(1).to(x)).long()
        return self.whitened(x.to(self.means) - self.means[index], index).norm(dim=1), index

    def whitened(self, differences: Tensor, index: Tensor) -> Tensor:
        """Return differences (n, d) from the means of components (n,) in their std, (n, d)."""
        if self.ellipses is None:
            return differences / self.stds[index, None]
        return self.ellipses.in_stds(differences, index)

    def part(self, x: Tensor, alpha: Tensor, sigma: Tensor) -> RoundPart | LongPart:
        """Return points x (n, d) about the components, at α and σ of shape (n or 1, 1)."""
        if self.ellipses is None:
            return RoundPart(self.means, self.stds, self.weights, x, alpha, sigma)
        return LongPart(self.means, self.weights, self.ellipses, x, alpha, sigma)

    def by_rows(
        self,
        x: Tensor,
        alpha: Coefficient,
        sigma: Coefficient,
        rows: Callable[[RoundPart | LongPart], Tensor],
    ) -> Tensor:
        """Apply ``rows`` to x in batches, so that memory stays bounded."""
        means = self.means
        at_once = PAIRS_AT_ONCE if means.device.type == "cpu" else _ON_GPU
        size = max(1, at_once // self.modes)
        alpha_, sigma_ = placed(alpha, means).reshape(-1, 1), placed(sigma, means).reshape(-1, 1)

        def cut(values: Tensor, first: int) -> Tensor:
            return values[first : first + size] if len(values) > 1 else values

        def part(first: int) -> Tensor:
            between_parts.get()()
            rows_x = x[first : first + size].to(means.dtype)
            return rows(self.part(rows_x, cut(alpha_, first), cut(sigma_, first)))

        parts = [part(first) for first in range(0, max(len(x), 1), size)]
        return _cast(torch.cat(parts) if len(parts) > 1 else parts[0], x.dtype)


def _precise(device: torch.device) -> torch.dtype:
    return torch.float32 if device.type == "mps" else torch.float64


def _cast(values: Tensor, dtype: torch.dtype) -> Tensor:
    limit = torch.finfo(dtype)
    return values.clamp(limit.min, limit.max).to(dtype)

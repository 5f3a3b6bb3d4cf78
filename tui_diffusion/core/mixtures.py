"""Gaussian mixtures, exact at every noise level.

The clean data are x_0 ~ Σ_m w_m N(μ_m, s_m² I). Noising to x = α x_0 + σ ε with ε ~ N(0, I) gives a
mixture with the same weights, centres α μ_m and variances v_m = α² s_m² + σ². Hence

    log p(x)   = log Σ_m w_m N(x; α μ_m, v_m I)                       (by log-sum-exp)
    r_m(x)     = w_m N(x; α μ_m, v_m I) / p(x)                        (responsibilities)
    ∇ log p(x) = Σ_m r_m (α μ_m − x) / v_m                            (the score)
    E[x_0 | x] = Σ_m r_m (μ_m + (α s_m² / v_m) (x − α μ_m))           (the ideal denoiser)

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
    """The mixture Σ_m w_m N(μ_m, s_m² I) in d = 1 or 2 dimensions.

    ``means`` has shape (m, d); ``stds`` and ``weights`` have shape (m,), or are one number for all.
    Weights are scaled to sum to 1. ``has_modes``: each component is a mode; otherwise the
    components together form a curve, an area or a cloud. Raise ValueError if ``means`` is not a
    matrix.
    """

    def __init__(
        self,
        means: Tensor | Sequence[Sequence[float]],
        stds: Tensor | Sequence[float] | float,
        weights: Tensor | Sequence[float] | None = None,
        *,
        has_modes: bool = True,
        device: torch.device | str = "cpu",
    ) -> None:
        dtype = _precise(torch.device(device))
        self.means = torch.as_tensor(means, dtype=dtype, device=device)
        if self.means.ndim != 2:
            raise ValueError(f"means must have shape (m, d), not {tuple(self.means.shape)}")
        modes = len(self.means)
        self.stds = _one_each("stds", stds, modes, dtype, device)
        given = _one_each("weights", 1.0 if weights is None else weights, modes, dtype)
        self.weights = (given / given.sum()).to(device)
        self.has_modes = has_modes

    def __repr__(self) -> str:
        low, high = float(self.stds.min()), float(self.stds.max())
        values: dict[str, object] = {"dim": self.dim, "components": self.modes}
        values["std" if low == high else "stds"] = low if low == high else (low, high)
        values["mean"] = self.mean().tolist()
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

    def to(self, device: torch.device | str) -> GaussianMixture:
        """Return the same mixture on another device."""
        return GaussianMixture(
            self.means, self.stds, self.weights, has_modes=self.has_modes, device=device
        )

    def noised(self, alpha: float, sigma: float) -> GaussianMixture:
        """Return the distribution of alpha·x_0 + sigma·eps, itself a mixture."""
        stds = (alpha**2 * self.stds**2 + sigma**2).sqrt()
        return GaussianMixture(
            alpha * self.means,
            stds,
            self.weights,
            has_modes=self.has_modes,
            device=self.means.device,
        )

    # --- moments -----------------------------------------------------------------------------

    def mean(self) -> Tensor:
        """Return E[x_0], shape (d,)."""
        return self.weights @ self.means

    def std(self) -> Tensor:
        """Return the standard deviation of each coordinate, shape (d,)."""
        return (self.weights @ ((self.means - self.mean()) ** 2 + self.stds[:, None] ** 2)).sqrt()

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
        return (self.means[component] + self.stds[component, None] * noise).to(dtype)

    # --- the exact truth ---------------------------------------------------------------------

    def log_prob(self, x: Tensor, alpha: Coefficient = 1.0, sigma: Coefficient = 0.0) -> Tensor:
        """Return log p(x) of the data noised to (alpha, sigma); x is (n, d), the result (n,)."""
        return self.by_rows(x, alpha, sigma, lambda part: part.log_joint().logsumexp(1))

    def density_grid(self, xs: Tensor, ys: Tensor) -> Tensor:
        """Return the density of 2D data at every pair of a column and a row, (rows, columns).

        A component is the product of its densities along x and along y, so a pair costs one
        multiplication per component. Raise ValueError for 1D mixtures.
        """
        if self.dim != 2:
            raise ValueError("a lattice is for two-dimensional mixtures")

        def along(positions: Tensor, axis: int) -> Tensor:
            square = (
                (positions.to(self.means)[:, None] - self.means[:, axis]) / self.stds
            ).square()
            return (-square / 2).exp() / (math.sqrt(2 * math.pi) * self.stds)

        return _cast((along(ys, 1) * self.weights) @ along(xs, 0).T, xs.dtype)

    def score(self, x: Tensor, alpha: Coefficient = 1.0, sigma: Coefficient = 0.0) -> Tensor:
        """Return ∇_x log p(x) of the data noised to (alpha, sigma), shape (n, d)."""

        def rows(part: Part) -> Tensor:
            pull = part.log_joint().softmax(1) / part.variance
            return part.alpha * (pull @ self.means) - pull.sum(1, keepdim=True) * part.x

        return self.by_rows(x, alpha, sigma, rows)

    def denoise(self, x: Tensor, alpha: Coefficient, sigma: Coefficient) -> Tensor:
        """Return E[x_0 | x] for x = alpha·x_0 + sigma·eps, shape (n, d): the ideal denoiser.

        Written as Σ_m r_m (σ² μ_m + α s_m² x)/v_m.
        """

        def rows(part: Part) -> Tensor:
            share = part.log_joint().softmax(1) / part.variance
            pull = (share * self.stds**2).sum(1, keepdim=True)
            return (part.sigma**2 * share) @ self.means + part.alpha * pull * part.x

        return self.by_rows(x, alpha, sigma, rows)

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

        def rows(part: Part) -> Tensor:
            reach = (part.x - part.alpha * self.means[:, 0]) / part.variance.sqrt()
            below: Tensor = torch.special.ndtr(reach)
            return below @ self.weights

        return self.by_rows(x, alpha, sigma, rows)

    def by_rows(
        self, x: Tensor, alpha: Coefficient, sigma: Coefficient, rows: Callable[[Part], Tensor]
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
            return rows(
                Part(
                    self,
                    x[first : first + size].to(means.dtype),
                    cut(alpha_, first),
                    cut(sigma_, first),
                )
            )

        parts = [part(first) for first in range(0, max(len(x), 1), size)]
        return _cast(torch.cat(parts) if len(parts) > 1 else parts[0], x.dtype)


class Part:
    """A batch of points: x (n, d), α and σ (n or 1, 1), v_m (n or 1, m)."""

    def __init__(self, mixture: GaussianMixture, x: Tensor, alpha: Tensor, sigma: Tensor) -> None:
        self.mixture, self.x, self.alpha, self.sigma = mixture, x, alpha, sigma
        self.variance = alpha**2 * mixture.stds**2 + sigma**2

    def log_joint(self) -> Tensor:
        """Return log(w_m N(x; α μ_m, v_m)), shape (n, m)."""
        mixture, root = self.mixture, self.variance.sqrt()
        square: Tensor = torch.zeros((), dtype=root.dtype, device=root.device)
        for axis in range(mixture.dim):
            centre = self.alpha * mixture.means[:, axis]
            square = square + ((self.x[:, axis : axis + 1] - centre) / root) ** 2
        # The difference of two infinite exponents would be NaN.
        square = square.clamp_max(torch.finfo(root.dtype).max / 1e8)
        log_norm = mixture.dim / 2 * (self.variance.log() + math.log(2 * math.pi))
        return mixture.weights.log() - log_norm - square / 2


def _precise(device: torch.device) -> torch.dtype:
    return torch.float32 if device.type == "mps" else torch.float64


def _cast(values: Tensor, dtype: torch.dtype) -> Tensor:
    limit = torch.finfo(dtype)
    return values.clamp(limit.min, limit.max).to(dtype)

"""Gaussian mixtures, exact at every noise level.

The clean data are x_0 ~ Σ_m w_m N(μ_m, s_m² I). Noising to x = α x_0 + σ ε with ε ~ N(0, I) keeps
them a mixture, with the same weights, centres α μ_m and variances v_m = α² s_m² + σ². Hence

    log p(x)   = log Σ_m w_m N(x; α μ_m, v_m I)                       (by log-sum-exp)
    r_m(x)     = w_m N(x; α μ_m, v_m I) / p(x)                        (responsibilities)
    ∇ log p(x) = Σ_m r_m (α μ_m − x) / v_m                            (the score)
    E[x_0 | x] = Σ_m r_m (μ_m + (α s_m² / v_m) (x − α μ_m))           (the ideal denoiser)

Everything is computed in float64 (float32 where a device has no float64) and returned in the type
of x, finite for every finite x as long as every v_m is positive.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

Scale = float | Tensor
"""alpha or sigma: one number for all points, or a tensor with one for each, shape (n, 1)."""


class GaussianMixture:
    """Σ_m w_m N(μ_m, s_m² I) in d = 1 or 2 dimensions.

    ``means`` has shape (m, d); ``stds`` and ``weights`` shape (m,), or one number for all.
    Weights are scaled to sum to 1.
    """

    def __init__(
        self,
        means: Tensor | Sequence[Sequence[float]],
        stds: Tensor | Sequence[float] | float,
        weights: Tensor | Sequence[float] | None = None,
        *,
        device: torch.device | str = "cpu",
    ) -> None:
        dtype = _precise(torch.device(device))
        self.means = torch.as_tensor(means, dtype=dtype, device=device)
        if self.means.ndim != 2:
            raise ValueError(f"means must have shape (m, d), not {tuple(self.means.shape)}")
        modes = len(self.means)
        self.stds = torch.as_tensor(stds, dtype=dtype, device=device).expand(modes)
        given = torch.as_tensor([1.0] * modes if weights is None else weights, dtype=dtype)
        self.weights = (given / given.sum()).to(device)

    @property
    def dim(self) -> int:
        """Coordinates of a point."""
        return self.means.shape[1]

    @property
    def modes(self) -> int:
        """Number of components."""
        return self.means.shape[0]

    def to(self, device: torch.device | str) -> GaussianMixture:
        """The same mixture on another device."""
        return GaussianMixture(self.means, self.stds, self.weights, device=device)

    def noised(self, alpha: float, sigma: float) -> GaussianMixture:
        """The distribution of alpha·x_0 + sigma·eps, itself a mixture."""
        stds = (alpha**2 * self.stds**2 + sigma**2).sqrt()
        return GaussianMixture(alpha * self.means, stds, self.weights, device=self.means.device)

    # --- moments -----------------------------------------------------------------------------

    def mean(self) -> Tensor:
        """E[x_0], shape (d,)."""
        return self.weights @ self.means

    def std(self) -> Tensor:
        """Standard deviation of each coordinate, shape (d,)."""
        return (self.weights @ ((self.means - self.mean()) ** 2 + self.stds[:, None] ** 2)).sqrt()

    # --- sampling ----------------------------------------------------------------------------

    def components(
        self, n: int, generator: torch.Generator | None = None, *, balanced: bool = False
    ) -> Tensor:
        """Which component each of n points comes from, shape (n,).

        Balanced: in exact proportion to the weights (to rounding), in order and without chance.
        """
        cumulative = self.weights.cumsum(0)
        device, dtype = self.means.device, self.means.dtype
        if balanced:
            places = (torch.arange(n, device=device, dtype=dtype) + 0.5) / n
        else:
            places = torch.rand(n, generator=generator, device=device, dtype=dtype)
        return torch.searchsorted(cumulative, places).clamp_max(self.modes - 1)

    def sample(
        self,
        n: int,
        generator: torch.Generator | None = None,
        *,
        balanced: bool = False,
        dtype: torch.dtype = torch.float32,
    ) -> Tensor:
        """n fresh points, shape (n, d)."""
        component = self.components(n, generator, balanced=balanced)
        noise = torch.randn(
            (n, self.dim), generator=generator, device=self.means.device, dtype=self.means.dtype
        )
        return (self.means[component] + self.stds[component, None] * noise).to(dtype)

    # --- the exact truth ---------------------------------------------------------------------

    def log_prob(self, x: Tensor, alpha: Scale = 1.0, sigma: Scale = 0.0) -> Tensor:
        """log p(x) of the data noised to (alpha, sigma); x has shape (n, d), the result (n,)."""
        log_joint, *_ = self._joint(x, alpha, sigma)
        return _cast(log_joint.logsumexp(1), x.dtype)

    def score(self, x: Tensor, alpha: Scale = 1.0, sigma: Scale = 0.0) -> Tensor:
        """∇_x log p(x) of the data noised to (alpha, sigma), shape (n, d)."""
        log_joint, offset, variance, _ = self._joint(x, alpha, sigma)
        shares = log_joint.softmax(1) / variance
        return _cast(-(shares[:, :, None] * offset).sum(1), x.dtype)

    def denoise(self, x: Tensor, alpha: Scale, sigma: Scale) -> Tensor:
        """E[x_0 | x] for x = alpha·x_0 + sigma·eps: no network can do better. Shape (n, d)."""
        log_joint, offset, variance, alpha_ = self._joint(x, alpha, sigma)
        shares = log_joint.softmax(1)
        pull = shares * alpha_ * self.stds**2 / variance
        return _cast(shares @ self.means + (pull[:, :, None] * offset).sum(1), x.dtype)

    def cdf(self, x: Tensor, alpha: Scale = 1.0, sigma: Scale = 0.0) -> Tensor:
        """P(X ≤ x) of 1D data noised to (alpha, sigma); x has shape (n, 1), the result (n,)."""
        if self.dim != 1:
            raise ValueError("cdf is for one-dimensional mixtures")
        _, offset, variance, _ = self._joint(x, alpha, sigma)
        return _cast(torch.special.ndtr(offset[:, :, 0] / variance.sqrt()) @ self.weights, x.dtype)

    def _joint(
        self, x: Tensor, alpha: Scale, sigma: Scale
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """log(w_m N(x; α μ_m, v_m)) (n, m), x − α μ_m (n, m, d), v_m (n or 1, m), α (n or 1, 1)."""
        means = self.means
        alpha_ = torch.as_tensor(alpha, dtype=means.dtype, device=means.device).reshape(-1, 1)
        sigma_ = torch.as_tensor(sigma, dtype=means.dtype, device=means.device).reshape(-1, 1)
        variance = alpha_**2 * self.stds**2 + sigma_**2
        offset = x.to(means.dtype)[:, None, :] - alpha_[:, :, None] * means
        # A square that overflows would make the difference of two exponents NaN.
        ceiling = torch.finfo(means.dtype).max / 1e8
        exponent = ((offset / variance.sqrt()[:, :, None]) ** 2).sum(2).clamp_max(ceiling) / 2
        log_norm = self.dim / 2 * (variance.log() + math.log(2 * math.pi))
        return self.weights.log() - log_norm - exponent, offset, variance, alpha_


def _precise(device: torch.device) -> torch.dtype:
    return torch.float32 if device.type == "mps" else torch.float64


def _cast(values: Tensor, dtype: torch.dtype) -> Tensor:
    limit = torch.finfo(dtype)
    return values.clamp(limit.min, limit.max).to(dtype)

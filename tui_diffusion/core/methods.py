"""The target of a network, and the estimates of noise and clean data that its output gives.

A method is four formulas on x = α x_0 + σ ε:

- ``condition``: the number that encodes the level for the network;
- ``network_input``: the input that the network receives for x;
- ``target``: the desired output, linear in x_0 and ε;
- ``to_prediction``: the estimates x0_hat and eps_hat that follow from an output, with
  x = α x0_hat + σ eps_hat.

A method that covers every noise level also defines the training distribution of levels, by
``sample_level``. Training weighs all targets equally: a method that weighs levels includes the
weight in its target.

Because a target is linear in x_0 and ε, the best possible output E[target | x] is the target of the
ideal estimates. So `IdealDenoiser` can replace `NetworkDenoiser` for every method.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from .arguments import check_function, expected
from .mixtures import Coefficient, GaussianMixture
from .networks import Network
from .schedules import Level
from .short_repr import short_repr


@dataclass(frozen=True)
class Prediction:
    """A denoiser's estimates for x, each of x's shape; ``output`` is that of the network."""

    output: Tensor
    eps_hat: Tensor
    x0_hat: Tensor

    def __repr__(self) -> str:
        return short_repr(self, "output", "eps_hat", "x0_hat")


@lru_cache(maxsize=32)
def _constant(values: tuple[float, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return numbers as a tensor on a device, cached because the host waits for every copy."""
    return torch.tensor(values, dtype=dtype, device=device)


class Method(Protocol):
    """A parametrisation of the denoising task; see the module's docstring.

    ``level`` holds numbers, or tensors that broadcast against points of shape (n, d).
    """

    def condition(self, level: Level) -> float | Tensor:
        """Return the number that encodes the level for the network; a tensor for many levels."""
        ...

    def network_input(self, x: Tensor, level: Level) -> Tensor:
        """Return the network's input for points x (n, d), of the same shape."""
        ...

    def target(self, x0: Tensor, eps: Tensor, level: Level) -> Tensor:
        """Return the training target, linear in the clean data x0 and the noise eps, (n, d)."""
        ...

    def to_prediction(self, output: Tensor, x: Tensor, level: Level) -> Prediction:
        """Convert the output at x, (n, d), into estimates with x = α x0_hat + σ eps_hat."""
        ...


@runtime_checkable
class AnyLevel(Method, Protocol):
    """A method whose network covers every noise level, whatever the schedule."""

    def sample_level(self, u: Tensor) -> Level:
        """Return the noise level at each quantile u in (0, 1) of the training distribution."""
        ...


def _from_eps(output: Tensor, eps_hat: Tensor, x: Tensor, level: Level) -> Prediction:
    """Return the prediction that follows from a noise estimate, x0_hat = (x − σ eps_hat)/α."""
    return Prediction(output, eps_hat, (x - level.sigma * eps_hat) / level.alpha)


class _Plain:
    """A method whose network receives x unchanged."""

    def __repr__(self) -> str:
        return short_repr(self)

    def network_input(self, x: Tensor, level: Level) -> Tensor:
        return x


class Naive(_Plain):
    """The post's method: the output is subtracted from x. The target is n·σ'/σ = σ'·ε for n = σ ε.

    The target of the last level is 0 whatever the noise, so the output there carries no information
    on ε; it is read as the part to remove, x0_hat = x − output.
    """

    def condition(self, level: Level) -> float | Tensor:
        return level.sigma

    def target(self, x0: Tensor, eps: Tensor, level: Level) -> Tensor:
        return level.trained.sigma_next * eps

    def to_prediction(self, output: Tensor, x: Tensor, level: Level) -> Prediction:
        scale = level.trained.sigma_next or level.sigma
        return _from_eps(output, output / scale, x, level)


class NaiveExact(_Plain):
    """Removal of exactly one level: target n·(1 − σ'/σ) = (σ − σ')·ε.

    Subtracting it is an Euler step of the probability-flow ODE of Karras et al. 2022.
    """

    def condition(self, level: Level) -> float | Tensor:
        return level.sigma

    def target(self, x0: Tensor, eps: Tensor, level: Level) -> Tensor:
        return (level.sigma - level.trained.sigma_next) * eps

    def to_prediction(self, output: Tensor, x: Tensor, level: Level) -> Prediction:
        return _from_eps(output, output / (level.sigma - level.trained.sigma_next), x, level)


class DDPM(_Plain):
    """Noise prediction: target ε, condition α_t = 1 − β_t. Ho et al. 2020, Algorithm 1."""

    def condition(self, level: Level) -> float | Tensor:
        return 1 - level.trained.beta

    def target(self, x0: Tensor, eps: Tensor, level: Level) -> Tensor:
        return eps

    def to_prediction(self, output: Tensor, x: Tensor, level: Level) -> Prediction:
        return _from_eps(output, output, x, level)


@dataclass(frozen=True)
class _LogNormal:
    """Noise levels with ln(σ/α) ~ N(noise_mean, noise_std²): Karras et al. 2022, table 1.

    The condition is ln(σ/α)/4, clamped to three standard deviations of the training distribution,
    because the network has seen no levels beyond.

    A tensor of constants that broadcasts against points (…, n, d) gives every batch its own.
    """

    noise_mean: Coefficient = -1.2
    noise_std: Coefficient = 1.2

    def _ratio(self, u: Tensor) -> Tensor:
        """Return σ/α at quantile u of the distribution."""
        log_ratio: Tensor = self.noise_mean + self.noise_std * torch.special.ndtri(u)
        return log_ratio.exp()

    def condition(self, level: Level) -> float | Tensor:
        alpha, sigma = torch.as_tensor(level.alpha), torch.as_tensor(level.sigma)
        reach = 3 * self.noise_std
        low, high = self.noise_mean - reach, self.noise_mean + reach
        log_ratio = (sigma / alpha).log().clamp(low, high)  # type: ignore[arg-type]  # both alike
        return log_ratio / 4


@dataclass(frozen=True)
class EDM(_LogNormal):
    """Preconditioned denoising: Karras et al. 2022, section 5 and table 1.

    x0_hat = c_skip x + c_out F(c_in x, ln(σ)/4), where s = sigma_data is the spread of the data
    about their mean, which is subtracted before and added back after. The paper has α = 1; for any
    schedule x = α x_0 + σ ε the coefficients are

        c_in = 1/√(σ² + α² s²),  c_skip = α s² c_in²,  c_out = σ s c_in.

    The paper's weight 1/c_out² makes the loss that of the output F against (x_0 − c_skip x)/c_out,
    which has unit variance at every level.
    """

    sigma_data: Coefficient = 1.0
    mean: tuple[float, ...] | Tensor = ()

    def __repr__(self) -> str:
        return short_repr(self, "noise_mean", "noise_std", "sigma_data", "mean")

    def sample_level(self, u: Tensor) -> Level:
        sigma = self._ratio(u)
        return Level(torch.ones_like(sigma), sigma, 1.0, 0.0)

    def network_input(self, x: Tensor, level: Level) -> Tensor:
        c_in, _, _ = self._coefficients(level)
        return c_in * (x - level.alpha * self._mean(x))

    def target(self, x0: Tensor, eps: Tensor, level: Level) -> Tensor:
        _, c_skip, c_out = self._coefficients(level)
        clean = x0 - self._mean(x0)
        return (clean - c_skip * (level.alpha * clean + level.sigma * eps)) / c_out

    def to_prediction(self, output: Tensor, x: Tensor, level: Level) -> Prediction:
        _, c_skip, c_out = self._coefficients(level)
        mean = self._mean(x)
        x0_hat = mean + c_skip * (x - level.alpha * mean) + c_out * output
        return Prediction(output, (x - level.alpha * x0_hat) / level.sigma, x0_hat)

    def _coefficients(self, level: Level) -> tuple[Coefficient, Coefficient, Coefficient]:
        """Return c_in, c_skip and c_out."""
        s = self.sigma_data
        c_in: Coefficient = (level.sigma**2 + (level.alpha * s) ** 2) ** -0.5
        return c_in, level.alpha * (s * c_in) ** 2, level.sigma * s * c_in

    def _mean(self, like: Tensor) -> Tensor:
        """Return the mean of the data as a tensor like ``like``."""
        if isinstance(self.mean, Tensor):
            return self.mean
        return _constant(self.mean or (0.0,), like.dtype, like.device)


@dataclass(frozen=True)
class Flow(_LogNormal):
    """Rectified flow: the velocity ε − x_0 of the straight path from x_0 to ε. Liu et al. 2022.

    The path is y = (1 − t) x_0 + t ε with t = σ/(α + σ), so y = x/(α + σ) for any schedule;
    ln(t/(1 − t)) is normal in training (Esser et al. 2024, section 3.1).
    """

    def sample_level(self, u: Tensor) -> Level:
        ratio = self._ratio(u)
        return Level(1 / (1 + ratio), ratio / (1 + ratio), 1.0, 0.0)

    def network_input(self, x: Tensor, level: Level) -> Tensor:
        return x / (level.alpha + level.sigma)

    def target(self, x0: Tensor, eps: Tensor, level: Level) -> Tensor:
        return eps - x0

    def to_prediction(self, output: Tensor, x: Tensor, level: Level) -> Prediction:
        y, t = self.network_input(x, level), level.sigma / (level.alpha + level.sigma)
        return Prediction(output, y + (1 - t) * output, y - t * output)


METHODS: dict[str, Method] = {
    "naive": Naive(),
    "naive-exact": NaiveExact(),
    "ddpm": DDPM(),
    "edm": EDM(),
    "flow": Flow(),
}
"""Every method by its name in a configuration; EDM and flow have their papers' constants."""


class Denoiser(Protocol):
    """The function that samplers call to estimate the clean data and the noise."""

    def __call__(self, x: Tensor, level: Level) -> Prediction: ...


@dataclass(frozen=True)
class NetworkDenoiser:
    """A network with the method that interprets its output.

    ``labels`` (n,) are the classes of the points that it denoises, or one class for all; without
    them, a network of labels receives none. ``guide`` is a weaker network that was trained along.
    """

    network: Network
    method: Method
    labels: Tensor | int | None = None
    guide: Network | None = None

    def __repr__(self) -> str:
        return short_repr(self, "network", method=type(self.method).__name__)

    def __call__(self, x: Tensor, level: Level) -> Prediction:
        inputs = self.method.network_input(x, level)
        condition, index = self.method.condition(level), level.trained.index
        if self.labels is None:
            output = self.network(inputs, condition, index)
        else:
            output = self.network(inputs, condition, index, self.labels)
        return self.method.to_prediction(output, x, level)

    def of(self, part: slice) -> NetworkDenoiser:
        """Return the denoiser of some of the points."""
        if not isinstance(self.labels, Tensor):
            return self
        return replace(self, labels=self.labels[part])


@dataclass(frozen=True)
class IdealDenoiser:
    """The exact denoiser of a mixture: x0_hat = E[x_0 | x], eps_hat = (x − α x0_hat) / σ."""

    mixture: GaussianMixture
    method: Method

    def __repr__(self) -> str:
        return short_repr(self, method=type(self.method).__name__, mixture=self.mixture)

    def __call__(self, x: Tensor, level: Level) -> Prediction:
        x0_hat = self.mixture.denoise(x, level.alpha, level.sigma)
        eps_hat = (x - level.alpha * x0_hat) / level.sigma
        return Prediction(self.method.target(x0_hat, eps_hat, level), eps_hat, x0_hat)


def check_denoiser(denoiser: object) -> None:
    """Raise TypeError unless an argument can be called as a `Denoiser`."""
    if isinstance(denoiser, Network):
        raise expected(
            "denoiser", "a denoiser", denoiser, "NetworkDenoiser(network, method) is one"
        )
    check_function("denoiser", denoiser, ("x", "level"), "Prediction")


def device_of(denoiser: Denoiser) -> torch.device:
    """Return the device on which a denoiser computes; the CPU for a function."""
    denoiser = getattr(denoiser, "main", denoiser)  # of a guided one
    mixture = getattr(denoiser, "mixture", None)
    if isinstance(mixture, GaussianMixture):
        return mixture.means.device
    module = denoiser if isinstance(denoiser, nn.Module) else getattr(denoiser, "network", None)
    weight = next(module.parameters(), None) if isinstance(module, nn.Module) else None
    return torch.device("cpu") if weight is None else weight.device

"""What a network learns, and how its output reads as noise and as clean data.

A method is four formulas on x = α x_0 + σ ε:

- ``condition``: the number that tells the network its level;
- ``see``: what the network sees of x;
- ``target``: what the output should be, linear in x_0 and ε;
- ``read``: the estimates x0_hat and eps_hat that an output stands for, with
  x = α x0_hat + σ eps_hat.

Methods that know every noise level also say which ones training draws: ``draw``. Training weighs
every target alike: a method that weighs levels has it in its target.

Because a target is linear in x_0 and ε, the best possible output E[target | x] is the target of the
ideal estimates. So `IdealDenoiser` answers the same call as `NetworkDenoiser`, for every method.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from .mixtures import GaussianMixture, Scale
from .networks import Network
from .schedules import Level


@dataclass(frozen=True)
class Prediction:
    """What a denoiser says of x at a level; all of x's shape. ``output`` is the network's own."""

    output: Tensor
    eps_hat: Tensor
    x0_hat: Tensor


@lru_cache(maxsize=32)
def _constant(values: tuple[float, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    """Numbers brought to a device once, for the host waits for every copy."""
    return torch.tensor(values, dtype=dtype, device=device)


class Method(Protocol):
    """See the module's docstring. ``level`` holds numbers, or tensors that broadcast against x."""

    def condition(self, level: Level) -> float | Tensor: ...

    def see(self, x: Tensor, level: Level) -> Tensor: ...

    def target(self, x0: Tensor, eps: Tensor, level: Level) -> Tensor: ...

    def read(self, output: Tensor, x: Tensor, level: Level) -> Prediction: ...


@runtime_checkable
class AnyLevel(Method, Protocol):
    """A method whose network knows every noise level, whatever the schedule."""

    def draw(self, u: Tensor) -> Level:
        """The noise level at each place u in (0, 1) of the training distribution."""
        ...


def _from_eps(output: Tensor, eps_hat: Tensor, x: Tensor, level: Level) -> Prediction:
    return Prediction(output, eps_hat, (x - level.sigma * eps_hat) / level.alpha)


class _Plain:
    """The network sees x as it is."""

    def see(self, x: Tensor, level: Level) -> Tensor:
        return x


class Naive(_Plain):
    """The post's: the output is subtracted from x. Target n·σ'/σ for noise n = σ ε, so σ'·ε.

    The last target is 0 whatever the noise was: there the output says nothing of ε, and is read as
    what it removes, x0_hat = x − output.
    """

    def condition(self, level: Level) -> float | Tensor:
        return level.sigma

    def target(self, x0: Tensor, eps: Tensor, level: Level) -> Tensor:
        return level.trained.sigma_next * eps

    def read(self, output: Tensor, x: Tensor, level: Level) -> Prediction:
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

    def read(self, output: Tensor, x: Tensor, level: Level) -> Prediction:
        return _from_eps(output, output / (level.sigma - level.trained.sigma_next), x, level)


class DDPM(_Plain):
    """Noise prediction, Ho et al. 2020, Algorithm 1: target ε, told α_t = 1 − β_t."""

    def condition(self, level: Level) -> float | Tensor:
        return 1 - level.trained.beta

    def target(self, x0: Tensor, eps: Tensor, level: Level) -> Tensor:
        return eps

    def read(self, output: Tensor, x: Tensor, level: Level) -> Prediction:
        return _from_eps(output, output, x, level)


@dataclass(frozen=True)
class _LogNormal:
    """Noise levels with ln(σ/α) ~ N(noise_mean, noise_std²): Karras et al. 2022, table 1.

    The network is told ln(σ/α)/4, kept within three standard deviations of what training draws, for
    it knows nothing of levels beyond.
    """

    noise_mean: float = -1.2
    noise_std: float = 1.2

    def _ratio(self, u: Tensor) -> Tensor:
        """σ/α at place u of the distribution."""
        log_ratio: Tensor = self.noise_mean + self.noise_std * torch.special.ndtri(u)
        return log_ratio.exp()

    def condition(self, level: Level) -> float | Tensor:
        alpha, sigma = torch.as_tensor(level.alpha), torch.as_tensor(level.sigma)
        reach = 3 * self.noise_std
        told = (sigma / alpha).log().clamp(self.noise_mean - reach, self.noise_mean + reach)
        return told / 4


@dataclass(frozen=True)
class EDM(_LogNormal):
    """Preconditioned denoising: Karras et al. 2022, section 5 and table 1.

    x0_hat = c_skip x + c_out F(c_in x, ln(σ)/4), with s = sigma_data the data's spread about their
    mean, which is taken off before and put back after. So that any schedule will do, written for
    x = α x_0 + σ ε where the paper has α = 1:

        c_in = 1/√(σ² + α² s²),  c_skip = α s² c_in²,  c_out = σ s c_in.

    The paper's weight 1/c_out² makes the loss that of the output F against (x_0 − c_skip x)/c_out,
    of unit variance at every level.
    """

    sigma_data: float = 1.0
    mean: tuple[float, ...] = ()

    def draw(self, u: Tensor) -> Level:
        sigma = self._ratio(u)
        return Level(torch.ones_like(sigma), sigma, 1.0, 0.0)

    def see(self, x: Tensor, level: Level) -> Tensor:
        c_in, _, _ = self._coefficients(level)
        return c_in * (x - level.alpha * self._mean(x))

    def target(self, x0: Tensor, eps: Tensor, level: Level) -> Tensor:
        _, c_skip, c_out = self._coefficients(level)
        clean = x0 - self._mean(x0)
        return (clean - c_skip * (level.alpha * clean + level.sigma * eps)) / c_out

    def read(self, output: Tensor, x: Tensor, level: Level) -> Prediction:
        _, c_skip, c_out = self._coefficients(level)
        mean = self._mean(x)
        x0_hat = mean + c_skip * (x - level.alpha * mean) + c_out * output
        return Prediction(output, (x - level.alpha * x0_hat) / level.sigma, x0_hat)

    def _coefficients(self, level: Level) -> tuple[Scale, Scale, Scale]:
        """c_in, c_skip, c_out."""
        s = self.sigma_data
        c_in: Scale = (level.sigma**2 + (level.alpha * s) ** 2) ** -0.5
        return c_in, level.alpha * (s * c_in) ** 2, level.sigma * s * c_in

    def _mean(self, like: Tensor) -> Tensor:
        return _constant(self.mean or (0.0,), like.dtype, like.device)


@dataclass(frozen=True)
class Flow(_LogNormal):
    """Rectified flow, Liu et al. 2022: the velocity ε − x_0 of the straight path from x_0 to ε.

    The path is y = (1 − t) x_0 + t ε with t = σ/(α + σ), so y = x/(α + σ) whatever the schedule;
    ln(t/(1 − t)) is normal in training (Esser et al. 2024, section 3.1).
    """

    def draw(self, u: Tensor) -> Level:
        ratio = self._ratio(u)
        return Level(1 / (1 + ratio), ratio / (1 + ratio), 1.0, 0.0)

    def see(self, x: Tensor, level: Level) -> Tensor:
        return x / (level.alpha + level.sigma)

    def target(self, x0: Tensor, eps: Tensor, level: Level) -> Tensor:
        return eps - x0

    def read(self, output: Tensor, x: Tensor, level: Level) -> Prediction:
        y, t = self.see(x, level), level.sigma / (level.alpha + level.sigma)
        return Prediction(output, y + (1 - t) * output, y - t * output)


METHODS: dict[str, Method] = {
    "naive": Naive(),
    "naive-exact": NaiveExact(),
    "ddpm": DDPM(),
    "edm": EDM(),
    "flow": Flow(),
}
"""Every method by its name in a configuration, the last two with their papers' constants."""


class Denoiser(Protocol):
    """The call that samplers make: what is in x, of shape (n, d), at this level?"""

    def __call__(self, x: Tensor, level: Level) -> Prediction: ...


@dataclass(frozen=True)
class NetworkDenoiser:
    """A network read through its method."""

    network: Network
    method: Method

    def __call__(self, x: Tensor, level: Level) -> Prediction:
        seen = self.method.see(x, level)
        output = self.network(seen, self.method.condition(level), level.trained.index)
        return self.method.read(output, x, level)


@dataclass(frozen=True)
class IdealDenoiser:
    """The exact denoiser of a mixture: x0_hat = E[x_0 | x], eps_hat = (x − α x0_hat) / σ."""

    mixture: GaussianMixture
    method: Method

    def __call__(self, x: Tensor, level: Level) -> Prediction:
        x0_hat = self.mixture.denoise(x, level.alpha, level.sigma)
        eps_hat = (x - level.alpha * x0_hat) / level.sigma
        return Prediction(self.method.target(x0_hat, eps_hat, level), eps_hat, x0_hat)


def device_of(denoiser: Denoiser) -> torch.device:
    """Where a denoiser computes."""
    if isinstance(denoiser, IdealDenoiser):
        return denoiser.mixture.means.device
    network = getattr(denoiser, "network", None)
    if network is not None:
        return next(network.parameters()).device  # type: ignore[no-any-return]
    return torch.device("cpu")

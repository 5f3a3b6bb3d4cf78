"""What a network learns, and how its output reads as noise and as clean data.

A method is three formulas on x = α x_0 + σ ε:

- ``condition``: the number that tells the network its level;
- ``target``: what the output should be, linear in x_0 and ε;
- ``read``: the estimates x0_hat and eps_hat that an output stands for, with
  x = α x0_hat + σ eps_hat.

Because a target is linear in x_0 and ε, the best possible output E[target | x] is the target of the
ideal estimates. So `IdealDenoiser` answers the same call as `NetworkDenoiser`, for every method.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from .mixtures import GaussianMixture
from .networks import Network
from .schedules import Level


@dataclass(frozen=True)
class Prediction:
    """What a denoiser says of x at a level; all of x's shape. ``output`` is the network's own."""

    output: Tensor
    eps_hat: Tensor
    x0_hat: Tensor


class Method(Protocol):
    """See the module's docstring. ``level`` holds numbers, or tensors that broadcast against x."""

    def condition(self, level: Level) -> float | Tensor: ...

    def target(self, x0: Tensor, eps: Tensor, level: Level) -> Tensor: ...

    def read(self, output: Tensor, x: Tensor, level: Level) -> Prediction: ...


def _from_eps(output: Tensor, eps_hat: Tensor, x: Tensor, level: Level) -> Prediction:
    return Prediction(output, eps_hat, (x - level.sigma * eps_hat) / level.alpha)


class Naive:
    """The post's: the output is subtracted from x. Target n·σ'/σ for noise n = σ ε, so σ'·ε.

    The last target is 0 whatever the noise was: there the output says nothing of ε, and is read as
    what it removes, x0_hat = x − output.
    """

    def condition(self, level: Level) -> float | Tensor:
        return level.sigma

    def target(self, x0: Tensor, eps: Tensor, level: Level) -> Tensor:
        return level.sigma_next * eps

    def read(self, output: Tensor, x: Tensor, level: Level) -> Prediction:
        scale = level.sigma_next or level.sigma
        return _from_eps(output, output / scale, x, level)


class NaiveExact:
    """Removal of exactly one level: target n·(1 − σ'/σ) = (σ − σ')·ε.

    Subtracting it is an Euler step of the probability-flow ODE of Karras et al. 2022.
    """

    def condition(self, level: Level) -> float | Tensor:
        return level.sigma

    def target(self, x0: Tensor, eps: Tensor, level: Level) -> Tensor:
        return (level.sigma - level.sigma_next) * eps

    def read(self, output: Tensor, x: Tensor, level: Level) -> Prediction:
        return _from_eps(output, output / (level.sigma - level.sigma_next), x, level)


class DDPM:
    """Noise prediction, Ho et al. 2020, Algorithm 1: target ε, told α_t = 1 − β_t."""

    def condition(self, level: Level) -> float | Tensor:
        return 1 - level.beta

    def target(self, x0: Tensor, eps: Tensor, level: Level) -> Tensor:
        return eps

    def read(self, output: Tensor, x: Tensor, level: Level) -> Prediction:
        return _from_eps(output, output, x, level)


METHODS: dict[str, Method] = {"naive": Naive(), "naive-exact": NaiveExact(), "ddpm": DDPM()}
"""Every method by its name in a configuration."""


class Denoiser(Protocol):
    """The call that samplers make: what is in x, of shape (n, d), at this level?"""

    def __call__(self, x: Tensor, level: Level) -> Prediction: ...


@dataclass(frozen=True)
class NetworkDenoiser:
    """A network read through its method."""

    network: Network
    method: Method

    def __call__(self, x: Tensor, level: Level) -> Prediction:
        output = self.network(x, self.method.condition(level), level.index)
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

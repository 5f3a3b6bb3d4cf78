"""A sampler under test, with the ideal denoiser, levels, points and noise that it is given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from ..assemble import make_method, make_mixture, make_sampler, make_schedule
from ..config.data_section import DataConfig
from ..config.method_section import MethodConfig
from ..config.sampling_section import SamplingConfig
from ..methods import Denoiser, IdealDenoiser
from ..mixtures import GaussianMixture
from ..parts.methods import METHOD_PARTS
from ..randomness import generator
from ..samplers import Sampler, Step
from ..schedules import Schedule
from .noise_path import LEAST, noise_path, usual_config

DATA = ("four-gaussians", "moons")
"""Data sets on which a sampler is judged: separate modes, and curves."""

FLOAT32 = 1e-4
"""An error that float32 may add up to over some hundred steps."""


@dataclass(frozen=True)
class Case:
    """A sampler with what is declared of it; ``own`` is a function in place of a name's.

    An error below ``rounding`` need not fall with more steps.
    """

    name: str
    own: Sampler | None
    methods: tuple[str, ...]
    biased_with: tuple[str, ...]
    looks_back: bool
    order: int | None
    evaluations: int | None
    noises: int = 1
    rounding: float = 1e-11

    @property
    def method(self) -> str:
        """The method with which the sampler is checked."""
        exact = [name for name in self.methods if name not in self.biased_with]
        return (exact or self.methods)[0]

    def schedule(self, levels: int, least: float = LEAST) -> Schedule:
        """Return so many levels, with the α of the method's default schedule."""
        usual = make_schedule(usual_config(METHOD_PARTS[self.method].schedule))
        return noise_path(usual, levels, least)

    def sampler(self, levels: int) -> Sampler:
        """Return the step, whose last ones draw noise like the others."""
        # The name in the configuration does not matter where there is an own function.
        config = SamplingConfig(quiet=0) if self.own else SamplingConfig(sampler=self.name, quiet=0)
        return make_sampler(config, levels, self.own)

    def steps(
        self,
        denoiser: Denoiser,
        schedule: Schedule,
        x: Tensor,
        z: Tensor | None = None,
        exact: Sequence[Tensor] = (),
    ) -> Iterator[Step]:
        """Yield the steps from x (n, d) to clean data.

        ``z`` (N, n, noises·d) is 0 if not given. The steps after the first ones start from the
        points ``exact``, in place of where those led.
        """
        take, previous = self.sampler(schedule.levels), None
        z = (
            x.new_zeros(1).expand(schedule.levels, len(x), self.noises * x.shape[1])
            if z is None
            else z
        )
        for k in range(schedule.levels):
            step = take(x, schedule[k], denoiser, z[k], previous if self.looks_back else None)
            yield step
            x, previous = exact[k] if k < len(exact) else step.x_next, step


@lru_cache(maxsize=4)
def mixture_of(data: str) -> GaussianMixture:
    return make_mixture(DataConfig(name=data))


def ideal_denoiser(method: str, data: str = DATA[0]) -> IdealDenoiser:
    mixture = mixture_of(data)
    return IdealDenoiser(mixture, make_method(MethodConfig(name=method), mixture))


def start_points(
    ideal: IdealDenoiser, schedule: Schedule, n: int, dtype: torch.dtype = torch.float64
) -> Tensor:
    """Return true points of the noisiest level, (n, d)."""
    random = generator(0, "conformance")
    x0 = ideal.mixture.sample(n, random, dtype=dtype)
    noise = torch.randn(x0.shape, generator=random, dtype=dtype)
    return float(schedule.alphas[0]) * x0 + float(schedule.sigmas[0]) * noise


def noise_of(case: Case, levels: int, x: Tensor) -> Tensor:
    """Return z of every step, (levels, n, noises·d)."""
    shape = (levels, len(x), case.noises * x.shape[1])
    return torch.randn(shape, generator=generator(0, "conformance noise"), dtype=x.dtype)

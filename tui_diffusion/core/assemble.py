"""Build mixtures, methods, networks, samplers and schedules by the names in a configuration."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from .config.choices import ANY_LEVEL, DEFAULT_MEANS
from .config.data_section import DataConfig
from .config.experiment import Experiment
from .config.sections import MethodConfig, SamplingConfig, ScheduleConfig
from .datasets import SHAPES, Scaling, polar
from .methods import EDM, METHODS, Denoiser, Flow, Method
from .mixtures import GaussianMixture
from .networks import Network
from .samplers import Sampler, Step, ddim, ddpm, dpmpp_2m, euler, heun, naive
from .schedules import Level, Schedule, cosine, flow, from_betas, karras, karras_betas, linear_betas


def make_mixture(data: DataConfig, device: torch.device | str = "cpu") -> GaussianMixture:
    """Build the mixture of a configuration, with one std for all components."""
    if data.name in DEFAULT_MEANS:
        return GaussianMixture(data.means, data.std, data.weights or None, device=device)
    if data.name == "ring":
        turn = 2 * math.pi * torch.arange(data.count, dtype=torch.float64) / data.count
        return GaussianMixture(polar(torch.ones_like(turn), turn), data.std, device=device)
    if data.name == "file":
        unit = scaling_of(data).unit(_points(data))
        return GaussianMixture(unit, data.std, separate=False, device=device)
    points, weights = SHAPES[data.name](data.std)
    # The points are weighted, so that the scaling is that of the distribution.
    weights = weights / weights.sum()
    centre = weights @ points
    scale = float((weights @ (points - centre).square()).mean().sqrt())
    means = (points - centre) / scale
    return GaussianMixture(means, data.std, weights, separate=False, device=device)


def scaling_of(data: DataConfig) -> Scaling:
    """Return the scaling between a data set's own units and unit size."""
    if data.name == "file":
        return Scaling.of(_points(data), shared=data.scaling == "shared")
    return Scaling.none(data.dim)


def _points(data: DataConfig) -> Tensor:
    return torch.tensor(data.points)


def make_method(config: MethodConfig, mixture: GaussianMixture) -> Method:
    """Build the method of a configuration, with the mean and spread of its data."""
    match config.name:
        case "edm":
            spread = float(mixture.std().square().mean().sqrt())
            return EDM(config.noise_mean, config.noise_std, spread, tuple(mixture.mean().tolist()))
        case "flow":
            return Flow(config.noise_mean, config.noise_std)
        case name:
            return METHODS[name]


def make_network(experiment: Experiment, generator: torch.Generator) -> Network:
    """Build the freshly initialised network of an experiment, on the CPU."""
    config = experiment.network
    return Network(
        experiment.dim,
        experiment.levels,
        width=config.width,
        depth=config.depth,
        activation=config.activation,
        per_level=config.per_level,
        generator=generator,
        fourier=config.fourier,
        level_fourier=config.level_fourier,
    )


SAMPLERS: dict[str, Callable[[SamplingConfig], Sampler]] = {
    "naive": lambda c: naive,
    "ddpm": lambda c: partial(ddpm, posterior=c.variance == "posterior"),
    "ddim": lambda c: partial(ddim, eta=c.eta),
    "euler": lambda c: euler,
    "heun": lambda c: heun,
    "dpm++2m": lambda c: dpmpp_2m,
}
"""Every sampler by its name in a configuration."""


def uses_previous_step(config: SamplingConfig) -> bool:
    """Return whether the sampler uses the previous step."""
    return config.sampler == "dpm++2m"


def make_sampler(config: SamplingConfig, levels: int) -> Sampler:
    """Build the sampler of a configuration, including the steps without noise.

    The last ``config.quiet`` of the ``levels`` steps take z = 0.
    """
    sampler = SAMPLERS[config.sampler](config)

    def quietened(
        x: Tensor, level: Level, denoiser: Denoiser, z: Tensor, previous: Step | None = None
    ) -> Step:
        last = level.index is not None and level.index >= levels - config.quiet
        return sampler(x, level, denoiser, torch.zeros_like(z) if last else z, previous)

    return quietened


_KINDS: dict[str, Callable[[ScheduleConfig], Schedule]] = {
    "karras": lambda c: karras(c.levels, c.sigma_min, c.sigma_max, c.rho),
    "beta": lambda c: from_betas(c.betas),
    "karras-beta": lambda c: karras_betas(c.levels, c.beta_min, c.beta_max, c.rho),
    "linear-beta": lambda c: linear_betas(c.levels, c.beta_min, c.beta_max),
    "cosine": lambda c: cosine(c.levels),
    "flow": lambda c: flow(c.levels, c.rho),
}


def make_schedule(config: ScheduleConfig) -> Schedule:
    """Build the schedule of a configuration."""
    return _KINDS[config.kind](config)


def sampling_schedule(experiment: Experiment) -> Schedule:
    """Return the training schedule, or a version of it with ``sampling.levels`` levels.

    A network that covers every level gets a new schedule of that kind; any other gets a subset of
    the training schedule.
    """
    config, levels = experiment.schedule, experiment.sampling.levels
    if not levels or levels == config.count:
        return make_schedule(config)
    if experiment.method.name in ANY_LEVEL:
        return make_schedule(config.model_copy(update={"levels": levels}))
    return make_schedule(config).part(levels)

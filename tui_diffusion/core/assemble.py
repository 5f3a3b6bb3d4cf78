"""Build mixtures, methods, networks, samplers and schedules by the names in a configuration."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from functools import cache, partial
from types import ModuleType
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from . import datasets, samplers, schedules
from .arguments import check_function, check_type, expected
from .config.choices import check_installed
from .config.data_section import DataConfig
from .config.experiment import Experiment
from .config.method_section import MethodConfig
from .config.presets import Preset, experiment_of
from .config.sampling_section import SamplingConfig
from .config.schedule_section import ScheduleConfig
from .config.section import Section
from .datasets import Scaling, polar, spread_of
from .device_names import device_from
from .methods import EDM, METHODS, Denoiser, Flow, IdealDenoiser, Method
from .mixtures import GaussianMixture
from .networks import Network, OwnNetwork, call_module
from .parts.calls import guarded
from .parts.datasets import DATA_PARTS
from .parts.methods import METHOD_PARTS
from .parts.networks import NETWORK_PARTS
from .parts.part import Part
from .parts.samplers import SAMPLER_PARTS
from .parts.schedules import SCHEDULE_PARTS
from .randomness import generator as random_generator
from .samplers import Sampler, Step
from .schedules import Level, Schedule, check_levels

S = TypeVar("S", bound=Section)

_LINKED = 4
"""Most steps that are kept for the next one; a sampler that uses more keeps its own record."""


def _section(given: S | Experiment | Preset, kind: type[S], name: str) -> S:
    """Return a section, or that of an experiment or a preset."""
    if isinstance(given, kind):
        return given
    if isinstance(given, Experiment | Preset):
        section: S = getattr(experiment_of(given), name)
        return section
    raise expected(name, f"a {kind.__name__}, an Experiment or a Preset", given)


def make_mixture(
    data: DataConfig | Experiment | Preset, device: torch.device | str = "cpu"
) -> GaussianMixture:
    """Build the mixture of a configuration.

    A class is a mode where the data have modes, else a curve, an arm or a square of them.
    """
    data, device = _section(data, DataConfig, "data"), device_from(device)
    if data.given is not None:
        return _placed(data.given, device)
    part = DATA_PARTS[data.name]
    if part.means:
        return _centred(data, "correlation" in part.uses, device)
    if data.name == "ring":
        turn = 2 * math.pi * torch.arange(data.count, dtype=torch.float64) / data.count
        ring = polar(torch.ones_like(turn), turn)
        return GaussianMixture(ring, data.std, labels=range(data.count), device=device)
    if data.name == "file":
        unit = scaling_of(data).unit(_points(data))
        return GaussianMixture(unit, data.std, has_modes=False, labels=_labels(data), device=device)
    function = _function(datasets, part)
    points, weights, *more = function(**_arguments(function, data))
    labels, covariances = (*more, None, None)[:2]
    # The points are weighted, so that the scaling is that of the distribution.
    weights = weights / weights.sum()
    centre = weights @ points
    scale = spread_of(points, weights)
    return GaussianMixture(
        (points - centre) / scale,
        data.std if covariances is None else None,
        weights,
        covariances=None if covariances is None else covariances / scale**2,
        has_modes=False,
        labels=labels,
        device=device,
    )


def _centred(data: DataConfig, correlated: bool, device: torch.device | str) -> GaussianMixture:
    """Return the mixture of data that are given by the centres of their modes, each a class."""
    weights, labels = data.weights or None, range(len(data.means))
    stds: Any = data.stds or data.std
    if not correlated:
        return GaussianMixture(data.means, stds, weights, labels=labels, device=device)
    one = torch.tensor([[1.0, data.correlation], [data.correlation, 1.0]], dtype=torch.float64)
    variances = torch.as_tensor(stds, dtype=torch.float64).expand(len(data.means)) ** 2
    shapes = variances[:, None, None] * one
    return GaussianMixture(
        data.means, weights=weights, covariances=shapes, labels=labels, device=device
    )


def mixture_of(given: GaussianMixture | Experiment | Preset) -> GaussianMixture:
    """Return a mixture, or that of an experiment's or a preset's data."""
    if isinstance(given, GaussianMixture):
        return given
    if isinstance(given, Experiment | Preset):
        return make_mixture(given)
    raise expected("mixture", "a GaussianMixture, an Experiment or a Preset", given)


def mixture_for(
    experiment: Experiment, own: GaussianMixture | None, device: torch.device | str = "cpu"
) -> GaussianMixture:
    """Return ``own`` on a device or, if it is None, the mixture of the experiment's data."""
    if own is None:
        return make_mixture(experiment.data, device)
    return _placed(_checked(experiment, own), device)


def _checked(experiment: Experiment, own: GaussianMixture) -> GaussianMixture:
    """Return a mixture if it can take the place of an experiment's data."""
    check_type("mixture", own, GaussianMixture)
    if own.dim != experiment.dim:
        raise ValueError(
            f"mixture must have dimension {experiment.dim}, that of the experiment's data "
            f"(got {own.dim})"
        )
    if experiment.network.labels and own.classes != experiment.data.classes:
        raise ValueError(
            f"mixture must have {experiment.data.classes} classes, those that the network of the "
            f"experiment knows (got {own.classes})"
        )
    if not (own.narrowest > 0 and bool((own.weights >= 0).all())):
        raise ValueError("mixture must have stds above 0 and weights from 0")
    return own


def _placed(mixture: GaussianMixture, device: torch.device | str) -> GaussianMixture:
    """Return a mixture on a device; a copy would round the weights once more."""
    here = mixture.means.device == device_from(device)
    return mixture if here else mixture.to(device)


def with_mixture(experiment: Experiment, mixture: GaussianMixture | None) -> Experiment:
    """Return an experiment whose data are a mixture of the same dimension; None changes nothing.

    Every function of the experiment then uses it, but no file can hold the experiment.
    """
    if mixture is None:
        return experiment
    data = experiment.data.with_given(_checked(experiment, mixture))
    return experiment.model_copy(update={"data": data})


def scaling_of(data: DataConfig | Experiment | Preset) -> Scaling:
    """Return the scaling between a data set's own units and unit size."""
    data = _section(data, DataConfig, "data")
    if data.name == "file" and data.given is None:
        return Scaling.of(_points(data), shared=data.scaling == "shared")
    return Scaling.none(data.dim)


def _points(data: DataConfig) -> Tensor:
    return torch.tensor(data.points)


def _labels(data: DataConfig) -> Tensor | None:
    return None if data.labels is None else torch.tensor(data.labels)


def make_method(config: MethodConfig | Experiment | Preset, mixture: GaussianMixture) -> Method:
    """Build the method of a configuration, with the mean and spread of its data."""
    config = _section(config, MethodConfig, "method")
    check_type("mixture", mixture, GaussianMixture)
    match config.name:
        case "edm":
            spread = float(mixture.std().square().mean().sqrt())
            return EDM(config.noise_mean, config.noise_std, spread, tuple(mixture.mean().tolist()))
        case "flow":
            return Flow(config.noise_mean, config.noise_std)
        case name if name in METHODS:
            return METHODS[name]
    make: Any = METHOD_PARTS[config.name].function
    method: Method = make(mixture, **_arguments(make, config))
    return method


def make_ideal(
    config: MethodConfig | Experiment | Preset, mixture: GaussianMixture
) -> IdealDenoiser:
    """Build the exact denoiser of a method for a mixture, on the mixture's device."""
    return IdealDenoiser(mixture, make_method(config, mixture))


def method_class(name: str) -> type:
    """Return the class of a method."""
    function: Any = METHOD_PARTS[name].function
    return type(METHODS[name]) if name in METHODS else inspect.unwrap(function)


def network_for(experiment: Experiment, own: nn.Module | None) -> Network:
    """Return ``own`` as a network or, if it is None, the freshly initialised one of the experiment.

    A `Network` must have the layers that the experiment declares. Any other module takes points
    (n, d) and the condition of their level (n, 1), and returns a tensor of the points' shape.
    """
    fresh = make_network(experiment, random_generator(experiment.seed, "weights"))
    if own is None or isinstance(own, OwnNetwork):
        return fresh if own is None else own
    if isinstance(own, Network):
        if not own.same_layers(fresh):
            raise ValueError(f"network must be the experiment's {fresh} (got {own})")
        return own
    check_type("network", own, nn.Module, "its forward takes x (n, d) and c (n, 1)")
    for name in ("per_level", "labels", "guide"):
        if getattr(experiment.network, name):
            raise ValueError(f"network must be None where network.{name} is true (got a module)")
    return OwnNetwork(own, experiment.dim)


def make_network(experiment: Experiment, generator: torch.Generator) -> Network:
    """Build the freshly initialised network of an experiment, on the CPU."""
    config, part = experiment.network, NETWORK_PARTS[experiment.network.name]
    if isinstance(part.function, str):
        settings = _arguments(Network, config)
        if config.labels:
            settings["classes"] = experiment.data.classes
        return Network(experiment.dim, experiment.levels, generator=generator, **settings)
    seed, name = int(torch.randint(2**31, (), generator=generator)), f"network {part.name!r}"
    module = part.function(seed, experiment.dim, **_arguments(part.function, config))
    own = partial(guarded(OwnNetwork, name, part.file, part.line), module, experiment.dim)
    return own(guarded(call_module, name, part.file, part.line))


def _function(module: ModuleType, part: Part) -> Callable[..., Any]:
    """Return the mathematics of a part, from its module if the part has only the name."""
    function = part.function
    return getattr(module, function) if isinstance(function, str) else function


def _arguments(function: Callable[..., Any], config: Section) -> dict[str, Any]:
    """Return the settings of a section that are parameters of a function."""
    names = _parameters(function)
    return {name: getattr(config, name) for name in names if hasattr(config, name)}


def network_class(name: str) -> Any:
    """Return the function or class of a network."""
    function = NETWORK_PARTS[name].function
    return Network if isinstance(function, str) else inspect.unwrap(function)


@cache
def _parameters(function: Callable[..., Any]) -> tuple[str, ...]:
    return tuple(inspect.signature(function).parameters)


def sampler_function(name: str) -> Callable[..., Step]:
    """Return the reverse step of a sampler."""
    part = SAMPLER_PARTS[name]
    if not part.scheduler:
        return _function(samplers, part)
    from .diffusers_step import scheduler_step

    check_installed(name)
    return partial(scheduler_step, scheduler=part.scheduler)


def sampler_sources(name: str) -> list[Any]:
    """Return what has the source of a sampler's step: its function, and a scheduler's own."""
    part = SAMPLER_PARTS[name]
    if not part.scheduler:
        return [sampler_function(name)]
    from .diffusers_step import scheduler_class, scheduler_step

    check_installed(name)
    return [scheduler_step, scheduler_class(part.scheduler).step]


def schedule_function(kind: str) -> Callable[..., Schedule]:
    """Return the function that computes the levels of a schedule."""
    return _function(schedules, SCHEDULE_PARTS[kind])


def steps_back(config: SamplingConfig, own: Sampler | None = None) -> int:
    """Return the number of earlier steps that the sampler, or ``own``, uses."""
    return SAMPLER_PARTS[config.sampler].looks_back if own is None else 1


def noises(config: SamplingConfig, own: Sampler | None = None) -> int:
    """Return the number of noises in a step of the sampler, or of ``own``: z has (n, noises·d)."""
    return SAMPLER_PARTS[config.sampler].noises if own is None else 1


def make_sampler(config: SamplingConfig, levels: int, own: Sampler | None = None) -> Sampler:
    """Build the sampler of a configuration, or ``own``, including the steps without noise.

    The last ``config.quiet`` of the ``levels`` steps take z = 0, if that field applies to the
    sampler. Each step carries the earlier ones that the next step uses.
    """
    linked = min(steps_back(config, own), _LINKED)
    quiet = config.quiet if own or "quiet" in SAMPLER_PARTS[config.sampler].uses else 0
    if own is None:
        function = sampler_function(config.sampler)
        if SAMPLER_PARTS[config.sampler].scheduler:  # its step holds what it needs of earlier ones
            linked = 0
        sampler: Sampler = partial(function, **_arguments(function, config))
    else:
        check_function("sampler", own, ("x", "level", "denoiser", "z", "previous"), "Step")
        sampler = own

    def quietened(
        x: Tensor, level: Level, denoiser: Denoiser, z: Tensor, previous: Step | None = None
    ) -> Step:
        last = level.index is not None and level.index >= levels - quiet
        step = sampler(x, level, denoiser, torch.zeros_like(z) if last else z, previous)
        if not isinstance(step, Step):
            raise expected("the result of sampler", "a Step", step)
        return step.since(previous, linked - 1)

    return quietened


def make_schedule(config: ScheduleConfig | Experiment | Preset) -> Schedule:
    """Build the schedule of a configuration."""
    config = _section(config, ScheduleConfig, "schedule")
    function = schedule_function(config.kind)
    return function(**_arguments(function, config))


def sampling_schedule(experiment: Experiment) -> Schedule:
    """Return the training schedule, or a version of it with ``sampling.levels`` levels.

    A network that covers every level gets a new schedule of that kind; any other gets a subset of
    the training schedule.
    """
    config, levels = experiment.schedule, experiment.sampling.levels
    if not levels or levels == config.count:
        return make_schedule(config)
    if METHOD_PARTS[experiment.method.name].any_level:
        return make_schedule(config.model_copy(update={"levels": levels}))
    return make_schedule(config).part(levels)


def schedule_for(
    experiment: Experiment, own: Schedule | None, denoiser: Denoiser | None
) -> Schedule:
    """Return ``own`` or, if it is None, the sampling schedule of the experiment.

    Raises ValueError if the denoiser or the experiment's sampling cannot use it.
    """
    if own is None:
        return sampling_schedule(experiment)
    check_type("schedule", own, Schedule)
    check_levels(own)
    before = experiment.sampling.stop_before
    if own.levels <= before:
        raise ValueError(
            f"schedule must have more levels than sampling.stop_before = {before} "
            f"(got {own.levels})"
        )
    network = getattr(denoiser, "network", None)
    if isinstance(network, Network) and network.per_level:
        last = max(own[k].trained.index or 0 for k in range(own.levels))
        if last >= len(network.bodies):
            raise ValueError(
                f"schedule must have at most {len(network.bodies)} levels, those with a network "
                f"of their own (got {last + 1})"
            )
    return own

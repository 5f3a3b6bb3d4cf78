"""Conformance of a network: shapes, values and gradients over all noise levels."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import cache, cached_property
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ..analysis.loss_floor import excess_square
from ..arguments import expected as wrong_type
from ..assemble import make_method, make_mixture, make_schedule, network_for
from ..config.experiment import Experiment
from ..config.presets import PRESETS
from ..methods import Method, NetworkDenoiser
from ..networks import Network
from ..parts.methods import METHOD_PARTS
from ..progress import ProgressCallback
from ..randomness import generator
from ..schedules import Level
from ..training.trainer import train
from .check import Check, Conformance, conformance_of, judged
from .kinds import check_name

DATA = "four-gaussians"

_POINTS = 64
_FAR = 1e4
_TOLERANCE = 1e-5
"""Difference of float32 results that counts as rounding, relative to the largest number."""


class _Inputs(NamedTuple):
    """A level with noisy points, their targets, and points far off, each (n, d) in float32."""

    level: Level
    x: Tensor
    target: Tensor
    far: Tensor


@dataclass(frozen=True)
class _Case:
    """A network with the experiment that it is checked in; ``own`` is a module, None for a name."""

    experiment: Experiment
    own: nn.Module | None

    def build(self) -> Network:
        """Return a new network, or a copy of the module."""
        return network_for(self.experiment, deepcopy(self.own))

    @cached_property
    def method(self) -> Method:
        """The experiment's method."""
        return make_method(self.experiment, make_mixture(self.experiment))

    @cached_property
    def inputs(self) -> list[_Inputs]:
        """The points of every level, noisiest first."""
        mixture, schedule = make_mixture(self.experiment), make_schedule(self.experiment)
        inputs = []
        for k in range(schedule.levels):
            level, random = schedule[k], generator(k, "conformance")
            x0 = mixture.sample(_POINTS, random)
            eps = torch.randn(x0.shape, generator=random)
            x = level.alpha * x0 + level.sigma * eps
            target = self.method.target(x0, eps, level)
            inputs.append(_Inputs(level, x, target, _FAR * torch.sign(x)))
        return inputs

    def output(self, network: Network, x: Tensor, level: Level) -> Tensor:
        """Return the network's output for noisy points."""
        method = self.method
        inputs, condition = method.network_input(x, level), method.condition(level)
        output: Tensor = network(inputs, condition, level.trained.index)
        return output


def check_network(
    network: str | nn.Module,
    *,
    experiment: Experiment | None = None,
    steps: int = 300,
    progress: ProgressCallback | None = None,
) -> Conformance:
    """Check a network by name, or a module that takes x (n, d) and c (n, 1) and returns (n, d).

    It is used as the experiment does, by default with four Gaussians and a method that covers
    every level: output and gradients at every level, then a training of ``steps`` steps on a copy.
    Raises `ConfigError` for an unknown name, TypeError for what is no network.
    """
    of = _experiment() if experiment is None else experiment
    if isinstance(network, str):
        check_name("network", network)
        of = of.with_settings({"network.name": network})
        case, name = _Case(of, None), network
    elif isinstance(network, nn.Module):
        case, name = _Case(of, network), type(network).__name__
    else:
        raise wrong_type("network", "a name or a Module", network)
    made = cache(lambda: case.build().eval())
    measurements = {
        "shapes": lambda: _shapes(case, made()),
        "values": lambda: _values(case, made()),
        "same input, same output": lambda: _determinism(case, made()),
        "a point alone": lambda: _alone(case, made()),
        "x0_hat and eps_hat": lambda: _consistent(case, made()),
        "gradients": lambda: _gradients(case, case.build().train()),
        "training": lambda: _training(case, steps),
    }
    return conformance_of("network", name, measurements, progress)


def _experiment() -> Experiment:
    """Return a preset whose network covers every level, with four Gaussians."""
    presets = (p.experiment for p in PRESETS.values())
    covering = next(of for of in presets if METHOD_PARTS[of.method.name].any_level)
    return covering.with_settings({"data.name": DATA, "device": "cpu"})


@torch.no_grad()
def _shapes(case: _Case, network: Network) -> Iterator[Check]:
    level, x, *_ = case.inputs[0]
    wrong = []
    for n in (1, 2, _POINTS):
        output = case.output(network, x[:n], level)
        if output.shape != x[:n].shape or output.dtype != x.dtype:
            wrong.append(f"{tuple(output.shape)} {output.dtype} for {n} points")
    weights = sum(p.numel() for p in network.parameters() if p.requires_grad)
    yield judged("weights", f"{weights:,}", "some to train", weights > 0)
    measured = "wrong" if wrong else "as x"
    yield judged("shapes", measured, "shape and dtype of x", not wrong, ", ".join(wrong))


@torch.no_grad()
def _values(case: _Case, network: Network) -> Iterator[Check]:
    for name in ("values at every level", "values far off"):
        points = [(of.level, of.far if "far" in name else of.x) for of in case.inputs]
        bad = [k for k, (at, x) in enumerate(points) if not _finite(case.output(network, x, at))]
        note = f"not at level {bad[0]}" if bad else ""
        yield judged(name, "not finite" if bad else "finite", "finite", not bad, note)


def _finite(values: Tensor | None) -> bool:
    return values is not None and bool(values.isfinite().all())


@torch.no_grad()
def _determinism(case: _Case, network: Network) -> Iterator[Check]:
    level, x, *_ = case.inputs[0]
    given = x.clone()
    first, again = (case.output(network, given, level) for _ in range(2))
    note = "" if torch.equal(given, x) else "changes its input"
    equal = torch.equal(first, again)
    measured = "bit-equal" if equal else "different"
    yield judged("same input, same output", measured, "bit-equal", equal and not note, note)


@torch.no_grad()
def _alone(case: _Case, network: Network) -> Iterator[Check]:
    worst = 0.0
    for level, x, *_ in case.inputs:
        together = case.output(network, x, level)
        alone = torch.cat([case.output(network, x[i : i + 1], level) for i in (0, 17, 63)])
        apart = (alone - together[[0, 17, 63]]).abs().max()
        worst = max(worst, float(apart / together.abs().max().clamp_min(1)))
    yield judged("a point alone", worst, f"at most {_TOLERANCE:g} off", worst <= _TOLERANCE)


@torch.no_grad()
def _consistent(case: _Case, network: Network) -> Iterator[Check]:
    denoiser, worst = NetworkDenoiser(network, case.method), 0.0
    for level, x, *_ in case.inputs:
        prediction = denoiser(x, level)
        signal, noise = level.alpha * prediction.x0_hat, level.sigma * prediction.eps_hat
        scale = torch.cat([signal, noise, x]).abs().max()
        worst = max(worst, float((signal + noise - x).abs().max() / scale))
    right = worst <= _TOLERANCE
    yield judged("x0_hat with eps_hat", worst, f"x, to {_TOLERANCE:g}", right)


def _gradients(case: _Case, network: Network) -> Iterator[Check]:
    """Differentiate the squared error at every level by every weight."""
    bad: dict[str, str] = {}
    alive: set[str] = set()
    named = {name: p for name, p in network.named_parameters() if p.requires_grad}
    for level, x, target, far in case.inputs:
        for points in (x, far):
            network.zero_grad(set_to_none=True)
            with torch.enable_grad():
                (case.output(network, points, level) - target).square().mean().backward()  # type: ignore[no-untyped-call]
            for name, weight in named.items():
                gradient = weight.grad
                if gradient is not None and not _finite(gradient):
                    bad.setdefault(name, f"{_last(name)} at level {level.index}")
                elif gradient is not None and bool(gradient.any()):
                    alive.add(name)
    note = f"not of {', '.join(list(bad.values())[:2])}" if bad else ""
    yield judged("gradients", "not finite" if bad else "finite", "finite", not bad, note)
    dead = [name for name in named if name not in alive and name not in bad]
    note = f"0 at every level: {', '.join(_last(name) for name in dead[:2])}" if dead else ""
    measured = f"{len(named) - len(dead)} of {len(named)} tensors"
    yield judged("weights with a gradient", measured, "every tensor", not dead, note)


def _last(name: str) -> str:
    """Return the name of a weight within a body."""
    return name.removeprefix("bodies.0.").removeprefix("module.")


def _training(case: _Case, steps: int) -> Iterator[Check]:
    """Compare the excess of the loss over its floor before and after a training."""
    settings = {"training.steps": steps, "training.average": 0.0}
    experiment = case.experiment.with_settings(settings)
    own = None if case.own is None else deepcopy(case.own)

    def excess(network: Network) -> float:
        denoiser = NetworkDenoiser(network, case.method)
        levels = (level for level, *_ in case.inputs)
        return sum(excess_square(experiment, denoiser, level) for level in levels)

    before = excess(case.build().eval())
    for progress in train(experiment, network=own, every=steps):
        trained = progress.trainer.network
    share = excess(trained.eval()) / before
    name = f"excess after {steps:,} steps"
    yield judged(name, share, "below 1, untrained", share < 1)

"""Conformance of a method: its target and its estimates, with the exact posterior as the judge."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

from ..analysis.likelihood.bound import target_gain
from ..analysis.residual import residual
from ..arguments import expected as wrong_type
from ..assemble import make_method, make_mixture, make_schedule
from ..config.data_section import DataConfig
from ..config.method_section import MethodConfig
from ..methods import AnyLevel, Method
from ..mixtures import GaussianMixture
from ..parts.methods import METHOD_PARTS
from ..progress import ProgressCallback
from ..randomness import generator
from ..schedules import Level, Schedule
from .check import Check, Conformance, Rows, conformance_of, judged, relative_error
from .kinds import check_name
from .noise_path import noise_path, usual_config

DATA = "four-gaussians"

_MOST = 8
"""Levels at which the loss is measured."""

_POINTS = 4096


class _Draw(NamedTuple):
    """Clean points, noise and noisy points of a level, each (n, d) in float64."""

    level: Level
    x0: Tensor
    eps: Tensor
    x: Tensor


def check_method(
    method: str | MethodConfig | Method,
    *,
    schedule: Schedule | None = None,
    points: int = _POINTS,
    progress: ProgressCallback | None = None,
) -> Conformance:
    """Check a method by name, by its settings, or an object with the four formulas.

    ``schedule`` gives the levels; without it they are the method's default ones, or twenty with
    α = 1 for an object. Raises `ConfigError` for an unknown name.
    """
    if isinstance(method, str):
        check_name("method", method)
        method = MethodConfig(name=method)
    mixture = make_mixture(DataConfig(name=DATA))
    build: Callable[[], Method]
    if isinstance(method, MethodConfig):
        config, name = method, method.name
        schedule = schedule or make_schedule(usual_config(METHOD_PARTS[name].schedule))
        build = lambda: make_method(config, mixture)  # noqa: E731
    elif hasattr(method, "to_prediction"):
        given, name = method, type(method).__name__
        build = lambda: given  # noqa: E731
        schedule = schedule or noise_path(make_schedule(usual_config("karras")), 20)
    else:
        raise wrong_type("method", "a name, a MethodConfig or a Method", method)
    return conformance_of("method", name, _measurements(build, mixture, schedule, points), progress)


def _measurements(
    build: Callable[[], Method], mixture: GaussianMixture, schedule: Schedule, points: int
) -> dict[str, Rows]:
    made = cache(build)
    levels = _spread(schedule)
    draws = [_draw(mixture, level, points) for level in levels]
    return {
        "shapes": lambda: _shapes(made(), draws),
        "target is linear": lambda: _linear(made(), draws),
        "levels of points": lambda: _levels_of_points(made(), draws),
        "x0_hat and eps_hat": lambda: _consistent(made(), draws),
        "ideal output": lambda: _ideal(made(), mixture, draws),
        "floor": lambda: _floor(made(), mixture, draws),
        "gradient": lambda: _gradient(made(), draws),
        "training levels": lambda: _training_levels(made()),
    }


def _spread(schedule: Schedule) -> list[Level]:
    """Return up to eight levels of a schedule, first and last included."""
    chosen = torch.linspace(0, schedule.levels - 1, min(_MOST, schedule.levels)).round().long()
    return [schedule[k] for k in chosen.tolist()]


def _draw(mixture: GaussianMixture, level: Level, points: int) -> _Draw:
    random = generator(level.index or 0, "conformance")
    x0 = mixture.sample(points, random, balanced=True, dtype=torch.float64)
    eps = torch.randn(x0.shape, generator=random, dtype=x0.dtype)
    return _Draw(level, x0, eps, level.alpha * x0 + level.sigma * eps)


def _shapes(method: Method, draws: list[_Draw]) -> Iterator[Check]:
    wrong, finite = [], True
    for level, x0, eps, x in draws:
        x0, eps, x = x0[:5].float(), eps[:5].float(), x[:5].float()
        far = 1e4 * torch.ones_like(x)
        for points in (x, far):
            target = method.target(x0, eps, level)
            prediction = method.to_prediction(target, points, level)
            values = {"network_input": method.network_input(points, level), "target": target}
            values |= {"eps_hat": prediction.eps_hat, "x0_hat": prediction.x0_hat}
            for name, value in values.items():
                if value.shape != x.shape or value.dtype != x.dtype:
                    wrong.append(f"{name} {tuple(value.shape)} {value.dtype}")
                finite = finite and bool(value.isfinite().all())
            finite = finite and bool(torch.as_tensor(method.condition(level)).isfinite().all())
    note = ", ".join(dict.fromkeys(wrong))
    yield judged("shapes", "wrong" if wrong else "as x", "shape and dtype of x", not wrong, note)
    yield judged("values, far off too", "finite" if finite else "not finite", "finite", finite)


def _linear(method: Method, draws: list[_Draw]) -> Iterator[Check]:
    """Compare the target of a sum with the sum of targets, each less that of 0."""
    worst = 0.0
    for level, x0, eps, _ in draws:
        first, second, zero = (x0[:100], eps[:100]), (x0[100:200], eps[100:200]), 0 * x0[:100]
        origin = method.target(zero, zero, level)
        both = method.target(first[0] + second[0], first[1] + second[1], level) - origin
        apart = (method.target(*first, level) - origin) + (method.target(*second, level) - origin)
        worst = max(worst, relative_error(both, apart))
    yield judged("target is linear", worst, "at most 1e-9 off", worst <= 1e-9)


def _levels_of_points(method: Method, draws: list[_Draw]) -> Iterator[Check]:
    """Give a level for every point, as training does, and compare with one level at a time."""
    batch = [draw for draw in draws for _ in range(2)]

    def column(name: str) -> Tensor:
        return torch.tensor([[float(getattr(draw.level, name))] for draw in batch]).double()

    joint = Level(column("alpha"), column("sigma"), column("alpha_next"), column("sigma_next"))
    x0 = torch.stack([draw.x0[j] for j, draw in enumerate(batch)])
    eps = torch.stack([draw.eps[j] for j, draw in enumerate(batch)])
    x = torch.stack([draw.x[j] for j, draw in enumerate(batch)])
    target, inputs = method.target(x0, eps, joint), method.network_input(x, joint)
    condition = torch.as_tensor(method.condition(joint)).expand(len(batch), 1)
    worst = 0.0
    for j, draw in enumerate(batch):
        one, of = slice(j, j + 1), draw.level
        alone = torch.as_tensor(method.condition(of), dtype=torch.float64).reshape(1, 1)
        for together, single in (
            (target[one], method.target(x0[one], eps[one], of)),
            (inputs[one], method.network_input(x[one], of)),
            (condition[one], alone),
        ):
            worst = max(worst, relative_error(together, single))
    yield judged("a level for every point", worst, "at most 1e-6 off", worst <= 1e-6)


def _consistent(method: Method, draws: list[_Draw]) -> Iterator[Check]:
    """Compare x with α x0_hat + σ eps_hat, for any output of a network."""
    worst = 0.0
    for level, _, eps, x in draws:
        prediction = method.to_prediction(eps.flip(0), x, level)
        signal, noise = level.alpha * prediction.x0_hat, level.sigma * prediction.eps_hat
        scale = torch.cat([signal, noise, x]).abs().max()
        off = float((signal + noise - x).abs().max() / scale)
        worst = max(worst, off if math.isfinite(off) else math.inf)
    yield judged("x0_hat with eps_hat", worst, "x, to 1e-9", worst <= 1e-9)


def _posterior(mixture: GaussianMixture, draw: _Draw) -> tuple[Tensor, Tensor]:
    """Return E[x_0 | x] and E[ε | x]."""
    level = draw.level
    x0_hat = mixture.denoise(draw.x, level.alpha, level.sigma)
    return x0_hat, (draw.x - level.alpha * x0_hat) / level.sigma


def _ideal(method: Method, mixture: GaussianMixture, draws: list[_Draw]) -> Iterator[Check]:
    worst, without = 0.0, 0
    for draw in draws:
        if target_gain(method, draw.level) == 0:
            without += 1
            continue
        x0_hat, eps_hat = _posterior(mixture, draw)
        output = method.target(x0_hat, eps_hat, draw.level)
        prediction = method.to_prediction(output, draw.x, draw.level)
        worst = max(worst, relative_error(prediction.x0_hat, x0_hat))
    note = f"at {without} of {len(draws)} levels the target says nothing of x0" if without else ""
    name, right = "x0_hat of the ideal output", worst <= 1e-6 and without < len(draws)
    yield judged(name, worst, "E[x0|x], to 1e-6", right, note)


def _floor(method: Method, mixture: GaussianMixture, draws: list[_Draw]) -> Iterator[Check]:
    worst = 0.0
    for draw in draws:
        level = draw.level
        target = method.target(draw.x0, draw.eps, level)
        squares = (target - method.target(*_posterior(mixture, draw), level)).square().sum(1)
        least = residual(mixture, float(level.alpha), float(level.sigma)).square
        floor = target_gain(method, level) ** 2 * least
        # The analytic floor itself is known to 1e-3.
        error = float(squares.std()) / math.sqrt(len(squares)) + 1e-3 * floor + 1e-12
        off = abs(float(squares.mean()) - floor) / error
        worst = max(worst, off if math.isfinite(off) else math.inf)
    yield judged("loss of the ideal output", worst, "floor ± 5 std errors", worst <= 5)


def _gradient(method: Method, draws: list[_Draw]) -> Iterator[Check]:
    """Differentiate the estimates by the output: guidance and distillation do."""
    finite = True
    for level, _, eps, x in draws:
        output = eps[:50].clone().requires_grad_()
        with torch.enable_grad():
            prediction = method.to_prediction(output, x[:50], level)
            total = prediction.x0_hat.sum() + prediction.eps_hat.sum()
            (gradient,) = torch.autograd.grad(total, output)
        finite = finite and bool(gradient.isfinite().all())
    yield judged("gradient by the output", "finite" if finite else "not finite", "finite", finite)


def _training_levels(method: Method) -> Iterator[Check]:
    name, wanted = "training levels", "finite, sigma above 0"
    if not isinstance(method, AnyLevel):
        yield judged(name, None, wanted, None, "trains on the schedule's levels")
        return
    u = torch.linspace(1e-4, 1 - 1e-4, 101, dtype=torch.float64)
    level = method.sample_level(u)
    ratio = torch.as_tensor(level.sigma) / torch.as_tensor(level.alpha)
    right = ratio.shape == u.shape and bool((ratio.isfinite() & (ratio > 0)).all())
    measured = f"{float(ratio.min()):.2g} to {float(ratio.max()):.2g}"
    yield judged(name, measured, wanted, right, "sigma/alpha")

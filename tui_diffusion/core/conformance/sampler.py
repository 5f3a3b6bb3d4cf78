"""Conformance of a sampler, judged with the ideal denoiser."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache, partial

import torch
from torch import Tensor

from ..analysis.metrics import evaluate
from ..assemble import make_method, make_mixture, make_sampler, make_schedule
from ..config.data_section import DataConfig
from ..config.sections import MethodConfig, SamplingConfig
from ..methods import Denoiser, IdealDenoiser, Prediction
from ..mixtures import GaussianMixture
from ..parts.methods import METHOD_PARTS
from ..parts.samplers import SAMPLER_PARTS
from ..progress import ProgressCallback
from ..randomness import generator
from ..samplers import Sampler, Step
from ..schedules import Level, Schedule
from .check import Check, Conformance, conformance_of, judged
from .kinds import check_name
from .noise_path import GREATEST, LEAST, exact_end, noise_path, usual_config

DATA = ("four-gaussians", "moons")
"""Data sets on which a sampler is judged: separate modes, and curves."""

MANY = 1000
"""Levels that stand for infinitely many."""

_STEPS = (8, 16, 32, 64, 128)
"""Numbers of steps between which the order is measured."""

_POINTS = 64
_END = 0.002
"""The last σ/α above 0 where bias is measured: a fifth of the std of a mode."""


@dataclass(frozen=True)
class _Case:
    """A sampler with what is declared of it; ``own`` is a function in place of a name's."""

    name: str
    own: Sampler | None
    methods: tuple[str, ...]
    biased_with: tuple[str, ...]
    looks_back: bool
    order: int | None
    evaluations: int | None

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
        self, denoiser: Denoiser, schedule: Schedule, x: Tensor, z: Tensor | None = None
    ) -> Iterator[Step]:
        """Yield the steps from x (n, d) to clean data; ``z`` (N, n, d), none if not given."""
        take, previous = self.sampler(schedule.levels), None
        for k in range(schedule.levels):
            noise = torch.zeros_like(x) if z is None else z[k]
            step = take(x, schedule[k], denoiser, noise, previous if self.looks_back else None)
            yield step
            x, previous = step.x_next, step


def check_sampler(
    sampler: str | Sampler,
    *,
    order: int | None = None,
    evaluations: int | None = None,
    methods: tuple[str, ...] = (),
    levels: int = MANY,
    points: int = 2000,
    progress: ProgressCallback | None = None,
) -> Conformance:
    """Check a sampler by name, or a function that takes one reverse step.

    Order of convergence against the exact probability-flow ODE, evaluations in a step, purity,
    stability with 1, 2 and ``levels`` levels, and the bias of a sample of ``points`` points. Of a
    function, ``order``, ``evaluations`` and the compatible ``methods`` are declared here; a name
    has them in its part. Raises `ConfigError` for an unknown name.
    """
    if isinstance(sampler, str):
        check_name("sampler", sampler)
        part = SAMPLER_PARTS[sampler]
        case = _Case(
            sampler,
            None,
            part.methods,
            part.biased_with,
            part.looks_back > 0,
            part.order,
            part.evaluations,
        )
    else:
        name = getattr(sampler, "__name__", type(sampler).__name__)
        case = _Case(name, sampler, methods, (), True, order, evaluations)
    any_level = next(name for name, part in METHOD_PARTS.items() if part.any_level)
    case = replace(case, methods=case.methods or (any_level,))
    others = (method for method in case.methods if method != case.method)
    measurements = {
        "step": partial(_step, case),
        "order": partial(_order, case),
        "evaluations a step": partial(_evaluations, case),
        "same z, same points": partial(_determinism, case),
        "arguments unchanged": partial(_purity, case),
        "a point alone": partial(_alone, case),
        **{_stability_name(n): partial(_stability, case, n) for n in (1, 2)},
        **{
            f"bias, {data}, {method}": partial(_bias, case, data, method, count, n)
            for method in (case.method, *others)
            for data, count, n in ((DATA[0], levels, points), (DATA[1], levels // 4, points // 2))
        },
    }
    return conformance_of("sampler", case.name, measurements, progress)


@lru_cache(maxsize=4)
def _mixture(data: str) -> GaussianMixture:
    return make_mixture(DataConfig(name=data))


def _ideal(method: str, data: str = DATA[0]) -> IdealDenoiser:
    mixture = _mixture(data)
    return IdealDenoiser(mixture, make_method(MethodConfig(name=method), mixture))


def _start(
    ideal: IdealDenoiser, schedule: Schedule, n: int, dtype: torch.dtype = torch.float64
) -> Tensor:
    """Return true points of the noisiest level, (n, d)."""
    random = generator(0, "conformance")
    x0 = ideal.mixture.sample(n, random, dtype=dtype)
    noise = torch.randn(x0.shape, generator=random, dtype=dtype)
    return float(schedule.alphas[0]) * x0 + float(schedule.sigmas[0]) * noise


def _noise(levels: int, x: Tensor, seed: int = 0) -> Tensor:
    """Return z of every step, (levels, n, d)."""
    random = generator(seed, "conformance noise")
    return torch.randn((levels, *x.shape), generator=random, dtype=x.dtype)


# --- the step ------------------------------------------------------------------------------------


def _step(case: _Case) -> Iterator[Check]:
    ideal, schedule = _ideal(case.method), case.schedule(4)
    x = _start(ideal, schedule, 5, torch.float32)
    wrong = []
    for k, step in enumerate(case.steps(ideal, schedule, x, _noise(4, x))):
        tensors = {name: value for name, value in vars(step).items() if isinstance(value, Tensor)}
        wrong += [
            f"{name} of shape {tuple(v.shape)}" for name, v in tensors.items() if v.shape != x.shape
        ]
        if step.x_next.dtype != x.dtype:
            wrong.append(f"x_next of {step.x_next.dtype}")
        if not wrong and not torch.allclose(step.mean + step.noise, step.x_next, atol=1e-5):
            wrong.append("x_next is not mean + noise")
        if (step.alpha, step.sigma) != (schedule[k].alpha, schedule[k].sigma):
            wrong.append("alpha and sigma are not those of the level")
    note = ", ".join(dict.fromkeys(wrong))
    yield judged("step", "wrong" if wrong else "as x", "shape and dtype of x", not wrong, note)


def _evaluations(case: _Case) -> Iterator[Check]:
    levels, calls = 16, 0
    ideal, schedule = _ideal(case.method), case.schedule(levels)

    def counting(x: Tensor, level: Level) -> Prediction:
        nonlocal calls
        calls += 1
        return ideal(x, level)

    x, counts = _start(ideal, schedule, 2), []
    for _ in case.steps(counting, schedule, x, _noise(levels, x)):
        counts.append(calls)
        calls = 0
    steady, last = counts[levels // 2 : -1], counts[-1]
    measured = " or ".join(str(n) for n in sorted(set(steady)))
    measured += f", last {last}" if last != steady[-1] else ""
    # A multistep method may need more evaluations until it has steps to look back on.
    first = counts[: levels // 2]
    note = (
        f"the first steps take {', '.join(map(str, first[:4]))}" if max(first) > max(steady) else ""
    )
    declared = case.evaluations
    if declared is None:
        yield judged("evaluations a step", measured, "none declared", None, note)
    else:
        right = set(steady) == {declared} and last <= declared
        expected = "1" if declared == 1 else f"{declared}, last may be fewer"
        yield judged("evaluations a step", measured, expected, right, note)


def _determinism(case: _Case) -> Iterator[Check]:
    ideal, schedule = _ideal(case.method), case.schedule(8)
    x = _start(ideal, schedule, _POINTS, torch.float32)
    z, state = _noise(8, x), torch.get_rng_state()
    first, again = ([s.x_next for s in case.steps(ideal, schedule, x, z)] for _ in range(2))
    drawn = not torch.equal(state, torch.get_rng_state())
    apart = max(float((a - b).abs().max()) for a, b in zip(first, again, strict=True))
    equal = all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    note = "draws from torch's global generator" if drawn else ""
    measured = "bit-equal" if equal else f"{apart:.2g} apart"
    yield judged("same z, same points", measured, "bit-equal", equal and not drawn, note)


def _purity(case: _Case) -> Iterator[Check]:
    ideal, schedule = _ideal(case.method), case.schedule(8)
    x = _start(ideal, schedule, 5, torch.float32)
    given: dict[str, Tensor] = {}
    changed: list[str] = []
    take, previous = case.sampler(8), None
    for k, z in enumerate(_noise(8, x)):
        given = {"x": x, "z": z}
        if previous is not None and case.looks_back:
            before = {n: v for n, v in vars(previous).items() if isinstance(v, Tensor)}
            given |= {f"previous.{name}": value for name, value in before.items()}
        copies = {name: value.clone() for name, value in given.items()}
        step = take(x, schedule[k], ideal, z, previous if case.looks_back else None)
        changed += [n for n, value in given.items() if not torch.equal(value, copies[n])]
        x, previous = step.x_next.clone(), step
    note = f"changes {', '.join(dict.fromkeys(changed))}" if changed else ""
    measured = "changed" if changed else "unchanged"
    yield judged("arguments unchanged", measured, "unchanged", not changed, note)


def _alone(case: _Case) -> Iterator[Check]:
    ideal, schedule = _ideal(case.method), case.schedule(8)
    x = _start(ideal, schedule, 16)
    z = _noise(8, x)
    *_, together = case.steps(ideal, schedule, x, z)
    apart = 0.0
    for i in (0, 7, 15):
        *_, alone = case.steps(ideal, schedule, x[i : i + 1], z[:, i : i + 1])
        apart = max(apart, float((alone.x_next - together.x_next[i : i + 1]).abs().max()))
    yield judged("a point alone", apart, "at most 1e-4 apart", apart <= 1e-4)


# --- order and stability -------------------------------------------------------------------------


def _order(case: _Case) -> Iterator[Check]:
    name, declared = "order, {}", "none declared" if case.order is None else f"{case.order} ± 0.5"
    if case.order is None and _stochastic(case):
        for data in DATA:
            yield judged(name.format(data), None, declared, None, "adds noise")
        return
    measured = {data: convergence(case, data) for data in DATA}
    # On one of the data sets a sampler may be faster than in the limit of many steps.
    least = min(slope for slope, _ in measured.values())
    for data, (slope, errors) in measured.items():
        right = None
        if case.order is not None:
            right = slope >= case.order - 0.5 and least <= case.order + 0.5
        first, last = (f"{errors[i]:.1g} after {_STEPS[i]} steps" for i in (0, -1))
        note = f"error {first}, {last}"
        yield judged(name.format(data), round(slope, 2), declared, right, note)


def convergence(case: _Case, data: str) -> tuple[float, list[float]]:
    """Return the order of convergence, and the median error over points at each number of steps.

    The error is that of x/α at σ/α = 0.01, before the last step: the length of that one does not
    shrink. The median excludes points between two modes, whose errors grow without bound.
    """
    ideal = _ideal(case.method, data)
    schedules = [case.schedule(steps + 1) for steps in _STEPS]
    start, exact = _reference(data)
    x = float(schedules[0].alphas[0]) * start
    errors, floor = [], 1e-11
    for schedule in schedules:
        steps = case.steps(ideal, schedule, x)
        for step, _ in zip(steps, range(schedule.levels - 1), strict=False):
            end = step.x_next
        floor = 1e-5 if end.dtype == torch.float32 else floor
        error = (end / float(schedule.alphas[-2]) - exact).norm(dim=1)
        errors.append(float(error.median()))
    # The last numbers of steps whose error is above rounding.
    fit = [(math.log(n), math.log(e)) for n, e in zip(_STEPS, errors, strict=True) if e > floor][
        -3:
    ]
    return (_slope(fit) if len(fit) > 1 else math.nan), errors


@lru_cache(maxsize=4)
def _reference(data: str) -> tuple[Tensor, Tensor]:
    """Return points x/α of the noisiest level, and where the ODE leads them, both (n, d)."""
    mixture, random = _mixture(data), generator(0, "conformance")
    x0 = mixture.sample(_POINTS, random, dtype=torch.float64)
    start = x0 + GREATEST * torch.randn(x0.shape, generator=random, dtype=x0.dtype)
    return start, exact_end(mixture, start)


def _slope(points: list[tuple[float, float]]) -> float:
    """Return minus the slope of the line of least squares."""
    x, y = torch.tensor(points, dtype=torch.float64).T
    x = x - x.mean()
    return -float(x @ y / (x @ x))


def _stochastic(case: _Case) -> bool:
    """Return whether z changes the points."""
    ideal, schedule = _ideal(case.method), case.schedule(8)
    x = _start(ideal, schedule, 5)
    *_, plain = case.steps(ideal, schedule, x)
    *_, noisy = case.steps(ideal, schedule, x, _noise(8, x))
    return not torch.equal(plain.x_next, noisy.x_next)


def _stability_name(levels: int) -> str:
    return f"stability, {levels:,} level{'s' * (levels > 1)}"


def _stability(case: _Case, levels: int) -> Iterator[Check]:
    """Ask for finite points only: so few levels may overshoot."""
    ideal, schedule = _ideal(case.method), case.schedule(levels, _END)
    x = _start(ideal, schedule, 200, torch.float32)
    *_, last = case.steps(ideal, schedule, x, _noise(levels, x))
    finite = bool(last.x_next.isfinite().all())
    largest = float(last.x_next.abs().max())
    yield judged(_stability_name(levels), largest, "|x| finite", finite)


# --- bias ----------------------------------------------------------------------------------------


def _bias(case: _Case, data: str, method: str, levels: int, points: int) -> Iterator[Check]:
    biased = method in case.biased_with
    if biased and data != DATA[0]:
        return
    ideal = _ideal(method, data)
    schedule = replace(case, methods=(method,)).schedule(levels, _END)
    x = _start(ideal, schedule, points, torch.float32)
    *_, last = case.steps(ideal, schedule, x, _noise(levels, x))
    mixture, score = ideal.mixture, evaluate(last.x_next, ideal.mixture)
    if method == case.method and data == DATA[0]:
        largest, limit = float(last.x_next.abs().max()), 3 * float(mixture.means.abs().max())
        name, expected = _stability_name(levels), f"|x| up to {limit:.3g}"
        yield judged(name, largest, expected, largest <= limit)
    exact = [name for name in case.methods if name not in case.biased_with]
    suffix = f", {method}" if biased or len(exact) > 1 else ""
    note = "biased with this method, as declared" if biased else ""

    def row(name: str, measured: float | None, expected: str, low: float, high: float) -> Check:
        known = measured is not None and math.isfinite(measured)
        right = known and low <= float(measured or 0) <= high
        value = measured if known else "no such points"
        return judged(f"{name}{suffix}", value, expected, None if biased else right, note)

    error = (torch.tensor(score.mean) - mixture.mean()).abs() / mixture.std() * math.sqrt(points)
    ratio = torch.tensor(score.std) / mixture.std()
    worst = float(ratio[(ratio - 1).abs().argmax()])
    if biased:
        yield row("std ratio", worst, "0.95 to 1.05", 0.95, 1.05)
    else:
        yield row(f"mean, {data}", float(error.max()), "up to 4 std errors", 0, 4)
        yield row(f"std ratio, {data}", worst, "0.95 to 1.05", 0.95, 1.05)
        if mixture.has_modes:
            yield row("std ratio in a mode", score.in_mode_std_ratio, "0.9 to 1.1", 0.9, 1.1)
    chance = 4 * score.energy_distance_real
    expected = f"chance, up to {chance:.2g}"
    yield row(
        "energy" if biased else f"energy, {data}",
        score.energy_distance,
        expected,
        -math.inf,
        chance,
    )

"""Conformance of a sampler, judged with the ideal denoiser."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from ..analysis.metrics import evaluate
from ..methods import Prediction
from ..parts.methods import METHOD_PARTS
from ..parts.samplers import SAMPLER_PARTS
from ..progress import ProgressCallback
from ..samplers import Sampler
from ..schedules import Level
from .check import Check, Conformance, Verdict, conformance_of, judged
from .convergence import orders
from .kinds import check_name
from .sampler_case import DATA, FLOAT32, Case, ideal_denoiser, mixture_of, noise_of, start_points

MANY = 1000
"""Levels that stand for infinitely many."""

_POINTS = 64
_END = 0.002
"""The last σ/α above 0 where bias is measured: a fifth of the std of a mode."""

_MORE = 4
"""Times as many levels, to tell bias from too few of them."""


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
    stability with 1, 2 and ``levels`` levels, and the bias of a sample of ``points`` points, also
    after four times as many levels if it is off. Of a
    function, ``order``, ``evaluations`` and the compatible ``methods`` are declared here; a name
    has them in its part. Raises `ConfigError` for an unknown name.
    """
    if isinstance(sampler, str):
        check_name("sampler", sampler)
        part = SAMPLER_PARTS[sampler]
        case = Case(
            sampler,
            None,
            part.methods,
            part.biased_with,
            part.looks_back > 0,
            part.order,
            part.evaluations,
            part.noises,
            # Most classes of diffusers compute with levels in float32.
            FLOAT32 if part.scheduler else Case.rounding,
        )
    else:
        name = getattr(sampler, "__name__", type(sampler).__name__)
        case = Case(name, sampler, methods, (), True, order, evaluations)
    any_level = next(name for name, part in METHOD_PARTS.items() if part.any_level)
    case = replace(case, methods=case.methods or (any_level,))
    others = (method for method in case.methods if method != case.method)
    measurements = {
        "step": partial(_step, case),
        "order": partial(orders, case, levels),
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


# --- the step ------------------------------------------------------------------------------------


def _step(case: Case) -> Iterator[Check]:
    ideal, schedule = ideal_denoiser(case.method), case.schedule(4)
    x = start_points(ideal, schedule, 5, torch.float32)
    wrong = []
    for k, step in enumerate(case.steps(ideal, schedule, x, noise_of(case, 4, x))):
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


def _evaluations(case: Case) -> Iterator[Check]:
    levels, calls = 16, 0
    ideal, schedule = ideal_denoiser(case.method), case.schedule(levels)

    def counting(x: Tensor, level: Level) -> Prediction:
        nonlocal calls
        calls += 1
        return ideal(x, level)

    x, counts = start_points(ideal, schedule, 2), []
    for _ in case.steps(counting, schedule, x, noise_of(case, levels, x)):
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


def _determinism(case: Case) -> Iterator[Check]:
    ideal, schedule = ideal_denoiser(case.method), case.schedule(8)
    x = start_points(ideal, schedule, _POINTS, torch.float32)
    z, state = noise_of(case, 8, x), torch.get_rng_state()
    first, again = ([s.x_next for s in case.steps(ideal, schedule, x, z)] for _ in range(2))
    drawn = not torch.equal(state, torch.get_rng_state())
    apart = max(float((a - b).abs().max()) for a, b in zip(first, again, strict=True))
    equal = all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    note = "draws from torch's global generator" if drawn else ""
    measured = "bit-equal" if equal else f"{apart:.2g} apart"
    yield judged("same z, same points", measured, "bit-equal", equal and not drawn, note)


def _purity(case: Case) -> Iterator[Check]:
    ideal, schedule = ideal_denoiser(case.method), case.schedule(8)
    x = start_points(ideal, schedule, 5, torch.float32)
    given: dict[str, Tensor] = {}
    changed: list[str] = []
    take, previous = case.sampler(8), None
    for k, z in enumerate(noise_of(case, 8, x)):
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


def _alone(case: Case) -> Iterator[Check]:
    ideal, schedule = ideal_denoiser(case.method), case.schedule(8)
    x = start_points(ideal, schedule, 16)
    z = noise_of(case, 8, x)
    *_, together = case.steps(ideal, schedule, x, z)
    apart = 0.0
    for i in (0, 7, 15):
        *_, alone = case.steps(ideal, schedule, x[i : i + 1], z[:, i : i + 1])
        apart = max(apart, float((alone.x_next - together.x_next[i : i + 1]).abs().max()))
    yield judged("a point alone", apart, "at most 1e-4 apart", apart <= 1e-4)


# --- stability ---


def _stability_name(levels: int) -> str:
    return f"stability, {levels:,} level{'s' * (levels > 1)}"


def _stability(case: Case, levels: int) -> Iterator[Check]:
    """Ask for finite points only: so few levels may overshoot."""
    ideal, schedule = ideal_denoiser(case.method), case.schedule(levels, _END)
    x = start_points(ideal, schedule, 200, torch.float32)
    *_, last = case.steps(ideal, schedule, x, noise_of(case, levels, x))
    finite = bool(last.x_next.isfinite().all())
    largest = float(last.x_next.abs().max())
    yield judged(_stability_name(levels), largest, "|x| finite", finite)


# --- bias ----------------------------------------------------------------------------------------


def _bias(case: Case, data: str, method: str, levels: int, points: int) -> Iterator[Check]:
    """Judge the sample of so many levels; where it is off, that of more, as bias would remain."""
    if method in case.biased_with and data != DATA[0]:
        return
    last = _sample(case, data, method, levels, points)
    if method == case.method and data == DATA[0]:
        largest, limit = float(last.abs().max()), 3 * float(mixture_of(data).means.abs().max())
        name, expected = _stability_name(levels), f"|x| up to {limit:.3g}"
        yield judged(name, largest, expected, largest <= limit)
    rows, more = list(_scores(case, data, method, last)), _MORE * levels
    if any(row.verdict == Verdict.FAILED for row in rows):
        last = _sample(case, data, method, more, points)
        for row, before in zip(_scores(case, data, method, last), rows, strict=True):
            off = before.verdict == Verdict.FAILED
            note = f"after {more:,} levels" + (f"; {before.value} after {levels:,}" if off else "")
            yield replace(row, note=note)
    else:
        yield from rows


def _sample(case: Case, data: str, method: str, levels: int, points: int) -> Tensor:
    """Return the points (n, d) to which so many levels lead."""
    ideal = ideal_denoiser(method, data)
    schedule = replace(case, methods=(method,)).schedule(levels, _END)
    x = start_points(ideal, schedule, points, torch.float32)
    *_, last = case.steps(ideal, schedule, x, noise_of(case, levels, x))
    return last.x_next


def _scores(case: Case, data: str, method: str, x: Tensor) -> Iterator[Check]:
    """Compare points (n, d) with the data."""
    mixture, score = mixture_of(data), evaluate(x, mixture_of(data))
    biased = method in case.biased_with
    exact = [name for name in case.methods if name not in case.biased_with]
    suffix = f", {method}" if biased or len(exact) > 1 else ""
    note = "biased with this method, as declared" if biased else ""

    def row(name: str, measured: float | None, expected: str, low: float, high: float) -> Check:
        known = measured is not None and math.isfinite(measured)
        right = known and low <= float(measured or 0) <= high
        value = measured if known else "no such points"
        return judged(f"{name}{suffix}", value, expected, None if biased else right, note)

    error = (torch.tensor(score.mean) - mixture.mean()).abs() / mixture.std() * math.sqrt(len(x))
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

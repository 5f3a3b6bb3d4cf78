"""Conformance of a schedule."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial

import torch
from pydantic import ValidationError

from ..assemble import make_schedule
from ..config.schedule_section import ScheduleConfig
from ..parts.schedules import SCHEDULE_PARTS
from ..progress import ProgressCallback
from ..schedules import Schedule, check_levels
from .check import Check, Conformance, Rows, Verdict, conformance_of, judged
from .kinds import check_name
from .noise_path import usual_config

COUNTS = (1, 2, 1000)
"""Numbers of levels that a schedule is asked for."""

PURE = 0.1
"""The greatest signal at which pure noise is close to the noisiest level."""


def check_schedule(
    schedule: str | ScheduleConfig | Schedule, *, progress: ProgressCallback | None = None
) -> Conformance:
    """Check a schedule by name, by its settings, or the levels themselves.

    A name has the settings of the first preset that uses it. Levels must be finite, get less noisy
    from each to the next, and end with clean data. Raises `ConfigError` for an unknown name.
    """
    if isinstance(schedule, Schedule):
        levels = schedule
        measurements = _of_levels(lambda: levels)
        return conformance_of("schedule", type(schedule).__name__, measurements, progress)
    if isinstance(schedule, str):
        check_name("schedule", schedule)
        schedule = usual_config(schedule)
    config = schedule
    part, measurements = SCHEDULE_PARTS[config.kind], _of_levels(lambda: make_schedule(config))
    if part.in_betas:
        measurements["variance kept"] = partial(_variance, config)
    if "levels" in part.uses:
        measurements["number of levels"] = partial(_counts, config)
    return conformance_of("schedule", config.kind, measurements, progress)


def _of_levels(build: Callable[[], Schedule]) -> dict[str, Rows]:
    made = cache(build)
    return {
        "levels": lambda: _levels(made()),
        "monotone": lambda: _monotone(made()),
        "ends": lambda: _ends(made()),
        "signal at the start": lambda: _signal(made()),
    }


def _levels(schedule: Schedule) -> Iterator[Check]:
    try:
        check_levels(schedule)
    except ValueError as error:
        yield judged("levels", "wrong", "finite, sigma above 0", False, str(error))
        return
    double = {schedule.alphas.dtype, schedule.sigmas.dtype} == {torch.float64}
    note = "" if double else "alphas and sigmas are not both float64"
    yield judged("levels", f"{schedule.levels}, finite", "finite float64", double, note)


def _monotone(schedule: Schedule) -> Iterator[Check]:
    """Compare σ/α of neighbours as products, because α may be 0."""
    alphas, sigmas = schedule.alphas.double(), schedule.sigmas.double()
    falls = alphas[:-1] * sigmas[1:] < alphas[1:] * sigmas[:-1]
    wrong = (~falls).nonzero().flatten().tolist()
    note = f"not from level {wrong[0]} to {wrong[0] + 1}" if wrong else ""
    measured = f"{int(falls.sum())} of {len(falls)} steps"
    yield judged("sigma/alpha falls", measured, "every step", not wrong, note)


def _ends(schedule: Schedule) -> Iterator[Check]:
    sigma, alpha = float(schedule.sigmas[-1]) + 0.0, float(schedule.alphas[-1])
    yield judged("sigma at the end", sigma, "0", sigma == 0)
    yield judged("alpha at the end", alpha, "1", abs(alpha - 1) <= 1e-9)


def _signal(schedule: Schedule) -> Iterator[Check]:
    """Measure how much of data of unit std is left at the noisiest level, α/σ."""
    signal = float(schedule.alphas[0] / schedule.sigmas[0])
    note = ""
    if signal > PURE:
        note = (
            f"above {PURE}, pure noise is not where sampling should start: sampling.start=exact is"
        )
    yield judged("signal at the start", signal, "at most 1", signal <= 1, note)


def _variance(config: ScheduleConfig) -> Iterator[Check]:
    schedule = make_schedule(config)
    off = float((schedule.alphas.square() + schedule.sigmas.square() - 1).abs().max())
    yield judged("alpha² + sigma² − 1", off, "at most 1e-9", off <= 1e-9)


def _counts(config: ScheduleConfig) -> Iterator[Check]:
    """Ask for numbers of levels; the configuration may refuse one with a message."""
    for count in COUNTS:
        name = f"asked for {count:,} level{'s' * (count > 1)}"
        try:
            asked = type(config)(**config.model_dump() | {"levels": count})
        except ValidationError as error:
            reason = error.errors()[0]["msg"].removeprefix("Value error, ")
            yield judged(name, "refused", f"{count:,}", None, reason)
            continue
        schedule = make_schedule(asked)
        (falls,), got = _monotone(schedule), schedule.levels
        right = got == count and falls.verdict == Verdict.PASSED
        measured = f"{got:,}" if got != count or right else f"{falls.measured} fall"
        yield judged(name, measured, f"{count:,}", right, falls.note)

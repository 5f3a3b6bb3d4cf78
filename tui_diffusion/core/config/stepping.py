"""Stepping a field to its next or previous value.

Each field declares its ``scale`` beside its bounds (`sections`):

    1, 0.1, …   a constant step, to the next multiple of it
    series      …, 0.1, 0.2, 0.5, 1, 2, 5, 10, …
    doubling    0, 1, 2, 4, 8, …
    tenth       round numbers about a tenth apart: 1, 2, …, 20, 22, …, 50, 55, …
    levels      the same, where 0 means all levels of the schedule
    to-one      one less the series: 0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, …
    label       all, 0, 1, …: the classes of the data
    share       the series up to a half, then to-one: …, 0.1, 0.2, 0.5, 0.8, 0.9, …

A value between two of these steps to its neighbour; no step passes the field's bounds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from .errors import ConfigError
from .experiment import Experiment, field_table
from .fields import FieldSpec, StepRule
from .presets import Preset, experiment_of

_ALIKE = 1e-9
"""Relative difference below which numbers count as equal."""
_FINEST = 1e-6
"""Least difference from 1 that is visible in a displayed number."""


def nudge(experiment: Experiment | Preset, path: str, *, up: bool) -> Experiment:
    """Return ``experiment`` with a field one step up or down, unchanged if it has no further value.

    Choices that are incompatible with the other fields are skipped. Raise `ConfigError` if the
    next number is within the field's bounds but incompatible with the other fields.
    """
    experiment = experiment_of(experiment)
    spec, now = field_table()[path], experiment.get(path)
    if spec.scale == "levels":
        now = now or experiment.levels
    if spec.scale == "label":
        labels = ("all", *map(str, range(experiment.data.classes)))
        spec = replace(spec, kind="choice", choices=labels)
    for value in _onwards(spec, now, up):
        try:
            return experiment.with_settings({path: value})
        except ConfigError:
            if spec.kind != "choice":
                raise
    return experiment


def _onwards(spec: FieldSpec, value: Any, up: bool) -> Iterator[Any]:
    """Yield the candidates for the next value, nearest first."""
    if spec.kind == "bool":
        yield not value
    elif spec.kind == "choice":
        at = spec.choices.index(value) if value in spec.choices else len(spec.choices)
        yield from spec.choices[at + 1 :] if up else reversed(spec.choices[:at])
    elif spec.kind in ("int", "float"):
        number = _next(spec.scale, value, up)
        least = 1 if spec.scale == "levels" else spec.bounds.get("ge", -math.inf)
        number = max(least, min(spec.bounds.get("le", math.inf), number))
        inside = spec.bounds.get("gt", -math.inf) < number < spec.bounds.get("lt", math.inf)
        if inside and (number > value if up else number < value):
            yield int(number) if spec.kind == "int" else float(number)


def _next(scale: StepRule, value: float, up: bool) -> float:
    """Return the neighbour of a number on a scale, ignoring bounds."""
    if scale == "share":
        scale = "to-one" if value > 0.5 or (up and value == 0.5) else "series"
    if scale == "series":
        return _in_series(value, up)
    if scale == "to-one":
        return _rounded(1 - _in_series(max(1 - value, _FINEST), not up))
    if scale == "doubling":
        if not value:
            return 1 if up else 0
        return _neighbour([2.0**k for k in _powers(math.log2(value))], value, up)
    if scale in ("tenth", "levels"):
        # Downwards, use the number just below, so that steps up and down are inverse.
        share = max(value if up else value - 1, 10) / 10
        scale = int(max(step for step in _series(share) if step <= share))
    assert not isinstance(scale, str)
    if isinstance(scale, int) and isinstance(value, int):  # integers may have more than 53 bits
        return (value // scale + 1 if up else -(-value // scale) - 1) * scale
    ratio = value / scale
    return _rounded(
        scale * (math.floor(ratio + _ALIKE) + 1 if up else math.ceil(ratio - _ALIKE) - 1)
    )


def _in_series(value: float, up: bool) -> float:
    """Return the next of …, 1, 2, 5, 10, …, or the number itself if it is not above 0."""
    return _neighbour(_series(value), value, up) if value > 0 else value


def _series(value: float) -> list[float]:
    """Return the series near a number above 0."""
    return [float(f"{digit}e{k}") for k in _powers(math.log10(value)) for digit in (1, 2, 5)]


def _powers(exponent: float) -> range:
    return range(math.floor(exponent) - 1, math.floor(exponent) + 3)


def _neighbour(candidates: list[float], value: float, up: bool) -> float:
    if up:
        return min(c for c in candidates if c > value * (1 + _ALIKE))
    return max(c for c in candidates if c < value * (1 - _ALIKE))


def _rounded(value: float) -> float:
    """Round to the displayed digits; sums and products leave others behind."""
    return float(f"{value:.6g}")

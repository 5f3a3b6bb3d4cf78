"""What is measured of every training of a sweep: numbers of its report. Loads no torch."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..config.errors import ConfigError
from ..nearest import did_you_mean, nearest
from ..text import shortened
from .states import Report


@dataclass(frozen=True)
class Measure:
    """A number of a training's report; ``path`` leads to it, and ``real`` to a real sample's.

    ``badness`` maps it to a number that is lower for a better training. ``log`` suggests a
    logarithmic axis.
    """

    key: str
    name: str
    path: tuple[str, ...]
    real: tuple[str, ...] = ()
    badness: Callable[[float], float] = float
    log: bool = False

    def of(self, report: Report) -> float | None:
        """Return the number in a report; None if it does not apply or is not finite."""
        return _at(report, self.path)

    def real_of(self, report: Report) -> float | None:
        """Return the score of a real sample in a report."""
        return _at(report, self.real) if self.real else None


def _at(report: Report, path: tuple[str, ...]) -> float | None:
    value: object = report
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def _from_one(ratio: float) -> float:
    """Return how far a ratio is from 1, as a factor."""
    return abs(math.log(ratio)) if ratio > 0 else math.inf


def _of_sample(key: str, name: str, badness: Callable[[float], float] = float) -> Measure:
    return Measure(key, name, ("sample", key), ("sample", f"{key}_real"), badness)


def _of_memory(key: str, name: str, *, real: bool = False, log: bool = False) -> Measure:
    path = "memorisation", key
    return Measure(key, name, path, ("memorisation", f"{key}_real") if real else (), log=log)


MEASURES: Mapping[str, Measure] = {
    measure.key: measure
    for measure in (
        _of_sample("energy_distance", "energy distance"),
        Measure("excess", "loss over its floor", ("loss", "excess"), log=True),
        _of_sample("in_mode_std_ratio", "std within a mode over the true one", _from_one),
        _of_sample("mode_tv", "total variation of mode weights"),
        _of_sample("off_mode", "share off every mode"),
        _of_memory("copied", "copied share", real=True),
        _of_memory("to_population", "distance to the population"),
        _of_memory("to_training_set", "distance to the training set"),
        _of_memory("train_loss", "loss on the training set", log=True),
        _of_memory("heldout_loss", "loss on held-out data", log=True),
        Measure("seconds", "seconds of training", ("seconds",), log=True),
    )
}
"""Every measure by its key in reports; the first ranks the cells unless another is asked for."""

DEFAULT = next(iter(MEASURES))


def measure_named(key: str) -> Measure:
    """Return the measure of this key, with ``-`` for ``_`` too; raise `ConfigError`."""
    key = key.replace("-", "_")
    if key not in MEASURES:
        hint = did_you_mean(nearest(key, MEASURES))
        raise ConfigError(
            f"measure: {shortened(key)!r} is not allowed; {hint}allowed: {', '.join(MEASURES)}"
        )
    return MEASURES[key]

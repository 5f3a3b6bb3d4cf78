"""Round ticks of an axis, and the scale that maps numbers to positions on it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from ...core.arrays import Floats, Range
from ...core.axes import AS_IT_IS, Axis
from .figure import AxisTick


def nice_ticks(low: float, high: float, count: int) -> list[float]:
    """Return round values within `[low, high]`, at most `count`, or up to five if that gives one.

    They are multiples of 1, 2 or 5 times a power of ten.
    """
    span = high - low
    if not (math.isfinite(span) and span > 0):
        return [low] if math.isfinite(low) else []
    exponent = math.floor(math.log10(span / max(1, count)))
    finer: list[float] = []
    for mantissa in (1, 2, 5, 10, 20, 50):
        # The step is parsed as a decimal literal, because 10.0 ** -1 * 3 is not 0.3.
        step = float(f"{mantissa}e{exponent}")
        if step <= 0:
            continue
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        values = [round(k * step, -exponent) + 0.0 for k in range(first, last + 1)]
        if len(values) < 2:
            return finer or values  # a single tick shows no scale
        if len(values) <= max(2, count):
            return values
        finer = values
    return finer


def plot_tick_text(value: float, step: float = 0.0) -> str:
    """Format `value` briefly: 0.001, 1e-4, 250, 2k, 10k, 3M. `step` is the tick spacing."""
    size = abs(value)
    if not math.isfinite(value):
        return ""
    if size == 0 or size < step * 1e-6:
        return "0"
    if size >= 1e12 or size < 1e-3:
        finer = math.floor(math.log10(size)) - math.floor(math.log10(step)) if step else 1
        mantissa, exponent = f"{value:.{min(max(finer, 1), 3)}e}".split("e")
        return f"{float(mantissa):g}e{int(exponent)}"
    for unit, name in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if size >= unit:
            return f"{value / unit:.4g}{name}"
    return f"{value:.4g}"


_LARGEST = 1e300  # twice this is still a finite number


_FAR = 1e6  # in widths of the plot; points further away are clamped to it


@dataclass(frozen=True)
class AxisScale:
    """The scale of an axis; on a log axis, `low` and `high` are decimal exponents."""

    low: float
    high: float
    log: bool = False

    def unit(self, values: ArrayLike) -> Floats:
        """Return `values` as shares of the axis, 0 to 1; nan for values outside its domain."""
        exponents = _transformed(values, self.log)
        with np.errstate(all="ignore"):
            share = (exponents - self.low) / (self.high - self.low)
        return np.clip(share, -_FAR, _FAR)

    def offset(self, axis: Axis) -> float:
        """Return the offset of the ticks of an axis in own units, or 0."""
        return 0.0 if self.log else axis.offset(self.low, self.high)

    def ticks(self, count: int, axis: Axis = AS_IT_IS) -> list[AxisTick]:
        """Return about `count` ticks as pairs of value and text; the text is in own units."""
        if not self.log:
            axis = replace(axis, centre=axis.centre - self.offset(axis))
            round_values = nice_ticks(axis.own(self.low), axis.own(self.high), count)
            step = round_values[1] - round_values[0] if len(round_values) > 1 else 0.0
            return [(axis.unit(value), plot_tick_text(value, step)) for value in round_values]
        first, last = math.ceil(self.low - 1e-9), math.floor(self.high + 1e-9)
        stride = max(1, math.ceil((last - first + 1) / max(1, count)))
        decades = [k for k in range(first, last + 1) if k % stride == 0]
        values = [float(f"1e{k}") for k in decades]
        if len(values) < 2:
            values = [
                float(f"{m}e{k}")
                for k in range(first - 1, last + 1)
                for m in (1, 2, 5)
                if self.low - 1e-9 <= k + math.log10(m) <= self.high + 1e-9
            ]
        if len(values) < 2 and abs(self.high) < 300 and abs(self.low) < 300:
            values = nice_ticks(10.0**self.low, 10.0**self.high, count)
        return [(value, plot_tick_text(value)) for value in values]


def _transformed(values: ArrayLike, log: bool) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    array = np.where(np.isfinite(array), np.clip(array, -_LARGEST, _LARGEST), np.nan)
    if log:
        with np.errstate(all="ignore"):
            array = np.where(array > 0, np.log10(np.where(array > 0, array, 1.0)), np.nan)
    return array


def scale_of(
    given: Range | None, values: Sequence[ArrayLike], *, log: bool = False, pad: float = 0.0
) -> AxisScale:
    """Return the scale of the range ``given``, or of the finite ``values`` if it is not valid."""
    if given is not None:
        low, high = (float(end) for end in _transformed(given, log))
        if low < high:
            return _widened(low, high, log)
    series = [_transformed(v, log).ravel() for v in values]
    data = np.concatenate(series) if series else np.empty(0)
    data = data[np.isfinite(data)]
    if not data.size:
        return AxisScale(-1.0, 0.0, log=True) if log else AxisScale(0.0, 1.0)
    low, high = float(data.min()), float(data.max())
    room = pad * (high - low)
    # Data that end at 0 get no margin below it: a density stands on its axis.
    return _widened(low if low == 0 and not log else low - room, high + room, log)


def _widened(low: float, high: float, log: bool) -> AxisScale:
    """Return a scale of positive length, even for one value or for adjacent floats."""
    if high - low <= 1e-9 * max(abs(low), abs(high), 1e-290):
        room = 0.5 if log else 0.5 * max(abs(low), abs(high)) or 0.5
        return AxisScale(low - room, high + room, log)
    return AxisScale(low, high, log)

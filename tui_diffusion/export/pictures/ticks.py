"""Round numbers along an axis, and their text."""

from __future__ import annotations

import numpy as np

from ...core.arrays import Range
from .figure import PicturePanel


def ticks(span: Range, most: int) -> list[float]:
    """Return round numbers within a range, at most ``most`` + 1."""
    low, high = span
    rough = max(high - low, 1e-300) / max(most, 1)
    power = 10.0 ** np.floor(np.log10(rough))
    step = next((m * power for m in (1, 2, 5, 10) if m * power >= rough), 10 * power)
    first = int(np.ceil(low / step - 1e-9))
    last = int(np.floor(high / step + 1e-9))
    return [float(i * step) for i in range(first, last + 1)]


def picture_tick_text(value: float, span: Range) -> str:
    """Format a tick with as many digits as the range needs."""
    width = max(span[1] - span[0], 1e-300)
    places = int(np.ceil(-np.log10(width))) + 1
    if width > 1e6 or places > 9:
        digits = max(int(np.floor(np.log10(max(abs(value), width)))) + places, 0)
        mantissa, _, exponent = f"{value:.{min(digits, 16)}e}".partition("e")
        return f"{_trimmed(mantissa)}e{int(exponent)}" if float(mantissa) else "0"
    return _trimmed(f"{value:.{max(places, 0)}f}")


def _trimmed(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def marks(panel: PicturePanel, most: int, *, across: bool) -> list[tuple[float, str]]:
    """Return the position and the text of each tick of a panel's axis."""
    span = panel.xs if across else panel.ys
    axis = panel.axes[0 if across else 1]
    if names := panel.names if across else panel.y_names:
        return [(float(k), name) for k, name in enumerate(names)]
    if across or not panel.log_y:
        own = (axis.own(span[0]), axis.own(span[1]))
        return [(axis.unit(at), picture_tick_text(at, own)) for at in ticks(own, most)]
    if span[1] - span[0] < 1.2:  # within about a decade, round numbers
        low, high = 10 ** span[0], 10 ** span[1]
        round_ones = [value for value in ticks((low, high), most) if value > 0]
        return [(float(np.log10(v)), picture_tick_text(v, (low, high))) for v in round_ones]
    first, last = int(np.floor(span[0])), int(np.ceil(span[1]))
    if last - first <= most / 2:
        fine = [m * 10.0**k for k in range(first, last + 1) for m in (1, 2, 5)]
        return [(float(np.log10(v)), f"{v:g}") for v in fine if span[0] <= np.log10(v) <= span[1]]
    every = max(1, int(np.ceil((span[1] - span[0]) / max(most, 1))))
    powers = range(int(np.ceil(span[0] - 1e-9)), int(np.floor(span[1] + 1e-9)) + 1, every)
    return [(float(k), f"{10.0**k:g}") for k in powers]

"""Drawing of points, densities and curves into arrays of pixels, smooth without oversampling.

A picture is an array (height, width, 3) of numbers from 0 to 1. Every function lays a coverage of
0 to 1 over it in one colour; coverage is computed from distances, so edges come out smooth.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ..core.axes import AS_IT_IS, Axis
from ..core.mixtures import GaussianMixture

Pixels = NDArray[np.float32]
Range = tuple[float, float]


def colour(text: str) -> Pixels:
    """``#rrggbb`` as three numbers."""
    return np.array([int(text[i : i + 2], 16) / 255 for i in (1, 3, 5)], np.float32)


GROUND, PANEL, LINE = "#0d1117", "#10161f", "#263040"
TEXT, DIM = "#e6edf3", "#8b9bb0"
TRUTH, NETWORK, IDEAL, MARK = "#56b4e9", "#f5a524", "#2fbf8f", "#f0a6d0"
GLOW = "#fff1c9"
SHADES = ("#10161f", "#112a40", "#154265", "#1d5f8f", "#3a86b8")
"""The ground of a panel, and a density from faint to strong."""

MAKERS = {"network": NETWORK, "ideal denoiser": IDEAL, "true data": TRUTH}


def over(picture: Pixels, coverage: NDArray[Any], hue: str) -> None:
    """Lay a colour over a picture where ``coverage`` (height, width) is above 0."""
    cover = np.asarray(coverage, np.float32)
    rows = np.flatnonzero(cover.any(1))
    if not len(rows):
        return
    # Most of a curve's or a ring's picture is bare: only the rows with something on them change.
    part = slice(rows[0], rows[-1] + 1)
    change = colour(hue) - picture[part]
    change *= cover[part, :, None]
    picture[part] += change


def middles(span: Range, count: int) -> NDArray[np.float64]:
    """Centres of ``count`` pixels over a range."""
    return np.asarray(span[0] + (np.arange(count) + 0.5) * (span[1] - span[0]) / count)


def log_density(
    truth: GaussianMixture, xs: Range, ys: Range, width: int, height: int
) -> NDArray[np.float64]:
    """log p at every pixel, the top row first, blurred to the size of a pixel so no peak is missed.

    A product of two thin matrices, since every component is as wide one way as the other.
    """
    pixel = (xs[1] - xs[0]) / width
    means, stds, weights = (t.cpu().numpy() for t in (truth.means, truth.stds, truth.weights))
    variance = stds**2 + (0.6 * pixel) ** 2
    across = middles(xs, width)[None, :] - means[:, 0, None]
    down = middles(ys, height)[::-1, None] - means[None, :, 1]
    gx = (
        np.exp(-(across**2) / (2 * variance[:, None])) * (weights / (2 * np.pi * variance))[:, None]
    )
    gy = np.exp(-(down**2) / (2 * variance[None, :]))
    with np.errstate(under="ignore"):
        return np.asarray(np.log(gy @ gx + 1e-300))


def _ramp(steps: int) -> Pixels:
    stops, places = np.linspace(0, 1, len(SHADES)), np.linspace(0, 1, steps)
    hues = np.stack([colour(shade) for shade in SHADES])
    return np.stack([np.interp(places, stops, hues[:, c]) for c in range(3)], 1).astype(np.float32)


_RAMP = _ramp(96)


def shading(logs: NDArray[np.float64]) -> Pixels:
    """A density as a picture of its own, its strength the root of its share of the greatest."""
    strength = np.exp((logs - logs.max()) * 0.5)
    return np.asarray(_RAMP[(strength * (len(_RAMP) - 1) + 0.5).astype(np.intp)])


def contour_level(logs: NDArray[np.float64], share: float = 0.95) -> float:
    """The log density above which ``share`` of the whole lies."""
    some = logs[::2, ::2] if logs.size > 40_000 else logs
    ordered = np.sort(some, axis=None)[::-1]
    mass = np.exp(ordered - ordered[0]).cumsum()
    return float(ordered[np.searchsorted(mass, share * mass[-1])])


def contour(logs: NDArray[np.float64], level: float, thickness: float = 1.4) -> NDArray[np.float64]:
    """Coverage of the line where ``logs`` is ``level``: distance is the height over the slope."""
    down, across = np.gradient(logs)
    distance = np.abs(logs - level) / np.maximum(np.hypot(down, across), 1e-9)
    return np.asarray(np.clip(thickness / 2 + 0.5 - distance, 0, 1))


def splat(
    points: NDArray[np.float64], xs: Range, ys: Range, width: int, height: int, radius: float
) -> NDArray[np.float64]:
    """How many points, as smooth dots of about ``radius`` pixels, cover every pixel."""
    px = (points[:, 0] - xs[0]) / (xs[1] - xs[0]) * width - 0.5
    py = (ys[1] - points[:, 1]) / (ys[1] - ys[0]) * height - 0.5
    inside = (px > -1) & (px < width) & (py > -1) & (py < height)
    px, py = px[inside], py[inside]
    left, top = np.floor(px).astype(np.int64), np.floor(py).astype(np.int64)
    fx, fy = px - left, py - top
    padded = np.zeros((height + 2) * (width + 2))
    for dx, dy, weight in (
        (0, 0, (1 - fx) * (1 - fy)),
        (1, 0, fx * (1 - fy)),
        (0, 1, (1 - fx) * fy),
        (1, 1, fx * fy),
    ):
        place = (top + dy + 1) * (width + 2) + left + dx + 1
        padded += np.bincount(place, weights=weight, minlength=len(padded))
    count = padded.reshape(height + 2, width + 2)[1:-1, 1:-1].astype(np.float32)
    reach = max(1, round(2 * radius))
    kernel = np.exp(-((np.arange(-reach, reach + 1) / radius) ** 2)).tolist()
    for axis in (0, 1):
        wide = np.pad(count, [(reach, reach) if a == axis else (0, 0) for a in (0, 1)])
        size = count.shape[axis]
        count = sum(
            weight * (wide[i : i + size] if axis == 0 else wide[:, i : i + size])
            for i, weight in enumerate(kernel)
        )
    return np.asarray(count)


def dots(picture: Pixels, count: NDArray[np.float64], hue: str, opacity: float = 0.8) -> None:
    """Points laid over a picture; where many fall together they glow."""
    over(picture, opacity * (1 - np.exp(-1.6 * count)), hue)
    over(picture, 0.75 * (1 - np.exp(-np.maximum(count - 2, 0) / 12)), GLOW)


def ring(picture: Pixels, x: float, y: float, radius: float, hue: str, thickness: float) -> None:
    """A circle's outline about pixel (x, y)."""
    height, width, _ = picture.shape
    reach = int(radius + thickness + 2)
    top, left = max(int(y) - reach, 0), max(int(x) - reach, 0)
    rows, columns = np.ogrid[
        top : max(min(int(y) + reach + 1, height), top),
        left : max(min(int(x) + reach + 1, width), left),
    ]
    distance = np.abs(np.hypot(rows - y, columns - x) - radius)
    cover = np.clip(thickness / 2 + 0.5 - distance, 0, 1)
    over(picture[top : top + cover.shape[0], left : left + cover.shape[1]], cover, hue)


def bars(heights: NDArray[np.float64], width: int, height: int) -> NDArray[np.float64]:
    """Coverage of bars side by side, ``heights`` in pixels, with a thin gap where there is room."""
    which = np.minimum((np.arange(width) * len(heights)) // width, len(heights) - 1)
    columns = heights[which]
    if width >= 4 * len(heights):
        columns = np.where(np.diff(which, prepend=-1) != 0, 0.0, columns)
    rows = np.arange(height)[::-1, None]
    return np.asarray(np.clip(columns[None, :] - rows, 0, 1))


def curve(
    ys: NDArray[np.float64], width: int, height: int, thickness: float = 1.8
) -> NDArray[np.float64]:
    """Coverage of a line through equally spaced ``ys``, pixels from the bottom."""
    scale = 3
    mask = Image.new("L", (width * scale, height * scale), 0)
    xs = (np.arange(len(ys)) + 0.5) * width * scale / len(ys)
    tall = (height - np.clip(ys, -2, height + 4)) * scale
    ImageDraw.Draw(mask).line(
        list(zip(xs.tolist(), tall.tolist(), strict=True)),
        fill=255,
        width=round(thickness * scale),
        joint="curve",
    )
    return np.asarray(mask.reduce(scale), np.float64) / 255


Tick = tuple[float, str]
"""A place at unit size and the number there in the data's own units."""


def ticks(span: Range, most: int, axis: Axis = AS_IT_IS) -> list[Tick]:
    """At most ``most`` round numbers of an axis inside a range."""
    low, high = (axis.own(end) for end in span)
    rough = max(high - low, 1e-300) / max(most, 1)
    power = 10.0 ** np.floor(np.log10(rough))
    step = next((m * power for m in (1, 2, 5, 10) if m * power >= rough), 10 * power)
    first = int(np.ceil(low / step - 1e-9))
    last = int(np.floor(high / step + 1e-9))
    values = [float(i * step) for i in range(first, last + 1)]
    return [(axis.unit(value), tick_text(value, high - low)) for value in values]


def tick_text(value: float, span: float) -> str:
    """A number as text, with as many digits as a range ``span`` wide calls for."""
    places = int(np.ceil(-np.log10(span))) + 1
    if span > 1e6 or places > 9:
        digits = max(int(np.floor(np.log10(max(abs(value), span)))) + places, 0)
        mantissa, _, exponent = f"{value:.{min(digits, 16)}e}".partition("e")
        return f"{_trimmed(mantissa)}e{int(exponent)}" if float(mantissa) else "0"
    return _trimmed(f"{value:.{max(places, 0)}f}")


def _trimmed(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text

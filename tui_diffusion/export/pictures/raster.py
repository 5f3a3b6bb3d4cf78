"""Smooth coverage of points, densities and curves.

A coverage is an array (height, width) of bytes: the opacity of a colour at every pixel. It is
computed from distances, so edges are smooth without oversampling.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ...core.arrays import Floats, Range
from ...core.mixtures import GaussianMixture
from ...core.rounding import rounded

Coverage = NDArray[np.uint8]
Singles = NDArray[np.float32]

_FINE = 3
"""Oversampling factor of lines."""

_BLUR = 0.6
"""Blur of a density in pixels, so that no peak is missed."""


def covered(share: NDArray[np.floating]) -> Coverage:
    """Convert shares from 0 to 1 to bytes."""
    return (share * 255 + 0.5).astype(np.uint8)


def middles(span: Range, count: int) -> Floats:
    """Return the centres of ``count`` pixels over a range."""
    return np.asarray(span[0] + (np.arange(count) + 0.5) * (span[1] - span[0]) / count)


def pixel_density(truth: GaussianMixture, xs: Range, ys: Range, width: int, height: int) -> Singles:
    """Return p over its maximum at every pixel, top row first, blurred so that no peak is missed.

    A round component has one width for both axes, so that the density is a product of two thin
    matrices.
    """
    # Coordinates are in pixels, so that single precision suffices at any scale of the data.
    pixel = (xs[1] - xs[0]) / width
    blur = _BLUR
    if truth.ellipses is not None:  # in rows of round components, off by 3e-4 of a peak
        truth, blur = rounded(truth.noised(1.0, blur * pixel), 1.5, 4.0, most=8192), 0.0
    means, stds, weights = (t.cpu().numpy() for t in (truth.means, truth.stds, truth.weights))
    spread = np.sqrt((stds / pixel) ** 2 + blur**2)[:, None]
    heights = weights[:, None] / spread**2
    across = (middles(xs, width) - means[:, :1]) / pixel / spread
    down = (middles(ys, height)[::-1] - means[:, 1:]) / pixel / spread
    with np.errstate(under="ignore"):
        gx = (np.exp(-(across**2) / 2) * (heights / heights.max())).astype(np.float32)
        gy = np.exp(-(down**2) / 2).astype(np.float32)
        p = gy.T @ gx
    return np.asarray(p / max(float(p.max()), 1e-30))


def stretched(values: Floats, top: float | None, width: int, height: int) -> Singles:
    """Return values of a grid over ``top`` (None: the largest) at every pixel, from 0 to 1."""
    most = max(float(values.max(initial=0.0)) if top is None else top, 1e-30)
    image = Image.fromarray((values / most).astype(np.float32))
    pixels = np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))
    return np.asarray(np.clip(pixels, 0, 1))


def contour_density(p: NDArray[np.floating], share: float) -> float:
    """Return the density above which ``share`` of the probability lies."""
    some = p[::2, ::2] if p.size > 40_000 else p
    ordered = np.sort(some[some > 1e-6 * some.max()])[::-1]
    mass = ordered.cumsum(dtype=np.float64)
    return float(ordered[np.searchsorted(mass, share * mass[-1])])


def contour_coverage(p: Singles, level: float, steepest: float, thickness: float) -> Coverage:
    """Return the coverage of the contour p = ``level``.

    The distance to the contour is the height of log p over its slope. ``steepest`` bounds the
    change of log p from one pixel to the next near the contour.
    """
    height, width = p.shape
    out = np.zeros(p.size, np.float32)
    far = float(np.exp(min((thickness / 2 + 0.5) * steepest * 1.5, 12.0)))
    near = np.flatnonzero((p > level / far) & (p < level * far))
    rows, columns = np.divmod(near, width)
    flat = p.ravel()

    def log(r: NDArray[np.intp], c: NDArray[np.intp]) -> Singles:
        return np.asarray(np.log(flat[r * width + c] + np.float32(1e-37)))

    below, above = np.minimum(rows + 1, height - 1), np.maximum(rows - 1, 0)
    right, left = np.minimum(columns + 1, width - 1), np.maximum(columns - 1, 0)
    down = (log(below, columns) - log(above, columns)) / np.maximum(below - above, 1)
    across = (log(rows, right) - log(rows, left)) / np.maximum(right - left, 1)
    height_over = np.abs(log(rows, columns) - np.float32(np.log(level)))
    distance = height_over / np.maximum(np.hypot(down, across), 1e-9)
    out[near] = np.clip(thickness / 2 + 0.5 - distance, 0, 1)
    return covered(out.reshape(height, width))


def splat(points: Floats, xs: Range, ys: Range, width: int, height: int, radius: float) -> Singles:
    """Return how many points, as smooth dots of about ``radius`` pixels, cover every pixel."""
    count, at = _impulses(points, xs, ys, width, height)
    reach = max(1, round(2 * radius))
    kernel = np.exp(-((np.arange(reach + 1) / radius) ** 2)).tolist()
    around = _around(at, reach)
    count[around] = _blurred(_blurred(count[around], kernel).T, kernel).T
    return count


def stamped(
    points: Floats, xs: Range, ys: Range, width: int, height: int, stamp: Singles
) -> Singles:
    """Return how many points, each with the coverage ``stamp`` (k, k), cover every pixel."""
    count, at = _impulses(points, xs, ys, width, height)
    reach = len(stamp) // 2
    around = _around(at, reach)
    part = count[around]
    padded = np.pad(part, reach)
    out = np.zeros_like(part)
    for row, column in np.argwhere(stamp > 0):
        down, right = 2 * reach - row, 2 * reach - column
        out += stamp[row, column] * padded[down : down + len(part), right : right + part.shape[1]]
    count[around] = out
    return count


def _impulses(
    points: Floats, xs: Range, ys: Range, width: int, height: int
) -> tuple[Singles, tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Return the points at every pixel, and rows and columns of those that are inside."""
    px = (points[:, 0] - xs[0]) / (xs[1] - xs[0]) * width - 0.5
    py = (ys[1] - points[:, 1]) / (ys[1] - ys[0]) * height - 0.5
    inside = (px > -1) & (px < width) & (py > -1) & (py < height)
    px, py = px[inside], py[inside]
    left, top = np.floor(px).astype(np.int64), np.floor(py).astype(np.int64)
    fx, fy = px - left, py - top
    # Each point spreads its weight over four pixels; those outside are cropped later.
    position = (top + 1) * (width + 2) + left + 1
    positions = np.concatenate([position, position + 1, position + width + 2, position + width + 3])
    weights = np.concatenate([(1 - fx) * (1 - fy), fx * (1 - fy), (1 - fx) * fy, fx * fy])
    padded = np.bincount(positions, weights, minlength=(height + 2) * (width + 2))
    count = padded.reshape(height + 2, width + 2)[1:-1, 1:-1].astype(np.float32)
    return count, (top, left)


def _around(at: tuple[NDArray[np.int64], NDArray[np.int64]], reach: int) -> tuple[slice, slice]:
    """Return the area around the points, which is often a small part of a picture."""
    rows, columns = (
        slice(max(int(of.min(initial=0)) - reach - 1, 0), int(of.max(initial=0)) + reach + 3)
        for of in at
    )
    return rows, columns


def _blurred(count: Singles, kernel: list[float]) -> Singles:
    """Blur every row with the weights of distance 0, 1, …"""
    out = count * np.float32(kernel[0])
    for away, weight in enumerate(kernel[1:], 1):
        if away < len(count):
            part = count * np.float32(weight)
            out[away:] += part[:-away]
            out[:-away] += part[away:]
    return out


def ring(width: int, height: int, x: float, y: float, radius: float, thickness: float) -> Coverage:
    """Return the coverage of a circle's outline about pixel (x, y) of a small picture."""
    rows, columns = np.ogrid[:height, :width]
    distance = np.abs(np.hypot(rows - y, columns - x) - radius)
    return covered(np.clip(thickness / 2 + 0.5 - distance, 0, 1))


def bars(heights: Floats, width: int, height: int) -> Coverage:
    """Return the coverage of adjacent bars, ``heights`` in pixels, with a thin gap if it fits."""
    which = np.minimum((np.arange(width) * len(heights)) // width, len(heights) - 1)
    columns = heights[which]
    if width >= 4 * len(heights):
        columns = np.where(np.diff(which, prepend=-1) != 0, 0.0, columns)
    rows = np.arange(height)[::-1, None]
    return covered(np.clip(columns[None, :] - rows, 0, 1))


def strokes(lines: Sequence[Floats], width: int, height: int, thickness: float) -> Coverage:
    """Return the coverage of lines (m, 2) in pixels; a vertex that is not finite is a gap."""
    mask = Image.new("L", (width * _FINE, height * _FINE), 0)
    ink, wide = ImageDraw.Draw(mask), max(1, round(thickness * _FINE))
    for line in lines:
        for part in parts(line):
            positions = np.clip(part, -4 * width, 4 * max(width, height)) * _FINE
            ink.line([*map(tuple, positions.tolist())], fill=255, width=wide, joint="curve")
    return np.asarray(mask.reduce(_FINE))


def parts(line: Floats) -> list[Floats]:
    """Split a line (m, 2) at its gaps into parts of two vertices or more."""
    bad = np.flatnonzero(~np.isfinite(line).all(1))
    pieces = np.split(line, bad)
    stretches = [piece[~np.isnan(piece).any(1) & np.isfinite(piece).all(1)] for piece in pieces]
    return [piece for piece in stretches if len(piece) > 1]


def dashes(line: Floats, on: float, off: float) -> list[Floats]:
    """Cut a line (m, 2) into dashes, by arc length."""
    dash_lines = []
    for part in parts(line):
        length = np.concatenate([[0], np.hypot(*np.diff(part, axis=0).T).cumsum()])
        for begin in np.arange(0, length[-1], on + off):
            end = min(begin + on, length[-1])
            inner = part[(length > begin) & (length < end)]
            ends = [
                [np.interp(at, length, part[:, axis]) for axis in (0, 1)] for at in (begin, end)
            ]
            dash_lines.append(np.concatenate([ends[:1], inner, ends[1:]]))
    return dash_lines


def log_density(
    truth: GaussianMixture, xs: Range, ys: Range, width: int, height: int
) -> NDArray[np.float64]:
    """Return log p at every pixel up to a constant, top row first."""
    return np.log(pixel_density(truth, xs, ys, width, height).astype(np.float64) + 1e-300)


def contour_level(logs: NDArray[np.float64], share: float = 0.95) -> float:
    """Return the log density above which ``share`` of the probability lies."""
    peak = float(logs.max())
    return peak + float(np.log(contour_density(np.exp(logs - peak), share)))


def contour_lines(field: NDArray[np.float64], level: float) -> Floats:
    """Return line segments (n, 2, 2) of the contour at ``level`` of a field at pixel centres.

    Marching triangles: every square of four neighbours is cut in two, so no case is ambiguous.
    """
    height, width = field.shape
    rows, columns = np.mgrid[:height, :width]
    corners = np.stack([columns + 0.5, rows + 0.5, field - level], -1)
    above = field > level
    inside = above[:-1, :-1] & above[:-1, 1:] & above[1:, :-1] & above[1:, 1:]
    touched = above[:-1, :-1] | above[:-1, 1:] | above[1:, :-1] | above[1:, 1:]
    here = touched & ~inside
    a, b = corners[:-1, :-1][here], corners[:-1, 1:][here]
    c, d = corners[1:, :-1][here], corners[1:, 1:][here]
    triangles = np.concatenate([np.stack([a, b, c], 1), np.stack([d, c, b], 1)])
    higher = triangles[:, :, 2] > 0
    crossed = triangles[higher.any(1) & ~higher.all(1)]
    higher = crossed[:, :, 2] > 0
    # Two segments end at the corner that lies alone on its side of the contour.
    alone = np.where(higher.sum(1) == 1, higher.argmax(1), (~higher).argmax(1))
    index = np.arange(len(crossed))
    tip = crossed[index, alone]
    ends = []
    for turn in (1, 2):
        other = crossed[index, (alone + turn) % 3]
        share = (tip[:, 2] / (tip[:, 2] - other[:, 2]))[:, None]
        ends.append(tip[:, :2] + share * (other[:, :2] - tip[:, :2]))
    return np.stack(ends, 1)

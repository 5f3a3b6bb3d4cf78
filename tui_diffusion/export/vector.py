"""The levels of a denoising as SVG: points, the exact density's contour or pdf, axes and labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

from ..core.axes import Axis
from . import raster
from .exhibit import Film, Floats, Scene
from .frames import (
    MARKED_MODES,
    Box,
    Progress,
    grid_columns,
    grid_size,
    histogram,
    mean_density,
    tallest,
    window,
)
from .raster import DIM, GROUND, LINE, MAKERS, MARK, PANEL, TEXT, TRUTH, Range

_MOST_POINTS = 2000
"""Points a panel; more would make a file of many megabytes and look the same."""

_SHARES = (0.95, 0.5)
"""Shares of the truth inside each contour."""


def write_svg(film: Film, file: Path, size: tuple[int, int] | None, progress: Progress) -> None:
    """Levels from noise to clean in reading order, drawn to ``size`` or to their own."""
    levels = film.chosen(12)
    width, height = grid_size(film)
    columns = grid_columns(len(levels), film.dim)
    rows = -(-len(levels) // columns)
    pad, gap, top = 18, 14, 66
    across = (width - 2 * pad - (columns - 1) * gap) / columns
    down = (height - top - pad - (rows - 1) * gap) / rows
    shown = size or (width, height)
    hue = MAKERS[film.exhibit.maker]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{shown[0]}" height="{shown[1]}" '
        f'viewBox="0 0 {width} {height}" font-family="system-ui, sans-serif">',
        f'<rect width="{width}" height="{height}" fill="{GROUND}"/>',
        _text(pad, 32, film.exhibit.title, TEXT, 20),
        _text(pad, 52, film.exhibit.maker, hue, 13),
        _text(pad + 7 * len(film.exhibit.maker) + 14, 52, "exact density", TRUTH, 13),
    ]
    draw = _line if film.dim == 1 else _plane
    for place, level in enumerate(levels):
        row, column = divmod(place, columns)
        left, upper = pad + column * (across + gap), top + row * (down + gap)
        scene = film.scene(float(level))
        parts.append(_text(left, upper + 14, f"level {level}/{film.levels}", TEXT, 13))
        parts.append(_text(left + across, upper + 14, scene.words, DIM, 11, "end"))
        wide, tall = round(across), round(down) - 36
        if film.dim == 2:  # both axes to one scale
            wide = tall = min(wide, tall)
        inner = Box(round(left), round(upper) + 20, wide, tall)
        parts.append(f'<svg x="{inner.left}" y="{inner.top}" width="{inner.width}" ')
        parts[-1] += f'height="{inner.height}">'
        parts += draw(film, scene, inner.width, inner.height)
        parts.append("</svg>")
        parts += _ticks(film, scene, inner)
        progress(place + 1, len(levels))
    parts.append("</svg>\n")
    file.write_text("\n".join(parts), "utf-8")


def _text(x: float, y: float, words: str, hue: str, size: int, anchor: str = "start") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{hue}" font-size="{size}" '
        f'text-anchor="{anchor}">{escape(words)}</text>'
    )


def _spans(film: Film, scene: Scene) -> tuple[Range, Range | None]:
    """What a panel shows across and, in the plane, up."""
    if film.dim == 1:
        return window(film, scene, True), None
    centre, half = film.view(scene)
    return (centre[0] - half, centre[0] + half), (centre[1] - half, centre[1] + half)


def _ticks(film: Film, scene: Scene, box: Box) -> list[str]:
    xs, ys = _spans(film, scene)
    parts = []
    for x, words in raster.ticks(xs, max(3, round(box.width / 56)), film.axes[0]):
        at = box.left + (x - xs[0]) / (xs[1] - xs[0]) * box.width
        if box.left + 10 <= at <= box.right - 10:
            parts.append(_text(at, box.bottom + 13, words, DIM, 11, "middle"))
    if ys is not None:
        for y, words in raster.ticks(ys, max(3, round(box.height / 56)), film.axes[1]):
            at = box.bottom - (y - ys[0]) / (ys[1] - ys[0]) * box.height
            if box.top + 12 <= at <= box.bottom - 8:
                parts.append(_text(box.left + 4, at + 4, words, DIM, 11))
    return parts


def _plane(film: Film, scene: Scene, width: int, height: int) -> list[str]:
    xs, ys = _spans(film, scene)
    assert ys is not None
    parts = [f'<rect width="{width}" height="{height}" fill="{PANEL}"/>']
    parts.append(_grid((xs, ys), film.axes, width, height))
    # Small spikes need finer cells than the panel's pixels for their contours to be round.
    narrow = float(scene.truth.stds.min()) < 4 * (xs[1] - xs[0]) / width
    fine = 1 if not narrow else 4 if scene.truth.modes <= MARKED_MODES else 2
    logs = raster.log_density(scene.truth, xs, ys, fine * width, fine * height)
    for share, fill in zip(_SHARES, (0.12, 0.25), strict=True):
        lines = contour_lines(logs, raster.contour_level(logs, share)) / fine
        path = "".join(
            f"M{a:.4g} {b:.4g}L{c:.4g} {d:.4g}" for a, b, c, d in lines.reshape(-1, 4).tolist()
        )
        parts.append(
            f'<path d="{path}" stroke="{TRUTH}" stroke-width="1.2" stroke-linecap="round" '
            f'opacity="{0.3 + 5 * (0.25 - fill):.2f}" fill="none"/>'
        )
    points = _to_pixels(scene.points[:_MOST_POINTS], xs, ys, width, height)
    path = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in points.tolist())
    parts.append(
        f'<path d="{path}" stroke="{MAKERS[film.exhibit.maker]}" stroke-width="2.4" '
        'stroke-linecap="round" stroke-opacity="0.75"/>'
    )
    if scene.truth.modes <= MARKED_MODES:
        modes = _to_pixels(scene.truth.means.numpy(), xs, ys, width, height)
        parts += [
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6" stroke="{MARK}" fill="none"/>'
            for x, y in modes.tolist()
        ]
    return parts


def _line(film: Film, scene: Scene, width: int, height: int) -> list[str]:
    xs, _ = _spans(film, scene)
    pdf = mean_density(scene.truth, xs, width)
    bins = max(10, round(width / 6))
    heights = histogram(scene.points, xs, bins)
    top = tallest(pdf, heights)
    each = width / bins
    tops = height * (1 - np.minimum(heights / top, 1.01))
    bars = "".join(
        f"M{i * each:.2f} {height}V{tall:.2f}h{each - 1:.2f}V{height}"
        for i, tall in enumerate(tops.tolist())
        if heights[i]
    )
    line = "L".join(
        f"{i + 0.5:.1f} {height * (1 - value / top):.2f}" for i, value in enumerate(pdf.tolist())
    )
    hue, axis = MAKERS[film.exhibit.maker], film.axes[0]
    return [
        f'<rect width="{width}" height="{height}" fill="{PANEL}"/>',
        _grid((xs, (0.0, top)), (axis, axis.densities), width, height),
        f'<path d="{bars}" fill="{hue}" fill-opacity="0.8"/>',
        f'<path d="M{line}" stroke="{TRUTH}" stroke-width="2" fill="none"/>',
    ]


def _grid(spans: tuple[Range, Range], axes: Sequence[Axis], width: int, height: int) -> str:
    xs, ys = spans
    path = [
        f"M{(x - xs[0]) / (xs[1] - xs[0]) * width:.1f} 0V{height}"
        for x, _ in raster.ticks(xs, max(3, round(width / 56)), axes[0])
    ]
    path += [
        f"M0 {(ys[1] - y) / (ys[1] - ys[0]) * height:.1f}H{width}"
        for y, _ in raster.ticks(ys, max(3, round(height / 56)), axes[1])
    ]
    return f'<path d="{"".join(path)}" stroke="{LINE}" stroke-opacity="0.6"/>'


def _to_pixels(points: Floats, xs: Range, ys: Range, width: int, height: int) -> Floats:
    across = (points[:, 0] - xs[0]) / (xs[1] - xs[0]) * width
    down = (ys[1] - points[:, 1]) / (ys[1] - ys[0]) * height
    return np.stack([across, down], 1)


def contour_lines(field: NDArray[np.float64], level: float) -> Floats:
    """Straight pieces (n, 2, 2) of the line where a field, given at pixel centres, is ``level``.

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
    # The corner that is alone on its side, with a line to each of the other two.
    alone = np.where(higher.sum(1) == 1, higher.argmax(1), (~higher).argmax(1))
    index = np.arange(len(crossed))
    tip = crossed[index, alone]
    ends = []
    for turn in (1, 2):
        other = crossed[index, (alone + turn) % 3]
        share = (tip[:, 2] / (tip[:, 2] - other[:, 2]))[:, None]
        ends.append(tip[:, :2] + share * (other[:, :2] - tip[:, :2]))
    return np.stack(ends, 1)

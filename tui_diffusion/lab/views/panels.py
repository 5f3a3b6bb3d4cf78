"""Drawing of any view in the terminal, from the panels of its exported picture.

A new view thus needs no code for the terminal. As a cell shows one thing, a panel is drawn either
as a shaded density, or as dots and lines without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np
from textual.strip import Strip

from ...core.arrays import Floats, Range
from ...core.mixtures import GaussianMixture
from ...core.numbered_text import NamedNumber, NumberedText
from ...export.groups import Groups
from ...export.pictures.figure import (
    Arrows,
    Band,
    Bars,
    Contour,
    Curves,
    Dots,
    HeatMap,
    PicturePanel,
    Rings,
    Sample,
    Shade,
    ShadeGrid,
)
from ...export.pictures.figure import Layer as Shape
from ...export.pictures.panels import INSIDE
from ...export.pictures.views import panels_of
from ...interface.glyphs import Glyphs
from ..drawing.dots import (
    DotLayer,
    Mark,
    arrows,
    bin_paths,
    bin_points,
    braille,
    count_points,
    point_cells,
    shade,
)
from ..drawing.figure import LegendEntry
from ..drawing.grouped import group_layers, plain, points_legend
from ..drawing.palette import Palette
from ..drawing.plot import plot_frame
from ..drawing.strips import place
from ..sampling.measured_trajectory import MeasuredTrajectory
from .area import square_axes
from .exact import FAINTEST, contour_dots, exact_grid
from .exported import exported
from .shade_grids import SIGNS, grid_cells, toned
from .side_by_side import beside
from .view_state import ViewState

_SAMPLES: dict[Sample, str] = {
    "dot": "•",
    "line": "─",
    "dashes": "╌",
    "ring": "○",
    "block": "▇",
    "arrow": "→",
}
_ROLES = {"data": "start", "faint": "grid", "shade": "truth", "density": "truth"}
"""Terminal roles of the picture roles that have a different name."""

_SEVERAL_FROM = 50
"""Number of columns from which several panels fit side by side."""


def panels(
    trajectory: MeasuredTrajectory,
    view_state: ViewState,
    width: int,
    height: int,
    palette: Palette,
    glyphs: Glyphs,
) -> list[Strip]:
    """Draw the panels of a view side by side, or only the first if the exact ones are hidden."""
    source = exported(trajectory)
    scene = source.scene(view_state.position, 2 ** (-view_state.zoom / 2))
    shown = panels_of(source, scene, view_state.view)
    if not view_state.truth or width < _SEVERAL_FROM:
        shown = shown[:1]
    edges = [width * k // len(shown) for k in range(len(shown) + 1)]
    drawn = [
        _panel(panel, right - left, height, palette, glyphs)
        for panel, left, right in zip(shown, edges, edges[1:], strict=False)
    ]
    return reduce(beside, drawn)


def _panel(
    panel: PicturePanel, width: int, height: int, palette: Palette, glyphs: Glyphs
) -> list[Strip]:
    named = {layer.label: layer for layer in panel.layers if layer.label}
    signs = plain(palette, glyphs)
    legend: tuple[LegendEntry, ...] = ()
    for label, x in named.items():
        groups = x.groups if isinstance(x, Dots) else None
        entry = _sample(x, signs), _numbered(label), _role(x)
        legend += tuple(points_legend(*entry, groups, signs))
    xs, ys = panel.xs, panel.ys
    if panel.square:
        half = (xs[1] - xs[0]) / 2
        middle = ((xs[0] + xs[1]) / 2, (ys[0] + ys[1]) / 2)
        ranges, lines, region = square_axes(
            middle, half, width, height, palette, glyphs, panel.axes, legend
        )
    else:
        ranges = xs, ys
        y_label = f"log10 {panel.title}" if panel.log_y else panel.y_label or panel.title
        lines, region = plot_frame(
            *ranges,
            width,
            height,
            palette,
            glyphs,
            x_label=panel.x_label,
            y_label=y_label,
            legend=legend,
            axes=panel.axes,
        )
    inner = _inside(panel.layers, ranges, (region.width, region.height), palette, glyphs)
    return place(lines, inner, region.x, region.y)


def _sample(shape: Shape, signs: bool) -> str:
    """Return the sample of a shape in the legend; a tone without colours is a sign."""
    tone = isinstance(shape, Shade) and isinstance(shape.of, ShadeGrid)
    return SIGNS.get(shape.role, "▇") if tone and signs else _SAMPLES[shape.sample]


def _numbered(label: str) -> NumberedText:
    """Return a label, with the share inside the contour as a number."""
    share, of, rest = label.partition(" of ")
    return (NamedNumber("of truth", share), of + rest) if label == INSIDE else label


def _inside(
    shapes: Sequence[Shape],
    ranges: tuple[Range, Range],
    size: tuple[int, int],
    palette: Palette,
    glyphs: Glyphs,
) -> list[Strip]:
    """Draw the shapes of a panel, later ones over earlier ones."""
    if not size[0] or not size[1]:
        return []
    layers: list[DotLayer] = []
    marks: list[Mark] = []
    ground: Floats | None = None
    signs = plain(palette, glyphs)
    for shape in shapes:
        role = _role(shape)
        match shape:
            case Shade(of=ShadeGrid() as values, role="shade"):
                ground = grid_cells(values, ranges, (size[0], 2 * size[1]))
                ground[ground < FAINTEST * ground.max(initial=0.0)] = 0.0
            case Shade(of=ShadeGrid() as values):
                layer, tone_signs = toned(values, role, ranges, size)
                if signs:
                    marks += tone_signs
                else:
                    layers.append(layer)
            case Shade():
                of = shape.of
                if isinstance(of, GaussianMixture):
                    ground = exact_grid(of, ranges, size)
                elif not isinstance(of, ShadeGrid):
                    ground = count_points(of, *ranges, *size).astype(np.float64)
            case Contour(truth=truth):
                layers.append(DotLayer(contour_dots(truth, ranges, size), role))
            case Dots(points=points, groups=Groups() as groups):
                layers += group_layers(points, groups, ranges, size, signs)
            case Dots(points=points):
                layers.append(DotLayer(bin_points(points, *ranges, *size), role))
            case Rings(positions=positions):
                cells = point_cells(positions, *ranges, *size)
                marks += [Mark(*cell, "○", role) for cell in cells if cell is not None]
            case Arrows():
                marks += _arrows(shape, role, ranges, size, glyphs)
            case HeatMap():
                pass  # the lab draws sweeps as text
            case _:
                dots = bin_paths(_lines(shape), *ranges, *size)
                if isinstance(shape, Curves) and shape.dashed:
                    dots[:, np.arange(dots.shape[1]) % 6 >= 4] = False
                layers.append(DotLayer(dots, role))
    if ground is not None and all(isinstance(shape, Shade | Contour | Rings) for shape in shapes):
        return shade(ground, *size, palette, glyphs)
    return braille(layers[::-1], marks, *size, palette, glyphs)


def _lines(shape: Curves | Bars | Band) -> Floats:
    """Return the lines (k, m, 2) of curves, or the outline of bars or of a band."""
    match shape:
        case Curves(lines=lines):
            return lines
        case Band(xs=xs, lows=lows, highs=highs):
            return np.stack([np.stack([xs, ys], -1) for ys in (lows, highs)])
        case Bars(edges=edges, heights=heights):
            xs = np.repeat(edges, 2)
            return np.stack([xs, np.concatenate([[0.0], np.repeat(heights, 2), [0.0]])], -1)[None]


def _arrows(
    shape: Arrows, role: str, ranges: tuple[Range, Range], size: tuple[int, int], glyphs: Glyphs
) -> list[Mark]:
    """Return a mark at the middle of every arrow, pointing along it."""
    cells = point_cells(shape.positions + shape.vectors / 2, *ranges, *size)
    return [
        mark
        for cell, vector in zip(cells, shape.vectors, strict=True)
        if cell is not None
        for mark in arrows(vector[None, None], np.array(cell[:1]), np.array(cell[1:]), role, glyphs)
    ]


def _role(shape: Shape) -> str:
    return _ROLES.get(shape.role, shape.role)

"""Views of points in the plane, with one scale for both axes: the points beside the truth.

The scale is that of unit size, so that file columns in different units are both visible; the axes
show their own units.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from textual.geometry import Region
from textual.strip import Strip

from ...core.arrays import Floats, Range
from ...core.axes import Axis
from ...core.config.data_section import DataConfig
from ...core.interpolation import interpolate
from ...core.numbered_text import NamedNumber
from ...core.schedules import Schedule
from ...core.trajectory_view import (
    CONTOUR_RADIUS,
    CONTOUR_SHARE,
    MARKED_MODES,
    about_modes,
    path_to,
)
from ...interface.glyphs import Glyphs
from ..drawing.dots import (
    BRAILLE_BITS,
    DotGrid,
    DotLayer,
    Mark,
    arrows,
    bin_paths,
    bin_points,
    braille,
    circle,
    codes_of,
    count_points,
    equal_ranges,
    grid_places,
    outline,
    point_cells,
    shade,
)
from ..drawing.palette import Palette
from ..drawing.plot import LegendEntry, inner_size, plot_frame
from ..drawing.quivers import quiver, reference_length, spacing_of
from ..drawing.strips import place
from ..sampling.measured_trajectory import MeasuredTrajectory, truth_at
from .exact import cell_width, contour_dots, exact_grid, has_ring
from .side_by_side import beside
from .view_state import PATHS, ViewState, extent_of, role_of, source_name

_NO_ERROR = 1e-4
"""Share of the exact scores below which a difference is rounding and not drawn in full."""

_PAIR_FROM = 50
"""Number of columns from which the exact truth fits beside the points."""


OF_PLANE = (
    *("scatter", "close-up", "density", "paths", "score field", "score error"),
    "clean estimate",
)
"""Views that `draw_plane` draws."""


@dataclass(frozen=True)
class _Area:
    """The inside of the axes: its part of the plane, its size in cells, and its appearance."""

    ranges: tuple[Range, Range]
    size: tuple[int, int]
    palette: Palette
    glyphs: Glyphs

    def bins(self, points: ArrayLike) -> DotGrid:
        """Return the dots of points (n, 2)."""
        return bin_points(points, *self.ranges, *self.size)

    def paths(self, lanes: ArrayLike) -> DotGrid:
        """Return the dots of paths (n, steps, 2)."""
        return bin_paths(lanes, *self.ranges, *self.size)

    def followed(self, point: ArrayLike) -> list[Mark]:
        """Return the mark of the followed point, if it is inside."""
        cells = point_cells(point, *self.ranges, *self.size)
        return [Mark(*cell, "◆", "mark") for cell in cells if cell is not None]

    def draw(self, layers: Sequence[DotLayer], marks: Sequence[Mark] = ()) -> list[Strip]:
        """Draw layers, and marks over them."""
        return braille(layers, marks, *self.size, self.palette, self.glyphs)

    def points(self, points: ArrayLike, role: str) -> list[Strip]:
        """Draw points (n, 2)."""
        return self.draw([DotLayer(self.bins(points), role)])

    def shade(self, values: NDArray[Any]) -> list[Strip]:
        """Draw a density (2·height, width)."""
        return shade(values, *self.size, self.palette, self.glyphs)

    def density(self, points: ArrayLike) -> list[Strip]:
        """Draw the density of points (n, 2)."""
        return self.shade(count_points(points, *self.ranges, *self.size))


def draw_plane(
    trajectory: MeasuredTrajectory,
    view_state: ViewState,
    width: int,
    height: int,
    palette: Palette,
    glyphs: Glyphs,
) -> list[Strip]:
    """Draw a view of the points and, if it fits, the exact truth beside it.

    Both axes have one scale, which is the same at every level except in the close-up.
    """
    if not view_state.truth or view_state.view == "close-up" or width < _PAIR_FROM:
        return _seen(trajectory, view_state, width, height, palette, glyphs)
    left = (width + 1) // 2
    return beside(
        _seen(trajectory, view_state, left, height, palette, glyphs),
        _true(trajectory, view_state, width - left, height, palette, glyphs),
    )


def _seen(
    trajectory: MeasuredTrajectory,
    view_state: ViewState,
    width: int,
    height: int,
    palette: Palette,
    glyphs: Glyphs,
) -> list[Strip]:
    """Draw the result of the network, or of the process that replaces it."""
    role = role_of(trajectory)
    level = min(view_state.level, trajectory.levels - 1)
    area, lines, region = _framed(trajectory, view_state, width, height, palette, glyphs)
    match view_state.view:
        case "density":
            inner = area.density(trajectory.at(view_state.position))
        case "paths":
            inner = _path_dots(trajectory.x, view_state, role, area)
        case "score field" | "score error":
            inner = _arrows(trajectory, level, role, area, view_state.view)
        case "clean estimate":
            inner = area.points(trajectory.x0_hat(level), role)
        case _:
            inner = _points(trajectory, view_state, area)
    return place(lines, inner, region.x, region.y)


def _true(
    trajectory: MeasuredTrajectory,
    view_state: ViewState,
    width: int,
    height: int,
    palette: Palette,
    glyphs: Glyphs,
) -> list[Strip]:
    """Draw the exact counterpart of the view."""
    level = min(view_state.level, trajectory.levels - 1)
    names = {
        "paths": ("─", "ideal denoiser", "ideal"),
        "score field": ("⇒", "exact score", "truth"),
        "score error": ("⇒", "exact score", "truth"),
        "clean estimate": ("•", f"ideal, from {trajectory.ideal_of} x", "ideal"),
    }
    usual = (
        ("•", "true data, noised", "start")
        if view_state.forward
        else ("▇", "exact density", "truth")
    )
    legend = [names.get(view_state.view, usual)]
    area, lines, region = _framed(trajectory, view_state, width, height, palette, glyphs, legend)
    match view_state.view:
        case "paths":
            inner = _path_dots(trajectory.ideal_x, view_state, "ideal", area)
        case "score field" | "score error":
            inner = _arrows(trajectory, level, "truth", area, "exact")
        case "clean estimate":
            inner = area.points(trajectory.ideal_x0(level), "ideal")
        case "scatter" if view_state.forward:
            inner = area.points(interpolate(trajectory.forward_x, view_state.position), "start")
        case "density" if view_state.forward:
            inner = area.density(interpolate(trajectory.forward_x, view_state.position))
        case _:
            inner = area.shade(_exact_grid(*_truth(trajectory, view_state), area.ranges, area.size))
    return place(lines, inner, region.x, region.y)


def _points(trajectory: MeasuredTrajectory, view_state: ViewState, area: _Area) -> list[Strip]:
    """Draw points, with the contour and the modes of the truth, and the tracked point."""
    points: NDArray[np.floating] = trajectory.at(view_state.position)
    if view_state.view == "close-up":
        points = about_modes(points, trajectory.truth(view_state.position))
    dots = area.bins(points)
    layers, marks = [DotLayer(dots, role_of(trajectory))], []
    if view_state.truth:
        ring = DotLayer(_ring(trajectory, view_state, area), "truth")
        marks = _mode_marks(trajectory, view_state, dots, area)
        if area.palette.colourless or area.glyphs == "ascii":
            marks = [*outline(ring, "+"), *marks]  # the dots alone would look like points
        else:
            # A cell shows the first layer with dots in it. The contour must be visible within a
            # cloud of points, but must not hide narrow components.
            here, there = (codes_of(shown, BRAILLE_BITS) > 0 for shown in (ring.dots, dots))
            layers.insert(int((here & there).sum() > there.sum() / 2), ring)
    if view_state.tracked is not None and view_state.tracked < len(points):
        marks += area.followed(points[view_state.tracked])
    return area.draw(layers, marks)


def _path_dots(
    x: NDArray[np.float32], view_state: ViewState, role: str, area: _Area
) -> list[Strip]:
    """Draw the paths of some points up to this level, and their current positions."""
    lanes = path_to(x[:, :PATHS], view_state.position).transpose(1, 0, 2)
    now = DotLayer(area.bins(lanes[:, -1]), role)
    faint = {"network": "path", "ideal": "ideal path"}.get(role, "axis")
    gone = DotLayer(area.paths(lanes), faint)
    layers, marks = [now, gone], list[Mark]()
    if view_state.tracked is not None and view_state.tracked < x.shape[1]:
        lane = path_to(x[:, view_state.tracked], view_state.position)[None]
        layers.insert(0, DotLayer(area.paths(lane), "mark"))
        marks = area.followed(lane[0, -1])
    return area.draw(layers, marks)


def _arrows(
    trajectory: MeasuredTrajectory, level: int, role: str, area: _Area, which: str
) -> list[Strip]:
    """Draw the exact score on a grid, the denoiser's, or the difference of the two.

    The length of an arrow is in proportion to the exact scores, that of a difference to the
    differences. Fonts without braille have characters that show the direction alone.
    """
    spacing = (2, 1) if area.glyphs != "braille" else spacing_of(area.size[0])
    xs, ys, positions = grid_places(*area.ranges, *area.size, spacing)
    points = torch.from_numpy(positions.reshape(-1, 2)).float()
    exact = trajectory.ask_ideal(points, level).score.double().numpy().reshape(positions.shape)
    vectors, full = exact, reference_length(exact)
    if which != "exact":
        vectors = trajectory.ask(points, level).score.double().numpy().reshape(positions.shape)
    if which == "score error":
        vectors = vectors - exact
        full = max(reference_length(vectors), _NO_ERROR * full)
    if area.glyphs != "braille":
        length = np.hypot(*np.moveaxis(vectors, -1, 0))
        vectors = np.where((length < full / 20)[..., None], 0.0, vectors)
        return area.draw([], arrows(vectors, xs, ys, role, area.glyphs))
    return area.draw([DotLayer(quiver(vectors, xs, ys, full, area.size), role)])


def _framed(
    trajectory: MeasuredTrajectory,
    view_state: ViewState,
    width: int,
    height: int,
    palette: Palette,
    glyphs: Glyphs,
    legend: Sequence[LegendEntry] | None = None,
) -> tuple[_Area, list[Strip], Region]:
    """Return the area inside the axes, the axes, and the region of the area."""
    middle, half = _window_2d(trajectory, view_state)
    across, up = trajectory.scaling.axes
    own = (across.differences, up.differences) if view_state.view == "close-up" else (across, up)
    axes = (middle, half, width, height, palette, glyphs, own)
    if legend is None:
        ranges, _, region = square_axes(*axes, ())
        legend = _plane_legend(
            trajectory, view_state, palette, glyphs, cell_width(ranges, region.width)
        )
    ranges, lines, region = square_axes(*axes, tuple(legend))
    return _Area(ranges, (region.width, region.height), palette, glyphs), lines, region


@lru_cache(maxsize=64)
def square_axes(
    middle: tuple[float, float],
    half: float,
    width: int,
    height: int,
    palette: Palette,
    glyphs: Glyphs,
    own: tuple[Axis, Axis],
    legend: tuple[LegendEntry, ...],
) -> tuple[tuple[Range, Range], list[Strip], Region]:
    """Return axes with one scale at unit size, labelled in own units; cached for all levels."""
    # The inner size depends on the width of the labels, and these depend on the ranges; two
    # iterations suffice.
    size = inner_size(width, height)
    for _ in range(2):
        ranges = equal_ranges(middle, half, *size)
        lines, region = plot_frame(*ranges, width, height, palette, glyphs, legend=legend, axes=own)
        size = (region.width, region.height)
    return ranges, lines, region


def _plane_legend(
    trajectory: MeasuredTrajectory,
    view_state: ViewState,
    palette: Palette,
    glyphs: Glyphs,
    cell: float,
) -> list[LegendEntry]:
    """Return the legend of points and lines; ``cell`` is the width of a cell in data units."""
    name, role = source_name(trajectory), role_of(trajectory)
    match view_state.view:
        case "density":
            return [("▇", f"density of {name}", "truth")]
        case "paths":
            count = NamedNumber("points", f"{min(PATHS, trajectory.x.shape[1])}")
            return [("─", (f"{name}, ", count, " points"), role)]
        case "score field":
            return [("→", f"score of {name}", role)]
        case "score error":
            return [("→", f"score of {name} − exact", role)]
        case "clean estimate":
            return [("•", f"x0_hat of {name}", role)]
    entries: list[LegendEntry] = [("•", name, role)]
    if view_state.truth:
        ring = "+" if palette.colourless or glyphs == "ascii" else "─"
        if trajectory.mixture.modes <= MARKED_MODES and view_state.view != "close-up":
            entries.append(("○", "mode", "mark"))
        if view_state.view == "close-up" or has_ring(trajectory.truth(view_state.position), cell):
            share = NamedNumber("of truth", f"{CONTOUR_SHARE:.0%}")
            entries.append((ring, (share, " of truth"), "truth"))
    return entries


def _window_2d(
    trajectory: MeasuredTrajectory, view_state: ViewState
) -> tuple[tuple[float, float], float]:
    """Return centre and half width of the visible part of the plane."""
    if view_state.view == "close-up":
        widest = trajectory.truth(view_state.position).widest
        return (0.0, 0.0), 5 * widest * 2 ** (-view_state.zoom / 2)
    centre, half = extent_of(trajectory)
    return (float(centre[0]), float(centre[1])), half * 2 ** (-view_state.zoom / 2)


def _mode_marks(
    trajectory: MeasuredTrajectory, view_state: ViewState, dots: DotGrid, area: _Area
) -> list[Mark]:
    """Return a circle at every mode, filled if points are there."""
    if trajectory.mixture.modes > MARKED_MODES or view_state.view == "close-up":
        return []
    marks = []
    for cell in point_cells(
        trajectory.truth(view_state.position).means.numpy(), *area.ranges, *area.size
    ):
        if cell is None:
            continue
        x, y = cell
        reached = dots[4 * y : 4 * y + 4, 2 * x : 2 * x + 2].any()
        marks.append(Mark(x, y, "●", role_of(trajectory)) if reached else Mark(x, y, "○", "mark"))
    return marks


def _ring(trajectory: MeasuredTrajectory, view_state: ViewState, area: _Area) -> DotGrid:
    """Return the dots of the contour that encloses most of the truth."""
    if view_state.view == "close-up":
        about = trajectory.truth(view_state.position).about_means()
        if about.modes > 1 or about.ellipses is not None:
            return contour_dots(about, area.ranges, area.size)
        return area.bins(circle((0.0, 0.0), about.widest * CONTOUR_RADIUS))
    return _contour(*_truth(trajectory, view_state), area.ranges, area.size)


def _truth(
    trajectory: MeasuredTrajectory, view_state: ViewState
) -> tuple[DataConfig, Schedule, float]:
    """Return what determines the exact distribution at a position, for the caches."""
    return trajectory.request.experiment.data, trajectory.schedule, view_state.position


@lru_cache(maxsize=256)
def _exact_grid(
    data: DataConfig,
    schedule: Schedule,
    position: float,
    ranges: tuple[Range, Range],
    size: tuple[int, int],
) -> Floats:
    return exact_grid(truth_at(data, schedule, position), ranges, size)


@lru_cache(maxsize=256)
def _contour(
    data: DataConfig,
    schedule: Schedule,
    position: float,
    ranges: tuple[Range, Range],
    size: tuple[int, int],
) -> NDArray[np.bool_]:
    return contour_dots(truth_at(data, schedule, position), ranges, size)

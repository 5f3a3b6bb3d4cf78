"""Views of points in the plane, with one scale for both axes: the points beside the truth.

The scale is that of unit size, so that file columns in different units are both visible; the axes
show their own units.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from textual.geometry import Region
from textual.strip import Strip

from ...core.arrays import Floats, Range
from ...core.config.data_section import DataConfig
from ...core.interpolation import interpolate
from ...core.schedules import Schedule
from ...core.trajectory_view import (
    CONTOUR_RADIUS,
    MARKED_MODES,
    about_modes,
    path_to,
)
from ...export.groups import COPIES, Groups, crosses, first
from ...interface.glyphs import Glyphs
from ..drawing.dots import (
    BRAILLE_BITS,
    DotGrid,
    DotLayer,
    Mark,
    arrows,
    circle,
    codes_of,
    grid_places,
    outline,
    point_cells,
)
from ..drawing.figure import LegendEntry
from ..drawing.grouped import path_layers
from ..drawing.palette import Palette
from ..drawing.quivers import quiver, reference_length, spacing_of
from ..drawing.strips import place
from ..sampling.measured_trajectory import MeasuredTrajectory
from ..sampling.references import truth_at
from .area import Area, square_axes
from .exact import cell_width, contour_dots, exact_grid
from .legends import plane_legend
from .side_by_side import beside
from .view_state import PATHS, ViewState, exact_of, extent_of, role_of

_NO_ERROR = 1e-4
"""Share of the exact scores below which a difference is rounding and not drawn in full."""

_PAIR_FROM = 50
"""Number of columns from which the exact truth fits beside the points."""


OF_PLANE = (
    *("scatter", "close-up", "density", "paths", "score field", "score error"),
    "clean estimate",
)
"""Views that `draw_plane` draws."""


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
            inner = _path_dots(trajectory.x, trajectory.groups, view_state, role, area)
        case "score field" | "score error":
            inner = _arrows(trajectory, level, role, area, view_state.view)
        case "clean estimate":
            estimates = trajectory.x0_hat(level)
            inner = area.points(estimates, role, first(trajectory.groups, len(estimates)))
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
        else ("▇", f"{exact_of(trajectory)} density", "truth")
    )
    sample, text, role = names.get(view_state.view, usual)
    if trajectory.groups is not None and sample in "•─":
        role = "text"  # each point has the colour of its class
    legend = [(sample, text, role)]
    area, lines, region = _framed(trajectory, view_state, width, height, palette, glyphs, legend)
    match view_state.view:
        case "paths":
            inner = _path_dots(trajectory.ideal_x, trajectory.groups, view_state, "ideal", area)
        case "score field" | "score error":
            inner = _arrows(trajectory, level, "truth", area, "exact")
        case "clean estimate":
            estimates = trajectory.ideal_x0(level)
            inner = area.points(estimates, "ideal", first(trajectory.groups, len(estimates)))
        case "scatter" if view_state.forward:
            points = interpolate(trajectory.forward_x, view_state.position)
            inner = area.points(points, "start", trajectory.forward_groups)
        case "density" if view_state.forward:
            inner = area.density(interpolate(trajectory.forward_x, view_state.position))
        case _:
            inner = area.shade(_exact_grid(*_truth(trajectory, view_state), area.ranges, area.size))
    return place(lines, inner, region.x, region.y)


def _points(trajectory: MeasuredTrajectory, view_state: ViewState, area: Area) -> list[Strip]:
    """Draw points, with the contour and the modes of the truth, and the tracked point."""
    points: NDArray[np.floating] = trajectory.at(view_state.position)
    if view_state.view == "close-up":
        points = about_modes(points, trajectory.truth(view_state.position))
    layers, marks = area.layers(points, role_of(trajectory), trajectory.groups), []
    if view_state.truth:
        ring = DotLayer(_ring(trajectory, view_state, area), "truth")
        marks = _mode_marks(trajectory, view_state, layers, area)
        if area.plain:
            marks = [*outline(ring, "+"), *marks]  # the dots alone would look like points
        else:
            # A cell shows the first layer with dots in it. The contour must be visible within a
            # cloud of points, but must not hide narrow components.
            dots = np.any([layer.dots for layer in layers], axis=0)
            here, there = (codes_of(shown, BRAILLE_BITS) > 0 for shown in (ring.dots, dots))
            hides = bool((here & there).sum() > there.sum() / 2)
            # Along curves of classes, its dots would look like points of another class.
            hides = hides or (trajectory.groups is not None and not trajectory.mixture.has_modes)
            layers.insert(len(layers) if hides else 0, ring)
    # A copy hides its training point, and that hides all other points.
    layers.sort(key=lambda layer: layer.role != COPIES.role)
    behind = sum(layer.role == COPIES.role for layer in layers)
    layers[behind:behind] = _crosses(trajectory, view_state, area)
    if view_state.tracked is not None and view_state.tracked < len(points):
        marks += area.followed(points[view_state.tracked])
    return area.draw(layers, marks)


def _crosses(trajectory: MeasuredTrajectory, view_state: ViewState, area: Area) -> list[DotLayer]:
    """Return a cross at every training point, scaled by alpha, if there are few."""
    finite, groups = trajectory.training_set, crosses(trajectory.training_set)
    if finite is None or groups is None:
        return []
    at = trajectory.alpha(view_state.position) * finite.points.numpy()
    if view_state.view == "close-up":
        at = about_modes(at, trajectory.truth(view_state.position))
    return area.layers(at, "text", groups)


def _path_dots(
    x: NDArray[np.float32],
    groups: Groups | None,
    view_state: ViewState,
    role: str,
    area: Area,
) -> list[Strip]:
    """Draw the paths of some points up to this level, and their current positions."""
    lanes = path_to(x[:, :PATHS], view_state.position).transpose(1, 0, 2)
    groups = first(groups, len(lanes))
    layers, marks = area.layers(lanes[:, -1], role, groups), list[Mark]()
    faint = {"network": "path", "ideal": "ideal path"}.get(role, "axis")
    gone = path_layers(lanes, groups, faint, area.ranges, area.size)
    layers += [replace(layer, role=f"faint {layer.role}") if groups else layer for layer in gone]
    if view_state.tracked is not None and view_state.tracked < x.shape[1]:
        lane = path_to(x[:, view_state.tracked], view_state.position)[None]
        layers.insert(0, DotLayer(area.paths(lane), "mark"))
        marks = area.followed(lane[0, -1])
    return area.draw(layers, marks)


def _arrows(
    trajectory: MeasuredTrajectory, level: int, role: str, area: Area, which: str
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
) -> tuple[Area, list[Strip], Region]:
    """Return the area inside the axes, the axes, and the region of the area."""
    middle, half = _window_2d(trajectory, view_state)
    across, up = trajectory.scaling.axes
    own = (across.differences, up.differences) if view_state.view == "close-up" else (across, up)
    axes = (middle, half, width, height, palette, glyphs, own)
    if legend is None:
        ranges, _, region = square_axes(*axes, ())
        legend = plane_legend(
            trajectory, view_state, palette, glyphs, cell_width(ranges, region.width)
        )
    ranges, lines, region = square_axes(*axes, tuple(legend))
    return Area(ranges, (region.width, region.height), palette, glyphs), lines, region


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
    trajectory: MeasuredTrajectory, view_state: ViewState, layers: Sequence[DotLayer], area: Area
) -> list[Mark]:
    """Return a circle at every mode, filled in the colour of the points if some are there."""
    if trajectory.mixture.modes > MARKED_MODES or view_state.view == "close-up":
        return []
    marks = []
    for cell in point_cells(
        trajectory.truth(view_state.position).means.numpy(), *area.ranges, *area.size
    ):
        if cell is None:
            continue
        x, y = cell
        inside = (slice(4 * y, 4 * y + 4), slice(2 * x, 2 * x + 2))
        role = next((layer.role for layer in layers if layer.dots[inside].any()), "")
        marks.append(Mark(x, y, "●", role) if role else Mark(x, y, "○", "mark"))
    return marks


def _ring(trajectory: MeasuredTrajectory, view_state: ViewState, area: Area) -> DotGrid:
    """Return the dots of the contour that encloses most of the truth."""
    if view_state.view == "close-up":
        about = trajectory.truth(view_state.position).about_means()
        if about.modes > 1 or about.ellipses is not None:
            return contour_dots(about, area.ranges, area.size)
        return area.bins(circle((0.0, 0.0), about.widest * CONTOUR_RADIUS))
    return _contour(*_truth(trajectory, view_state), area.ranges, area.size)


def _truth(
    trajectory: MeasuredTrajectory, view_state: ViewState
) -> tuple[DataConfig, Schedule, float, int | None]:
    """Return what determines the exact distribution at a position, for the caches."""
    data, label = trajectory.request.experiment.data, trajectory.label
    return data, trajectory.schedule, view_state.position, label


@lru_cache(maxsize=256)
def _exact_grid(
    data: DataConfig,
    schedule: Schedule,
    position: float,
    label: int | None,
    ranges: tuple[Range, Range],
    size: tuple[int, int],
) -> Floats:
    return exact_grid(truth_at(data, schedule, position, label), ranges, size)


@lru_cache(maxsize=256)
def _contour(
    data: DataConfig,
    schedule: Schedule,
    position: float,
    label: int | None,
    ranges: tuple[Range, Range],
    size: tuple[int, int],
) -> NDArray[np.bool_]:
    return contour_dots(truth_at(data, schedule, position, label), ranges, size)

"""Views of points in the plane, with one scale for both axes: the points beside the truth.

The scale is that of unit size, so that file columns in different units are both visible; the axes
show their own units.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from textual.geometry import Region
from textual.strip import Strip

from ...core.arrays import Floats, Range
from ...core.axes import Axis
from ...core.config.experiment import Experiment
from ...core.interpolation import interpolate
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
    DotLayer,
    Mark,
    arrows,
    bin_paths,
    bin_points,
    braille,
    cells_of,
    circle,
    codes_of,
    density,
    equal_ranges,
    grid_places,
    outline,
    shade,
)
from ..drawing.palette import Palette
from ..drawing.plot import frame, inner_size
from ..drawing.strips import place
from ..sampling.measured_trajectory import MeasuredTrajectory, truth_at
from .exact import cell_width, contour, exact_grid, has_ring
from .side_by_side import beside
from .view_state import PATHS, ViewState, extent_of, role_of, source_name

_PAIR_FROM = 50
"""Number of columns from which the exact truth fits beside the points."""


OF_PLANE = ("scatter", "close-up", "density", "paths", "score field", "clean estimate")
"""Views that `plane` draws."""


def plane(
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
    ranges, lines, region = _framed(trajectory, view_state, width, height, palette, glyphs)
    size = (region.width, region.height)
    match view_state.view:
        case "density":
            inner = shade(
                density(trajectory.at(view_state.position), *ranges, *size), *size, palette, glyphs
            )
        case "paths":
            inner = _path_dots(trajectory.x, view_state, role, ranges, size, palette, glyphs)
        case "score field":
            level = min(view_state.level, trajectory.levels - 1)
            inner = _arrows(trajectory, level, ranges, size, role, palette, glyphs, ideal=False)
        case "clean estimate":
            level = min(view_state.level, trajectory.levels - 1)
            dots = bin_points(trajectory.x0_hat(level), *ranges, *size)
            inner = braille([DotLayer(dots, role)], [], *size, palette, glyphs)
        case _:
            inner = _points(trajectory, view_state, ranges, size, palette, glyphs)
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
    experiment = trajectory.request.experiment
    level = min(view_state.level, trajectory.levels - 1)
    names = {
        "paths": ("─", "ideal denoiser", "ideal"),
        "score field": ("⇒", "exact score", "truth"),
        "clean estimate": ("•", f"ideal, from {trajectory.ideal_of} x", "ideal"),
    }
    usual = (
        ("•", "true data, noised", "start")
        if view_state.forward
        else ("▇", "exact density", "truth")
    )
    legend = [names.get(view_state.view, usual)]
    ranges, lines, region = _framed(trajectory, view_state, width, height, palette, glyphs, legend)
    size = (region.width, region.height)
    match view_state.view:
        case "paths":
            inner = _path_dots(
                trajectory.ideal_x, view_state, "ideal", ranges, size, palette, glyphs
            )
        case "score field":
            inner = _arrows(trajectory, level, ranges, size, "truth", palette, glyphs, ideal=True)
        case "clean estimate":
            dots = bin_points(trajectory.ideal_x0(level), *ranges, *size)
            inner = braille([DotLayer(dots, "ideal")], [], *size, palette, glyphs)
        case "scatter" if view_state.forward:
            dots = bin_points(
                interpolate(trajectory.forward_x, view_state.position), *ranges, *size
            )
            inner = braille([DotLayer(dots, "start")], [], *size, palette, glyphs)
        case "density" if view_state.forward:
            counts = density(interpolate(trajectory.forward_x, view_state.position), *ranges, *size)
            inner = shade(counts, *size, palette, glyphs)
        case _:
            grid = _exact_grid(experiment, view_state.position, ranges, size)
            inner = shade(grid, *size, palette, glyphs)
    return place(lines, inner, region.x, region.y)


def _points(
    trajectory: MeasuredTrajectory,
    view_state: ViewState,
    ranges: tuple[Range, Range],
    size: tuple[int, int],
    palette: Palette,
    glyphs: Glyphs,
) -> list[Strip]:
    """Draw points, with the contour and the modes of the truth, and the tracked point."""
    points: NDArray[np.floating] = trajectory.at(view_state.position)
    if view_state.view == "close-up":
        points = about_modes(points, trajectory.truth(view_state.position))
    dots = bin_points(points, *ranges, *size)
    layers, marks = [DotLayer(dots, role_of(trajectory))], []
    if view_state.truth:
        ring = DotLayer(_ring(trajectory, view_state, ranges, size), "truth")
        marks = _mode_marks(trajectory, view_state, dots, ranges, size)
        if palette.colourless or glyphs == "ascii":
            marks = [*outline(ring, "+"), *marks]  # the dots alone would look like points
        else:
            # A cell shows the first layer with dots in it. The contour must be visible within a
            # cloud of points, but must not hide narrow components.
            here, there = (codes_of(shown, BRAILLE_BITS) > 0 for shown in (ring.dots, dots))
            layers.insert(int((here & there).sum() > there.sum() / 2), ring)
    if view_state.tracked is not None and view_state.tracked < len(points):
        cells = cells_of(points[view_state.tracked : view_state.tracked + 1], *ranges, *size)
        marks += [Mark(*cell, "◆", "mark") for cell in cells if cell is not None]
    return braille(layers, marks, *size, palette, glyphs)


def _path_dots(
    x: NDArray[np.float32],
    view_state: ViewState,
    role: str,
    ranges: tuple[Range, Range],
    size: tuple[int, int],
    palette: Palette,
    glyphs: Glyphs,
) -> list[Strip]:
    """Draw the paths of some points up to this level, and their current positions."""
    lanes = path_to(x[:, :PATHS], view_state.position).transpose(1, 0, 2)
    now = DotLayer(bin_points(lanes[:, -1], *ranges, *size), role)
    faint = {"network": "path", "ideal": "ideal path"}.get(role, "axis")
    gone = DotLayer(bin_paths(lanes, *ranges, *size), faint)
    marks = []
    layers = [now, gone]
    if view_state.tracked is not None and view_state.tracked < x.shape[1]:
        lane = path_to(x[:, view_state.tracked], view_state.position)[None]
        layers.insert(0, DotLayer(bin_paths(lane, *ranges, *size), "mark"))
        cells = cells_of(lane[0, -1:], *ranges, *size)
        marks = [Mark(*cell, "◆", "mark") for cell in cells if cell is not None]
    return braille(layers, marks, *size, palette, glyphs)


def _arrows(
    trajectory: MeasuredTrajectory,
    level: int,
    ranges: tuple[Range, Range],
    size: tuple[int, int],
    role: str,
    palette: Palette,
    glyphs: Glyphs,
    *,
    ideal: bool,
) -> list[Strip]:
    """Draw the direction of the score on a grid."""
    xs, ys, places = grid_places(*ranges, *size)
    points = torch.from_numpy(places.reshape(-1, 2)).float()
    prediction = trajectory.ask_ideal(points, level) if ideal else trajectory.ask(points, level)
    vectors = prediction.score.double().numpy().reshape(places.shape)
    return braille([], arrows(vectors, xs, ys, role, glyphs), *size, palette, glyphs)


def _framed(
    trajectory: MeasuredTrajectory,
    view_state: ViewState,
    width: int,
    height: int,
    palette: Palette,
    glyphs: Glyphs,
    legend: Sequence[tuple[str, str, str]] | None = None,
) -> tuple[tuple[Range, Range], list[Strip], Region]:
    """Return ranges, axes, and the area inside them."""
    middle, half = _window_2d(trajectory, view_state)
    across, up = trajectory.scaling.axes
    own = (across.differences, up.differences) if view_state.view == "close-up" else (across, up)
    axes = (middle, half, width, height, palette, glyphs, own)
    if legend is None:
        ranges, _, region = square_axes(*axes, ())
        legend = _plane_legend(
            trajectory, view_state, palette, glyphs, cell_width(ranges, region.width)
        )
    return square_axes(*axes, tuple(legend))


@lru_cache(maxsize=64)
def square_axes(
    middle: tuple[float, float],
    half: float,
    width: int,
    height: int,
    palette: Palette,
    glyphs: Glyphs,
    own: tuple[Axis, Axis],
    legend: tuple[tuple[str, str, str], ...],
) -> tuple[tuple[Range, Range], list[Strip], Region]:
    """Return axes with one scale at unit size, labelled in own units; cached for all levels."""
    # The inner size depends on the width of the labels, and these depend on the ranges; two
    # iterations suffice.
    size = inner_size(width, height)
    for _ in range(2):
        ranges = equal_ranges(middle, half, *size)
        lines, region = frame(*ranges, width, height, palette, glyphs, legend=legend, axes=own)
        size = (region.width, region.height)
    return ranges, lines, region


def _plane_legend(
    trajectory: MeasuredTrajectory,
    view_state: ViewState,
    palette: Palette,
    glyphs: Glyphs,
    cell: float,
) -> list[tuple[str, str, str]]:
    """Return the legend of points and lines; ``cell`` is the width of a cell in data units."""
    name, role = source_name(trajectory), role_of(trajectory)
    match view_state.view:
        case "density":
            return [("▇", f"density of {name}", "truth")]
        case "paths":
            return [("─", f"{name}, {min(PATHS, trajectory.x.shape[1])} points", role)]
        case "score field":
            return [("→", f"score of {name}", role)]
        case "clean estimate":
            return [("•", f"x0_hat of {name}", role)]
    entries = [("•", name, role)]
    if view_state.truth:
        ring = "+" if palette.colourless or glyphs == "ascii" else "─"
        if trajectory.mixture.modes <= MARKED_MODES and view_state.view != "close-up":
            entries.append(("○", "mode", "mark"))
        if view_state.view == "close-up" or has_ring(trajectory.truth(view_state.position), cell):
            entries.append((ring, f"{CONTOUR_SHARE:.0%} of truth", "truth"))
    return entries


def _window_2d(
    trajectory: MeasuredTrajectory, view_state: ViewState
) -> tuple[tuple[float, float], float]:
    """Return centre and half width of the visible part of the plane."""
    if view_state.view == "close-up":
        widest = float(trajectory.truth(view_state.position).stds.max())
        return (0.0, 0.0), 5 * widest * 2 ** (-view_state.zoom / 2)
    centre, half = extent_of(trajectory)
    return (float(centre[0]), float(centre[1])), half * 2 ** (-view_state.zoom / 2)


def _mode_marks(
    trajectory: MeasuredTrajectory,
    view_state: ViewState,
    dots: NDArray[np.bool_],
    ranges: tuple[Range, Range],
    size: tuple[int, int],
) -> list[Mark]:
    """Return a circle at every mode, filled if points are there."""
    if trajectory.mixture.modes > MARKED_MODES or view_state.view == "close-up":
        return []
    marks = []
    for cell in cells_of(trajectory.truth(view_state.position).means.numpy(), *ranges, *size):
        if cell is None:
            continue
        x, y = cell
        reached = dots[4 * y : 4 * y + 4, 2 * x : 2 * x + 2].any()
        marks.append(Mark(x, y, "●", role_of(trajectory)) if reached else Mark(x, y, "○", "mark"))
    return marks


def _ring(
    trajectory: MeasuredTrajectory,
    view_state: ViewState,
    ranges: tuple[Range, Range],
    size: tuple[int, int],
) -> NDArray[np.bool_]:
    """Return the dots of the contour that encloses most of the truth."""
    experiment = trajectory.request.experiment
    if view_state.view == "close-up":
        std = float(trajectory.truth(view_state.position).stds.max())
        return bin_points(circle((0.0, 0.0), std * CONTOUR_RADIUS), *ranges, *size)
    return _contour(experiment, view_state.position, ranges, size)


@lru_cache(maxsize=256)
def _exact_grid(
    experiment: Experiment,
    position: float,
    ranges: tuple[Range, Range],
    size: tuple[int, int],
) -> Floats:
    return exact_grid(truth_at(experiment, position), ranges, size)


@lru_cache(maxsize=256)
def _contour(
    experiment: Experiment,
    position: float,
    ranges: tuple[Range, Range],
    size: tuple[int, int],
) -> NDArray[np.bool_]:
    return contour(truth_at(experiment, position), ranges, size)

"""Views over all levels: mean and std with their goals, and the paths of points."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from textual.strip import Strip

from ...core.arrays import Floats
from ...core.axes import AS_IT_IS
from ...core.interpolation import interpolate
from ...core.numbered_text import NamedNumber
from ...export.groups import first
from ...interface.glyphs import Glyphs
from ..drawing.dots import DotLayer, Mark, bin_paths, braille, point_cells
from ..drawing.figure import Curve, PlotFigure, Rule
from ..drawing.grouped import group_layers, path_layers, plain, points_legend
from ..drawing.palette import Palette
from ..drawing.plot import draw_plot, plot_frame
from ..drawing.strips import place
from ..sampling.measured_trajectory import MeasuredTrajectory
from .side_by_side import beside
from .view_state import PATHS, ViewState, extent_of, role_of, source_name


def draw_moments(
    trajectory: MeasuredTrajectory,
    view_state: ViewState,
    width: int,
    height: int,
    palette: Palette,
    glyphs: Glyphs,
) -> list[Strip]:
    """Draw mean (left) and std (right) of every coordinate over the levels, with the goal."""
    mean, std, goal_mean, goal_std = trajectory.moments
    axis, unit = trajectory.scaling.axes[0], ""
    if trajectory.dim == 1:
        std, goal_std = axis.scale * std, axis.scale * goal_std
    elif trajectory.scaling.changes:  # coordinates in different units cannot share an axis
        axis, unit = AS_IT_IS, "unit size"
    levels = [float(k) for k in range(trajectory.levels + 1)]
    names = ("x", "y") if trajectory.dim == 2 else ("",)
    roles = (role_of(trajectory), "second")

    def figure(what: str, seen: Floats, goal: Floats, log: bool) -> PlotFigure:
        curves = []
        for j, name in enumerate(names):
            label = f"{what} {name}".strip()
            curves.append(
                Curve(levels, goal[:, j].tolist(), "goal", marker="dashed",
                      label="goal" if j == 0 else None)
            )  # fmt: skip
            curves.append(Curve(levels, seen[:, j].tolist(), roles[j], label=label))
        rules = (Rule(float(view_state.position), "grid"),)
        return PlotFigure(
            curves=tuple(curves),
            v_lines=rules,
            x_range=(0.0, float(trajectory.levels)),
            x_label="level",
            y_label=unit,
            log_y=log,
            y_axis=axis,
        )

    left = width // 2
    return beside(
        draw_plot(figure("mean", mean, goal_mean, False), left, height, palette, glyphs),
        draw_plot(figure("std", std, goal_std, True), width - left, height, palette, glyphs),
    )


def paths(
    trajectory: MeasuredTrajectory,
    view_state: ViewState,
    width: int,
    height: int,
    palette: Palette,
    glyphs: Glyphs,
) -> list[Strip]:
    """Draw the values of some 1D points over the levels: the network's, and the ideal ones."""
    if not view_state.truth or trajectory.request.source == "forward":
        return _paths(trajectory, trajectory.x, view_state, width, height, palette, glyphs)
    left = (width + 1) // 2
    return beside(
        _paths(trajectory, trajectory.x, view_state, left, height, palette, glyphs),
        _paths(
            trajectory,
            trajectory.ideal_x,
            view_state,
            width - left,
            height,
            palette,
            glyphs,
            "ideal",
        ),
    )


def _paths(
    trajectory: MeasuredTrajectory,
    x: NDArray[np.float32],
    view_state: ViewState,
    width: int,
    height: int,
    palette: Palette,
    glyphs: Glyphs,
    role: str = "",
) -> list[Strip]:
    name, role = (role, role) if role else (source_name(trajectory), role_of(trajectory))
    centre, half = extent_of(trajectory)
    half *= 2 ** (-view_state.zoom / 2)
    ranges = ((0.0, float(trajectory.levels)), (float(centre[0]) - half, float(centre[0]) + half))
    count = NamedNumber("points", f"{min(PATHS, x.shape[1])}")
    groups, signs = first(trajectory.groups, PATHS), plain(palette, glyphs)
    text = (f"{name}, ", count, *(() if groups else (" points",)))
    legend = points_legend("─", text, role, groups, signs)
    lines, region = plot_frame(
        *ranges,
        width,
        height,
        palette,
        glyphs,
        x_label="level",
        y_label="x",
        legend=legend,
        axes=(AS_IT_IS, trajectory.scaling.axes[0]),
    )
    size = (region.width, region.height)
    levels = np.arange(trajectory.levels + 1, dtype=np.float64)
    values = x[:, :PATHS, 0].T.astype(np.float64)
    lanes = np.stack([np.broadcast_to(levels, values.shape), values], axis=-1)
    here = np.array([interpolate(lane, view_state.position) for lane in lanes])[:, None]
    positions = np.concatenate((lanes[:, : view_state.level + 1], here), axis=1)
    to_come = np.concatenate((here, lanes[:, view_state.level + 1 :]), axis=1)
    marks = []
    layers = path_layers(positions, groups, role, ranges, size)
    layers.append(DotLayer(bin_paths(to_come, *ranges, *size), "grid"))
    if groups is not None and signs:
        layers[:0] = group_layers(here[:, 0], groups, ranges, size, signs)
    if view_state.tracked is not None and view_state.tracked < x.shape[1]:
        own = x[:, view_state.tracked, 0].astype(np.float64)
        lane = np.stack([levels, own], axis=-1)
        layers.insert(0, DotLayer(bin_paths(lane[None], *ranges, *size), "mark"))
        cells = point_cells(interpolate(lane, view_state.position)[None], *ranges, *size)
        marks = [Mark(*cell, "◆", "mark") for cell in cells if cell]
    inner = braille(layers, marks, *size, palette, glyphs)
    return place(lines, inner, region.x, region.y)

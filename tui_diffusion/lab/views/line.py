"""Views of points on the line: histograms, densities, and the denoiser as a function."""

from __future__ import annotations

import numpy as np
import torch
from textual.strip import Strip

from ...core.analysis.densities import density as exact_density
from ...core.arrays import Range
from ...core.axes import Axis
from ...core.interpolation import interpolate
from ...core.numbered_text import NamedNumber
from ...core.trajectory_view import averaged_pdf, close_up, interval_centres
from ...export.groups import MOST_TICKS, stacked_counts
from ...interface.glyphs import Glyphs
from ..drawing.figure import Curve, PlotFigure, Rule
from ..drawing.grouped import group_legend, plain, sign_of
from ..drawing.palette import Palette
from ..drawing.plot import draw_plot
from ..formatting import vector
from ..sampling.measured_trajectory import MeasuredTrajectory
from .side_by_side import beside, text_line
from .view_state import ViewState, exact_of, extent_of, role_of, source_name

_MAGNIFIER_FROM = 60
"""Number of columns from which a close-up fits beside a histogram."""


def _range_1d(trajectory: MeasuredTrajectory, view_state: ViewState) -> Range:
    """Return the range of the line that a view shows."""
    if view_state.view == "close-up":
        low, high = close_up(
            trajectory.at(view_state.position), trajectory.truth(view_state.position)
        )
        middle, half = (low + high) / 2, (high - low) / 2 * 2 ** (-view_state.zoom / 2)
        return middle - half, middle + half
    centre, half = extent_of(trajectory)
    # Zooming centres on the data, where the density is narrow.
    shown = half * 2 ** (-view_state.zoom / 2)
    data = float(trajectory.mixture.mean()[0]) if view_state.zoom else float(centre[0])
    middle = float(np.clip(data, centre[0] - half + shown, centre[0] + half - shown))
    return middle - shown, middle + shown


def draw_histogram(
    trajectory: MeasuredTrajectory,
    view_state: ViewState,
    width: int,
    height: int,
    palette: Palette,
    glyphs: Glyphs,
) -> list[Strip]:
    """Draw the histogram over the range of all levels and, if it fits, a close-up."""
    signs = plain(palette, glyphs)

    def drawn(view_state: ViewState, width: int, forward: bool = False) -> list[Strip]:
        figure = _histogram(trajectory, forward, view_state, width, signs)
        return draw_plot(figure, width, height, palette, glyphs)

    if view_state.view == "close-up" or view_state.zoom or width < _MAGNIFIER_FROM:
        return drawn(view_state, width)
    if view_state.forward:
        left = width // 2
        return beside(drawn(view_state, left), drawn(view_state, width - left, forward=True))
    left = width * 3 // 5
    near = ViewState(view_state.position, "close-up", view_state.truth)
    return beside(drawn(view_state, left), drawn(near, width - left))


def _histogram(
    trajectory: MeasuredTrajectory, forward: bool, view_state: ViewState, width: int, signs: bool
) -> PlotFigure:
    """Return the bars of the points, or of noised true data, and the exact density."""
    low, high = _range_1d(trajectory, view_state)
    bins = max(8, min(width - 8, 90))
    x = trajectory.forward_x if forward else trajectory.x
    groups = trajectory.forward_groups if forward else trajectory.groups
    name = "true data, noised" if forward else source_name(trajectory)
    points = interpolate(x, view_state.position)[:, 0].astype(np.float64)
    stacks, edges = stacked_counts(points, groups, bins, (low, high))
    middles = ((edges[:-1] + edges[1:]) / 2).tolist()
    curves = []
    for group, counts in stacks:
        heights = (counts / (max(len(points), 1) * (edges[1] - edges[0]))).tolist()
        if group is None:
            bars = Curve(middles, heights, "bars", marker="blocks", label=name, fill=True)
        else:
            role, sign = f"faint {group.role}", sign_of(group, signs)
            bars = Curve(middles, heights, role, marker="blocks", fill=True, sign=sign)
        curves.append(bars)
    if view_state.truth:
        curves.append(_pdf_curve(trajectory, view_state.position, low, high, 2 * bins))
    finite = trajectory.training_set
    if finite is not None and len(finite) <= MOST_TICKS:
        at = trajectory.alpha(view_state.position) * finite.points[:, 0]
        curves.append(Curve(at.tolist(), [0.0] * len(finite), "text", "cross", "training set"))
    axis = trajectory.scaling.axes[0]
    return PlotFigure(
        curves=tuple(curves),
        x_range=(low, high),
        y_label=view_state.view,
        x_label="x",
        x_axis=axis,
        y_axis=axis.densities,
        legend=(("▇", groups.title or name, "text"), *group_legend(groups, signs))
        if groups
        else (),
    )


def _pdf_curve(
    trajectory: MeasuredTrajectory, position: float, low: float, high: float, count: int
) -> Curve:
    """Return the exact density, averaged over ``count`` intervals."""
    pdf = averaged_pdf(trajectory.truth(position), (low, high), count).tolist()
    name = f"{exact_of(trajectory)} pdf"
    return Curve(interval_centres((low, high), count).tolist(), pdf, "truth", label=name)


def draw_pdf_cdf(
    trajectory: MeasuredTrajectory,
    view_state: ViewState,
    width: int,
    height: int,
    palette: Palette,
    glyphs: Glyphs,
) -> list[Strip]:
    """Draw the exact pdf and cdf side by side, with their numerical integrals in the last line."""
    low, high = _range_1d(
        trajectory, ViewState(view_state.position, "close-up", view_state.truth, view_state.zoom)
    )
    exact = exact_density(
        trajectory.mixture,
        trajectory.alpha(view_state.position),
        trajectory.sigma(view_state.position),
    )
    where = "level" if view_state.position == view_state.level else "noise"
    axis, scales = trajectory.scaling.axes[0], trajectory.scaling.scale.tolist()
    mean = vector([axis.own(exact.mean)], 4, scales)
    std = vector([axis.differences.own(exact.std)], 4, scales)
    note = (
        f" exact at this {where}: integral ",
        NamedNumber("integral", f"{exact.integral:.6f}"),
        "   mean ",
        NamedNumber("mean", mean),
        "   std ",
        NamedNumber("std", std),
    )
    rows = height - 1
    left = width // 2
    grid = torch.linspace(low, high, 2 * width, dtype=torch.float64)[:, None]
    exact_cdf = trajectory.truth(view_state.position).cdf(grid).tolist()
    cdf = Curve(grid.flatten().tolist(), exact_cdf, "truth", label="exact cdf")
    curves = [cdf]
    points = np.sort(trajectory.at(view_state.position)[:, 0].astype(np.float64))
    points = points[np.isfinite(points)]
    if view_state.truth and len(points):
        share = np.searchsorted(points, grid.flatten().numpy()) / len(points)
        curves.append(
            Curve(
                grid.flatten().tolist(),
                share.tolist(),
                role_of(trajectory),
                marker="dashed",
                label=f"cdf of {source_name(trajectory)}",
            )
        )
    pdf_figure = PlotFigure(
        curves=(_pdf_curve(trajectory, view_state.position, low, high, 2 * left),),
        x_range=(low, high),
        x_axis=axis,
        y_axis=axis.densities,
    )
    cdf_figure = PlotFigure(
        curves=tuple(curves), x_range=(low, high), y_range=(0.0, 1.05), x_axis=axis
    )
    pair = beside(
        draw_plot(pdf_figure, left, rows, palette, glyphs),
        draw_plot(cdf_figure, width - left, rows, palette, glyphs),
    )
    return [*pair, text_line(note, width, palette, "text", glyphs)]


def draw_denoiser(
    trajectory: MeasuredTrajectory,
    view_state: ViewState,
    width: int,
    height: int,
    palette: Palette,
    glyphs: Glyphs,
) -> list[Strip]:
    """Draw x0_hat (left) and the score (right) as functions of x, with the exact ones."""
    level = min(view_state.level, trajectory.levels - 1)
    low, high = _range_1d(
        trajectory, ViewState(level, "close-up", view_state.truth, view_state.zoom)
    )
    left = (width + 1) // 2
    grid = torch.linspace(low, high, 2 * left)[:, None]
    xs = grid[:, 0].tolist()
    prediction, exact = trajectory.ask(grid, level), trajectory.ask_ideal(grid, level)

    axis = trajectory.scaling.axes[0]

    def figure(title: str, of_network: list[float], of_truth: list[float], up: Axis) -> PlotFigure:
        curves = [Curve(xs, of_truth, "truth", label="exact")]
        if trajectory.request.source == "network":
            curves.append(Curve(xs, of_network, role_of(trajectory), label="network"))
        # The exact curve covers the window; the network's covers only the range of most points.
        quarter = len(xs) // 4
        heights = [*of_truth, *of_network[quarter:-quarter]]
        finite = [value for value in heights if np.isfinite(value)]
        room = 0.1 * (max(finite) - min(finite)) or 1.0
        span = (min(finite) - room, max(finite) + room)
        return PlotFigure(
            curves=tuple(curves),
            x_range=(low, high),
            y_range=span,
            x_label="x",
            y_label=title,
            v_lines=(Rule(float(trajectory.truth(level).mean()[0]), "grid"),),
            x_axis=axis,
            y_axis=up,
        )

    x0 = figure("x0_hat", prediction.x0_hat[:, 0].tolist(), exact.x0_hat[:, 0].tolist(), axis)
    score = figure(
        "score", prediction.score[:, 0].tolist(), exact.score[:, 0].tolist(), axis.densities
    )
    return beside(
        draw_plot(x0, left, height, palette, glyphs),
        draw_plot(score, width - left, height, palette, glyphs),
    )

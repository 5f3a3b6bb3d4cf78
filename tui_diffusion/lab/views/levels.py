"""Views over all levels: mean and std with their goals, and the paths of points."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from textual.strip import Strip

from ...core.axes import AS_IT_IS
from ...core.interpolation import between
from ..drawing.dots import Layer, Mark, bin_paths, braille, cells_of
from ..drawing.figure import Curve, Figure, Rule
from ..drawing.palette import Palette
from ..drawing.plot import draw, frame
from ..drawing.strips import place
from ..sampling.measured_trajectory import Film, Floats
from ..terminal.glyphs import Glyphs
from .side_by_side import beside
from .view_state import PATHS, Look, extent_of, role_of, source_name


def moments(
    film: Film, look: Look, width: int, height: int, palette: Palette, glyphs: Glyphs
) -> list[Strip]:
    """Draw mean (left) and std (right) of every coordinate over the levels, with the goal."""
    mean, std, goal_mean, goal_std = film.moments
    axis, unit = film.scaling.axes[0], ""
    if film.dim == 1:
        std, goal_std = axis.scale * std, axis.scale * goal_std
    elif film.scaling.changes:  # coordinates in different units cannot share an axis
        axis, unit = AS_IT_IS, "unit size"
    levels = [float(k) for k in range(film.levels + 1)]
    names = ("x", "y") if film.dim == 2 else ("",)
    roles = (role_of(film), "second")

    def figure(what: str, seen: Floats, goal: Floats, log: bool) -> Figure:
        curves = []
        for j, name in enumerate(names):
            label = f"{what} {name}".strip()
            curves.append(
                Curve(levels, goal[:, j].tolist(), "goal", marker="dashed",
                      label="goal" if j == 0 else None)
            )  # fmt: skip
            curves.append(Curve(levels, seen[:, j].tolist(), roles[j], label=label))
        rules = (Rule(float(look.place), "grid"),)
        return Figure(
            curves=tuple(curves),
            v_lines=rules,
            x_range=(0.0, float(film.levels)),
            x_label="level",
            y_label=unit,
            log_y=log,
            y_axis=axis,
        )

    left = width // 2
    return beside(
        draw(figure("mean", mean, goal_mean, False), left, height, palette, glyphs),
        draw(figure("std", std, goal_std, True), width - left, height, palette, glyphs),
    )


def paths(
    film: Film, look: Look, width: int, height: int, palette: Palette, glyphs: Glyphs
) -> list[Strip]:
    """Draw the values of some 1D points over the levels: the network's, and the ideal ones."""
    if not look.truth or film.wish.source == "forward":
        return _paths(film, film.x, look, width, height, palette, glyphs)
    left = (width + 1) // 2
    return beside(
        _paths(film, film.x, look, left, height, palette, glyphs),
        _paths(film, film.ideal_x, look, width - left, height, palette, glyphs, "ideal"),
    )


def _paths(
    film: Film,
    x: NDArray[np.float32],
    look: Look,
    width: int,
    height: int,
    palette: Palette,
    glyphs: Glyphs,
    role: str = "",
) -> list[Strip]:
    name, role = (role, role) if role else (source_name(film), role_of(film))
    centre, half = extent_of(film)
    half *= 2 ** (-look.zoom / 2)
    ranges = ((0.0, float(film.levels)), (float(centre[0]) - half, float(centre[0]) + half))
    legend = [("─", f"{name}, {min(PATHS, x.shape[1])} points", role)]
    lines, region = frame(
        *ranges,
        width,
        height,
        palette,
        glyphs,
        x_label="level",
        y_label="x",
        legend=legend,
        axes=(AS_IT_IS, film.scaling.axes[0]),
    )
    size = (region.width, region.height)
    levels = np.arange(film.levels + 1, dtype=np.float64)
    values = x[:, :PATHS, 0].T.astype(np.float64)
    lanes = np.stack([np.broadcast_to(levels, values.shape), values], axis=-1)
    here = np.array([between(lane, look.place) for lane in lanes])[:, None]
    positions = np.concatenate((lanes[:, : look.level + 1], here), axis=1)
    to_come = np.concatenate((here, lanes[:, look.level + 1 :]), axis=1)
    marks = []
    layers = [
        Layer(bin_paths(positions, *ranges, *size), role),
        Layer(bin_paths(to_come, *ranges, *size), "grid"),
    ]
    if look.tracked is not None and look.tracked < x.shape[1]:
        own = x[:, look.tracked, 0].astype(np.float64)
        lane = np.stack([levels, own], axis=-1)
        layers.insert(0, Layer(bin_paths(lane[None], *ranges, *size), "mark"))
        cells = cells_of(between(lane, look.place)[None], *ranges, *size)
        marks = [Mark(*cell, "◆", "mark") for cell in cells if cell]
    inner = braille(layers, marks, *size, palette, glyphs)
    return place(lines, inner, region.x, region.y)

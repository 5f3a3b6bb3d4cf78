"""Views of points on the line: histograms, densities, and the denoiser as a function."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from textual.strip import Strip

from ...core.analysis.densities import density as exact_density
from ...core.axes import Axis
from ...core.interpolation import between
from ..drawing.dots import Range
from ..drawing.figure import Curve, Figure, Rule
from ..drawing.palette import Palette
from ..drawing.plot import draw
from ..formatting import vector
from ..sampling.measured_trajectory import Film
from ..terminal.glyphs import Glyphs
from .side_by_side import beside, text_line
from .view_state import Look, extent_of, role_of, source_name

_MAGNIFIER_FROM = 60
"""Number of columns from which a close-up fits beside a histogram."""


def _range_1d(film: Film, look: Look) -> Range:
    centre, half = extent_of(film)
    if look.view == "close-up":
        truth = film.truth(look.place)
        middle = float(truth.mean()[0])
        points = film.at(look.place)[:, 0]
        finite = points[np.isfinite(points)]
        reach = 4.5 * float(truth.std()[0])
        if len(finite):
            spread = float(np.quantile(np.abs(finite - middle), 0.98)) * 1.1
            reach = max(reach, min(spread, 4 * reach))
        half = reach
    elif look.zoom:
        # Zooming centres on the data, where the density is narrow.
        shown = half * 2 ** (-look.zoom / 2)
        data = float(film.mixture.mean()[0])
        middle = float(np.clip(data, centre[0] - half + shown, centre[0] + half - shown))
        return middle - shown, middle + shown
    else:
        middle = float(centre[0])
    half *= 2 ** (-look.zoom / 2) if look.view == "close-up" else 1
    return middle - half, middle + half


def histogram(
    film: Film, look: Look, width: int, height: int, palette: Palette, glyphs: Glyphs
) -> list[Strip]:
    """Draw the histogram over the range of all levels and, if it fits, a close-up."""
    if look.view == "close-up" or look.zoom or width < _MAGNIFIER_FROM:
        return draw(_histogram(film, film.x, look, width), width, height, palette, glyphs)
    left = width // 2 if look.forward else width * 3 // 5
    other = look if look.forward else Look(look.place, "close-up", look.truth)
    return beside(
        draw(_histogram(film, film.x, look, left), left, height, palette, glyphs),
        draw(
            _histogram(film, film.forward_x if look.forward else film.x, other, width - left),
            width - left,
            height,
            palette,
            glyphs,
        ),
    )


def _histogram(film: Film, x: NDArray[np.float32], look: Look, width: int) -> Figure:
    low, high = _range_1d(film, look)
    bins = max(8, min(width - 8, 90))
    points = between(x, look.place)[:, 0].astype(np.float64)
    counts, edges = np.histogram(points[np.isfinite(points)], bins=bins, range=(low, high))
    heights = counts / (max(len(points), 1) * (edges[1] - edges[0]))
    middles = (edges[:-1] + edges[1:]) / 2
    curves = [
        Curve(
            middles.tolist(),
            heights.tolist(),
            "bars",
            marker="blocks",
            label=source_name(film) if x is film.x else "true data, noised",
            fill=True,
        )
    ]
    if look.truth:
        curves.append(_pdf_curve(film, look.place, low, high, 2 * bins))
    axis = film.scaling.axes[0]
    return Figure(
        curves=tuple(curves),
        x_range=(low, high),
        y_label=look.view,
        x_label="x",
        x_axis=axis,
        y_axis=axis.densities,
    )


def _pdf_curve(film: Film, place: float, low: float, high: float, count: int) -> Curve:
    """Return the exact density, averaged over short intervals so that no narrow peak is missed."""
    edges = torch.linspace(low, high, count + 1, dtype=torch.float64)[:, None]
    cdf = film.truth(place).cdf(edges)
    pdf = (cdf.diff() * count / (high - low)).tolist()
    middles = ((edges[:-1] + edges[1:]) / 2).flatten().tolist()
    return Curve(middles, pdf, "truth", label="exact pdf")


def pdf_cdf(
    film: Film, look: Look, width: int, height: int, palette: Palette, glyphs: Glyphs
) -> list[Strip]:
    """Draw the exact pdf and cdf side by side, with their numerical integrals in the last line."""
    low, high = _range_1d(film, Look(look.place, "close-up", look.truth, look.zoom))
    exact = exact_density(film.mixture, film.alpha(look.place), film.sigma(look.place))
    where = "level" if look.place == look.level else "noise"
    axis, scales = film.scaling.axes[0], film.scaling.scale.tolist()
    mean = vector([axis.own(exact.mean)], 4, scales)
    std = vector([axis.differences.own(exact.std)], 4, scales)
    note = f" exact at this {where}: integral {exact.integral:.6f}   mean {mean}   std {std}"
    rows = height - 1
    left = width // 2
    grid = torch.linspace(low, high, 2 * width, dtype=torch.float64)[:, None]
    exact_cdf = film.truth(look.place).cdf(grid).tolist()
    cdf = Curve(grid.flatten().tolist(), exact_cdf, "truth", label="exact cdf")
    curves = [cdf]
    points = np.sort(film.at(look.place)[:, 0].astype(np.float64))
    points = points[np.isfinite(points)]
    if look.truth and len(points):
        share = np.searchsorted(points, grid.flatten().numpy()) / len(points)
        curves.append(
            Curve(
                grid.flatten().tolist(),
                share.tolist(),
                role_of(film),
                marker="dashed",
                label=f"cdf of {source_name(film)}",
            )
        )
    pdf_figure = Figure(
        curves=(_pdf_curve(film, look.place, low, high, 2 * left),),
        x_range=(low, high),
        x_axis=axis,
        y_axis=axis.densities,
    )
    cdf_figure = Figure(curves=tuple(curves), x_range=(low, high), y_range=(0.0, 1.05), x_axis=axis)
    pair = beside(
        draw(pdf_figure, left, rows, palette, glyphs),
        draw(cdf_figure, width - left, rows, palette, glyphs),
    )
    return [*pair, text_line(note, width, palette, "text", glyphs)]


def denoiser(
    film: Film, look: Look, width: int, height: int, palette: Palette, glyphs: Glyphs
) -> list[Strip]:
    """Draw x0_hat (left) and the score (right) as functions of x, with the exact ones."""
    level = min(look.level, film.levels - 1)
    low, high = _range_1d(film, Look(level, "close-up", look.truth, look.zoom))
    left = (width + 1) // 2
    grid = torch.linspace(low, high, 2 * left)[:, None]
    xs = grid[:, 0].tolist()
    prediction, exact = film.ask(grid, level), film.ask_ideal(grid, level)

    axis = film.scaling.axes[0]

    def figure(title: str, of_network: list[float], of_truth: list[float], up: Axis) -> Figure:
        curves = [Curve(xs, of_truth, "truth", label="exact")]
        if film.wish.source == "network":
            curves.append(Curve(xs, of_network, role_of(film), label="network"))
        # The exact curve covers the window; the network's covers only the range of most points.
        quarter = len(xs) // 4
        heights = [*of_truth, *of_network[quarter:-quarter]]
        finite = [value for value in heights if np.isfinite(value)]
        room = 0.1 * (max(finite) - min(finite)) or 1.0
        span = (min(finite) - room, max(finite) + room)
        return Figure(
            curves=tuple(curves),
            x_range=(low, high),
            y_range=span,
            x_label="x",
            y_label=title,
            v_lines=(Rule(float(film.truth(level).mean()[0]), "grid"),),
            x_axis=axis,
            y_axis=up,
        )

    x0 = figure("x0_hat", prediction.x0_hat[:, 0].tolist(), exact.x0_hat[:, 0].tolist(), axis)
    score = figure(
        "score", prediction.score[:, 0].tolist(), exact.score[:, 0].tolist(), axis.densities
    )
    return beside(
        draw(x0, left, height, palette, glyphs),
        draw(score, width - left, height, palette, glyphs),
    )

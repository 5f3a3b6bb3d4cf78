"""Every view of a film and of the losses, as lines of a terminal.

Pure functions of what is to be seen, its size and its colours; they know no widget.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from textual.geometry import Region
from textual.strip import Strip

from ..core.datasets import make_mixture
from ..core.experiment import DataConfig, ScheduleConfig
from ..core.metrics import nearest_mode
from ..core.mixtures import GaussianMixture
from ..core.schedules import make_schedule
from .dots import (
    Layer,
    Mark,
    Range,
    bin_points,
    braille,
    cells_of,
    circle,
    density,
    equal_ranges,
    place,
    shade,
)
from .film import Film, Floats
from .glyphs import Glyphs
from .palette import Palette
from .plot import Curve, Figure, Rule, band, draw, frame, inner_size
from .reduction import envelope, smoothed

VIEWS_1D = ("histogram", "close-up", "pdf and cdf", "mean and std")
VIEWS_2D = ("scatter", "close-up", "density", "mean and std")

_TRUTH_SHARE = 0.95
_TRUTH_RADIUS = (-2 * np.log(1 - _TRUTH_SHARE)) ** 0.5
"""In std, the radius of the circle that holds that share of a Gaussian in the plane."""

_MARKED_MODES = 16
_FAINTEST = 0.01
"""Share of the greatest density under which none is drawn."""
_MAGNIFIER_FROM = 70
"""Columns from which the close-up has room beside a histogram."""
_PAIR_FROM = 50
"""Columns from which the exact density has room beside the points."""


def views_of(dim: int) -> tuple[str, ...]:
    """The views of points with this many coordinates, in the order of the key ``v``."""
    return VIEWS_1D if dim == 1 else VIEWS_2D


@dataclass(frozen=True)
class Look:
    """How a film is looked at. ``zoom`` 0 shows everything; each step shows 1/√2 of it."""

    level: int
    view: str
    truth: bool = True
    zoom: int = 0


def picture(
    film: Film, look: Look, width: int, height: int, palette: Palette, glyphs: Glyphs
) -> list[Strip]:
    """The film at a level in a view, as ``height`` lines of ``width`` cells."""
    if width < 16 or height < 6:
        return [Strip.blank(width)] * height
    match look.view:
        case "histogram" | "close-up" if film.dim == 1:
            return _line(film, look, width, height, palette, glyphs)
        case "pdf and cdf":
            return _pdf_cdf(film, look, width, height, palette, glyphs)
        case "mean and std":
            return _moments(film, look, width, height, palette, glyphs)
        case _:
            return _plane(film, look, width, height, palette, glyphs)


def source_name(film: Film) -> str:
    """What the points are, for a legend."""
    match film.wish.source:
        case "forward":
            return "true data"
        case "ideal":
            return "ideal denoiser"
        case _:
            return "network"


def _role(film: Film) -> str:
    return {"forward": "start", "ideal": "ideal", "network": "network"}[film.wish.source]


# --- one dimension -------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def _extent(data: DataConfig, schedule: ScheduleConfig) -> tuple[Floats, float]:
    """Centre (d,) and half width that hold the truth of every level to 3.2 std."""
    lows, highs = [], []
    for level in range(schedule.count + 1):
        truth = _truth(data, schedule, level)
        reach = 3.2 * truth.stds[:, None]
        lows.append((truth.means - reach).min(0).values)
        highs.append((truth.means + reach).max(0).values)
    low, high = torch.stack(lows).min(0).values.numpy(), torch.stack(highs).max(0).values.numpy()
    return (low + high) / 2, float((high - low).max() / 2)


def _extent_of(film: Film) -> tuple[Floats, float]:
    return _extent(film.wish.experiment.data, film.wish.experiment.schedule)


def _truth(data: DataConfig, schedule: ScheduleConfig, level: int) -> GaussianMixture:
    """The exact distribution at a level."""
    levels = make_schedule(schedule)
    return make_mixture(data).noised(float(levels.alphas[level]), float(levels.sigmas[level]))


def _range_1d(film: Film, look: Look) -> Range:
    centre, half = _extent_of(film)
    if look.view == "close-up":
        truth = film.truth(look.level)
        middle = float(truth.mean()[0])
        points = film.x[look.level, :, 0]
        finite = points[np.isfinite(points)]
        reach = 4.5 * float(truth.std()[0])
        if len(finite):
            spread = float(np.quantile(np.abs(finite - middle), 0.98)) * 1.1
            reach = max(reach, min(spread, 4 * reach))
        half = reach
    elif look.zoom:
        # Zooming goes towards the data, since there the density is narrow.
        shown = half * 2 ** (-look.zoom / 2)
        data = float(film.mixture.mean()[0])
        middle = float(np.clip(data, centre[0] - half + shown, centre[0] + half - shown))
        return middle - shown, middle + shown
    else:
        middle = float(centre[0])
    half *= 2 ** (-look.zoom / 2) if look.view == "close-up" else 1
    return middle - half, middle + half


def _line(
    film: Film, look: Look, width: int, height: int, palette: Palette, glyphs: Glyphs
) -> list[Strip]:
    """The histogram over the stretch of all levels and, where there is room, near by."""
    if look.view == "close-up" or look.zoom or width < _MAGNIFIER_FROM:
        return draw(_histogram(film, look, width), width, height, palette, glyphs)
    left = width * 3 // 5
    near = Look(look.level, "close-up", look.truth)
    return beside(
        draw(_histogram(film, look, left), left, height, palette, glyphs),
        draw(_histogram(film, near, width - left), width - left, height, palette, glyphs),
    )


def _histogram(film: Film, look: Look, width: int) -> Figure:
    low, high = _range_1d(film, look)
    bins = max(8, min(width - 8, 90))
    points = film.x[look.level, :, 0].astype(np.float64)
    counts, edges = np.histogram(points[np.isfinite(points)], bins=bins, range=(low, high))
    heights = counts / (max(len(points), 1) * (edges[1] - edges[0]))
    middles = (edges[:-1] + edges[1:]) / 2
    curves = [
        Curve(
            middles.tolist(),
            heights.tolist(),
            "bars",
            marker="blocks",
            label=source_name(film),
            fill=True,
        )
    ]
    if look.truth:
        curves.append(_pdf_curve(film, look.level, low, high, 2 * bins))
    return Figure(curves=tuple(curves), x_range=(low, high), y_label=look.view, x_label="x")


def _pdf_curve(film: Film, level: int, low: float, high: float, count: int) -> Curve:
    """The exact density, averaged over each short stretch: a narrow peak is not stepped over."""
    edges = torch.linspace(low, high, count + 1, dtype=torch.float64)[:, None]
    cdf = film.truth(level).cdf(edges)
    pdf = (cdf.diff() * count / (high - low)).tolist()
    middles = ((edges[:-1] + edges[1:]) / 2).flatten().tolist()
    return Curve(middles, pdf, "truth", label="exact pdf")


def _pdf_cdf(
    film: Film, look: Look, width: int, height: int, palette: Palette, glyphs: Glyphs
) -> list[Strip]:
    """The exact pdf and cdf side by side, with what integrating them gives in the last line."""
    from ..core.exact import density as exact_density

    low, high = _range_1d(film, Look(look.level, "close-up", look.truth, look.zoom))
    exact = exact_density(film.mixture, film.alpha(look.level), film.sigma(look.level))
    note = (
        f" exact at this level: integral {exact.integral:.6f}   "
        f"mean {exact.mean:.4f}   std {exact.std:.4f}"
    )
    rows = height - 1
    left = width // 2
    grid = torch.linspace(low, high, 2 * width, dtype=torch.float64)[:, None]
    cdf = Curve(
        grid.flatten().tolist(), film.truth(look.level).cdf(grid).tolist(), "truth", label="cdf"
    )
    curves = [cdf]
    points = np.sort(film.x[look.level, :, 0].astype(np.float64))
    points = points[np.isfinite(points)]
    if look.truth and len(points):
        share = np.searchsorted(points, grid.flatten().numpy()) / len(points)
        curves.append(
            Curve(
                grid.flatten().tolist(),
                share.tolist(),
                _role(film),
                marker="dashed",
                label=f"cdf of {source_name(film)}",
            )
        )
    pdf_figure = Figure(
        curves=(_pdf_curve(film, look.level, low, high, 2 * left),), x_range=(low, high)
    )
    cdf_figure = Figure(curves=tuple(curves), x_range=(low, high), y_range=(0.0, 1.05))
    pair = beside(
        draw(pdf_figure, left, rows, palette, glyphs),
        draw(cdf_figure, width - left, rows, palette, glyphs),
    )
    return [*pair, text_line(note, width, palette, "text", glyphs)]


# --- two dimensions ------------------------------------------------------------------------------


def _plane(
    film: Film, look: Look, width: int, height: int, palette: Palette, glyphs: Glyphs
) -> list[Strip]:
    """Points in the plane and, where there is room, the exact density beside them.

    Both axes are to one scale, and the same at every level (but in the close-up).
    """
    if not look.truth or look.view == "close-up" or width < _PAIR_FROM:
        return _points(film, look, width, height, palette, glyphs)
    left = (width + 1) // 2
    return beside(
        _points(film, look, left, height, palette, glyphs),
        _exact(film, look, width - left, height, palette, glyphs),
    )


def _points(
    film: Film, look: Look, width: int, height: int, palette: Palette, glyphs: Glyphs
) -> list[Strip]:
    close = look.view == "close-up"
    points = _about_modes(film, look.level) if close else film.x[look.level]
    ranges, lines, region = _framed(film, look, width, height, palette, glyphs)
    size = (region.width, region.height)
    if look.view == "density":
        inner = shade(density(points, *ranges, *size), *size, palette, glyphs)
        return place(lines, inner, region.x, region.y)
    dots = bin_points(points, *ranges, *size)
    layers, marks = [Layer(dots, _role(film))], []
    if look.truth:
        # A cell shows the first layer with dots in it, and a ring in a cloud must be seen.
        layers.insert(0, Layer(_ring(film, look, ranges, size), "truth"))
        marks = _mode_marks(film, look, dots, ranges, size)
    inner = braille(layers, marks, *size, palette, glyphs)
    return place(lines, inner, region.x, region.y)


def _exact(
    film: Film, look: Look, width: int, height: int, palette: Palette, glyphs: Glyphs
) -> list[Strip]:
    legend = [("▇", "exact density", "truth")]
    ranges, lines, region = _framed(film, look, width, height, palette, glyphs, legend)
    size = (region.width, region.height)
    experiment = film.wish.experiment
    grid = _exact_grid(experiment.data, experiment.schedule, look.level, ranges, size)
    return place(lines, shade(grid, *size, palette, glyphs), region.x, region.y)


def _framed(
    film: Film,
    look: Look,
    width: int,
    height: int,
    palette: Palette,
    glyphs: Glyphs,
    legend: Sequence[tuple[str, str, str]] | None = None,
) -> tuple[tuple[Range, Range], list[Strip], Region]:
    """Ranges, axes, and the place inside them."""
    middle, half = _window_2d(film, look)
    shown = tuple(_plane_legend(film, look) if legend is None else legend)
    return _axes(middle, half, width, height, palette, glyphs, shown)


@lru_cache(maxsize=64)
def _axes(
    middle: tuple[float, float],
    half: float,
    width: int,
    height: int,
    palette: Palette,
    glyphs: Glyphs,
    legend: tuple[tuple[str, str, str], ...],
) -> tuple[tuple[Range, Range], list[Strip], Region]:
    """Axes to one scale, kept since they are the same at every level."""
    # The frame's inside depends on the width of its labels, and these on the ranges: twice is
    # enough for both to settle.
    size = inner_size(width, height)
    for _ in range(2):
        ranges = equal_ranges(middle, half, *size)
        lines, region = frame(*ranges, width, height, palette, glyphs, legend=legend)
        size = (region.width, region.height)
    return ranges, lines, region


def _plane_legend(film: Film, look: Look) -> list[tuple[str, str, str]]:
    name = source_name(film)
    if look.view == "density":
        return [("▇", f"density of {name}", "truth")]
    entries = [("•", name, _role(film))]
    if look.truth:
        if film.mixture.modes <= _MARKED_MODES and look.view != "close-up":
            entries.append(("○", "mode", "mark"))
        entries.append(("─", f"{_TRUTH_SHARE:.0%} of truth", "truth"))
    return entries


def _window_2d(film: Film, look: Look) -> tuple[tuple[float, float], float]:
    """Centre and half width of what is shown of the plane."""
    if look.view == "close-up":
        widest = float(film.truth(look.level).stds.max())
        return (0.0, 0.0), 5 * widest * 2 ** (-look.zoom / 2)
    centre, half = _extent_of(film)
    return (float(centre[0]), float(centre[1])), half * 2 ** (-look.zoom / 2)


def _about_modes(film: Film, level: int) -> NDArray[np.float64]:
    """Points (n, 2) as seen from the mode that each is nearest to."""
    x = torch.from_numpy(film.x[level]).double()
    truth = film.truth(level)
    _, nearest = nearest_mode(x, truth)
    return np.asarray((x - truth.means[nearest]).numpy())


def _mode_marks(
    film: Film,
    look: Look,
    dots: NDArray[np.bool_],
    ranges: tuple[Range, Range],
    size: tuple[int, int],
) -> list[Mark]:
    """A circle at every mode, filled where points are."""
    if film.mixture.modes > _MARKED_MODES or look.view == "close-up":
        return []
    marks = []
    for cell in cells_of(film.truth(look.level).means.numpy(), *ranges, *size):
        if cell is None:
            continue
        x, y = cell
        reached = dots[4 * y : 4 * y + 4, 2 * x : 2 * x + 2].any()
        marks.append(Mark(x, y, "●", _role(film)) if reached else Mark(x, y, "○", "mark"))
    return marks


def _ring(
    film: Film, look: Look, ranges: tuple[Range, Range], size: tuple[int, int]
) -> NDArray[np.bool_]:
    """Dots along the line within which most of the truth lies."""
    experiment = film.wish.experiment
    if look.view == "close-up":
        std = float(film.truth(look.level).stds.max())
        return bin_points(circle((0.0, 0.0), std * _TRUTH_RADIUS), *ranges, *size)
    return _contour(experiment.data, experiment.schedule, look.level, ranges, size)


def _lattice(ranges: tuple[Range, Range], columns: int, rows: int) -> torch.Tensor:
    """Points (rows·columns, 2) of a lattice over the ranges, the top row first."""
    xs = torch.linspace(*ranges[0], columns, dtype=torch.float64)
    ys = torch.linspace(ranges[1][1], ranges[1][0], rows, dtype=torch.float64)
    grid_y, grid_x = torch.meshgrid(ys, xs, indexing="ij")
    return torch.stack((grid_x.flatten(), grid_y.flatten()), 1)


@lru_cache(maxsize=256)
def _exact_grid(
    data: DataConfig,
    schedule: ScheduleConfig,
    level: int,
    ranges: tuple[Range, Range],
    size: tuple[int, int],
) -> Floats:
    """The exact density (2·height, width), blurred to the size of a cell so that a spike shows."""
    width, height = size
    cell = (ranges[0][1] - ranges[0][0]) / max(width, 1)
    truth = _truth(data, schedule, level).noised(1.0, cell / 2)
    values = truth.log_prob(_lattice(ranges, width, 2 * height)).exp().numpy()
    # The faintest shade starts where it means something.
    values[values < _FAINTEST * values.max()] = 0.0
    return np.asarray(values).reshape(2 * height, width)


@lru_cache(maxsize=256)
def _contour(
    data: DataConfig,
    schedule: ScheduleConfig,
    level: int,
    ranges: tuple[Range, Range],
    size: tuple[int, int],
) -> NDArray[np.bool_]:
    """Dots (4·height, 2·width) along the line that holds 95 % of the exact density.

    None where a component is no larger than a cell: a ring that small hides what it is about.
    """
    width, height = size
    truth = _truth(data, schedule, level)
    cell = (ranges[0][1] - ranges[0][0]) / max(width, 1)
    if float(truth.stds.max()) * _TRUTH_RADIUS < 1.5 * cell:
        return np.zeros((4 * height, 2 * width), dtype=np.bool_)
    sample = truth.sample(4000, torch.Generator().manual_seed(0), dtype=torch.float64)
    threshold = torch.quantile(truth.log_prob(sample), 1 - _TRUTH_SHARE)
    rows, columns = 4 * height, 2 * width
    inside = (truth.log_prob(_lattice(ranges, columns, rows)) >= threshold).numpy()
    inside = inside.reshape(rows, columns)
    padded = np.pad(inside, 1)
    kernel = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return np.asarray(inside & ~kernel)


# --- over the levels -----------------------------------------------------------------------------


def _moments(
    film: Film, look: Look, width: int, height: int, palette: Palette, glyphs: Glyphs
) -> list[Strip]:
    """Mean (left) and std (right) of every coordinate over the levels, against the goal."""
    mean, std, goal_mean, goal_std = film.moments
    levels = [float(k) for k in range(film.levels + 1)]
    names = ("x", "y") if film.dim == 2 else ("",)
    roles = (_role(film), "second")

    def figure(what: str, seen: Floats, goal: Floats, log: bool) -> Figure:
        curves = []
        for j, name in enumerate(names):
            label = f"{what} {name}".strip()
            curves.append(
                Curve(levels, goal[:, j].tolist(), "goal", marker="dashed",
                      label="goal" if j == 0 else None)
            )  # fmt: skip
            curves.append(Curve(levels, seen[:, j].tolist(), roles[j], label=label))
        rules = (Rule(float(look.level), "grid"),)
        return Figure(
            curves=tuple(curves),
            v_lines=rules,
            x_range=(0.0, float(film.levels)),
            x_label="level",
            log_y=log,
        )

    left = width // 2
    return beside(
        draw(figure("mean", mean, goal_mean, False), left, height, palette, glyphs),
        draw(figure("std", std, goal_std, True), width - left, height, palette, glyphs),
    )


# --- losses --------------------------------------------------------------------------------------


def loss_figure(
    losses: NDArray[np.float32],
    steps: int,
    width: int,
    *,
    log: bool,
    stages: Sequence[int] = (),
) -> Figure:
    """Losses so far over all the steps there will be: raw as an envelope, and smoothed.

    The axis spans the whole training and the range moves in whole decades, so that a new step
    changes only what is new. ``stages`` are steps at which another network's turn begins.
    """
    done = len(losses)
    columns = max(1, min(done, round(2 * (width - 8) * done / max(steps, 1))))
    xs, lows, highs = envelope(losses, columns)
    smooth_x, smooth = smoothed(losses, columns, max(1, min(done // 3, steps // 50)))
    curves = (
        band(xs, lows, highs, "raw", label="raw"),
        Curve(smooth_x.tolist(), smooth.tolist(), "smooth", label="smoothed"),
    )
    rules = tuple(Rule(float(step), "grid") for step in stages)
    return Figure(
        curves=curves,
        x_range=(0.0, float(max(steps, 1))),
        y_range=_loss_range(lows, highs, log),
        v_lines=rules,
        x_label="step",
        log_y=log,
    )


def _loss_range(lows: Floats, highs: Floats, log: bool) -> Range | None:
    finite_high = highs[np.isfinite(highs)]
    finite_low = lows[np.isfinite(lows)]
    if not len(finite_high):
        return None
    top = float(finite_high.max())
    if not log:
        # Early losses may be huge; the axis follows all but the first few columns.
        settled = float(np.quantile(finite_high, 0.98))
        return (0.0, (settled if settled > 0 else top or 1.0) * 1.15)
    positive = finite_low[finite_low > 0]
    if not len(positive) or top <= 0:
        return None
    bottom = max(float(positive.min()), top * 1e-12)
    return _decade(bottom, down=True), _decade(top, down=False)


def _decade(value: float, *, down: bool) -> float:
    """The half decade below or above a value."""
    place_ = np.log10(value) * 2
    return float(10 ** ((np.floor(place_) if down else np.ceil(place_ + 1e-9)) / 2))


# --- composition ---------------------------------------------------------------------------------


def beside(left: Sequence[Strip], right: Sequence[Strip]) -> list[Strip]:
    """Two pictures of one height next to each other."""
    return [Strip.join([one, other]) for one, other in zip(left, right, strict=True)]


def text_line(text: str, width: int, palette: Palette, role: str, glyphs: Glyphs) -> Strip:
    """One line of text in a role's colour, cut or filled to a width."""
    from rich.segment import Segment

    from .dots import plain

    return Strip([Segment(plain(text, glyphs), palette.style(role))]).adjust_cell_length(width)

"""The views of a denoising as figures, by their names in `views`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from ...core.arrays import Floats
from ...core.axes import AS_IT_IS, Axis
from ...core.interpolation import interpolate
from ...core.trajectory_view import FOLLOWED, averaged_pdf, interval_centres, path_to
from ..groups import Groups, first
from ..scene import Animation, Scene
from ..views import BY_NAME, GRID, TRAINING_VIEWS, has_level
from . import densities, guided, learning_curves
from .compose import panels_for
from .figure import Arrows, Curves, Dots, Figure, Layer, PicturePanel, Shade, curve
from .panels import (
    EXACT,
    line_panel,
    near_panel,
    plane_panel,
    points_panel,
    truth_marks,
    window,
)
from .theme import MAKERS

_MOST_PANELS = 12
_ARROWS = 20
"""Number of arrows across a panel."""


def trajectory_figure(
    animation: Animation, view: str, position: float | None, size: tuple[int, int]
) -> Figure:
    """Return a view of a trajectory at a position between level 0 and N (None: N)."""
    if view == GRID:
        return grid(animation, size)
    if view in TRAINING_VIEWS:
        return learning_curves.training_figure(animation.exhibit, view)
    scene = animation.scene(animation.levels if position is None else position)
    return Figure(
        animation.exhibit.title,
        panels_of(animation, scene, view),
        note=f"{scene.name}   {scene.words}" if has_level(view) else "",
        facts=facts(scene) if view != "mean and std" else (),
    )


def panels_of(animation: Animation, scene: Scene, view: str) -> tuple[PicturePanel, ...]:
    """Return the panels of a view of a trajectory's points."""
    entry = BY_NAME[view]
    name = entry.line if animation.dim == 1 else entry.plane
    function: Callable[[Animation, Scene], tuple[PicturePanel, ...]]
    homes = (vars(home) for home in (densities, guided))
    function = next(home[name] for home in (globals(), *homes) if name in home)
    return function(animation, scene)


def facts(scene: Scene) -> tuple[tuple[str, str, str], ...]:
    """Return mean and std of the points beside those of the truth."""
    if not len(scene.points):
        return ()
    return tuple((name, _numbers(seen), _numbers(true)) for name, seen, true in scene.moments)


def _numbers(values: Floats) -> str:
    def short(value: float) -> str:
        plain = value == 0 or 1e-3 <= abs(value) < 1e5
        return f"{round(value, 3) + 0.0:.3f}" if plain else f"{value:.6g}"

    return ", ".join(map(short, values.tolist()))


def grid(animation: Animation, size: tuple[int, int]) -> Figure:
    """Return the points at as many levels as fit, from noise to clean in reading order."""

    def panel(level: int) -> PicturePanel:
        scene = animation.scene(float(level))
        if animation.dim == 1:
            return line_panel(animation, scene, scene.name, scene.notes, near=True)
        return points_panel(animation, scene, scene.name, scene.notes)

    count = panels_for(size, min(_MOST_PANELS, animation.levels + 1), panel(animation.levels))
    near = animation.dim == 1 or animation.closes_in
    return Figure(
        animation.exhibit.title,
        tuple(map(panel, animation.chosen(count))),
        note="axes follow the noise" if near else "",
    )


# --- the plane -----------------------------------------------------------------------------------


def scatter_panels(animation: Animation, scene: Scene) -> tuple[PicturePanel, ...]:
    exact = (Shade(scene.truth, EXACT), *truth_marks(scene))
    return (
        points_panel(animation, scene, animation.exhibit.maker, shade=False),
        plane_panel(animation, scene, exact, EXACT),
    )


def close_up_panels(animation: Animation, scene: Scene) -> tuple[PicturePanel, ...]:
    if animation.dim == 1:
        return (line_panel(animation, scene, near=True),)
    return (near_panel(animation, scene),)


def density_panels(animation: Animation, scene: Scene) -> tuple[PicturePanel, ...]:
    maker = animation.exhibit.maker
    marks = truth_marks(scene)
    return (
        plane_panel(
            animation, scene, (Shade(scene.points, "density"), *marks), f"density of {maker}"
        ),
        plane_panel(animation, scene, (Shade(scene.truth, "density"), *marks), EXACT),
    )


def plane_path_panels(animation: Animation, scene: Scene) -> tuple[PicturePanel, ...]:
    def panel(x: Floats, maker: str) -> PicturePanel:
        way = path_to(x[:, :FOLLOWED], scene.position)
        lanes, groups = way.transpose(1, 0, 2), first(animation.groups, way.shape[1])
        layers: tuple[Layer, ...] = (
            *_curves(lanes, groups, MAKERS[maker], f"path of {maker}", 1.0, 0.6),
            Dots(way[-1], MAKERS[maker], maker, groups=groups),
        )
        return plane_panel(animation, scene, layers, f"{maker}, {way.shape[1]} points")

    return _beside_ideal(animation, panel)


def _curves(
    lanes: Floats, groups: Groups | None, role: str, label: str, width: float, opacity: float
) -> list[Curves]:
    """Return the paths (k, m, 2) of points, in the colours of their groups if they have any."""
    if groups is None:
        return [Curves(lanes, role, label, width, opacity)]
    return [
        Curves(lanes[groups.index == k], groups.groups[k].role, "", width, opacity)
        for k in groups.present
    ]


def _beside_ideal(
    animation: Animation, panel: Callable[[Floats, str], PicturePanel]
) -> tuple[PicturePanel, ...]:
    """Return a panel of the points and, unless they are the ideal ones, one of the ideal points."""
    own = panel(animation.x, animation.exhibit.maker)
    if animation.exhibit.maker != "network":
        return (own,)
    return own, panel(animation.ideal_x, "ideal denoiser")


def score_panels(animation: Animation, scene: Scene) -> tuple[PicturePanel, ...]:
    """Return the network's score beside the exact one, each as the way that removes the noise."""
    grid = _ScoreGrid.of(animation, scene)
    exact = grid.panel(grid.ideal, "truth", "exact score")
    if animation.exhibit.maker != "network":
        return (exact,)
    return grid.panel(grid.own, "network", "score of network"), exact


def score_error_panels(animation: Animation, scene: Scene) -> tuple[PicturePanel, ...]:
    """Return the difference of the network's score from the exact one, at a scale of its own."""
    grid = _ScoreGrid.of(animation, scene)
    exact = grid.panel(grid.ideal, "truth", "exact score")
    if animation.exhibit.maker != "network":
        return (exact,)
    error = grid.own - grid.ideal
    lengths = np.hypot(*error.T)
    lengths = lengths[np.isfinite(lengths)]
    scale = grid.longest / max(float(np.quantile(lengths, 0.9)) if len(lengths) else 1.0, 1e-300)
    scale = min(scale, 1e4)
    title = "score of network − exact"
    return grid.panel(scale * error, "network", title, f"{scale:.2g} times as long"), exact


@dataclass(frozen=True, eq=False)
class _ScoreGrid:
    """Scores of a level on a grid, (g, 2) each, times σ²: the displacement that removes the noise.

    An arrow is at most ``longest``.
    """

    animation: Animation
    scene: Scene
    positions: Floats
    own: Floats
    ideal: Floats
    longest: float

    @classmethod
    def of(cls, animation: Animation, scene: Scene) -> _ScoreGrid:
        """Compute the scores at a scene's level, or at the last one with noise."""
        level = min(scene.level, animation.levels - 1)
        at = animation.scene(float(level), scene.shown)
        ranges = plane_panel(animation, at, ())
        middles = [
            low + (np.arange(_ARROWS) + 0.5) / _ARROWS * (high - low)
            for low, high in (ranges.xs, ranges.ys)
        ]
        positions = np.stack(np.meshgrid(*middles), -1).reshape(-1, 2)
        own, ideal = (
            animation.predictions(positions, level, ideal=ideal)[1] * at.sigma**2
            for ideal in (False, True)
        )
        longest = 0.9 * (ranges.xs[1] - ranges.xs[0]) / _ARROWS
        return cls(animation, at, positions, own, ideal, longest)

    def panel(self, vectors: Floats, role: str, title: str, note: str = "") -> PicturePanel:
        """Return a panel of arrows, of which long ones are cut."""
        length = np.hypot(*vectors.T)[:, None]
        vectors = vectors * np.minimum(1, self.longest / np.maximum(length, 1e-300))
        arrows = Arrows(self.positions - vectors / 2, vectors, role, title)
        notes = (note,) if note else ()
        layers = (arrows, *truth_marks(self.scene))
        return plane_panel(self.animation, self.scene, layers, title, notes)


def estimate_panels(animation: Animation, scene: Scene) -> tuple[PicturePanel, ...]:
    seen, exact = animation.estimates(min(scene.level, animation.levels - 1))
    clean = animation.scene(float(animation.levels), scene.shown)

    def panel(points: Floats, maker: str) -> PicturePanel:
        name, finite = f"x0_hat of {maker}", np.asarray(np.isfinite(points).all(1))
        groups = first(animation.groups, len(points))
        groups = None if groups is None else groups.of(finite)
        dots = Dots(points[finite], MAKERS[maker], name, groups=groups)
        return plane_panel(animation, clean, (dots, *truth_marks(clean)), name)

    own = panel(seen, animation.exhibit.maker)
    if animation.exhibit.maker != "network":
        return (own,)
    return own, panel(exact, "ideal denoiser")


# --- the line ------------------------------------------------------------------------------------


def histogram_panels(animation: Animation, scene: Scene) -> tuple[PicturePanel, ...]:
    return line_panel(animation, scene, "all levels"), line_panel(
        animation, scene, "close-up", near=True
    )


def pdf_cdf_panels(animation: Animation, scene: Scene) -> tuple[PicturePanel, ...]:
    xs = window(animation, scene, True)
    at = interval_centres(xs, 600)
    pdf = averaged_pdf(scene.truth, xs, len(at))
    cdf = scene.truth.cdf(torch.from_numpy(at)[:, None]).numpy()
    seen = np.searchsorted(np.sort(scene.points[:, 0]), at) / max(len(scene.points), 1)
    maker = animation.exhibit.maker
    own = Curves(curve(at, seen), MAKERS[maker], f"cdf of {maker}", dashed=True)
    exact_pdf = Curves(curve(at, pdf), "truth", "exact")
    exact = Curves(curve(at, cdf), "truth", "exact")
    axis = animation.axes[0]
    return (
        PicturePanel(xs, (0.0, 1.12 * float(pdf.max())), (exact_pdf,), "pdf", (), "x", "density",
                     axes=(axis, axis.densities)),
        PicturePanel(xs, (0.0, 1.05), (exact, own), "cdf", (), "x", axes=(axis, AS_IT_IS)),
    )  # fmt: skip


def line_path_panels(animation: Animation, scene: Scene) -> tuple[PicturePanel, ...]:
    centre, half = animation.extent
    span = (float(centre[0]) - half, float(centre[0]) + half)
    levels = np.arange(animation.levels + 1.0)

    def panel(x: Floats, maker: str) -> PicturePanel:
        values = x[:, :FOLLOWED, 0].T
        lanes = np.stack([np.broadcast_to(levels, values.shape), values], -1)
        here = np.array([interpolate(lane, scene.position) for lane in lanes])
        seen = np.concatenate((lanes[:, : scene.level + 1], here[:, None]), 1)
        role, groups = MAKERS[maker], first(animation.groups, len(lanes))
        layers: tuple[Layer, ...] = (
            Curves(lanes, "faint", "to come" if not scene.clean else "", 0.8, 0.5),
            *_curves(seen, groups, role, f"path of {maker}", 1.2, 0.8),
            Dots(here, role, "" if groups is None else maker, groups=groups),
        )
        title = f"{maker}, {len(values)} points"
        axes = (AS_IT_IS, animation.axes[0])
        return PicturePanel(
            (0.0, float(animation.levels)), span, layers, title, (), "level", "x", axes=axes
        )

    return _beside_ideal(animation, panel)


def denoiser_panels(animation: Animation, scene: Scene) -> tuple[PicturePanel, ...]:
    """Return x0_hat and the score as functions of x, beside the exact ones."""
    level = min(scene.level, animation.levels - 1)
    xs = window(animation, animation.scene(float(level), scene.shown), True)
    at = interval_centres(xs, 300)
    seen, exact = (
        animation.predictions(at[:, None], level, ideal=ideal) for ideal in (False, True)
    )

    def panel(name: str, of_network: Floats, of_truth: Floats, up: Axis) -> PicturePanel:
        layers = [Curves(curve(at, of_truth[:, 0]), "truth", "exact", 2.5)]
        if animation.exhibit.maker == "network":
            own = Curves(curve(at, of_network[:, 0]), "network", "network", dashed=True)
            layers.append(own)
        # The exact curve covers the window; the network's covers only the range of most points.
        quarter = len(at) // 4
        shown = np.concatenate([of_truth[:, 0], of_network[quarter:-quarter, 0]])
        return PicturePanel(xs, spread(shown), tuple(layers), name, (), "x", axes=(axis, up))

    axis = animation.axes[0]
    return (
        panel("x0_hat", seen[0], exact[0], axis),
        panel("score", seen[1], exact[1], axis.densities),
    )


def line_error_panels(animation: Animation, scene: Scene) -> tuple[PicturePanel, ...]:
    """Return the network's score minus the exact one, as a function of x."""
    level = min(scene.level, animation.levels - 1)
    xs = window(animation, animation.scene(float(level), scene.shown), True)
    at = interval_centres(xs, 300)
    seen, exact = (
        animation.predictions(at[:, None], level, ideal=ideal)[1][:, 0] for ideal in (False, True)
    )
    error = seen - exact
    quarter = len(at) // 4
    axis = animation.axes[0]
    layers = (
        Curves(curve(np.array(xs), np.zeros(2)), "truth", "exact", 1.5, dashed=True),
        Curves(curve(at, error), MAKERS[animation.exhibit.maker], "score − exact"),
    )
    span = spread(np.append(error[quarter:-quarter], 0.0))
    return (
        PicturePanel(xs, span, layers, "error of the score", (), "x", axes=(axis, axis.densities)),
    )


# --- over the levels -----------------------------------------------------------------------------


def moments_panels(animation: Animation, scene: Scene) -> tuple[PicturePanel, ...]:
    """Return mean and std of every coordinate over the levels, beside the goal."""
    mean, std, goal_mean, goal_std = animation.moments
    levels = np.arange(animation.levels + 1.0)
    names = ("",) if animation.dim == 1 else (" of x", " of y")
    roles = (MAKERS[animation.exhibit.maker], "second")
    log = bool((std > 0).all() and (goal_std > 0).all())

    def panel(what: str, seen: Floats, goal: Floats, log: bool) -> PicturePanel:
        if log:
            seen, goal = np.log10(seen), np.log10(goal)
        layers = [
            layer
            for j, (name, role) in enumerate(zip(names, roles, strict=False))
            for layer in (
                Curves(curve(levels, seen[:, j]), role, f"{animation.exhibit.maker}{name}"),
                Curves(curve(levels, goal[:, j]), "truth", "exact", 1.5, dashed=True),
            )
        ]
        span = spread(np.concatenate([seen.ravel(), goal.ravel()]))
        return PicturePanel(
            (0.0, animation.levels), span, tuple(layers), what, (), "level", log_y=log
        )

    return panel("mean", mean, goal_mean, False), panel("std", std, goal_std, log)


def spread(values: Floats) -> tuple[float, float]:
    """Return a range with a margin around the finite values."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    room = 0.06 * (high - low) or 0.5 * abs(high) or 1.0
    return low - room, high + room

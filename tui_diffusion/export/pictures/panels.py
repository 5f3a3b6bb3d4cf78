"""Panels of points at one level, in the plane and on the line, with the exact distribution."""

from __future__ import annotations

import numpy as np

from ...core.arrays import Floats, Range
from ...core.trajectory_view import (
    CONTOUR_SHARE,
    MARKED_MODES,
    about_modes,
    averaged_pdf,
    close_up,
    interval_centres,
)
from ..groups import MOST_TICKS, crosses, stacked_counts
from ..scene import Animation, Scene
from .figure import Bars, Contour, Curves, Dots, Layer, PicturePanel, Rings, Shade, curve
from .theme import MAKERS

_NEAR = 4.5
"""Half width of a close-up in the plane, in std of the widest component."""

_PDF = 600
"""Number of points of an exact pdf."""

EXACT, INSIDE = "exact density", f"{CONTOUR_SHARE * 100:.0f} % of exact"


def plane_panel(
    animation: Animation,
    scene: Scene,
    layers: tuple[Layer, ...],
    title: str = "",
    notes: tuple[str, ...] = (),
) -> PicturePanel:
    """Return a panel with layers over the plane in the window of this level."""
    centre, half = animation.view(scene)
    return PicturePanel(
        (float(centre[0]) - half, float(centre[0]) + half),
        (float(centre[1]) - half, float(centre[1]) + half),
        layers,
        title,
        notes,
        *("x", "y"),
        square=True,
        axes=(animation.axes[0], animation.axes[1]),
    )


def truth_marks(scene: Scene) -> tuple[Layer, ...]:
    """Return the contour of the exact density, and a ring about every mode if there are few."""
    contour = Contour(scene.truth, label=INSIDE)
    if scene.truth.modes > MARKED_MODES:
        return (contour,)
    return contour, Rings(np.asarray(scene.truth.means.numpy()), label="mode")


def points_panel(
    animation: Animation,
    scene: Scene,
    title: str = "",
    notes: tuple[str, ...] = (),
    *,
    shade: bool = True,
) -> PicturePanel:
    """Return the points in the plane, with ``shade`` over the exact density."""
    ground = (Shade(scene.truth, EXACT),) if shade else ()
    maker = animation.exhibit.maker
    dots = Dots(scene.points, MAKERS[maker], maker, groups=scene.groups)
    layers = (*ground, dots, *training_points(animation, scene), *truth_marks(scene))
    return plane_panel(animation, scene, layers, title, notes)


def training_points(animation: Animation, scene: Scene, *, near: bool = False) -> tuple[Dots, ...]:
    """Return the training points of the plane as crosses, if they are few; or ``near`` a mode."""
    finite = animation.exhibit.training_set
    groups = crosses(finite)
    if finite is None or groups is None:
        return ()
    at = scene.alpha * finite.points.numpy()
    at = about_modes(at, scene.truth) if near else at
    return (Dots(at, "text", "training set", groups=groups),)


def near_panel(
    animation: Animation, scene: Scene, title: str = "each point from its mode"
) -> PicturePanel:
    """Return the points of the plane relative to their nearest modes."""
    one = scene.truth.about_means()
    half = _NEAR * one.widest
    maker = animation.exhibit.maker
    layers: tuple[Layer, ...] = (
        Shade(one, EXACT),
        Dots(about_modes(scene.points, scene.truth), MAKERS[maker], maker, groups=scene.groups),
        *training_points(animation, scene, near=True),
        Contour(one, label=INSIDE),
    )
    axes = (animation.axes[0].differences, animation.axes[1].differences)
    return PicturePanel(
        (-half, half), (-half, half), layers, title, (), "x", "y", square=True, axes=axes
    )


# --- the line ------------------------------------------------------------------------------------


def line_panel(
    animation: Animation,
    scene: Scene,
    title: str = "",
    notes: tuple[str, ...] = (),
    *,
    near: bool = False,
) -> PicturePanel:
    """Return the histogram of points on the line with the exact pdf."""
    xs = window(animation, scene, near)
    pdf = averaged_pdf(scene.truth, xs, _PDF)
    bins = 64
    bars = histogram(scene, xs, bins, animation.exhibit.maker)
    heights = bars[-1].heights
    layers: tuple[Layer, ...] = (
        *bars,
        Curves(curve(interval_centres(xs, _PDF), pdf), "truth", "exact pdf"),
        *training_ticks(animation, scene, xs),
    )
    axes = (animation.axes[0], animation.axes[0].densities)
    ys = (0.0, tallest(pdf, heights))
    return PicturePanel(xs, ys, layers, title, notes, "x", "density", axes=axes)


def training_ticks(animation: Animation, scene: Scene, xs: Range) -> tuple[Dots, ...]:
    """Return the training points on the line as crosses on the axis, if they are few."""
    finite = animation.exhibit.training_set
    groups = crosses(finite)
    if finite is None or groups is None or len(finite) > MOST_TICKS:
        return ()
    at = scene.alpha * finite.points[:, 0].numpy()
    inside = (xs[0] <= at) & (at <= xs[1])
    points = np.stack([at, np.zeros(len(at))], -1)[inside]
    return (Dots(points, "text", "training set", groups=groups.of(inside)),)


def window(animation: Animation, scene: Scene, near: bool) -> Range:
    """Return the range of the line that a 1D panel shows."""
    centre, half = animation.extent
    low, high = float(centre[0]) - half, float(centre[0]) + half
    if near:
        low, high = close_up(scene.points, scene.truth)
    spare = (1 - scene.shown) * (high - low) / 2
    return low + spare, high - spare


def histogram(scene: Scene, xs: Range, bins: int, maker: str) -> list[Bars]:
    """Return the density of the points in each bin; that of groups in stacked bars."""
    stacks, edges = stacked_counts(scene.points[:, 0], scene.groups, bins, xs)
    scale = max(len(scene.points), 1) * (xs[1] - xs[0]) / bins
    bars, below = list[Bars](), np.zeros(bins)
    for group, counts in stacks:
        tops = np.asarray(counts / scale, np.float64)
        role, label = MAKERS[maker], maker
        if group is not None and scene.groups is not None:
            role, label = group.role, f"{scene.groups.title} {group.name}".strip()
        bars.append(Bars(edges, tops, role, label, bases=below))
        below = tops
    return bars or [Bars(edges, below, MAKERS[maker], maker)]


def tallest(pdf: Floats, heights: Floats) -> float:
    """Return the top of a 1D panel; it holds the truth and a sample up to three times as tall."""
    return 1.12 * max(float(pdf.max()), min(float(heights.max()), 3 * float(pdf.max())), 1e-12)

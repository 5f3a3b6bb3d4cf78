"""What guidance makes of the data: the sample beside the guided ODE and the tilted density.

In the plane all three are points, so that they are shaded alike; on the line they are curves.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

import numpy as np
import torch

from ...core.analysis.guidance.tilted_density import NotNormalisableError
from ...core.arrays import Floats
from ...core.mixtures import GaussianMixture
from ...core.randomness import generator
from ...core.trajectory_view import averaged_pdf, interval_centres
from ..scene import Animation, Scene
from .densities import ACROSS, exact_alone
from .figure import Contour, Curves, Layer, PicturePanel, Shade, curve
from .panels import INSIDE, histogram, plane_panel, window

_STEPS = 16
"""Steps of the ODE from clean data on the line; a picture needs no more."""

_POINTS, _BINS = 4096, 64

_NONE = "no guidance: its weight is 1"

T = TypeVar("T")


def plane_guided_panels(animation: Animation, scene: Scene) -> tuple[PicturePanel, ...]:
    """Return the density of the sample, of the guided ODE, and the tilted one, in the plane."""
    scene, truth = animation.scene(float(scene.level), scene.shown), animation.guided
    if truth is None:
        return exact_alone(animation, scene, _NONE)
    at = scene.alpha, scene.sigma
    contour = Contour(truth.conditional(*at), label=INSIDE)

    def panel(points: Floats, name: str, title: str) -> PicturePanel:
        return plane_panel(animation, scene, (Shade(points, name), contour), title)

    maker = animation.exhibit.maker
    panels = [panel(scene.points, maker, f"density of {maker}")]
    guided = _once(animation, (scene.level, "guided"), lambda: _points(truth.guided(*at)))
    panels.append(panel(guided, "guided ODE", "exact guided ODE"))
    with suppress(NotNormalisableError):  # the report says why
        tilted = _once(
            animation, (scene.level, "tilted"), lambda: _points(truth.tilted_mixture(*at))
        )
        panels.append(panel(tilted, "tilted", "tilted density"))
    return tuple(panels)


def _points(mixture: GaussianMixture) -> Floats:
    """Draw points (n, d) from a mixture, the same ones each time."""
    return np.asarray(mixture.sample(_POINTS, generator(0, "guided")).numpy())


def _once(animation: Animation, key: tuple[object, ...], compute: Callable[[], T]) -> T:
    """Return what belongs to a level of the animation, computed on first use."""
    if key not in animation.densities:
        animation.densities[key] = compute()
    found: T = animation.densities[key]
    return found


def line_guided_panels(animation: Animation, scene: Scene) -> tuple[PicturePanel, ...]:
    """Return the histogram of the sample with the three densities on the line."""
    scene, truth = animation.scene(float(scene.level), scene.shown), animation.guided
    if truth is None:
        return exact_alone(animation, scene, _NONE)
    xs = window(animation, scene, True)
    centres = interval_centres(xs, ACROSS[1])
    x = torch.from_numpy(centres)[:, None]
    # A curve cannot show what is narrower than its intervals.
    cell, size = float(centres[1] - centres[0]), math.hypot(scene.alpha, scene.sigma)
    angle = math.atan2(scene.sigma, scene.alpha)
    raised = truth.conditional(scene.alpha, scene.sigma).narrowest < cell
    angle = max(angle, math.atan(cell / size)) if raised else angle
    at = size * math.cos(angle), size * math.sin(angle)

    def densities() -> list[tuple[Floats, str, str]]:
        curves = [(averaged_pdf(truth.conditional(*at), xs, len(centres)), "truth", "conditional")]
        with suppress(NotNormalisableError):  # the report says why
            curves.append((_exp(truth.tilted_log_prob(x, *at)), "second", "tilted"))
        guided = truth.guided_log_prob(x, *at, steps=_STEPS)
        return [*curves, (_exp(guided), "mark", "guided ODE")]

    curves = _once(animation, (scene.level, "guided", xs), densities)
    bars = histogram(scene, xs, _BINS, animation.exhibit.maker)
    heights = bars[-1].heights
    layers: list[Layer] = [*bars]
    layers += [
        Curves(curve(centres, pdf), role, name, dashed=name == "tilted")
        for pdf, role, name in curves
    ]
    tallest = max(float(np.nanmax(pdf)) for pdf, _, _ in curves)
    top = 1.12 * max(tallest, min(float(heights.max()), 2 * tallest))
    note = (f"with noise {math.tan(angle):.2g}",) if raised else ()
    axis = animation.axes[0]
    return (
        PicturePanel(xs, (0.0, top), tuple(layers), "guided density", note, "x", "density",
                     axes=(axis, axis.densities)),
    )  # fmt: skip


def _exp(logs: torch.Tensor) -> Floats:
    return np.asarray(logs.exp().numpy())

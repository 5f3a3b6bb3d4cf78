"""The density of what a denoiser generates, and its ratio to the exact one, at a level.

Both are computed on a grid by the probability-flow ODE. A grid cannot show what is narrower than
its cells, so a level with less noise than that is shown with as much.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch

from ...core.analysis.likelihood.probability_flow import Flow, NoFieldError, angle_of
from ...core.analysis.likelihood.sampling_flow import MixedFlow, sampling_flow
from ...core.arrays import Floats, Range
from ...core.axes import AS_IT_IS
from ...core.mixtures import GaussianMixture
from ...core.trajectory_view import averaged_pdf, interval_centres
from ..scene import Animation, Scene
from .figure import Curves, Layer, PicturePanel, Shade, ShadeGrid, curve
from .panels import EXACT, plane_panel, truth_marks, window
from .theme import MAKERS

ACROSS = {1: 240, 2: 40}
"""Number of grid points along an axis, by the number of coordinates."""

_STEPS = 24
"""Steps of the integration from clean data; a picture needs no more."""

_FAINTEST = 0.01
"""Share of the largest density below which a ratio means nothing."""

_MOST = math.log(4)
"""Log ratio of the strongest colour."""


@dataclass(frozen=True, eq=False)
class Densities:
    """Log-densities of the denoiser and of the truth on a grid, (g,) or (rows, columns).

    Rows start at the top. ``truth`` is the exact distribution, with ``sigma`` noise over alpha.
    """

    network: Floats
    exact: Floats
    truth: GaussianMixture
    sigma: float
    xs: Range
    ys: Range

    @property
    def ratio(self) -> Floats:
        """Log ratio of the densities; nan where both are faint."""
        least = float(np.nanmax(self.exact)) + math.log(_FAINTEST)
        with np.errstate(invalid="ignore"):
            return np.where(np.fmax(self.network, self.exact) > least,
                            self.network - self.exact, np.nan)  # fmt: skip


def _flow(animation: Animation) -> Flow | MixedFlow | str:
    """Return the ODE of the animation's denoiser, or why there is none."""
    exhibit = animation.exhibit
    if exhibit.maker == "true data":
        return "no network yet"
    given = exhibit.denoiser if exhibit.maker == "network" else animation.ideal
    try:
        return sampling_flow(exhibit.experiment, given or animation.ideal)
    except NoFieldError as error:
        return str(error)


def densities(animation: Animation, scene: Scene, xs: Range, ys: Range) -> Densities | str:
    """Return the densities at a scene's level over a window; or why there are none.

    They are computed once.
    """
    key = (scene.level, xs, ys)
    if key not in animation.densities:
        animation.densities[key] = _densities(animation, scene, xs, ys)
    found: Densities | str = animation.densities[key]
    return found


def _densities(animation: Animation, scene: Scene, xs: Range, ys: Range) -> Densities | str:
    flow = _flow(animation)
    if isinstance(flow, str):
        return flow
    across, at = ACROSS[animation.dim], scene
    cell = (xs[1] - xs[0]) / across
    # The window is that of x = α x_0 + σ ε; for the ODE it is scaled to unit α² + σ².
    size = math.hypot(at.alpha, at.sigma)
    narrow = at.truth.narrowest < cell
    angle = max(angle_of(at.alpha, at.sigma), flow.clean, math.atan(cell / size) if narrow else 0.0)
    angle = min(angle, max(flow.noisy, flow.clean))
    columns = torch.from_numpy(interval_centres(xs, across))
    if animation.dim == 1:
        x = columns[:, None]
    else:
        rows = torch.from_numpy(interval_centres(ys, across)).flip(0)
        x = torch.cartesian_prod(rows, columns).flip(1)
    shape = (across,) * animation.dim
    truth = animation.mixture.noised(math.cos(angle), math.sin(angle))
    u = x / size
    jacobian = animation.dim * math.log(size)
    exact = truth.log_prob(u) - jacobian
    network = flow.log_density(u, angle, _STEPS) - jacobian
    scaled = truth.noised(size, 0.0)
    return Densities(
        network.reshape(shape).numpy(),
        exact.reshape(shape).numpy(),
        scaled,
        math.tan(angle),
        xs,
        ys,
    )


def exact_alone(animation: Animation, scene: Scene, title: str) -> tuple[PicturePanel, ...]:
    """Return the exact density; the title says why there is no other."""
    if animation.dim == 2:
        return (plane_panel(animation, scene, (Shade(scene.truth, EXACT),), title),)
    xs = window(animation, scene, True)
    at = interval_centres(xs, ACROSS[1])
    pdf = averaged_pdf(scene.truth, xs, len(at))
    axes = (animation.axes[0], animation.axes[0].densities)
    exact = Curves(curve(at, pdf), "truth", "exact pdf", 2.5)
    return (
        PicturePanel(xs, (0.0, 1.12 * float(pdf.max())), (exact,), title, (), "x", "density",
                     axes=axes),
    )  # fmt: skip


def _note(found: Densities, scene: Scene) -> tuple[str, ...]:
    """Return the noise of the grid where it is more than the level's."""
    raised = found.sigma > 1.001 * math.tan(angle_of(scene.alpha, scene.sigma))
    return (f"with noise {found.sigma:.2g}",) if raised else ()


def _name(animation: Animation) -> str:
    return "network" if animation.exhibit.maker == "network" else "ideal denoiser"


def plane_density_panels(animation: Animation, scene: Scene) -> tuple[PicturePanel, ...]:
    """Return the density of the network in the plane, and the exact one."""
    scene = animation.scene(float(scene.level), scene.shown)
    frame = plane_panel(animation, scene, ())
    found = densities(animation, scene, frame.xs, frame.ys)
    if isinstance(found, str):
        return exact_alone(animation, scene, f"no density: {found}")
    own = ShadeGrid(plain(found.network), found.xs, found.ys)
    note = _note(found, scene)
    title = f"density of the {_name(animation)}"
    return (
        plane_panel(animation, scene, (Shade(own, title),), title, note),
        plane_panel(animation, scene, (Shade(found.truth, EXACT),), EXACT, note),
    )


def plain(logs: Floats) -> Floats:
    """Return densities from their logarithms, relative to the largest; 0 where unknown."""
    return np.nan_to_num(np.exp(logs - np.nanmax(logs)))


def plane_ratio_panels(animation: Animation, scene: Scene) -> tuple[PicturePanel, ...]:
    """Return where the network has too much density in the plane, and where too little."""
    scene = animation.scene(float(scene.level), scene.shown)
    frame = plane_panel(animation, scene, ())
    found = densities(animation, scene, frame.xs, frame.ys)
    if isinstance(found, str):
        return exact_alone(animation, scene, f"no density: {found}")
    share = np.nan_to_num(found.ratio / _MOST, posinf=1.0, neginf=-1.0)
    layers: list[Layer] = [
        Shade(ShadeGrid(np.clip(sign * share, 0, 1), found.xs, found.ys, 1.0), label, role)
        for sign, label, role in ((1, "too much", "network"), (-1, "too little", "truth"))
    ]
    note = _note(found, scene)
    marks = () if note else truth_marks(scene)[:1]
    return (
        plane_panel(animation, scene, (*layers, *marks), f"{_name(animation)} over exact", note),
        plane_panel(animation, scene, (Shade(found.truth, EXACT),), EXACT),
    )


def _line(animation: Animation, scene: Scene) -> tuple[Range, Densities | str]:
    xs = window(animation, scene, True)
    return xs, densities(animation, scene, xs, (0.0, 1.0))


def line_density_panels(animation: Animation, scene: Scene) -> tuple[PicturePanel, ...]:
    """Return the density of the network on the line over the exact one."""
    scene = animation.scene(float(scene.level), scene.shown)
    xs, found = _line(animation, scene)
    if isinstance(found, str):
        return exact_alone(animation, scene, f"no density: {found}")
    at, exact, own = (
        interval_centres(xs, len(found.exact)),
        np.exp(found.exact),
        np.exp(found.network),
    )
    top = 1.12 * max(float(exact.max()), min(float(np.nanmax(own)), 3 * float(exact.max())))
    layers = (
        Curves(curve(at, exact), "truth", "exact pdf", 2.5),
        Curves(curve(at, own), MAKERS[animation.exhibit.maker], _name(animation), dashed=True),
    )
    axis = animation.axes[0]
    title = f"density of the {_name(animation)}"
    return (
        PicturePanel(xs, (0.0, top), layers, title, _note(found, scene), "x", "density",
                     axes=(axis, axis.densities)),
    )  # fmt: skip


def line_ratio_panels(animation: Animation, scene: Scene) -> tuple[PicturePanel, ...]:
    """Return the log ratio of the network's density to the exact one, on the line."""
    scene = animation.scene(float(scene.level), scene.shown)
    xs, found = _line(animation, scene)
    if isinstance(found, str):
        return exact_alone(animation, scene, f"no density: {found}")
    at, ratio = interval_centres(xs, len(found.exact)), found.ratio
    reach = max(1.1 * float(np.nanmax(np.abs(ratio), initial=0.0)), 0.1)
    reach = min(reach, 10.0)
    layers = (
        Curves(curve(np.array(xs), np.zeros(2)), "truth", "as much as exact", 1.5, dashed=True),
        Curves(curve(at, ratio), MAKERS[animation.exhibit.maker], f"{_name(animation)} over exact"),
    )
    axes = (animation.axes[0], AS_IT_IS)
    note = _note(found, scene)
    return (
        PicturePanel(xs, (-reach, reach), layers, "log ratio", note, "x", "log ratio", axes=axes),
    )

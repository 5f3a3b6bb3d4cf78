"""The pictures of guidance: what it makes of the data, and its vectors at every level."""

from __future__ import annotations

import numpy as np

from tui_diffusion.core.assemble import make_ideal, make_mixture
from tui_diffusion.core.config.experiment import Experiment
from tui_diffusion.core.trajectory import denoise
from tui_diffusion.export.pictures.figure import Bars, Curves, Shade
from tui_diffusion.export.pictures.learning_curves import training_figure
from tui_diffusion.export.pictures.views import panels_of
from tui_diffusion.export.scene import Animation, Exhibit
from tui_diffusion.export.tables import write_view_csv

from ..changed import changed


def guided(name: str, **settings: object) -> Experiment:
    asked = {"data__name": "two-modes", "data__std": 0.5} if name == "edm-1d" else {}
    return changed(
        name, **asked, network__labels=True, sampling__guidance=3, sampling__label=0,
        sampling__levels=12, sampling__start="exact", **settings,
    )  # fmt: skip


def animated(experiment: Experiment) -> Animation:
    ideal = make_ideal(experiment, make_mixture(experiment))
    trajectory = denoise(experiment, ideal, points=300)
    exhibit = Exhibit(experiment, trajectory, maker="network", denoiser=ideal)
    return Animation(exhibit, trajectory)


def test_the_densities_on_the_line_are_normalised_and_differ():
    animation = animated(guided("edm-1d"))
    for level in (6, 12):
        (panel,) = panels_of(animation, animation.scene(float(level)), "guided density")
        lines = {s.label: s.lines[0] for s in panel.layers if isinstance(s, Curves)}
        assert [*lines] == ["conditional", "tilted", "guided ODE"]
        for line in lines.values():
            assert abs(np.trapezoid(line[:, 1], line[:, 0]) - 1) < 5e-3
    spread = {}
    for name, (x, pdf) in ((name, line.T) for name, line in lines.items()):
        mean = np.trapezoid(x * pdf, x)
        spread[name] = np.sqrt(np.trapezoid((x - mean) ** 2 * pdf, x))
    assert spread["guided ODE"] < 0.7 * spread["tilted"] < 0.7 * spread["conditional"]


def test_the_densities_in_the_plane_are_of_points_that_follow_them():
    animation = animated(guided("edm-moons"))
    own, ode, tilted = panels_of(animation, animation.scene(12.0), "guided density")
    points = [s.of for panel in (own, ode, tilted) for s in panel.layers if isinstance(s, Shade)]
    means = [of.mean(0) for of in points]
    assert np.abs(means[0] - means[1]).max() < 0.15, "the sample follows the guided ODE"
    goal = animation.guided.conditional().mean().numpy()
    assert np.abs(means[2] - goal).max() < 0.06 < 0.2 < np.abs(means[1] - goal).max()


def test_without_guidance_the_exact_density_is_alone():
    for name in ("edm-1d", "edm-moons"):
        animation = animated(guided(name).with_settings({"sampling.guidance": 1}))
        (panel,) = panels_of(animation, animation.scene(12.0), "guided density")
        assert panel.title == "no guidance: its weight is 1"
        (panel,) = training_figure(animation.exhibit, "guidance").panels
        assert "no guidance" in panel.title


def test_the_vectors_at_every_level(tmp_path):
    exhibit = animated(guided("edm-multimodal", sampling__guidance_to=1.0)).exhibit
    angle, length = training_figure(exhibit, "guidance").panels
    bars, line = length.layers
    assert isinstance(bars, Bars) and np.isnan(bars.heights[0]) and bars.heights[5] > 0
    assert np.allclose(bars.heights, line.lines[0, :, 1], equal_nan=True), "an ideal denoiser"
    assert np.nanmax(angle.layers[0].heights) < 1e-3
    assert exhibit.guidance.distances is not None and "guided ODE" in length.notes[0]
    write_view_csv(exhibit, "guidance", tmp_path / "a.csv")
    head, *rows = (tmp_path / "a.csv").read_text().splitlines()
    assert head == "level,sigma,angle,ratio,length,exact"
    assert len(rows) == int(np.isfinite(bars.heights).sum())

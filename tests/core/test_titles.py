"""An experiment is called what it is: by its preset only where data and method are the preset's."""

from __future__ import annotations

import numpy as np

from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.core.config.titles import about_of, title_of
from tui_diffusion.core.runs.run import open_run
from tui_diffusion.core.runs.writer import save_run
from tui_diffusion.core.training.trainer import Trainer
from tui_diffusion.core.trajectory import forward_process
from tui_diffusion.export.scene import Animation, Exhibit
from tui_diffusion.export.script.standalone import standalone_script

from ..cases import for_each


@for_each(
    "preset, settings, title",
    [
        ("edm-moons", {"training.lr": 1e-4, "schedule.kind": "cosine"}, "Two moons, EDM"),
        ("edm-moons", {"data.name": "circles"}, "Two circles, EDM"),
        ("naive-1d", {"method.name": "ddpm"}, "One Gaussian, DDPM"),
        ("naive-1d", {"data.means": "-1, 0, 1"}, "3 Gaussians, naive"),
        (
            "edm-multimodal",
            {"data.weights": "1, 2, 3, 4"},
            "4 Gaussians in 2D of unlike weights, EDM",
        ),
        ("flow-moons", {"data.name": "ring", "data.count": 5}, "Ring of 5, flow"),
        ("finite-moons", {"data.train_points": 1000}, "Two moons, 1,000 points, EDM"),
        ("finite-moons", {"training.steps": 100}, "Two moons, 64 points"),
        ("edm-moons", {"data.train_points": 64}, "Two moons, 64 points, EDM"),
        ("edm-classes", {"network.labels": False}, "Two moons, EDM"),
    ],
)
def test_a_title_tells_the_data_and_the_method(preset, settings, title):
    of = get_preset(preset).experiment.with_settings(settings)
    assert title_of(of) == title
    assert (about_of(of) == PRESETS[preset].about) == (title == PRESETS[preset].title)


def test_a_file_gives_its_name_to_pictures_and_script_from_its_run_too(tmp_path):
    np.save(tmp_path / "heights.npy", np.random.default_rng(0).normal(size=(30, 2)))
    of = get_preset("edm-moons").experiment.with_settings(
        {"data.name": f"file:{tmp_path / 'heights.npy'}", "training.steps": 1}
    )
    run = open_run(str(save_run(tmp_path / "run", Trainer(of), "stopped")))
    assert run.experiment == of.model_copy(update={"data": run.experiment.data})
    for experiment in (of, run.experiment):
        assert Exhibit(experiment).title == "heights.npy, EDM"
        script = standalone_script(experiment)
        assert script.startswith('"""heights.npy, EDM: ') and "half circles" not in script
        assert "The 30 points of heights.npy" in script


def test_a_view_that_closes_in_holds_the_points_at_its_edge(tmp_path):
    """At the clean level of a wide-ranging noise, all true points but strays are seen."""
    np.save(tmp_path / "p.npy", np.random.default_rng(0).normal(size=(200, 2)))
    of = get_preset("edm-moons").experiment.with_settings(
        {"data.name": f"file:{tmp_path / 'p.npy'}", "data.std": 0.02}
    )
    trajectory = forward_process(of, points=3000)
    film = Animation(Exhibit(of, trajectory), trajectory)
    assert film.closes_in
    scene = film.scene(film.levels)
    wide = scene.points[:, :] * 1.1  # a sample a little wider than the truth
    for points in (scene.points, wide):
        scene = type(scene)(**{**vars(scene), "points": points})
        centre, half = film.view(scene)
        inside = (np.abs(points - centre) < half).all(1)
        assert inside.mean() > 0.99
        assert half < 1.5 * np.abs(film.scene(film.levels).points).max()

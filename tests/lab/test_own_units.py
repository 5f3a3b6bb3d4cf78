"""Points from a file come back in their own units, however far, wide or unlike they are."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from tui_diffusion.core.analysis.report import sample_report
from tui_diffusion.core.assemble import make_method, make_mixture, scaling_of
from tui_diffusion.core.axes import AS_IT_IS, Axis
from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.config.errors import ConfigError
from tui_diffusion.core.config.experiment import Experiment
from tui_diffusion.core.config.experiment_json import from_json, to_json
from tui_diffusion.core.datasets import Scaling
from tui_diffusion.core.methods import IdealDenoiser
from tui_diffusion.core.trajectory import Trajectory, denoise
from tui_diffusion.export import export
from tui_diffusion.export.pictures.figure import PicturePanel
from tui_diffusion.export.pictures.ticks import marks
from tui_diffusion.export.scene import Animation as Exported
from tui_diffusion.export.scene import Exhibit
from tui_diffusion.lab.drawing.palette import Palette
from tui_diffusion.lab.formatting import vector
from tui_diffusion.lab.sampling.measured_trajectory import MeasuredTrajectory, measure_trajectory
from tui_diffusion.lab.sampling.request import SampleRequest
from tui_diffusion.lab.views.render import ViewState, picture

from ..export.test_export_script import run_here

FAR = np.random.default_rng(0).normal(0, 1, 60) + 1e9
UNLIKE = np.random.default_rng(1).normal([70, 3e-4], [5196, 0.98e-4], (50, 2))


def of_file(file: Path, points: np.ndarray, **settings: object) -> Experiment:
    np.save(file, points)
    preset = get_preset("edm-moons").experiment
    return preset.with_settings(
        {
            "data.name": f"file:{file}",
            "sampling.points": 500,
            "sampling.levels": 12,
            "training.steps": 20,
            **settings,
        }
    )


def ideal_sample(of: Experiment) -> Trajectory:
    mixture = make_mixture(of.data)
    return denoise(of, IdealDenoiser(mixture, make_method(of.method, mixture)))


@pytest.mark.parametrize("points", [FAR, UNLIKE], ids=["far", "unlike"])
def test_every_file_written_and_every_moment_is_in_own_units(points, tmp_path):
    of = of_file(tmp_path / "points.npy", points)
    mean, std = np.atleast_1d(points.mean(0)), np.atleast_1d(points.std(0))
    kernel = (1 + of.data.std**2) ** 0.5
    trajectory = ideal_sample(of)
    report = sample_report(of, trajectory)
    assert (np.abs(report["target"]["mean"] - mean) < 1e-6 * std).all()
    assert report["target"]["std"] == pytest.approx(std * kernel, rel=1e-6)
    assert (np.abs(report["sample"]["mean"] - mean) < 0.2 * std).all()
    assert report["sample"]["std"] == pytest.approx(std * kernel, rel=0.1)
    assert report["sample"]["energy_distance"] < 0.05  # at unit size

    exhibit = Exhibit(of, trajectory)
    for suffix in ("npz", "csv"):
        export(exhibit, tmp_path / f"out.{suffix}")
    with np.load(tmp_path / "out.npz") as arrays:
        x, own = arrays["x"], arrays["centre"] + arrays["scale"] * trajectory.x.double().numpy()
    assert x.dtype == np.float64 and np.array_equal(x, own)
    assert x[-1].std(0) == pytest.approx(report["sample"]["std"])
    written = np.loadtxt(tmp_path / "out.csv", delimiter=",", skiprows=1)
    assert np.array_equal(written[:, 4:].reshape(x.shape), x)


def test_the_script_of_far_points_has_their_spread(tmp_path):
    of = of_file(tmp_path / "points.npy", UNLIKE + np.array([1e9, 1e3]))
    export(Exhibit(of), tmp_path / "script.py")
    _, x, _ = run_here((tmp_path / "script.py").read_text("utf-8"))
    assert x.dtype == np.float64
    spread = x.std(0) / UNLIKE.std(0)
    assert spread.min() > 0.2 and spread.max() < 5


def test_each_column_has_its_own_width():
    scaling = Scaling.of(torch.from_numpy(UNLIKE))
    assert scaling.scale.tolist() == pytest.approx(UNLIKE.std(0))
    # A column of equal numbers is as wide as the other; where both are, 1.
    flat = torch.tensor([[1.0, 7.0], [5.0, 7.0]], dtype=torch.float64)
    assert Scaling.of(flat).scale.tolist() == [2, 2]
    assert Scaling.of(flat[:1]).scale.tolist() == [1, 1]
    back = scaling.inverse(scaling.unit(torch.from_numpy(UNLIKE)))
    assert np.abs(back.numpy() / UNLIKE - 1).max() < 1e-12


def test_an_experiment_saved_before_columns_had_a_scale_each_keeps_its_one(tmp_path):
    of = of_file(tmp_path / "points.npy", UNLIKE)
    assert of.data.scaling == "column" and from_json(to_json(of)) == of
    saved = json.loads(to_json(of))
    del saved["data"]["scaling"]
    old = from_json(json.dumps(saved))
    assert old.data.scaling == "shared" and from_json(to_json(old)) == old
    pooled = (UNLIKE - UNLIKE.mean(0)).std()
    assert scaling_of(old.data).scale.tolist() == pytest.approx([pooled, pooled])
    # What is not of a file has nothing to keep.
    moons = json.loads(to_json(get_preset("edm-moons").experiment))
    del moons["data"]["scaling"]
    assert from_json(json.dumps(moons)) == get_preset("edm-moons").experiment


@pytest.mark.parametrize(
    ("points", "what"),
    [
        (FAR + 1e17, "column 1 has numbers of size 1e+17 over a range of 0"),
        (100 * FAR + 1e17, "column 1 has numbers of size 1e+17 over a range of "),
        (np.array([[1.0, 0], [2, 1e-300]]), "column 2 has numbers over a range of 1e-300"),
    ],
)
def test_what_comes_back_as_another_number_is_refused(points, what, tmp_path):
    with pytest.raises(ConfigError, match=r"^data.path: ") as caught:
        of_file(tmp_path / "points.npy", points)
    assert what in str(caught.value) and "; allowed: " in str(caught.value)
    assert caught.value.field == "data.path"


def ticks(span, most, axis):
    return marks(PicturePanel(span, (0.0, 1.0), (), axes=(axis, AS_IT_IS)), most, across=True)


def test_ticks_of_a_picture_are_round_numbers_in_own_units(tmp_path):
    of = of_file(tmp_path / "points.npy", UNLIKE)
    trajectory = Exported(Exhibit(of), ideal_sample(of))
    for axis, mean, std in zip(trajectory.axes, UNLIKE.mean(0), UNLIKE.std(0), strict=True):
        marked = ticks((-2.0, 2.0), 5, axis)
        assert 3 <= len(marked) <= 6
        for position, text in marked:
            assert float(text) == pytest.approx(mean + std * position, abs=1e-3 * std)
    far = [text for _, text in ticks((-2.0, 2.0), 5, Axis(1e9, 1.0))]
    assert far == ["999999998", "999999999", "1000000000", "1000000001", "1000000002"]
    assert [text for _, text in ticks((0.0, 2.0), 2, Axis(0.0, 1e99))] == ["0", "1e99", "2e99"]
    assert Axis(1e9, 1.0).offset(-2, 2) == 1e9 and Axis(70.0, 5196.0).offset(-2, 2) == 0


def text_of(trajectory: MeasuredTrajectory, view: str) -> str:
    view_state = ViewState(trajectory.levels, view)
    strips = picture(trajectory, view_state, 90, 24, Palette.default(), "braille")
    return "\n".join(strip.text for strip in strips)


def test_the_lab_shows_own_units(tmp_path):
    """Numbers and axes; ticks of far numbers are counted from a round one that the axis names."""
    points = UNLIKE + np.array([0, 1e5])
    of = of_file(tmp_path / "points.npy", points)
    trajectory = measure_trajectory(SampleRequest(of, "forward", 0, 400))
    seen = trajectory.numbers(trajectory.levels)
    assert seen.goal_mean == pytest.approx(points.mean(0))
    assert (np.abs(np.array(seen.mean) - points.mean(0)) < 0.2 * points.std(0)).all()
    assert seen.std == pytest.approx(points.std(0), rel=0.15)
    x = trajectory.scaling.unit(torch.tensor([trajectory.point(0, 0).x], dtype=torch.float64))
    assert x.numpy() == pytest.approx(trajectory.x[0, :1], rel=1e-4)
    drawn = text_of(trajectory, "scatter")
    assert "10k" in drawn and "-10k" in drawn and "y - 100000" in drawn
    near = text_of(trajectory, "close-up")
    assert "y - " not in near  # differences from a mode have no far centre

    line = measure_trajectory(SampleRequest(of_file(tmp_path / "line.npy", FAR), "forward", 0, 400))
    for view in ("histogram", "pdf and cdf", "denoiser"):
        drawn = text_of(line, view)
        assert "x - 1000000000" in drawn
        if view == "pdf and cdf":
            assert re.search(r"mean (9999|1000)\d{6}\.\d{4,}   std \d\.\d{4,}", drawn)


def test_numbers_have_the_digits_that_their_spread_calls_for():
    assert vector([70.04, 3e-4], 3, [5196.0, 0.98e-4]) == "(70, 3.0000e-04)"
    assert vector([1e9 + 0.07], 3, [1.0]) == vector([1e9 + 0.07]) == "1000000000.070"
    assert vector([2e99, 3.5], 3, [1e99, 13.6]) == "(2.000e+99, 3.50)"
    assert vector([-0.0, 1.25]) == "(0.000, 1.250)"

"""Data sets as mixtures, and points from a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tui_diffusion.core.assemble import make_mixture, scaling_of
from tui_diffusion.core.config.data_section import DataConfig
from tui_diffusion.core.config.errors import ConfigError
from tui_diffusion.core.config.experiment import Experiment, build
from tui_diffusion.core.config.experiment_json import from_json, to_json
from tui_diffusion.core.parts.datasets import DATA_PARTS
from tui_diffusion.core.training.trainer import Trainer
from tui_diffusion.core.trajectory import denoise

from ..cases import for_each
from ..trainings import trained

NAMES = [name for name in DATA_PARTS if name != "file"]
CURVES = {name for name, part in DATA_PARTS.items() if part.function} - {"drawing", "tree"}


@for_each("name", NAMES)
def test_sample_has_the_moments_of_the_mixture(name: str) -> None:
    mixture = make_mixture(build({"data": {"name": name}}).data)
    x = mixture.sample(40_000, torch.Generator().manual_seed(0))
    assert torch.allclose(x.mean(0).double(), mixture.mean(), atol=0.03)
    assert torch.allclose(x.std(0).double(), mixture.std(), atol=0.03)
    assert float(mixture.weights.sum()) == pytest.approx(1)


@for_each("name", sorted(CURVES))
@for_each("std", [None, 0.1])
def test_shapes_are_smooth_and_of_unit_size(name: str, std: float | None) -> None:
    """Neighbouring components are within 1.5 std; mean 0, pooled std of the centres 1."""
    data = build({"data": {"name": name, **({"std": std} if std else {})}}).data
    mixture, std = make_mixture(data), data.std
    assert not mixture.has_modes and mixture.modes <= 640
    assert torch.allclose(mixture.mean(), torch.zeros(2).double(), atol=1e-9)
    pooled = mixture.std().square().mean() - std**2
    assert float(pooled) == pytest.approx(1, abs=1e-6)
    apart = torch.cdist(mixture.means, mixture.means)
    apart.fill_diagonal_(10)
    assert float(apart.min(1).values.max()) < 1.5 * std


def test_ring_and_weights() -> None:
    ring = build({"data": {"name": "ring", "count": 5}})
    assert make_mixture(ring.data).modes == 5
    heavy = make_mixture(build({"data": {"name": "heavy-light"}}).data)
    assert heavy.weights.tolist() == pytest.approx([0.9, 0.1])
    with pytest.raises(ConfigError, match=r"data.weights: 1, 2 does not fit 4 means"):
        build({"data": {"name": "four-gaussians"}}).with_settings({"data.weights": "1, 2"})
    with pytest.raises(ConfigError, match=r"data.count: does not apply while data.name is moons"):
        build({"data": {"name": "moons"}}).with_settings({"data.count": 3})


def test_choosing_a_data_set_brings_its_own_width_and_means() -> None:
    of = build({"name": "x"}).with_settings({"data.name": "moons"})
    assert of.data.means == () and of.data.std == 0.06 and of.dim == 2
    back = of.with_settings({"data.name": "gaussian-1d"})
    assert back.data.means == ((1.0,),) and back.data.std == 0.01


def _with_file(path: Path, **settings: object) -> Experiment:
    return build({"name": "x"}).with_settings({"data.name": f"file:{path}", **settings})


def test_points_of_a_file_are_scaled_and_scaled_back(tmp_path: Path) -> None:
    points = np.random.default_rng(0).normal([100, -5], [30, 2], (200, 2))
    for file in (tmp_path / "p.csv", tmp_path / "p.npy"):
        if file.suffix == ".csv":
            np.savetxt(file, points, delimiter=",", header="x,y", comments="", fmt="%.17g")
        else:
            np.save(file, points)
        of = _with_file(file, **{"data.std": 0.02})
        mixture, scaling = make_mixture(of.data), scaling_of(of.data)
        assert of.dim == 2 and mixture.modes == 200 and float(mixture.stds[0]) == 0.02
        assert mixture.means.square().mean(0).tolist() == pytest.approx([1, 1])
        assert np.allclose(scaling.inverse(mixture.means).numpy(), points)
        assert torch.allclose(scaling.unit(torch.tensor(points)), mixture.means)
        assert scaling.inverse_lengths(mixture.std()).tolist() == pytest.approx(
            (points.std(0) * (1 + 0.02**2) ** 0.5).tolist()
        )
        assert from_json(to_json(of)) == of


def test_a_column_is_one_dimension(tmp_path: Path) -> None:
    file = tmp_path / "p.csv"
    file.write_text("1\n2\n\n4\n")
    of = _with_file(file)
    assert of.dim == 1 and make_mixture(of.data).modes == 3


@for_each(
    "name, text, what",
    [
        ("a.csv", "", "holds no points"),
        ("a.csv", "x,y\n", "holds no points"),
        ("a.csv", "1,2\nhello,3\n", "line 2: 'hello' is not a number"),
        ("a.csv", "once upon a time\nthere was\n", "has 4 columns, none of numbers"),
        ("a.csv", "1,2\nnan,3\n", "line 2: 'nan', a missing value"),
        ("a.csv", "1,2\ninf,3\n", "line 2: 'inf' is not finite"),
        ("a.csv", "1,2,3\n", "has 3 columns; choose one or two with data.columns"),
        ("a.csv", "1,2\n3\n", "line 2 has 1 column, not 2 as above"),
        ("a.csv", "1\n" * 100_001, "has more than 100,000 rows"),
        ("a.npy", "not an array", "not an array of numbers"),
        ("a.xlsx", "1,2\n", "suffix '.xlsx' is not known"),
        ("missing.csv", None, "no such file"),
    ],
)
def test_a_bad_file_is_one_clear_line(
    tmp_path: Path, name: str, text: str | None, what: str
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError) as caught:
        _with_file(tmp_path / name)
    message = str(caught.value)
    assert what in message and "\n" not in message
    assert "allowed: a .csv, .tsv" in message or message.endswith("allowed: 1, 2, 3")
    assert caught.value.field == "data.path"


def test_arrays_that_are_no_points(tmp_path: Path) -> None:
    for array, what in (
        (np.zeros((3, 3)), "has 3 columns; choose one or two with data.columns"),
        (np.zeros((1_000_000, 2), np.float16), "1,000,000 rows"),
        (np.zeros((2, 2, 2)), "shape"),
        (np.array(5.0), "shape"),
        (np.array(["a"]), "not numbers"),
        (np.array([[np.inf, 1.0]]), "not finite"),
        (np.array([{}], dtype=object), "not an array"),
    ):
        np.save(tmp_path / "a.npy", array, allow_pickle=True)
        with pytest.raises(ConfigError, match=what):
            _with_file(tmp_path / "a.npy")


def test_equal_points_are_no_division_by_zero(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("2,3\n2,3\n")
    assert bool(torch.isfinite(make_mixture(_with_file(tmp_path / "a.csv").data).means).all())


@pytest.mark.parametrize("method", ["naive", "naive-exact", "ddpm", "edm", "flow"])
def test_every_data_set_trains_and_samples_with_every_method(method: str, tmp_path: Path) -> None:
    np.save(tmp_path / "p.npy", np.random.default_rng(0).normal(size=(50, 2)))
    for name in (*NAMES, f"file:{tmp_path / 'p.npy'}"):
        of = build({"name": "x"}).with_settings({"data.name": name})
        of = of.with_settings({"method.name": method, "training.steps": 3, "sampling.points": 20})
        trainer = trained(of)
        assert np.isfinite(trainer.losses).all()
        trajectory = denoise(of, trainer.denoiser)
        assert trajectory.x.shape == (of.levels + 1, 20, of.dim)


def test_a_balanced_batch_smaller_than_the_components_misses_none_in_the_long_run() -> None:
    of = build({"data": {"name": "moons"}, "training": {"steps": 4000, "batch": 8}})
    trainer = Trainer(of)
    seen = torch.zeros(trainer.mixture.modes)
    for first in range(0, 4000, 256):
        seen += torch.bincount(trainer.batches.components(first), minlength=len(seen))
    shares = seen / seen.sum()
    assert float((shares / trainer.mixture.weights - 1).abs().max()) < 0.1


def test_the_classes_are_modes_curves_arms_and_squares() -> None:
    """Every class of a shape has the same weight, and its components lie together."""
    counts = {"four-gaussians": 4, "two-modes": 2, "ring": 8, "moons": 2, "spirals": 2}
    counts |= {"circles": 2, "pinwheel": 5, "checkerboard": 8, "swiss-roll": 1, "drawing": 1}
    counts |= {"tree": 2, "correlated": 1}
    for name, classes in counts.items():
        mixture = make_mixture(DataConfig(name=name))
        assert mixture.classes == classes, name
        expected = torch.full((classes,), 1 / classes, dtype=torch.float64)
        assert float((mixture.class_weights() - expected).abs().max()) <= 1e-9, name
    circles = make_mixture(DataConfig(name="circles"))
    outer, inner = (circles.of_class(c).means.norm(dim=1) for c in (0, 1))
    assert float(outer.min()) > float(inner.max())
    moons = make_mixture(DataConfig(name="moons"))
    assert bool((moons.labels[1:] >= moons.labels[:-1]).all())

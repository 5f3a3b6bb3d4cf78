"""Training and sampling at the command line: reports, settings, and what is written."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.core.runs.run import open_run, store
from tui_diffusion.core.training.trainer import train
from tui_diffusion.core.trajectory import denoise

from ..command_line import SHORT, TRAIN_KEYS
from ..trainings import trained

SAMPLE_KEYS = {
    *("points", "mean", "std", "nearest_mode_distance", "energy_distance"),
    *("energy_distance_real", "mode_weights", "mode_tv", "off_mode", "in_mode_std_ratio"),
}


def is_number(value: object) -> bool:
    return type(value) in (int, float)


@pytest.mark.parametrize("name", list(PRESETS))
def test_train_as_json(run_cli, name):
    report = run_cli.json("train", name, *SHORT)
    experiment = get_preset(name).experiment
    assert report.keys() >= TRAIN_KEYS
    assert (report["experiment"], report["seed"], report["steps"]) == (name, 0, 30)
    assert report["device"] == "cpu"
    assert report["seconds"] > 0
    assert report["steps_per_second"] == pytest.approx(30 / report["seconds"])
    loss, sample, target = report["loss"], report["sample"], report["target"]
    assert loss.keys() == {"final", "floor", "excess"}
    assert is_number(loss["final"])
    assert all(loss[key] is None or is_number(loss[key]) for key in ("floor", "excess"))
    assert sample.keys() >= SAMPLE_KEYS
    assert sample["points"] == 50
    for values in (sample["mean"], sample["std"], target["mean"], target["std"]):
        assert isinstance(values, list)
        assert len(values) == experiment.dim
        assert all(is_number(value) for value in values)
    for key in ("energy_distance", "energy_distance_real"):
        assert is_number(sample[key])
    of_modes = ("nearest_mode_distance", "mode_tv", "off_mode")
    if experiment.data.means:
        assert len(sample["mode_weights"]) == len(experiment.data.means)
        assert sum(sample["mode_weights"]) == pytest.approx(1)
        assert all(is_number(sample[key]) for key in of_modes)
    else:
        # Data along a curve have no modes to speak of.
        assert sample["mode_weights"] is None
        assert all(sample[key] is None for key in ("nearest_mode_distance", "mode_tv"))
    assert sample["in_mode_std_ratio"] is None or is_number(sample["in_mode_std_ratio"])
    assert run_cli.err == ""
    run = open_run(report["run"])
    assert (run.state, run.step) == ("finished", 30)
    assert run.metrics == report
    assert run.folder.parent == store()


def test_the_targets_are_the_datas(run_cli):
    target = run_cli.json("train", "naive-2d", *SHORT, "--no-save")["target"]
    assert target["mean"] == pytest.approx([-1, 1])
    assert target["std"] == pytest.approx([0.01, 0.01])
    target = run_cli.json("train", "ddpm-1d-detailed", *SHORT, "--no-save")["target"]
    assert target["mean"] == pytest.approx([0.999**0.5])
    assert target["std"] == pytest.approx([(0.999e-4 + 1e-3) ** 0.5])


@pytest.mark.parametrize("name", ["naive-multimodal", "ddpm-1d-per-level"])
def test_the_command_line_trains_what_the_library_trains(run_cli, name):
    settings = {"training.steps": 270, "training.batch": 16, "sampling.points": 100, "seed": 5}
    changes = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    report = run_cli.json("train", name, *changes)
    experiment = get_preset(name).experiment.with_settings(settings)
    losses = np.concatenate([p.losses for p in train(experiment, every=7)])
    run = open_run(report["run"])
    assert run.experiment == experiment
    assert run.losses().tobytes() == losses.tobytes()
    assert report["loss"]["final"] == float(np.mean(losses[-100:], dtype=float))
    trajectory = denoise(experiment, trained(experiment).denoiser)
    assert report["sample"]["mean"] == trajectory.result.mean(0).tolist()


def test_seed_is_the_seed_field(run_cli):
    one = run_cli.json("train", "naive-1d", *SHORT, "--seed", "7")
    other = run_cli.json("train", "naive-1d", *SHORT, "--set", "seed=7")
    third = run_cli.json("train", "naive-1d", *SHORT, "--seed", "8")
    assert (one["seed"], other["seed"], third["seed"]) == (7, 7, 8)
    assert (one["loss"], one["sample"]) == (other["loss"], other["sample"])
    assert one["loss"] != third["loss"]


def test_a_device_is_the_device_field(run_cli):
    report = run_cli.json("train", "naive-1d", *SHORT, "--device", "cpu", "--no-save")
    assert report["device"] == "cpu"


def test_settings_are_applied_in_any_number(run_cli):
    report = run_cli.json(
        *("train", "naive-1d", *SHORT, "--set", "method.name=naive-exact"),
        *("--set", "data.means=(3, 4)", "--set", "training.lr=1e-4", "--set", "training.steps=1e1"),
    )
    run = open_run(report["run"])
    assert run.experiment.method.name == "naive-exact"
    assert run.experiment.data.means == ((3.0, 4.0),)
    assert (run.experiment.training.lr, report["steps"]) == (1e-4, 10)


def test_train_for_a_person(run_cli):
    assert run_cli("train", "naive-2d", *SHORT) == 0
    for word in ("naive-2d", "30 steps", "mean", "std", "goal", "run"):
        assert word in run_cli.out
    assert run_cli.err == ""
    told = " ".join(run_cli.out.split())
    assert f"({run_cli.json('train', 'naive-2d', *SHORT)['device_reason']})" in told


def test_nothing_is_saved_where_nothing_should_be(run_cli, home):
    assert run_cli.json("train", "naive-1d", *SHORT, "--no-save")["run"] is None
    assert not home.exists()


def test_out_is_where_the_run_is_written(run_cli, tmp_path, home):
    out = tmp_path / "deep" / "er"
    report = run_cli.json("train", "naive-1d", *SHORT, "--out", str(out))
    assert report["run"] == str(out)
    assert open_run(str(out)).state == "finished"
    assert [file.name for file in out.parent.iterdir()] == ["er"]
    assert not (home / "runs").exists()


def test_a_relative_out_is_told_in_full(run_cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    report = run_cli.json("train", "naive-1d", *SHORT, "--out", "here")
    assert Path(report["run"]) == tmp_path / "here"


def test_sample_reads_the_run_that_train_wrote(run_cli, tmp_path):
    written = run_cli.json("train", "naive-2d", *SHORT)
    by_path = run_cli.json("sample", written["run"])
    by_name = run_cli.json("sample", Path(written["run"]).name)
    assert by_path == by_name
    assert by_path["sample"] == written["sample"]
    assert by_path["target"] == written["target"]
    out = tmp_path / "mine"
    moved = run_cli.json("train", "naive-2d", *SHORT, "--out", str(out))
    assert run_cli.json("sample", str(out))["sample"] == moved["sample"] == written["sample"]


def test_sample_as_json(run_cli, saved):
    report = run_cli.json("sample", str(saved), "--points", "70", "--seed", "3")
    keys = {"run", "experiment", "seed", "sampler", "levels", "out", "sample", "target"}
    assert report.keys() >= keys
    assert report["sampler"] == get_preset("ddpm-1d").experiment.sampling.sampler
    assert (report["run"], report["experiment"]) == (str(saved), "ddpm-1d")
    assert (report["seed"], report["levels"], report["out"]) == (3, 10, None)
    assert report["sample"].keys() >= SAMPLE_KEYS
    assert report["sample"]["points"] == 70
    other = run_cli.json("sample", str(saved), "--points", "70", "--seed", "4")
    assert other["sample"]["mean"] != report["sample"]["mean"]
    assert run_cli.json("sample", str(saved), "--points", "70", "--seed", "3") == report


def test_another_sampler_is_taken(run_cli, tmp_path):
    out = str(tmp_path / "run")
    naive = run_cli.json("train", "naive-1d", *SHORT, "--out", out)
    assert run_cli.json("sample", out, "--sampler", "naive")["sample"] == naive["sample"]
    assert run_cli.json("sample", out, "--sampler", "ddpm")["sample"] != naive["sample"]


def test_sample_writes_every_level(run_cli, saved, tmp_path):
    out = tmp_path / "points.npz"
    report = run_cli.json("sample", str(saved), "--points", "20", "--seed", "3", "--out", str(out))
    assert report["out"] == str(out)
    with np.load(out, allow_pickle=False) as arrays:
        assert set(arrays) == {"x", "x0_hat", "eps_hat", "alphas", "sigmas"}
        assert arrays["x"].shape == (11, 20, 1)
        assert arrays["x0_hat"].shape == arrays["eps_hat"].shape == (10, 20, 1)
        assert arrays["alphas"].shape == arrays["sigmas"].shape == (11,)
        x = arrays["x"]
    assert report["sample"]["mean"] == pytest.approx(x[-1].mean(0).tolist(), rel=1e-6)
    run = open_run(str(saved))
    trajectory = denoise(run.experiment, run.denoiser(), points=20, seed=3)
    assert torch.equal(torch.from_numpy(x), trajectory.x)
    assert [file.name for file in tmp_path.glob("*points*")] == ["points.npz"]


def test_the_lab_goes_on_with_a_run_of_that_experiment_alone(run_cli, saved):
    assert run_cli("naive-2d", "--resume", str(saved)) == 2
    assert "experiment: 'naive-2d' is not that of the run; allowed: ddpm-1d" in run_cli.err
    assert run_cli("ddpm-1d", "--resume", str(saved)) == 2
    assert "terminal" in run_cli.err


def test_sample_for_a_person(run_cli, saved):
    assert run_cli("sample", str(saved)) == 0
    assert "energy distance" in run_cli.out
    assert run_cli.err == ""


@pytest.mark.slow
def test_the_evaluation_of_a_guided_run_names_its_guide(run_cli):
    few = ("--set", "training.steps=2", "--set", "network.width=4", "--set", "sampling.levels=3")
    run_cli("train", "edm-classes", *few, "--set", "sampling.points=20")
    assert run_cli("evaluate", "latest") == 0
    assert ", label all, guidance 2 by no-label\n" in run_cli.out

"""The command line: evaluate, the exact denoiser, other samplers and levels, points of a file."""

from __future__ import annotations

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tui_diffusion.cli.tables import print_evaluation
from tui_diffusion.program import main


@dataclass(frozen=True)
class Done:
    """What a command printed."""

    stdout: str
    stderr: str


def command(*words: object, home: Path, code: int = 0) -> Done:
    """Run the console script's own entry point in this process."""
    out, err, status = io.StringIO(), io.StringIO(), 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["diffusion-tui", *map(str, words)])
        patch.setenv("DIFFUSION_TUI_HOME", str(home))
        patch.setenv("COLUMNS", "120")
        try:
            main()
        except SystemExit as left:
            status = int(left.code or 0)
    assert status == code, err.getvalue()
    return Done(out.getvalue(), err.getvalue())


def as_json(*words: object, home: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(command(*words, "--json", home=home).stdout)
    return read


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    folder = home / "moons"
    report = as_json("train", "edm-moons", "--set", "training.steps=60", "--out", folder, home=home)
    assert set(report["loss"]) == {"final", "floor", "excess"}
    assert 0 < report["loss"]["floor"] < report["loss"]["final"] and report["loss"]["excess"] > 0
    assert report["sample"]["mode_tv"] is None
    return folder


def test_evaluate(run: Path) -> None:
    report = as_json("evaluate", run, "--points", 300, home=run.parent)
    assert report["metrics"]["points"] == 300
    assert report["metrics"]["sliced_wasserstein"] > 0
    assert report["metrics"]["sliced_wasserstein_real"] > 0
    assert len(report["levels"]) == 20
    for row in report["levels"]:
        assert row["loss"] == pytest.approx(row["floor"] + row["excess"])
        assert row["floor"] > 0 and row["excess"] > 0 and row["amplification"] > 0
    parts = report["attribution"]
    assert parts["start"] + parts["network"] + parts["discretisation"] == pytest.approx(
        parts["total"]
    )
    assert parts["main"] == "network"
    found = report["likelihood"]
    assert found["nll"] == pytest.approx(found["entropy"] + found["kl"])
    assert found["kl"] > found["error"] > 0, "a short training"
    nats = sum(row["nats"] for row in report["levels"])
    assert found["bound"] == pytest.approx(found["start"] + nats)


def test_evaluate_the_exact_denoiser(run: Path) -> None:
    of = ("evaluate", run, "--ideal", "--levels", 4, "--points", 300)
    report = as_json(*of, "--nfe", "2,5", "--samplers", "heun,euler", home=run.parent)
    rows = [(row["sampler"], row["levels"], row["evaluations"]) for row in report["nfe"]]
    assert rows == [("heun", 1, 1), ("heun", 3, 5), ("euler", 2, 2), ("euler", 5, 5)]
    assert all(row["network"] is None and row["real"] > 0 for row in report["nfe"])
    within = {best["within"]: best["evaluations"] for best in report["nfe_best"]}
    assert within == {5: 5, 10: 5, 20: 5}
    for option, value in (("--nfe", "4,0"), ("--samplers", "heun,naive"), ("--nfe", "")):
        refused = command("evaluate", run, option, value, home=run.parent, code=2)
        assert "; allowed: " in refused.stderr and not refused.stdout
    assert report["ideal"] and len(report["levels"]) == 4
    assert report["attribution"]["network"] == 0
    assert report["attribution"]["main"] == "discretisation"
    assert all(abs(row["excess"]) < 1e-5 for row in report["levels"])


def test_evaluate_for_a_person(run: Path) -> None:
    text = command("evaluate", run, "--points", 200, home=run.parent).stdout
    for word in ("energy distance", "floor", "excess", "discretisation", "alpha_bar"):
        assert word in text
    assert max(map(len, text.splitlines())) <= 120


def test_what_is_learned_by_heart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--set", "training.steps=30", "--set", "data.train_points=4", "--seed", 3)
    settings = (*words, "--set", "sampling.points=200", "--set", "sampling.levels=5")
    folder = tmp_path / "few"
    trained = as_json("train", "finite-four", *settings, "--out", folder, home=tmp_path)
    report = as_json("evaluate", folder, home=tmp_path)
    found = report["memorisation"]
    assert found == trained["memorisation"] and found["train_points"] == 4
    names = ("copied", "copied_real", "to_population", "to_training_set", "train_loss")
    assert all(found[name] >= 0 for name in (*names, "heldout_loss")) and report["ideal_of"] is None
    own = ("evaluate", folder, "--ideal-of", "training-set", "--seed", 5)
    copies = as_json(*own, home=tmp_path)
    assert copies["ideal"] and copies["ideal_of"] == "training set"
    assert copies["memorisation"]["copied"] == 1, "another seed of sampling, the same set"
    assert copies["memorisation"]["to_training_set"] < 1e-5
    assert copies["attribution"]["network"] != 0 and "no density" in copies["likelihood"]["reason"]
    print_evaluation(report)
    text = capsys.readouterr().out
    for words in ("4 training points", "on held-out data", "of the population"):
        assert words in text
    refused = command("sample", folder, "--ideal-of", "both", home=tmp_path, code=2)
    assert refused.stderr.endswith("'both' is not allowed; allowed: population, training-set\n")


def test_what_has_no_training_set_has_no_optimum_of_it(run: Path) -> None:
    assert as_json("evaluate", run, "--points", 50, home=run.parent)["memorisation"] is None
    refused = command("sample", run, "--ideal-of", "training-set", home=run.parent, code=2)
    assert refused.stderr.count("\n") == 1 and "data.train_points above 0" in refused.stderr


def test_sample_with_another_sampler_and_number_of_levels(run: Path) -> None:
    words = ("sample", run, "--points", 500, "--sampler", "dpm++2m", "--levels", 12)
    assert as_json(*words, home=run.parent)["levels"] == 12
    ideal = as_json(*words, "--ideal", home=run.parent)
    assert ideal["ideal"] and ideal["sample"]["off_mode"] < 0.02
    refused = command("sample", run, "--levels", "1001", home=run.parent, code=2)
    assert refused.stderr.count("\n") == 1 and "sampling.levels" in refused.stderr


def test_points_of_a_file_come_back_at_their_own_size(tmp_path: Path) -> None:
    points = np.random.default_rng(0).normal([500, 20], [10, 40], (80, 2))
    np.save(tmp_path / "points.npy", points)
    words = ("--set", f"data.name=file:{tmp_path / 'points.npy'}", "--set", "training.steps=5")
    folder = tmp_path / "run"
    trained = as_json("train", "edm-moons", *words, "--out", folder, home=tmp_path)
    assert trained["target"]["mean"] == pytest.approx(points.mean(0).tolist())
    out = tmp_path / "out.npz"
    report = as_json("sample", folder, "--ideal", "--out", out, home=tmp_path)
    assert report["sample"]["mean"] == pytest.approx(points.mean(0).tolist(), rel=0.1)
    with np.load(out) as arrays:
        assert arrays["x"][-1].mean(0) == pytest.approx(report["sample"]["mean"], rel=1e-3)
    # The run has its own copy of the points.
    (tmp_path / "points.npy").unlink()
    assert as_json("sample", folder, "--ideal", home=tmp_path)["sample"] == report["sample"]

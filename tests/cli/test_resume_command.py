"""Going on with a run at the command line."""

import json
import subprocess
import sys

import numpy as np
import pytest

from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.config.errors import ConfigError
from tui_diffusion.core.runs.checkpointer import Checkpointer
from tui_diffusion.core.runs.resume import rate_change, resume, resumed_experiment
from tui_diffusion.core.runs.run import new_name, open_run, save_run, store
from tui_diffusion.core.training.stages import learning_rate

from ..cases import for_each
from ..trainings import go_on, short, trained


def test_a_cosine_that_more_steps_lift_is_said_and_can_be_held(run_cli):
    experiment = short("edm-1d", 60)
    save_run(store() / "run", trained(experiment), "finished")
    run = open_run("run")
    more = {"training.steps": 120}
    lifted = resumed_experiment(run, more)
    assert "goes from 8.2e-06 to 0.006 at step 60" in rate_change(experiment, lifted, 60)
    assert rate_change(experiment, experiment, 30) == "", "nothing changes"
    steady = short("edm-1d", 60, **{"training.decay": "none"})
    assert rate_change(steady, steady.with_settings(more), 60) == ""
    # What a person may want instead: the extra steps at a rate of their own.
    settings = {"training.decay": "none", "training.lr": 1e-5}
    held = go_on(resume(run, resumed_experiment(run, more | settings)))
    assert learning_rate(held.experiment, held.stages[0], 60) == 1e-5
    assert np.array_equal(held.losses[:60], run.losses())
    with pytest.raises(ConfigError, match=r"training\.(lr|decay): cannot change"):
        resumed_experiment(run, settings)
    run_cli.json("train", "--resume", "run", "--set", "training.steps=70")
    assert run_cli.err.count("the learning rate goes from") == 1


def test_resume_on_the_command_line(run_cli, home):
    experiment = get_preset("naive-2d").experiment.with_settings({"training.steps": 90})
    name = new_name(experiment)
    save_run(store() / name, trained(experiment, 33), "stopped")
    report = run_cli.json("train", "--resume", name)
    assert (report["experiment"], report["steps"], report["run"]) == (
        *("naive-2d", 90),
        str(store() / name),
    )
    run = open_run(name)
    assert run.state == "finished"
    assert run.losses().tobytes() == trained(experiment).losses.tobytes()
    assert run.metrics["sample"] == report["sample"]
    (row,) = run_cli.json("runs")["runs"]
    assert (row["run"], row["experiment"], row["state"]) == (name, "naive-2d", "finished")
    assert (row["step"], row["steps"], row["reason"]) == (90, 90, None)
    assert row["quality"]["energy_distance"] == report["sample"]["energy_distance"]

    assert run_cli("train", "--resume", name) == 2
    assert "has finished its 90 steps" in run_cli.err
    assert run_cli.err.endswith("such as --set training.steps=180\n")
    assert run_cli.err.count("\n") == 1
    more = run_cli.json(
        "train", "naive-2d", "--resume", str(store() / name), "--set", "training.steps=120"
    )
    assert more["steps"] == 120
    assert open_run(name).experiment.training.steps == 120
    assert [entry.name for entry in store().iterdir()] == [name]


@for_each(
    "arguments, words",
    [
        (("--resume", "nope"), ("nope", "does not exist")),
        (("--resume", "run", "--set", "training.lr=1"), ("training.lr", "cannot change")),
        (("--resume", "run", "--seed", "4"), ("seed", "cannot change")),
        (("ddpm-1d", "--resume", "run"), ("ddpm-1d", "naive-1d")),
        (("--resume", "run", "--out", "x"), ("--out", "--resume")),
        (("--resume", "run", "--device", "cuda:99"), ("device", "allowed")),
        ((), ("no experiment", "naive-1d")),
    ],
)
def test_a_run_that_cannot_be_gone_on_with_is_one_line(run_cli, arguments, words):
    save_run(store() / "run", trained(short("naive-1d", 40, device="auto"), 5), "stopped")
    before = {file: file.read_bytes() for file in store().rglob("*.*") if file.is_file()}
    assert run_cli("train", *arguments, "--json") == 2
    assert run_cli.out == ""
    assert len(run_cli.err.splitlines()) == 1
    assert all(word in run_cli.err for word in words), run_cli.err
    assert {file: file.read_bytes() for file in before} == before


def test_a_run_that_is_being_written_is_one_line(run_cli):
    trainer = trained(short("naive-1d", 40), 5)
    folder = save_run(store() / "run", trainer, "stopped")
    with Checkpointer(trainer, folder):
        assert run_cli("train", "--resume", "run", "--json") == 2
    assert "is still training this run; try again when it ends" in run_cli.err
    assert run_cli.err.count("\n") == 1


def test_a_run_is_not_written_over_by_a_new_training(run_cli):
    folder = save_run(store() / "run", trained(short("naive-1d", 40), 5), "stopped")
    assert run_cli("train", "naive-1d", "--out", str(folder)) == 2
    assert "not empty" in run_cli.err
    assert open_run("run").step == 5


def test_runs_for_a_person(run_cli):
    assert run_cli("runs") == 0
    assert "no runs so far" in run_cli.err
    assert run_cli.json("runs") == {"runs": []}
    save_run(store() / "[red]mine\x1b[31m", trained(short("naive-1d", 40), 5), "stopped")
    (store() / "other").mkdir()
    assert run_cli("runs") == 0
    assert "[red]mine?[31m" in run_cli.out
    assert "\x1b" not in run_cli.out
    assert "5/40" in run_cli.out
    assert "foreign" in run_cli.out
    rows = run_cli.json("runs")["runs"]
    assert [row["state"] for row in rows] == ["stopped", "foreign"]
    assert rows[1]["step"] is None


def test_the_list_of_runs_loads_no_torch():
    code = """
import sys
from tui_diffusion.program import main
sys.argv = ["diffusion-tui", "runs", "--json"]
main()
assert not {"torch", "numpy", "rich", "textual"} & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == {"runs": []}

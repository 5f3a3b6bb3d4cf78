"""The commands ``sweep`` and ``sweeps``, and sweeps in the others."""

import csv
import json
import shlex

import click
import pytest

from tui_diffusion.cli import completion
from tui_diffusion.core.runs.naming import all_runs
from tui_diffusion.core.runs.run import open_run
from tui_diffusion.core.sweeps import engines
from tui_diffusion.core.sweeps.engines.executor import ExecutorEngine
from tui_diffusion.core.sweeps.measures import MEASURES

from ..cases import for_each
from ..part_files import restored, written
from ..sweeps import Inline

SMALL = ("--set", "training.steps=30", "--set", "sampling.points=40", "--set", "device=cpu")
WIDTHS = ("--vary", "network.width=4,8")


@pytest.fixture(autouse=True)
def executor(monkeypatch):
    """Trainings run in this process."""
    inline = Inline()
    monkeypatch.setitem(engines.ENGINES, "processes", lambda options: ExecutorEngine(inline))
    return inline


def test_a_sweep_as_json_has_the_keys_that_the_design_names(run_cli, home, executor):
    report = run_cli.json("sweep", "naive-1d", *WIDTHS, "--seeds", "2", *SMALL)
    assert list(report) == [
        *("sweep", "experiment", "axes", "seeds", "engine", "workers", "seconds", "cells", "best")
    ]
    assert report["experiment"] == "naive-1d"
    assert report["axes"] == [{"field": "network.width", "values": [4, 8]}]
    assert report["seeds"] == 2
    assert len(executor.names) == 4
    for cell in report["cells"]:
        assert cell.keys() == {
            *("settings", "runs", "done", "diverged", "failed", "difference", "best"),
            *MEASURES,
        }
        assert (cell["done"], len(cell["runs"])) == (2, 2)
        for run in cell["runs"]:
            assert open_run(run).experiment.network.width == cell["settings"]["network.width"]
    assert all_runs() == []
    # The same numbers afterwards, and for a resumed sweep with nothing to do.
    assert run_cli.json("sweeps", "latest") == report
    assert run_cli.json("sweep", "--resume", report["sweep"])["cells"] == report["cells"]
    assert len(executor.names) == 4


def test_a_sweep_for_a_person(run_cli, home):
    assert run_cli("sweep", "naive-1d", *WIDTHS, "--seeds", "5", *SMALL) == 0
    rows = [line.split() for line in run_cli.out.splitlines()]
    assert [row[-9] for row in rows if len(row) > 2 and "5/5" in row] == ["5/5", "5/5"]
    assert "** best by energy distance: network.width=" in run_cli.out
    assert "Medians over 5 seeds. Real data: energy " in run_cli.out
    assert run_cli.err == ""
    assert run_cli("sweeps", "latest", "--by", "excess") == 0
    assert "** best by loss over its floor: network.width=" in run_cli.out
    assert run_cli("sweeps") == 0
    name, state, done, *_ = run_cli.out.splitlines()[1].split()
    assert name.startswith("naive-1d-width-")
    assert (state, done) == ("finished", "10/10")
    (listed,) = run_cli.json("sweeps")["sweeps"]
    assert (listed["sweep"], listed["state"], listed["done"]) == (name, "finished", 10)
    assert (listed["trainings"], listed["seeds"], listed["engine"]) == (10, 5, "Inline")


def test_a_table_that_is_piped_has_a_line_for_each_row_at_any_width(run_cli, home, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    fields = ("network.width", "network.depth", "training.lr", "training.batch")
    varied = (("--vary", f"{field}=1") for field in fields)
    options = (option for pair in varied for option in pair)
    assert run_cli("sweep", "naive-2d", *options, *SMALL) == 0
    assert run_cli("sweeps") == 0
    _, row = run_cli.out.splitlines()
    assert all(f"{field} (1)" in row for field in fields)
    assert len(row) > 80
    assert run_cli("sweeps", "latest") == 0
    head, row, blank, *_ = run_cli.out.splitlines()
    assert all(text in head for text in ("width", "batch", "seconds")) and not blank
    assert len(row) == len(head) > 80


def test_without_sweeps_the_list_says_how_to_write_one(run_cli, home):
    assert run_cli("sweeps") == 0
    assert "no sweeps so far; diffusion-tui sweep EXPERIMENT" in run_cli.err
    assert run_cli.json("sweeps") == {"sweeps": []}


def test_a_failed_training_ends_with_1_and_a_diverged_one_is_a_result(run_cli, home, executor):
    executor._fail = lambda name: name.startswith("2")
    assert run_cli("sweep", "naive-1d", *WIDTHS, *SMALL) == 1
    assert "2-width=8-seed=0: failed: out of memory" in run_cli.err
    assert "1 of 2 trainings failed; try again with: diffusion-tui sweep --resume" in run_cli.err
    executor._fail = lambda name: False
    assert run_cli("sweep", "naive-1d", "--vary", "training.lr=1e-3,1e12", *SMALL) == 0
    assert "** best by energy distance: training.lr=0.001" in run_cli.out


def test_cells_that_cannot_be_are_left_out_if_asked(run_cli, home):
    axes = ("--vary", "method.name=naive,ddpm", "--vary", "schedule.kind=karras,cosine")
    assert run_cli("sweep", "naive-1d", *axes, *SMALL) == 2
    assert "2 of 4 cells cannot be: method.name=naive schedule.kind=cosine (" in run_cli.err
    assert run_cli.err.rstrip().endswith("a sweep without these cells, with --skip-invalid")
    report = run_cli.json("sweep", "naive-1d", *axes, *SMALL, "--skip-invalid")
    assert len(report["cells"]) == 2
    assert "left out: 2 cells that cannot be" in run_cli.err


BAD = {
    "sweep": "no experiment is given; allowed: naive-1d",
    "sweep nope": "nope",
    "sweep naive-1d --vary": "",
    "sweep naive-1d --vary training.lr=-1": "training.lr: '-1' is not allowed; allowed: a number",
    "sweep naive-1d --vary lr=1": "lr: no such field; did you mean training.lr?",
    "sweep naive-1d --seeds 0": "--seeds: '0' is not allowed; allowed: a whole number from 1",
    "sweep naive-1d --workers x": "--workers: 'x' is not allowed; allowed: a whole number from 1",
    "sweep naive-1d --engine dusk": "engine: 'dusk' is not allowed; did you mean dask? allowed",
    "sweep naive-1d --engine processes --scheduler tcp://h:1": "a scheduler does not go with",
    "sweep naive-1d --by speed": "measure: 'speed' is not allowed; allowed: energy_distance",
    "sweep naive-1d --vary seed=1,2": "seed: cannot be an axis",
    "sweep naive-1d --set network.width=4 --vary network.width=4,8": "network.width: is set and",
    "sweep naive-1d --seeds 99999": "1 cell of 99,999 seeds, 99,999 in all; allowed: up to 10,000",
    "sweep naive-1d --resume latest": "--resume does not go with EXPERIMENT; allowed: --engine",
    "sweep --resume latest": "sweep 'latest': there is none so far; allowed: the folder of a sweep",
    "sweep --resume nope": "sweep 'nope' does not exist; allowed: the folder of a sweep",
    "sweeps nope": "sweep 'nope' does not exist",
    "sweeps --by excess": "--by goes with a sweep",
    "export nope x.csv": "run 'nope' does not exist",
}


@for_each("line", BAD)
def test_bad_input_is_one_line_and_nothing_is_written(line, run_cli, home):
    assert run_cli(*line.split()) == 2
    assert run_cli.err.count("\n") == 1
    assert BAD[line] in run_cli.err
    assert not (home / "sweeps").exists()


def test_a_run_of_a_sweep_is_used_by_its_name(run_cli, home, tmp_path):
    report = run_cli.json("sweep", "naive-1d", *WIDTHS, *SMALL)
    (run,) = report["cells"][1]["runs"]
    beginning = f"{run.partition('/')[0][:12]}/2"
    assert run_cli.json("sample", beginning)["sample"] == open_run(run).metrics["sample"]
    more = run_cli.json("train", "--resume", run, "--set", "training.steps=50")
    assert (more["steps"], more["run"]) == (50, str(open_run(run).folder))
    assert run_cli("runs") == 0
    assert "no runs so far" in run_cli.err
    assert "1 sweep" in run_cli.err


def test_a_sweep_is_exported_as_table_and_pictures(run_cli, home, tmp_path):
    report = run_cli.json("sweep", "naive-1d", *WIDTHS, "--seeds", "2", *SMALL)
    table, picture = tmp_path / "sweep.csv", tmp_path / "sweep.svg"
    assert run_cli.json("export", "latest", str(table))["sweep"] == report["sweep"]
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["cell"], row["network.width"], row["seed"]) for row in rows] == [
        *(("0", "4", "0"), ("0", "4", "1"), ("1", "8", "0"), ("1", "8", "1"))
    ]
    for index, cell in enumerate(report["cells"]):
        values = sorted(float(r["excess"]) for r in rows if r["cell"] == str(index))
        assert values == [cell["excess"]["low"], cell["excess"]["high"]]
        assert [r["run"] for r in rows if r["cell"] == str(index)] == cell["runs"]
    assert run_cli("export", "naive-1d-width", str(picture), "--view", "mode-tv") == 0
    assert "total variation of mode weights" in picture.read_text()
    for file, options, message in (
        ("x.gif", (), ".gif does not go with a sweep; allowed: .csv, .png, .svg"),
        ("x.png", ("--points", "9"), "--points does not go with a sweep; allowed: --view"),
        ("x.png", ("--level", "1"), "--level does not go with a sweep"),
        ("x.png", ("--view", "scatter"), "'scatter' is not allowed for a sweep; allowed: energy-"),
        ("x.csv", ("--view", "excess"), "--view does not go with the .csv of a sweep"),
        ("sweep.csv", (), "exists; allowed: a new file, or --force"),
    ):
        assert run_cli("export", "latest", str(tmp_path / file), *options) == 2
        assert message in run_cli.err
        assert run_cli.err.count("\n") == 1


def test_latest_is_what_was_written_last(run_cli, home, tmp_path):
    run_cli.json("sweep", "naive-1d", *WIDTHS, *SMALL)
    run = run_cli.json("train", "naive-1d", *SMALL)["run"]
    made = run_cli.json("export", "latest", str(tmp_path / "a.csv"))
    assert made["run"] == run
    run_cli.json("sweep", "naive-1d", *WIDTHS, *SMALL)
    assert "sweep" in run_cli.json("export", "latest", str(tmp_path / "b.csv"))


def test_names_of_sweeps_and_of_their_runs_are_completed(run_cli, home):
    report = run_cli.json("sweep", "naive-1d", *WIDTHS, *SMALL)
    name = report["cells"][0]["runs"][0].partition("/")[0]

    def offered(function, word):
        context = click.Context(click.Command("x"))
        return [item.value for item in function(context, click.Argument(["x"]), word)]

    assert offered(completion.sweeps, "") == [name, "latest"]
    assert offered(completion.exported, "naive") == [name]
    assert offered(completion.runs, f"{name}/") == [
        run for cell in report["cells"] for run in cell["runs"]
    ]
    assert offered(completion.engines, "s") == ["stacked"]
    assert offered(completion.measures, "mode") == ["mode_tv"]


def test_what_a_terminal_could_act_on_is_shown_harmless(run_cli, home):
    folder = home / "sweeps" / "a\x1b[31m"
    folder.mkdir(parents=True)
    (folder / "sweep.json").write_text(json.dumps({"format": "\x1b[2J"}))
    assert run_cli("sweeps") == 0
    assert "\x1b" not in run_cli.out
    assert "damaged" in run_cli.out


PART = '''
@sampler
def drift(x, level, denoiser, strength: float = 1.0):
    """Go on."""
    p = denoiser(x, level)
    return level.alpha_next * p.x0_hat + strength * level.sigma_next * p.eps_hat
'''
DRIFT = ("edm-1d", "--set", "sampling.sampler=drift", "--vary", "sampling.strength=1,2", *SMALL)


def test_a_sweep_with_a_part_file_needs_it_again(run_cli, home, tmp_path, executor):
    with restored():
        file = written(tmp_path, PART)
        executor._fail = lambda name: True
        assert run_cli("sweep", *DRIFT, "--parts", str(file)) == 1
        *_, line = run_cli.err.splitlines()
        again = shlex.split(line.partition("try again with: diffusion-tui ")[2])
        assert again[-2:] == ["--parts", str(file)]
        executor._fail = lambda name: False
    with restored():
        assert run_cli(*again) == 0
        assert len(run_cli.json("sweeps", "latest")["cells"]) == 2
    (folder,) = (home / "sweeps").iterdir()
    copy, table = folder / "my_parts.py", tmp_path / "x.csv"
    lacking = ("sweep", "--resume", "latest"), ("sweeps", "latest"), ("export", "latest", table)
    for command in lacking:
        assert run_cli(*map(str, command)) == 2
        assert run_cli.err.count("\n") == 1 and run_cli.out == ""
        assert f"sweep {folder.name}: sampler 'drift' is not loaded" in run_cli.err
        assert run_cli.err.endswith(f"; allowed: --parts {copy}\n")
    assert run_cli("sweeps") == 0
    with restored():
        assert run_cli("export", "latest", str(table), "--parts", str(copy)) == 0
    with restored():
        written(tmp_path, PART + "# changed\n")
        assert run_cli("sweeps", "latest", "--parts", str(file)) == 0
        assert "sampler 'drift' has changed since the sweep: in my_parts.py it was" in run_cli.err
        assert run_cli("sweep", "--resume", "latest", "--parts", str(file)) == 2
        assert f"allowed: the file as it was ({copy}), or a new sweep" in run_cli.err

"""The command line: its JSON, its exit codes, and one clear line for every bad input."""

import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import click
import numpy as np
import pytest
import torch

from tui_diffusion import __version__
from tui_diffusion import program as cli
from tui_diffusion.cli import training as headless
from tui_diffusion.cli.examples import EXAMPLES
from tui_diffusion.cli.signals import Exit
from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.config.errors import ConfigError
from tui_diffusion.core.config.experiment import field_table
from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.core.runs.run import open_run, store
from tui_diffusion.core.training.trainer import Trainer, train
from tui_diffusion.core.trajectory import denoise
from tui_diffusion.interface.command_line import parse_settings

from ..cases import for_each
from ..command_line import spawn
from ..trainings import trained

SAMPLE_KEYS = {
    *("points", "mean", "std", "nearest_mode_distance", "energy_distance"),
    *("energy_distance_real", "mode_weights", "mode_tv", "off_mode", "in_mode_std_ratio"),
}
TRAIN_KEYS = {
    *("experiment", "run", "seed", "device", "steps", "seconds", "steps_per_second"),
    *("loss", "sample", "target"),
}
SHORT = ("--set", "training.steps=30", "--set", "sampling.points=50")


# --- list --------------------------------------------------------------------------------------


def test_list_as_json(run_cli):
    rows = run_cli.json("list")["experiments"]
    assert [row["id"] for row in rows] == list(PRESETS)
    kinds = {"id": str, "title": str, "data": str, "method": str}
    kinds |= {"dim": int, "steps": int, "levels": int, "own": bool}
    for row in rows:
        assert row.keys() == {*kinds, "script"}
        assert all(type(row[key]) is kind for key, kind in kinds.items())
    by_id = {row["id"]: row for row in rows}
    assert by_id["ddpm-multimodal"] == {
        "id": "ddpm-multimodal",
        "title": get_preset("ddpm-multimodal").title,
        "script": "multimodal_DDPM",
        "data": "four-gaussians",
        "method": "ddpm",
        "dim": 2,
        "steps": 10_000,
        "levels": 20,
        "own": False,
    }


def test_list_for_a_person(run_cli):
    assert run_cli("list") == 0
    assert all(name in run_cli.out for name in PRESETS)
    assert run_cli.err == ""


# --- train -------------------------------------------------------------------------------------


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


# --- sample ------------------------------------------------------------------------------------


@pytest.fixture
def saved(run_cli, tmp_path) -> Path:
    folder = tmp_path / "saved"
    run_cli.json("train", "ddpm-1d", *SHORT, "--out", str(folder))
    return folder


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


# --- bad input ---------------------------------------------------------------------------------

BAD = [
    (("train", "nope"), ("nope", "naive-1d")),
    (("train", "naive-1d", "--set", "training.lr=abc"), ("training.lr", "abc", "above 0")),
    (("train", "naive-1d", "--set", "nope=1"), ("nope", "training.*")),
    (("train", "naive-1d", "--set", "schedule.levels=0"), ("schedule.levels", "from 1 to 1000")),
    (("train", "naive-1d", "--set", "training.lr"), ("training.lr", "FIELD=VALUE")),
    (("train", "naive-1d", "--set", "schedule.betas=0.1"), ("schedule.betas", "does not apply")),
    (("train", "naive-1d", "--set", "training.lr=nan"), ("training.lr", "nan")),
    (("train", "naive-1d", "--seed", "x"), ("seed", "from 0")),
    (("train", "naive-1d", "--seed", "-1"), ("seed", "from 0")),
    (("train", "naive-1d", "--device", "gpu"), ("device", "cuda:INDEX")),
    (("train", "naive-1d", "--device", "cuda:99"), ("device", "cpu")),
    (("train", "naive-1d", "--out", "/dev/null/x"), ("--out", "/dev/null/x")),
    (("train", "naive-1d", "--out", "/dev/null"), ("--out", "not a folder")),
    (("train", "naive-1d", "--out", "/proc/nope/run"), ("--out", "/proc/nope/run")),
    (("train", "naive-1d", "--out", "/tmp/" + "x" * 300), ("--out", "cannot be written")),
    (("train", "naive-1d", "--out", "a", "--no-save"), ("--no-save", "--out")),
    (("sample", "nope"), ("nope", "does not exist")),
    (("sample", "x" * 5000), ("does not exist",)),
    (("lab", "nope"), ("nope", "naive-1d")),
    (("nope",), ("nope", "naive-1d")),
    (("naive-1d", "--set", "training.lr=-1"), ("training.lr", "above 0")),
    (("naive-1d", "--points", "0"), ("sampling.points", "from 1")),
    (("naive-1d",), ("terminal",)),
    ((), ("terminal",)),
]


@for_each("arguments, words", BAD)
def test_bad_input_is_one_line_and_exit_code_2(run_cli, home, arguments, words):
    headless = arguments[:1] in (("train",), ("sample",))
    assert run_cli(*arguments, *(["--json"] if headless else [])) == Exit.BAD_INPUT == 2
    assert run_cli.out == ""
    lines = run_cli.err.splitlines()
    assert len(lines) == 1
    assert lines[0].isprintable()
    assert "Traceback" not in lines[0]
    assert "allowed" in lines[0]
    assert all(word in lines[0] for word in words), lines[0]
    assert not home.exists(), "nothing is left behind"


@for_each(
    "arguments",
    [("train",), ("sample",), ("train", "naive-1d", "--nope"), ("list", "x"), ("train", "a", "b")],
)
def test_a_wrong_use_is_one_line_and_exit_code_2(run_cli, arguments):
    assert run_cli(*arguments) == 2
    assert run_cli.out == ""
    assert len(run_cli.err.splitlines()) == 1


def test_what_is_mistyped_is_told_with_what_was_meant(run_cli, saved):
    for arguments, meant in (
        (("trian", "naive-1d"), "train"),
        (("edm-moon",), "edm-moons"),
        (("train", "edm-swissroll"), "edm-swiss-roll or edm-spirals"),
        (("train", "naive-1d", "--set", "lr=0.1"), "training.lr"),
        (("train", "naive-1d", "--set", "learning_rate=0.1"), "training.lr"),
        (("train", "naive-1d", "--set", "levels=3"), "schedule.levels or sampling.levels"),
        (("train", "naive-1d", "--set", "schedule.level=3"), "schedule.levels"),
        (("train", "naive-1d", "--set", "training.optimizer=sdg"), "sgd"),
        (("sample", str(saved), "--sampler", "eulr"), "euler"),
        (("sample", "lates"), "latest"),
        (("docs", "kyes"), "keys"),
    ):
        assert run_cli(*arguments) == 2
        (line,) = run_cli.err.splitlines()
        assert f"; did you mean {meant}? allowed: " in line, line


@for_each("path", list(field_table()))
def test_every_field_refuses_nonsense_on_the_command_line(run_cli, path):
    assert run_cli("train", "naive-1d", "--json", "--set", f"{path}=\x1b[31mno sense") == 2
    assert run_cli.out == ""
    assert run_cli.err.startswith(f"diffusion-tui: {path}: ")
    assert run_cli.err.count("\n") == 1
    assert "\x1b" not in run_cli.err
    assert "allowed" in run_cli.err


def test_a_store_that_is_no_folder_is_one_line(run_cli, home):
    home.write_text("not a folder")
    for arguments in (("runs", "--json"), ("train", "naive-1d", *SHORT, "--json")):
        assert run_cli(*arguments) == 2
        assert run_cli.out == ""
        assert len(run_cli.err.splitlines()) == 1
        assert f"store {home}" in run_cli.err
        assert "allowed" in run_cli.err


def test_a_folder_that_holds_something_is_not_written_to(run_cli, tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    assert run_cli("train", "naive-1d", *SHORT, "--out", str(tmp_path)) == 2
    assert "not empty" in run_cli.err
    assert (tmp_path / "mine.txt").read_text() == "keep"


@for_each(
    "options, word",
    [
        (("--points", "0"), "sampling.points"),
        (("--points", "x"), "sampling.points"),
        (("--sampler", "nope"), "sampling.sampler"),
        (("--sampler", "naive"), "sampling.sampler"),
        (("--seed", "-3"), "seed"),
        (("--out", "points.txt"), "--out"),
        (("--out", "/proc/nope/points.npz"), "--out"),
        (("--out", "x" * 300 + ".npz"), "--out"),
        (("--out", "/dev/null/points.npz"), "--out"),
    ],
)
def test_a_sample_that_cannot_be(run_cli, saved, tmp_path, monkeypatch, options, word):
    monkeypatch.chdir(tmp_path)
    assert run_cli("sample", str(saved), "--json", *options) == 2
    assert run_cli.out == ""
    assert len(run_cli.err.splitlines()) == 1
    assert word in run_cli.err
    assert "allowed" in run_cli.err


@pytest.mark.parametrize("file", ["run.json", "experiment.json", "weights.safetensors"])
def test_a_damaged_run_is_one_line(run_cli, saved, file):
    (saved if file == "run.json" else saved / "checkpoint-2").joinpath(file).write_bytes(b"\xff{")
    assert run_cli("sample", str(saved), "--json") == 2
    assert run_cli.out == ""
    assert len(run_cli.err.splitlines()) == 1
    assert file in run_cli.err


def test_a_defect_is_not_dressed_up_as_bad_input(monkeypatch):
    def fail(**_: object) -> None:
        raise ValueError("a defect")

    monkeypatch.setattr(cli, "cli", fail)
    with pytest.raises(ValueError, match="a defect"):
        cli.main()
    assert issubclass(ConfigError, ValueError)


# --- divergence and interruption ---------------------------------------------------------------


def test_a_divergence_is_exit_code_3_with_json_all_the_same(run_cli):
    report = run_cli.json("train", "naive-1d", "--set", "training.lr=1e9", code=3)
    assert report["loss"]["final"] is None
    assert report["steps"] < 1000
    run = open_run(report["run"])
    assert (run.state, run.step) == ("diverged", report["steps"])
    lines = run_cli.err.splitlines()
    assert len(lines) == 1
    assert f"step {report['steps']}" in lines[0]
    assert "diverged" in lines[0]


def test_an_interruption_saves_a_training_that_can_go_on(run_cli, monkeypatch):
    """A signal in the middle of a block: every step counted has its loss, and none is lost."""
    count_of = Trainer._count

    def count(self, block, stage, every):
        if self.step == 300:
            signal.raise_signal(signal.SIGINT)
            return 1
        return min(count_of(self, block, stage, every), 300 - self.step)

    monkeypatch.setattr(headless, "_REPORT", 1e-9)
    monkeypatch.setattr(Trainer, "_count", count)
    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert run_cli("train", "naive-1d", "--json") == Exit.INTERRUPTED == 130
    finally:
        signal.signal(signal.SIGINT, before)
    monkeypatch.undo()
    assert run_cli.out == ""
    assert "interrupted at step 301/1,000" in run_cli.err
    run = open_run(run_cli.err.strip().rpartition("run: ")[2])
    assert (run.state, run.step) == ("stopped", 301)
    experiment = get_preset("naive-1d").experiment
    whole = np.concatenate([p.losses for p in train(experiment)])
    assert run.losses().tobytes() == whole[:301].tobytes()
    rest = np.concatenate([p.losses for p in train(experiment, state=run.training_state())])
    assert rest.tobytes() == whole[301:].tobytes()


@pytest.mark.parametrize(("signalled", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interruption_before_anything_is_done_is_one_line(run_cli, monkeypatch, signalled, code):
    def wait(*_: object, **__: object) -> None:
        signal.raise_signal(signalled)

    monkeypatch.setattr(headless, "begin", wait)
    assert run_cli("train", "naive-1d", "--json") == code
    assert (run_cli.out, run_cli.err) == ("", "diffusion-tui: interrupted\n")


def test_an_export_that_is_ended_leaves_nothing_behind(run_cli, saved, tmp_path, monkeypatch):
    def write(_: object, file: Path, *__: object) -> None:
        file.write_bytes(b"half of it")
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr("tui_diffusion.export.pictures.video.write_gif", write)
    before = sorted(tmp_path.iterdir())
    assert run_cli("export", str(saved), str(tmp_path / "film.gif"), "--json") == 143
    assert (run_cli.out, run_cli.err) == ("", "diffusion-tui: interrupted\n")
    assert sorted(tmp_path.iterdir()) == before


# --- as a program ------------------------------------------------------------------------------


def test_the_program_prints_json_and_nothing_else(run_cli):
    process = spawn("train", "ddpm-multimodal", *SHORT, "--json")
    out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, "")
    report = json.loads(out)
    assert report.keys() >= TRAIN_KEYS
    assert run_cli.json("sample", report["run"])["sample"] == report["sample"]


@pytest.mark.parametrize("arguments", ["list", "list --json", "--help"])
def test_an_output_that_takes_nothing_is_one_line(arguments):
    with Path("/dev/full").open("w") as full:
        process = subprocess.run(
            [sys.executable, "-m", "tui_diffusion", *arguments.split()],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (process.returncode, process.stderr.count("\n")) == (Exit.FAILED, 1), process.stderr
    assert "No space left" in process.stderr


def test_no_stream_is_mistaken_for_another():
    """Without a standard error its words go nowhere, and least of all to standard output."""
    program = f"{sys.executable} -m tui_diffusion"
    closed = subprocess.run(
        f"{program} train nope 2>&-; {program} train naive-1d {' '.join(SHORT)} --json <&- 2>&-",
        shell=True,
        capture_output=True,
        check=True,
    )
    assert json.loads(closed.stdout)["steps"] == 30


def test_a_terminal_without_the_characters_is_shown_others():
    done = subprocess.run(
        [sys.executable, "-m", "tui_diffusion", "list"],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        check=True,
    )
    assert b"naive-multimodal" in done.stdout
    assert done.stderr == b""


def test_the_program_refuses_in_one_line():
    process = spawn("train", "naive-1d", "--set", "training.lr=abc", "--json")
    out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (2, "")
    assert err == (
        "diffusion-tui: training.lr: 'abc' is not allowed; allowed: a number above 0 up to 1e12\n"
    )


def test_every_command_has_two_examples_that_can_be_given(run_cli):
    program = click.Context(cli.cli, help_option_names=["-h", "--help"])
    for name in ("", *cli.cli.commands):
        assert len(EXAMPLES[name]) >= 2
        assert run_cli(*name.split(), "--help") == 0
        for line in EXAMPLES[name]:
            assert f"  {line}\n" in run_cli.out
            first, *words = shlex.split(line)
            command = words[0] if words and words[0] in cli.cli.commands else "lab"
            assert first == "diffusion-tui" and (command == name or not name)
            given = words[1:] if words[:1] == [command] else words
            context = cli.cli.commands[command].make_context(command, given, parent=program)
            preset = get_preset(context.params.get("experiment") or "edm-moons")
            preset.experiment.with_settings(parse_settings(context.params.get("settings", ())))
    assert run_cli("train", "--help") == 0 and "docs fields" in run_cli.out


def test_the_reference_is_what_the_program_declares(run_cli):
    rows = run_cli.json("docs", "fields")["fields"]
    assert [row["field"] for row in rows] == list(field_table())
    topics = [row["topic"] for row in run_cli.json("docs")["topics"]]
    for topic in topics:
        rows = run_cli.json("docs", topic)[topic]
        assert run_cli("docs", topic) == 0
        text = " ".join(run_cli.out.split())
        assert rows and all(" ".join(row["about"].split()) in text for row in rows)


def test_version_and_help(run_cli):
    assert run_cli("--version") == 0
    assert run_cli.out.strip() == f"diffusion-tui, version {__version__}"
    assert run_cli("--help") == 0
    assert all(command in run_cli.out for command in ("lab", "list", "train", "sample"))
    assert run_cli("train", "-h") == 0
    assert "--no-save" in run_cli.out


def test_the_console_script_is_this_program():
    script = Path(sys.executable).with_name("diffusion-tui")
    if not script.exists():
        pytest.skip("the package is not installed beside this interpreter")
    done = subprocess.run(
        [script, "list", "--json"], capture_output=True, text=True, env=os.environ, check=True
    )
    assert [row["id"] for row in json.loads(done.stdout)["experiments"]] == list(PRESETS)

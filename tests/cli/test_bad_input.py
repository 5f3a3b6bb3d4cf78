"""Bad input is one line that says what is wrong and what is allowed, and exit code 2."""

import pytest

from tui_diffusion import program as cli
from tui_diffusion.cli.signals import Exit
from tui_diffusion.core.config.errors import ConfigError
from tui_diffusion.core.config.experiment import field_table

from ..cases import for_each
from ..command_line import SHORT

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
    (("watch", "nope"), ("nope", "does not exist")),
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

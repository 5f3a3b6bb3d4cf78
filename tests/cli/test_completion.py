"""Completion in the shells, the version, and the module as a program."""

import os
import shutil
import subprocess
import sys

import click
import pytest

from tui_diffusion import __version__
from tui_diffusion.cli import completion
from tui_diffusion.cli.completion import install
from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.config.errors import ConfigError
from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.core.config.value_types import format_value
from tui_diffusion.core.runs.outside import remember
from tui_diffusion.interface.command_line import command_line, parse_settings
from tui_diffusion.program import cli

from ..cases import for_each


def run(*arguments, **environ):
    return subprocess.run(
        [sys.executable, "-m", "tui_diffusion", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **environ},
        check=False,
    )


def completed(line):
    """What bash offers after this line."""
    words = line.split(" ")
    asked = {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    done = run(_DIFFUSION_TUI_COMPLETE="bash_complete", **asked)
    assert done.stderr == ""
    return {entry.partition(",")[2] for entry in done.stdout.splitlines()}


def test_a_module_is_a_program():
    assert run("--version").stdout == f"diffusion-tui, version {__version__}\n"


def test_commands_experiments_and_fields_are_completed():
    assert completed("diffusion-tui ") >= {"train", "doctor", "lab", *PRESETS}
    assert completed("diffusion-tui train edm-m") == {"edm-multimodal", "edm-moons"}
    assert completed("diffusion-tui edm-1d --set training.lo") == {"training.loss="}
    assert "sampling.sampler=ddim" in completed("diffusion-tui train x --set sampling.sampler=d")


def test_runs_samplers_devices_themes_and_topics_are_completed(home, tmp_path):
    for folder in (home / "runs" / "moons-1", home / "runs" / "spirals", tmp_path / "mine"):
        folder.mkdir(parents=True)
        (folder / "run.json").touch()
    remember(tmp_path / "mine")
    command = cli.commands["sample"]

    def offered(complete, begun):
        return {item.value for item in complete(click.Context(command), command.params[0], begun)}

    assert offered(completion.runs, "") == {"moons-1", "spirals", "mine", "latest"}
    assert offered(completion.runs, "m") == {"moons-1", "mine"}
    (folders,) = completion.runs(click.Context(command), command.params[0], "/tmp")
    assert folders.type == "dir"
    assert {*offered(completion.samplers, "dd")} == {"ddpm", "ddim"}
    assert "heun,euler" in offered(completion.sampler_list, "heun,e")
    assert not offered(completion.sampler_list, "heun,h")
    assert offered(completion.devices, "") >= {"auto", "cpu", "cuda", "mps"}
    assert offered(completion.fields, "device=a") == {"device=auto"}
    assert offered(completion.themes, "h") == {"high-contrast"}
    assert offered(completion.logs, "") == {"csv", "tensorboard"}
    (file,) = completion.logs(click.Context(command), command.params[0], "csv:a")
    assert (file.type, file.value) == ("file", "csv:a")
    assert offered(completion.topics, "f") == {"fields", "files"}
    assert offered(completion.topics, "") >= {"python", "extending", "keys", "numbers"}
    assert offered(completion.kinds, "s") == {"sampler", "schedule"}
    assert completed("diffusion-tui check sampler ddp") == {"ddpm"}
    assert "file:" in completed("diffusion-tui check dataset ")
    complete = {
        "check": {"kind", "name", "parts"},
        "sample": {"run", "sampler", "ideal_of", "settings", "parts"},
        "evaluate": {"run", "sampler", "samplers", "ideal_of", "settings", "parts"},
        "export": {"run", "parts"},
        "train": {"resume", "device", "settings", "experiment", "logs", "parts"},
        "lab": {"resume", "theme", "settings", "experiment", "parts"},
        "watch": {"run", "theme", "parts"},
    }
    for name, parameters in complete.items():
        for parameter in cli.commands[name].params:
            custom = parameter._custom_shell_complete is not None
            assert custom == (parameter.name in parameters), (name, parameter.name)


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_a_bare_bash_completes_what_it_has_split(tmp_path, home):
    """As bash hands it over: words are split at =, and what is behind the last is completed."""
    program = tmp_path / "bin" / "diffusion-tui"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m tui_diffusion "$@"\n')
    program.chmod(0o755)
    startup = tmp_path / ".bashrc"
    startup.write_text("# mine")
    (home / "runs" / "moons-1").mkdir(parents=True)
    (home / "runs" / "moons-1" / "run.json").touch()
    environ = {"HOME": str(tmp_path), "XDG_DATA_HOME": ""}
    for _ in range(2):
        assert run("--install-completion", "bash", **environ).returncode == 0
    lines = startup.read_text().splitlines()
    assert len(lines) == 2 and lines[0] == "# mine"
    tries = {
        "train x --set training.lo": "training.loss=",
        "train x --set training.loss = m": "mean",
        "train x --set training.loss =": "sum norm mean",
        "sample mo": "moons-1",
    }
    script = f"PATH={program.parent}:$PATH; . {startup}\n" + "\n".join(
        f"COMP_WORDS=(diffusion-tui {line}); COMP_CWORD={len(line.split())}; "
        '_diffusion_tui_completion diffusion-tui; echo "${COMPREPLY[*]}"'
        for line in tries
    )
    done = subprocess.run(
        ["bash", "--norc", "--noprofile", "-c", script],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, **environ},
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == list(tries.values())


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_it_is_installed_where_the_shell_looks(shell, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    file, then = install(cli, shell)
    assert file.is_relative_to(tmp_path)
    assert "_DIFFUSION_TUI_COMPLETE" in file.read_text()
    assert shell in then
    monkeypatch.setenv("SHELL", f"/bin/{shell}")
    assert install(cli, "auto")[0] == file


def test_the_option_says_where(tmp_path):
    done = run("--install-completion", "fish", HOME=str(tmp_path), XDG_CONFIG_HOME="")
    assert done.returncode == 0
    assert str(tmp_path) in done.stdout
    done = run("--install-completion", "tcsh", HOME=str(tmp_path))
    assert done.returncode == 2
    assert "allowed: bash, zsh, fish" in done.stderr


def test_a_shell_that_is_not_known(monkeypatch):
    monkeypatch.setenv("SHELL", "")
    with pytest.raises(ConfigError, match="allowed: bash, zsh, fish"):
        install(cli, "auto")


@for_each(
    "changes",
    [
        {},
        {"training.lr": "0.00123456789012", "seed": "7"},
        {"data.means": "(-1, 0.5), (2, 2)", "sampling.points": "77", "schedule.levels": "12"},
    ],
)
def test_the_copied_command_makes_the_same_experiment(changes):
    import shlex

    preset = get_preset("ddpm-multimodal").experiment
    experiment = preset.with_settings(changes)
    words = shlex.split(command_line(experiment))
    assert words[:3] == ["diffusion-tui", "train", "ddpm-multimodal"]
    assert words[3::2] == ["--set"] * len(changes)
    again = preset.with_settings(parse_settings(tuple(words[4::2])))
    assert again == experiment
    assert format_value(again.seed) == format_value(experiment.seed)

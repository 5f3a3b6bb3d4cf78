"""The command line as a program: its streams, its help, and the list of experiments."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from tui_diffusion import __version__
from tui_diffusion import program as cli
from tui_diffusion.cli.examples import EXAMPLES
from tui_diffusion.cli.signals import Exit
from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.config.experiment import field_table
from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.interface.command_line import parse_settings

from ..command_line import SHORT, TRAIN_KEYS, spawn

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
    guided = next(row for row in rows if row["field"] == "sampling.guidance_to")
    assert guided["only"] == {}
    assert guided["any"] == {
        "network.labels": ["true"],
        "network.guide": ["true"],
        "sampling.guide": ["RUN"],
    }
    assert not any(row["any"] for row in rows if not row["field"].startswith("sampling.gui"))
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

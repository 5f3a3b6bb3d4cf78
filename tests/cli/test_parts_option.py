"""Part files on the command line: ``--parts``, the settings, installed packages, and failures."""

from __future__ import annotations

import sys

import pytest

from tui_diffusion.core.parts import registries
from tui_diffusion.core.parts.installed import load_installed

from ..command_line import SHORT
from ..part_files import restored, written

TEXT = '''
@sampler
def drift(x, level, denoiser, strength: Annotated[float, Field(ge=0)] = 1.0):
    """Go on."""
    print("at", level.index)
    p = denoiser(x, level)
    return level.alpha_next * p.x0_hat + level.sigma_next * p.eps_hat * (1 / strength)
'''
MINE = ("--set", "sampling.sampler=drift", "--set", "sampling.strength=2")


@pytest.fixture
def file(tmp_path):
    """A part file, whose parts are gone at the end of the test."""
    with restored():
        yield str(written(tmp_path, TEXT))


def test_a_part_file_is_used_by_every_command_and_its_runs_say_what_they_lack(
    file, tmp_path, run_cli
):
    folder = str(tmp_path / "run")
    with restored():
        assert run_cli("train", "edm-1d", "--parts", file, *SHORT, *MINE, "--out", folder) == 0
        report = run_cli.json("sample", folder, "--parts", file, "--points", "20")
        assert report["sampler"] == "drift"
        assert "at 0\n" in run_cli.err  # what a part prints is not output
        rows = run_cli.json("docs", "fields")["fields"]
        assert any(row["field"] == "sampling.strength" for row in rows)
        (row,) = run_cli.json("runs")["runs"]
        assert row["reason"] is None and row["changes"]["sampling.strength"] == 2

    copy = f"{folder}/my_parts.py"
    for command in ("sample", "evaluate", "export", "train"):
        arguments = {"export": [folder, "x.gif"], "train": ["--resume", folder]}
        assert run_cli(command, *arguments.get(command, [folder])) == 2
        assert run_cli.err.count("\n") == 1 and run_cli.out == ""
        assert "sampler 'drift' is not loaded; the run keeps it in my_parts.py (" in run_cli.err
        assert f"allowed: --parts {copy}\n" in run_cli.err
    (row,) = run_cli.json("runs")["runs"]
    assert row["state"] == "finished"
    assert row["reason"] == "not loaded: sampler 'drift' of my_parts.py"
    assert run_cli("runs") == 0 and "not loaded: sampler" in run_cli.out
    with restored():
        assert run_cli("sample", folder, "--parts", copy, "--points", "20") == 0
    with restored():
        written(tmp_path, TEXT + "# changed\n")
        assert run_cli("sample", folder, "--parts", file, "--points", "20") == 0
        assert "sampler 'drift' has changed since the run: in my_parts.py it was" in run_cli.err


def test_what_a_part_does_wrong_is_one_line_and_an_exit_code(file, tmp_path, run_cli):
    train = ("train", "edm-1d", "--no-save", *SHORT, "--parts", file)
    fails = (*MINE[:2], "--set", "sampling.strength=0")
    assert run_cli(*train, *fails) == 1
    *_, line = run_cli.err.splitlines()
    assert "sampler 'drift' (my_parts.py, line 15): ZeroDivisionError" in line
    assert "Traceback" not in run_cli.err and run_cli.out == ""
    assert run_cli(*train, "--set", "sampling.sampler=drift", "--set", "sampling.strength=-1") == 2
    assert "sampling.strength: '-1' is not allowed; allowed: a number from 0" in run_cli.err
    bad = tmp_path / "bad.py"
    bad.write_text("print('out')\n1 / 0\n")
    assert run_cli("list", "--json", "--parts", str(bad)) == 2
    assert run_cli.out == ""
    assert (
        run_cli.err == "out\ndiffusion-tui: bad.py, line 2: ZeroDivisionError: division by zero\n"
    )


def test_what_a_part_writes_while_it_runs_is_no_part_of_the_json(tmp_path, run_cli):
    text = TEXT.replace("print(", "__import__('sys').stdout.write('noise')  # (")
    mine = (*MINE, "--parts", str(written(tmp_path, text)))
    with restored():
        report = run_cli.json("train", "edm-1d", "--no-save", *SHORT, *mine)
        assert report["status"] == "finished" and "noisenoise" in run_cli.err
        assert run_cli.json("doctor")["locale"]["stdout"] == sys.stdout.encoding


def test_the_settings_name_part_files_from_their_own_folder(file, home, run_cli):
    home.mkdir(exist_ok=True)
    settings = home / "settings.toml"
    settings.write_text('parts = ["../my_parts.py"]\n')
    with restored():
        assert run_cli("train", "edm-1d", "--no-save", *SHORT, *MINE) == 0
    settings.write_text('parts = ["absent.py"]\n')
    assert run_cli("list") == 0 and "absent.py': No such file" in run_cli.err
    assert run_cli("train", "edm-1d", "--no-save", *SHORT) == 2
    assert run_cli.err.count("\n") == 1 and "absent.py" in run_cli.err


def test_parts_of_installed_packages_are_found_when_they_are_missed(tmp_path, monkeypatch, run_cli):
    for name, text in {"whole": "print('hello')\n" + TEXT, "broken": "1 / 0\n"}.items():
        (tmp_path / f"{name}_parts_package.py").write_text("")
        written(tmp_path, text, f"{name}_parts_package.py")
        about = tmp_path / f"{name}_parts-1.0.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}-parts\nVersion: 1.0\n"
        )
        (about / "entry_points.txt").write_text(
            f"[diffusion_tui.parts]\n{name} = {name}_parts_package\n"
        )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(registries, "_finders", [load_installed])
    monkeypatch.setattr(registries, "problems", [])
    monkeypatch.setattr("tui_diffusion.core.parts.installed.problems", registries.problems)
    monkeypatch.setattr("tui_diffusion.cli.main.problems", registries.problems)
    with restored():
        assert run_cli("list") == 0
        assert "whole_parts_package" not in sys.modules  # nobody has asked for it
        assert run_cli("train", "edm-1d", "--no-save", *SHORT, *MINE) == 0
        assert "hello" not in run_cli.out
        *_, line = run_cli.err.splitlines()
        assert (
            "installed parts 'broken': broken_parts_package.py, line 9: ZeroDivisionError" in line
        )
        part = registries.REGISTRIES["sampler"]["drift"]
        assert part.file is not None and part.file.name == "whole_parts_package.py"
    for name in ("whole", "broken"):
        sys.modules.pop(f"{name}_parts_package", None)

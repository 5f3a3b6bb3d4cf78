"""Speeds measured by the doctor, kept in the settings, and used by every command."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tui_diffusion.core.paths import settings_file
from tui_diffusion.core.training import speed_test
from tui_diffusion.core.training.speed_test import Measurement
from tui_diffusion.core.training.speeds import Speeds, cpu_name, use_speeds
from tui_diffusion.interface.settings import load
from tui_diffusion.program import cli

CPU = Speeds(2e-5, 4e10, 0.0, date(2026, 11, 28))
CARD = Speeds(9e-5, 2e13, 2.5, date(2026, 11, 28))
TRAIN = ("train", "naive-1d", "--no-save", "--json", "--device", "auto")


@pytest.fixture(autouse=True)
def forget(home: Path) -> Iterator[None]:
    home.mkdir()
    yield
    use_speeds({})


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, [*arguments], catch_exceptions=False)


def reason() -> str:
    done = run(*TRAIN, "--set", "training.steps=2", "--set", "sampling.points=10")
    assert done.exit_code == 0, done.output
    return str(json.loads(done.stdout)["device_reason"])


def test_what_the_doctor_measures_is_kept_shown_and_used(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "measured" not in reason()
    found = [Measurement("cpu", cpu_name(), CPU)]
    monkeypatch.setattr(speed_test, "measure_all", lambda: iter(found))
    done = run("doctor", "--measure", "--json")
    assert done.exit_code == 0 and "no CUDA device: the CPU alone is measured" in done.stderr
    speeds = json.loads(done.stdout)["speeds"]
    assert speeds["cpu"]["measured"] is None
    assert speeds[cpu_name()] == {
        "step": 2e-5,
        "rate": 4e10,
        "start": 0.0,
        "measured": "2026-11-28",
    }
    assert load(settings_file())[0].speeds == {cpu_name(): CPU}
    assert reason().endswith("(the CPU measured on this machine on 2026-11-28, the GPU not)")
    found += [Measurement("cuda:0", "NVIDIA X", CARD), Measurement("cuda:1", "Y", None, "broken")]
    done = run("doctor", "--measure")
    assert done.exit_code == 1
    assert "cuda:1 Y cannot be measured: broken" in done.stderr
    assert load(settings_file())[0].speeds == {cpu_name(): CPU, "NVIDIA X": CARD}
    rows = " ".join(done.stdout.split())
    assert "cuda: 100 µs per step and 5,000 GFLOP/s, 3.0 s to start, built in" in rows
    assert "NVIDIA X: 90 µs per step and 20,000 GFLOP/s, 2.5 s to start, measured on 2" in rows


def test_wrong_speeds_are_one_line_and_the_built_in_ones_are_used() -> None:
    settings_file().write_text(f'theme = 3\nspeeds."{cpu_name()}" = {{step = "fast", rate = 1}}\n')
    done = run(*TRAIN, "--set", "training.steps=2", "--set", "sampling.points=10")
    assert done.exit_code == 0
    (line,) = [line for line in done.stderr.splitlines() if "settings.toml" in line]
    assert "step = 'fast' is wrong; allowed: a number above 0; the default is used" in line
    assert "measured" not in json.loads(done.stdout)["device_reason"]
    assert any(
        "(and 1 more)" in text for text in json.loads(run("doctor", "--json").stdout)["warnings"]
    )


def test_speeds_that_cannot_be_saved_are_a_failure(
    monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    monkeypatch.setenv("DIFFUSION_TUI_CONFIG", str(home / "file" / "settings.toml"))
    (home / "file").touch()
    monkeypatch.setattr(speed_test, "measure_all", lambda: iter([Measurement("cpu", "x", CPU)]))
    done = run("doctor", "--measure", "--json")
    assert done.exit_code == 1 and json.loads(done.stdout)["version"]
    assert "not saved: " in done.stderr and "cannot be written" in done.stderr

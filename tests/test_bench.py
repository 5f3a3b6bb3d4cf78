"""The benchmarks: each section can be loaded, and that of CUDA holds without a device."""

from __future__ import annotations

from importlib import import_module

import pytest
import torch

from tui_diffusion.core.config.presets import PRESETS

from .bench import cuda, rates, stacked
from .bench.__main__ import SECTIONS

SMALL = {"network.width": 16, "training.batch": 32}


@pytest.mark.parametrize("name", SECTIONS)
def test_a_section_can_be_loaded(name: str) -> None:
    assert callable(import_module(f"tests.bench.{name}").run)


def test_without_a_device_that_of_cuda_says_so_in_one_line(monkeypatch, capsys) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    cuda.run(2)
    assert capsys.readouterr().out == "No CUDA device here: nothing to measure\n"


def test_its_tables_hold_every_preset_asked_for(monkeypatch, capsys) -> None:
    monkeypatch.setattr(rates, "SLICE", 0.01)
    monkeypatch.setattr(cuda, "LARGE", SMALL)
    monkeypatch.setattr(cuda, "first_step", lambda device: 3.0)
    cuda.presets(1, "cpu", ["naive-1d", "edm-moons"])
    cuda.sampling(1, "cpu", [100])
    out = capsys.readouterr().out
    for name in ("naive-1d", "edm-moons", "edm-multimodal, large"):
        rate, choice = (line for line in out.splitlines() if line.startswith(f"{name} "))
        assert all(float(number.replace(",", "")) > 0 for number in rate.split()[-5:])
        assert choice.split()[-2:] == ["cpu", "right"]
    assert "\n100 " in out


@pytest.mark.parametrize(
    ("there", "right"), [(1e9, False), (120.0, False), (105.0, True), (10.0, True)]
)
def test_auto_is_wrong_if_the_other_device_is_clearly_sooner(there: float, right: bool) -> None:
    """It takes the CPU for this preset, at 100 steps a second."""
    experiment = PRESETS["naive-1d"].experiment
    one = cuda.Measured("naive-1d", experiment, 1.0, there, 100.0)
    row, is_right = cuda.choice(one, "cuda", 0.0)
    assert (row[-2:], is_right) == (["cpu", "right" if right else "WRONG"], right)
    assert cuda.choice(one, "cuda", 60.0)[1]  # a late first step makes up for the rate


def test_a_table_of_stacks_has_every_count(monkeypatch, capsys) -> None:
    monkeypatch.setattr(rates, "SLICE", 0.01)
    stacked.table(1, "cpu", (1, 3))
    rows = [line.split() for line in capsys.readouterr().out.splitlines()[-2:]]
    assert [row[0] for row in rows] == ["1", "3"]
    assert all(float(number.replace(",", "")) > 0 for row in rows for number in row)

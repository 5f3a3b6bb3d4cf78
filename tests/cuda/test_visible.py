"""CUDA_VISIBLE_DEVICES that shows no device: a line, and a training on the CPU."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from tui_diffusion.cli.signals import Exit

from ..program import PROGRAM

NONE = ("", "-1", "97", "GPU-x", "nonsense")
"""Values with which CUDA sees no device."""


def program(*words: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *words],
        capture_output=True,
        text=True,
        env=os.environ | env,
    )


TRAIN = ("train", "naive-1d", "--set", "training.steps=30", "--no-save", "--json")


def refuses_cuda(visible: str) -> None:
    """Ask for CUDA where none is visible: one line, and exit code 2."""
    refused = program(*TRAIN, "--device", "cuda", CUDA_VISIBLE_DEVICES=visible)
    assert refused.returncode == Exit.BAD_INPUT
    assert refused.stdout == ""
    (line,) = refused.stderr.splitlines()
    assert line.startswith("diffusion-tui: device: 'cuda' is not available")
    assert line.endswith("; allowed: auto, cpu")


@pytest.mark.slow
@pytest.mark.cuda
@pytest.mark.parametrize("visible", NONE)
def test_without_a_visible_device_it_is_one_line(visible: str) -> None:
    refuses_cuda(visible)


@pytest.mark.slow
@pytest.mark.parametrize("_", ["cpu", pytest.param("cuda", marks=pytest.mark.cuda)])
def test_without_any_device_it_is_the_same_and_auto_takes_the_cpu(_: str) -> None:
    refuses_cuda("")
    wide = ("--set", "network.width=128", "--set", "training.lr=1e-9")
    chosen = program(*TRAIN, *wide, "--device", "auto", CUDA_VISIBLE_DEVICES="")
    assert chosen.returncode == 0, chosen.stderr
    assert json.loads(chosen.stdout)["device"] == "cpu"


@pytest.mark.cuda
def test_a_device_that_is_not_there_is_refused_by_its_number() -> None:
    refused = program("train", "naive-1d", "--device", "cuda:97", "--no-save")
    assert refused.returncode == Exit.BAD_INPUT
    (line,) = refused.stderr.splitlines()
    assert "device: 'cuda:97' is not available; allowed: auto, cpu, cuda:0" in line

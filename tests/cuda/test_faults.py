"""What ends a training on the device: a divergence, want of memory, the loss of the device."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tui_diffusion.cli.signals import Exit
from tui_diffusion.lab.session.records import SessionState, Training
from tui_diffusion.lab.session.session import Session

from ..changed import changed
from ..fakes import wait_until
from ..trainings import trained

LOSE = Path(__file__).with_name("lost_device.py")
TOO_LARGE = {
    "network": {"network.width": "4096", "network.depth": "4"},
    "batch": {"training.batch": "1000000", "network.width": "512"},
}
"""Settings of a network or a batch that is too large for a little memory."""


def ended(session: Session, experiment) -> Training:
    """Train as the lab does, to the end."""
    training = session.start(experiment)
    wait_until(lambda: not training.state.active)
    return training


# --- divergence ----------------------------------------------------------------------------------


def test_a_divergence_ends_with_its_state_and_code(device, run_cli) -> None:
    wild = {"training__lr": 1e9, "device": device}
    trainer = trained(changed("naive-2d", **wild))
    assert trainer.status == "diverged"
    assert 1 <= trainer.step < trainer.steps
    assert not bool(torch.isfinite(torch.tensor(trainer.losses[trainer.step - 1])))
    assert all(bool(torch.isfinite(p).all()) for p in trainer.network.parameters())
    session = Session(lambda: None)
    assert ended(session, changed("naive-2d", **wild)).state is SessionState.DIVERGED
    assert session.close(60)
    words = ("train", "naive-2d", "--device", device, "--set", "training.lr=1e9", "--no-save")
    assert run_cli(*words) == Exit.DIVERGED
    assert f"training diverged: the loss of step {trainer.step:,} is not finite" in run_cli.err


# --- memory --------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("settings", TOO_LARGE.values(), ids=list(TOO_LARGE))
@pytest.mark.usefixtures("scarce_memory")
def test_want_of_memory_is_one_line_and_the_lab_goes_on(settings, device, run_cli) -> None:
    said = "the GPU is out of memory; allowed: less of training.batch or network.width, or device"
    words = [word for path, value in settings.items() for word in ("--set", f"{path}={value}")]
    assert run_cli("train", "naive-2d", "--device", device, "--no-save", *words) == Exit.FAILED
    assert run_cli.out == ""
    lines = [line for line in run_cli.err.splitlines() if line.startswith("diffusion-tui: ")]
    assert len(lines) == 1
    assert said in lines[0]
    assert "Traceback" not in run_cli.err
    session = Session(lambda: None)
    experiment = changed("naive-2d", device=device)
    failed = ended(session, experiment.with_settings(settings))
    assert failed.state is SessionState.FAILED
    assert said in failed.error
    assert ended(session, experiment).state is SessionState.FINISHED
    assert session.close(60)


# --- a device that is lost -----------------------------------------------------------------------


@pytest.mark.slow
def test_a_device_lost_below_python_is_one_line(device) -> None:
    words = ("train", "naive-1d", "--device", device, "--set", "training.steps=50000000")
    done = subprocess.run(
        [sys.executable, str(LOSE), "assert", *words, "--no-save"], capture_output=True, text=True
    )
    assert done.returncode == Exit.FAILED, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    # The driver writes lines of its own; of the program's there is one.
    (line,) = [one for one in done.stderr.splitlines() if one.startswith("diffusion-tui: ")]
    assert "the device failed (CUDA error: device-side assert" in line
    assert "allowed: device cpu" in line

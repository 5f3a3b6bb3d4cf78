"""What the tests of faults share."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.runs.run import RunError
from tui_diffusion.core.training.trainer import Trainer

EXPERIMENT = get_preset("ddpm-multimodal").experiment.with_settings(
    {"training.steps": 30, "training.batch": 8, "training.average": 0.9, "device": "cpu"}
)


def fault(action, *arguments: object, longest: int = 400) -> str:
    """The message of a run that is refused: one line of plain text."""
    with pytest.raises(RunError) as caught:
        action(*arguments)
    message = str(caught.value)
    assert message.isprintable()
    assert len(message) < longest
    return message


def tree(folder: Path) -> dict[str, bytes]:
    """The bytes of each file but the lock, which says who wrote last."""
    files = (file for file in folder.rglob("*") if file.is_file() and file.name != "lock")
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


def driver(code: str, *arguments: str, **options) -> subprocess.CompletedProcess[str]:
    """Run this code in an interpreter of its own."""
    return subprocess.run(
        [*arguments, sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=200,
        **options,
    )


def overflow(trainer: Trainer) -> None:
    """What an update beyond the greatest number leaves."""
    with torch.no_grad():
        trainer.network.bodies[0][0].weight[0, 0] = float("inf")

"""A run that goes on: on the device it began on, and on the other one."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
import torch

from tui_diffusion.core.config.experiment import Experiment
from tui_diffusion.core.runs.resume import resume
from tui_diffusion.core.runs.run import open_run
from tui_diffusion.core.runs.writer import save_run
from tui_diffusion.core.training.trainer import Trainer

from ..core.test_cuda_graph import KINDS
from ..trainings import go_on, trained
from .same_batches import same_batches  # noqa: F401

STOP = 130
"""Steps before the stop: within a block of batches."""


def resumed(experiment: Experiment, first: str, second: str, folder: Path) -> Trainer:
    """Begin on one device, write the run down, and open it again on another."""
    trainer = Trainer(experiment.with_settings({"device": first}))
    next(trainer.run(every=STOP))
    run = open_run(str(save_run(folder / f"{first}-{second}", trainer, "stopped")))
    again = resume(run, run.experiment.with_settings({"device": second}))
    assert (again.step, again.device.type) == (STOP, second)
    before, after = trainer.state(), again.state()
    assert before.keys() == after.keys()
    for name in before.keys() - {"generator"}:
        assert torch.equal(before[name], after[name]), name
    return again


@pytest.mark.parametrize("experiment", KINDS, ids=lambda e: e.name)
def test_on_the_same_device_it_ends_as_if_never_stopped(experiment, device, tmp_path) -> None:
    whole = trained(experiment.with_settings({"device": device}))
    again = go_on(resumed(experiment, device, device, tmp_path))
    assert again.status == "finished"
    np.testing.assert_allclose(again.losses, whole.losses, rtol=1e-3)


@pytest.mark.parametrize("experiment", KINDS[1:3], ids=lambda e: e.name)
@pytest.mark.usefixtures("same_batches")
def test_on_the_other_device_it_ends_the_same_if_the_batches_do(
    experiment, device, tmp_path
) -> None:
    whole = trained(experiment.with_settings({"device": "cpu"}))
    for number, (first, second) in enumerate(permutations(("cpu", device))):
        again = go_on(resumed(experiment, first, second, tmp_path / str(number)))
        np.testing.assert_allclose(again.losses, whole.losses, rtol=1e-3)


def test_on_the_other_device_it_goes_on_with_random_numbers_of_its_own(device, tmp_path) -> None:
    for number, (first, second) in enumerate(permutations(("cpu", device))):
        again = go_on(resumed(KINDS[1], first, second, tmp_path / str(number)))
        assert again.status == "finished"
        assert np.isfinite(again.losses).all()
        assert again.losses[-50:].mean() < again.losses[:50].mean()

"""What only a recording of a real CUDA graph can show."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tui_diffusion.core.config.experiment import Experiment
from tui_diffusion.core.training.steppers import cuda_graph
from tui_diffusion.core.training.steppers.autograd import PlainStepper
from tui_diffusion.core.training.steppers.choice import graph_stepper
from tui_diffusion.core.training.steppers.cuda_graph import GraphStepper
from tui_diffusion.core.training.trainer import Trainer

from ..changed import changed
from ..core.test_cuda_graph import KINDS, gap
from ..trainings import trained

pytestmark = pytest.mark.cuda

EXPERIMENT = {"training__optimizer": "adam", "training__average": 0.99, "training__steps": 300}


@pytest.mark.parametrize("experiment", KINDS, ids=lambda e: e.name)
def test_every_optimizer_and_average_to_the_end(experiment: Experiment) -> None:
    there = experiment.with_settings({"device": "cuda"})
    played, plain = trained(there), trained(there, plain=True)
    assert isinstance(played._stepper, GraphStepper), played.choice.reason
    assert played.status == plain.status == "finished"
    np.testing.assert_allclose(played.losses[:100], plain.losses[:100], rtol=1e-4)
    assert gap(played, plain) < 1e-2


def test_the_host_never_waits_within_a_run_of_steps() -> None:
    trainer = Trainer(changed("ddpm-1d", device="cuda", **EXPERIMENT))
    next(trainer.run(every=10))
    stepper = trainer._stepper
    assert isinstance(stepper, GraphStepper)
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        for _ in range(5):
            stepper._replay()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    torch.cuda.synchronize()


def test_a_recording_that_fails_falls_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def waits(warm_up, work, device):
        def wrong() -> None:
            work()
            torch.zeros(1, device=device).item()  # a host may not wait while it records

        return cuda_graph.capture(warm_up, wrong, device)

    def make(experiment, body, average, places, *, plain=False):
        return graph_stepper(experiment, body, average, places, waits)

    monkeypatch.setattr("tui_diffusion.core.training.trainer.make_stepper", make)
    fallen = trained(changed("ddpm-1d", device="cuda", **EXPERIMENT))
    assert isinstance(fallen._stepper, PlainStepper)
    assert "without a CUDA graph" in fallen.choice.reason
    assert fallen.status == "finished"

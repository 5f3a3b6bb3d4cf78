"""Weights that overflowed: the training has diverged, wherever it is stopped."""

from tui_diffusion.core.runs.resume import resume
from tui_diffusion.core.runs.run import open_run, save_run, store
from tui_diffusion.core.runs.store import list_runs

from ..faults import EXPERIMENT, fault, overflow
from ..trainings import trained


def test_a_training_stopped_right_after_an_overflow_has_diverged():
    trainer = trained(EXPERIMENT, 20)
    overflow(trainer)
    save_run(store() / "run", trainer, "stopped")
    (summary,) = list_runs()
    assert summary.standing == "diverged"
    run = open_run("run")
    assert run.denoiser() is not None
    assert "diverged at step" in fault(resume, run)

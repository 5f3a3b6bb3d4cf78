"""A training that fails in the lab: its state, its words, and what is on disk."""

import torch

from tui_diffusion.core.faults import fault_of
from tui_diffusion.core.runs.store import list_runs
from tui_diffusion.core.training.trainer import Trainer
from tui_diffusion.lab.session.records import SessionState
from tui_diffusion.lab.session.session import Session, keep_in_store

from ..cases import for_each
from ..fakes import FakeTrainers, wait_until
from ..faults import EXPERIMENT, overflow


@for_each(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried …\nmuch more"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: …"),
        MemoryError(),
        RuntimeError("CUDA error: device-side\nassert"),
    ],
)
def test_a_fault_of_the_device_ends_a_training_with_the_words_of_the_command_line(error):
    session = Session(lambda: None, FakeTrainers(ends=error, at=20))
    training = session.start(EXPERIMENT)
    wait_until(lambda: not training.state.active)
    assert session.close(60)
    assert training.state is SessionState.FAILED
    assert training.error == fault_of(error, training=True)


def test_the_lab_says_of_an_overflow_what_is_on_disk(home):
    """One step at a time, and a stop right after the one whose update overflows."""
    session = Session(lambda: None, Overflowing, keep=keep_in_store)
    training = session.start(EXPERIMENT)
    Overflowing.stop = session.stop
    wait_until(lambda: not training.state.active)
    assert session.close(60)
    (summary,) = list_runs()
    assert (training.state, training.step) == (SessionState.DIVERGED, 20)
    assert (summary.standing, summary.about.step) == ("diverged", 20)
    assert all(bool(torch.isfinite(p).all()) for p in training.snapshot[1].network.parameters())


class Overflowing(Trainer):
    """Overflows at step 20, where it asks for a stop."""

    stop = None

    def run(self, *, every=None, interval=None):
        for progress in super().run(every=1):
            if progress.step == 20:
                wait_until(lambda: Overflowing.stop)
                overflow(self)
                Overflowing.stop()
            yield progress

"""Want of memory: what counts as it, and what it leaves whole."""

import tracemalloc

from tui_diffusion.core.faults import fault_of, is_out_of_memory
from tui_diffusion.core.runs.checkpointer import Checkpointer
from tui_diffusion.core.runs.run import store
from tui_diffusion.core.runs.tensor_files import save_tensors
from tui_diffusion.core.training.trainer import Trainer

from ..cases import for_each
from ..faults import EXPERIMENT
from ..trainings import trained


def test_a_defect_is_no_fault_of_the_device():
    assert fault_of(RuntimeError("a defect")) is None
    assert fault_of(ValueError("CUDA error")) is None


def test_a_checkpoint_that_fails_for_want_of_memory_ends_no_training(monkeypatch):
    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("tui_diffusion.core.runs.writer.save_tensors", fail)
    with Checkpointer(trained(EXPERIMENT, 5), store() / "run", seconds=0) as keeper:
        keeper._due = 0
        keeper.offer()
        keeper._join()
        assert "MemoryError" in keeper.fault


@for_each(
    "error, is_memory",
    [
        (MemoryError(), True),
        (ImportError("libtorch_cpu.so: failed to map segment from shared object"), True),
        (OSError(12, "Cannot allocate memory"), True),
        (RuntimeError("can't start new thread"), True),
        (ImportError("No module named 'x'"), False),
        (OSError(28, "No space left on device"), False),
    ],
)
def test_what_is_want_of_memory(error, is_memory):
    assert is_out_of_memory(error) == is_memory
    outer = ValueError("of it")
    outer.__cause__ = error
    assert is_out_of_memory(outer) == is_memory


def test_writing_takes_no_second_copy_of_the_weights():
    """A library that made one ended the process where there was no room for it."""
    trainer = Trainer(EXPERIMENT.with_settings({"network.width": 512, "network.depth": 5}))
    tensors = {name: tensor.contiguous() for name, tensor in trainer.state().items()}
    size = sum(tensor.nbytes for tensor in tensors.values())
    tracemalloc.start()
    written = sum(len(part) for part in save_tensors(tensors))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert written > size > 8 * 10**6
    assert peak < size / 10

"""The device of these tests: a CUDA device, and for the same test a CPU in its place.

Without a device the tests on the CPU show that the tests themselves hold; those that take long are
marked slow.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from tui_diffusion.core.training.batches import Batches

from ..tape import record_on_tape

SCARCE = 2**28
"""Bytes of a device that is out of memory soon."""


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=pytest.mark.cuda)])
def device(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """``cuda``, or ``cpu`` with the steps of a CUDA graph, replayed from a `Tape`."""
    if request.param == "cpu":
        record_on_tape(monkeypatch)
    return request.param


@pytest.fixture
def scarce_memory(device: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Limit the memory of the device; a CPU refuses networks and batches that need more."""
    if device == "cpu":

        def checked(experiment, mixture, method, network, training_set):
            layer = experiment.training.batch * experiment.network.width
            weights = sum(p.numel() for p in network.parameters())
            if 4 * max(layer, 4 * weights) > SCARCE:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate")
            return Batches(experiment, mixture, method, network, training_set)

        monkeypatch.setattr("tui_diffusion.core.training.trainer.Batches", checked)
        yield
        return
    torch.cuda.empty_cache()
    total = torch.cuda.get_device_properties(device).total_memory
    share = (torch.cuda.memory_reserved(device) + SCARCE) / total
    torch.cuda.set_per_process_memory_fraction(share, torch.cuda.current_device())
    yield
    torch.cuda.set_per_process_memory_fraction(1.0, torch.cuda.current_device())
    torch.cuda.empty_cache()

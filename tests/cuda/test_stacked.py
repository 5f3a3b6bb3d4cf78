"""Stacked trainings on the device: one graph, the numbers of single trainings, no waiting."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tui_diffusion.core.config.experiment import Experiment
from tui_diffusion.core.training.stacked.trainer import StackedTrainer
from tui_diffusion.core.training.trainer import Trainer

from ..changed import changed
from ..tape import Tape
from ..trainings import go_on, trained

STEPS = 300
KINDS = {
    "naive-2d": {"data__balanced": False},
    "ddpm-multimodal": {"training__loss": "norm", "training__average": 0.99},
    "edm-multimodal": {"training__optimizer": "adamw", "network__activation": "gelu"},
    "flow-multimodal": {"training__optimizer": "adam", "network__activation": "tanh"},
}


def cells(name: str, device: str, count: int = 4, steps: int = STEPS) -> list[Experiment]:
    """Trainings that differ in seed, data and rate."""
    base = changed(name, device=device, training__steps=steps, **KINDS.get(name, {}))
    rate = base.training.lr / 10
    return [
        changed(base, seed=seed, training__lr=rate * (1 + seed % 3), data__std=0.05 + 0.01 * seed)
        for seed in range(count)
    ]


def stack_of(experiments: list[Experiment], device: str, **how: object) -> StackedTrainer:
    """Train on the device, where a graph must be recorded; on a CPU a tape takes its place."""
    tape = Tape()
    trainer = StackedTrainer(experiments, **({"capture": tape} if device == "cpu" else {}))
    assert trainer.note == ""
    assert trainer.device.type == device
    for _ in trainer.run(**how):
        pass
    return trainer


NAMES = [pytest.param(n, marks=[] if n == "ddpm-multimodal" else pytest.mark.slow) for n in KINDS]


@pytest.mark.parametrize("name", NAMES)
def test_each_cell_has_the_losses_of_its_single_training_there(name: str, device: str) -> None:
    """The generators are the same, so the batches are, on a GPU as on a CPU."""
    experiments = cells(name, device)
    stack = stack_of(experiments, device)
    for index in (0, 3):
        single = trained(experiments[index])
        losses = stack.losses[index]
        np.testing.assert_allclose(losses[:1], single.losses[:1], rtol=1e-5)
        np.testing.assert_allclose(losses[:100], single.losses[:100], rtol=1e-4)
        assert torch.equal(stack.cell(index).tensors["generator"], single.state()["generator"])


@pytest.mark.slow
def test_steps_of_a_graph_are_those_without(device: str) -> None:
    experiments = cells("flow-multimodal", device)
    played = stack_of(experiments, device)

    def none(warm_up, work, device):
        return work

    plain = StackedTrainer(experiments, capture=none)
    for _ in plain.run(every=50):
        pass
    np.testing.assert_allclose(played.losses[:, :100], plain.losses[:, :100], rtol=1e-4)


@pytest.mark.slow
def test_a_diverged_cell_touches_no_other(device: str) -> None:
    calm = cells("naive-2d", device)
    wild = [calm[0], changed(calm[1], training__lr=1e12), *calm[2:]]
    usual, stack = stack_of(calm, device), stack_of(wild, device)
    assert list(stack.diverged) == [1]
    for index in (0, 2, 3):
        assert np.array_equal(stack.losses[index], usual.losses[index])
    taken = stack.cell(1)
    assert taken.status == "diverged"
    assert all(bool(v.isfinite().all()) for k, v in taken.tensors.items() if "network" in k)


@pytest.mark.slow
def test_a_cell_goes_on_as_an_ordinary_training(device: str) -> None:
    experiments = cells("edm-multimodal", device)
    stack = StackedTrainer(experiments)
    next(stack.run(every=100))
    single, whole = go_on(stack.cell(2).trainer()), trained(experiments[2])
    assert single.status == "finished"
    np.testing.assert_allclose(single.losses[:130], whole.losses[:130], rtol=1e-3)


@pytest.mark.slow
def test_a_stack_goes_on_from_its_state(device: str) -> None:
    experiments = cells("flow-multimodal", device)
    whole = stack_of(experiments, device)
    first, second = StackedTrainer(experiments), StackedTrainer(experiments)
    next(first.run(every=100))
    second.restore(first.state())
    for _ in second.run():
        pass
    np.testing.assert_allclose(second.losses[:, :130], whole.losses[:, :130], rtol=1e-3)


# --- a real device alone ------------------------------------------------------------------------


@pytest.mark.cuda
def test_the_host_never_waits_within_a_run_of_steps() -> None:
    trainer = StackedTrainer(cells("edm-multimodal", "cuda"))
    next(trainer.run(every=10))
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        for _ in range(5):
            trainer._stepper._replay()
        trainer._batches.write(0, 8)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    torch.cuda.synchronize()


@pytest.mark.cuda
def test_a_stack_without_a_named_device_takes_the_gpu() -> None:
    experiments = cells("ddpm-multimodal", "auto")
    assert StackedTrainer(experiments).device.type == "cuda"
    taken = StackedTrainer(experiments).cell(0)
    assert isinstance(taken.trainer(), Trainer)  # on whatever device suits one


@pytest.mark.cuda
def test_four_thousand_networks() -> None:
    stack = stack_of(cells("ddpm-1d", "cuda", count=4096, steps=600), "cuda", interval=1.0)
    assert stack.losses.shape == (4096, 600)
    assert not stack.diverged
    median = np.median(stack.losses[:, -100:].mean(1))
    assert median < np.median(stack.losses[:, :10].mean(1))

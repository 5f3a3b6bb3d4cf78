"""Steps recorded and played again: those of the plain stepper, whoever plays them."""

import weakref
from functools import cache

import numpy as np
import pytest
import torch
from torch import nn

from tui_diffusion.core.config.experiment import Experiment
from tui_diffusion.core.training.steppers import choice as steppers
from tui_diffusion.core.training.steppers import cuda_graph
from tui_diffusion.core.training.steppers.autograd import PlainStepper
from tui_diffusion.core.training.steppers.choice import graph_stepper
from tui_diffusion.core.training.steppers.cuda_graph import GraphStepper
from tui_diffusion.core.training.trainer import Trainer

from ..cases import for_each
from ..changed import changed
from ..tape import Tape, record_on_tape
from ..trainings import go_on, trained


def small(name: str, steps: int = 300, **changes: object) -> Experiment:
    settings = {"device": "cpu", "training__steps": steps, "training__batch": 60, **changes}
    return changed(name, **settings)


KINDS = [
    small("naive-multimodal", training__optimizer="sgd", training__lr=2.0**-14),
    small("ddpm-1d", training__optimizer="adam", training__lr=2.0**-9, training__average=0.99),
    small("edm-multimodal", training__optimizer="adamw", network__width=20, training__average=0.9),
    small("naive-2d", training__loss="norm", training__decay="cosine", network__activation="gelu"),
    small("ddpm-1d-per-level", training__loss="mean"),
]


@pytest.fixture
def tape(monkeypatch) -> Tape:
    """Every `Trainer` records on a tape and plays from it."""
    return record_on_tape(monkeypatch)


once = cache(trained)
"""A training that several tests look at, and none changes."""


def weights(trainer: Trainer) -> torch.Tensor:
    networks = (trainer.network, trainer.average)
    return torch.cat([p.detach().flatten() for n in networks for p in n.parameters()]).cpu()


def gap(one: Trainer, other: Trainer) -> float:
    return float((weights(one) - weights(other)).abs().max() / weights(other).abs().max())


# --- on any machine: the same code, played from a tape -------------------------------------------


@pytest.mark.parametrize("experiment", KINDS, ids=lambda e: e.name)
def test_played_steps_are_the_plain_ones(experiment: Experiment, tape: Tape) -> None:
    played, plain = trained(experiment), trained(experiment, plain=True)
    assert isinstance(played._stepper, GraphStepper)
    assert tape.played == experiment.training.steps
    assert tape.recorded == len(played.stages)
    np.testing.assert_allclose(played.losses, plain.losses, rtol=2e-4)
    np.testing.assert_allclose(played.losses[:100], plain.losses[:100], rtol=3e-5)
    assert gap(played, plain) < 1e-4
    mine, theirs = played.state(), plain.state()
    assert mine.keys() == theirs.keys()
    assert {k: v.shape for k, v in mine.items()} == {k: v.shape for k, v in theirs.items()}


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
def test_where_every_rate_is_a_float_they_are_the_same_bits(optimizer: str, tape: Tape) -> None:
    experiment = small(
        "naive-2d", 40, training__optimizer=optimizer, training__lr=2.0**-12, training__decay="none"
    )
    played, plain = trained(experiment), trained(experiment, plain=True)
    assert played.losses.tobytes() == plain.losses.tobytes()
    assert torch.equal(weights(played), weights(plain))


@pytest.mark.parametrize("experiment", KINDS, ids=lambda e: e.name)
def test_neither_warm_up_nor_recording_trains(experiment: Experiment, tape: Tape) -> None:
    fresh, plain = Trainer(experiment), Trainer(experiment, plain=True)
    assert tape.recorded == 1
    assert torch.equal(weights(fresh), weights(plain))
    optimizer = {k: v for k, v in fresh.state().items() if k.startswith("optimizer.")}
    assert not any(bool(value.any()) for value in optimizer.values())


@pytest.mark.parametrize("experiment", KINDS, ids=lambda e: e.name)
@for_each("how", [{"every": 1}, {"every": 7}])
def test_reports_change_nothing(experiment: Experiment, how: dict, tape: Tape) -> None:
    whole, cut = once(experiment), trained(experiment, **how)
    assert whole.losses.tobytes() == cut.losses.tobytes()
    assert torch.equal(weights(whole), weights(cut))


@pytest.mark.parametrize("experiment", KINDS, ids=lambda e: e.name)
@for_each("before, stop", [("graph", 1), ("graph", 130), ("plain", 130), ("closed form", 130)])
def test_to_go_on_from_a_saved_state(experiment, stop, before, tape, monkeypatch) -> None:
    """From one of its own it goes on bit for bit, from those of other steppers to rounding."""
    whole = once(experiment)
    with monkeypatch.context() as patch:
        if before == "closed form":
            patch.setattr("tui_diffusion.core.training.trainer.make_stepper", steppers.make_stepper)
        first = Trainer(experiment, plain=before == "plain")
        next(first.run(every=stop))
    second = Trainer(experiment)
    second.restore(first.state())
    go_on(second)
    assert isinstance(second._stepper, GraphStepper)
    if before == "graph":
        assert whole.losses.tobytes() == second.losses.tobytes()
        assert torch.equal(weights(whole), weights(second))
    else:
        np.testing.assert_allclose(second.losses, whole.losses, rtol=1e-3)


def test_a_block_of_one_place_is_enough(tape: Tape) -> None:
    experiment = small("naive-2d", 4, training__batch=40_000)
    trainer = trained(experiment)
    assert trainer.batches.steps == 1
    plain = trained(experiment, plain=True)
    np.testing.assert_allclose(trainer.losses, plain.losses, rtol=3e-5)


def test_a_divergence_leaves_the_last_finite_weights(tape: Tape) -> None:
    experiment = small("naive-2d", training__lr=1e12)
    played, plain = trained(experiment), trained(experiment, plain=True)
    assert (played.status, played.step) == (plain.status, plain.step)
    assert played.status == "diverged"
    assert torch.equal(weights(played), weights(plain))


# --- the fall-back -------------------------------------------------------------------------------


def failing(warm_up, work, device):
    warm_up()
    raise RuntimeError("operation not permitted\nwhen stream is capturing")


def test_where_nothing_can_be_recorded_the_steps_are_plain_and_it_is_said(monkeypatch) -> None:
    def make(experiment, body, average, places, *, plain=False):
        return graph_stepper(experiment, body, average, places, failing)

    monkeypatch.setattr("tui_diffusion.core.training.trainer.make_stepper", make)
    experiment = small("ddpm-1d-per-level", 60, training__average=0.9)
    fallen = trained(experiment)
    assert isinstance(fallen._stepper, PlainStepper)
    told = "operation not permitted when stream is capturing"
    assert fallen.choice.reason.count(told) == 1
    assert fallen.choice.reason.startswith("as asked; ")
    monkeypatch.undo()
    plain = trained(experiment, plain=True)
    assert fallen.losses.tobytes() == plain.losses.tobytes()
    assert torch.equal(weights(fallen), weights(plain))


def test_a_failed_recording_has_gone_before_plain_steps_take_memory(monkeypatch) -> None:
    """Where it failed for want of memory, there is no room for both."""
    recorders, alive = [], []

    class Steps(GraphStepper):
        def _step(self) -> None:
            recorders.append(weakref.ref(self))
            raise torch.OutOfMemoryError("CUDA out of memory")

    class Plain(PlainStepper):
        def __init__(self, *arguments: object) -> None:
            alive.append(recorders[0]() is not None)
            super().__init__(*arguments)

    monkeypatch.setattr(cuda_graph, "GraphStepper", Steps)
    monkeypatch.setattr(steppers, "PlainStepper", Plain)
    body = nn.Sequential(nn.Linear(3, 2))
    assert "out of memory" in graph_stepper(small("naive-2d"), body, None, 4, Tape()).note
    assert alive == [False]


def test_torch_without_cuda_falls_back() -> None:
    if torch.cuda.is_available():
        pytest.skip("CUDA is here")
    experiment = small("naive-2d")
    stepper = graph_stepper(experiment, nn.Sequential(nn.Linear(3, 2)), None, 4)
    assert isinstance(stepper, PlainStepper)
    assert "CUDA" in stepper.note

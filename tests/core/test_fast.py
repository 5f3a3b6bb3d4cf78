"""The fast steps: bit for bit the plain ones, and themselves however they are cut."""

from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_diffusion.core.config.experiment import Experiment, build
from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.core.schedules import Level
from tui_diffusion.core.training.steppers import closed_form as fast
from tui_diffusion.core.training.steppers import torchscript as script
from tui_diffusion.core.training.steppers.autograd import PlainStepper
from tui_diffusion.core.training.steppers.closed_form import FastStepper
from tui_diffusion.core.training.trainer import Trainer

from ..cases import for_each
from ..changed import changed
from ..trainings import go_on, trained


def on_cpu(experiment: Experiment, steps: int, **changes: object) -> Experiment:
    return changed(experiment, device="cpu", training__steps=steps, **changes)


once = cache(trained)
"""A training that several tests look at, and none changes."""


def weights(trainer: Trainer) -> torch.Tensor:
    networks = (trainer.network, trainer.average)
    return torch.cat([p.detach().flatten() for n in networks for p in n.parameters()])


def assert_same(fast: Trainer, plain: Trainer) -> None:
    assert isinstance(fast._stepper, FastStepper)
    assert isinstance(plain._stepper, PlainStepper)
    assert fast.losses[: fast.step].tobytes() == plain.losses[: plain.step].tobytes()
    assert torch.equal(weights(fast), weights(plain))
    mine, theirs = fast.state(), plain.state()
    assert mine.keys() == theirs.keys()
    assert all(torch.equal(mine[name], theirs[name]) for name in mine if name != "seconds")


# --- the plain steps -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_has_the_plain_losses(name: str) -> None:
    experiment = on_cpu(PRESETS[name].experiment, 200)
    assert_same(trained(experiment), trained(experiment, plain=True))


@st.composite
def experiments(draw: st.DrawFn) -> Experiment:
    """Small trainings of every kind, with rates at which they do not run away."""
    of = draw(st.sampled_from(["naive", "naive-exact", "ddpm", "edm", "flow"]))
    data = draw(st.sampled_from(["gaussian-1d", "two-modes", "four-gaussians", "moons"]))
    optimizer = draw(st.sampled_from(["sgd", "adam", "adamw"]))
    loss = draw(st.sampled_from(["sum", "norm", "mean"]))
    batch = draw(st.integers(2, 300))
    rate = {"sum": 1e-2 / batch, "norm": 1e-3, "mean": 1e-2}[loss]
    levels = {"levels": draw(st.integers(1, 12))}
    return build(
        {
            "data": {"name": data, "balanced": draw(st.booleans())},
            "method": {"name": of},
            "schedule": {
                "kind": {"ddpm": "linear-beta", "flow": "flow"}.get(of, "karras"),
                **levels,
            },
            "network": {
                "width": draw(st.integers(2, 70)),
                "depth": draw(st.integers(1, 4)),
                "activation": draw(st.sampled_from(["relu", "tanh", "silu", "gelu"])),
                "per_level": of not in ("edm", "flow") and draw(st.booleans()),
                "fourier": draw(st.integers(0, 3)),
                "level_fourier": draw(st.integers(0, 3)),
            },
            "training": {
                "steps": 40,
                "batch": batch,
                "lr": 1e-3 if optimizer != "sgd" else rate,
                "first_lr": rate,
                "optimizer": optimizer,
                "loss": loss,
                "decay": draw(st.sampled_from(["none", "step", "cosine"])),
                "decay_every": draw(st.integers(1, 50)),
                "average": draw(st.sampled_from([0.0, 0.9, 0.999])),
            },
            "sampling": {"sampler": "ddim"},
            "seed": draw(st.integers(0, 1000)),
            "device": "cpu",
        }
    )


@settings(max_examples=40, deadline=None)
@given(experiments())
def test_any_training_has_the_plain_losses(experiment: Experiment) -> None:
    assert_same(trained(experiment), trained(experiment, plain=True))


@for_each("optimizer", ["sgd", "adam"])
@for_each("batch, width", [(1, 32), (64, 1), (1, 1)])
def test_one_point_or_one_unit_has_them_to_rounding(optimizer: str, batch: int, width: int) -> None:
    """The kernels for matrices and for vectors add in different orders."""
    experiment = on_cpu(
        PRESETS["naive-2d"].experiment,
        50,
        training__batch=batch,
        training__optimizer=optimizer,
        network__width=width,
    )
    fast, plain = trained(experiment), trained(experiment, plain=True)
    assert isinstance(fast._stepper, FastStepper)
    np.testing.assert_allclose(fast.losses, plain.losses, rtol=1e-4)


@for_each("activation", ["relu", "tanh", "silu", "gelu"])
@for_each("batch", [40, 2000])
@for_each("optimizer", ["sgd", "adamw"])
def test_one_step_moves_every_weight_as_autograd_says(
    activation: str, batch: int, optimizer: str
) -> None:
    experiment = on_cpu(
        PRESETS["naive-multimodal"].experiment,
        1,
        network__activation=activation,
        training__batch=batch,
        training__optimizer=optimizer,
        training__loss="mean",
        training__lr=0.1,
    )
    assert_same(trained(experiment), trained(experiment, plain=True))


def test_the_denoiser_has_the_trained_weights() -> None:
    experiment = on_cpu(PRESETS["naive-2d"].experiment, 30)
    fast, plain = trained(experiment), trained(experiment, plain=True)
    x, level = torch.randn(50, 2), Level(1.0, 0.5, 1.0, 0.2, 0)
    with torch.no_grad():
        mine, theirs = fast.denoiser(x, level).output, plain.denoiser(x, level).output
        fresh = Trainer(experiment).denoiser(x, level).output
    assert torch.equal(mine, theirs)
    assert not torch.allclose(mine, fresh, atol=1e-3)


# --- themselves, bit for bit ---------------------------------------------------------------------

KINDS = [
    on_cpu(PRESETS["edm-multimodal"].experiment, 300, training__batch=60, network__width=20),
    on_cpu(PRESETS["ddpm-1d-per-level"].experiment, 300, training__batch=300),
    on_cpu(
        PRESETS["naive-multimodal"].experiment,
        300,
        training__optimizer="adamw",
        training__average=0.99,
        network__activation="gelu",
    ),
]


@pytest.mark.parametrize("experiment", KINDS, ids=lambda e: e.name)
@for_each("how", [{"every": 1}, {"every": 7}, {"interval": 1e-4}])
def test_reports_change_nothing(experiment: Experiment, how: dict[str, float]) -> None:
    whole, cut = once(experiment), trained(experiment, **how)
    assert whole.losses.tobytes() == cut.losses.tobytes()
    assert torch.equal(weights(whole), weights(cut))


@pytest.mark.parametrize("experiment", KINDS, ids=lambda e: e.name)
@for_each("stop", [1, 130, 256, 299])
@for_each("plain", [False, True])
def test_to_go_on_from_a_saved_state_is_never_to_have_stopped(
    experiment: Experiment, stop: int, plain: bool
) -> None:
    whole = once(experiment, plain=plain)
    first = Trainer(experiment, plain=plain)
    run = first.run(every=stop)
    next(run)
    second = Trainer(experiment, plain=plain)
    second.restore(first.state())
    go_on(second)
    assert whole.losses.tobytes() == second.losses.tobytes()
    assert torch.equal(weights(whole), weights(second))
    mine, theirs = whole.state(), second.state()
    assert all(torch.equal(mine[name], theirs[name]) for name in mine if name != "seconds")


def test_a_run_of_steps_that_is_broken_off_never_happened() -> None:
    experiment = KINDS[0]
    whole, trainer = once(experiment), Trainer(experiment)
    run = trainer.run(every=100)
    next(run)
    stepper = trainer._stepper
    assert isinstance(stepper, FastStepper)
    steps = stepper._run

    def half(*lists: list[object]) -> None:
        steps(*(values[: len(values) // 2] for values in lists))
        raise KeyboardInterrupt

    stepper._run = half
    before = trainer.state()
    with pytest.raises(KeyboardInterrupt):
        next(run)
    after = trainer.state()
    assert all(torch.equal(before[name], after[name]) for name in before)
    stepper._run = steps
    assert whole.losses.tobytes() == go_on(trainer).losses.tobytes()


# --- divergence and choice -----------------------------------------------------------------------


@for_each("rate", [1e3, 1e12])
@for_each("loss", ["sum", "norm", "mean"])
@for_each("activation", ["relu", "silu"])
@for_each("width, depth", [(32, 2), (6, 8), (3, 5)])
def test_a_divergence_ends_both_alike(
    rate: float, loss: str, activation: str, width: int, depth: int
) -> None:
    experiment = on_cpu(
        PRESETS["naive-2d"].experiment,
        300,
        training__lr=rate,
        training__loss=loss,
        network__activation=activation,
        network__width=width,
        network__depth=depth,
    )
    fast, plain = trained(experiment), trained(experiment, plain=True)
    assert (fast.status, fast.step) == (plain.status, plain.step)
    assert fast.losses[: fast.step].tobytes() == plain.losses[: plain.step].tobytes()
    assert bool(torch.isfinite(weights(fast)).all())
    if fast.status == "diverged":
        assert torch.equal(weights(fast), weights(plain))


@for_each("width", [5, 6, 10, 32])
@for_each("parameter", range(6))
def test_a_weight_that_is_no_number_is_told_by_the_next_loss(width: int, parameter: int) -> None:
    """As where a stage begins with what has overflowed in the last."""
    experiment = on_cpu(PRESETS["ddpm-1d"].experiment, 50, network__width=width)
    trainer = Trainer(experiment)
    run = trainer.run(every=20)
    next(run)
    with torch.no_grad():
        list(trainer.network.parameters())[parameter].view(-1)[0] = torch.nan
    report = next(run)
    assert (report.status, report.step) == ("diverged", 21)


def test_a_large_network_has_the_plain_losses() -> None:
    experiment = on_cpu(
        PRESETS["ddpm-multimodal"].experiment, 6, network__width=700, training__batch=512
    )
    assert_same(trained(experiment), trained(experiment, plain=True))


def test_where_nothing_can_be_compiled_the_steps_are_plain_and_it_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(source: str) -> None:
        raise script.ScriptError("no attribute\nmm")

    experiment = on_cpu(PRESETS["ddpm-1d-per-level"].experiment, 60, training__batch=50)
    whole = trained(experiment)
    monkeypatch.setattr(script, "_compiled", missing)
    fallen = trained(experiment)
    assert isinstance(fallen._stepper, PlainStepper)
    assert fallen.choice.reason == (
        "as asked; with autograd, for its steps cannot be compiled (no attribute mm)"
    )
    assert whole.losses.tobytes() == fallen.losses.tobytes()


def test_where_an_affine_map_needs_a_product_it_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """On another machine the cheaper kernel may round in a way of its own."""
    experiment = on_cpu(PRESETS["ddpm-1d-per-level"].experiment, 100)
    whole = trained(experiment)
    monkeypatch.setattr(fast, "_needs_no_product", lambda *_: False)
    assert whole.losses.tobytes() == trained(experiment).losses.tobytes()

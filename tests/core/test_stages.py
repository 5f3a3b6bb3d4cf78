"""Stages, learning rates and one step, by hand."""

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.training.stages import Stage, learning_rate, stages
from tui_diffusion.core.training.steppers.autograd import loss_of
from tui_diffusion.core.training.trainer import Trainer

from ..cases import for_each
from .short_trainings import block_of, run_to, same, short

# --- stages ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "first", "others", "first_lr"),
    [
        ("ddpm-1d-per-level", 20_000, [1_000] * 7, 2e-3),
        ("ddpm-1d-detailed", 25_000, [2_000] * 8, 3e-3),
    ],
)
def test_the_posts_stages(name, first, others, first_lr):
    made = stages(get_preset(name).experiment)
    assert [s.stop - s.start for s in made] == [first, *others]
    assert [s.lr for s in made] == [first_lr, *[1e-5] * len(others)]
    # Least noisy first: level N − 1 is the one beside the clean data.
    assert [s.level for s in made] == list(range(len(others), -1, -1))


@given(st.integers(8, 5000), st.floats(1, 1000))
def test_stages_share_all_the_steps_and_leave_no_network_out(steps, factor):
    made = stages(short("ddpm-1d-per-level", steps, training__first_factor=factor))
    assert made[0].start == 0
    assert made[-1].stop == steps
    assert all(a.stop == b.start for a, b in pairwise(made))
    assert all(s.stop > s.start for s in made)
    assert sorted(s.level for s in made) == list(range(8))


def test_one_network_for_all_levels_is_one_stage():
    assert stages(short("naive-1d", 77)) == [Stage(0, 77, None, 1e-3)]


def test_each_network_starts_from_its_neighbours_weights():
    experiment = short("ddpm-1d-per-level", 54, training__first_factor=20)
    trainer = Trainer(experiment)
    fresh = {k: weights_of(trainer, k) for k in range(8)}
    for before, after in pairwise(trainer.stages):
        run_to(trainer, before.stop)
        assert all(same(weights_of(trainer, k), fresh[k]) for k in range(after.level + 1))
        trained = weights_of(trainer, before.level)
        assert not same(trained, fresh[before.level])
        # The first step of the new stage begins where the old one ended.
        trainer._current_block()
        trainer._enter_stage()
        assert same(weights_of(trainer, after.level), trained)
        run_to(trainer, after.start + 1)
        assert not same(weights_of(trainer, after.level), trained)
        assert same(weights_of(trainer, before.level), trained)


def weights_of(trainer: Trainer, level: int) -> list[torch.Tensor]:
    return [p.detach().clone() for p in trainer.network.body(level).parameters()]


# --- one step by hand --------------------------------------------------------------------------


@for_each(
    "kind, formula",
    [
        ("sum", lambda e: (e**2).sum()),
        ("norm", lambda e: (e**2).sum() ** 0.5),
        ("mean", lambda e: (e**2).sum() / e.numel()),
    ],
)
@for_each("name", ["naive-2d", "ddpm-1d", "ddpm-1d-per-level"])
def test_the_first_step_is_plain_gradient_descent(name, kind, formula):
    experiment = short(name, 100, training__loss=kind)
    trainer = Trainer(experiment)
    stage = trainer.stages[0]
    body = trainer.network.body(stage.level)
    features, targets = block_of(trainer)
    by_hand = [p.detach().clone().requires_grad_() for p in body.parameters()]
    hidden = features[0]
    for layer in range(3):
        hidden = hidden @ by_hand[2 * layer].T + by_hand[2 * layer + 1]
        hidden = hidden.clamp_min(0) if layer < 2 else hidden
    loss = formula(hidden - targets[0])
    gradients = torch.autograd.grad(loss, by_hand)
    progress = next(trainer.run(every=1))
    assert abs(float(progress.losses[0]) / float(loss.detach()) - 1) < 1e-5
    for parameter, old, gradient in zip(body.parameters(), by_hand, gradients, strict=True):
        expected = old - stage.lr * gradient
        assert float((parameter - expected).abs().max().detach()) < 1e-6
        assert float(gradient.abs().max()) > 0


@for_each("kind", ["sum", "norm", "mean"])
def test_the_losses_by_hand(kind):
    error = torch.tensor([[3.0, 0.0], [0.0, 4.0]])
    expected = {"sum": 25.0, "norm": 5.0, "mean": 6.25}[kind]
    assert abs(float(loss_of(kind, error)) - expected) < 1e-6


# --- learning rates ----------------------------------------------------------------------------


@for_each("step", [0, 1, 99, 100, 199, 200, 999])
def test_rates_by_hand(step):
    stage = Stage(0, 1000, None, 0.004)
    base = short("naive-1d", 1000)
    flat = base
    falling = base.with_settings(
        {"training.decay": "step", "training.decay_factor": 0.95, "training.decay_every": 100}
    )
    cosine = base.with_settings({"training.decay": "cosine"})
    assert learning_rate(flat, stage, step) == 0.004
    assert abs(learning_rate(falling, stage, step) - 0.004 * 0.95 ** (step // 100)) < 1e-15
    half = 0.004 * 0.5 * (1 + math.cos(math.pi * step / 1000))
    assert abs(learning_rate(cosine, stage, step) - half) < 1e-15


def test_rates_fall_anew_in_every_stage():
    experiment = short("ddpm-1d-per-level", 270, training__decay="cosine")
    for stage in stages(experiment):
        assert learning_rate(experiment, stage, stage.start) == stage.lr
        middle = stage.start + (stage.stop - stage.start) / 2
        assert abs(learning_rate(experiment, stage, middle) / stage.lr - 0.5) < 1e-9
    stepped = {"training.decay": "step", "training.decay_factor": 0.5, "training.decay_every": 4}
    experiment = experiment.with_settings(stepped)
    for stage in stages(experiment):
        for done in (0, 3, 4, 9):
            expected = stage.lr * 0.5 ** (done // 4)
            assert abs(learning_rate(experiment, stage, stage.start + done) / expected - 1) < 1e-9


def test_the_rate_in_use_is_the_formulas():
    experiment = short(
        "naive-1d",
        30,
        training__decay="step",
        training__decay_factor=0.5,
        training__decay_every=10,
    )
    trainer = Trainer(experiment, plain=True)
    for progress in trainer.run(every=1):
        expected = 1e-3 * 0.5 ** ((progress.step - 1) // 10)
        assert abs(progress.lr - expected) < 1e-12
        assert abs(trainer._stepper._optimizer.param_groups[0]["lr"] - expected) < 1e-12

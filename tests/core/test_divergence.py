"""A loss that is not finite ends a training, with finite weights."""

import numpy as np
import pytest
import torch

from tui_diffusion.core.training.trainer import Trainer

from ..cases import for_each
from ..trainings import go_on, trained
from .short_trainings import run_to, same, same_bits, short, weights


@pytest.mark.parametrize(
    "experiment",
    [
        short("naive-1d", training__lr=1e9),
        short("naive-multimodal", training__lr=0.2),
        short("ddpm-1d", training__lr=1e12, training__optimizer="adam"),
        short("ddpm-1d-per-level", training__first_lr=1e9),
        short("ddpm-1d-per-level", training__lr=1e9),
        short("ddpm-1d-per-level", 8, training__lr=1e12, training__first_lr=1e12),
    ],
    ids=["sgd", "slowly", "adam", "first-level", "second-level", "a-step-a-level"],
)
@for_each("every", [None, 1])
def test_a_loss_that_is_not_finite_ends_the_training(experiment, every):
    trainer = Trainer(experiment)
    reports = list(trainer.run(every=every))
    last = reports[-1]
    assert (last.status, trainer.status) == ("diverged", "diverged")
    assert all(report.status == "training" for report in reports[:-1])
    seen = np.concatenate([report.losses for report in reports])
    assert last.step == trainer.step == len(seen)
    assert np.isfinite(seen[:-1]).all()
    assert not np.isfinite(seen[-1])
    assert same_bits(trainer.losses[: trainer.step], seen)
    assert all(bool(torch.isfinite(w).all()) for w in weights(trainer))
    assert list(trainer.run()) == []


def test_a_divergence_is_at_the_same_step_however_it_is_watched():
    experiment = short("naive-multimodal", training__lr=0.2)
    ends = []
    for every in (None, 1, 7, 100):
        trainer = trained(experiment, every=every)
        ends.append((trainer.step, trainer.losses[: trainer.step].tobytes()))
    assert len(set(ends)) == 1
    assert ends[0][0] > 2


def test_the_weights_kept_are_finite_ones_of_this_training():
    experiment = short("naive-1d", training__lr=1e-3)
    trainer = Trainer(experiment)
    run_to(trainer, 290)
    with torch.no_grad():
        next(trainer.network.parameters()).fill_(float("nan"))
    go_on(trainer)
    assert (trainer.status, trainer.step) == ("diverged", 291)
    reference = Trainer(experiment)
    run_to(reference, 256)
    assert same(weights(trainer), weights(reference))


def test_weights_lost_at_the_very_last_step_of_a_stage_are_restored_too():
    experiment = short("ddpm-1d-per-level", 270)
    trainer = Trainer(experiment)
    end = trainer.stages[0].stop
    run_to(trainer, end)
    with torch.no_grad():
        next(trainer.network.body(7).parameters()).fill_(float("inf"))
    go_on(trainer)
    assert (trainer.status, trainer.step) == ("diverged", end + 1)
    assert all(bool(torch.isfinite(w).all()) for w in weights(trainer))


def test_weights_lost_at_the_very_last_step_of_all_are_restored():
    experiment = short("naive-1d", 10)
    trainer = Trainer(experiment)
    run = trainer.run(every=9)
    next(run)
    run_of = trainer._stepper.run

    def lose(*args):
        found = run_of(*args)
        with torch.no_grad():
            next(trainer.network.parameters()).fill_(float("nan"))
        return found

    trainer._stepper.run = lose
    assert next(run).status == "finished"
    assert all(bool(torch.isfinite(w).all()) for w in weights(trainer))

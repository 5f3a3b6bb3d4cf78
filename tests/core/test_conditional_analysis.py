"""Floors, likelihood, attribution and errors of sampling with labels and guidance."""

import math

import numpy as np
import pytest
import torch

from tui_diffusion.core.analysis.attribution import attribute
from tui_diffusion.core.analysis.error_growth import amplification
from tui_diffusion.core.analysis.evaluations import errors_by_evaluations
from tui_diffusion.core.analysis.likelihood.estimate import entropy, likelihood
from tui_diffusion.core.analysis.likelihood.probability_flow import NoFieldError
from tui_diffusion.core.analysis.likelihood.sampling_flow import MOST_CLASSES, sampling_flow
from tui_diffusion.core.analysis.loss_floor import floor_at, level_losses, training_floor
from tui_diffusion.core.analysis.report import quality, sample_report
from tui_diffusion.core.analysis.start_mismatch import start_mismatch, start_of
from tui_diffusion.core.assemble import make_ideal, make_mixture, make_schedule
from tui_diffusion.core.conditioning import conditioned, truth_of
from tui_diffusion.core.config.experiment import Experiment
from tui_diffusion.core.methods import IdealDenoiser
from tui_diffusion.core.networks import HIDDEN
from tui_diffusion.core.training.trainer import Trainer
from tui_diffusion.core.trajectory import denoise

from ..cases import for_each
from ..changed import changed
from .short_trainings import block_of


def labelled(name: str = "edm-multimodal", **changes: object) -> Experiment:
    return changed(name, network__labels=True, device="cpu", **changes)


def ideal(experiment: Experiment) -> IdealDenoiser:
    return make_ideal(experiment, make_mixture(experiment))


@for_each("dropout", [0.0, 0.3, 1.0])
def test_the_floor_is_the_loss_of_the_exact_denoiser_told_as_many_labels(dropout):
    experiment = labelled(
        "ddpm-multimodal",
        data__std=0.5,
        training__loss="mean",
        training__batch=512,
        training__label_dropout=dropout,
    )
    trainer, exact = Trainer(experiment), ideal(experiment)
    schedule, losses = make_schedule(experiment), []
    conditions = np.array([float(trainer.method.condition(at)) for at in schedule])
    for features, target in zip(*block_of(trainer), strict=True):
        level = schedule[int(np.abs(conditions - float(features[0, 2])).argmin())]
        told = features[:, -4:]
        labels = torch.where(told.sum(1) == 1, told.argmax(1), HIDDEN)
        error = torch.empty_like(target)
        for label in labels.unique().tolist():
            of, by = labels == label, conditioned(exact, None if label == HIDDEN else label)
            error[of] = by(features[of, :2], level).output - target[of]
        losses.append(float(error.square().mean()) - floor_at(experiment, level, training=True))
    chance = 4 * float(np.std(losses)) / math.sqrt(len(losses))
    assert abs(float(np.mean(losses))) < chance < 0.05 * training_floor(experiment)


def test_the_ideal_denoiser_of_each_class_has_no_excess():
    for label in ("all", 2):
        experiment = labelled(sampling__label=label, sampling__levels=4, data__std=0.3)
        for at in level_losses(experiment, ideal(experiment)):
            assert at.excess < 1e-5 * max(at.loss, 1)
        whole = level_losses(changed(experiment, network__labels=False), ideal(experiment))
        told = level_losses(experiment, ideal(experiment))
        assert told[2].floor < whole[2].floor
        guided = level_losses(changed(experiment, sampling__guidance=3), ideal(experiment))
        assert guided[1].excess > 1e-3


@for_each("label, start", [("all", "data-mean"), (1, "exact")])
def test_the_ideal_denoiser_costs_the_entropy_of_what_is_sampled(label, start):
    experiment = labelled(
        sampling__label=label, sampling__start=start, data__std=0.3, schedule__sigma_max=40
    )
    found = likelihood(experiment, ideal(experiment), points=40)
    assert found.kl == pytest.approx(0, abs=1e-3)
    assert found.entropy == pytest.approx(entropy(truth_of(experiment)), abs=1e-6)


def test_many_classes_have_no_density_together():
    experiment = labelled(data__name="ring", data__count=MOST_CLASSES + 1)
    with pytest.raises(NoFieldError, match="17 classes"):
        sampling_flow(experiment, ideal(experiment))


@for_each("start", ["zero-mean", "data-mean", "exact"])
def test_the_start_of_a_class_and_of_all_is_what_sampling_draws(start):
    for label in ("all", 2):
        experiment = labelled(
            sampling__label=label, sampling__start=start, schedule__sigma_max=0.3, data__std=0.1
        )
        x = denoise(experiment, ideal(experiment), points=4000).x[0].double()
        exact = start_of(experiment)
        assert float((x.mean(0) - exact.mean()).abs().max()) < 0.07
        assert float((x.std(0) - exact.std()).abs().max()) < 0.05
        mismatch = start_mismatch(experiment)
        assert (mismatch.distance == 0) == (start == "exact")
        assert mismatch.signal > 0


def test_a_sample_of_one_class_is_measured_against_that_class():
    experiment = labelled(sampling__label=3, sampling__start="exact")
    made = denoise(experiment, ideal(experiment), points=1000)
    assert quality(made, experiment).energy_distance < 1e-3
    report = sample_report(experiment, made)
    assert report["target"]["mean"] == pytest.approx([1, 1])
    assert (
        report["sample"]["energy_distance"]
        < 1e-3
        < quality(made, make_mixture(experiment)).energy_distance
    )
    rows = errors_by_evaluations(experiment, ideal(experiment), [40], ["heun"], points=1000)
    assert rows[0].ideal < 1e-3
    split = attribute(experiment, ideal(experiment), points=1000)
    assert abs(split.start) < 1e-6 and split.total < 1e-3


def test_guidance_makes_errors_grow():
    plain = labelled(sampling__levels=8, data__std=0.3)
    guided = changed(plain, sampling__guidance=4)
    assert amplification(plain) != amplification(guided)
    assert all(math.isfinite(at.out) for at in amplification(guided))

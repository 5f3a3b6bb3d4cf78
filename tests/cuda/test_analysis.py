"""What is measured of a network on the device: every number of a report, as on a CPU."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from tui_diffusion.core.analysis.evaluations import errors_by_evaluations
from tui_diffusion.core.analysis.guidance.vectors import guidance_by_level
from tui_diffusion.core.analysis.likelihood.estimate import likelihood
from tui_diffusion.core.analysis.loss_floor import level_losses
from tui_diffusion.core.analysis.memorisation.measures import optimum_distances
from tui_diffusion.core.analysis.report import evaluation
from tui_diffusion.core.config.experiment import Experiment
from tui_diffusion.core.methods import NetworkDenoiser
from tui_diffusion.core.training.trainer import Trainer, part_of

from ..changed import changed
from ..trainings import trained

pytestmark = pytest.mark.slow

GUIDE = {"network__guide": True, "network__guide_width": 8, "sampling__guide": "own"}
CASES = {
    "classes": ("edm-moons", {"network__labels": True, "sampling__guidance": 2}),
    "own guide": ("edm-multimodal", {**GUIDE, "sampling__guidance": 3}),
    "one class, an interval": (
        "ddpm-multimodal",
        {
            "network__labels": True,
            "sampling__label": "1",
            "sampling__guidance": 2,
            "sampling__guidance_to": 2,
        },
    ),
    "elongated": ("edm-moons", {"data__name": "correlated"}),
    "fixed set": ("finite-four", {"data__train_points": 16}),
}


def on_cpu(trainer: Trainer, experiment: Experiment) -> NetworkDenoiser:
    """The same weights on a CPU."""
    there, state = Trainer(experiment), trainer.state()
    for name, network in (("network.", there.network), ("average.", there.average)):
        if weights := part_of(state, name):
            network.load_state_dict(weights)
    if there.guide is not None:
        there.guide.network.load_state_dict(part_of(state, "guide.network."))
    return there.denoiser


@pytest.mark.parametrize("case", CASES)
def test_what_is_measured_of_a_network_is_that_of_the_same_weights_on_a_cpu(case, device) -> None:
    name, settings = CASES[case]
    short = {"training__steps": 60, "training__average": 0, "sampling__points": 64}
    experiment = changed(name, device=device, **short, **settings)
    trainer = trained(experiment)
    here, there = trainer.denoiser, on_cpu(trainer, changed(experiment, device="cpu"))
    measures = [
        lambda by: [at.loss for at in level_losses(experiment, by)],
        lambda by: [likelihood(experiment, by, points=64).nll],
        lambda by: [at.length for at in guidance_by_level(experiment, by) if at is not None],
    ]
    if experiment.data.finite:
        measures.append(
            lambda by: [
                distance
                for at in optimum_distances(experiment, by)
                for distance in (at.apart, at.to_training_set)
            ]
        )
    for measure in measures:
        assert measure(here) == pytest.approx(measure(there), rel=2e-3, abs=1e-4)


@pytest.mark.parametrize("case", CASES)
def test_a_report_of_the_device_is_whole(case, device) -> None:
    name, settings = CASES[case]
    short = {"training__steps": 60, "sampling__points": 64}
    experiment = changed(name, device=device, **short, **settings)
    denoiser = trained(experiment).denoiser
    report = evaluation(experiment, denoiser, device=device)
    assert report["metrics"]["energy_distance"] is not None
    assert report["likelihood"]["reason"] == ""
    guided = experiment.sampling.guided
    assert (report["guidance"] is not None) == (report["attribution"]["guidance"] is not None)
    assert (report["guidance"] is not None) == guided
    assert (report["memorisation"] is not None) == experiment.data.finite
    (row,) = errors_by_evaluations(experiment, denoiser, (8,), [experiment.sampling.sampler])
    assert all(value is not None for value in asdict(row).values())

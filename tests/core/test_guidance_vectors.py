"""Guidance of networks at each level, against exact vectors and the truth of an experiment."""

from __future__ import annotations

import torch

from tui_diffusion.cli.tables import _print_guidance, console
from tui_diffusion.core.analysis.guidance.guided_truth import guided_truth
from tui_diffusion.core.analysis.guidance.vectors import guidance_by_level
from tui_diffusion.core.analysis.report import guidance_levels, guidance_report
from tui_diffusion.core.assemble import make_ideal, make_mixture
from tui_diffusion.core.config.experiment import Experiment
from tui_diffusion.core.methods import EDM, NetworkDenoiser, Prediction
from tui_diffusion.core.schedules import Level
from tui_diffusion.core.trajectory import denoise

from ..changed import changed

LEVELS = {"sampling__levels": 8}


def classes(**changes: object) -> Experiment:
    settings = {"network__labels": True, "sampling__guidance": 3.0, **LEVELS, **changes}
    return changed("edm-moons", **settings)


class Constant(torch.nn.Module):
    """A network of one output."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = torch.nn.Parameter(torch.tensor(value))

    def forward(self, x: torch.Tensor, *_: object) -> torch.Tensor:
        return self.value.expand(x.shape)


class Erring(EDM):
    """A method whose estimates are exact plus the output, in units of 0.3 σ, to one side."""

    def to_prediction(self, output: torch.Tensor, x: torch.Tensor, level: Level) -> Prediction:
        experiment = changed("edm-moons")
        at = make_ideal(experiment, make_mixture(experiment))(x, level)
        error = 0.3 * float(level.sigma) * torch.tensor([0.6, 0.8]) * output
        return Prediction(output, at.eps_hat, at.x0_hat + error)


def test_exact_guidance_is_itself():
    for label in ("all", 1):
        experiment = classes(sampling__label=label)
        found = guidance_by_level(experiment, make_ideal(experiment, make_mixture(experiment)))
        assert len(found) == 8
        for at in found:
            assert abs(at.length - at.exact) < 1e-12
            assert at.ratio is None or (abs(at.ratio - 1) < 1e-9 and at.angle < 1e-4)
    assert found[0].ratio is not None and found[-1].ratio is None, (
        "narrow data need none at the end"
    )


def test_guidance_outside_of_its_interval_is_none():
    experiment = classes(sampling__guidance_from=0.2, sampling__guidance_to=2.0)
    ideal = make_ideal(experiment, make_mixture(experiment))
    for at, sigma in zip(
        guidance_by_level(experiment, ideal),
        denoise(experiment, ideal, points=1).schedule.sigmas.tolist(),
        strict=False,
    ):
        assert (at is not None) == (0.2 <= sigma <= 2.0)


def test_no_guidance_has_no_vectors_and_no_truth():
    for experiment in (changed("edm-moons"), classes().with_settings({"sampling.guidance": 1})):
        assert guided_truth(experiment) is None
        ideal = make_ideal(experiment, make_mixture(experiment))
        assert guidance_by_level(experiment, ideal) == []


def test_autoguidance_is_compared_with_the_correction_of_the_network():
    experiment = changed(
        "edm-moons", network__guide=True, sampling__guide="own", sampling__guidance=2.0, **LEVELS
    )
    (of,) = guided_truth(experiment).classes
    assert of.guide is of.main
    denoiser = NetworkDenoiser(Constant(1.0), Erring(), guide=Constant(1.5))
    found = guidance_by_level(experiment, denoiser)
    for at in found:
        # main errs by e, the guide by 1.5 e: the guidance −e/2 points right, and is half as long.
        assert at.angle < 1 and abs(at.ratio - 0.5) < 1e-3
        assert abs(at.exact - 0.3 * at.sigma) < 1e-3 * at.sigma


def test_the_report_of_an_ideal_sample_that_follows_the_guided_ode():
    experiment = classes(
        data__name="four-gaussians",
        data__std=0.5,
        sampling__sampler="heun",
        sampling__levels=40,
        sampling__start="exact",
    )
    ideal = make_ideal(experiment, make_mixture(experiment))
    found = guidance_report(experiment, denoise(experiment, ideal, points=1000))
    assert abs(found["guided"]) < 4 * found["real"], found
    assert min(found["conditional"], found["tilted"]) > 10 * found["real"]
    asked = {"weight": 3.0, "from": 0.0, "to": 1e6, "guide": "no-label", "label": "all"}
    assert {name: found[name] for name in asked} == asked and found["reason"] == ""
    rows = guidance_levels(experiment.with_settings({"sampling.guidance_to": 1}), ideal)
    assert len(rows) == 40 and rows[0] is None
    assert next(filter(None, rows))["angle"] < 1e-4
    unguided = experiment.with_settings({"sampling.guidance": 1})
    assert guidance_report(unguided, denoise(unguided, ideal, points=2)) is None
    assert guidance_levels(unguided, ideal) == [None] * 40


def test_the_report_for_a_person(capsys):
    at = {"angle": 12.3, "ratio": None, "length": 1.0, "exact": 2.0}
    levels = [
        {"level": 0, "sigma": 5.0, "guidance": None},
        {"level": 1, "sigma": 1, "guidance": at},
    ]
    found = {"weight": 3.0, "from": 0.2, "to": 4.0, "guide": "no-label", "label": "1"}
    found |= {"conditional": 0.5, "tilted": None, "guided": 0.1, "real": 0.01, "reason": "no end"}
    _print_guidance(console(), {"guidance": found, "levels": levels})
    text = " ".join(capsys.readouterr().out.split())
    for words in (
        "Guidance of class 1 with weight 3, guide no-label, for sigma/alpha from 0.2 to 4.",
        "No end.",
        "guided ODE of exact denoisers 0.1",
        "tilted, p(x|c)^w p(x)^(1-w) –",
    ):
        assert words in text
    assert "0 5 – – – – 1 1 12.3 – 1 2 angle:" in text

"""Where the error comes from, and how far the start is from the noisiest level."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tui_diffusion.core.analysis.attribution import PARTS, Attribution, attribute, verdict
from tui_diffusion.core.analysis.energy_distance import energy_distance, mixture_distance
from tui_diffusion.core.analysis.start_mismatch import start_mismatch, start_of
from tui_diffusion.core.assemble import make_method, make_mixture
from tui_diffusion.core.config.experiment import Experiment, build
from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.core.methods import IdealDenoiser
from tui_diffusion.core.mixtures import GaussianMixture
from tui_diffusion.lab.drawing.palette import Palette
from tui_diffusion.lab.sampling.diagnosis import RequestedDiagnosis
from tui_diffusion.lab.sampling.request import SampleRequest
from tui_diffusion.lab.views.diagnosis import attribution

from ..changed import changed
from ..trainings import trained


def ideal(of: Experiment) -> IdealDenoiser:
    mixture = make_mixture(of.data)
    return IdealDenoiser(mixture, make_method(of.method, mixture))


def test_a_schedule_that_ends_early_is_the_fault_of_the_start() -> None:
    of = build(
        {
            "data": {"name": "moons"},
            "method": {"name": "ddpm"},
            "schedule": {"kind": "linear-beta", "levels": 50, "beta_min": 1e-4, "beta_max": 0.02},
            "network": {"width": 64, "depth": 3, "activation": "silu", "fourier": 4},
            "training": {
                "steps": 1000,
                "batch": 256,
                "optimizer": "adam",
                "lr": 3e-3,
                "loss": "mean",
                "decay": "cosine",
            },
            "sampling": {"sampler": "ddpm"},
        }
    )
    found = attribute(of, trained(of).denoiser)
    assert found.main == "start" and found.start > 3 * found.network
    assert not found.chance_alone("start")
    badge = start_mismatch(of)
    assert badge.alpha_bar == pytest.approx(0.603, abs=0.001) and not badge.negligible


def test_a_hardly_trained_network_is_at_fault_itself() -> None:
    of = PRESETS["ddpm-1d"].experiment.with_settings({"training.steps": 200})
    found = attribute(of, trained(of).denoiser)
    assert found.main == "network" and found.network > 0.5 * found.total
    assert found.total > 100 * found.chance


def test_what_is_exact_is_within_chance() -> None:
    of = PRESETS["edm-multimodal"].experiment.with_settings(
        {"sampling.levels": 200, "sampling.start": "exact"}
    )
    found = attribute(of, ideal(of), points=2000)
    assert 0 < found.chance < 0.01
    assert abs(found.total) < 2 * found.chance


def test_too_few_steps_are_at_fault_where_all_else_is_exact() -> None:
    for name in ("edm-moons", "edm-multimodal"):
        of = PRESETS[name].experiment.with_settings({"sampling.levels": 4})
        found = attribute(of, ideal(of), points=2000)
        assert found.main == "discretisation" and found.network == 0
        many = attribute(of.with_settings({"sampling.levels": 60}), ideal(of), points=2000)
        assert many.discretisation < 0.05 * found.discretisation


def test_the_parts_sum_to_the_whole_and_repeat() -> None:
    of = PRESETS["naive-multimodal"].experiment.with_settings({"training.steps": 300})
    denoiser = trained(of).denoiser
    found = attribute(of, denoiser, points=500)
    assert found.start + found.network + found.discretisation == pytest.approx(found.total)
    assert attribute(of, denoiser, points=500) == found
    exact = attribute(of.with_settings({"sampling.start": "exact"}), denoiser, points=500)
    assert (exact.start, exact.start_chance) == (0, 0)


@pytest.mark.parametrize("dim", [1, 2])
def test_energy_distance_is_that_of_large_samples(dim: int) -> None:
    random = torch.Generator().manual_seed(0)
    a = GaussianMixture([[0.0] * dim, [2.0] * dim], [0.3, 0.7], [0.4, 0.6])
    b = GaussianMixture([[0.5] * dim], 1.2)
    known = mixture_distance(a, b)
    x = a.sample(6000, random, dtype=torch.float64)
    assert energy_distance(x, b).value == pytest.approx(known, rel=0.1)
    assert mixture_distance(a, a) == pytest.approx(0, abs=1e-12)
    assert abs(energy_distance(x, a).value) < 1e-3
    point = GaussianMixture([[3.0] * dim], 0.0)
    origin = GaussianMixture([[0.0] * dim], 0.0)
    assert mixture_distance(point, origin) == pytest.approx(2 * 3 * dim**0.5)


def test_start_mismatch() -> None:
    of = PRESETS["edm-multimodal"].experiment
    badge = start_mismatch(of)
    assert badge.negligible and badge.signal == pytest.approx(0.2, rel=0.01)
    near = start_mismatch(of.with_settings({"schedule.sigma_max": 0.5}))
    assert near.distance > 100 * badge.distance and not near.negligible
    exact = of.with_settings({"sampling.start": "exact"})
    assert start_mismatch(exact).distance == 0
    assert torch.equal(start_of(exact).means, make_mixture(of.data).means)
    centred = of.with_settings({"data.name": "gaussian-2d", "sampling.start": "data-mean"})
    assert start_mismatch(centred).distance < 1e-9


def test_parts_are_told_from_chance_and_the_start_from_what_it_costs() -> None:
    """Seeds scatter the parts by as much as is said; a start can be off and do no harm."""
    of = PRESETS["ddpm-multimodal"].experiment.with_settings(
        {"training.steps": 400, "sampling.points": 300}
    )
    denoiser = trained(of).denoiser
    splits = [attribute(of, denoiser, seed=seed) for seed in range(12)]
    for name in (*PARTS, "total"):
        values = torch.tensor([split.part(name) for split in splits])
        said = torch.tensor([split.chance_of(name) for split in splits]).square().mean().sqrt()
        assert float(values.std()) < 1.2 * float(said), name
    assert splits[0].main == "network" and not splits[0].chance_alone("network")
    assert all(split.chance_alone("start") for split in splits)
    first, note = verdict(splits[0], start_mismatch(of))
    assert first == "Main cause: the network is not the ideal denoiser."
    assert note.startswith("The start is good: off by ")
    naive = PRESETS["naive-1d"].experiment
    harmless = attribute(naive, trained(naive).denoiser)
    assert harmless.start < 0 and not harmless.chance_alone("start")
    said_so = verdict(harmless, start_mismatch(naive))[1]
    assert "off by 0.54 std" in said_so and "makes good for other errors" in said_so


def test_bars_of_negative_parts_go_leftwards_and_parts_of_chance_are_grey() -> None:
    palette = Palette.default()
    moved = Attribution(-0.002, 0.008, 0.001, 0.007, 0.0005, 0.001, 0.002, 0.001, 0.001)
    of = PRESETS["naive-1d"].experiment
    study = RequestedDiagnosis(
        SampleRequest(of, "network", 0, 100), (), (), start_mismatch(of), moved, 0.0
    )
    lines = attribution(study, 100, 12, palette, "braille")
    start, network, steps, total = (line.text for line in lines[1:5])
    zero = network.index("│")
    assert start.index("█") < start.index("│") == zero and "█" not in start[zero:]
    assert "█" not in network[:zero] and network.count("█") == pytest.approx(
        4 * start.count("█"), abs=3
    )
    assert steps.rstrip().endswith("chance") and "± 0.002" in steps
    assert "chance" not in start + network
    colours = {
        str(segment.style.color) for segment in lines[3] if segment.style and "█" in segment.text
    }
    assert colours == {str(palette.style("axis").color)}
    assert "true points score ± 0.001" in total


def test_guidance_is_not_blamed_on_the_steps_alone():
    split = Attribution(0.0, 0.0, 0.1, 0.1, 1e-3, 1e-3, 1e-3, 1e-3, 1e-3)
    start = start_mismatch(changed("edm-moons"))
    steps = "Main cause: the steps are too few or too coarse."
    assert verdict(split, start)[0] == verdict(replace(split, guidance=0.01), start)[0] == steps
    assert verdict(replace(split, guidance=0.09), start)[0] == (
        "Main cause: guidance, which leads away from the distribution of the data."
    )


def test_many_steps_leave_the_error_of_guidance():
    labels = {"network__labels": True, "sampling__guidance": 2, "sampling__points": 2000}
    experiment = changed("edm-moons", sampling__levels=48, **labels)
    split = attribute(experiment, ideal(experiment))
    assert split.guidance > 4 * split.discretisation_chance
    assert abs(split.discretisation - split.guidance) < split.discretisation_chance
    weaker = changed(experiment, network__guide=True, sampling__guide="own", sampling__points=50)
    assert attribute(weaker, ideal(weaker)).guidance == 0
    plain = changed(experiment, sampling__guidance=1, sampling__points=50)
    assert attribute(plain, ideal(plain)).guidance is None

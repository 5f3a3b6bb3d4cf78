"""The likelihood of the data under a denoiser, against closed forms and the exact density."""

from __future__ import annotations

import math

import pytest
import torch

from tui_diffusion.core.analysis.likelihood.estimate import entropy, likelihood
from tui_diffusion.core.analysis.likelihood.probability_flow import NoFieldError, probability_flow
from tui_diffusion.core.analysis.loss_floor import level_losses
from tui_diffusion.core.analysis.report import likelihood_report
from tui_diffusion.core.assemble import (
    make_ideal,
    make_method,
    make_mixture,
    make_network,
    sampling_schedule,
)
from tui_diffusion.core.config.experiment import Experiment
from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.core.methods import IdealDenoiser, NetworkDenoiser
from tui_diffusion.core.mixtures import GaussianMixture
from tui_diffusion.core.parts.datasets import DATA_PARTS
from tui_diffusion.core.randomness import generator

from ..changed import changed
from ..trainings import trained


def gaussian_kl(mean: float, std: float, mean_q: float, std_q: float) -> float:
    """KL(N(mean, std²) ‖ N(mean_q, std_q²))."""
    ratio = (std / std_q) ** 2
    return (ratio - 1 - math.log(ratio) + ((mean - mean_q) / std_q) ** 2) / 2


def nats(experiment: Experiment, denoiser: object, mixture: GaussianMixture) -> float:
    losses = level_losses(experiment, denoiser, 2000, mixture=mixture)
    return sum(at.nats for at in losses if at.nats is not None)


def test_the_closed_form_for_one_gaussian_and_a_linear_denoiser():
    # The denoiser believes in N(m', s'²), and the start is N(mean, σ_0²): the ODE contracts about
    # m' by r = s'/√(s'² + σ_0²).
    for dim in (1, 2):
        for levels, sigma, m, s in ((60, 8.0, 0.2, 0.5), (60, 2.0, 0.0, 0.2)):
            experiment = changed(
                "edm-1d" if dim == 1 else "edm-moons",
                schedule__levels=levels,
                schedule__sigma_max=sigma,
                schedule__sigma_min=0.002,
                sampling__start="data-mean",
            )
            data = GaussianMixture([[0.5] * dim], 0.3)
            believed = IdealDenoiser(GaussianMixture([[m] * dim], s), make_method(experiment, data))
            found = likelihood(experiment, believed, points=800, mixture=data)
            r = s / math.hypot(s, sigma)
            kl = dim * gaussian_kl(0.5, 0.3, m * (1 - r) + 0.5 * r, r * sigma)
            assert abs(found.kl - kl) < found.error < 0.25 * kl
            least = dim / 2 * math.log(2 * math.pi * math.e * 0.09)
            assert abs(found.entropy - least) < 1e-6
            assert abs(found.nll - found.entropy - found.kl) < 1e-12
            start = dim * gaussian_kl(0.0, math.hypot(0.3, sigma), 0.0, sigma)
            assert abs(found.start - start) < 1e-6
            assert kl < found.start + nats(experiment, believed, data)


def test_the_bound_is_the_divergence_where_the_score_is_that_of_its_own_ode():
    # From the believed start on, the ODE ends in N(0, s'²), and its score is the denoiser's.
    experiment = changed(
        "edm-1d", schedule__levels=200, schedule__sigma_max=60.0, schedule__sigma_min=0.002
    )
    data, other = GaussianMixture([[0.0]], 0.3), GaussianMixture([[0.0]], 0.4)
    kl = gaussian_kl(0, 0.3, 0, 0.4)
    found = nats(experiment, IdealDenoiser(other, make_method(experiment, data)), data)
    assert abs(found - kl) < 0.03 * kl


def check_ideal(experiment: Experiment) -> None:
    mixture = make_mixture(experiment)
    found = likelihood(experiment, make_ideal(experiment, mixture), points=50)
    assert abs(found.nll - found.entropy) < 1e-3, experiment.name
    assert found.start == pytest.approx(0, abs=1e-9) and found.sigma == 0


def test_nll_of_the_ideal_denoiser_is_the_entropy():
    for name in ("naive-2d", "ddpm-multimodal", "edm-multimodal", "flow-moons"):
        check_ideal(changed(name, sampling__start="exact"))


@pytest.mark.slow
@pytest.mark.parametrize("name", PRESETS)
def test_nll_of_the_ideal_denoiser_of_every_preset_is_the_entropy(name: str) -> None:
    guided = PRESETS[name].experiment.sampling.guided
    # Guidance leads to another density.
    without = {"sampling__guidance": 1} if guided else {}
    check_ideal(changed(name, sampling__start="exact", **without))


@pytest.mark.slow
@pytest.mark.parametrize("data", [name for name in DATA_PARTS if name != "file"])
def test_nll_of_the_ideal_denoiser_is_the_entropy_for_every_data_set(data: str) -> None:
    for method in ("ddpm-multimodal", "edm-multimodal", "flow-multimodal", "naive-multimodal"):
        base = PRESETS[method].experiment
        check_ideal(base.with_settings({"data.name": data, "sampling.start": "exact"}))


def test_what_the_start_costs_remains_with_the_ideal_denoiser():
    # A bijection preserves the divergence of the noisiest level from the start.
    experiment = changed("edm-1d", schedule__sigma_max=1.0, sampling__start="zero-mean")
    mixture = GaussianMixture([[0.2]], 0.5)
    found = likelihood(experiment, make_ideal(experiment, mixture), points=2000, mixture=mixture)
    assert abs(found.start - gaussian_kl(0.2, math.hypot(0.5, 1), 0, 1)) < 1e-6
    assert abs(found.kl - found.start) < found.error < 0.04


def test_the_density_of_a_network_is_normalised():
    # One network for every noise level, one that knows ten of them, and one of the plane.
    for name in ("edm-1d", "ddpm-1d-per-level", "edm-multimodal"):
        smooth = {"network__activation": "tanh", "network__fourier": 0}
        experiment = changed(name, data__std=0.3, **smooth)
        network = make_network(experiment, generator(1, "weights"))
        mixture = make_mixture(experiment)
        denoiser = NetworkDenoiser(network, make_method(experiment, mixture))
        flow = probability_flow(experiment, denoiser)
        line = torch.linspace(*((-40, 40, 6001) if mixture.dim == 1 else (-6, 6, 41))).double()
        u = torch.cartesian_prod(*[line] * mixture.dim).reshape(-1, mixture.dim)
        cell = float(line[1] - line[0]) ** mixture.dim
        schedule = sampling_schedule(experiment)
        middle = schedule[schedule.levels // 2]
        noisy = math.atan2(middle.sigma, middle.alpha)
        for angle in (None, noisy) if mixture.dim == 1 else (noisy,):
            total = float(flow.log_density(u, angle, 16).exp().sum()) * cell
            assert abs(total - 1) < 2e-3, (name, angle)


def test_a_sample_of_a_point_leaves_points_enough_for_the_chance():
    experiment = changed("edm-1d", sampling__points=1)
    exact = make_ideal(experiment, make_mixture(experiment))
    found = likelihood(experiment, exact)
    assert found.points == 100 and 0 < found.error < 0.1
    assert likelihood(experiment, exact, points=1).error == math.inf


def test_a_network_that_knows_some_levels_has_a_density_at_the_last_of_them():
    trainer = trained(changed("ddpm-1d", training__steps=300))
    found = likelihood(trainer.experiment, trainer.denoiser, points=100)
    schedule = sampling_schedule(trainer.experiment)
    assert found.sigma == pytest.approx(float(schedule.sigmas[-2] / schedule.alphas[-2]))
    noised = GaussianMixture(make_mixture(trainer.experiment).means, math.hypot(0.01, found.sigma))
    assert abs(found.entropy - entropy(noised)) < 1e-9
    # The last output of the post's method is trained to be 0, whatever the noise.
    trainer = trained(changed("naive-1d", training__steps=20))
    schedule = sampling_schedule(trainer.experiment)
    found = likelihood(trainer.experiment, trainer.denoiser, points=10)
    assert found.sigma == pytest.approx(float(schedule.sigmas[-3]))
    assert [at.nats is None for at in level_losses(trainer.experiment, trainer.denoiser)] == (
        [False] * 9 + [True]
    )


def test_no_likelihood_without_a_level_that_determines_the_noise():
    trainer = trained(changed("naive-1d", training__steps=5, schedule__levels=1))
    with pytest.raises(NoFieldError, match="at none of its levels"):
        likelihood(trainer.experiment, trainer.denoiser)
    report = likelihood_report(trainer.experiment, trainer.denoiser, 0.0)
    assert report["nll"] is None and "naive" in report["reason"]


def test_the_density_is_in_the_units_of_the_data(tmp_path):
    file = tmp_path / "points.csv"
    file.write_text("".join(f"{1000 + 40 * (k % 5)},{0.01 * (k % 3)}\n" for k in range(6)))
    experiment = PRESETS["edm-multimodal"].experiment.with_settings(
        {"data.name": f"file:{file}", "sampling.start": "exact", "data.std": "0.5"}
    )
    mixture = make_mixture(experiment)
    ideal = make_ideal(experiment, mixture)
    unit = likelihood(experiment, ideal, mixture=mixture)
    own = likelihood_report(experiment, ideal, 0.0)
    x = torch.tensor(experiment.data.points).double()
    shift = math.log(float(x[:, 0].std(correction=0) * x[:, 1].std(correction=0)))
    assert own["nll"] == pytest.approx(unit.nll + shift)
    assert own["entropy"] == pytest.approx(unit.entropy + shift)
    assert own["kl"] == unit.kl

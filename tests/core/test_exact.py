"""The exact density of every level, and its moments against closed forms."""

import pytest
import torch

from tui_diffusion.core.analysis.densities import densities, density, goal_moments
from tui_diffusion.core.assemble import make_mixture, make_schedule
from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.core.mixtures import GaussianMixture
from tui_diffusion.core.trajectory import forward_process

from ..cases import for_each

ONE_D = [name for name, preset in PRESETS.items() if preset.experiment.dim == 1]
UNEVEN = GaussianMixture([[-1.0], [0.5], [2.0]], [0.001, 0.3, 0.05], [0.2, 0.5, 0.3])


@pytest.mark.parametrize("name", ONE_D)
def test_every_level_integrates_to_one_with_the_closed_moments(name):
    experiment = get_preset(name).experiment
    schedule = make_schedule(experiment.schedule)
    curves = densities(make_mixture(experiment.data), schedule)
    assert len(curves) == experiment.levels + 1
    for curve, alpha, sigma in zip(curves, schedule.alphas, schedule.sigmas, strict=True):
        a, s = float(alpha), float(sigma)
        assert abs(curve.integral - 1) < 1e-4
        assert abs(curve.mean - a) < 1e-6
        assert abs(curve.std - (a**2 * 1e-4 + s**2) ** 0.5) < 1e-6


def test_the_least_noisy_level_of_the_detailed_script():
    """The goal that the script prints: mean 0.999 (√0.999 = 0.9995), std 0.033."""
    experiment = get_preset("ddpm-1d-detailed").experiment
    curve = densities(make_mixture(experiment.data), make_schedule(experiment.schedule))[-2]
    assert abs(curve.mean - 0.999**0.5) < 1e-9
    assert abs(curve.std - 0.033) < 5e-4
    assert abs(curve.std - (0.999 * 1e-4 + 0.001) ** 0.5) < 1e-9


@for_each("alpha, sigma", [(1.0, 0.0), (1.0, 0.01), (0.5, 0.8), (0.01, 1.0)])
def test_a_mixture_of_narrow_and_wide_components(alpha, sigma):
    curve = density(UNEVEN, alpha, sigma)
    noised = UNEVEN.noised(alpha, sigma)
    assert abs(curve.integral - 1) < 1e-4
    assert abs(curve.mean - float(noised.mean())) < 1e-4
    assert abs(curve.std - float(noised.std())) < 1e-4


@pytest.mark.parametrize(("alpha", "sigma"), [(1.0, 0.0), (0.5, 0.8)])
def test_the_cdf_rises_from_zero_to_one_and_is_the_integral_of_the_pdf(alpha, sigma):
    curve = density(UNEVEN, alpha, sigma)
    assert bool((curve.x.diff() >= 0).all())
    assert bool((curve.cdf.diff() >= -1e-12).all())
    assert abs(float(curve.cdf[0])) < 1e-9
    assert abs(float(curve.cdf[-1]) - 1) < 1e-9
    running = torch.cumulative_trapezoid(curve.pdf, curve.x)
    assert float((running - curve.cdf[1:]).abs().max()) < 1e-4


def test_the_density_is_the_histogram_of_the_noised_data():
    n = 200_000
    experiment = get_preset("ddpm-1d").experiment.with_settings(
        {"data.means": "-1, 0.5, 2", "data.std": 0.3}
    )
    mixture = make_mixture(experiment.data)
    process = forward_process(experiment, points=n)
    for k in (0, 5, 8, 10):
        curve = densities(mixture, process.schedule)[k]
        points = process.x[k, :, 0].double().sort().values
        steps = torch.arange(1, n + 1, dtype=torch.float64) / n
        exact = mixture.cdf(
            points[:, None], float(process.schedule.alphas[k]), float(process.schedule.sigmas[k])
        )
        # Kolmogorov and Smirnov: beyond 2.2/√n once in 10,000 draws of data that are right.
        assert float((exact - steps).abs().max()) < 2.5 / n**0.5
        places = torch.searchsorted(points, curve.x).double() / n
        assert float((curve.cdf - places).abs().max()) < 2.5 / n**0.5


@pytest.mark.parametrize("name", [p.id for p in PRESETS.values() if p.script])
def test_goal_moments_against_the_closed_form(name):
    experiment = get_preset(name).experiment
    mixture, schedule = make_mixture(experiment.data), make_schedule(experiment.schedule)
    mean, std = goal_moments(mixture, schedule)
    assert mean.shape == std.shape == (experiment.levels + 1, experiment.dim)
    variance = 1e-4 + (1.0 if experiment.data.name == "four-gaussians" else 0.0)
    centre = {
        "gaussian-1d": [1.0],
        "gaussian-2d": [-1.0, 1.0],
        "four-gaussians": [0.0, 0.0],
    }[experiment.data.name]
    alphas, sigmas = schedule.alphas[:, None], schedule.sigmas[:, None]
    expected = alphas * torch.tensor(centre, dtype=torch.float64)
    assert float((mean - expected).abs().max()) < 1e-12
    goal = (alphas**2 * variance + sigmas**2).sqrt().expand_as(std)
    assert float((std - goal).abs().max()) < 1e-12


def test_goal_moments_against_monte_carlo():
    n = 100_000
    experiment = get_preset("ddpm-1d").experiment.with_settings(
        {"data.means": "-1, 0.5, 2", "data.std": 0.3}
    )
    process = forward_process(experiment, points=n)
    mean, std = goal_moments(make_mixture(experiment.data), process.schedule)
    seen_mean, seen_std = (moment.double() for moment in process.moments())
    assert bool(((seen_mean - mean).abs() < 5 * std / n**0.5).all())
    assert float((seen_std / std - 1).abs().max()) < 5 / n**0.5

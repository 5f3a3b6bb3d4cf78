"""Metrics: what they say of real data, of shifted data, and where they do not apply."""

from __future__ import annotations

import math

import pytest
import torch

from tui_diffusion.core.analysis.metrics import evaluate, nearest_mode, sliced_wasserstein
from tui_diffusion.core.assemble import make_mixture
from tui_diffusion.core.config.experiment import build


@pytest.mark.parametrize("name", ["gaussian-1d", "four-gaussians", "heavy-light", "ring"])
def test_real_data_score_as_real_data_do(name: str) -> None:
    mixture = make_mixture(build({"data": {"name": name}}).data)
    score = evaluate(mixture.sample(4000, torch.Generator().manual_seed(0)), mixture)
    assert score.energy_distance < 3 * score.energy_distance_real + 1e-4
    assert score.sliced_wasserstein < 3 * score.sliced_wasserstein_real + 1e-4
    assert score.off_mode == score.off_mode_real == 0 or score.off_mode < 1e-3
    for value in (score.in_mode_std_ratio, score.in_mode_std_ratio_real):
        assert value == pytest.approx(1, abs=0.03)
    for value in (score.mode_tv, score.mode_tv_real):
        assert value is not None and value < 0.03


@pytest.mark.parametrize("name", ["moons", "checkerboard"])
def test_measures_of_modes_do_not_apply_to_curves(name: str) -> None:
    mixture = make_mixture(build({"data": {"name": name}}).data)
    score = evaluate(mixture.sample(500, torch.Generator().manual_seed(0)), mixture)
    assert score.mode_weights is score.mode_tv is score.in_mode_std_ratio is None
    assert score.nearest_mode_distance is None and score.off_mode < 0.01
    assert abs(score.energy_distance) < 2 * score.energy_distance_chance


def test_sliced_wasserstein_of_a_shift() -> None:
    """A shift by v moves every projection by its share of v: the mean of |cos| is 2/π."""
    x = torch.randn(2000, 2, generator=torch.Generator().manual_seed(0))
    shift = torch.tensor([3.0, 4.0])
    assert sliced_wasserstein(x, x + shift) == pytest.approx(5 * 2 / math.pi, rel=1e-3)
    assert sliced_wasserstein(x, x[torch.randperm(2000)]) == pytest.approx(0, abs=1e-9)
    assert sliced_wasserstein(x[:, :1], x[:, :1] + 2) == pytest.approx(2, rel=1e-5)


def test_nearest_mode_of_many_points_and_components() -> None:
    mixture = make_mixture(build({"data": {"name": "spirals"}}).data)
    x = torch.randn(5000, 2, generator=torch.Generator().manual_seed(1))
    squared, index = nearest_mode(x, mixture)
    apart = x - mixture.means.to(x)[index]
    assert torch.allclose(squared, apart.square().sum(1), atol=1e-5)


def test_points_that_are_nowhere_are_off_every_mode() -> None:
    mixture = make_mixture(build({"data": {"name": "four-gaussians"}}).data)
    x = mixture.sample(100, torch.Generator().manual_seed(0))
    x[:50] = float("nan")
    score = evaluate(x, mixture)
    assert score.off_mode == 0.5 and math.isfinite(score.energy_distance)
    none = evaluate(torch.full((10, 2), float("inf")), mixture)
    assert none.off_mode == 1 and math.isnan(none.sliced_wasserstein) and none.mode_tv == 1

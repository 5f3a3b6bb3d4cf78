"""The energy distance: its value by hand, no bias, and how far chance moves it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tui_diffusion.core.analysis.energy_distance import (
    MAX_POINTS,
    Reference,
    energy_distance,
    mean_length,
    merged,
)
from tui_diffusion.core.mixtures import GaussianMixture

FOUR = GaussianMixture([[-1.0, 1.0], [1.0, -1.0], [-1.0, -1.0], [1.0, 1.0]], 0.01)
LINE = GaussianMixture([[0.0], [1.0]], 0.3, [0.2, 0.8])


def random(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("dim", [1, 2])
def test_it_is_that_of_all_pairs_of_different_points(dim: int) -> None:
    # Points as narrow components: what is exact in a mixture is then a mean over its points.
    y = 1 + 0.02 * torch.randn((7, dim), generator=random(1), dtype=torch.float64)
    x = 1 + 0.01 * torch.randn((5, dim), generator=random(2), dtype=torch.float64)

    def distances(a: torch.Tensor, b: torch.Tensor) -> np.ndarray:
        return np.array([[np.linalg.norm(p - q) for q in b.numpy()] for p in a.numpy()])

    cross, within = 2 * distances(x, y).mean(), distances(x, x).sum() / (5 * 4)
    expected = cross - within - distances(y, y).mean()
    assert energy_distance(x, GaussianMixture(y, 0.0)).value == pytest.approx(expected, abs=1e-9)


def test_trainings_on_the_same_data_share_the_reference() -> None:
    x = torch.randn((100, 2), generator=random())
    for mixture in (FOUR, FOUR.noised(1.0, 0.5), FOUR):
        assert energy_distance(x, mixture).value == Reference(mixture).distance(x).value


def test_one_point_is_scored_and_one_that_is_nowhere_is_infinitely_far_off() -> None:
    origin = GaussianMixture([[0.0, 0.0]], 0.0)
    assert energy_distance(torch.tensor([[3.0, 4.0]]), origin).value == pytest.approx(10)
    assert energy_distance(torch.tensor([[3.0, float("nan")]]), origin).value == float("inf")


@pytest.mark.parametrize("mixture", [FOUR, LINE], ids=["2d", "1d"])
@pytest.mark.parametrize("width", [1.0, 1.5])
def test_it_has_no_bias_and_moves_by_as_much_as_is_said(
    mixture: GaussianMixture, width: float
) -> None:
    """In true samples, and in others that are too wide."""
    reference, draw = Reference(mixture), random()
    wide = GaussianMixture(mixture.means * width, mixture.stds, mixture.weights)
    few = [reference.distance(wide.sample(150, draw)) for _ in range(200)]
    many = reference.distance(wide.sample(MAX_POINTS, draw))
    values = np.array([score.value for score in few])
    assert abs(values.mean() - many.value) < 4 * values.std() / 200**0.5 + many.chance
    said = np.mean([(score.chance / 2) ** 2 for score in few]) ** 0.5
    assert 0.75 < said / values.std() < 1.35
    if width == 1:
        assert 0.8 < few[0].real / values.std() < 1.25
        assert np.mean(np.abs(values) > 2 * few[0].real) < 0.1
        assert (values < 0).any()


def test_the_first_points_count_and_the_rest_cost_nothing() -> None:
    x = FOUR.sample(MAX_POINTS + 500, random())
    reference = Reference(FOUR)
    assert reference.distance(x) == reference.distance(x[:MAX_POINTS])


def test_lengths_from_the_table_are_those_of_the_formula() -> None:
    distance = torch.cat([torch.linspace(0, 3, 700), torch.logspace(0.5, 4, 300)]).double()
    narrow = GaussianMixture([[0.0, 0.0]], 0.25)
    table = Reference(narrow)._to_mixture(torch.stack([distance, 0 * distance], 1))
    exact = mean_length(distance, torch.tensor(0.25**2, dtype=torch.float64), 2)
    # Beyond 3e3 std Bessel functions of their squares are no longer exact themselves.
    near = distance < 100
    assert torch.allclose(table[near], exact[near], rtol=0, atol=2e-7)
    assert torch.allclose(table, distance + 0.25**2 / (2 * distance.clamp_min(1)), atol=0.3)


@pytest.mark.parametrize("dim", [1, 2])
def test_merging_many_components_stays_far_below_chance(dim: int) -> None:
    turn = 6 * torch.rand((3000, 1), generator=random(), dtype=torch.float64)
    points = torch.cat([turn.cos() * turn, turn.sin()], 1)[:, :dim]
    mixture = GaussianMixture(points, 0.02, has_modes=False)
    small = merged(mixture)
    assert small.modes <= 1024
    assert torch.allclose(small.mean(), mixture.mean())
    assert torch.allclose(small.std(), mixture.std(), rtol=1e-3)
    x = mixture.sample(400, random(3), dtype=torch.float64)
    exact = mean_length(
        torch.cdist(x, mixture.means), mixture.stds**2, dim
    ).mean(1)  # fmt: skip
    reference = Reference(mixture)
    assert abs(float((reference._to_mixture(x) - exact).mean())) < 0.1 * reference.real(MAX_POINTS)

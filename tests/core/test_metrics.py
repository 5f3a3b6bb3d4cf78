"""Sample quality: known values, and real data as the yardstick."""

import math

import numpy as np
import pytest
import torch

from tui_diffusion.core.analysis.metrics import evaluate, nearest_mode, nearest_mode_distance
from tui_diffusion.core.mixtures import GaussianMixture

FOUR = GaussianMixture([[-1.0, 1.0], [1.0, -1.0], [-1.0, -1.0], [1.0, 1.0]], 0.01)
ONE = GaussianMixture([[1.0]], 0.01)


def real(mixture: GaussianMixture, n: int = 4000, seed: int = 12) -> torch.Tensor:
    return mixture.sample(n, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("mixture", [ONE, FOUR], ids=["1d", "2d"])
def test_real_data_score_as_real_data(mixture):
    quality = evaluate(real(mixture), mixture)
    assert quality.points == 4000
    # Root of a chi-square over its 4,000 or 8,000 degrees of freedom: 1 ± 1/√(2·4000).
    assert quality.in_mode_std_ratio == pytest.approx(1, abs=5 / 8000**0.5)
    # Beyond 5 std: 6e-7 of the points in 1D, 4e-6 in 2D.
    assert quality.off_mode == 0
    assert quality.mode_tv < 0.03
    expected = mixture.dim * 1e-4
    assert quality.nearest_mode_distance == pytest.approx(expected, rel=0.12)
    # 2 std; of a sum of squares of few numbers, such as the weights of modes, 3 are not rare.
    assert abs(quality.energy_distance) < 4 * quality.energy_distance_real
    assert 0 < quality.energy_distance_real < 0.01


def test_the_post_goal_for_four_gaussians_is_two_variances():
    assert nearest_mode_distance(real(FOUR, 100_000), FOUR) == pytest.approx(2e-4, rel=0.02)


@pytest.mark.parametrize("mixture", [ONE, FOUR], ids=["1d", "2d"])
def test_a_shifted_sample_scores_far_worse_than_real_data(mixture):
    quality = evaluate(real(mixture) + 0.2, mixture)
    assert quality.energy_distance > 20 * quality.energy_distance_real
    assert quality.off_mode == 1
    assert quality.in_mode_std_ratio is None


def test_a_contracted_sample_is_seen():
    x = real(FOUR)
    centres = FOUR.means[nearest_mode(x, FOUR)[1]].float()
    quality = evaluate(centres + (x - centres) * 0.1, FOUR)
    assert quality.in_mode_std_ratio == pytest.approx(0.1, abs=0.005)
    assert quality.off_mode == 0
    assert quality.nearest_mode_distance == pytest.approx(2e-6, rel=0.1)


def test_spread_within_a_mode_is_about_the_samples_own_centre():
    """A mode that is off by 3 std with the right width has the right width."""
    quality = evaluate(real(ONE) + 0.015, ONE)
    assert quality.in_mode_std_ratio == pytest.approx(1, abs=0.06)


def test_by_hand():
    mixture = GaussianMixture([[0.0, 0.0], [4.0, 0.0]], 1.0)
    x = torch.tensor([[0.0, 1.0], [0.0, -1.0], [4.0, 2.0], [3.0, 0.0], [4.0, 9.0]])
    quality = evaluate(x, mixture)
    assert quality.mean == pytest.approx([11 / 5, 11 / 5])
    assert quality.std == pytest.approx([np.std([0, 0, 4, 3, 4]), np.std([1, -1, 2, 0, 9])])
    assert quality.nearest_mode_distance == pytest.approx((1 + 1 + 4 + 1 + 81) / 5)
    assert quality.mode_weights == pytest.approx([2 / 5, 3 / 5])
    assert quality.mode_tv == pytest.approx(0.1)
    # The last point is 9 std away; the first four are (0, ±1) about (0, 0), and two about (3.5, 1).
    assert quality.off_mode == pytest.approx(1 / 5)
    squares = 1 + 1 + (0.25 + 1) * 2
    assert quality.in_mode_std_ratio == pytest.approx(math.sqrt(squares / 8))


def test_uneven_modes_and_an_empty_one():
    x = torch.cat([FOUR.means[0].float().expand(30, 2), FOUR.means[3].float().expand(10, 2)])
    quality = evaluate(x, FOUR)
    assert quality.mode_weights == pytest.approx([0.75, 0, 0, 0.25])
    assert quality.mode_tv == pytest.approx(0.5)
    assert quality.in_mode_std_ratio == 0


def test_mode_weights_are_judged_against_the_mixtures_own():
    mixture = GaussianMixture([[0.0], [1.0]], 0.01, [0.2, 0.8])
    quality = evaluate(real(mixture, 20_000), mixture)
    assert quality.mode_weights == pytest.approx([0.2, 0.8], abs=0.02)
    assert quality.mode_tv < 0.02


def test_one_mode_has_all_the_weight():
    quality = evaluate(real(ONE, 10), ONE)
    assert quality.mode_weights == [1.0]
    assert quality.mode_tv == 0


def test_nearest_mode_tells_distance_and_which():
    squared, index = nearest_mode(torch.tensor([[1.0, 0.0], [-1.0, -3.0]]), FOUR)
    assert index[1] == 2
    assert squared.tolist() == pytest.approx([1.0, 4.0])


def test_points_that_are_not_finite_are_off_and_left_out_of_the_rest():
    good = real(FOUR, 300)
    bad = torch.tensor([[float("nan"), 0.0], [float("inf"), 1.0], [1.0, -float("inf")]])
    mixed, clean = evaluate(torch.cat((bad, good)), FOUR), evaluate(good, FOUR)
    assert mixed.points == 303
    assert mixed.off_mode == pytest.approx(3 / 303)
    for name in ("mean", "std", "nearest_mode_distance", "energy_distance", "mode_weights"):
        assert getattr(mixed, name) == getattr(clean, name)


def test_no_finite_point_at_all():
    quality = evaluate(torch.full((4, 2), float("nan")), FOUR)
    assert (quality.points, quality.off_mode, quality.mode_tv) == (4, 1.0, 1.0)
    assert quality.in_mode_std_ratio is None
    assert all(math.isnan(v) for v in (*quality.mean, quality.energy_distance))
    assert quality.mode_weights == [0.0] * 4


def test_a_single_point_can_be_scored():
    quality = evaluate(torch.tensor([[1.0]]), ONE)
    assert (quality.points, quality.std, quality.off_mode) == (1, [0.0], 0.0)


def test_scores_repeat():
    assert evaluate(real(FOUR), FOUR) == evaluate(real(FOUR), FOUR)

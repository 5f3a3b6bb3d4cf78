"""Each preset lands where its script in the post lands; bounds are over seeds.

Measured over six seeds (four for the networks a level), beside what the scripts reached:

    naive-1d            |mean − 1| to 0.021, std 0.0001–0.0013        (1.006, 0.001)
    naive-2d            |mean − goal| to 0.037, std 0.0001–0.0009     (−1.014, 0.998; 0.000)
    naive-multimodal    squared distance 0.0002–0.0014                (0.001)
    ddpm-1d             |mean − 1| to 0.030, std 0.018–0.044          (0.996, 0.024)
    ddpm-1d-per-level   |mean − 1| to 0.004, std 0.0011–0.0014        (0.997, 0.001)
    ddpm-multimodal     squared distance 0.0006–0.0068                (0.003)
    ddpm-1d-detailed    mean 0.999, std 0.0126–0.0153                 (1.000, 0.014)
"""

from functools import cache

import numpy as np
import pytest

from tui_diffusion.core.analysis.metrics import Quality, nearest_mode_distance
from tui_diffusion.core.analysis.report import quality
from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.training.trainer import Trainer
from tui_diffusion.core.trajectory import Trajectory, denoise

from ..trainings import trained

SEEDS = (0, 1, 2)
ONE_FAST = (0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2)))
"""A training of seconds: one seed at once, the others with the slow tests."""


@cache
def learnt(name: str, seed: int, **settings: object) -> Trainer:
    trainer = trained(get_preset(name).experiment.with_settings({"seed": seed, **settings}))
    assert trainer.status == "finished"
    return trainer


def sampled(name: str, seed: int, **settings: object) -> Trajectory:
    trainer = learnt(name, seed, **settings)
    return denoise(trainer.experiment, trainer.denoiser)


def reached(name: str, seed: int, **settings: object) -> Quality:
    trainer = learnt(name, seed, **settings)
    return quality(sampled(name, seed, **settings), trainer.mixture)


def fell(name: str, seed: int) -> float:
    """The loss of the first 50 steps over that of the last 200."""
    losses = learnt(name, seed).losses
    return float(losses[:50].mean() / losses[-200:].mean())


@pytest.mark.parametrize("seed", SEEDS)
def test_naive_1d_contracts_onto_the_mean(seed):
    result = reached("naive-1d", seed)
    assert abs(result.mean[0] - 1) < 0.05
    assert result.std[0] < 0.004
    assert fell("naive-1d", seed) > 20


def test_the_exact_target_does_not_contract():
    """The same network with the exact target: about the data's 0.010, ten times the post's."""
    for seed in SEEDS:
        exact = reached("naive-1d", seed, **{"method.name": "naive-exact"})
        assert 0.003 < exact.std[0] < 0.03
        assert exact.std[0] > 3 * reached("naive-1d", seed).std[0]
        assert abs(exact.mean[0] - 1) < 0.05


@pytest.mark.parametrize("seed", SEEDS)
def test_naive_2d_contracts_onto_the_mean(seed):
    result = reached("naive-2d", seed)
    assert abs(result.mean[0] + 1) < 0.08
    assert abs(result.mean[1] - 1) < 0.08
    assert max(result.std) < 0.003


@pytest.mark.parametrize("seed", SEEDS)
def test_naive_multimodal_finds_the_four_modes(seed):
    result = reached("naive-multimodal", seed)
    assert result.nearest_mode_distance < 0.005
    # Narrower than the data: the post's target contracts here too.
    assert result.in_mode_std_ratio is None or result.in_mode_std_ratio < 0.5
    assert max(abs(weight - 0.25) for weight in result.mode_weights) < 0.1


@pytest.mark.parametrize("seed", ONE_FAST)
def test_ddpm_1d(seed):
    result = reached("ddpm-1d", seed)
    assert abs(result.mean[0] - 1) < 0.06
    assert 0.012 < result.std[0] < 0.09
    # The norm over a batch of 64 of a unit noise that is not predicted would be 8.
    assert float(learnt("ddpm-1d", seed).losses[-500:].mean()) < 2.5


def test_ddpm_1d_walks_from_noise_to_the_mean():
    mean, std = sampled("ddpm-1d", 0).moments()
    goal = sampled("ddpm-1d", 0).schedule.alphas.numpy()
    # The noisiest step divides by √(1 − 0.999): there a small error of the network is 30 times it.
    assert np.abs(mean[6:, 0].numpy() - goal[6:]).max() < 0.15
    assert abs(float(mean[0, 0]) - goal[0]) < 0.1
    assert abs(float(std[0, 0]) - 1) < 0.05
    assert float(std[-1, 0]) < 0.05


@pytest.mark.parametrize("seed", ONE_FAST)
def test_ddpm_multimodal_and_what_the_repeats_do(seed):
    trajectory, mixture = sampled("ddpm-multimodal", seed), learnt("ddpm-multimodal", seed).mixture
    result = quality(trajectory, mixture)
    assert 0.0001 < result.nearest_mode_distance < 0.016
    assert max(abs(weight - 0.25) for weight in result.mode_weights) < 0.12
    before = nearest_mode_distance(trajectory.step(19).x_next, mixture)
    assert before < 0.06
    assert result.nearest_mode_distance < 0.6 * before


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_ddpm_1d_per_level(seed):
    result = reached("ddpm-1d-per-level", seed)
    assert abs(result.mean[0] - 1) < 0.012
    assert 0.0005 < result.std[0] < 0.0035


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_ddpm_1d_detailed(seed):
    trajectory = sampled("ddpm-1d-detailed", seed)
    result = reached("ddpm-1d-detailed", seed)
    assert trajectory.result_level == 8
    assert abs(result.mean[0] - 0.9995) < 0.006
    # The goal at that level is 0.033; the script and this project reach 0.014.
    assert 0.009 < result.std[0] < 0.021
    mean, std = trajectory.moments()
    goal = trajectory.schedule.alphas.numpy()
    assert np.abs(mean[7:, 0].numpy() - goal[7:]).max() < 0.05
    assert abs(float(std[0, 0]) - 1) < 0.08

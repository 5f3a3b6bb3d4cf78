"""Noise levels: the formulas of the post, evaluated by hand, and what every schedule must hold."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tui_diffusion.core.assemble import make_schedule
from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.core.config.schedule_section import ScheduleConfig
from tui_diffusion.core.schedules import Schedule, from_betas, karras, karras_betas

from ..cases import for_each

SINGLE_DDPM = (0.001, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 0.999)
betas_lists = st.lists(st.floats(1e-4, 0.999), min_size=1, max_size=30)
karras_args = st.tuples(
    st.integers(1, 60), st.floats(1e-4, 0.5), st.floats(0.6, 80.0), st.floats(1.0, 12.0)
)


def assert_well_formed(schedule: Schedule, levels: int) -> None:
    alphas, sigmas = schedule.alphas, schedule.sigmas
    assert alphas.dtype == sigmas.dtype == torch.float64
    assert len(alphas) == len(sigmas) == levels + 1 == schedule.levels + 1
    assert (float(alphas[-1]), float(sigmas[-1])) == (1.0, 0.0)
    ratio = alphas[:-1] / sigmas[:-1]
    assert bool((ratio[1:] > ratio[:-1]).all())
    # Near pure noise √(1 − alpha_bar) is 1 to the last digit; there alpha alone tells levels apart.
    assert bool((sigmas[:-1] >= sigmas[1:]).all())
    assert bool((sigmas[:-1] > 0).all())
    # Rectified flow alone starts from noise without a trace of the data.
    assert bool((alphas[1:] > 0).all())
    assert float(alphas[0]) >= 0


def test_karras_sigmas_by_hand():
    schedule = karras(10, 0.01 / 10, 1.0, 7)
    literal = [(1 + i / 9 * (0.001 ** (1 / 7) - 1 ** (1 / 7))) ** 7 for i in range(10)] + [0]
    assert max(abs(a - b) for a, b in zip(schedule.sigmas.tolist(), literal, strict=True)) < 1e-14
    assert schedule.alphas.tolist() == [1.0] * 11
    # A few digits worked out apart from any program of this project.
    assert float(schedule.sigmas[0]) == 1.0
    assert abs(float(schedule.sigmas[9]) - 0.001) < 1e-12
    root = 0.001 ** (1 / 7)
    assert abs(float(schedule.sigmas[3]) - ((2 + root) / 3) ** 7) < 1e-14


@given(karras_args)
def test_karras_schedules_are_well_formed(args):
    levels, sigma_min, sigma_max, _ = args
    schedule = karras(*args)
    assert_well_formed(schedule, levels)
    assert abs(float(schedule.sigmas[0]) / sigma_max - 1) < 1e-9
    if levels > 1:
        assert abs(float(schedule.sigmas[-2]) / sigma_min - 1) < 1e-9


def test_rho_one_spaces_the_levels_evenly():
    gaps = karras(11, 0.5, 1.0, 1.0).sigmas[:-1].diff()
    assert float((gaps + 0.05).abs().max()) < 1e-12


def test_alpha_bar_is_the_product_of_the_alphas():
    schedule = from_betas(SINGLE_DDPM)
    assert_well_formed(schedule, 10)
    product = 1.0
    for t, beta in enumerate(SINGLE_DDPM, start=1):
        product *= 1 - beta
        level = 10 - t
        assert abs(float(schedule.alpha_bars[level]) - product) < 1e-15
        assert abs(float(schedule.alphas[level]) - math.sqrt(product)) < 1e-15
        assert abs(float(schedule.sigmas[level]) - math.sqrt(1 - product)) < 1e-15


@given(betas_lists)
def test_betas_make_the_round_trip(betas):
    schedule = from_betas(betas)
    assert_well_formed(schedule, len(betas))
    back = schedule.betas.flip(0).tolist()
    assert max(abs(a - b) for a, b in zip(back, betas, strict=True)) < 1e-12
    assert float((schedule.alphas**2 + schedule.sigmas**2 - 1).abs().max()) < 1e-12


def test_karras_shaped_betas_by_hand():
    schedule = karras_betas(20, 0.001, 0.9, 4)
    low, high = 0.001 ** (1 / 4), 0.9 ** (1 / 4)
    literal = [(low + i / 19 * (high - low)) ** 4 for i in range(20)]
    betas = schedule.betas.flip(0).tolist()
    assert max(abs(a - b) for a, b in zip(betas, literal, strict=True)) < 1e-13
    # Least noisy first: the least beta is that of the last reverse step.
    assert abs(float(schedule.betas[-1]) - 0.001) < 1e-13
    assert abs(float(schedule.betas[0]) - 0.9) < 1e-13
    assert_well_formed(schedule, 20)


def test_a_level_holds_its_own_numbers_and_the_next_ones():
    schedule = from_betas((0.1, 0.5))
    noisy, clear = schedule[0], schedule[1]
    assert (noisy.index, clear.index) == (0, 1)
    assert abs(float(noisy.alpha) - math.sqrt(0.45)) < 1e-15
    assert abs(float(noisy.sigma) - math.sqrt(0.55)) < 1e-15
    assert noisy.alpha_next == clear.alpha
    assert noisy.sigma_next == clear.sigma
    assert (clear.alpha_next, clear.sigma_next) == (1.0, 0.0)
    assert abs(float(noisy.beta) - 0.5) < 1e-15
    assert abs(float(clear.beta) - 0.1) < 1e-15
    for k in (2, -1):
        with pytest.raises(IndexError, match=f"level {k} of 2"):
            schedule[k]


@for_each("schedule", [karras(1, 0.001, 2.0, 7), from_betas((0.3,)), karras_betas(1, 0.3, 0.9, 4)])
def test_a_single_level_is_a_schedule(schedule):
    assert_well_formed(schedule, 1)
    level = schedule[0]
    assert (level.alpha_next, level.sigma_next) == (1.0, 0.0)


def test_a_karras_schedule_adds_no_beta():
    assert karras(5, 0.01, 1.0, 7).betas.tolist() == [0.0] * 5


@for_each("preset", PRESETS.values())
def test_every_preset_has_a_well_formed_schedule(preset):
    schedule = make_schedule(preset.experiment.schedule)
    assert_well_formed(schedule, preset.experiment.levels)


def test_configurations_reach_their_formulas():
    config = ScheduleConfig(kind="karras", levels=5, sigma_min=0.02, sigma_max=3.0, rho=5.0)
    assert torch.equal(make_schedule(config).sigmas, karras(5, 0.02, 3.0, 5.0).sigmas)
    config = ScheduleConfig(kind="beta", betas=(0.1, 0.4), levels=7)
    assert torch.equal(make_schedule(config).sigmas, from_betas((0.1, 0.4)).sigmas)
    config = ScheduleConfig(kind="karras-beta", levels=6, beta_min=0.01, beta_max=0.5, rho=3.0)
    assert torch.equal(make_schedule(config).sigmas, karras_betas(6, 0.01, 0.5, 3.0).sigmas)


@for_each("least", [1e-17, 1e-300, 5e-324])
def test_the_least_of_levels_is_still_noisy(least):
    """1 − (1 − β) would be 0, and a step from a level of no noise divides by it."""
    for schedule in (
        from_betas((least, 0.5)),
        karras_betas(3, least, 0.5, 7),
        karras(3, least, 1.0, 100),
    ):
        assert_well_formed(schedule, schedule.levels)
        assert all(sigma**2 > 0 for sigma in schedule.sigmas[:-1].tolist())
    assert abs(float(from_betas((1e-17,)).sigmas[0]) / 1e-17**0.5 - 1) < 1e-12

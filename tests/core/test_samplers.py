"""One reverse step: the formulas of the papers, written out again with their own symbols."""

import pytest
import torch

from tui_diffusion.core.assemble import make_sampler
from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.core.config.sampling_section import SamplingConfig
from tui_diffusion.core.methods import METHODS, IdealDenoiser, Prediction
from tui_diffusion.core.mixtures import GaussianMixture
from tui_diffusion.core.samplers import Step, ddpm, naive
from tui_diffusion.core.schedules import Level, from_betas, karras
from tui_diffusion.core.trajectory import denoise

from ..cases import for_each

BETAS = (0.001, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 0.999)
ONE = GaussianMixture([[1.0]], 0.01)


def fixed(x: torch.Tensor, level: Level) -> Prediction:
    """A denoiser whose answer is known: eps_hat = sin x, output = cos x."""
    eps = x.sin()
    return Prediction(x.cos(), eps, (x - level.sigma * eps) / level.alpha)


def draws(shape: tuple[int, int] = (50, 2)) -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(0)
    return (
        torch.randn(shape, generator=random, dtype=torch.float64),
        torch.randn(shape, generator=random, dtype=torch.float64),
    )


@for_each("t", range(1, 11))
@for_each("posterior", [True, False])
def test_a_ddpm_step_is_algorithm_2_of_ho_et_al(t, posterior):
    beta = BETAS[t - 1]
    alpha_bar = alpha_bar_before = 1.0
    for s in range(1, t + 1):
        alpha_bar_before, alpha_bar = alpha_bar, alpha_bar * (1 - BETAS[s - 1])
    x, z = draws()
    mean = (x - beta / (1 - alpha_bar) ** 0.5 * x.sin()) / (1 - beta) ** 0.5
    tilde = beta * (1 - alpha_bar_before) / (1 - alpha_bar)
    noise = (tilde if posterior else beta) ** 0.5 * z
    level = from_betas(BETAS)[10 - t]
    step = ddpm(x, level, fixed, z, posterior=posterior)
    assert float((step.mean - mean).abs().max()) < 1e-10
    assert float((step.noise - noise).abs().max()) < 1e-10
    assert float((step.x_next - mean - noise).abs().max()) < 1e-10
    if t == 1 and posterior:
        assert torch.equal(step.noise, torch.zeros_like(x))


def test_the_ddpm_mean_mixes_x_and_x0_hat_as_in_equation_7():
    """μ̃_t = √ᾱ_{t−1} β_t/(1−ᾱ_t) x_0 + √α_t (1−ᾱ_{t−1})/(1−ᾱ_t) x_t: the same mean, by x_0."""
    schedule = from_betas(BETAS)
    x, z = draws()
    for k in range(10):
        level, beta = schedule[k], BETAS[9 - k]
        bar, before = level.alpha**2, level.alpha_next**2
        x0 = fixed(x, level).x0_hat
        first = before**0.5 * beta / (1 - bar) * x0
        mean = first + (1 - beta) ** 0.5 * (1 - before) / (1 - bar) * x
        assert float((ddpm(x, level, fixed, z).mean - mean).abs().max()) < 1e-9


def test_a_naive_step_subtracts_the_output():
    x, z = draws()
    step = naive(x, karras(5, 0.01, 1.0, 7)[2], fixed, z)
    assert torch.equal(step.x_next, x - x.cos())
    assert torch.equal(step.mean, step.x_next)
    assert torch.equal(step.noise, torch.zeros_like(x))


@pytest.mark.parametrize("step", [naive, ddpm])
def test_a_step_tells_all_it_knows(step):
    x, z = draws()
    level = from_betas(BETAS)[3]
    made = step(x, level, fixed, z)
    assert isinstance(made, Step)
    assert torch.equal(made.x, x)
    assert (made.alpha, made.sigma) == (level.alpha, level.sigma)
    assert torch.equal(made.eps_hat, x.sin())
    assert torch.equal(made.x0_hat, fixed(x, level).x0_hat)
    assert torch.equal(made.x_next, made.mean + made.noise)


@for_each(
    "quiet, variance, silent",
    [
        (2, "posterior", {8, 9}),
        (1, "posterior", {9}),
        (2, "beta", {8, 9}),
        (1, "beta", {9}),
        (0, "beta", set()),
        # Without a rule the last posterior variance is 0 of itself.
        (0, "posterior", {9}),
        (4, "posterior", {6, 7, 8, 9}),
        (1000, "beta", set(range(10))),
    ],
)
def test_which_steps_are_quiet(quiet, variance, silent):
    """2 is the post's rule (no noise for t ≤ 2), 1 the paper's (none for t = 1 alone)."""
    config = SamplingConfig(sampler="ddpm", quiet=quiet, variance=variance)
    sampler = make_sampler(config, 10)
    schedule = from_betas(BETAS)
    x, z = draws()
    for k in range(10):
        noise = sampler(x, schedule[k], fixed, z).noise
        if k in silent:
            assert torch.equal(noise, torch.zeros_like(x))
        else:
            beta, level = BETAS[9 - k], schedule[k]
            tilde = beta * (level.sigma_next / level.sigma) ** 2
            expected = (tilde if variance == "posterior" else beta) ** 0.5 * z
            assert float((noise - expected).abs().max()) < 1e-9
            assert float(noise.abs().min()) > 0


def test_the_naive_sampler_is_what_its_name_says():
    x, z = draws()
    sampler = make_sampler(SamplingConfig(sampler="naive"), 10)
    assert torch.equal(sampler(x, from_betas(BETAS)[0], fixed, z).x_next, x - x.cos())


def fine_ddpm(levels: int, **settings: object):
    return get_preset("ddpm-1d").experiment.with_settings(
        {
            "schedule.kind": "karras-beta",
            "schedule.levels": levels,
            "schedule.beta_min": 1e-6,
            "schedule.beta_max": 0.2,
            "schedule.rho": 5,
            "sampling.start": "exact",
            "sampling.quiet": 1,
            **settings,
        }
    )


@pytest.mark.parametrize("variance", ["posterior", "beta"])
def test_many_small_steps_of_the_ideal_denoiser_reach_the_data(variance):
    """Both variances are right in the limit of small steps: there the std is the data's 0.010."""
    experiment = fine_ddpm(500, **{"sampling.variance": variance})
    ideal = IdealDenoiser(ONE, METHODS["ddpm"])
    points = 20_000
    trajectory = denoise(experiment, ideal, points=points, seed=1)
    x = trajectory.result.double()
    assert abs(float(x.mean()) - 1) < 0.0006
    # The chance of the estimate is 0.01/√(2n) = 0.00005; the rest is the size of the steps.
    assert abs(float(x.std()) - 0.01) < 0.0004


def test_the_chain_keeps_the_exact_moments_at_every_level():
    experiment = fine_ddpm(500)
    trajectory = denoise(experiment, IdealDenoiser(ONE, METHODS["ddpm"]), points=20_000, seed=2)
    mean, std = trajectory.moments()
    schedule = trajectory.schedule
    goal = (schedule.alphas**2 * 1e-4 + schedule.sigmas**2).sqrt()
    assert float((mean[:, 0] - schedule.alphas).abs().max()) < 0.03
    assert float((std[:, 0] / goal - 1).abs().max()) < 0.05


@pytest.mark.parametrize("sampler", ["ddpm", "ddim", "euler", "heun", "dpm++2m"])
def test_two_levels_that_are_one_to_the_last_digit_are_no_division_by_zero(sampler):
    experiment = get_preset("ddpm-1d").experiment.with_settings(
        {"schedule.betas": (0.5, 0.5, 1e-20, 1e-20), "sampling.sampler": sampler}
    )
    trajectory = denoise(experiment, IdealDenoiser(ONE, METHODS["ddpm"]), points=50)
    assert torch.isfinite(trajectory.x).all()
    assert float((trajectory.x[1] - trajectory.x[0]).abs().max()) < 1e-6


def test_the_last_step_of_the_ideal_denoiser_takes_the_expectation():
    """Few levels, no noise: the result is E[x_0 | x] of what came before, so too narrow."""
    experiment = get_preset("ddpm-1d").experiment
    trajectory = denoise(experiment, IdealDenoiser(ONE, METHODS["ddpm"]), points=5_000)
    before = trajectory.x[-2]
    expected = ONE.denoise(before, trajectory.schedule[9].alpha, trajectory.schedule[9].sigma)
    assert float((trajectory.result - expected).abs().max()) < 1e-4
    assert float(trajectory.result.std()) < 0.009


def test_a_step_of_some_points_joins_with_that_of_the_others_to_the_same_step():
    x, z = draws()
    schedule = from_betas(BETAS)
    first = ddpm(x, schedule[2], fixed, z)
    whole = ddpm(first.x_next, schedule[3], fixed, z, first).since(first, 1)
    joined = Step.joined([whole.part(slice(20)), whole.part(slice(20, None))])
    for step, other in zip(whole.before(), joined.before(), strict=True):
        for name, values in vars(step).items():
            if name != "previous":
                assert torch.equal(torch.as_tensor(getattr(other, name)), torch.as_tensor(values))
    assert [step.sigma for step in joined.before()] == [schedule[3].sigma, schedule[2].sigma]
    assert len([*whole.since(first, 0).before()]) == 1
    assert whole.part(slice(20)).x_next.shape == (20, 2)

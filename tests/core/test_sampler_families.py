"""Every sampler against what is known exactly: order, variance, limits and special cases."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from tui_diffusion.core import samplers
from tui_diffusion.core.analysis.report import quality
from tui_diffusion.core.assemble import (
    make_ideal,
    make_mixture,
    make_sampler,
    noises,
    steps_back,
)
from tui_diffusion.core.config.choices import samplers_of
from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.core.config.sampling_section import SamplingConfig
from tui_diffusion.core.methods import METHODS, Denoiser, IdealDenoiser, Prediction
from tui_diffusion.core.mixtures import GaussianMixture
from tui_diffusion.core.parts.samplers import SAMPLER_PARTS
from tui_diffusion.core.samplers import Sampler, Step
from tui_diffusion.core.schedules import Level, Schedule, flow, from_betas, karras
from tui_diffusion.core.trajectory import denoise

from ..cases import for_each
from ..changed import changed

FOUR = IdealDenoiser(GaussianMixture([[1, 1], [1, -1], [-1, 1], [-1, -1]], 0.1), METHODS["edm"])
ONE = IdealDenoiser(GaussianMixture([[0.0]], 0.5), METHODS["edm"])
ALL = [n for n, p in SAMPLER_PARTS.items() if not (p.trained_levels or p.scheduler)]
ODE = [name for name in ALL if SAMPLER_PARTS[name].order]
NOISY = [name for name in ALL if not SAMPLER_PARTS[name].order]
STEEP = from_betas([1e-6, 1e-3, 0.3, 0.9, 0.99])


def sampler_of(name: str, levels: int, **settings: object) -> Sampler:
    return make_sampler(SamplingConfig(sampler=name, quiet=0, **settings), levels)


def sampled(
    take: Sampler, schedule: Schedule, denoiser: Denoiser, x: Tensor, z: Tensor, stop: int = 0
) -> list[Step]:
    """The steps from x with the noise z (N, n, noises·d), but for the last ``stop``."""
    steps = list[Step]()
    for k in range(schedule.levels - stop):
        steps.append(take(x, schedule[k], denoiser, z[k], steps[-1] if steps else None))
        x = steps[-1].x_next
    return steps


def noise_for(name: str, levels: int, points: int, seed: int = 0) -> Tensor:
    random = torch.Generator().manual_seed(seed)
    numbers = 2 * SAMPLER_PARTS[name].noises
    return torch.randn((levels, points, numbers), generator=random, dtype=torch.float64)


# --- the probability-flow ODE ------------------------------------------------------------------


def end(name: str, start: Tensor, schedule: Schedule) -> Tensor:
    """Where the ODE leads points at the last level above zero."""
    z = torch.zeros(schedule.levels, *start.shape, dtype=start.dtype)
    take = sampler_of(name, schedule.levels)
    return sampled(take, schedule, FOUR, float(schedule.sigmas[0]) * start, z, stop=1)[-1].x_next


def test_order_of_convergence() -> None:
    """Halving the steps' size divides the error by 2^order.

    From noise much wider than the data, the first steps of lower order do not show.
    """
    start = noise_for("euler", 1, 60)[0]
    later = {"lms": 4, "deis": 3}
    for sigmas, truth_by, levels, orders in (
        ((0.3, 3.0), "unipc", 80, {}),
        ((0.05, 80.0), "lms", 160, later),
    ):
        truth = end(truth_by, start, karras(6 * levels + 1, *sigmas, 7))
        for name in {*ODE} - {"euler", "heun"}:  # those are in test_modern_samplers
            coarse, fine = (
                float((end(name, start, karras(n, *sigmas, 7)) - truth).norm(dim=1).mean())
                for n in (levels + 1, 2 * levels + 1)
            )
            order = orders.get(name, SAMPLER_PARTS[name].order)
            if sigmas[1] == 80 or name not in later:
                assert math.log2(coarse / fine) == pytest.approx(order, abs=0.2), (name, sigmas)
            else:  # falling towards 2
                assert 1.9 < math.log2(coarse / fine) < 2.5, name


# --- noise -------------------------------------------------------------------------------------


def variances(name: str, schedule: Schedule, std: float, **settings: object) -> Tensor:
    """The exact variance at every level of data N(0, std²), float64.

    Every step is linear, so that the points of a batch can be the responses to one unit of each
    independent normal number: the start's and the noises'.
    """
    levels, count = schedule.levels, SAMPLER_PARTS[name].noises
    ideal = IdealDenoiser(GaussianMixture([[0.0]], std), METHODS["edm"])
    x = torch.zeros((1 + levels * count, 1), dtype=torch.float64)
    x[0] = math.hypot(schedule.alphas[0] * std, schedule.sigmas[0])
    z = torch.eye(len(x), dtype=torch.float64)[1:].reshape(levels, count, len(x)).transpose(1, 2)
    steps = sampled(sampler_of(name, levels, **settings), schedule, ideal, x, z)
    return torch.stack([step.x_next.square().sum() for step in steps])


@for_each("name", sorted({*NOISY} - {"langevin"}))
def test_the_variance_is_that_of_the_data_in_the_limit_of_many_steps(name: str) -> None:
    """Its error is of first order in the steps' size, or less."""
    settings = {"snr": 0.02} if name == "predictor-corrector" else {}
    for make in (lambda n: karras(n, 0.002, 5, 7), lambda n: flow(n, 3)):
        coarse, fine = (
            float(variances(name, make(levels), 0.5, **settings)[-1]) / 0.25 - 1
            for levels in (30, 60)
        )
        assert abs(2 * fine - coarse) < 0.03, (name, coarse, fine)
        assert abs(fine) < 0.6 * abs(coarse) or abs(fine) < 2e-3, (name, coarse, fine)


def test_the_stationary_distribution_of_langevin_is_that_of_its_level() -> None:
    """Steps at one level: exactly p/(1 − h σ²/4p) for the variance p of a Gaussian's level."""
    level = karras(5, 0.1, 2, 7)[2]
    p = 0.5**2 + float(level.sigma) ** 2
    for size in (0.01, 0.1, 0.5):
        take = sampler_of("langevin", 5, step_size=size)
        x, z = torch.eye(2, dtype=torch.float64).split(1, dim=1)
        decay, added = take(x, level, ONE, z).x_next.flatten().tolist()
        stationary = added**2 / (1 - decay**2)
        exact = p / (1 - size * float(level.sigma) ** 2 / (4 * p))
        assert stationary == pytest.approx(exact, rel=1e-9)
        assert stationary == pytest.approx(p, rel=size / 3)


def test_multistep_samplers_are_exact_for_the_polynomials_that_they_integrate() -> None:
    """Estimates that do not depend on x: eps_hat in s or ln s, x0_hat in λ = −ln s."""
    schedule = karras(12, 0.05, 5, 7)
    x = torch.tensor([[1.0], [-2.0]], dtype=torch.float64)
    nodes, quadrature = (torch.as_tensor(v) for v in np.polynomial.legendre.leggauss(40))
    cubic, parabola = (lambda v: 1 + v - v**2 + v**3 / 3), (lambda v: 0.5 + v - v**2)
    for name, polynomial, of in (
        ("lms", cubic, lambda s: s),
        ("deis", parabola, torch.log),
        ("dpm++3m-sde", parabola, torch.log),
    ):

        def known(x: Tensor, level: Level, of=of, polynomial=polynomial, name=name) -> Prediction:
            value = polynomial(of(torch.tensor(level.sigma))) + 0 * x
            if name == "dpm++3m-sde":
                return Prediction(value, (x - value) / level.sigma, value)
            return Prediction(value, value, x - level.sigma * value)

        z = torch.zeros(12, 2, 1, dtype=torch.float64)
        for k, step in enumerate(sampled(sampler_of(name, 12), schedule, known, x, z, stop=1)):
            if k < SAMPLER_PARTS[name].looks_back:
                continue
            s, s_next = schedule.sigmas[k], schedule.sigmas[k + 1]
            at = (s + s_next) / 2 + (s_next - s) / 2 * nodes
            values = quadrature * (s_next - s) / 2 * polynomial(of(at))
            exact = step.x + values.sum()
            if name == "dpm++3m-sde":
                # x'/s'² − x/s² = ∫ x0_hat d(1/s²)
                exact = s_next**2 * (step.x / s**2 + (values * -2 / at**3).sum())
            assert torch.allclose(step.mean, exact, atol=1e-9), (name, k)


def test_no_churn_is_heun_bit_for_bit() -> None:
    of = changed(PRESETS["edm-multimodal"].experiment, sampling__points=50)
    ideal = FOUR
    churned = changed(of, sampling__sampler="edm-stochastic", sampling__s_churn=0)
    assert torch.equal(denoise(churned, ideal).x, denoise(of, ideal).x)
    least = changed(churned, sampling__s_churn=10, sampling__s_min=1e6)
    assert torch.equal(denoise(least, ideal).x, denoise(of, ideal).x)
    assert not torch.equal(
        denoise(changed(churned, sampling__s_churn=10), ideal).x, denoise(of, ideal).x
    )


def test_ancestral_steps_are_steps_to_less_noise_plus_noise() -> None:
    schedule = from_betas([0.01, 0.1, 0.3, 0.5, 0.8])
    for k in range(4):
        x, z = noise_for("dpm++sde", 2, 30, seed=k)[:, :, :2]
        level = schedule[k]
        euler, dpm2, dpmpp = (
            step(x, level, FOUR, z)
            for step in (
                samplers.euler_ancestral,
                samplers.dpm2_ancestral,
                samplers.dpmpp_2s_ancestral,
            )
        )
        chain = samplers.ddpm(x, level, FOUR, z)
        assert torch.allclose(euler.x_next, chain.x_next, atol=1e-12)
        for step in (dpm2, dpmpp):
            assert torch.allclose(step.noise, chain.noise, atol=1e-12)
        # Without the noise: a step of the ODE to the noise σ' r, where r is what is left of σ/α.
        r = (level.alpha / level.alpha_next) * (level.sigma_next / level.sigma)
        less = replace(level, sigma_next=level.sigma_next * r)
        assert torch.allclose(dpm2.mean, samplers.dpm2(x, less, FOUR, z).mean, atol=1e-12)
        assert torch.allclose(euler.mean, samplers.euler(x, less, FOUR, z).mean, atol=1e-12)
        # DPM-Solver++(2S) with its estimate halfway: the same step for a constant estimate.
        middle = samplers.euler(x, level, FOUR, z).x_next
        clean = FOUR(middle, schedule[k + 1]).x0_hat
        shrink = float(less.sigma_next) / float(less.sigma)
        mean = shrink * x + (less.alpha_next - less.alpha * shrink) * clean
        assert torch.allclose(dpmpp.mean, mean, atol=1e-12)


def test_the_two_noises_of_dpmpp_sde_belong_to_one_path() -> None:
    """Their correlation is that of Itô integrals of σ' exp(λ − λ') √2 dw over half and whole."""
    level = karras(8, 0.1, 5, 7)[3]
    lengths = torch.linspace(math.log(level.sigma_next), math.log(level.sigma), 20_001).double()
    shares = torch.exp(-2 * (lengths[1:] + lengths[:-1]) / 2)  # of the variance, by −λ = ln σ
    half = float((shares[10_000:].sum() / shares.sum()).sqrt())
    unit = torch.eye(2, dtype=torch.float64)
    noise = samplers.dpmpp_sde(0 * unit[:, :1], level, ONE, unit).noise
    share, rest = (noise / noise.norm()).flatten().tolist()
    assert share == pytest.approx(half, abs=1e-4)
    assert rest == pytest.approx((1 - half**2) ** 0.5, abs=1e-4)
    r = float(level.sigma_next) / float(level.sigma)
    assert float(noise.norm()) == pytest.approx(level.sigma_next * (1 - r**2) ** 0.5, rel=1e-9)


# --- every sampler -----------------------------------------------------------------------------


def test_variance_preserving_and_exploding_forms_agree() -> None:
    """x/α of the one is x of the other, with all that a sampler keeps of earlier steps."""
    # Heun's slope is a mean over the linear path of each form; the others' noise is set by σ.
    own_path = {"heun", "edm-stochastic", "langevin", "predictor-corrector"}
    vp = from_betas([0.01, 0.1, 0.2, 0.3, 0.5, 0.8])
    ve = Schedule(torch.ones_like(vp.alphas), vp.sigmas / vp.alphas)
    for name in {*ALL} - own_path:
        z = noise_for(name, 6, 40)
        x = noise_for("euler", 1, 40, seed=1)[0]
        take = sampler_of(name, 6)
        steps = sampled(take, vp, FOUR, x, z)
        others = sampled(take, ve, FOUR, x / vp.alphas[0], z)
        for k, (a, b) in enumerate(zip(steps, others, strict=True)):
            scale = float(vp.alphas[k + 1])
            assert torch.allclose(a.mean / scale, b.mean, atol=1e-9), (name, k)
            assert torch.allclose(a.noise / scale, b.noise, atol=1e-9), (name, k)


@for_each("name", ALL)
def test_any_number_of_levels_is_finite_and_ends_at_clean_data(name: str) -> None:
    for levels in (1, 2, 3, 13):
        for schedule in (karras(levels, 0.002, 80, 7), flow(levels, 3), STEEP):
            count = schedule.levels
            z = noise_for(name, count, 20).float()
            x = float(schedule.sigmas[0]) * noise_for("euler", 1, 20)[0].float()
            steps = sampled(sampler_of(name, count), schedule, FOUR, x, z)
            assert all(bool(torch.isfinite(step.x_next).all()) for step in steps), levels
            assert all(torch.equal(s.x_next, s.mean + s.noise) for s in steps)
            last = steps[-1]
            if name not in ("lms", "edm-stochastic", "predictor-corrector"):
                assert torch.allclose(last.x_next, last.x0_hat, atol=1e-5), (levels, name)
                assert float(last.noise.abs().max()) == 0
            assert float(schedule.alphas[-1]) == 1 and float(schedule.sigmas[-1]) == 0


@pytest.mark.slow
@pytest.mark.timeout(600)
@for_each("name", ALL)
def test_a_thousand_levels_are_finite_and_draw_the_data_within_chance(name: str) -> None:
    for method, kind in (("edm", "karras"), ("flow", "flow")):
        of = changed("edm-multimodal", method__name=method, schedule__kind=kind, schedule__rho=3)
        of = changed(of, schedule__levels=1000, sampling__sampler=name, sampling__start="exact")
        trajectory = denoise(of, FOUR, mixture=FOUR.mixture, points=2000)
        assert bool(torch.isfinite(trajectory.x).all())
        score = quality(trajectory, FOUR.mixture)
        # The chance is two standard deviations.
        assert score.energy_distance < 1.5 * score.energy_distance_chance, (name, method)


@pytest.mark.slow
def test_the_help_says_from_how_many_levels_a_sampler_draws_the_data() -> None:
    of = changed("edm-moons", sampling__start="exact")
    mixture = make_mixture(of)
    for name in ALL:
        enough = re.search(r"for (\d+) levels", SAMPLER_PARTS[name].help)
        levels = int(enough[1]) if enough else 10 if name == "deis" else 40
        if name == "langevin":
            continue  # hundreds of levels
        chosen = changed(of, sampling__sampler=name, sampling__levels=levels)
        score = quality(denoise(chosen, make_ideal(of, mixture), points=3000), mixture)
        assert score.energy_distance < 1.5 * score.energy_distance_chance, (name, levels)


def test_evaluations_are_counted_and_a_step_is_pure() -> None:
    calls = list[Level]()

    def counting(x: Tensor, level: Level) -> Prediction:
        calls.append(level)
        return FOUR(x, level)

    schedule = karras(8, 0.01, 3, 7)
    for name in ALL:
        part, take = SAMPLER_PARTS[name], sampler_of(name, 8)
        z, x = noise_for(name, 8, 10), noise_for("euler", 1, 10)[0]
        steps = sampled(take, schedule, FOUR, x, z)
        assert len([*steps[6].before()]) == max(part.looks_back, 1), name
        calls.clear()
        again = take(steps[5].x, schedule[5], counting, z[5], steps[4])
        assert len(calls) == part.evaluations, name
        assert torch.equal(again.x_next, steps[5].x_next)
        # A step depends on nothing but what the record can make again: levels and estimates.
        known = Step(*[0 * x] * 6, alpha=0.0, sigma=0.0)
        chain: Step | None = None
        for step in reversed([*steps[4].before()]):
            chain = replace(
                known,
                eps_hat=step.eps_hat,
                x0_hat=step.x0_hat,
                alpha=step.alpha,
                sigma=step.sigma,
                previous=chain,
            )
        remade = take(steps[5].x, schedule[5], FOUR, z[5], chain)
        assert torch.equal(remade.x_next, steps[5].x_next), name


def test_every_step_of_every_sampler_can_be_taken_again_and_in_batches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ALL:
        of = changed(
            PRESETS["edm-multimodal"].experiment, sampling__sampler=name, sampling__levels=5
        )
        trajectory = denoise(of, FOUR, points=30)
        for k in range(trajectory.levels):
            assert torch.equal(trajectory.step(k).x_next, trajectory.x[k + 1]), (name, k)
        with monkeypatch.context() as patch:
            patch.setattr("tui_diffusion.core.trajectory._AT_ONCE", 7)
            parts = denoise(of, FOUR, points=30)
        assert float((parts.x - trajectory.x).abs().max()) < 1e-5, name
        assert float((parts.noise - trajectory.noise).abs().max()) == 0, name
        few = denoise(of, FOUR, points=30, keep=9)
        assert float((few.x - trajectory.x[:, :9]).abs().max()) < 1e-5, name


def test_which_samplers_a_method_takes() -> None:
    """A level between two of the training has no meaning for a network of those levels alone."""
    between = {"dpm2", "dpm++sde", "edm-stochastic"}
    assert {*ALL} <= {*samplers_of("edm")} & {*samplers_of("flow")}
    for method in ("naive", "naive-exact", "ddpm"):
        assert {*ALL} - {*samplers_of(method)} == between
    config = SamplingConfig(sampler="lms")
    assert (steps_back(config), noises(config)) == (3, 1)
    assert noises(SamplingConfig(sampler="predictor-corrector")) == 2

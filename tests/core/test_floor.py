"""The least possible loss: against closed forms and against sampling the exact denoiser."""

from __future__ import annotations

import math

import pytest
import torch

from tui_diffusion.core.analysis.error_growth import amplification
from tui_diffusion.core.analysis.loss_floor import (
    batch_loss,
    floor_at,
    floors,
    level_losses,
    training_excess,
    training_floor,
)
from tui_diffusion.core.analysis.residual import residual
from tui_diffusion.core.assemble import make_method, make_mixture, make_schedule
from tui_diffusion.core.config.experiment import Experiment, build
from tui_diffusion.core.config.presets import PRESETS
from tui_diffusion.core.methods import IdealDenoiser
from tui_diffusion.core.mixtures import GaussianMixture
from tui_diffusion.core.training.steppers.autograd import loss_of

from ..cases import for_each
from ..trainings import trained


def ideal(of: Experiment) -> IdealDenoiser:
    mixture = make_mixture(of.data)
    return IdealDenoiser(mixture, make_method(of.method, mixture))


@pytest.mark.parametrize("name", ["two-modes", "four-gaussians", "ring", "moons", "checkerboard"])
@for_each("alpha, sigma", [(1.0, 0.05), (0.8, 0.6), (1.0, 1.0), (0.5, 2.0)])
def test_residual_is_that_of_the_exact_denoiser(name: str, alpha: float, sigma: float) -> None:
    """Within four standard errors of Monte Carlo with the exact denoiser."""
    mixture = make_mixture(build({"data": {"name": name}}).data)
    random = torch.Generator().manual_seed(0)
    x0 = mixture.sample(20_000, random, dtype=torch.float64)
    x = alpha * x0 + sigma * torch.randn(x0.shape, generator=random, dtype=torch.float64)
    square = (x0 - mixture.denoise(x, alpha, sigma)).square().sum(1)
    known = residual(mixture, alpha, sigma, fourth=True)
    assert abs(float(square.mean()) - known.square) < 4 * float(square.std()) / 20_000**0.5
    fourth = square**2
    assert abs(float(fourth.mean()) - known.fourth) < 4.5 * float(fourth.std()) / 20_000**0.5


def test_residual_of_many_components_is_that_of_few() -> None:
    """The fast way of curves agrees with the plain one to far less than 1e-3."""
    mixture = make_mixture(build({"data": {"name": "moons"}}).data)
    for sigma in (0.01, 0.1, 0.3, 1.0, 4.0):
        fast = residual(mixture, 1.0, sigma)
        plain = residual(mixture, 1.0, sigma, fourth=True)
        assert math.isnan(fast.fourth)
        assert fast.square == pytest.approx(plain.square, rel=3e-4)


def test_components_on_top_of_each_other_are_one() -> None:
    one, twice = GaussianMixture([[1.0]], 0.1), GaussianMixture([[1.0], [1.0]], 0.1)
    for sigma in (0.01, 0.1, 3.0):
        a, b = residual(one, 0.9, sigma), residual(twice, 0.9, sigma)
        assert a.square == pytest.approx(b.square, rel=1e-6)
        assert a.fourth == pytest.approx(b.fourth, rel=1e-6)


def test_closed_forms_for_one_gaussian() -> None:
    """ε from x of N(1, s²): its residual variance is α²s²/(α²s² + σ²) a coordinate."""
    of = PRESETS["ddpm-1d"].experiment
    schedule = make_schedule(of.schedule)
    for k, floor in enumerate(floors(of)):
        signal = float(schedule.alphas[k] ** 2) * 0.01**2
        left = signal / (signal + float(schedule.sigmas[k]) ** 2)
        n = of.training.batch
        chi = math.sqrt(2) * math.exp(math.lgamma((n + 1) / 2) - math.lgamma(n / 2))
        assert floor == pytest.approx(math.sqrt(left) * chi, rel=1e-6)
    edm = PRESETS["edm-1d"].experiment
    assert floors(edm) == pytest.approx([1.0] * edm.levels)
    naive = floors(PRESETS["naive-1d"].experiment)
    assert naive[-1] == 0 and all(floor > 0 for floor in naive[:-1])


@pytest.mark.parametrize("method", ["naive", "naive-exact", "ddpm", "edm", "flow"])
@for_each("loss", ["sum", "norm", "mean"])
def test_floor_is_the_mean_loss_of_the_exact_denoiser(method: str, loss: str) -> None:
    """At every level, for each method's own target and each kind of loss, by Monte Carlo."""
    of = build({"data": {"name": "heavy-light", "std": 0.3}})
    of = of.with_settings({"method.name": method, "training.loss": loss, "training.batch": 24})
    of = of.with_settings({"sampling.levels": 0})
    mixture, denoiser = make_mixture(of.data), ideal(of)
    known, schedule = make_method(of.method, mixture), make_schedule(of.schedule)
    random = torch.Generator().manual_seed(0)
    for k in range(1, schedule.levels - 1, 3):
        level = schedule[k]
        x0 = mixture.sample(2000 * 24, random, dtype=torch.float64)
        eps = torch.randn(x0.shape, generator=random, dtype=torch.float64)
        x = level.alpha * x0 + level.sigma * eps
        error = denoiser(x, level).output - known.target(x0, eps, level)
        losses = torch.stack([loss_of(loss, batch) for batch in error.split(24)])
        wanted = float(losses.mean())
        noise = 4 * float(losses.std()) / 2000**0.5
        assert abs(floor_at(of, level) - wanted) < noise + 2e-3 * wanted, k


def test_excess_of_the_exact_denoiser_is_nothing_and_of_a_network_is_its_loss_less_the_floor() -> (
    None
):
    of = PRESETS["edm-moons"].experiment.with_settings({"training.steps": 200})
    perfect = level_losses(of, ideal(of))
    # The points are float32 for any denoiser; rounding is all that is left.
    assert all(abs(at.excess) < 1e-6 * at.floor + 1e-6 for at in perfect)
    trainer = trained(of)
    later = level_losses(of, trainer.denoiser)
    assert all(at.loss == pytest.approx(at.floor + at.excess) for at in later)
    assert min(at.excess for at in later) > 0
    total = training_floor(of) + training_excess(of, trainer.denoiser, points=2000)
    assert float(trainer.losses[-50:].mean()) == pytest.approx(total, rel=0.1)


def test_no_training_ends_below_its_floor() -> None:
    """The stage trained last, too, where every level has a network of its own."""
    for name in ("ddpm-1d", "ddpm-1d-per-level"):
        of = PRESETS[name].experiment.with_settings({"training.steps": 400})
        assert float(trained(of).losses[-50:].mean()) > 0.9 * training_floor(of)


def test_norm_of_a_batch_without_residual_is_nothing() -> None:
    assert batch_loss("norm", 8, 2, 0.0, 0.0) == 0.0
    assert batch_loss("norm", 8, 2, 0.5, 0.25) == pytest.approx(2.0)


def test_a_beta_of_0_999_magnifies_an_error_31_times() -> None:
    """β/(√(1 − ᾱ) √α), the post's figure; the exact denoiser then takes most of it back."""
    of = PRESETS["ddpm-1d"].experiment
    gains, schedule = amplification(of), make_schedule(of.schedule)
    assert gains[0].step == pytest.approx(31.6, abs=0.1)
    for k, gain in enumerate(gains):
        beta = float(schedule.betas[k])
        known = beta / (float(schedule.sigmas[k]) * (1 - beta) ** 0.5)
        assert gain.step == pytest.approx(known, rel=1e-6)
        assert gain.out is not None and gain.out < 0.1
    assert gains[-1].out == pytest.approx(gains[-1].step)


@pytest.mark.parametrize("sampler", ["naive", "ddpm", "euler", "heun", "dpm++2m"])
def test_amplification_of_every_sampler(sampler: str) -> None:
    of = PRESETS["naive-multimodal"].experiment.with_settings({"sampling.sampler": sampler})
    gains = amplification(of)
    assert len(gains) == 20 and all((gain.step or 0) > 0 for gain in gains[:-1])
    # The naive target of the last level is 0 whatever the noise, so nothing said there counts.
    assert (gains[-1].step == 0) == (sampler == "naive")
    flow = PRESETS["flow-moons"].experiment
    assert amplification(flow)[0].step is None and amplification(flow)[1].step is not None
